"""Layers and merges that change nothing."""

import pytest

from cnncalc.diagnostic import Fix, RemoveItem
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import outputs, unmarked

# G103 layer-without-effect


@pytest.mark.parametrize(
    ("shape", "line", "why"),
    [
        ("8@6x6", "{maxpool: 1}", "a window of one pixel with stride 1 changes nothing"),
        ("8@6x6", "{avgpool: [1, 1]}", "a window of one pixel with stride 1 changes nothing"),
        ("8@6x6", "{maxpool: 1, pad: same}", "a window of one pixel with stride 1 changes nothing"),
        ("8@6x6", "{dropout: 0}", "probability 0 drops nothing"),
        ("8@6x6", "{droppath: 0.0}", "probability 0 drops nothing"),
        ("8@6x6", "{zeropad: 0}", "no padding is given"),
        ("8@6x6", "zeropad", "no padding is given"),
        ("8@6x6", "{zeropad: [[0, 0], [0, 0]], channels: [0, 0]}", "no padding is given"),
        ("8@6x6", "{crop: 6}", "nothing is cropped"),
        ("8@6x4", "{crop: [6, 4], offset: 0}", "nothing is cropped"),
        ("8@6x6", "{upsample: 1}", "it has that size already"),
        ("8@6x6", "{upsample: , size: 6, mode: bilinear}", "it has that size already"),
        ("64", "flatten", "a vector is flat already"),
        ("8@6x6", "{reshape: 8@6x6}", "it has that shape already"),
        ("64", "{reshape: 64}", "it has that shape already"),
        ("8@6x4", "{permute: [0, 1, 2]}", "the axes stay in their order"),
        ("8@6x6", "{channelshuffle: 1}", "so many groups leave the channels in their order"),
        ("8@6x6", "{channelshuffle: 8}", "so many groups leave the channels in their order"),
        ("8@6x6", "{slice: [0, 8]}", "the slice is all channels"),
        ("8@6x6", "{split: 1, part: 0}", "the only part is all channels"),
        ("8@6x6", "{split: [8], part: 0}", "the only part is all channels"),
        ("8@6x6", "{pixelshuffle: 1}", "a factor of 1 moves nothing"),
    ],
)
def test_layers_that_return_their_input(shape, line, why):
    text = spec(shape, "tanh", f"«{line}»", "relu")
    plain, (place,) = unmarked(text)
    kind = line.strip("{").split(":")[0]
    assert_finds("G103", text, f"{kind}1: {why}: its output is its input {shape}")
    (one,) = found("G103", plain)
    assert one.fix == Fix("remove the layer without effect", True, (RemoveItem(place),))


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("8@6x6", "{maxpool: 1, stride: 2}"),
        ("8@6x6", "{avgpool: [1, 2], stride: 1}"),
        ("8@6x6", "{lppool: 1}"),  # |x|
        ("8@6x6", "{subsample: 1}"),  # has weights
        ("8@6x6", "dropout"),
        ("8@6x6", "{zeropad: [[0, 1], [0, 0]]}"),
        ("8@6x6", "{zeropad: 0, channels: [0, 4]}"),
        ("8@6x6", "{crop: [6, 5]}"),
        ("8@1x1", "flatten"),
        ("8@6x6", "{reshape: 8@36}"),
        ("8@6x6", "{permute: [0, 2, 1]}"),
        ("8@6x6", "{channelshuffle: 2}"),
        ("8@6x6", "{slice: [0, 7]}"),
        ("8@7x7", "{adaptiveavgpool: 7}"),  # torchvision's VGG, made for other sizes too
        ("8@1x1", "globalavgpool"),
        ("8@6x6", "{crop: , like: input}"),  # for other sizes too
        ("8@6x6", "{upsample: , like: input}"),
        ("C@HxW", "relu"),
    ],
)
def test_layers_with_an_effect(shape, line):
    assert_clean("G103", spec(shape, line))


@pytest.mark.parametrize(
    "lines",
    [
        ("{dropout: 0, name: d}", "relu"),
        ("tanh", "{dropout: 0, from: input}", "relu"),
        ("{dropout: 0, expect: 8@6x6}", "relu"),
        # Without the first, the second would be `dropout1`.
        ("{dropout: 0}", "{dropout: 0.5}", "relu", "add: [[], dropout2]"),
    ],
)
def test_no_fix_where_something_depends_on_the_entry(lines):
    (one,) = found("G103", spec("8@6x6", *lines))
    assert one.fix is None


STAGE = """\
input: 8@12x12
blocks:
  stage:
    parameters: {{drop: 0, pool: 1}}
    layers: [{{conv: 8, kernel: 3, pad: 1}}, relu, {layer}]
layers: [{uses}]
"""


@pytest.mark.parametrize("layer", ["{droppath: drop}", "{maxpool: pool}", "{upsample: pool}"])
def test_a_parameter_may_have_no_effect(layer):
    """ConvNeXt's first block has a drop rate of 0."""
    assert_clean("G103", STAGE.format(layer=layer, uses="stage, {stage: {drop: 0.1, pool: 2}}"))
    assert_clean("G103", STAGE.format(layer=layer, uses="stage"))


def test_a_line_with_an_effect_elsewhere():
    text = STAGE.format(layer="{crop: 6}", uses="stage, stage")  # 12 to 6, then 6 to 6
    assert_clean("G103", text)


def test_a_line_without_effect_anywhere():
    text = STAGE.format(layer="«{maxpool: 1}»", uses="{stage: , repeat: 3}")
    assert_finds(
        "G103",
        text,
        "stage1.maxpool1: a window of one pixel with stride 1 changes nothing: its output is its "
        "input 8@12x12 (and in 2 more layers from this line)",
    )
    plain, (place,) = unmarked(text)
    assert found("G103", plain)[0].fix.edits == (RemoveItem(place),)


# G105 merge-of-one


@pytest.mark.parametrize("kind", ["add", "mul", "concat"])
def test_a_single_branch(kind):
    assert_finds(
        "G105",
        spec("8@6x6", f"{kind}: «[[relu]]»"),
        f"{kind}1: `{kind}` has a single branch, `relu1`: nothing is merged",
    )


def test_a_single_name():
    (one,) = found("G105", spec("8@6x6", "{relu: , name: x}", "tanh", "concat: [x]"))
    assert one.message == "concat1: `concat` has a single branch, `x`: nothing is merged"


def test_merges_of_several():
    assert_clean("G105", spec("8@6x6", "add: [[relu], []]", "concat: [[tanh], [], [relu]]"))


# G106 merged-twice


def test_the_current_layer_named_beside_itself():
    assert_finds(
        "G106",
        spec("8@6x6", "{relu: , name: skip}", "{tanh: , name: x}", "add: [x, «[]»]"),
        "add1: branch 2 is `x` again, which branch 1 is already",
        help="name the other layer, or leave the branch out",
    )


def test_one_of_three():
    assert_finds(
        "G106",
        spec("8@6x6", "{relu: , name: a}", "{tanh: , name: b}", "concat: [a, b, «a»]"),
        "concat1: branch 3 is `a` again, which branch 1 is already",
    )


def test_a_branch_whose_layers_are_all_left_out():
    text = (
        "input: 8@6x6\nblocks:\n  b:\n    parameters: {deep: 0}\n    layers:\n"
        "      - relu\n      - add: [[{conv: 8, kernel: 1, when: deep > 0}], «[]»]\nlayers: [b]"
    )
    assert_finds("G106", text, "b1.add1: branch 2 is `b1.relu1` again, which branch 1 is already")


@pytest.mark.parametrize(
    "lines",
    [
        ("{relu: , name: x}", "add: [[tanh], x]"),
        ("{relu: , name: x}", "mul: [x, x]"),  # a square
        ("concat: [[], [], []]",),  # a grey image as RGB
        ("concat: [input, input]",),
        ("add: [[relu], [relu]]",),  # two layers of their own
    ],
)
def test_merges_of_different_values(lines):
    assert_clean("G106", spec("8@6x6", *lines))


# G107 doubled-view


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("flatten", "{reshape: 32@3x3}", "flatten1: `reshape1` replaces its shape 288 by 32@3x3"),
        (
            "{reshape: 32@3x3}",
            "flatten",
            "reshape1: `flatten1` replaces its shape 32@3x3 by 288",
        ),
        (
            "{reshape: 32@3x3}",
            "{reshape: 2@12x12}",
            "reshape1: `reshape2` replaces its shape 32@3x3 by 2@12x12",
        ),
    ],
)
def test_two_shapes_in_a_row(first, second, message):
    text = spec("8@6x6", f"«{first}»", second)
    assert_finds("G107", text, message, help="remove it: the second alone gives the same")
    plain, (place,) = unmarked(text)
    (one,) = found("G107", plain)
    assert one.fix == Fix("remove the shape that is replaced", True, (RemoveItem(place),))
    mended = spec("8@6x6", second)
    last = plain.splitlines()[-1].split("- ")[1].strip("{}").split(":")[0]
    assert list(outputs(mended).values()) == [list(outputs(plain).values())[-1]], last


def test_an_order_that_is_undone():
    """Axis i of the result is axis [1, 2, 0][[2, 0, 1][i]] = i of the input."""
    text = spec("8@6x4", "«{permute: [1, 2, 0]}»", "«{permute: [2, 0, 1]}»")
    plain, places = unmarked(text)
    assert outputs(plain)["permute2"] == "8@6x4"
    assert_finds(
        "G107",
        plain.replace("{permute: [1, 2, 0]}", "«{permute: [1, 2, 0]}»"),
        "permute1: `permute2` moves the axes again: they end where they began",
        help="remove both",
    )
    (one,) = found("G107", plain)
    assert one.fix == Fix("remove both permutations", True, tuple(map(RemoveItem, places)))


def test_two_orders_make_one():
    text = spec("8@6x4", "{permute: [1, 0, 2]}", "{permute: [2, 0, 1]}")
    (one,) = found("G107", text)
    assert one.help == "write one: {permute: [2, 1, 0]}"
    assert outputs(text)["permute2"] == outputs(spec("8@6x4", "{permute: [2, 1, 0]}"))["permute1"]


@pytest.mark.parametrize(
    "lines",
    [
        ("{reshape: 2@4x36}", "{permute: [1, 0, 2]}", "{reshape: 8@6x6}"),  # a channel shuffle
        ("flatten", "flatten"),  # G103's
        ("{reshape: 8@36}", "{reshape: 8@36}"),
        ("{reshape: 8@36}", "relu", "flatten"),
    ],
)
def test_views_that_count(lines):
    assert_clean("G107", spec("8@6x6", *lines))


def test_a_shape_that_is_read_twice_stays():
    text = spec("8@6x6", "{reshape: 8@36, name: x}", "{reshape: 4@72}", "relu", "{relu: , from: x}")
    assert_clean("G107", text)
