"""How many threads the kernels use. Results do not depend on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numba

__all__ = ["most", "used", "using"]


def most() -> int:
    """The largest number of threads there can be."""
    return int(numba.config.NUMBA_NUM_THREADS)


def used() -> int:
    """How many kernels use now."""
    return int(numba.get_num_threads())


@contextmanager
def using(count: int) -> Iterator[None]:
    """Run kernels on this many threads.

    Raises:
        ValueError: if there are fewer, or it is less than 1.
    """
    if not 1 <= count <= most():
        raise ValueError(f"threads: must be from 1 to {most()}, got {count}")
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)
