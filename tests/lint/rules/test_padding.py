"""Padding: what taps and outputs see is counted one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.diagnostic import Fix, Place, SetOption
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

# F003 taps-see-only-padding


def test_a_padded_kernel_on_a_single_position():
    """Rows -1, 0, 1 of a map with row 0 alone: one tap of three on each axis, 1 of 9."""
    assert_finds(
        "F003",
        spec("64@1x1", "{conv: 32, kernel: «3», pad: 1}"),
        "conv1: 8 of the 9 taps of its 3x3 kernel see only padding around the map 64@1x1: "
        "16,384 of its 18,432 weights are never used",  # 32*64*9 = 18432; 32*64*8 = 16384
        help="{kernel: 1, pad: 0} computes the same",
    )


def test_resnet_on_cifar_10():
    """ResNet-18 as for ImageNet takes 32x32 to 1x1: the last stage has dead taps."""
    text = spec(
        "3@32x32",
        "{conv: 64, kernel: 7, stride: 2, pad: 3}",  # 16
        "relu",
        "{maxpool: 3, stride: 2, pad: 1}",  # 8
        "{conv: 128, kernel: 3, stride: 2, pad: 1}",  # 4
        "relu",
        "{conv: 256, kernel: 3, stride: 2, pad: 1}",  # 2
        "relu",
        "{conv: 512, kernel: «3», stride: 2, pad: 1}",  # 1: rows -1 0 1, of which 0 1 are there
        "relu",
        "{conv: 512, kernel: «3», pad: 1}",
    )
    assert_finds(
        "F003",
        text,
        "conv4: 5 of the 9 taps of its 3x3 kernel see only padding around the map 256@2x2: "
        "655,360 of its 1,179,648 weights are never used",
        "conv5: 8 of the 9 taps of its 3x3 kernel see only padding around the map 512@1x1: "
        "2,097,152 of its 2,359,296 weights are never used",
    )


def test_a_dilation_as_large_as_the_map():
    """DeepLab v3, section 3.3. Taps at i - 18, i, i + 18 for i = 0..13 of 14: the middle one."""
    assert_finds(
        "F003",
        spec("256@14x14", "{conv: 256, kernel: «3», pad: 18, dilation: 18}"),
        "conv1: 8 of the 9 taps of its 3x3 kernel see only padding around the map 256@14x14: "
        "524,288 of its 589,824 weights are never used",
        help="{kernel: 1, pad: 0} computes the same",
    )


@pytest.mark.parametrize(("n", "rate"), [(33, 6), (33, 12), (33, 18), (65, 36), (19, 18)])
def test_the_rates_of_deeplab_reach_the_map(n, rate):
    assert_clean(
        "F003", spec(f"8@{n}x{n}", f"{{conv: 8, kernel: 3, pad: {rate}, dilation: {rate}}}")
    )


@pytest.mark.parametrize(
    ("shape", "line", "help"),
    [
        # Rows of a map of height 1 under pad 1; columns 0..4 are all seen.
        (
            "8@1x5",
            "{conv: 8, kernel: 3, pad: 1}",
            "{kernel: [1, 3], pad: [0, 1]} computes the same",
        ),
        # One window over rows -1, 0, 1 of a map of 2.
        ("8@2", "{conv: 8, kernel: 3, stride: 2, pad: 1}", "{kernel: 2, pad: 0} computes the same"),
        # SAME of 2 at stride 2 pads (0, 1): rows 0, 1, 2.
        ("8@2", "{depthwise: 3, stride: 2, pad: same}", "{kernel: 2, pad: 0} computes the same"),
        ("8@1", "{separableconv: 4, kernel: 3, pad: 1}", "{kernel: 1, pad: 0} computes the same"),
        ("8@1", "{anchorhead: 3, values: 4, kernel: 3, pad: 1}", None),
        # Causal: positions i - 2, i - 1, i of a single one.
        ("8@1", "{conv: 8, kernel: 3, pad: [[2, 0]]}", "{kernel: 1, pad: 0} computes the same"),
    ],
)
def test_other_layers_and_paddings(shape, line, help):
    (one,) = found("F003", spec(shape, line))
    if help:
        assert one.help == help


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("8@2x2", "{conv: 8, kernel: 3, pad: 1}"),  # VGG on 32x32: every tap meets some pixel
        ("8@7x7", "{conv: 8, kernel: 7, pad: 3}"),
        ("8@13x13", "{maxpool: 13, stride: 1, pad: 6}"),  # no weights
        ("8@1x1", "{conv: 8, kernel: 1}"),
        ("8@3x3", "{conv: 8, kernel: 3}"),
        ("8@HxW", "{conv: 8, kernel: 3, pad: 1}"),
        ("8@1x1", "{convtranspose: 8, kernel: 4}"),
        ("C@3x3", "{conv: 8, kernel: 3, pad: 1}"),
        ("8@1", "{conv: 8, kernel: 200001, pad: 100000}"),  # not looked at tap by tap
    ],
)
def test_taps_that_see_something(shape, line):
    assert_clean("F003", spec(shape, line))


def test_symbolic_channels_are_not_counted():
    (one,) = found("F003", spec("C@1x1", "{conv: 8, kernel: 3, pad: 1}"))
    assert one.message.endswith("see only padding around the map C@1x1")


def test_a_block_used_on_maps_of_two_sizes():
    """Dead where the map has come down to 1x1 only: said once, of that layer."""
    text = (
        "input: 8@2x2\nblocks:\n  body: {layers: [{conv: 8, kernel: «3», pad: 1}, relu]}\n"
        "layers: [body, {maxpool: 2}, body, body]"
    )
    assert_finds(
        "F003",
        text,
        "body2.conv1: 8 of the 9 taps of its 3x3 kernel see only padding around the map 8@1x1: "
        "512 of its 576 weights are never used (and in 1 more layer from this line)",
    )


@st.composite
def convolutions(draw):
    kernel, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    span = dilation * (kernel - 1) + 1
    before, after = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    n = draw(st.integers(max(1, span - before - after), 14))
    return n, kernel, draw(st.integers(1, 4)), before, after, dilation


def laid(n, kernel, stride, before, after, dilation):
    """For each window, the taps that lie on the map."""
    span = dilation * (kernel - 1) + 1
    return [
        [tap for tap in range(kernel) if 0 <= start + tap * dilation - before < n]
        for start in range(0, n + before + after - span + 1, stride)
    ]


def line(n, kernel, stride, before, after, dilation):
    return spec(
        f"1@{n}",
        f"{{conv: 1, kernel: {kernel}, stride: {stride}, pad: [[{before}, {after}]], "
        f"dilation: {dilation}}}",
    )


@settings(deadline=None)
@given(convolutions())
def test_dead_taps_and_blind_outputs_by_laying_every_window(window):
    n, kernel, stride, before, _, dilation = window
    windows = laid(*window)
    span = dilation * (kernel - 1) + 1
    starts = range(0, len(windows) * stride, stride)
    outside = [s for s in starts if s + span <= before or s >= before + n]
    blind = found("F004", line(*window))
    assert bool(blind) == bool(outside)
    if outside:
        assert f"{len(outside)} of the {len(windows)} positions" in blind[0].message
    live = {tap for taps in windows for tap in taps}
    dead = found("F003", line(*window))
    assert bool(dead) == (not outside and len(live) < kernel)
    if dead:
        assert f"{kernel - len(live)} of the {kernel} taps" in dead[0].message


# F004 outputs-see-only-padding


def test_a_padded_1x1_convolution():
    """13 + 2 = 15 positions each way, of which 13 see the map: 225 - 169."""
    assert_finds(
        "F004",
        spec("64@13x13", "{conv: 10, kernel: 1, pad: «1»}"),
        "conv1: 56 of the 225 positions of its output 10@15x15 are computed from padding alone",
        help="leave the padding out: the window is a single pixel",
    )


def test_fcn():
    """Pad 100 under 3x3: outputs 0..97 and the last 98 of 422 see nothing: 422^2 - 226^2."""
    assert_finds(
        "F004",
        spec("3@224x224", "{conv: 64, kernel: 3, pad: «100»}"),
        "conv1: 127,008 of the 178,084 positions of its output 64@422x422 are computed from "
        "padding alone",
        help="padding of at most 2 lets every window touch the map",
    )


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 8, kernel: 3, pad: 2}",
        "{conv: 8, kernel: 3, pad: 4, dilation: 2}",
        "{conv: 8, kernel: 1, stride: 2}",
        "{conv: 8, kernel: 3, pad: [[2, 0], [0, 2]]}",
        "{convtranspose: 8, kernel: 3, stride: 2, pad: 3}",  # there it crops
        "{zeropad: 3}",
    ],
)
def test_every_window_touches_the_map(line):
    assert_clean("F004", spec("8@8x8", line))


# F007 even-kernel-shifts-map


def test_an_even_kernel_under_same():
    assert_finds(
        "F007",
        spec("3@32x32", "{conv: 16, kernel: «4», pad: same}"),
        "conv1: a window of 4 has no centre: `pad: same` pads 1 before and 2 after, which moves "
        "the map by half a position",
        help="a window of 3 or 5 keeps every position in place",
    )


def test_tiny_yolo():
    """Its last pool has a window of 2 at stride 1, padded after."""
    (one,) = found("F007", spec("512@13x13", "{maxpool: 2, stride: 1, pad: same}"))
    assert "0 before and 1 after" in one.message


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 16, kernel: 3, pad: same}",
        "{conv: 16, kernel: 4, pad: 1}",  # PatchGAN: smaller, but in place
        "{conv: 16, kernel: 2}",
        "{conv: 16, kernel: 2, dilation: 2, pad: same}",  # spans 3
        "{conv: 16, kernel: 4, stride: 2, pad: same}",
        "{conv: 16, kernel: 4, pad: [[3, 0], [3, 0]]}",  # causal, as asked
    ],
)
def test_what_does_not_shift(line):
    assert_clean("F007", spec("3@32x32", line))


# F008 same-padding-off-centre


def test_same_at_stride_2():
    """TensorFlow: (112 - 1)*2 + 3 - 224 = 1, after."""
    assert_finds(
        "F008",
        spec("3@224x224", "{conv: 32, kernel: 3, stride: 2, pad: «same»}"),
        "conv1: `same` pads a height of 224 by 0 before and 1 after at stride 2; other sizes are "
        "padded otherwise",
        help="pad: [[0, 1], [0, 1]] says it for this size alone, as frameworks without `same` need "
        "it",
    )


def test_only_the_width_is_uneven():
    (one,) = found("F008", spec("3@225x224", "{conv: 32, kernel: 3, stride: 2, pad: same}"))
    assert "a width of 224" in one.message
    assert one.help.startswith("pad: [[1, 1], [0, 1]] says")


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("3@225x225", "{conv: 32, kernel: 3, stride: 2, pad: same}"),  # 2 in all
        ("3@224x224", "{conv: 32, kernel: 2, stride: 2, pad: same}"),  # none
        ("3@224x224", "{conv: 32, kernel: 4, stride: 2, pad: same}"),  # 1 and 1
        ("3@224x224", "{conv: 32, kernel: 3, stride: 2, pad: 1}"),
        ("3@HxW", "{conv: 32, kernel: 3, stride: 2, pad: same}"),
    ],
)
def test_same_that_is_even(shape, line):
    assert_clean("F008", spec(shape, line))


# F011 padding-in-average


def test_the_pool_branch_of_inception_v3():
    """At the corner 2x2 pixels of 9 taps."""
    text = spec("192@35x35", "{avgpool: 3, stride: 1, pad: «1»}")
    assert_finds(
        "F011",
        text,
        "avgpool1: its average at the corner is over 4 pixels and 5 zeros of padding",
    )
    plain, _ = unmarked(text)
    (one,) = found("F011", plain)
    edit = SetOption(Place(3, 5, 3, 36), "count_include_pad", "false")
    assert one.fix == Fix("average pixels alone", False, (edit,))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{avgpool: 2, stride: 1, pad: same}", "over 1 pixel and 3 zeros"),
        # Windows at -1, 1, ..., 7: the last ends at the pixel 9, the first has a row of zeros.
        ("{avgpool: 3, stride: 2, pad: 1}", "over 4 pixels and 5 zeros"),
        # ceil: starts 0, 3, 6, 9; the last reads pixel 9, then hangs over: nothing is counted.
        ("{avgpool: 3, stride: 3, pad: [[1, 0], [0, 0]], ceil: true}", "over 6 pixels and 3 zeros"),
    ],
)
def test_the_darkest_corner(line, message):
    (one,) = found("F011", spec("8@10x10", line))
    assert message in one.message


@pytest.mark.parametrize(
    "line",
    [
        "{avgpool: 3, stride: 1, pad: 1, count_include_pad: true}",  # said on purpose
        "{avgpool: 3, stride: 1, pad: 1, count_include_pad: false}",
        "{avgpool: 2}",
        "{avgpool: 3, stride: 3, ceil: true}",
        "{maxpool: 3, stride: 1, pad: 1}",
        "{avgpool: 2, pad: [[0, 1], [0, 1]]}",  # that padding is never read
    ],
)
def test_averages_without_zeros(line):
    assert_clean("F011", spec("8@10x10", line))


# F013 padding-grows-map


def test_padding_of_a_larger_kernel():
    text = spec("3@32x32", "{conv: 16, kernel: 3, pad: «2»}")
    assert_finds(
        "F013",
        text,
        "conv1: its padding makes the map larger: 32x32 becomes 34x34",
        help="pad: 1 keeps the size",
    )
    plain, _ = unmarked(text)
    assert found("F013", plain)[0].fix == Fix(
        "pad by 1", False, (SetOption(Place(3, 5, 3, 34), "pad", "1"),)
    )


def test_different_kernels_along_the_axes():
    (one,) = found("F013", spec("3@32x32", "{conv: 16, kernel: [3, 7], pad: [2, 3]}"))
    assert one.help == "pad: [1, 3] keeps the size"
    assert one.fix is None


@pytest.mark.parametrize(
    "lines",
    [
        ("{conv: 16, kernel: 3, pad: 1}",),
        ("{conv: 16, kernel: 4, pad: 2}",),  # 33: no padding gives 32
        ("{conv: 16, kernel: 3, pad: same}",),
        ("{conv: 16, kernel: 3, stride: 2, pad: 2}",),
        ("{conv: 16, kernel: 3, pad: 3}",),  # F004's
        ("{conv: 16, kernel: 3, pad: 2}", "{crop: 32}"),  # a temporal network's chomp
        ("{convtranspose: 16, kernel: 3}",),
        ("{conv: 16, kernel: 3, pad: 2, dilation: 2}",),
    ],
)
def test_maps_that_do_not_grow(lines):
    assert_clean("F013", spec("3@32x32", *lines))
