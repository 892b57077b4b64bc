"""Windows further apart than they are wide, and pools that repeat."""

import pytest

from cnncalc.diagnostic import Fix, Place, RemoveEntry
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

# F005 pool-skips-pixels


def test_window_and_stride_swapped():
    assert_finds(
        "F005",
        spec("64@14x14", "{maxpool: 2, stride: «3»}"),
        "maxpool1: the stride 3 is larger than the window 2: 1 of every 3 positions along the "
        "height are never read",
        help="a stride of 2 or a window of 3 reads them all",
    )


def test_along_the_width_only():
    (one,) = found("F005", spec("64@14x14", "{avgpool: 2, stride: [2, 4]}"))
    assert "2 of every 4 positions along the width" in one.message


@pytest.mark.parametrize(
    "line",
    [
        "{maxpool: 2}",
        "{maxpool: 3, stride: 2}",
        "{avgpool: 1, stride: 2}",  # option A of ResNet for CIFAR-10
        "{maxpool: 1, stride: 2}",  # the last level of a feature pyramid
        "{maxpool: 2, dilation: 2, stride: 3}",  # spans 3
        "{maxpool: 7, stride: 9}",  # a single window
        "{conv: 8, kernel: 2, stride: 3}",  # F006's
        "{maxunpool: 2, stride: 3}",
    ],
)
def test_pools_that_skip_nothing(line):
    assert_clean("F005", spec("8@14x14", line))


@pytest.mark.parametrize("kind", ["maxpool", "avgpool", "lppool", "subsample"])
def test_every_pool(kind):
    assert found("F005", spec("8@14x14", f"{{{kind}: 2, stride: 4}}"))


# F006 conv-skips-pixels

BOTTLENECK = """\
input: 256@56x56
blocks:
  bottleneck:
    parameters: {{first: , second: }}
    layers:
      - add:
          - - {{conv: 128, kernel: 1, stride: {first}}}
            - relu
            - {{conv: 128, kernel: 3, stride: {second}, pad: 1}}
            - relu
            - {{conv: 512, kernel: 1}}
          - - {{conv: 512, kernel: 1, stride: 2}}
      - relu
layers:
  - {{conv: 256, kernel: 3, pad: 1}}
  - relu
  - {{bottleneck: {{first: {one}, second: {two}}}}}
"""


def bottleneck(one: int, two: int) -> str:
    return BOTTLENECK.format(one=one, two=two, first="«first»", second="second")


def test_both_paths_of_the_first_resnets():
    assert_finds(
        "F006",
        bottleneck(2, 1),
        "bottleneck1.conv1: its window at this stride (and 1 more with this stride) reads 1 of "
        "every 2 positions along each axis of 256@56x56, and no layer reads the rest",
    )


def test_the_later_resnets_read_everything():
    plain, _ = unmarked(bottleneck(1, 2))
    assert_clean("F006", plain)


def test_the_axes_differ():
    (one,) = found("F006", spec("8@16x16", "relu", "{conv: 8, kernel: [3, 1], stride: [2, 4]}"))
    assert "reads 2 of every 2 and 1 of every 4 positions along the axes of 8@16x16" in one.message


@pytest.mark.parametrize(
    "lines",
    [
        ("{conv: 8, kernel: 2, stride: 2}",),
        ("{conv: 8, kernel: 1}",),
        ("{conv: 8, kernel: 1, stride: 16}",),  # a single window
        ("{conv: 8, kernel: 2, dilation: 2, stride: 3}",),
        # DARTS' factorised reduction: the other branch reads the map moved by one.
        (
            "{conv: 8, kernel: 1, name: x}",
            "concat: [[{conv: 4, kernel: 1, stride: 2}], "
            "[{crop: 15, offset: 1}, {conv: 4, kernel: 1, stride: 2, pad: [[0, 1], [0, 1]]}]]",
        ),
    ],
)
def test_convolutions_that_leave_nothing(lines):
    assert_clean("F006", spec("8@16x16", *lines))


def test_an_output_is_read_by_whoever_asked_for_it():
    text = "outputs: [x, y]\n" + spec(
        "8@16x16", "{relu: , name: x}", "{conv: 8, kernel: 1, stride: 2, name: y}"
    )
    assert_clean("F006", text)


def test_strides_that_differ_are_left_alone():
    text = spec(
        "8@24x24",
        "{relu: , name: x}",
        "{conv: 8, kernel: 1, stride: 2}",
        "{maxpool: 12}",
        "add: [[], [{conv: 8, kernel: 1, stride: 24, from: x}]]",
    )
    assert_clean("F006", text)


# F009 adaptive-pool-repeats, F012 uneven-adaptive-bins


def test_vgg_on_small_images():
    assert_finds(
        "F009",
        spec("512@1x1", "{adaptiveavgpool: «7»}"),
        "adaptiveavgpool1: it makes 512@7x7 of 512@1x1: the bins repeat positions, nothing is "
        "pooled",
        help="a size of at most 1x1",
    )


def test_larger_along_one_axis_is_one_finding():
    text = spec("8@13x4", "{adaptivemaxpool: 6}")
    assert found("F009", text)[0].help == "a size of at most 6x4"
    assert_clean("F012", text)


def test_13_into_6_bins():
    """floor(13i/6) = 0 2 4 6 8 10, ceil(13(i+1)/6) = 3 5 7 9 11 13: 3 each."""
    assert_finds(
        "F012",
        spec("256@13x13", "{adaptivemaxpool: «6»}"),
        "adaptivemaxpool1: 6 bins do not divide the height 13: they cover 3 positions each, and "
        "overlap",
        help="an input of 12 or 18 divides evenly, or a size that divides 13",
    )


def test_bins_of_two_widths():
    """floor(10i/4) = 0 2 5 7, ceil = 3 5 8 10: 3, 3, 3, 3; of 11: 0 2 5 8 and 3 6 9 11: 3 4 4 3."""
    (one,) = found("F012", spec("256@12x11", "{adaptivemaxpool: 4}"))
    assert "the width 11: they cover 3 or 4 positions" in one.message


@pytest.mark.parametrize(
    ("shape", "size"), [("8@7x7", 7), ("8@14x7", 7), ("8@60x60", 6), ("8@13x13", 1), ("8@HxW", 7)]
)
def test_even_bins(shape, size):
    """torchvision's VGG at 224, PSPNet's pyramid, a global pool."""
    for code in ("F009", "F012"):
        assert_clean(code, spec(shape, f"{{adaptiveavgpool: {size}}}"))


# F010 ceil-adds-partial-window


def test_the_first_pool_of_googlenet():
    """(112 - 3)/2 = 54.5: 56 windows, the last over 110, 111 and one beyond."""
    assert_finds(
        "F010",
        spec("64@112x112", "{maxpool: 3, stride: 2, ceil: «true»}"),
        "maxpool1: the last window hangs 1 past the height 112: 56 outputs where rounding down "
        "gives 55",
        help="1 more padding after the input gives the same size without `ceil`",
    )


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("8@113x113", "{maxpool: 3, stride: 2, ceil: true}"),
        ("8@112x112", "{maxpool: 3, stride: 2}"),
        ("8@HxW", "{maxpool: 3, stride: 2, ceil: true}"),
    ],
)
def test_nothing_hangs_over(shape, line):
    assert_clean("F010", spec(shape, line))


# F014 dilation-without-taps


def test_a_dilated_1x1():
    text = spec("64@33x33", "{conv: 64, kernel: 1, dilation: «2»}")
    assert_finds(
        "F014",
        text,
        "conv1: a window of 1 is not changed by the dilation 2",
        help="leave `dilation` out, or widen the window: a kernel of 3 would span 5",
    )
    plain, _ = unmarked(text)
    assert found("F014", plain)[0].fix == Fix(
        "remove the dilation", True, (RemoveEntry(Place(3, 27, 3, 35)),)
    )


def test_a_dilation_that_comes_from_a_parameter():
    """ASPP with rate 1, 6, 12: the same block serves for the 1x1 branch."""
    text = (
        "input: 8@33x33\n"
        "blocks:\n"
        "  aspp:\n"
        "    parameters: {k: , rate: }\n"
        '    layers: [{conv: 8, kernel: k, pad: "rate*(k//2)", dilation: rate}, relu]\n'
        "layers: [{aspp: {k: 1, rate: 2}}, {aspp: {k: 3, rate: 2}}]"
    )
    assert_clean("F014", text)


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 8, kernel: 3, dilation: 2}",
        "{conv: 8, kernel: [1, 3], dilation: 2}",
        "{conv: 8, kernel: 1, dilation: 1}",
        "{convtranspose: 8, kernel: 1, stride: 2, dilation: 2, output_padding: 1}",
    ],
)
def test_dilations_that_matter(line):
    assert_clean("F014", spec("8@33x33", line))
