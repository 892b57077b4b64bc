"""The window arithmetic agrees with windows laid out one by one on a padded list of positions.

The oracle never divides: it writes down the padded input as a list, moves a
window along it and looks at what it covers.
"""

from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.notation import symbol
from cnncalc.window import (
    Fit,
    Window,
    extent,
    fit,
    fitting_extents,
    fitting_paddings,
    same_padding,
    transposed_extent,
)

EXHAUSTIVE = settings(max_examples=500, deadline=None, derandomize=True, database=None)

PAD = -1  # marks a padded position; the input's own are numbered from 0


def padded(n, window):
    """The padded input, written out."""
    return [PAD] * window.before + list(range(n)) + [PAD] * window.after


def placements(n, window):
    """The positions of the padded list that each window reads, one list per window.

    With `ceil` a window more is placed as long as the one before leaves something
    over, and the last is dropped if it starts behind the input's last position.
    """
    cells = padded(n, window)
    taps = [tap * window.dilation for tap in range(window.kernel)]
    found, start = [], 0
    while start + taps[-1] < len(cells):
        found.append([start + tap for tap in taps])
        start += window.stride
    if window.ceil:
        covered = found[-1][-1] + 1 if found else 0
        if covered < len(cells) and start < window.before + n:
            found.append([start + tap for tap in taps])
    return found


@st.composite
def windows(draw, *, ceil_too=True):
    """A window and an input that it fits into at least once.

    Padding after the input stays below the span, as every pool requires: there,
    the rule that drops a window that reads padding only drops at most one.
    """
    kernel, dilation = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    span = (kernel - 1) * dilation + 1
    before, after = draw(st.integers(0, span - 1)), draw(st.integers(0, span - 1))
    stride = draw(st.integers(1, 8))
    least = max(span - before - after, 1)
    n = draw(st.integers(least, least + 40))
    rounding = draw(st.booleans()) if ceil_too else False
    return n, Window(kernel, stride, before, after, dilation, rounding)


@EXHAUSTIVE
@given(windows())
def test_extent_counts_the_windows(case):
    n, window = case
    assert extent(n, window) == len(placements(n, window))


@EXHAUSTIVE
@given(windows())
def test_span_covers_the_taps(case):
    n, window = case
    first = placements(n, window)[0]
    assert window.span == first[-1] - first[0] + 1


@EXHAUSTIVE
@given(windows())
def test_fit_says_what_is_left_over(case):
    n, window = case
    cells, placed = padded(n, window), placements(n, window)
    end = placed[-1][-1] + 1
    left = cells[end:]
    found = fit(n, window)
    assert found == Fit(
        extent=len(placed),
        unread=len(left),
        unread_pixels=sum(cell != PAD for cell in left),
        overhang=max(end - len(cells), 0),
    )
    assert found.exact == (end == len(cells))


@EXHAUSTIVE
@given(windows(ceil_too=False), st.integers(0, 9), st.integers(0, 9))
def test_fit_with_any_padding(case, before, after):
    # A 1x1 convolution with padding 3 is allowed: the windows may end inside the padding.
    n, window = case
    window = window._replace(before=window.before + before, after=window.after + after)
    cells, placed = padded(n, window), placements(n, window)
    left = cells[placed[-1][-1] + 1 :]
    found = fit(n, window)
    assert (found.extent, found.unread) == (len(placed), len(left))
    assert found.unread_pixels == sum(cell != PAD for cell in left)


@EXHAUSTIVE
@given(windows(ceil_too=False))
def test_windows_that_touch_read_every_pixel_but_the_last_unread(case):
    n, window = case
    cells, placed = padded(n, window), placements(n, window)
    read = {cells[cell] for window_cells in placed for cell in window_cells} - {PAD}
    if window.dilation == 1 and window.stride <= window.kernel:
        assert read == set(range(n - fit(n, window).unread_pixels))


@pytest.mark.parametrize("rounding", [False, True])
def test_a_window_larger_than_the_padded_input_has_no_output(rounding):
    for short in range(1, 10):
        window = Window(10, 1, 1, 1, ceil=rounding)
        assert extent(8 - short, window) < 1


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 40),
    st.integers(1, 7),
    st.integers(1, 8),
    st.integers(1, 3),
    st.integers(0, 6),
    st.booleans(),
)
def test_extent_of_real_pools(n, kernel, stride, dilation, pad, rounding):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    # PyTorch pools with padding of at most half the (undilated) kernel.
    pad = min(pad, kernel // 2)
    window = Window(kernel, stride, pad, pad, dilation, rounding)
    try:
        result = torch.nn.functional.max_pool1d(
            torch.zeros(1, 1, n), kernel, stride, pad, dilation, ceil_mode=rounding
        )
    except RuntimeError:
        assert extent(n, window) < 1
    else:
        assert extent(n, window) == result.shape[-1]


def test_ceil_drops_a_window_behind_the_input():
    # PyTorch: max_pool1d of 4 positions by 1, stride 5, rounded up: the second window would
    # start at 5, behind the input.
    assert extent(4, Window(1, 5, ceil=True)) == 1
    # Padded by one on either side, kernel 2, stride 4: starts 0 and 4 of 6 cells; the second
    # reads a pixel's place at 4, behind which only padding lies: rows 0-3 are cells 1-4.
    assert extent(4, Window(2, 4, 1, 1, ceil=True)) == 2
    # One pixel less: cell 4 is padding.
    assert extent(3, Window(2, 4, 1, 1, ceil=True)) == 1


@EXHAUSTIVE
@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 8), st.integers(1, 3))
def test_same_padding_by_its_definition(n, kernel, stride, dilation):
    # TensorFlow's tf.nn.convolution: the total depends on n % stride, the odd one goes after.
    span = (kernel - 1) * dilation + 1
    over = n % stride
    total = max(span - (over if over else stride), 0)
    before, after = same_padding(n, kernel, stride, dilation)
    assert (before, after) == (total // 2, total - total // 2)
    window = Window(kernel, stride, before, after, dilation)
    assert extent(n, window) == ceil(n / stride) == len(placements(n, window))


def test_same_padding_of_an_unknown_input():
    # At stride 1 no input is needed; at others the padding is an expression.
    assert same_padding(symbol("H"), 7) == (3, 3)
    assert same_padding(symbol("H"), 4, dilation=3) == (4, 5)
    before, after = same_padding(symbol("H"), 7, 2)
    for n in range(1, 30):
        values = {symbol("H"): n}
        assert (before.subs(values), after.subs(values)) == same_padding(n, 7, 2)


@st.composite
def transposed(draw):
    kernel, dilation = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    return (
        draw(st.integers(1, 20)),
        Window(
            kernel,
            draw(st.integers(1, 6)),
            draw(st.integers(0, 3)),
            draw(st.integers(0, 3)),
            dilation,
        ),
        draw(st.integers(0, 5)),
    )


@EXHAUSTIVE
@given(transposed())
def test_transposed_extent_by_spreading_every_input(case):
    n, window, more = case
    # Input i reaches the positions i*stride + dilation*tap of the uncropped output.
    reached = {
        i * window.stride + tap * window.dilation for i in range(n) for tap in range(window.kernel)
    }
    cells = list(range(max(reached) + 1 + more))
    kept = len(cells) - window.before - window.after
    assert transposed_extent(n, window, more) == kept


@EXHAUSTIVE
@given(windows(ceil_too=False))
def test_transposing_undoes_an_exact_convolution(case):
    n, window = case
    found = fit(n, window)
    # What the division dropped is what output_padding gives back.
    assert transposed_extent(found.extent, window, found.unread) == n


def fits_exactly(n, window):
    placed = placements(n, window)
    return bool(placed) and placed[-1][-1] + 1 == len(padded(n, window))


@EXHAUSTIVE
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 8), st.integers(1, 3))
def test_fitting_paddings(n, kernel, stride, dilation):
    window = Window(kernel, stride, dilation=dilation)
    expected = [pad for pad in range(10) if fits_exactly(n, window._replace(before=pad, after=pad))]
    assert fitting_paddings(n, window, 9) == expected


def test_no_padding_fits():
    # 8 + 2p - 3 is odd, so never a multiple of 2.
    assert fitting_paddings(8, Window(3, 2), 20) == []


@EXHAUSTIVE
@given(windows(ceil_too=False))
def test_fitting_extents(case):
    n, window = case
    below, above = fitting_extents(n, window)
    smaller = [size for size in range(1, n + 1) if fits_exactly(size, window)]
    larger = (size for size in range(n + 1, n + 20) if fits_exactly(size, window))
    assert above == next(larger)
    if smaller:
        assert below == smaller[-1]
    else:
        # No input of at least 1 fits: callers tell by the sign.
        assert below < 1


@pytest.mark.parametrize(
    ("n", "window", "expected"),
    [
        # CS231n: 227 with 11 and stride 4 gives (227 - 11)/4 + 1 = 55.
        (227, Window(11, 4), Fit(55, 0, 0, 0)),
        # The paper's 224 does not divide: (224 - 11)/4 = 53.25; 53*4 + 11 = 223.
        (224, Window(11, 4), Fit(54, 1, 1, 0)),
        # CS231n: W = 10, no padding, F = 3, S = 2 does not fit: (10-3)/2 = 3.5.
        (10, Window(3, 2), Fit(4, 1, 1, 0)),
        # ResNet's stem: 224 + 6 - 7 = 223 is odd; the last padded row is not read.
        (224, Window(7, 2, 3, 3), Fit(112, 1, 0, 0)),
        # GoogLeNet's first pool: 112 by 3/2 rounded up: 55*2 + 3 = 113, one over.
        (112, Window(3, 2, ceil=True), Fit(56, 0, 0, 1)),
    ],
)
def test_published(n, window, expected):
    assert fit(n, window) == expected


def test_symbolic_extents():
    height = symbol("H")
    for window in (Window(11, 4), Window(3, 2, 1, 1), Window(3, 2, dilation=2)):
        formula = extent(height, window)
        for n in range(window.span, 40):
            assert formula.subs({height: n}) == len(placements(n, window))
    assert transposed_extent(height, Window(2, 2)) == 2 * height


def test_symbolic_ceil():
    height = symbol("H")
    formula = extent(height, Window(3, 2, ceil=True))
    for n in range(3, 40):
        assert formula.subs({height: n}) == len(placements(n, Window(3, 2, ceil=True)))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_symbolic_extents_agree_with_numbers(ceil, same):
    """Three windows on H, simplified on the way, against the same three on numbers."""
    height = symbol("H")
    windows = [
        Window(3, 2, 1, 1, ceil=ceil, same=same),
        Window(2, 2, ceil=ceil, same=same),
        Window(5, 3, 2, 1, ceil=ceil, same=same),
    ]
    expression = height
    for window in windows:
        expression = extent(expression, window)
    for n in range(12, 80):
        number = n
        for window in windows:
            number = extent(number, window)
        assert expression.subs(height, n) == number
    if not ceil or same:
        assert str(expression).count("H") == 1  # one division, however deep
