"""Winograd's transforms F(4x4, 3x3): tiles of 4 x 4 outputs with 36 products instead of 144.

With d the 6 x 6 inputs of a tile, g the kernel, and m = (G g G^T) * (B^T d B) summed over the
channels, the outputs are A^T m A. Lanes are tiles side by side, or filters.

Source: Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.3.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.cpu.fast.vectors import Lanes, constant, loop, named, routine, tabled

__all__ = ["POINTS", "TILE", "transform_filters", "transform_inputs", "transform_outputs"]

#: Outputs of a tile along an axis; products along both.
TILE, POINTS = 4, 36

_B = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_A = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)

_Matrix = tuple[tuple[float, ...], ...]


def _applied(lane: Lanes, matrix: _Matrix, vectors: list[ir.Value]) -> list[ir.Value]:
    """A matrix times a column of vectors."""
    builder, results = lane.builder, []
    for row in matrix:
        total = None
        for factor, vector in zip(row, vectors, strict=True):
            if factor == 0:
                continue
            times = ir.Constant(lane.vector, [float(factor)] * lane.count)
            if total is None:
                total = vector if factor == 1 else builder.fmul(times, vector)
            elif factor == 1:
                total = builder.fadd(total, vector)
            elif factor == -1:
                total = builder.fsub(total, vector)
            else:
                total = lane.fma(times, vector, total)
        results.append(total)
    return results


def _both_ways(lane: Lanes, matrix: _Matrix, square: list[list[ir.Value]]) -> list[ir.Value]:
    """M X M^T, row by row; `square` holds the columns of X."""
    columns = [_applied(lane, matrix, column) for column in square]
    rows = [[column[i] for column in columns] for i in range(len(matrix))]
    return [value for row in rows for value in _applied(lane, matrix, row)]


@intrinsic
def transform_inputs(
    typing: Any, to: Any, stride: Any, source: Any, places: Any, count: Any
) -> Any:
    """``B^T d B`` for `count` vectors of tiles: d[a, b] at ``source[places[a*6 + b]]``.

    Point p goes to ``to[p*stride]``.
    """
    return _transform(to, source, "inputs", _B, 6)


@intrinsic
def transform_filters(
    typing: Any, to: Any, stride: Any, source: Any, places: Any, count: Any
) -> Any:
    """``G g G^T`` for `count` vectors of filters: g[a, b] at ``source[places[a*3 + b]]``."""
    return _transform(to, source, "filters", _G, 3)


@intrinsic
def transform_outputs(
    typing: Any, to: Any, stride: Any, source: Any, places: Any, count: Any
) -> Any:
    """``A^T m A`` for `count` vectors of tiles: m[a, b] at ``source[places[a*6 + b]]``."""
    return _transform(to, source, "outputs", _A, 6)


def _transform(to: Any, source: Any, name: str, matrix: _Matrix, side: int) -> Any:
    element = source.dtype

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, stride, source, places, count = arguments
        lane = Lanes(builder, element)

        def step(k: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            i = builder.mul(k, constant(lane.count))
            start = lane.at(source, i)
            square = [
                [
                    lane.load(lane.at(start, tabled(builder, places, a * side + b)))
                    for a in range(side)
                ]
                for b in range(side)
            ]
            for point, value in enumerate(_both_ways(lane, matrix, square)):
                place = builder.add(i, builder.mul(stride, constant(point)))
                lane.store(value, lane.at(to, place))
            return []

        loop(builder, count, [], step)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named(name, element), arguments, body)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(to, whole, source, whole, whole), generate
