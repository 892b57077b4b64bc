"""Dilated layers in a row; what a unit really sees is followed position by position."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses.reachability import seen_positions
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked


def conv(dilation, kernel=3, **options):
    more = "".join(f", {name}: {value}" for name, value in options.items())
    pad = dilation * (kernel - 1) // 2
    return f"{{conv: 4, kernel: {kernel}, pad: {pad}, dilation: {dilation}{more}}}"


def rows(*dilations):
    return [line for one in dilations for line in (conv(one), "relu")]


def test_two_dilations_with_a_common_factor():
    assert_finds(
        "R004",
        spec("3@64x64", *rows(2), "{conv: 4, kernel: 3, pad: 4, dilation: «4»}", "relu"),
        "conv2: 2 dilated layers in a row share the factor 2: of 2 pixels in a line its units see "
        "at most 1",
        help="start with an undilated 3x3 convolution, or take dilations without a common factor "
        "(1, 2, 5)",
    )


@pytest.mark.parametrize(
    "dilations",
    [
        [2],  # one layer: that is what a dilation is
        [1, 2, 4, 8],  # Yu and Koltun 2016
        [2, 2, 1],  # Yu et al. 2017 end with undilated layers
        [2, 3],
        [1, 2, 5],  # Wang et al. 2018
    ],
)
def test_what_has_no_common_holes(dilations):
    assert_clean("R004", spec("3@64x64", *rows(*dilations), "{conv: 2, kernel: 1}"))


def test_fields_that_close_the_gaps():
    """Behind a 3x3 convolution and a pool fields of 4 lie 2 apart: every second one covers all.

    With the factor 4 they lie 8 apart, and 4 of 8 pixels are seen.
    """
    stem = [conv(1), "relu", "{maxpool: 2}"]
    assert_clean("R004", spec("3@64x64", *stem, *rows(2, 2)))
    (one,) = found("R004", spec("3@64x64", *stem, *rows(4, 4)))
    assert one.message == (
        "conv3: 2 dilated layers in a row share the factor 4: of 8 pixels in a line its units see "
        "at most 4"
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1, 3])), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_finding_means_holes(layers, pooled):
    """Position by position: the unit in the middle misses pixels between those it sees."""
    lines = [conv(dilation if kernel > 1 else 1, kernel) for dilation, kernel in layers]
    if pooled:
        lines.insert(0, "{maxpool: 2}")
    network = cnncalc.loads(spec("1@160", *lines))
    seen = seen_positions(network, len(network.nodes) - 1)
    middle = seen[len(seen) // 2]
    holes = middle[-1] - middle[0] + 1 > len(middle)
    if any(one.code == "R004" for one in cnncalc.lint(network)):
        assert holes
    dilated = [dilation for dilation, kernel in layers if kernel > 1]
    if not pooled and len(dilated) > 1 and min(dilated) == max(dilated) > 1:
        assert found("R004", network.text)


def test_a_residual_block_is_followed_along_both_ways():
    block = "add: [[%s, relu, %s], []]"
    dilated = spec("4@64x64", block % (conv(2), conv(2)), "relu")
    assert [one.code for one in found("R004", dilated)] == ["R004"]
    assert_clean("R004", spec("4@64x64", block % (conv(2), conv(1)), "relu"))
    # Another way that sees neighbours fills the holes.
    assert_clean(
        "R004", spec("4@64x64", f"add: [[{conv(2)}, relu, {conv(2)}], [{conv(1)}]]", "relu")
    )


def test_axes_are_followed_by_themselves():
    """ERFNet's pairs: 3x1 with dilation [2, 1], then 1x3 with [1, 2]."""
    pair = [
        "{conv: 4, kernel: [3, 1], pad: [2, 0], dilation: [2, 1]}",
        "relu",
        "{conv: 4, kernel: [1, 3], pad: [0, 2], dilation: [1, 2]}",
        "relu",
    ]
    assert_clean("R004", spec("4@64x64", *pair))
    assert len(found("R004", spec("4@64x64", *pair, *pair))) == 1


@pytest.mark.parametrize(
    "end",
    [
        "globalavgpool",
        "flatten",
        "{convtranspose: 2, kernel: 4, stride: 2}",
        "{conv: 4, kernel: 3, stride: 2}",
    ],
)
def test_what_follows_mixes_the_grids(end):
    assert_clean("R004", spec("4@65x65", *rows(2, 2), end))


def test_an_upsampling_does_not_mix_them_but_windows_behind_it_may():
    assert len(found("R004", spec("4@64x64", *rows(2, 2), "{upsample: 2}"))) == 1
    assert_clean("R004", spec("4@64x64", *rows(2, 2), "{upsample: 2}", conv(1)))


# R009 repeated-dilation

STEM = [
    "{conv: 4, kernel: 3, pad: 1}",
    "relu",
    "{maxpool: 2}",
    "{conv: 4, kernel: 3, pad: 1}",
    "relu",
]


def test_the_back_end_of_csrnet():
    """Six layers of dilation 2 behind VGG's ten (Li, Zhang and Chen 2018), no other behind."""
    assert_finds(
        "R009",
        spec(
            "3@64x64",
            *STEM,
            *rows(2) * 5,
            "{conv: 4, kernel: 3, pad: 2, dilation: «2»}",
            "relu",
            "{conv: 1, kernel: 1}",
        ),
        "conv8: 6 dilated layers in a row share the factor 2: a unit depends on every 2nd unit of "
        "`conv2`, its neighbour on others",
        help="follow them by an undilated 3x3 convolution, or vary the dilations (1, 2, 5)",
    )


@pytest.mark.parametrize(
    "dilations",
    [
        [2, 2],  # few
        [2, 4, 8],  # WaveNet grows them: every step closes the gaps of the one before
        [2, 2, 2, 1],  # torchvision's DeepLab ends with a 3x3 convolution
        [2, 3, 2],
    ],
)
def test_what_is_no_repetition(dilations):
    assert_clean("R009", spec("3@64x64", *STEM, *rows(*dilations), "{conv: 1, kernel: 1}"))


def test_wavenet_is_dense():
    causal = [f"{{conv: 4, kernel: 2, pad: [[{d}, 0]], dilation: {d}}}" for d in (1, 2, 4, 8, 16)]
    text = spec("1@1000", *causal, *causal)
    assert_clean("R004", text)
    assert_clean("R009", text)


def test_one_finding_where_pixels_are_missed_altogether():
    text = spec("3@64x64", *rows(2, 2, 2))
    assert len(found("R004", text)) == 1
    assert_clean("R009", text)


@pytest.mark.parametrize(("factor", "word"), [(3, "3rd"), (4, "4th")])
def test_the_grid_is_numbered(factor, word):
    stem = [*STEM, "{conv: 4, kernel: 5, pad: 2}", "relu"]
    (one,) = found("R009", spec("3@64x64", *stem, *rows(factor) * 3))
    assert f"every {word} unit of `conv3`" in one.message


def test_a_symbolic_input_is_judged_all_the_same():
    text = unmarked(spec("3@HxW", *rows(2, 2)))[0]
    assert len(found("R004", text)) == 1
