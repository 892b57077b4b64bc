"""What sliding pools do to long runs of neighbours, and how maps become such runs.

Along an axis of stride s, the positions are dealt to s phases, phase f with every s-th from f:
what one tap of all windows reads is then a run of neighbours in one phase, and with the rows
laid end to end one run for all rows of a block. What lies between two rows of windows is
computed too, and dropped; that is cheaper than short loops.
"""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel

# Indices are cast to unsigned numbers: Numba then leaves out the test for negative ones, which
# would keep the loops from being vectorised.
U = np.uint64


@kernel(inline=True)
def filled(out: Array, o: int, n: int, value: float) -> None:
    """``out[o:o + n] = value``."""
    for q in range(n):
        out[U(o + q)] = value


@kernel(inline=True)
def copied(x: Array, i: int, out: Array, o: int, n: int) -> None:
    """``out[o:o + n] = x[i:i + n]``."""
    for q in range(n):
        out[U(o + q)] = x[U(i + q)]


@kernel(inline=True)
def divided(x: Array, i: int, by: Array, share: float, out: Array, o: int, n: int) -> None:
    """``out = x / (share * by)``."""
    for q in range(n):
        out[U(o + q)] = x[U(i + q)] / (share * by[U(q)])


@kernel(inline=True)
def added_over(x: Array, i: int, by: Array, share: float, out: Array, o: int, n: int) -> None:
    """``out += x / (share * by)``."""
    for q in range(n):
        out[U(o + q)] += x[U(i + q)] / (share * by[U(q)])


@kernel(inline=True)
def dealt(x: Array, i: int, n: int, skip: int, stride: int, out: Array, o: int, apart: int) -> None:
    """Deal n neighbours to `stride` phases, `apart` from each other, after `skip` positions."""
    if stride == 1:
        copied(x, i, out, o + skip, n)
    elif stride == 2:
        odd = skip % 2
        one = o + odd * apart + skip // 2
        two = o + (1 - odd) * apart + (skip + 1) // 2
        for q in range(n // 2):
            out[U(one + q)] = x[U(i + 2 * q)]
            out[U(two + q)] = x[U(i + 2 * q + 1)]
        if n % 2:
            out[one + n // 2] = x[i + n - 1]
    else:
        for f in range(stride):
            place = skip + f
            one = o + place % stride * apart + place // stride
            for q in range((n - f + stride - 1) // stride):
                out[U(one + q)] = x[U(i + f + stride * q)]


@kernel(inline=True)
def collected(
    x: Array, i: int, apart: int, skip: int, stride: int, out: Array, o: int, n: int
) -> None:
    """The inverse of `dealt`: n neighbours from the phases of x, after `skip` positions."""
    if stride == 1:
        copied(x, i + skip, out, o, n)
    elif stride == 2:
        odd = skip % 2
        one = i + odd * apart + skip // 2
        two = i + (1 - odd) * apart + (skip + 1) // 2
        for q in range(n // 2):
            out[U(o + 2 * q)] = x[U(one + q)]
            out[U(o + 2 * q + 1)] = x[U(two + q)]
        if n % 2:
            out[o + n - 1] = x[one + n // 2]
    else:
        for f in range(stride):
            place = skip + f
            one = i + place % stride * apart + place // stride
            for q in range((n - f + stride - 1) // stride):
                out[U(o + f + stride * q)] = x[U(one + q)]


@kernel
def greater(a: float, b: float) -> float:
    """The larger of two, the first of equals; NaN is the largest, as in PyTorch."""
    return b if b > a or np.isnan(b) else a


@kernel(inline=True)
def largest(out: Array, o: int, x: Array, places: Array, count: int, n: int) -> None:
    """The largest of the first `count` runs of x at the `places`."""
    i, j, k = places[0], places[min(count, 2) - 1], places[min(count, 3) - 1]
    if count == 2:
        for q in range(n):
            out[U(o + q)] = greater(x[U(i + q)], x[U(j + q)])
    else:
        for q in range(n):
            out[U(o + q)] = greater(greater(x[U(i + q)], x[U(j + q)]), x[U(k + q)])
    for t in range(3, count):
        i = places[t]
        for q in range(n):
            out[U(o + q)] = greater(out[U(o + q)], x[U(i + q)])


@kernel(inline=True)
def summed(out: Array, o: int, x: Array, places: Array, count: int, n: int) -> None:
    """The sum of the first `count` runs of x at the `places`."""
    i, j, k = places[0], places[min(count, 2) - 1], places[min(count, 3) - 1]
    if count == 1:
        for q in range(n):
            out[U(o + q)] = x[U(i + q)]
    elif count == 2:
        for q in range(n):
            out[U(o + q)] = x[U(i + q)] + x[U(j + q)]
    else:
        for q in range(n):
            out[U(o + q)] = x[U(i + q)] + x[U(j + q)] + x[U(k + q)]
    for t in range(3, count):
        i = places[t]
        for q in range(n):
            out[U(o + q)] += x[U(i + q)]


@kernel(inline=True)
def added(out: Array, o: int, x: Array, i: int, n: int) -> None:
    """``out += x``."""
    for q in range(n):
        out[U(o + q)] += x[U(i + q)]


@kernel(inline=True)
def strided_largest(x: Array, size: int, out: Array, o: int, n: int) -> None:
    """The largest of 2 or 3 neighbours, at every other position."""
    if size == 2:
        for q in range(n):
            out[U(o + q)] = greater(x[U(2 * q)], x[U(2 * q + 1)])
    else:
        for q in range(n):
            a = greater(x[U(2 * q)], x[U(2 * q + 1)])
            out[U(o + q)] = greater(a, x[U(2 * q + 2)])


@kernel(inline=True)
def strided_mean(x: Array, size: int, by: Array, share: float, out: Array, o: int, n: int) -> None:
    """The sum of 2 or 3 neighbours over ``share * by``, at every other position."""
    if size == 2:
        for q in range(n):
            out[U(o + q)] = (x[U(2 * q)] + x[U(2 * q + 1)]) / (share * by[U(q)])
    else:
        for q in range(n):
            total = x[U(2 * q)] + x[U(2 * q + 1)] + x[U(2 * q + 2)]
            out[U(o + q)] = total / (share * by[U(q)])


@kernel(inline=True)
def strided_back(x: Array, i: int, size: int, skip: int, out: Array, o: int, n: int) -> None:
    """What windows of 2 or 3 taps, 2 apart, send back to n positions after `skip`.

    The windows lie in x from i on, with zeros around them; window q reads 2q, 2q + 1 and 2q + 2.
    """
    odd = skip % 2
    # Where the windows over the positions 0, 2, ... begin, and those over 1, 3, ...
    one, two = i + skip // 2, i + (skip + 1) // 2
    if size == 2:
        for q in range(n // 2):
            out[U(o + 2 * q)] = x[U(one + q)]
            out[U(o + 2 * q + 1)] = x[U(two + q)]
    elif odd:
        for q in range(n // 2):
            out[U(o + 2 * q)] = x[U(one + q)]
            out[U(o + 2 * q + 1)] = x[U(two + q - 1)] + x[U(two + q)]
    else:
        for q in range(n // 2):
            out[U(o + 2 * q)] = x[U(one + q - 1)] + x[U(one + q)]
            out[U(o + 2 * q + 1)] = x[U(two + q)]
    if n % 2:
        final = x[one + n // 2]
        if size == 3 and not odd:
            final += x[one + n // 2 - 1]
        out[o + n - 1] = final


@kernel(inline=True)
def begun(code: Array, o: int, columns: Array, base: int, n: int) -> None:
    """The first tap on the map: `base` of the row and that of each column (255: none)."""
    row = np.uint8(base)
    for q in range(n):
        column = columns[U(q)]
        code[U(o + q)] = column if column == np.uint8(255) else np.uint8(column + row)


@kernel(inline=True)
def larger_tap(best: Array, code: Array, x: Array, i: int, tap: int, n: int) -> None:
    """Where x is larger than `best`, it and the tap it came from."""
    own = np.uint8(tap)
    for q in range(n):
        a, b = best[U(q)], x[U(i + q)]
        wins = b > a or np.isnan(b)
        best[U(q)] = b if wins else a
        code[U(q)] = own if wins else code[U(q)]


@kernel(inline=True)
def larger_taps2(best: Array, code: Array, x: Array, i: int, j: int, tap: int, n: int) -> None:
    """`larger_tap` for two taps in a row."""
    own0, own1 = np.uint8(tap), np.uint8(tap + 1)
    for q in range(n):
        a, own = best[U(q)], code[U(q)]
        b = x[U(i + q)]
        wins = b > a or np.isnan(b)
        a, own = b if wins else a, own0 if wins else own
        b = x[U(j + q)]
        wins = b > a or np.isnan(b)
        best[U(q)] = b if wins else a
        code[U(q)] = own1 if wins else own


@kernel(inline=True)
def larger_taps3(
    best: Array, code: Array, x: Array, i: int, j: int, k: int, tap: int, n: int
) -> None:
    """`larger_tap` for three taps in a row."""
    own0, own1, own2 = np.uint8(tap), np.uint8(tap + 1), np.uint8(tap + 2)
    for q in range(n):
        a, own = best[U(q)], code[U(q)]
        b = x[U(i + q)]
        wins = b > a or np.isnan(b)
        a, own = b if wins else a, own0 if wins else own
        b = x[U(j + q)]
        wins = b > a or np.isnan(b)
        a, own = b if wins else a, own1 if wins else own
        b = x[U(k + q)]
        wins = b > a or np.isnan(b)
        best[U(q)] = b if wins else a
        code[U(q)] = own2 if wins else own
