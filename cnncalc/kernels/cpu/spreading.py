"""Independent outputs, spread over threads without a parallel loop.

Numba needs five seconds and more to compile a parallel loop around a nest of loops, and
half a second for the nest alone. A kernel that releases the interpreter's lock can be run
by ordinary threads: each calls it for its own part of the outputs. What is computed does not
depend on who computes it, so any number of threads gives the same bits.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numba

__all__ = ["spread"]

#: Operations for which it is worth waking threads (some 50 microseconds).
_WORTHWHILE = 100_000

_pool: ThreadPoolExecutor | None = None


def spread(body: Callable[..., Any], count: int, cost: int, *arguments: Any) -> None:
    """Call ``body(first, last, *arguments)`` on parts that together make up ``range(count)``.

    Args:
        body: a kernel that computes the outputs from `first` to before `last`.
        count: number of independent outputs, or groups of them.
        cost: about how many operations one of them takes.
        arguments: what else the kernel takes.
    """
    parts = 1 if count * cost < _WORTHWHILE else min(numba.get_num_threads(), count)
    if parts == 1:
        body(0, count, *arguments)
        return
    edges = [part * count // parts for part in range(parts + 1)]
    others = [
        _threads().submit(body, first, last, *arguments) for first, last in pairwise(edges[1:])
    ]
    try:
        body(0, edges[1], *arguments)
    finally:
        for other in others:
            other.result()


def _threads() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603
    if _pool is None:
        most = numba.config.NUMBA_NUM_THREADS
        _pool = ThreadPoolExecutor(most, thread_name_prefix="cnncalc")
    return _pool


def _forget() -> None:
    """A forked process has none of its parent's threads."""
    global _pool  # noqa: PLW0603
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
