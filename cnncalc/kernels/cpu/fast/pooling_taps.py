"""Maxima of windows with the taps they came from, and the way back to them."""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.memory import claim, word
from cnncalc.kernels.cpu.fast.pooling_runs import (
    U,
    begun,
    copied,
    dealt,
    filled,
    larger_tap,
    larger_taps2,
    larger_taps3,
)
from cnncalc.kernels.cpu.fast.pooling_tasks import (
    FIRST,
    FIRST_COLUMN,
    LONGEST,
    NEXT,
    OUT,
    OWN,
    OWN_SIZE,
    PARTS,
    PLANES,
    POSITIONS,
    TABLE,
    TAPS,
    WANTED,
    X,
    axis,
)
from cnncalc.kernels.cpu.fast.views import floats, octets, own, wholes

#: Elements that one step of a vectorised loop takes: runs are as long as a multiple of it, since
#: what is left over would be taken one by one.
STEP = 32
#: Length of a run worth its start.
RUN = 256


@kernel(inline=True)
def row_of_taps(
    best: Array, code: Array, rows: Array, across: Array, count: int, tap: int, n: int
) -> None:
    """The taps of a row of windows, from `tap` on, up to three at a time."""
    t = 0
    while t + 3 <= count:
        i, j, k = across[t], across[t + 1], across[t + 2]
        larger_taps3(best, code, rows, i, j, k, tap + t, n)
        t += 3
    if t + 2 == count:
        larger_taps2(best, code, rows, across[t], across[t + 1], tap + t, n)
    elif t + 1 == count:
        larger_tap(best, code, rows, across[t], tap + t, n)


@kernel
def maxima_with_taps(plan: Any, thread: int) -> None:
    """The largest of each window, and the tap it came from or its position, as `WANTED` says.

    A block of rows of windows is worked on as one run.
    """
    depth, height, width = axis(plan, 0)
    kd, kh, kw = axis(plan, 1)
    sd, sh, sw = axis(plan, 2)
    pd, ph, pw = axis(plan, 3)
    dd, dh, dw = axis(plan, 4)
    od, oh, ow = axis(plan, 5)
    planes, longest = word(plan, PLANES), word(plan, LONGEST)
    x = floats(plan, X, planes * depth * height * width)
    out = floats(plan, OUT, planes * od * oh * ow)
    wanted = word(plan, WANTED)  # 1: taps, 2: positions
    taps = octets(plan, TAPS, planes * od * oh * ow)
    positions = wholes(plan, POSITIONS, planes * od * oh * ow)
    # The first tap on the map of each window along each axis, and those of a row as bytes.
    first = wholes(plan, FIRST, 3 * longest)
    first_column = octets(plan, FIRST_COLUMN, ow)
    # How far each tap lies from a window's first; far below 0 for 255, which is none.
    table = wholes(plan, TABLE, 256)
    pitch = ow + (kw - 1) * dw // sw
    block = max(min(oh, RUN // pitch), 1)
    apart = block * pitch
    wide = (apart + STEP - 1) // STEP * STEP
    long = sw * apart + pitch + STEP
    mine = thread * word(plan, OWN_SIZE)
    rows = own(plan, OWN, mine, long)
    best = own(plan, OWN, mine + long, wide)
    code = np.empty(wide, np.uint8)
    # Where the taps of a row lie in its phases.
    across = np.empty(kw, np.int64)
    for t in range(kw):
        across[t] = t * dw % sw * apart + t * dw // sw
    lowest = x.dtype.type(-np.inf)
    n = min(width, pitch * sw - pw)
    filled(rows, 0, long, lowest)
    while True:
        part = claim(plan, NEXT)
        if part >= word(plan, PARTS):
            break
        start = part * planes // word(plan, PARTS)
        stop = (part + 1) * planes // word(plan, PARTS)
        o = start * od * oh * ow
        for p in range(start, stop):
            for oi in range(od):
                for o0 in range(0, oh, block):
                    count = min(block, oh - o0)
                    filled(best, 0, wide, lowest)
                    for r in range(count):
                        if first[oi] < kd and first[longest + o0 + r] < kh:
                            base = (first[oi] * kh + first[longest + o0 + r]) * kw
                            begun(code, r * pitch, first_column, base, ow)
                        else:
                            filled(code, r * pitch, ow, 255)
                    for a in range(kd):
                        i = oi * sd - pd + a * dd
                        if i < 0 or i >= depth:
                            continue
                        for b in range(kh):
                            for r in range(count):
                                j = (o0 + r) * sh - ph + b * dh
                                if 0 <= j < height:
                                    row = ((p * depth + i) * height + j) * width
                                    dealt(x, row, n, pw, sw, rows, r * pitch, apart)
                                else:
                                    for f in range(sw):
                                        filled(rows, f * apart + r * pitch, pitch, lowest)
                            row_of_taps(best, code, rows, across, kw, (a * kh + b) * kw, wide)
                    for r in range(count):
                        copied(best, r * pitch, out, o, ow)
                        if wanted != 2:
                            copied(code, r * pitch, taps, o, ow)
                        if wanted > 1:
                            place = ((oi * sd - pd) * height + (o0 + r) * sh - ph) * width - pw
                            for q in range(ow):
                                found = place + q * sw + table[U(code[U(r * pitch + q)])]
                                positions[U(o + q)] = max(found, -1)
                        o += ow


@kernel
def return_chunk(
    grad: Array, taps: Array, plan: Any, table: Array, grad_x: Array, start: int, stop: int
) -> None:
    """The gradients of the planes from `start` to `stop`, each sent to where the maximum was."""
    depth, height, width, _, _, _, sd, sh, sw, pd, ph, pw, _, _, _, od, oh, ow = plan
    size = depth * height * width
    o = start * od * oh * ow
    for p in range(start, stop):
        for i in range(p * size, (p + 1) * size):
            grad_x[U(i)] = 0
        for oi in range(od):
            for oj in range(oh):
                place = ((oi * sd - pd) * height + oj * sh - ph) * width - pw
                for q in range(ow):
                    at = U(place + q * sw + table[U(taps[U(o + q)])])
                    # Past the map as an unsigned number: no tap, and taps that cannot be.
                    if at < U(size):
                        grad_x[U(p * size) + at] += grad[U(o + q)]
                o += ow


@kernel(parallel=True)
def return_shared(
    grad: Array, taps: Array, plan: Any, table: Array, grad_x: Array, planes: int, chunks: int
) -> None:
    """`return_chunk` for all planes."""
    for chunk in prange(chunks):
        start, stop = chunk * planes // chunks, (chunk + 1) * planes // chunks
        return_chunk(grad, taps, plan, table, grad_x, start, stop)
