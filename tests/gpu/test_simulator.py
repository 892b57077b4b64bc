"""CUDA kernels without a GPU: run by Numba's simulator, and compiled by NVIDIA's compiler.

The simulator has to be chosen before Numba is imported, so its tests (``simulated/``) run in a
process of their own. It runs kernels as Python, which is silent on types: those kernels, with
the types they were launched with, are then compiled for a device, where the compiler is
installed (the extra ``cuda-compiler``).
"""

import json
import os
import subprocess
import sys
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def launches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernels that the simulated tests launched."""
    path = tmp_path_factory.mktemp("cuda") / "launches.json"
    done = run(
        # One process: what was launched is written down by the process that launched it.
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "tests/gpu/simulated"),
        NUMBA_ENABLE_CUDASIM="1",
        CNNCALC_LAUNCHES=str(path),
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return path


def test_the_simulator_agrees_with_the_processor(launches: Path) -> None:
    launched = {module for module, _, _ in json.loads(launches.read_text())}
    folder = ROOT / "cnncalc" / "kernels" / "cuda"
    written = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if "@kernel" in path.read_text()
    }
    assert launched == written


def test_the_compiler_takes_every_kernel_launched(launches: Path) -> None:
    for needed in ("numba-cuda", "nvidia-nvvm", "nvidia-cuda-nvrtc"):
        try:
            metadata.version(needed)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{needed} (of the extra `cuda-compiler`) is not installed")
    done = run("-m", "tests.gpu.compiled", str(launches), NUMBA_ENABLE_CUDASIM="0")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_every_kernel_is_launched(launches: Path) -> None:
    """No kernel is left out of the cases."""
    launched = {(module, name) for module, name, _ in json.loads(launches.read_text())}
    folder = ROOT / "cnncalc" / "kernels" / "cuda"
    written = set()
    for path in folder.rglob("*.py"):
        lines = path.read_text().splitlines()
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for before, line in pairwise(lines):
            if before == "@kernel":
                written.add((module, line.removeprefix("def ").partition("(")[0]))
    assert written == launched
