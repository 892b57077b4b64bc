"""Copies, transposes and other moves of numbers, in vectors.

Pointers are typed (memory.py), counts and strides are in elements. What they read and
write is only what the counts say: the lanes outside are masked.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.cpu.fast.vectors import Lanes, constant, loop, named, routine, tabled

__all__ = [
    "add",
    "clear",
    "copy",
    "copy_plus",
    "halve",
    "interleave",
    "interleave4",
    "quarter",
    "runs",
    "transpose",
    "transpose_by",
]


@intrinsic
def transpose(
    typing: Any,
    to: Any,
    to_stride: Any,
    source: Any,
    stride: Any,
    height: Any,
    width: Any,
    plus: Any,
) -> Any:
    """A square, one vector wide, transposed, with a vector added to its rows.

    ``to[j*to_stride + i] = source[i*stride + j] + plus[j]`` for i < `height`, j < `width`.
    """

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, to_stride, source, stride, height, width, plus = arguments
        lane = Lanes(builder, source_type.dtype)
        across = lane.first(width)
        added = lane.load(plus, across)
        rows = _rows(lane, source, stride, height, across)
        rows = lane.transposed([builder.fadd(row, added) for row in rows])
        down = lane.first(height)
        _columns(lane, rows, width, down, lambda j: builder.mul(to_stride, constant(j)), to)

    source_type = source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("transpose", source_type.dtype), arguments, body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(to, whole, source, whole, whole, whole, plus), generate


def _rows(
    lane: Lanes, source: ir.Value, stride: ir.Value, height: ir.Value, across: ir.Value
) -> list[ir.Value]:
    """As many rows as lanes, those from `height` on without a look at memory."""
    builder = lane.builder
    nothing = ir.Constant(across.type, [0] * lane.count)
    rows = []
    for i in range(lane.count):
        inside = builder.icmp_signed("<", constant(i), height)
        mask = builder.select(inside, across, nothing)
        rows.append(lane.load(lane.at(source, builder.mul(stride, constant(i))), mask))
    return rows


def _columns(
    lane: Lanes, rows: list[ir.Value], width: ir.Value, down: ir.Value, place: Any, to: ir.Value
) -> None:
    """Write the transposed rows, in order, up to `width` of them."""
    builder = lane.builder
    end = builder.append_basic_block("written")
    for j, row in enumerate(rows):
        following = builder.append_basic_block("column")
        builder.cbranch(builder.icmp_signed("<", constant(j), width), following, end)
        builder.position_at_end(following)
        lane.store(row, lane.at(to, place(j)), down)
    builder.branch(end)
    builder.position_at_end(end)


@intrinsic
def transpose_by(
    typing: Any,
    to: Any,
    places: Any,
    source: Any,
    stride: Any,
    height: Any,
    width: Any,
) -> Any:
    """A square, one vector wide, transposed, its columns put where a table says.

    ``to[places[j] + i] = source[i*stride + j]`` for i < `height`, j < `width`, and 0 for the
    other i below the lanes: the packed matrix has no gaps. A negative place is left out.
    """

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, places, source, stride, height, width = arguments
        lane = Lanes(builder, source_type.dtype)
        rows = lane.transposed(_rows(lane, source, stride, height, lane.first(width)))
        end = builder.append_basic_block("written")
        for j, row in enumerate(rows):
            following = builder.append_basic_block("column")
            builder.cbranch(builder.icmp_signed("<", constant(j), width), following, end)
            builder.position_at_end(following)
            place = tabled(builder, places, j)
            with builder.if_then(builder.icmp_signed(">=", place, constant(0))):
                lane.store(row, lane.at(to, place))
        builder.branch(end)
        builder.position_at_end(end)

    source_type = source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("transpose_by", source_type.dtype), arguments, body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(to, whole, source, whole, whole, whole), generate


@intrinsic
def copy(typing: Any, to: Any, source: Any, count: Any) -> Any:
    """``to[i] = source[i]`` for i < `count`."""

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, source, count = arguments
        lane = Lanes(builder, source_type.dtype)
        runs(
            lane,
            count,
            lambda i, mask: lane.store(lane.load(lane.at(source, i), mask), lane.at(to, i), mask),
        )

    source_type = source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        body(builder, arguments)
        return context.get_dummy_value()

    return types.void(to, source, types.int64), generate


@intrinsic
def copy_plus(typing: Any, to: Any, source: Any, count: Any, plus: Any) -> Any:
    """``to[i] = source[i] + plus`` for i < `count`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, source, count, plus = arguments
        lane = Lanes(builder, signature.args[0].dtype)
        added = lane.broadcast(plus)

        def step(i: ir.Value, mask: ir.Value | None) -> None:
            value = builder.fadd(lane.load(lane.at(source, i), mask), added)
            lane.store(value, lane.at(to, i), mask)

        runs(lane, count, step)
        return context.get_dummy_value()

    return types.void(to, source, types.int64, to.dtype), generate


@intrinsic
def halve(typing: Any, to: Any, source: Any, count: Any) -> Any:
    """``to[i] = source[2*i]`` for i < `count`, which is at least 1."""
    return _thin(to, source, 2)


@intrinsic
def quarter(typing: Any, to: Any, source: Any, count: Any) -> Any:
    """``to[i] = source[4*i]`` for i < `count`, which is at least 1."""
    return _thin(to, source, 4)


def _thin(to: Any, source: Any, every: int) -> Any:
    """``to[i] = source[every*i]``, by vectors of which the even lanes are kept."""
    element = source.dtype

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, source, count = arguments
        lane = Lanes(builder, element)
        size = lane.count
        evens = [2 * j for j in range(size)]

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            i = builder.mul(k, constant(size))
            left = builder.sub(count, i)
            present = builder.sub(builder.mul(left, constant(every)), constant(every - 1))
            start = lane.at(source, builder.mul(i, constant(every)))
            vectors = []
            for j in range(every):
                mask = lane.first(builder.sub(present, constant(j * size)))
                vectors.append(lane.load(lane.at(start, j * size), mask))
            while len(vectors) > 1:
                pairs = zip(vectors[::2], vectors[1::2], strict=True)
                vectors = [lane.shuffle(one, two, evens) for one, two in pairs]
            lane.store(vectors[0], lane.at(to, i), lane.first(left))
            return []

        steps = builder.sdiv(builder.add(count, constant(size - 1)), constant(size))
        loop(builder, steps, [], step)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("thin", element, every), arguments, body)
        return context.get_dummy_value()

    return types.void(to, source, types.int64), generate


@intrinsic
def interleave(typing: Any, to: Any, even: Any, odd: Any, count: Any, plus: Any) -> Any:
    """``to[2*i] = even[i] + plus`` and ``to[2*i + 1] = odd[i] + plus``, up to ``to[count - 1]``.

    A vector may be read beyond the ends of `even` and `odd`.
    """

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, even, odd, count, plus = arguments
        lane = Lanes(builder, even_type.dtype)
        size, added = lane.count, lane.broadcast(plus)

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            i = builder.mul(k, constant(size))
            pair = [builder.fadd(lane.load(lane.at(p, i)), added) for p in (even, odd)]
            twice = builder.shl(i, constant(1))
            for half in range(2):
                picks = [(half * size + j) // 2 + (j % 2) * size for j in range(size)]
                place = builder.add(twice, constant(half * size))
                mask = lane.first(builder.sub(count, place))
                lane.store(lane.shuffle(pair[0], pair[1], picks), lane.at(to, place), mask)
            return []

        wide = constant(2 * size)
        steps = builder.sdiv(builder.add(count, constant(2 * size - 1)), wide)
        loop(builder, steps, [], step)

    even_type = even

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("interleave", even_type.dtype), arguments, body)
        return context.get_dummy_value()

    return types.void(to, even, odd, types.int64, to.dtype), generate


@intrinsic
def add(typing: Any, to: Any, source: Any, count: Any) -> Any:
    """``to[i] += source[i]`` for i < `count`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, source, count = arguments
        lane = Lanes(builder, signature.args[0].dtype)

        def step(i: ir.Value, mask: ir.Value | None) -> None:
            more = lane.load(lane.at(source, i), mask)
            lane.store(builder.fadd(lane.load(lane.at(to, i), mask), more), lane.at(to, i), mask)

        runs(lane, count, step)
        return context.get_dummy_value()

    return types.void(to, source, types.int64), generate


@intrinsic
def clear(typing: Any, to: Any, count: Any) -> Any:
    """``to[i] = 0`` for i < `count`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lane = Lanes(builder, signature.args[0].dtype)
        to, count = arguments
        runs(lane, count, lambda i, mask: lane.store(lane.zero, lane.at(to, i), mask))
        return context.get_dummy_value()

    return types.void(to, types.int64), generate


def runs(lane: Lanes, count: ir.Value, body: Any) -> None:
    """Whole vectors without a mask, then the rest with one."""
    builder = lane.builder
    size = constant(lane.count)
    whole = builder.sdiv(count, size)

    def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        body(builder.mul(k, size), None)
        return []

    with builder.if_then(builder.icmp_signed(">", whole, constant(0))):
        loop(builder, whole, [], step)
    done = builder.mul(whole, size)
    rest = builder.sub(count, done)
    with builder.if_then(builder.icmp_signed(">", rest, constant(0))):
        body(done, lane.first(rest))


@intrinsic
def interleave4(typing: Any, to: Any, source: Any, apart: Any, count: Any) -> Any:
    """``to[4*i + j] = source[j*apart + i]`` for j < 4, whole vectors of i, `count` of these."""

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, source, apart, count = arguments
        lane = Lanes(builder, source_type.dtype)
        size = lane.count
        halves = [
            [half * size // 2 + j // 2 + (j % 2) * size for j in range(size)] for half in range(2)
        ]

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            i = builder.mul(k, constant(size))
            lines = [
                lane.load(lane.at(source, builder.add(i, builder.mul(apart, constant(j)))))
                for j in range(4)
            ]
            for pick in range(2):
                even, odd = (lane.shuffle(lines[j], lines[j + 2], halves[pick]) for j in range(2))
                for half in range(2):
                    place = builder.add(
                        builder.shl(i, constant(2)), constant((2 * pick + half) * size)
                    )
                    lane.store(lane.shuffle(even, odd, halves[half]), lane.at(to, place))
            return []

        loop(builder, count, [], step)

    source_type = source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("interleave4", source_type.dtype), arguments, body)
        return context.get_dummy_value()

    return types.void(to, source, types.int64, types.int64), generate
