"""Windows that do not fit: what is lost is counted one by one, and every advice fits."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.diagnostic import Diagnostic
from cnncalc.graph import Network
from cnncalc.lint import engine
from cnncalc.lint.settings import Settings
from tests.spec.marking import Wrong, assert_found, layers, run_briefly, unmarked

PIXELS = "F001", "floor-drops-pixels"
PADDING = "F002", "floor-drops-padding"


def lint(network: Network) -> list[Diagnostic]:
    """What these two rules find."""
    return engine.lint(network, Settings(select=("F001", "F002")))


def assert_finds(text: str, severity: str, *expected: Wrong) -> None:
    plain, places = unmarked(text)
    assert_found(lint(cnncalc.loads(plain)), expected, places, severity)


def image(shape: str, line: str) -> str:
    return f"input: {shape}\nlayers:\n  - {line}"


# The examples of the docstrings and of the literature, in whole sentences


def test_alexnet_on_224():
    """CS231n: (224 - 11)/4 + 1 is no integer; the paper must have meant 227."""
    assert_finds(
        image("3@224x224", "{conv: 96, kernel: 11, stride: «4»}"),
        "warning",
        Wrong(
            *PIXELS,
            "conv1: the stride 4 does not fit 224 - 11: the last 1 row and 1 column of its input "
            "3@224x224 are never read",
            # 223 - 11 = 4*53, 227 - 11 = 4*54; 224 + 2*p - 11 by padding; 224 - 12 = 4*53.
            "these would fit: an input of 223 or 227, a kernel of 12",
        ),
    )
    assert lint(cnncalc.loads(image("3@227x227", "{conv: 96, kernel: 11, stride: 4}"))) == []


def test_the_stem_of_resnet():
    """224 + 6 - 7 = 223 = 2*111 + 1: the last row and column of padding are not read."""
    assert_finds(
        image("3@224x224", "{conv: 64, kernel: 7, stride: «2», pad: 3}"),
        "note",
        Wrong(
            *PADDING,
            "conv1: the stride 2 does not fit 224 + 2*3 - 7: 1 row and 1 column of padding at the "
            "end are never read",
            "no pixel is lost; the padding that is read is 3 before and 2 after",
        ),
    )
    explicit = image("3@224x224", "{conv: 64, kernel: 7, stride: 2, pad: [[3, 2], [3, 2]]}")
    assert lint(cnncalc.loads(explicit)) == []


def test_one_row_is_lost_and_no_column():
    assert_finds(
        image("3@8x9", "{maxpool: 3, stride: «2»}"),
        "warning",
        Wrong(
            *PIXELS,
            "maxpool1: the stride 2 does not fit 8 - 3: the last 1 row of its input 3@8x9 is never "
            "read",
        ),
    )


def test_columns_are_named_where_only_they_are_lost():
    assert_finds(
        image("3@9x8", "{maxpool: 3, stride: «2»}"),
        "warning",
        Wrong(
            *PIXELS,
            "maxpool1: the stride 2 does not fit 8 - 3: the last 1 column of its input 3@9x8 is "
            "never read",
        ),
    )


def test_several_are_counted():
    """10 - 3 = 7 = 4 + 3: rows 7, 8 and 9 come after the last window 4..6."""
    assert_finds(
        image("3@10x11", "{conv: 1, kernel: 3, stride: «4»}"),
        "warning",
        Wrong(
            *PIXELS,
            "conv1: the stride 4 does not fit 10 - 3: the last 3 rows of its input 3@10x11 are "
            "never read",
        ),
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("3@8", "the last 1 position of its input 3@8 is never read"),
        ("3@8x9x9", "the last 1 slice of its input 3@8x9x9 is never read"),
        ("3@8x8x8", "the last 1 slice and 1 row and 1 column of its input 3@8x8x8 are never read"),
        ("3@9x9x9x8", "the last 1 position of its input 3@9x9x9x8 is never read"),
    ],
)
def test_other_ranks(shape, message):
    assert_finds(
        image(shape, "{maxpool: 3, stride: «2»}"),
        "warning",
        Wrong(*PIXELS, f"maxpool1: the stride 2 does not fit 8 - 3: {message}"),
    )


def test_padding_on_one_side():
    assert_finds(
        image("3@8", "{conv: 1, kernel: 3, stride: «4», pad: [[1, 0]]}"),
        "warning",
        Wrong(
            *PIXELS,
            "conv1: the stride 4 does not fit 8 + 1 + 0 - 3: the last 2 positions of its input "
            "3@8 are never read",
        ),
    )


def test_where_the_stride_is_not_written_the_layer_is_marked():
    assert_finds(
        image("3@5x5", "«{maxpool: 2}»"),
        "warning",
        Wrong(
            *PIXELS,
            "maxpool1: the stride 2 does not fit 5 - 2: the last 1 row and 1 column of its input "
            "3@5x5 are never read",
        ),
    )


def test_a_misfit_that_loses_pixels_along_one_axis_is_one_finding():
    """Height 8 + 2 - 3 loses padding only, width 8 - 3 loses a column: the column counts."""
    assert_finds(
        image("3@8x8", "{conv: 1, kernel: 3, stride: «2», pad: [1, 0]}"),
        "warning",
        Wrong(
            *PIXELS,
            "conv1: the stride 2 does not fit 8 - 3: the last 1 column of its input 3@8x8 is never "
            "read",
        ),
    )


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 1, kernel: 3}",  # stride 1 always fits
        "{maxpool: 3, stride: 2, ceil: true}",  # rounded up, nothing is left
        "{conv: 1, kernel: 3, stride: 2, pad: same}",  # padded to fit
        "{conv: 1, kernel: 1, stride: 4}",  # skips three everywhere, at the end too
        "{convtranspose: 1, kernel: 3, stride: 2}",  # makes positions, reads all
        "{adaptiveavgpool: 3}",
        "globalavgpool",
    ],
)
def test_what_is_no_misfit(line):
    assert lint(cnncalc.loads(layers(line))) == []


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 3, kernel: 3, stride: 2}",
        "{depthwise: 3, stride: 2}",
        "{separableconv: 3, kernel: 3, stride: 2}",
        "{anchorhead: 3, values: 4, kernel: 3, stride: 2}",
        "{maxpool: 3, stride: 2}",
        "{avgpool: 3, stride: 2}",
        "{lppool: 3, stride: 2}",
        "{subsample: 3, stride: 2}",
        "{conv: 3, kernel: 2, dilation: 2, stride: 2}",
    ],
)
def test_every_sliding_layer_is_judged(line):
    assert [found.code for found in lint(cnncalc.loads(layers(line)))] == ["F001"]


def test_a_symbolic_input_is_not_judged():
    text = image("3@HxW", "{conv: 3, kernel: 3, stride: 2}")
    assert lint(cnncalc.loads(text)) == []


def test_a_huge_window_is_judged_at_once():
    """The paddings that would fit are found by arithmetic, not by trying 500,000,000."""
    found = run_briefly("""
import cnncalc
text = "input: 1@1000000001\\nlayers: [{conv: 1, kernel: 500000001, stride: 7}]"
print([one.code for one in cnncalc.lint(cnncalc.loads(text))])
""")
    assert found == "['F001']"


# Brute force


@st.composite
def windows(draw):
    kernel = draw(st.integers(1, 6))
    dilation = draw(st.integers(1, 3))
    span = dilation * (kernel - 1) + 1
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    n = draw(st.integers(max(span - before - after, 1), 30))
    return n, kernel, draw(st.integers(1, 6)), before, after, dilation


def lying(n, kernel, stride, before, after, dilation):
    """The positions of the padded input after the last window, by laying every window down."""
    span, padded = dilation * (kernel - 1) + 1, n + before + after
    starts = [start for start in range(0, padded, stride) if start + span <= padded]
    return list(range(starts[-1] + span, padded)), span


@settings(deadline=None)  # machines differ in speed
@given(windows())
def test_what_is_lost_is_what_no_window_reaches(window):
    n, kernel, stride, before, after, dilation = window
    tail, span = lying(*window)
    pixels = [position for position in tail if before <= position < before + n]
    text = image(
        f"1@{n}",
        f"{{conv: 1, kernel: {kernel}, stride: {stride}, pad: [[{before}, {after}]], "
        f"dilation: {dilation}}}",
    )
    found = lint(cnncalc.loads(text))
    # Between windows further apart than they are wide, stride - span are skipped anyway.
    if len(tail) <= max(stride - span, 0):
        assert found == []
    elif pixels:
        (one,) = found
        assert one.code == "F001"
        assert f"the last {len(pixels)} position" in one.message
    else:
        (one,) = found
        assert one.code == "F002"
        assert f": {len(tail)} position" in one.message
        read = before + n + after - len(tail) - (before + n)
        assert one.help.endswith(f"{before} before and {read} after")


@settings(deadline=None)  # machines differ in speed
@given(
    st.tuples(
        st.integers(0, 9),
        st.integers(1, 5),
        st.integers(1, 7),
        st.integers(2, 6),
        st.integers(0, 3),
    ),
    st.integers(1, 2),
)
def test_every_advice_fits(window, dilation):
    windows, rest, kernel, stride, pad = window
    # So many windows and a rest: what a stride divides needs no advice.
    n = (windows * stride + rest % stride) + dilation * (kernel - 1) + 1 - 2 * pad
    if n < 1:
        return

    def found(n=n, kernel=kernel, pad=pad):
        line = f"{{conv: 1, kernel: {kernel}, stride: {stride}, pad: {pad}, dilation: {dilation}}}"
        return lint(cnncalc.loads(image(f"1@{n}x{n}", line)))

    lost = found()
    if not lost or lost[0].code != "F001":
        return
    help = lost[0].help
    assert help.startswith("these would fit: an input of ")
    inputs = re.search(r"an input of (\d+)(?: or (\d+))?", help)
    for extent in filter(None, inputs.groups()):
        assert found(n=int(extent)) == []
        assert abs(int(extent) - n) < stride
    paddings = re.search(r"padding ([\d or]+)", help)
    for padding in re.findall(r"\d+", paddings[1]) if paddings else ():
        assert found(pad=int(padding)) == []
    kernels = re.search(r"a kernel of (\d+)", help)
    if kernels:
        assert found(kernel=int(kernels[1])) == []
