"""Tasks on threads: a function of (plan, thread), run on all of them at once.

Numba's parallel loops take seconds to compile, each of them; here there is one, which calls
any function by its address. The functions take their tasks from a counter in the plan
(`claim`), so threads that are held up get fewer. What is computed never depends on who
computes it.
"""

import threading
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.ufunc import parallel

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.vectors import I64

__all__ = ["run", "scratch", "threads", "worthwhile"]

#: Multiplications below which threads wake up too late.
_SMALL = 1 << 17

_ALIGNMENT = 64
_ELEMENTS = {np.dtype(np.float32): types.float32, np.dtype(np.float64): types.float64}


@cache
def _count() -> Any:
    """What counts the threads, once they are started: Numba asks for locks each time."""
    numba.get_num_threads()
    return getattr(parallel, "_get_num_threads", numba.get_num_threads)


def threads() -> int:
    """How many threads there are to use."""
    count: int = _count()()
    return count


def worthwhile(threads: int, operations: int) -> int:
    """How many of the threads to use for so many multiplications."""
    return threads if operations >= _SMALL else 1


@intrinsic
def _call(typing: Any, function: Any, plan: Any, thread: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        signature = ir.FunctionType(ir.VoidType(), [I64, I64])
        function = builder.inttoptr(arguments[0], signature.as_pointer())
        builder.call(function, arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@kernel(parallel=True)
def _launch(function: int, plan: int, count: int) -> None:
    for thread in prange(count):
        _call(function, plan, thread)


@cache
def _code(task: Any, dtype: Any) -> int:
    """Where the machine code of a task for one element type is."""
    signature = (types.CPointer(_ELEMENTS[dtype]), types.int64)
    task.compile(signature)
    made = task.overloads[signature]
    address: int = made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)
    return address


@kernel
def _fill(words: Array, slot: int, a: Array, b: Array, c: Array, d: Array) -> None:
    """The addresses of four arrays into the plan, from `slot` on."""
    words[slot] = a.ctypes.data
    words[slot + 1] = b.ctypes.data
    words[slot + 2] = c.ctypes.data
    words[slot + 3] = d.ctypes.data


@kernel
def _alone(function: int, words: Array, slot: int, a: Array, b: Array, c: Array, d: Array) -> None:
    _fill(words, slot, a, b, c, d)
    _call(function, words.ctypes.data, 0)


@kernel
def _together(
    function: int, words: Array, slot: int, count: int, a: Array, b: Array, c: Array, d: Array
) -> None:
    _fill(words, slot, a, b, c, d)
    _launch(function, words.ctypes.data, count)


def run(
    task: Any,
    words: Array,
    slot: int,
    a: Array,
    b: Array,
    c: Array,
    d: Array,
    count: int | None = None,
) -> None:
    """Run a task function on so many threads, all unless given, with four arrays in its plan.

    The words are this call's own copy; the addresses of the arrays go there from `slot` on.
    """
    count = count or threads()
    if count == 1:
        _alone(_code(task, a.dtype), words, slot, a, b, c, d)
    else:
        _together(_code(task, a.dtype), words, slot, count, a, b, c, d)


class _Scratch(threading.local):
    """One block of memory for each thread that calls, kept between calls."""

    def __init__(self) -> None:
        self.size = self.place = 0
        self.block = np.empty(0, np.uint8)

    def grow(self, size: int) -> None:
        """Have at least so many bytes, the first of them at a multiple of `_ALIGNMENT`."""
        self.block = empty((size + _ALIGNMENT,), np.uint8)
        self.size = size
        self.place = int(self.block.ctypes.data)
        self.place += -self.place % _ALIGNMENT


_scratch = _Scratch()


def scratch(size: int) -> int:
    """The address of at least so many bytes, on a cache line; the next call may reuse them."""
    if _scratch.size < size:
        _scratch.grow(size)
    return _scratch.place
