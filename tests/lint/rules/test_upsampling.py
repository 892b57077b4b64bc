"""Transposed convolutions and upsampling: overlap, gaps, sizes."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.diagnostic import Fix, SetOption, SwapItems
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import figures, unmarked

# U001 checkerboard-overlap


def test_the_decoder_of_cyclegan():
    """3 taps at stride 2: even outputs get one tap, odd ones two."""
    text = spec(
        "64@16x16", "«{convtranspose: 32, kernel: 3, stride: 2, pad: 1, output_padding: 1}»"
    )
    plain, (place,) = unmarked(text)
    marked = plain.replace("kernel: 3", "kernel: «3»")
    assert_finds(
        "U001",
        marked,
        "convtranspose1: the kernel 3 is no multiple of the stride 2: along each axis an output "
        "gets 1 or 2 taps by turns",
        help="{kernel: 4, output_padding: 0} overlaps evenly and keeps the size; or resize the map "
        "and convolve then",
    )
    edits = (SetOption(place, "kernel", "4"), SetOption(place, "output_padding", "0"))
    assert found("U001", plain)[0].fix == Fix("set kernel: 4, output_padding: 0", False, edits)


@pytest.mark.parametrize(
    ("options", "better"),
    [
        # DCGAN in TensorFlow: 2n = (n-1)*2 - 4 + 5 + 1 = (n-1)*2 - 4 + 6.
        ("kernel: 5, stride: 2, pad: 2, output_padding: 1", "kernel: 6, output_padding: 0"),
        # (n-1)*2 - 2 + 3 = (n-1)*2 - 4 + 4 + 1
        ("kernel: 3, stride: 2, pad: 1", "kernel: 4, pad: 2, output_padding: 1"),
        # (n-1)*3 + 4 = (n-1)*3 - 2 + 6
        ("kernel: 4, stride: 3", "kernel: 6, pad: 1"),
        # (n-1)*2 + 3 = (n-1)*2 - 2 + 4 + 1
        ("kernel: 3, stride: 2", "kernel: 4, pad: 1, output_padding: 1"),
        ("kernel: 3, stride: 2, pad: same", "kernel: 4"),
        # (n-1)*2 + 3*2 + 1 = (n-1)*2 - 2*p + 3*(k-1) + 1: dilation 3 takes 2*3 more for k = 5
        ("kernel: 3, stride: 2, dilation: 3", "kernel: 4, pad: 2, output_padding: 1"),
    ],
)
def test_what_is_proposed_keeps_the_size_and_is_even(options, better):
    text = spec("8@9x9", f"{{convtranspose: 8, {options}}}")
    (one,) = found("U001", text)
    assert one.help.startswith(f"{{{better}}} overlaps evenly")
    given = dict(pair.split(": ") for pair in options.split(", "))
    given |= dict(pair.split(": ") for pair in better.split(", "))
    mended = ", ".join(f"{key}: {value}" for key, value in given.items())
    fixed = spec("8@9x9", f"{{convtranspose: 8, {mended}}}")
    assert found("U001", fixed) == []
    assert figures(fixed)["convtranspose1"][0] == figures(text)["convtranspose1"][0]
    assert [(e.option, e.value) for e in one.fix.edits] == [
        tuple(pair.split(": ")) for pair in better.split(", ")
    ]


@pytest.mark.parametrize(
    "options",
    [
        "kernel: [3, 4], stride: 2",
        "kernel: 3, stride: 2, pad: [[0, 1], [0, 1]]",
        "kernel: 3, stride: 2, output_padding: [0, 1]",
    ],
)
def test_no_fix_where_the_axes_or_sides_differ(options):
    (one,) = found("U001", spec("8@9x9", f"{{convtranspose: 8, {options}}}"))
    assert one.fix is None
    assert one.help == "a kernel of 4 overlaps evenly; or resize the map and convolve then"


def test_a_kernel_of_a_parameter_is_not_edited():
    text = (
        "input: 8@9x9\nblocks:\n  up: {parameters: {k: 3}, layers: "
        "[{convtranspose: 8, kernel: k, stride: 2, pad: 1, output_padding: 1}, relu]}\n"
        "layers: [up]"
    )
    (one,) = found("U001", text)
    assert one.fix is None
    assert one.help.startswith("{kernel: 4, output_padding: 0}")


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ("8@9x9", "kernel: 2, stride: 2"),  # U-Net
        ("8@9x9", "kernel: 4, stride: 2, pad: 1"),  # pix2pix, DCGAN
        ("8@9x9", "kernel: 16, stride: 8, pad: 4"),  # FCN
        ("8@9x9", "kernel: 9, stride: 3, pad: 3"),  # FSRCNN
        ("8@9x9", "kernel: 3, pad: 1"),
        ("100@1x1", "kernel: 3, stride: 2"),  # one position overlaps with none
        ("8@9x9", "kernel: 2, stride: 3"),  # U002's
        ("8@1x9", "kernel: [3, 4], stride: 2"),
    ],
)
def test_even_overlap(shape, options):
    assert_clean("U001", spec(shape, f"{{convtranspose: 8, {options}}}"))


def test_a_symbolic_map_overlaps_all_the_same():
    (one,) = found("U001", spec("8@HxW", "{convtranspose: 8, kernel: 3, stride: 2}"))
    assert one.code == "U001"


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(1, 5), st.integers(1, 4), st.integers(9, 12))
def test_overlap_by_laying_every_kernel(kernel, stride, dilation, n):
    """How many taps each output in the middle gets, counted one by one."""
    taps = Counter(i * stride + t * dilation for i in range(n) for t in range(kernel))
    reach = dilation * (kernel - 1)
    middle = {taps[j] for j in range(reach, (n - 1) * stride + 1)}
    if not middle:
        return
    text = spec(
        f"1@{n}", f"{{convtranspose: 1, kernel: {kernel}, stride: {stride}, dilation: {dilation}}}"
    )
    # Fewer positions than a period do not show the pattern.
    if (n - 1) * stride + 1 - reach < stride:
        return
    assert bool(found("U002", text)) == (0 in middle)
    assert bool(found("U001", text)) == (0 not in middle and len(middle) > 1)


# U002 transposed-kernel-leaves-gaps


def test_a_kernel_smaller_than_its_stride():
    assert_finds(
        "U002",
        spec("64@16x16", "{convtranspose: 32, kernel: «2», stride: 3}"),
        "convtranspose1: the kernel 2 is smaller than the stride 3: 1 of every 3 outputs along an "
        "axis get nothing but the bias",
        help="a kernel of 3 reaches every output once, 6 twice",
    )


def test_a_dilation_that_shares_a_factor_with_the_stride():
    """Taps at 0, 2, 4 from inputs at 0, 2, 4, ...: never an odd output."""
    assert_finds(
        "U002",
        spec("8@16x16", "{convtranspose: 8, kernel: 3, stride: 2, dilation: «2»}"),
        "convtranspose1: the dilation 2 and the stride 2 share the factor 2: 1 of every 2 outputs "
        "along an axis get nothing but the bias",
        help="a dilation of 1 reaches them",
    )


def test_a_single_position_has_no_gaps():
    assert_clean("U002", spec("8@1x1", "{convtranspose: 8, kernel: 2, stride: 3}"))


# U003 transposed-without-stride


@pytest.mark.parametrize(
    ("options", "help"),
    [
        ("kernel: 3, pad: 1", "{conv: 8, kernel: 3, pad: 1} computes the same"),
        ("kernel: 3, pad: 2", "{conv: 8, kernel: 3} computes the same"),
        ("kernel: 5", "{conv: 8, kernel: 5, pad: 4} computes the same"),
        ("kernel: [3, 1]", "{conv: 8, kernel: [3, 1], pad: [2, 0]} computes the same"),
        (
            "kernel: 3, pad: 1, dilation: 2, groups: 4, output_padding: 1",
            "{conv: 8, kernel: 3, pad: [[3, 4], [3, 4]], dilation: 2, groups: 4} computes the same",
        ),
    ],
)
def test_the_convolution_that_does_the_same(options, help):
    """Padding k - 1 - p of the dilated kernel; the output padding goes after."""
    text = spec("8@9x9", f"«{{convtranspose: 8, {options}}}»")
    assert_finds(
        "U003",
        text,
        "convtranspose1: a transposed convolution with stride 1 is a convolution with its kernel "
        "flipped",
        help=help,
    )
    plain, _ = unmarked(text)
    conv = spec("8@9x9", help.removesuffix(" computes the same"))
    assert figures(conv)["conv1"] == figures(plain)["convtranspose1"]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ("100@1x1", "kernel: 4"),  # DCGAN's projection
        ("8@9x9", "kernel: 3, pad: 3"),  # crops more than a convolution can
        ("8@9x9", "kernel: 2, stride: [1, 2]"),
    ],
)
def test_transposed_convolutions_that_are_none(shape, options):
    assert_clean("U003", spec(shape, f"{{convtranspose: 8, {options}}}"))


# U004 unmirrored-size

ENCODER = ("{conv: 16, kernel: 3, stride: 2, pad: 1, name: down}", "relu")


def test_an_autoencoder_that_comes_back_too_small():
    """28 -> 14 by (28 + 2 - 3)//2 + 1; back 13*2 - 2 + 3 = 27."""
    text = spec("1@28x28", *ENCODER, "«{convtranspose: 1, kernel: 3, stride: 2, pad: 1}»")
    assert_finds(
        "U004",
        text,
        "convtranspose1: it mirrors `down`, which reads 28x28, but makes 27x27",
        help="output_padding: 1 makes 28x28",
    )
    plain, (place,) = unmarked(text)
    edit = SetOption(place, "output_padding", "1")
    assert found("U004", plain)[0].fix == Fix("set output_padding: 1", False, (edit,))


def test_the_axes_differ():
    text = spec("1@28x27", *ENCODER, "{convtranspose: 1, kernel: 3, stride: 2, pad: 1}")
    assert found("U004", text)[0].help == "output_padding: [1, 0] makes 28x27"


def test_only_the_first_of_a_chain_is_at_fault():
    """28 -> 14 -> 7 -> 4; back 7, then 13 for 14; what follows mirrors nothing."""
    down = "{conv: 8, kernel: 3, stride: 2, pad: 1}"
    up = "{convtranspose: 8, kernel: 3, stride: 2, pad: 1}"
    text = spec("8@28x28", down, down, down, up, f"«{up}»", up)
    assert_finds(
        "U004", text, "convtranspose2: it mirrors `conv2`, which reads 14x14, but makes 13x13"
    )


@pytest.mark.parametrize(
    "lines",
    [
        (*ENCODER, "{convtranspose: 1, kernel: 3, stride: 2, pad: 1, output_padding: 1}"),
        (*ENCODER, "{convtranspose: 1, kernel: 4, stride: 2, pad: 1}"),  # another kernel
        (*ENCODER, "{convtranspose: 1, kernel: 3, stride: 2, pad: same}"),
        (
            *ENCODER,
            "{convtranspose: 1, kernel: 3, stride: 2, pad: 1}",
            "{zeropad: [[0, 1], [0, 1]]}",
        ),
        (*ENCODER, "{convtranspose: 1, kernel: 3, stride: 2, pad: 1}", "{upsample: , size: 28}"),
        (
            "{conv: 16, kernel: 4, stride: 2, pad: 1}",
            "{convtranspose: 1, kernel: 4, stride: 2, pad: 1}",
        ),
        ("{maxpool: 2}", "{convtranspose: 1, kernel: 2, stride: 2}"),  # U-Net
        ("{convtranspose: 1, kernel: 3, stride: 2, pad: 1}",),
    ],
)
def test_sizes_that_come_back(lines):
    assert_clean("U004", spec("1@28x28", *lines))


def test_two_encoders_of_one_shape():
    """27 and 28 both give 14; the way back is that of one of them."""
    text = (
        "input: {a: 1@27x27, b: 1@28x28}\nlayers:\n"
        "  - {conv: 8, kernel: 3, stride: 2, pad: 1, from: a, name: x}\n"
        "  - {conv: 8, kernel: 3, stride: 2, pad: 1, from: b}\n"
        "  - add: [x, []]\n"
        "  - {convtranspose: 1, kernel: 3, stride: 2, pad: 1}"
    )
    assert_clean("U004", text)


# U005 pointwise-after-upsampling


def test_a_1x1_convolution_behind_an_upsampling():
    """28*28*128*256 = 25,690,112; on 14x14 a quarter."""
    text = spec("256@14x14", "«{upsample: 2}»", "«{conv: 128, kernel: 1}»", "relu")
    plain, places = unmarked(text)
    marked = plain.replace("{conv: 128, kernel: 1}", "«{conv: 128, kernel: 1}»")
    assert_finds(
        "U005",
        marked,
        "conv1: a 1x1 convolution computes the same before the upsampling, with 6,422,528 MACs "
        "instead of 25,690,112",
        help="put it before `upsample1`",
    )
    edit = SwapItems(*places)
    assert found("U005", plain)[0].fix == Fix("convolve before upsampling", True, (edit,))


@pytest.mark.parametrize(
    "lines",
    [
        ("{upsample: 2, name: up}", "{conv: 8, kernel: 1}"),
        ("{upsample: 2}", "{conv: 8, kernel: 1, expect: 8@16x16}"),
        ("{upsample: 2}", "{conv: 8, kernel: 1}", "{conv: 8, kernel: 3, from: conv1}"),
        ("add: [[{conv: 8, kernel: 3, pad: 1}, {upsample: 2}], [{upsample: 2}]]", "{upsample: 2}"),
    ],
)
def test_no_fix_where_something_depends_on_the_order(lines):
    assert all(one.fix is None for one in found("U005", spec("8@8x8", *lines)))


@pytest.mark.parametrize(
    "lines",
    [
        ("{upsample: 2}", "{conv: 16, kernel: 1}"),  # more channels to upsample
        ("{upsample: 2}", "{conv: 8, kernel: 3, pad: 1}"),
        ("{upsample: 2}", "{conv: 8, kernel: 1, stride: 2}"),
        ("{upsample: 2}", "{conv: 8, kernel: 1, pad: 1}"),
        ("{upsample: 2, mode: nails}", "{conv: 8, kernel: 1}"),  # the bias would fall between
        ("{upsample: , size: 4}", "{conv: 8, kernel: 1}"),  # smaller
        ("{upsample: 2}", "relu", "{conv: 8, kernel: 1}"),
        ("{upsample: 2}", "add: [[{conv: 8, kernel: 1}], []]"),  # read twice
        ("{conv: 8, kernel: 1}", "{upsample: 2}"),
    ],
)
def test_convolutions_in_their_place(lines):
    assert_clean("U005", spec("8@8x8", *lines))
