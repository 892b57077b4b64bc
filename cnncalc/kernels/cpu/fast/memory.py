"""What a task reads and writes: a plan of 64-bit words, pointers, and counters of tasks.

The tasks of the fast convolutions work on addresses. Every task function takes
(plan, thread): `plan` points at the words that Python filled in (addresses and extents),
and its type says which element type the arrays have: pointers made from it with
`pointer` have the same type, and `+` on them is `at`.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.cpu.fast.vectors import I32, I64, Lanes, constant

__all__ = ["at", "claim", "done", "entry", "itemsize", "pointer", "put", "take", "wait", "word"]


def _word(builder: ir.IRBuilder, plan: ir.Value, index: ir.Value) -> ir.Value:
    return builder.gep(builder.bitcast(plan, I64.as_pointer()), [index])


@intrinsic
def word(typing: Any, plan: Any, index: Any) -> Any:
    """The word of the plan at an index: an extent, a stride, a flag."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_word(builder, *arguments))

    return types.int64(plan, types.int64), generate


@intrinsic
def pointer(typing: Any, plan: Any, index: Any) -> Any:
    """The word of the plan at an index as the address of an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = builder.load(_word(builder, *arguments))
        return builder.inttoptr(address, arguments[0].type)

    return plan(plan, types.int64), generate


@intrinsic
def at(typing: Any, pointer: Any, elements: Any) -> Any:
    """A pointer that many elements further on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), generate


@intrinsic
def take(typing: Any, pointer: Any, index: Any) -> Any:
    """The number at an index."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return Lanes(builder, pointer.dtype).scalar(builder.gep(arguments[0], [arguments[1]]))

    return pointer.dtype(pointer, types.int64), generate


@intrinsic
def put(typing: Any, pointer: Any, index: Any, value: Any) -> Any:
    """Write a number at an index."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))
        return context.get_dummy_value()

    return types.void(pointer, types.int64, pointer.dtype), generate


@intrinsic
def entry(typing: Any, table: Any, index: Any) -> Any:
    """The entry of a table of 32-bit integers, given by its address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], I32.as_pointer())
        return builder.sext(builder.load(builder.gep(place, [arguments[1]])), I64)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def claim(typing: Any, plan: Any, index: Any) -> Any:
    """Take the next number of a counter in the plan: no two threads get the same one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _word(builder, *arguments), constant(1), "acq_rel")

    return types.int64(plan, types.int64), generate


@intrinsic
def itemsize(typing: Any, pointer: Any) -> Any:
    """The bytes of what a pointer points at."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return constant(Lanes(builder, pointer.dtype).bits // 8)

    return types.int64(pointer), generate


@intrinsic
def done(typing: Any, plan: Any, index: Any) -> Any:
    """Count a finished piece of work; what was written before it is seen after `wait`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.atomic_rmw("add", _word(builder, *arguments), constant(1), "acq_rel")
        return context.get_dummy_value()

    return types.void(plan, types.int64), generate


@intrinsic
def wait(typing: Any, plan: Any, index: Any, count: Any) -> Any:
    """Until `count` pieces are finished.

    Whoever took a piece is running, so this ends on any number of threads, even one
    after the other.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        plan, index, count = arguments
        again = builder.append_basic_block("wait")
        ready = builder.append_basic_block("ready")
        builder.branch(again)
        builder.position_at_end(again)
        finished = builder.load_atomic(_word(builder, plan, index), "acquire", 8)
        builder.cbranch(builder.icmp_signed("<", finished, count), again, ready)
        builder.position_at_end(ready)
        return context.get_dummy_value()

    return types.void(plan, types.int64, types.int64), generate
