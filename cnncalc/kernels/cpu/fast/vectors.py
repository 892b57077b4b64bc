"""Vector instructions for the kernels: LLVM's vector types, their width chosen from the host.

Numba's compiler turns a loop into vector instructions, but it does not keep the sums of
several outputs in registers while it walks through a reduction, which is what makes a
convolution fast. So the innermost loops are written here in LLVM's intermediate language:
`Lanes` knows the vector type of float32 or float64 and says load, store, fused
multiply-add and shuffle; microkernels.py builds its loops from these.
"""

import os
import platform
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types

__all__ = [
    "BITS",
    "I32",
    "I64",
    "REGISTERS",
    "Lanes",
    "constant",
    "lanes",
    "loop",
    "named",
    "routine",
    "tabled",
]

I32 = ir.IntType(32)
I64 = ir.IntType(64)


def _host_bits() -> int:
    """The widest vector of this machine whose arithmetic is not emulated."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 512
    return 256 if features.get("avx2") and features.get("fma") else 128


_HOST_BITS = _host_bits()

#: The bits of a vector; tests ask for others than the machine's.
BITS = int(os.environ.get("CNNCALC_VECTOR_BITS", _HOST_BITS))

#: How many vectors the machine has names for.
REGISTERS = 32 if BITS == 512 or platform.machine().lower() in {"aarch64", "arm64"} else 16

#: What LLVM's inline assembly calls a vector register.
_CLASS = {"aarch64": "w", "arm64": "w", "x86_64": "v", "amd64": "v"}.get(platform.machine().lower())


def lanes(itemsize: int) -> int:
    """How many numbers of this many bytes are in a vector."""
    return BITS // 8 // itemsize


def constant(number: int) -> ir.Constant:
    """A 64-bit integer."""
    return ir.Constant(I64, number)


class Lanes:
    """The vector of one element type, and what can be done with it at one place in a program."""

    def __init__(self, builder: ir.IRBuilder, element: types.Type) -> None:
        self.builder = builder
        self.bits = 32 if element == types.float32 else 64
        self.element = ir.FloatType() if self.bits == 32 else ir.DoubleType()
        self.count = BITS // self.bits
        self.vector = ir.VectorType(self.element, self.count)
        self.zero = ir.Constant(self.vector, [0.0] * self.count)

    def at(self, pointer: ir.Value, elements: ir.Value | int) -> ir.Value:
        """The pointer that many elements further on."""
        if isinstance(elements, int):
            if elements == 0:
                return pointer
            elements = constant(elements)
        return self.builder.gep(pointer, [elements])

    def scalar(self, pointer: ir.Value) -> ir.Value:
        """The number at a pointer."""
        return self.builder.load(pointer, align=self.bits // 8)

    def _wide(self, pointer: ir.Value) -> ir.Value:
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load(self, pointer: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """A vector from memory; lanes outside the mask are 0 and are not touched."""
        wide = self._wide(pointer)
        if mask is None:
            return self.builder.load(wide, align=self.bits // 8)
        place = [wide.type, I32, mask.type, self.vector]
        load = self._intrinsic("masked.load", self.vector, place, ".p0")
        return self.builder.call(load, [wide, ir.Constant(I32, self.bits // 8), mask, self.zero])

    def store(self, value: ir.Value, pointer: ir.Value, mask: ir.Value | None = None) -> None:
        """A vector to memory; lanes outside the mask are not written."""
        wide = self._wide(pointer)
        if mask is None:
            self.builder.store(value, wide, align=self.bits // 8)
            return
        place = [self.vector, wide.type, I32, mask.type]
        store = self._intrinsic("masked.store", ir.VoidType(), place, ".p0")
        self.builder.call(store, [value, wide, ir.Constant(I32, self.bits // 8), mask])

    def broadcast(self, number: ir.Value) -> ir.Value:
        """A vector of one number."""
        undefined = ir.Constant(ir.VectorType(number.type, self.count), ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.Constant(I32, 0))
        return self.shuffle(first, undefined, [0] * self.count)

    def shuffle(self, first: ir.Value, second: ir.Value, picks: list[int]) -> ir.Value:
        """Lanes picked from two vectors, those of the second numbered after the first's."""
        pattern = ir.Constant(ir.VectorType(I32, len(picks)), picks)
        return self.builder.shuffle_vector(first, second, pattern)

    def fma(self, x: ir.Value, y: ir.Value, plus: ir.Value) -> ir.Value:
        """``x * y + plus``, rounded once."""
        fma = self._intrinsic("fma", self.vector, [self.vector] * 3)
        return self.builder.call(fma, [x, y, plus])

    def total(self, vector: ir.Value) -> ir.Value:
        """The sum of the lanes, by halves."""
        half = self.count // 2
        while half:
            picks = [(i + half) % self.count for i in range(self.count)]
            vector = self.builder.fadd(vector, self.shuffle(vector, vector, picks))
            half //= 2
        return self.builder.extract_element(vector, ir.Constant(I32, 0))

    def first(self, count: ir.Value) -> ir.Value:
        """The mask of the first `count` lanes."""
        numbers = ir.Constant(ir.VectorType(I64, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", numbers, self.broadcast(count))

    def transposed(self, rows: list[ir.Value]) -> list[ir.Value]:
        """A square of as many vectors as lanes, transposed: blocks swapped, then halves of them."""
        count = self.count
        half = count // 2
        while half:
            swapped = list(rows)
            for i in range(count):
                if not i & half:
                    upper, lower = rows[i], rows[i | half]
                    left = [j if not j & half else count + (j ^ half) for j in range(count)]
                    right = [j | half if not j & half else count + j for j in range(count)]
                    swapped[i] = self.shuffle(upper, lower, left)
                    swapped[i | half] = self.shuffle(upper, lower, right)
            rows = swapped
            half //= 2
        return rows

    def settled(self, value: ir.Value) -> ir.Value:
        """The value, computed before any load that comes after this place.

        The compiler would otherwise load all that a step of a loop needs first, and find
        no registers for it.
        """
        if _CLASS is None or BITS > _HOST_BITS:
            return value
        kind = ir.FunctionType(value.type, [value.type])
        return self.builder.asm(kind, "", f"={_CLASS},0,~{{memory}}", [value], side_effect=True)

    def _intrinsic(
        self, name: str, returns: ir.Type, takes: list[ir.Type], suffix: str = ""
    ) -> ir.Function:
        name = f"llvm.{name}.v{self.count}f{self.bits}{suffix}"
        known = self.builder.module.globals.get(name)
        if known is not None:
            return known
        return ir.Function(self.builder.module, ir.FunctionType(returns, takes), name)


def loop(
    builder: ir.IRBuilder,
    count: ir.Value,
    carried: list[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], list[ir.Value]],
) -> list[ir.Value]:
    """Run `body(k, carried)`, which returns what it carries on, for k from 0 to ``count - 1``.

    It runs at least once: a way around it would cost the registers of all that it carries.
    """
    before = builder.block
    head = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(I64)
    k.add_incoming(constant(0), before)
    inside = []
    for value in carried:
        phi = builder.phi(value.type)
        phi.add_incoming(value, before)
        inside.append(phi)
    values = body(k, list(inside))
    end = builder.block
    following = builder.add(k, constant(1))
    k.add_incoming(following, end)
    for phi, value in zip(inside, values, strict=True):
        phi.add_incoming(value, end)
    builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    builder.position_at_end(after)
    return values


def routine(
    builder: ir.IRBuilder,
    name: str,
    arguments: Any,
    body: Callable[[ir.IRBuilder, Any], None],
) -> None:
    """Call a function of its own, made by `body` when it is first called in this module.

    A loop whose sums fill the registers must not share them with what surrounds it.
    """
    module = builder.module
    function = module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(ir.VoidType(), [value.type for value in arguments])
        function = ir.Function(module, signature, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        body(inside, function.args)
        inside.ret_void()
    builder.call(function, arguments)


def tabled(builder: ir.IRBuilder, address: ir.Value, index: ir.Value | int) -> ir.Value:
    """An entry of a table of 32-bit integers."""
    place = builder.inttoptr(address, I32.as_pointer())
    index = constant(index) if isinstance(index, int) else index
    return builder.sext(builder.load(builder.gep(place, [index]), align=4), I64)


def named(kind: str, element: types.Type, *numbers: int) -> str:
    """The name of a routine for these lanes and numbers."""
    return "_".join([f"cnncalc_{kind}_{element}_{BITS}", *map(str, numbers)])
