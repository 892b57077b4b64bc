"""The innermost loops of products of matrices that are read where they lie, a line at a time.

A linear layer reads each weight once or a few times, so none of them is copied: the lanes of a
vector are always neighbours in a line. Pointers are typed (memory.py), counts and strides
are in elements; what is read and written is only what the counts say.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.fast.vectors import I32, Lanes, constant, loop, named, routine

__all__ = ["aligned", "finish", "inner", "outer", "totals", "weighted"]

#: Bytes of a line of the cache.
_LINE = 64

_BYTE = ir.IntType(8)


def aligned(shape: tuple[int, int], dtype: Any) -> Array:
    """A new array that begins on a line of the cache."""
    size, line = shape[0] * shape[1], _LINE // dtype.itemsize
    numbers = empty((size + line,), dtype)
    start = -numbers.ctypes.data % _LINE // dtype.itemsize
    return numbers[start : start + size].reshape(shape)


def _literal(*values: Any) -> bool:
    return all(isinstance(value, types.IntegerLiteral) for value in values)


@intrinsic(prefer_literal=True)
def inner(
    typing: Any,
    rows: Any,
    columns: Any,
    masked: Any,
    sums: Any,
    a: Any,
    a_stride: Any,
    b: Any,
    b_stride: Any,
    count: Any,
    ahead: Any,
) -> Any:
    """Products of lines with lines, lane by lane.

    ::

        sums[(i*columns + j)*L + l] += sum over v < count of
                                       a[i*a_stride + v*L + l] * b[j*b_stride + v*L + l]

    for i < `rows`, j < `columns` and l < L, the lanes of a vector. If `masked`, there is one
    vector only, of `count` lanes. A line as long is fetched from `ahead` into the cache.
    """
    if not _literal(rows, columns, masked):
        return None
    height, width, one = rows.literal_value, columns.literal_value, masked.literal_value
    a_type = a

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        sums, a, a_stride, b, b_stride, count, ahead = arguments
        lane = Lanes(builder, a_type.dtype)
        left = [lane.at(a, builder.mul(a_stride, constant(i))) for i in range(height)]
        right = [lane.at(b, builder.mul(b_stride, constant(j))) for j in range(width)]
        mask = lane.first(count) if one else None

        def step(v: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            place = builder.mul(v, constant(lane.count))
            if not one:
                _fetch(lane, ahead, place)
            lines = [lane.load(lane.at(line, place), mask) for line in right]
            results = []
            for i in range(height):
                number = lane.load(lane.at(left[i], place), mask)
                for j in range(width):
                    value = lane.fma(number, lines[j], carried[i * width + j])
                    results.append(lane.settled(value))
            return results

        zeros = [lane.zero] * (height * width)
        results = step(constant(0), zeros) if one else loop(builder, count, zeros, step)
        for index, value in enumerate(results):
            place = lane.at(sums, index * lane.count)
            lane.store(builder.fadd(lane.load(place), value), place)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("inner", a_type.dtype, height, width, one)
        routine(builder, name, arguments[3:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(rows, columns, masked, sums, a, whole, b, whole, whole, b)
    return signature, generate


@intrinsic
def totals(typing: Any, to: Any, sums: Any) -> Any:
    """The totals of as many vectors as one has lanes: ``to[i] = sum over l of sums[i*L + l]``."""

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, sums = arguments
        lane = Lanes(builder, sums_type.dtype)
        count = lane.count
        rows = [lane.load(lane.at(sums, i * count)) for i in range(count)]
        half = count // 2
        while half:  # the halves of two vectors, added crosswise, make one
            lower = [j if not j & half else count + (j ^ half) for j in range(count)]
            upper = [j | half if not j & half else count + j for j in range(count)]
            rows = [
                builder.fadd(lane.shuffle(one, two, lower), lane.shuffle(one, two, upper))
                for one, two in zip(rows[:half], rows[half:], strict=True)
            ]
            half //= 2
        lane.store(rows[0], to)

    sums_type = sums

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        routine(builder, named("totals", sums_type.dtype), arguments, body)
        return context.get_dummy_value()

    return types.void(to, sums), generate


@intrinsic(prefer_literal=True)
def weighted(
    typing: Any,
    rows: Any,
    terms: Any,
    groups: Any,
    sums: Any,
    sum_stride: Any,
    a: Any,
    a_row: Any,
    a_term: Any,
    b: Any,
    b_stride: Any,
    count: Any,
    fresh: Any,
    ahead: Any,
    ahead_stride: Any,
) -> Any:
    """Sums of lines, each times a number that stays in a register.

    ::

        sums[i*sum_stride + k] += sum over t < terms of a[i*a_row + t*a_term] * b[t*b_stride + k]

    for i < `rows` * `groups` and k < `count`, both at least 1; `fresh` overwrites the sums.
    For each group of rows one line is fetched into the cache, from `ahead` on.
    """
    if not _literal(rows, terms):
        return None
    height, depth = rows.literal_value, terms.literal_value
    a_type = a

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        (
            groups, sums, sum_stride, a, a_row, a_term, b, b_stride, count, fresh, ahead, apart
        ) = arguments  # fmt: skip
        lane = Lanes(builder, a_type.dtype)
        new = builder.icmp_unsigned("!=", fresh, fresh.type(0))
        lines = [
            _apart(builder, lane.at(b, builder.mul(b_stride, constant(t)))) for t in range(depth)
        ]

        def group(g: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            first = builder.mul(g, constant(height))
            to, weights = [], []
            for i in range(height):
                row = builder.add(first, constant(i))
                to.append(_apart(builder, lane.at(sums, builder.mul(sum_stride, row))))
                factors = lane.at(a, builder.mul(a_row, row))
                places = [lane.at(factors, builder.mul(a_term, constant(t))) for t in range(depth)]
                weights.append([lane.broadcast(lane.scalar(place)) for place in places])
            fetched = lane.at(ahead, builder.mul(apart, g))

            def step(k: ir.Value, mask: ir.Value | None) -> None:
                _fetch(lane, fetched, k)
                places = [lane.at(line, k) for line in to]
                results = [builder.select(new, lane.zero, lane.load(p, mask)) for p in places]
                for t, line in enumerate(lines):
                    number = lane.load(lane.at(line, k), mask)
                    results = [lane.fma(weights[i][t], number, r) for i, r in enumerate(results)]
                for place, result in zip(places, results, strict=True):
                    lane.store(result, place, mask)

            _runs(lane, count, step)
            return []

        loop(builder, groups, [], group)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("weighted", a_type.dtype, height, depth)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    strided = (a, whole, whole, b, whole, whole, types.boolean, b, whole)
    signature = types.void(rows, terms, whole, sums, whole, *strided)
    return signature, generate


def _apart(builder: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
    """The pointer, in a register of its own.

    The compiler would otherwise compute each line's address from the one before, again in
    every step, on the ports that multiply.
    """
    kind = ir.FunctionType(pointer.type, [pointer.type])
    return builder.asm(kind, "", "=r,0", [pointer], side_effect=False)


def _fetch(lane: Lanes, pointer: ir.Value, elements: ir.Value) -> None:
    """Have the line of the cache with an element brought in; the address may be any."""
    builder = lane.builder
    place = builder.bitcast(lane.at(pointer, elements), _BYTE.as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [place.type, I32, I32, I32])
    name = "llvm.prefetch.p0"
    known = builder.module.globals.get(name)
    prefetch = ir.Function(builder.module, kind, name) if known is None else known
    builder.call(prefetch, [place, I32(0), I32(3), I32(1)])


def _runs(lane: Lanes, count: ir.Value, body: Callable[[ir.Value, ir.Value | None], None]) -> None:
    """Whole vectors without a mask, then the rest with one."""
    builder = lane.builder
    size = constant(lane.count)
    whole = builder.sdiv(count, size)

    def step(v: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        body(builder.mul(v, size), None)
        return []

    with builder.if_then(builder.icmp_signed(">", whole, constant(0))):
        loop(builder, whole, [], step)
    done = builder.mul(whole, size)
    rest = builder.sub(count, done)
    with builder.if_then(builder.icmp_signed(">", rest, constant(0))):
        body(done, lane.first(rest))


@intrinsic(prefer_literal=True)
def outer(
    typing: Any,
    rows: Any,
    vectors: Any,
    to: Any,
    to_stride: Any,
    a: Any,
    a_term: Any,
    b: Any,
    count: Any,
    past: Any,
) -> Any:
    """A tile of the sum of outer products of lines with packed lines.

    ``to[i*to_stride + l] = sum over t < count of a[t*a_term + i] * b[t*L + l]`` for i < `rows`
    and l < L = `vectors` vectors. If `past`, the tile, whose rows are then aligned, goes past
    the caches; see `finish`.
    """
    if not _literal(rows, vectors):
        return None
    height, width = rows.literal_value, vectors.literal_value
    a_type = a

    def body(builder: ir.IRBuilder, arguments: Any) -> None:
        to, to_stride, a, a_term, b, count, past = arguments
        lane = Lanes(builder, a_type.dtype)

        def step(t: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
            numbers = lane.at(a, builder.mul(t, a_term))
            line = lane.at(b, builder.mul(t, constant(width * lane.count)))
            right = [lane.load(lane.at(line, j * lane.count)) for j in range(width)]
            results = []
            for i in range(height):
                left = lane.broadcast(lane.scalar(lane.at(numbers, i)))
                tile = carried[i * width : (i + 1) * width]
                tile = [lane.fma(left, right[j], tile[j]) for j in range(width)]
                results += [lane.settled(value) for value in tile]
            return results

        results = loop(builder, count, [lane.zero] * (height * width), step)
        hint = builder.module.add_metadata([I32(1)])
        octets = lane.bits // 8
        with builder.if_else(builder.icmp_unsigned("!=", past, past.type(0))) as branches:
            for branch, streamed in zip(branches, (True, False), strict=True):
                with branch:
                    for index, value in enumerate(results):
                        i, j = divmod(index, width)
                        row = lane.at(to, builder.mul(to_stride, constant(i)))
                        place = lane.at(row, j * lane.count)
                        place = builder.bitcast(place, lane.vector.as_pointer())
                        align = lane.count * octets if streamed else octets
                        store = builder.store(value, place, align=align)
                        if streamed:
                            store.set_metadata("nontemporal", hint)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = named("outer", a_type.dtype, height, width)
        routine(builder, name, arguments[2:], body)
        return context.get_dummy_value()

    whole = types.int64
    signature = types.void(rows, vectors, to, whole, a, whole, b, whole, types.boolean)
    return signature, generate


@intrinsic
def finish(typing: Any) -> Any:
    """What went past the caches before is seen before what is written after."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate
