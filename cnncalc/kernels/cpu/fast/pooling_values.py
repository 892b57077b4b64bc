"""Maxima and means of windows, values only: their rows first, then the columns of the result.

And the gradients of means, which each row of the map collects from the windows over it.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.memory import claim, word
from cnncalc.kernels.cpu.fast.pooling_runs import (
    U,
    added,
    added_over,
    collected,
    copied,
    dealt,
    divided,
    filled,
    largest,
    strided_back,
    strided_largest,
    strided_mean,
    summed,
)
from cnncalc.kernels.cpu.fast.pooling_tasks import (
    ACROSS,
    LONGEST,
    NEXT,
    OUT,
    OWN,
    OWN_SIZE,
    PARTS,
    PITCH,
    PLANES,
    SHARE_COLUMN,
    SHARES,
    X,
    axis,
)
from cnncalc.kernels.cpu.fast.reductions import total
from cnncalc.kernels.cpu.fast.views import floats, own, wholes


@kernel
def maxima(plan: Any, thread: int) -> None:
    """The largest of each window."""
    depth, height, width = axis(plan, 0)
    kd, kh, kw = axis(plan, 1)
    sd, sh, sw = axis(plan, 2)
    pd, ph, pw = axis(plan, 3)
    dd, dh, dw = axis(plan, 4)
    od, oh, ow = axis(plan, 5)
    planes = word(plan, PLANES)
    x = floats(plan, X, planes * depth * height * width)
    out = floats(plan, OUT, planes * od * oh * ow)
    apart = word(plan, PITCH)
    mine = thread * word(plan, OWN_SIZE)
    line = own(plan, OWN, mine, apart * sw)
    phases = own(plan, OWN, mine + apart * sw, apart * sw)
    # Where the taps of a row lie in its phases, and those of a window's rows in the map.
    across = wholes(plan, ACROSS, kw)
    places = np.empty(kd * kh, np.int64)
    lowest = x.dtype.type(-np.inf)
    held = min(width, apart * sw - pw)
    strided = sw == 2 and dw == 1 and 2 <= kw <= 3
    filled(line, 0, apart * sw, lowest)
    while True:
        part = claim(plan, NEXT)
        if part >= word(plan, PARTS):
            break
        start = part * planes // word(plan, PARTS)
        stop = (part + 1) * planes // word(plan, PARTS)
        o = start * od * oh * ow
        for p in range(start, stop):
            for oi in range(od):
                for oj in range(oh):
                    count = 0
                    for a in range(kd):
                        i = oi * sd - pd + a * dd
                        for b in range(kh):
                            j = oj * sh - ph + b * dh
                            if 0 <= i < depth and 0 <= j < height:
                                places[count] = ((p * depth + i) * height + j) * width
                                count += 1
                    if count == 0:
                        filled(line, pw, held, lowest)
                    else:
                        largest(line, pw, x, places, count, held)
                    if strided:
                        strided_largest(line, kw, out, o, ow)
                    else:
                        source = line
                        if sw > 1:
                            dealt(line, 0, apart * sw, 0, sw, phases, 0, apart)
                            source = phases
                        largest(out, o, source, across, kw, ow)
                    o += ow


@kernel
def means(plan: Any, thread: int) -> None:
    """The sum of each window over the product of its shares along the three axes."""
    depth, height, width = axis(plan, 0)
    kd, kh, kw = axis(plan, 1)
    sd, sh, sw = axis(plan, 2)
    pd, ph, pw = axis(plan, 3)
    dd, dh, dw = axis(plan, 4)
    od, oh, ow = axis(plan, 5)
    planes, longest = word(plan, PLANES), word(plan, LONGEST)
    shares = floats(plan, SHARES, 3 * longest)
    share_column = floats(plan, SHARE_COLUMN, ow)
    x = floats(plan, X, planes * depth * height * width)
    out = floats(plan, OUT, planes * od * oh * ow)
    apart = word(plan, PITCH)
    mine = thread * word(plan, OWN_SIZE)
    line = own(plan, OWN, mine, apart * sw)
    phases = own(plan, OWN, mine + apart * sw, apart * sw)
    best = own(plan, OWN, mine + 2 * apart * sw, ow)
    # Where the taps of a row lie in its phases, and those of a window's rows in the map.
    across = wholes(plan, ACROSS, kw)
    places = np.empty(kd * kh, np.int64)
    held = min(width, apart * sw - pw)
    strided = sw == 2 and dw == 1 and 2 <= kw <= 3
    filled(line, 0, apart * sw, 0)
    while True:
        part = claim(plan, NEXT)
        if part >= word(plan, PARTS):
            break
        start = part * planes // word(plan, PARTS)
        stop = (part + 1) * planes // word(plan, PARTS)
        o = start * od * oh * ow
        for p in range(start, stop):
            for oi in range(od):
                for oj in range(oh):
                    count = 0
                    for a in range(kd):
                        i = oi * sd - pd + a * dd
                        for b in range(kh):
                            j = oj * sh - ph + b * dh
                            if 0 <= i < depth and 0 <= j < height:
                                places[count] = ((p * depth + i) * height + j) * width
                                count += 1
                    if count == 0:
                        filled(line, pw, held, 0)
                    else:
                        summed(line, pw, x, places, count, held)
                    share = shares[oi] * shares[longest + oj]
                    if strided:
                        strided_mean(line, kw, share_column, share, out, o, ow)
                    else:
                        source = line
                        if sw > 1:
                            dealt(line, 0, apart * sw, 0, sw, phases, 0, apart)
                            source = phases
                        summed(best, 0, source, across, kw, ow)
                        divided(best, 0, share_column, share, out, o, ow)
                    o += ow


@kernel
def mean_gradients(plan: Any, thread: int) -> None:
    """What each position is sent by the means of the windows over it.

    Windows are taken in their order, that in which scattering would add them up. A row of them
    lies in `line` from `begin` on, with zeros on either side.
    """
    depth, height, width = axis(plan, 0)
    kd, kh, kw = axis(plan, 1)
    sd, sh, sw = axis(plan, 2)
    pd, ph, pw = axis(plan, 3)
    dd, dh, dw = axis(plan, 4)
    od, oh, ow = axis(plan, 5)
    planes, longest = word(plan, PLANES), word(plan, LONGEST)
    shares = floats(plan, SHARES, 3 * longest)
    share_column = floats(plan, SHARE_COLUMN, ow)
    grad = floats(plan, X, planes * od * oh * ow)
    grad_x = floats(plan, OUT, planes * depth * height * width)
    apart = word(plan, PITCH)
    mine = thread * word(plan, OWN_SIZE)
    begin = (kw - 1) * dw + 1
    long = begin + max(ow, width + pw) + 1
    line = own(plan, OWN, mine, long)
    phases = own(plan, OWN, mine + long, apart * sw)
    across = wholes(plan, ACROSS, kw)
    places = np.empty(kw, np.int64)
    filled(line, 0, long, 0)
    for c in range(kw):
        places[c] = begin + pw - (kw - 1 - c) * dw
    while True:
        part = claim(plan, NEXT)
        if part >= word(plan, PARTS):
            break
        start = part * planes // word(plan, PARTS)
        stop = (part + 1) * planes // word(plan, PARTS)
        o = start * depth * height * width
        for p in range(start, stop):
            for i in range(depth):
                last = -1
                for j in range(height):
                    # Rows that the same windows lie over are the same.
                    top, bottom = max((j + ph - kh) // sh + 1, 0), min((j + ph) // sh, oh - 1)
                    seen = top * (oh + 1) + bottom
                    if seen == last and dh == 1:
                        copied(grad_x, o - width, grad_x, o, width)
                        o += width
                        continue
                    last = seen
                    fresh = True
                    for a in range(kd - 1, -1, -1):
                        oi = (i + pd - a * dd) // sd
                        if oi < 0 or oi >= od or oi * sd != i + pd - a * dd:
                            continue
                        for b in range(kh - 1, -1, -1):
                            oj = (j + ph - b * dh) // sh
                            if oj < 0 or oj >= oh or oj * sh != j + ph - b * dh:
                                continue
                            share = shares[oi] * shares[longest + oj]
                            row = ((p * od + oi) * oh + oj) * ow
                            if fresh:
                                divided(grad, row, share_column, share, line, begin, ow)
                            else:
                                added_over(grad, row, share_column, share, line, begin, ow)
                            fresh = False
                    if fresh:
                        filled(grad_x, o, width, 0)
                    elif sw == 1:
                        summed(grad_x, o, line, places, kw, width)
                    elif sw == 2 and dw == 1 and 2 <= kw <= 3:
                        strided_back(line, begin, kw, pw, grad_x, o, width)
                    else:
                        filled(phases, 0, apart * sw, 0)
                        for c in range(kw - 1, -1, -1):
                            added(phases, across[c], line, begin, ow)
                        collected(phases, 0, apart, pw, sw, grad_x, o, width)
                    o += width


@kernel
def mean_planes(x: Array, out: Array, size: int, start: int, stop: int) -> None:
    """The means of the planes from `start` to `stop`."""
    for p in range(start, stop):
        out[U(p)] = total(x, p * size, size, size, 1) / size


@kernel(parallel=True)
def mean_shared(x: Array, out: Array, size: int, chunks: int) -> None:
    """`mean_planes` in chunks."""
    for chunk in prange(chunks):
        start, stop = chunk * out.size // chunks, (chunk + 1) * out.size // chunks
        mean_planes(x, out, size, start, stop)
