"""CUDA kernels compiled, cached and started; whether there is a device to run them.

Numba's simulator (``NUMBA_ENABLE_CUDASIM=1``) stands in for a device in the tests: it runs
kernels as Python, a thread of the interpreter for each of theirs.
"""

import importlib.util
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np
from numba import cuda

from cnncalc.errors import DeviceError
from cnncalc.kernels.cpu.compiling import announce, digest

if TYPE_CHECKING:
    from cnncalc.kernels.cuda.arrays import DeviceArray

__all__ = ["available", "inner", "kernel", "launch", "require"]

_F = TypeVar("_F", bound=Callable[..., Any])

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
#: Threads of a block: a few warps, so that blocks spread over all of a device. Each costs the
#: simulator a thread of the interpreter.
_THREADS = 16 if SIMULATED else 128

_INSTALL = "install 'cnncalc[cuda13]', or 'cnncalc[cuda12]' for a driver of CUDA 12"


def kernel(function: _F) -> _F:
    """Compile a kernel when it is first launched; on disk it is kept under its sources' digest."""
    made = cuda.jit(function)
    if not SIMULATED:
        _cached(made, function)
    return made  # type: ignore[no-any-return]  # numba is untyped


def inner(function: _F) -> _F:
    """A function that kernels call."""
    return cuda.jit(device=True)(function)  # type: ignore[no-any-return]


def launch(kernel: Any, count: int, *arguments: Any) -> None:
    """Start `count` threads of a kernel, in blocks; those of the last may be more.

    Arrays on the host are copied to the device: the kernel reads but cannot change them.
    """
    blocks = -(-count // _THREADS)
    if blocks == 0:
        return
    if SIMULATED:
        with warnings.catch_warnings():
            # What is inf or NaN on a device is a warning of NumPy's here.
            warnings.simplefilter("ignore", RuntimeWarning)
            kernel[blocks, _THREADS](*map(_passed, arguments))
    else:
        _configured(kernel, blocks)(*map(_passed, arguments))


@lru_cache(maxsize=4096)
def _configured(kernel: Any, blocks: int) -> Any:
    with warnings.catch_warnings():
        # Numba warns of small grids; arrays may well be small.
        warnings.simplefilter("ignore")
        return kernel[blocks, _THREADS]


def _passed(argument: "DeviceArray | Any") -> Any:
    if isinstance(argument, np.ndarray):
        return cuda.to_device(np.ascontiguousarray(argument))
    return argument.memory if hasattr(argument, "memory") else argument


def _cached(made: Any, function: Callable[..., Any]) -> None:
    """Keep a kernel on disk, and say what is compiled; without a place for it, only say."""
    with suppress(RuntimeError, OSError):  # numba may find no directory it may write to
        made.enable_caching()
        # In the place of a date, so that a change in another file of the kernel's counts too.
        made._cache._cache_file._source_stamp = digest(Path(function.__code__.co_filename))
    load, save = made._cache.load_overload, made._cache.save_overload

    def load_overload(signature: Any, target: Any) -> Any:
        try:
            found = load(signature, target)
        except Exception:  # whatever a damaged file makes the unpickler raise
            found = None
        if found is None:
            announce(function, signature)
        return found

    def save_overload(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError:  # full or read-only
            return

    made._cache.load_overload, made._cache.save_overload = load_overload, save_overload


@cache
def require() -> None:
    """Refuse to go on without a device and what it takes to compile for it.

    Raises:
        DeviceError: saying what is missing and what to install.
    """
    if SIMULATED:
        return
    if importlib.util.find_spec("numba_cuda") is None:
        raise DeviceError(f'device: "cuda" needs numba-cuda, which is not installed: {_INSTALL}')
    if not hasattr(np, "row_stack"):  # which NumPy 2.5 dropped, and numba-cuda looks for
        version = metadata.version("numba-cuda")
        raise DeviceError(
            f'device: "cuda" needs NumPy before 2.5, got {np.__version__}: numba-cuda {version} '
            "fails with later ones; install 'numpy<2.5'"
        )
    error = cuda.cuda_error()
    if error is not None:
        reason = " ".join(str(error).split())
        raise DeviceError(f'device: "cuda" needs an NVIDIA GPU and its driver: {reason}')
    if not cuda.is_available():
        raise DeviceError(f'device: "cuda" needs NVIDIA\'s compiler (NVVM): {_INSTALL}')


def available() -> bool:
    """Whether kernels can be run on a device here."""
    try:
        require()
    except DeviceError:
        return False
    return True
