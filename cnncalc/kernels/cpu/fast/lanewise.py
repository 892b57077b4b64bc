"""The innermost loops of depthwise convolutions whose lanes are channels.

Numbers of as many channels as a vector has lanes lie side by side, pixel after pixel; every
offset counts numbers.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.cpu.fast.vectors import Lanes, constant, loop, named, routine, tabled

__all__ = ["lanewise_products", "lanewise_sums"]


def _literal(*values: Any) -> bool:
    return all(isinstance(value, types.IntegerLiteral) for value in values)


@intrinsic(prefer_literal=True)
def lanewise_sums(
    typing: Any,
    count: Any,
    step: Any,
    to: Any,
    to_step: Any,
    x: Any,
    weights: Any,
    table: Any,
    taps: Any,
) -> Any:
    """Pixels of a row of the result.

    ::

        to[i*to_step + l] = sum over k < taps of
                            weights[table[2*k] + l] * x[table[2*k + 1] + i*step*L + l]

    for i < `count` and l < L, a vector.
    """
    if not _literal(count, step):
        return None
    many, apart = count.literal_value, step.literal_value
    x_type = x

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, to_step, x, weights, table, taps = arguments
        lane = Lanes(builder, x_type.dtype)

        def tap(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            twice = builder.shl(k, constant(1))
            weight = lane.load(lane.at(weights, tabled(builder, table, twice)))
            place = tabled(builder, table, builder.or_(twice, constant(1)))
            line = lane.at(x, place)
            return [
                lane.fma(weight, lane.load(lane.at(line, i * apart * lane.count)), old)
                for i, old in enumerate(carried)
            ]

        for i, value in enumerate(loop(builder, taps, [lane.zero] * many, tap)):
            lane.store(value, lane.at(to, builder.mul(to_step, constant(i))))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("lanewise_sums", x_type.dtype, many, apart)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(count, step, to, whole, x, weights, whole, whole), generate


@intrinsic(prefer_literal=True)
def lanewise_products(
    typing: Any,
    kernel: Any,
    step: Any,
    sums: Any,
    y: Any,
    x: Any,
    x_pitch: Any,
    x_down: Any,
    height: Any,
    width: Any,
) -> Any:
    """Products of a map with shifted maps, for a square kernel.

    ::

        sums[(a*kernel + b)*L + l] += sum over h < height, w < width of
                                      y[(h*width + w)*L + l]
                                      * x[h*x_down + a*x_pitch + (w*step + b)*L + l]

    for a, b < `kernel` and l < L, a vector.
    """
    if not _literal(kernel, step):
        return None
    side, apart = kernel.literal_value, step.literal_value
    x_type = x

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        sums, y, x, x_pitch, x_down, height, width = arguments
        lane = Lanes(builder, x_type.dtype)
        size = constant(lane.count)

        def row(h: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            y_row = lane.at(y, builder.mul(builder.mul(h, width), size))
            first = lane.at(x, builder.mul(h, x_down))
            rows = [lane.at(first, builder.mul(x_pitch, constant(a))) for a in range(side)]

            def pixel(w: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
                left = lane.load(lane.at(y_row, builder.mul(w, size)))
                place = builder.mul(w, constant(apart * lane.count))
                results = []
                for a in range(side):
                    line = lane.at(rows[a], place)
                    for b in range(side):
                        right = lane.load(lane.at(line, b * lane.count))
                        results.append(lane.fma(left, right, carried[a * side + b]))
                return results

            return loop(builder, width, carried, pixel)

        results = loop(builder, height, [lane.zero] * (side * side), row)
        for index, value in enumerate(results):
            place = lane.at(sums, index * lane.count)
            lane.store(builder.fadd(value, lane.load(place)), place)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("lanewise_products", x_type.dtype, side, apart)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(kernel, step, sums, y, x, whole, whole, whole, whole), generate
