"""Compilation: cached, announced, recompiled when any source it uses changes, never in the way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from cnncalc.kernels.cpu import compiling

PACKAGE = Path(compiling.__file__).parents[2]

CALLER = """
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.plain.callee import added

@kernel
def more(x):
    return added(x) / 2
"""
CALLEE = """
from cnncalc.kernels.cpu.compiling import kernel

@kernel
def added(x):
    return x + {number}
"""
RUN = """
from cnncalc.kernels.cpu import compiling
from cnncalc.kernels.cpu.plain.caller import more
{before}
with compiling.reporting(compiling.to_standard_error):
    print(more(1.0))
"""


class Ran(NamedTuple):
    """What a fresh interpreter printed, and what it said it compiled."""

    result: str
    compiled: list[str]


class House:
    """A copy of the parts of the package that compile, with two kernels in two files."""

    def __init__(self, root: Path) -> None:
        self.root, self.cache = root, root / "cache"
        self.plain = root / "cnncalc" / "kernels" / "cpu" / "plain"
        self.plain.mkdir(parents=True)
        for part in ("__init__.py", "kernels/__init__.py", "kernels/cpu/__init__.py",
                     "kernels/cpu/compiling.py", "kernels/cpu/plain/__init__.py"):  # fmt: skip
            shutil.copy(PACKAGE / part, root / "cnncalc" / part)
        (self.plain / "caller.py").write_text(CALLER)
        self.write_callee(2)

    def write_callee(self, number: int) -> None:
        (self.plain / "callee.py").write_text(CALLEE.format(number=number))

    def run(self, before: str = "", **environment: str) -> Ran:
        settings = {
            **{key: value for key, value in os.environ.items() if not key.startswith("NUMBA")},
            "PYTHONPATH": str(self.root),
            "NUMBA_CACHE_DIR": str(self.cache),
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", RUN.format(before=before)],
            capture_output=True, text=True, check=True, env=settings, cwd=self.root,
        )  # fmt: skip
        return Ran(done.stdout.strip(), done.stderr.splitlines())

    def files(self) -> list[Path]:
        return sorted(self.cache.rglob("*.nb?"))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


BOTH = ["compiling caller.more for float64", "compiling callee.added for float64"]


def test_a_second_process_compiles_nothing(house: House) -> None:
    assert house.run() == Ran("1.5", BOTH)  # (1 + 2) / 2
    assert house.run() == Ran("1.5", [])


def test_a_changed_file_recompiles_what_calls_it(house: House) -> None:
    house.run()
    before = house.files()
    house.write_callee(9)
    assert house.run() == Ran("5.0", BOTH)  # (1 + 9) / 2
    assert house.run() == Ran("5.0", [])
    assert len(house.files()) == len(before)  # and the stale code is gone


def test_another_file_recompiles_nothing(house: House) -> None:
    house.run()
    (house.plain / "other.py").write_text("from cnncalc.kernels.cpu.plain.caller import more\n")
    assert house.run() == Ran("1.5", [])


def test_a_damaged_cache_is_replaced(house: House) -> None:
    house.run()
    for path in house.files():
        path.write_bytes(path.read_bytes()[:40])
    assert house.run() == Ran("1.5", BOTH)
    assert house.run() == Ran("1.5", [])


def test_without_a_place_for_the_cache_everything_works(house: House) -> None:
    # A file where each folder that Numba tries would have to be; permissions do not stop root.
    blocked = house.root / "file"
    blocked.write_text("")
    (house.plain / "__pycache__").write_text("")
    places = {"NUMBA_CACHE_DIR": str(blocked / "a"), "XDG_CACHE_HOME": str(blocked / "b")}
    for _ in range(2):
        assert house.run(HOME=str(blocked), **places) == Ran("1.5", BOTH)


def test_a_cache_that_vanishes_or_cannot_be_written_is_done_without(house: House) -> None:
    cache = str(house.cache)
    vanish = f"import shutil; shutil.rmtree({cache!r}); open({cache!r}, 'w').close()"
    assert house.run(before=vanish) == Ran("1.5", BOTH)


def test_kernels_run_without_compilation(house: House) -> None:
    assert house.run(NUMBA_DISABLE_JIT="1") == Ran("1.5", [])


def test_an_unwritable_cache_can_still_be_read(house: House) -> None:
    house.run()
    refuse = (
        "import numba.core.caching as c\n"
        "def refuse(*_): raise PermissionError('read-only')\n"
        "c.IndexDataCacheFile.save = refuse"
    )
    assert house.run(before=refuse) == Ran("1.5", [])
    house.write_callee(9)
    assert house.run(before=refuse) == Ran("5.0", BOTH)


def test_the_digest_follows_imports_of_kernels_only() -> None:
    source = (
        b"import os, numpy\nimport cnncalc.kernels.arguments\nfrom cnncalc import window\n"
        b"from cnncalc.kernels.cpu import compiling\nfrom cnncalc.kernels import nothing\n"
    )
    found = compiling._imported(source)
    kernels = PACKAGE / "kernels"
    assert set(found) == {
        kernels / "arguments.py", kernels / "cpu" / "__init__.py", kernels / "cpu" / "compiling.py",
    }  # fmt: skip


def test_division_by_zero_is_not_an_error() -> None:
    quotient = compiling.kernel(_quotient)
    assert quotient(1.0, 0.0) == float("inf")
    assert quotient.py_func is _quotient


def _quotient(a: float, b: float) -> float:
    return a / b


def test_reporting_ends_with_its_block() -> None:
    heard: list[str] = []
    with compiling.reporting(lambda name, types: heard.append(f"{name} {types}")):
        compiling.kernel(_sum)(1, 2)
    compiling.kernel(_sum)(1.5, 2)
    assert heard == ["test_compiling._sum "]


def _sum(a: float, b: float) -> float:
    return a + b
