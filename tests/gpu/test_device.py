"""Without a device, one sentence says what is missing and what to install."""

import importlib.util
from importlib import metadata
from typing import Any

import numpy as np
import pytest
from numba import cuda

import cnncalc
from cnncalc import functional as F
from cnncalc.errors import DeviceError
from cnncalc.kernels import binding
from cnncalc.kernels.cuda import launching
from tests.functional.comparing import refusal

INSTALL = "install 'cnncalc[cuda13]', or 'cnncalc[cuda12]' for a driver of CUDA 12"


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has all that is needed."""
    monkeypatch.setattr(launching, "require", launching.require.__wrapped__)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(cuda, "cuda_error", lambda: None)
    monkeypatch.setattr(cuda, "is_available", lambda: True)


def test_a_complete_machine_has_a_device() -> None:
    launching.require()
    assert launching.available()
    assert binding.chosen_device("auto") == "cuda"


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = f'device: "cuda" needs numba-cuda, which is not installed: {INSTALL}'
    x = np.ones((1, 2), np.float32)
    with refusal(DeviceError, message):
        F.relu(x, device="cuda")
    with refusal(DeviceError, message):
        binding.kernel("activation", "cuda")
    with refusal(DeviceError, message):
        cnncalc.run(cnncalc.loads("input: 1@2x3\nlayers: [relu]"), device="cuda")
    assert not launching.available()
    assert [binding.chosen_device(each) for each in ("auto", "cpu", "cuda")] == [
        "cpu",
        "cpu",
        "cuda",
    ]


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "cuda_error", lambda: "Error at driver init:\n\nno device\n")
    message = 'device: "cuda" needs an NVIDIA GPU and its driver: Error at driver init: no device'
    with refusal(DeviceError, message):
        F.relu(np.ones(3), device="cuda")
    assert binding.chosen_device("auto") == "cpu"


def test_without_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "is_available", lambda: False)
    with refusal(DeviceError, f'device: "cuda" needs NVIDIA\'s compiler (NVVM): {INSTALL}'):
        F.relu(np.ones(3), device="cuda")


def test_with_a_numpy_that_numba_cuda_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np, "row_stack", raising=False)
    monkeypatch.setattr(metadata, "version", lambda name: "0.30.4")
    message = (
        f'device: "cuda" needs NumPy before 2.5, got {np.__version__}: numba-cuda 0.30.4 fails '
        "with later ones; install 'numpy<2.5'"
    )
    with refusal(DeviceError, message):
        launching.require()


def test_a_device_error_is_one_of_ours() -> None:
    error: Any = DeviceError("no")
    assert isinstance(error, cnncalc.CnncalcError)
    assert isinstance(error, RuntimeError)
    with refusal(ValueError, 'device: must be "auto" or "cpu" or "cuda", got \'tpu\''):
        binding.chosen_device("tpu")
