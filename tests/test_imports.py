"""What each command loads: the calculator must not pay for what it does not use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"numba", "numpy", "scipy", "sympy", "torch", "rich", "pydantic"}
ROOT = Path(__file__).parent.parent


def loaded(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running `code`."""
    shown = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


RUN = (
    "from cnncalc.cli import main\n"
    "try:\n    main({arguments!r}, standalone_mode=False)\nexcept SystemExit:\n    pass"
)


@pytest.mark.parametrize(
    "code",
    [
        "import cnncalc",
        "import cnncalc; cnncalc.functional.tier",
        "import cnncalc; cnncalc.lint(cnncalc.load('specs/resnet50.yaml'))",
        "import cnncalc; cnncalc.analyze(cnncalc.load('resnet50')).to_dict()",
        RUN.format(arguments=["check", "specs/alexnet.yaml"]),
        RUN.format(arguments=["report", "specs/alexnet.yaml", "--format", "json"]),
        RUN.format(arguments=["report", "alexnet", "--format", "plain"]),
        RUN.format(arguments=["calc", "conv", "3@32x32", "--filters", "8", "--kernel", "3"]),
    ],
)
def test_the_calculator_loads_nothing_heavy(code: str) -> None:
    assert not loaded(code) & HEAVY


@pytest.mark.parametrize("module", sorted(HEAVY - {"torch", "scipy"}))
def test_the_guard_sees_what_is_loaded(module: str) -> None:
    assert module in loaded(f"import cnncalc, {module}")


def test_a_symbolic_input_loads_sympy_and_nothing_else() -> None:
    code = "import cnncalc; cnncalc.analyze(cnncalc.loads('input: C@HxW\\nlayers: [relu]'))"
    assert loaded(code) & HEAVY == {"sympy"}


def test_a_doubtful_value_loads_pydantic() -> None:
    code = (
        "import cnncalc\ntry:\n    cnncalc.loads('input: 3@4x4\\nlayers: [{conv: 0, kernel: 3}]')\n"
        "except cnncalc.SpecError:\n    pass"
    )
    assert loaded(code) & HEAVY == {"pydantic"}


def test_public_names_are_complete() -> None:
    import cnncalc

    assert set(cnncalc.__all__) == {*cnncalc._HOMES, "lint", "functional"}
    for name in cnncalc.__all__:
        assert getattr(cnncalc, name).__doc__
    assert set(cnncalc.__all__) <= set(dir(cnncalc))
    with pytest.raises(AttributeError, match="module 'cnncalc' has no attribute 'conv'"):
        cnncalc.conv  # noqa: B018
