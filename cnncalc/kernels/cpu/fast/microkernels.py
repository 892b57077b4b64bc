"""The innermost loops that multiply, as tiles of sums held in registers.

Pointers are typed (memory.py), counts and strides are in elements. Every loop is a
function of its own in the machine code. What they read and write is only what the
counts say, but for vectors that run over the end of a line where it is said so.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.cpu.fast.vectors import Lanes, constant, loop, named, routine, tabled

__all__ = ["dots", "gathered", "streamed", "swept"]


def _literal(*values: Any) -> bool:
    return all(isinstance(value, types.IntegerLiteral) for value in values)


@intrinsic(prefer_literal=True)
def gathered(
    typing: Any,
    rows: Any,
    vectors: Any,
    sums: Any,
    sum_rows: Any,
    a: Any,
    a_rows: Any,
    steps: Any,
    b: Any,
    count: Any,
    first: Any,
) -> Any:
    """A tile of the product of gathered numbers with a packed matrix.

    ::

        sums[sum_rows[i] + l] += sum over k < count of  a[a_rows[i] + steps[k]] * b[k*L + l]

    for i < `rows` and l < L = `vectors` vectors; `first` overwrites the sums instead.
    `sum_rows`, `a_rows` and `steps` are addresses of tables of 32-bit integers. The
    products are summed apart from what was there, so that long sums are split.
    """
    if not _literal(rows, vectors):
        return None
    height, width = rows.literal_value, vectors.literal_value

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        sums, sum_rows, a, a_rows, steps, b, count, first = arguments
        lane = Lanes(builder, a_type.dtype)
        starts = [lane.at(a, tabled(builder, a_rows, i)) for i in range(height)]
        zeros = [lane.zero] * (height * width)

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            offset = tabled(builder, steps, k)
            row = lane.at(b, builder.mul(k, constant(width * lane.count)))
            right = [lane.load(lane.at(row, j * lane.count)) for j in range(width)]
            results = []
            for i in range(height):
                left = lane.broadcast(lane.scalar(lane.at(starts[i], offset)))
                tile = carried[i * width : (i + 1) * width]
                tile = [lane.fma(left, right[j], tile[j]) for j in range(width)]
                results += [lane.settled(value) for value in tile]
            return results

        results = loop(builder, count, zeros, step)
        places = [lane.at(sums, tabled(builder, sum_rows, i)) for i in range(height)]
        _settle(lane, results, places, width, first)

    a_type = a

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("gathered", a_type.dtype, height, width)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(rows, vectors, sums, whole, a, whole, whole, b, whole, types.boolean)
    return signature, generate


def _settle(
    lane: Lanes, results: list[ir.Value], places: list[ir.Value], width: int, first: ir.Value
) -> None:
    """Write a tile, or add it to what is there."""
    builder = lane.builder
    with builder.if_else(builder.icmp_unsigned("!=", first, first.type(0))) as (new, more):
        for branch, add in ((new, False), (more, True)):
            with branch:
                for i, place in enumerate(places):
                    for j in range(width):
                        value, there = results[i * width + j], lane.at(place, j * lane.count)
                        if add:
                            value = builder.fadd(value, lane.load(there))
                        lane.store(value, there)


@intrinsic(prefer_literal=True)
def streamed(
    typing: Any,
    rows: Any,
    vectors: Any,
    sums: Any,
    sum_stride: Any,
    a: Any,
    a_stride: Any,
    b: Any,
    steps: Any,
    count: Any,
    first: Any,
) -> Any:
    """A tile of the product of rows of numbers with rows of vectors, neither of them packed.

    ::

        sums[i*sum_stride + l] += sum over k < count of
                                  a[i*a_stride + steps[2*k]] * b[steps[2*k + 1] + l]

    for i < `rows` and l < `vectors` vectors; `first` overwrites the sums instead.
    """
    if not _literal(rows, vectors):
        return None
    height, width = rows.literal_value, vectors.literal_value
    a_type = a

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        sums, sum_stride, a, a_stride, b, steps, count, first = arguments
        lane = Lanes(builder, a_type.dtype)
        starts = [lane.at(a, builder.mul(a_stride, constant(i))) for i in range(height)]

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            twice = builder.shl(k, constant(1))
            offset = tabled(builder, steps, twice)
            row = lane.at(b, tabled(builder, steps, builder.or_(twice, constant(1))))
            right = [lane.load(lane.at(row, j * lane.count)) for j in range(width)]
            results = []
            for i in range(height):
                left = lane.broadcast(lane.scalar(lane.at(starts[i], offset)))
                tile = carried[i * width : (i + 1) * width]
                tile = [lane.fma(left, right[j], tile[j]) for j in range(width)]
                results += [lane.settled(value) for value in tile]
            return results

        results = loop(builder, count, [lane.zero] * (height * width), step)
        places = [lane.at(sums, builder.mul(sum_stride, constant(i))) for i in range(height)]
        _settle(lane, results, places, width, first)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("streamed", a_type.dtype, height, width)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(rows, vectors, sums, whole, a, whole, b, whole, whole, types.boolean)
    return signature, generate


@intrinsic(prefer_literal=True)
def swept(
    typing: Any,
    rows: Any,
    kernel: Any,
    step: Any,
    to: Any,
    to_stride: Any,
    width: Any,
    x: Any,
    pitch: Any,
    columns: Any,
    weight: Any,
    weight_step: Any,
    plus: Any,
) -> Any:
    """Rows of one map from one map, with a square kernel whose weights stay in registers.

    ``to[r*to_stride + w] = plus + sum over a, b < kernel of
    weight[(a*kernel + b) * weight_step] * x[(r*step + a)*pitch + columns[b] + w]``
    for r < `rows`, w < `width`, which is at least 1. A vector may be read beyond a row's end.
    """
    if not _literal(rows, kernel, step):
        return None
    many, side, down = rows.literal_value, kernel.literal_value, step.literal_value
    x_type = x

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, to_stride, width, x, pitch, columns, weight, weight_step, plus = arguments
        lane = Lanes(builder, x_type.dtype)
        size = constant(lane.count)
        weights = [
            lane.broadcast(lane.scalar(lane.at(weight, builder.mul(weight_step, constant(t)))))
            for t in range(side * side)
        ]
        added = lane.broadcast(plus)
        shifts = [tabled(builder, columns, b) for b in range(side)]

        def sweep(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            w = builder.mul(k, size)
            sums: list[Any] = [None] * many
            for row in range((many - 1) * down + side):
                line = lane.at(x, builder.add(builder.mul(pitch, constant(row)), w))
                for b in range(side):
                    number = lane.load(lane.at(line, shifts[b]))
                    for r in range(many):
                        a = row - r * down
                        if 0 <= a < side:
                            old = added if sums[r] is None else sums[r]
                            sums[r] = lane.fma(weights[a * side + b], number, old)
            mask = lane.first(builder.sub(width, w))
            for r in range(many):
                place = builder.add(builder.mul(to_stride, constant(r)), w)
                lane.store(sums[r], lane.at(to, place), mask)
            return []

        steps = builder.sdiv(builder.add(width, constant(lane.count - 1)), size)
        loop(builder, steps, [], sweep)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("swept", x_type.dtype, many, side, down), arguments[3:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(
        *(rows, kernel, step, to, whole, whole, x, whole, whole, weight, whole, x.dtype)
    )
    return signature, generate


@intrinsic(prefer_literal=True)
def dots(
    typing: Any,
    rows: Any,
    shifts: Any,
    sums: Any,
    y: Any,
    y_stride: Any,
    y_pitch: Any,
    x: Any,
    offsets: Any,
    x_pitch: Any,
    height: Any,
    width: Any,
) -> Any:
    """Products of maps with shifted maps, summed over a window.

    ``sums[i*shifts + j] += sum over h < height, w < width of
    y[i*y_stride + h*y_pitch + w] * x[offsets[j] + h*x_pitch + w]``
    for i < `rows`, j < `shifts`; `height` and `width` are at least 1.
    """
    if not _literal(rows, shifts):
        return None
    many, across = rows.literal_value, shifts.literal_value
    y_type = y

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        sums, y, y_stride, y_pitch, x, offsets, x_pitch, height, width = arguments
        lane = Lanes(builder, y_type.dtype)
        size = constant(lane.count)
        lines = builder.sdiv(builder.add(width, constant(lane.count - 1)), size)
        left = [lane.at(y, builder.mul(y_stride, constant(i))) for i in range(many)]
        right = [lane.at(x, tabled(builder, offsets, j)) for j in range(across)]

        def row(h: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            y_row, x_row = builder.mul(h, y_pitch), builder.mul(h, x_pitch)

            def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
                w = builder.mul(k, size)
                mask = lane.first(builder.sub(width, w))
                ys = [lane.load(lane.at(p, builder.add(y_row, w)), mask) for p in left]
                place = builder.add(x_row, w)
                results = list(carried)
                for j in range(across):
                    shifted = lane.load(lane.at(right[j], place), mask)
                    for i in range(many):
                        old = results[i * across + j]
                        results[i * across + j] = lane.settled(lane.fma(ys[i], shifted, old))
                return results

            return loop(builder, lines, carried, step)

        results = loop(builder, height, [lane.zero] * (many * across), row)
        for index, value in enumerate(results):
            place = lane.at(sums, index)
            builder.store(builder.fadd(lane.scalar(place), lane.total(value)), place)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("dots", y_type.dtype, many, across), arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(rows, shifts, sums, y, whole, whole, x, whole, whole, whole, whole)
    return signature, generate
