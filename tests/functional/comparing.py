"""What the tests of the functions compare with: PyTorch, central differences, threads.

Nothing here computes what a kernel computes; a helper that compares asserts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

#: Largest error allowed, relative to the largest magnitude of the float64 reference.
TOLERANCE = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 2e-5}


def normal(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Float64 arrays of normal numbers that float32 holds exactly, so that both agree on them."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s).astype(np.float32).astype(np.float64) for s in shapes]


def close(got: Any, reference: Any, tolerance: float | None = None, what: str = "") -> None:
    """Assert that an array is its float64 reference within what its dtype allows.

    NaN and infinities must be in the same places.
    """
    assert isinstance(got, np.ndarray), what
    reference = np.asarray(reference, np.float64)
    assert got.shape == reference.shape, what
    finite = np.isfinite(reference)
    np.testing.assert_array_equal(got[~finite].astype(np.float64), reference[~finite], what)
    allowed = TOLERANCE[got.dtype] if tolerance is None else tolerance
    scale = np.abs(reference[finite]).max(initial=0)
    error = np.abs(got[finite].astype(np.float64) - reference[finite]).max(initial=0)
    assert error <= allowed * max(scale, 1e-300), f"{what}: {error:.3g} of {scale:.3g}"


def same_bits(a: np.ndarray, b: np.ndarray) -> None:
    """Assert that two arrays are equal to the last bit, NaN and signed zeros included."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert a.tobytes() == b.tobytes()


def refusal(kind: type[Exception], message: str) -> Any:
    """`pytest.raises` for an error with exactly this message."""
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


def torch_module() -> Any:
    """PyTorch on one thread, or a skip that says what is missing."""
    import numba

    numba.get_num_threads()
    torch = pytest.importorskip("torch", reason="PyTorch (the extra `oracle`) is not installed")
    torch.set_num_threads(1)
    return torch


def torch_reference(
    function: Callable[..., Any], arrays: Sequence[np.ndarray | None], seed: int = 0
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray | None]]:
    """A function of PyTorch in float64: its output, a gradient for it, and the inputs' gradients.

    Args:
        function: of as many tensors as there are arrays (None stays None).
        arrays: the differentiable inputs.
        seed: of the gradient of the output.
    """
    torch = torch_module()
    leaves = [
        None if a is None else torch.tensor(a, dtype=torch.float64, requires_grad=True)
        for a in arrays
    ]
    output = function(*leaves)
    (grad,) = normal(seed + 1000, tuple(output.shape))
    output.backward(torch.tensor(grad))
    gradients = [None if leaf is None else leaf.grad.numpy() for leaf in leaves]
    return output.detach().numpy(), grad, gradients


def central_difference(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, grad: np.ndarray, h: float = 1e-6
) -> np.ndarray:
    """The gradient of ``sum(grad * function(x))``, an element at a time: (f(x+h) - f(x-h))/2h."""
    result = np.empty_like(x)
    for place in np.ndindex(*x.shape):
        above, below = x.copy(), x.copy()
        above[place] += h
        below[place] -= h
        difference = function(above) - function(below)
        result[place] = (grad * difference).sum() / (above[place] - below[place])
    return result


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run parallel kernels on this many threads, or on as many as there are."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(before)


@contextmanager
def uncompiled(*modules: Any) -> Iterator[None]:
    """Run the kernels of these modules as Python, without Numba: their own oracle."""
    from numba.core.dispatcher import Dispatcher

    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            for name, value in vars(module).items():
                if isinstance(value, Dispatcher):
                    patch.setattr(module, name, value.py_func)
        yield


def awkward_layouts(array: np.ndarray) -> Iterator[np.ndarray]:
    """The same values in other memory: Fortran's order, reversed, strided, off, read-only."""
    yield np.asfortranarray(array)
    yield array[::-1].copy()[::-1]
    yield np.repeat(array, 2, axis=-1)[..., ::2]
    octets = np.empty(array.nbytes + 1, np.uint8)
    off = octets[1:].view(array.dtype).reshape(array.shape)
    off[...] = array
    yield off
    fixed = array.copy()
    fixed.flags.writeable = False
    yield fixed
