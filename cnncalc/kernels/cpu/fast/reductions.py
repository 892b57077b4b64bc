"""Sums over stretches of memory as vector instructions, 16 float64 sums side by side.

Numba does not turn a sum into vectors, as that changes its order. Here the order is part of
the definition: of each stretch, sum k of 16 adds every 16th element from k on, and one more
sum what is left at its end; after the last stretch the 16 are added by halves, and the one
last. It is the same for float32 and float64, on every machine and any number of threads.

The stretches are `rows` of `count` elements, `step` apart, the first of them at `start`.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["largest", "total", "total_products", "total_squares"]

_I64 = ir.IntType(64)
_DOUBLE = ir.DoubleType()
_SUMS = 16
_VECTOR = ir.VectorType(_DOUBLE, _SUMS)

#: From the elements at a place (vectors or numbers) to what each sum adds there.
Terms = Callable[[ir.IRBuilder, list[ir.Value]], list[ir.Value]]


def _broadcast(builder: ir.IRBuilder, number: ir.Value, like: ir.Type) -> ir.Value:
    if not isinstance(like, ir.VectorType):
        return number
    undefined = ir.Constant(like, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    pattern = ir.Constant(ir.VectorType(ir.IntType(32), like.count), [0] * like.count)
    return builder.shuffle_vector(first, undefined, pattern)


def _element(builder: ir.IRBuilder, pointer: ir.Value, place: ir.Value, wide: bool) -> ir.Value:
    """The element at a place, or 16 from there on, as float64."""
    kind = pointer.type.pointee
    at = builder.gep(pointer, [place])
    if wide:
        at = builder.bitcast(at, ir.VectorType(kind, _SUMS).as_pointer())
    value = builder.load(at, align=4 if isinstance(kind, ir.FloatType) else 8)
    if isinstance(kind, ir.FloatType):
        value = builder.fpext(value, _VECTOR if wide else _DOUBLE)
    return value


def _loop(
    builder: ir.IRBuilder,
    start: ir.Value,
    stop: ir.Value,
    step: int,
    sums: list[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], list[ir.Value]],
) -> list[ir.Value]:
    """``for place in range(start, stop, step): sums = body(place, sums)``."""
    before = builder.block
    head = builder.append_basic_block("head")
    inside = builder.append_basic_block("inside")
    after = builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    place = builder.phi(_I64)
    place.add_incoming(start, before)
    carried = [builder.phi(each.type) for each in sums]
    for phi, each in zip(carried, sums, strict=True):
        phi.add_incoming(each, before)
    builder.cbranch(builder.icmp_signed("<", place, stop), inside, after)
    builder.position_at_end(inside)
    made = body(place, list(carried))
    place.add_incoming(builder.add(place, ir.Constant(_I64, step)), builder.block)
    for phi, each in zip(carried, made, strict=True):
        phi.add_incoming(each, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return list(carried)


def _halves(
    builder: ir.IRBuilder, vector: ir.Value, join: Callable[[ir.Value, ir.Value], ir.Value]
) -> ir.Value:
    """The numbers of a vector joined by halves."""
    half = _SUMS // 2
    while half:
        picks = [(i + half) % _SUMS for i in range(_SUMS)]
        pattern = ir.Constant(ir.VectorType(ir.IntType(32), _SUMS), picks)
        vector = join(vector, builder.shuffle_vector(vector, vector, pattern))
        half //= 2
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _summed(
    builder: ir.IRBuilder,
    pointers: list[ir.Value],
    place: tuple[ir.Value, ir.Value, ir.Value, ir.Value],
    terms: Terms,
    sums: int,
) -> list[ir.Value]:
    """The sums of the terms over the stretches (start, count, step, rows)."""
    start, count, step, rows = place
    in_vectors = builder.and_(count, ir.Constant(_I64, -_SUMS))

    def add(wide: bool) -> Callable[[ir.Value, list[ir.Value]], list[ir.Value]]:
        def body(place: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            elements = [_element(builder, pointer, place, wide) for pointer in pointers]
            found = terms(builder, elements)
            return [builder.fadd(a, b) for a, b in zip(sums, found, strict=True)]

        return body

    def row(number: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        first = builder.add(start, builder.mul(number, step))
        middle, stop = builder.add(first, in_vectors), builder.add(first, count)
        vectors = _loop(builder, first, middle, _SUMS, carried[:sums], add(True))
        return vectors + _loop(builder, middle, stop, 1, carried[sums:], add(False))

    zeros = [ir.Constant(_VECTOR, [0.0] * _SUMS)] * sums + [ir.Constant(_DOUBLE, 0.0)] * sums
    made = _loop(builder, ir.Constant(_I64, 0), rows, 1, zeros, row)
    return [
        builder.fadd(_halves(builder, vector, builder.fadd), rest)
        for vector, rest in zip(made[:sums], made[sums:], strict=True)
    ]


def _data(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).data


_PLACE = (types.int64,) * 4


@intrinsic
def total(typing: Any, x: Any, start: Any, count: Any, step: Any, rows: Any) -> Any:
    """The sum of the elements of a flat array, in float64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, x, arguments[0])
        (found,) = _summed(builder, [data], arguments[1:], lambda _, elements: elements, 1)
        return found

    return types.float64(x, *_PLACE), generate


@intrinsic
def total_squares(
    typing: Any, x: Any, mean: Any, start: Any, count: Any, step: Any, rows: Any
) -> Any:
    """The sum of ``(x - mean)**2``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, x, arguments[0])

        def terms(builder: ir.IRBuilder, elements: list[ir.Value]) -> list[ir.Value]:
            (value,) = elements
            d = builder.fsub(value, _broadcast(builder, arguments[1], value.type))
            return [builder.fmul(d, d)]

        (found,) = _summed(builder, [data], arguments[2:], terms, 1)
        return found

    return types.float64(x, types.float64, *_PLACE), generate


@intrinsic
def total_products(
    typing: Any, grad: Any, x: Any, mean: Any, start: Any, count: Any, step: Any, rows: Any
) -> Any:
    """The sums of ``grad`` and of ``grad*(x - mean)``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = [
            _data(context, builder, kind, array)
            for kind, array in zip((grad, x), arguments[:2], strict=True)
        ]

        def terms(builder: ir.IRBuilder, elements: list[ir.Value]) -> list[ir.Value]:
            g, value = elements
            d = builder.fsub(value, _broadcast(builder, arguments[2], value.type))
            return [g, builder.fmul(g, d)]

        found = _summed(builder, pointers, arguments[3:], terms, 2)
        return context.make_tuple(builder, signature.return_type, found)

    result = types.UniTuple(types.float64, 2)
    return result(grad, x, types.float64, *_PLACE), generate


@intrinsic
def largest(typing: Any, x: Any, start: Any, count: Any) -> Any:
    """The largest of `count` elements from `start` on; NaN is passed over."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _data(context, builder, x, arguments[0])
        start, count = arguments[1:]

        def larger(a: ir.Value, b: ir.Value) -> ir.Value:
            return builder.select(builder.fcmp_ordered(">", b, a), b, a)

        def take(wide: bool) -> Callable[[ir.Value, list[ir.Value]], list[ir.Value]]:
            def body(place: ir.Value, best: list[ir.Value]) -> list[ir.Value]:
                return [larger(best[0], _element(builder, pointer, place, wide))]

            return body

        whole = builder.add(start, builder.and_(count, ir.Constant(_I64, -_SUMS)))
        least = ir.Constant(_VECTOR, [float("-inf")] * _SUMS)
        (vector,) = _loop(builder, start, whole, _SUMS, [least], take(True))
        number = _halves(builder, vector, larger)
        stop = builder.add(start, count)
        (found,) = _loop(builder, whole, stop, 1, [number], take(False))
        return found

    return types.float64(x, types.int64, types.int64), generate
