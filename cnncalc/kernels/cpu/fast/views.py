"""Arrays over memory that somebody else keeps alive, for tasks (`launching`).

Numba counts the references to an array wherever a function takes one, with two atomic
operations; on a short row they would cost more than the work. Arrays made from an address have
no owner, and are not counted.
"""

from typing import Any

from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast.memory import at, pointer, word

__all__ = ["floats", "octets", "own", "wholes"]


def _pointer_to(element: Any, bits: int) -> Any:
    @intrinsic
    def _cast(typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())

        return types.CPointer(element)(types.int64), generate

    return _cast


_octets = _pointer_to(types.uint8, 8)
_wholes = _pointer_to(types.int64, 64)


@kernel
def floats(plan: Any, index: int, size: int) -> Array:
    """The array of so many numbers whose address is the word of the plan at an index."""
    view: Array = carray(pointer(plan, index), (size,))
    return view


@kernel
def own(plan: Any, index: int, begin: int, size: int) -> Array:
    """Such an array from its element `begin` on."""
    view: Array = carray(at(pointer(plan, index), begin), (size,))
    return view


@kernel
def octets(plan: Any, index: int, size: int) -> Array:
    """An array of bytes whose address is the word of the plan at an index."""
    view: Array = carray(_octets(word(plan, index)), (size,))
    return view


@kernel
def wholes(plan: Any, index: int, size: int) -> Array:
    """An array of 64-bit integers whose address is the word of the plan at an index."""
    view: Array = carray(_wholes(word(plan, index)), (size,))
    return view
