"""Receptive fields against the input and the object: by the published recurrence, by hand."""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

#: VGG-16's convolutions on CIFAR-10's images, with batchnorm as it is usually trained there.
VGG_CIFAR = """
input: 3@{size}x{size}
blocks:
  block:
    parameters: {{width: }}
    layers: [{{conv: width, kernel: «3», pad: 1, bias: false}}, batchnorm, relu]
layers:
  - {{block: 64, repeat: 2}}
  - {{maxpool: 2}}
  - {{block: 128, repeat: 2}}
  - {{maxpool: 2}}
  - {{block: 256, repeat: 3}}
  - {{maxpool: 2}}
  - {{block: 512, repeat: 3}}
  - {{maxpool: 2}}
  - {{block: 512, repeat: 3}}
  - {end}
  - {{linear: 10}}
"""


def vgg(size, end="flatten"):
    return VGG_CIFAR.format(size=size, end=end)


# R001 unproductive-layer


def test_vgg_on_the_images_of_cifar():
    """Each kernel adds twice the stride before it, each pool once.

    conv1_1 3, conv1_2 5, pool 6 (jump 2), conv2_1 10, conv2_2 14, pool 16 (jump 4),
    conv3_1 24, conv3_2 32: conv3_3 is the first that reads fields of 32; 6 follow.
    """
    assert_finds(
        "R001",
        vgg(32),
        "block7.conv1: the units it reads have fields of 32x32 already, as large as the input "
        "3@32x32, and 6 more such layers follow",
        help="leave them out, or shrink the map later: less stride or pooling before",
    )


def test_vgg_on_its_own_images_has_none():
    """conv5_3 of VGG-16 reads fields of 164, conv5_4 of VGG-19 of 220."""
    assert_clean("R001", unmarked(vgg(224))[0])
    assert found("R001", _packaged("vgg19")) == []


def test_at_the_boundary():
    """conv3_3 reads 32 positions: of 33 that is not all; conv4_1 reads 44 behind the pool."""
    (one,) = found("R001", unmarked(vgg(33))[0].replace("maxpool: 2", "maxpool: 2, ceil: true"))
    assert one.layer == "block8.conv1"
    assert one.message.endswith(
        "fields of 44x44 already, as large as the input 3@33x33, and 5 more such layers follow"
    )


def test_a_shortcut_keeps_small_fields_alive():
    """ResNet-56 and the plain network of the same depth, He et al. 2016, section 4.2."""
    assert found("R001", _packaged("cifar_resnet56")) == []
    assert found("R001", _packaged("resnet50")) == []
    (one,) = found("R001", _packaged("cifar_plain56"))
    # 1 + 2*16 = 33 behind the 16th of 19 convolutions at stride 1.
    assert "fields of 33x33 already, as large as the input 3@32x32, and 38 more" in one.message


@pytest.mark.parametrize(
    "lines",
    [
        # Spatial outputs put positions together that one unit has seen.
        ["{conv: 8, kernel: 7, pad: 3}", "relu", "{conv: 8, kernel: 3, pad: 1}"],
        # 1x1 brings nothing together.
        ["{conv: 8, kernel: 7, pad: 3}", "relu", "{conv: 8, kernel: 1}", "globalavgpool"],
        # A linear layer in disguise: C5 of LeNet-5.
        ["{conv: 8, kernel: 7, pad: 3}", "relu", "{conv: 8, kernel: 7}", "flatten"],
        # Made anew from a vector.
        ["flatten", "{linear: 49}", "{reshape: 1@7x7}", "{conv: 8, kernel: 3}", "globalavgpool"],
        # One axis still grows.
        ["{conv: 8, kernel: [7, 3], pad: [3, 1]}", "relu", "{conv: 8, kernel: 3}", "globalavgpool"],
    ],
)
def test_what_is_productive(lines):
    assert_clean("R001", spec("3@7x7", *lines))


def test_two_inputs_and_symbols_are_not_judged():
    assert_clean("R001", spec("3@HxW", "{conv: 8, kernel: 3}", "globalavgpool"))
    two = (
        "input: {a: 3@7x7, b: 3@7x7}\nlayers: [{add: [a, b]}, {conv: 8, kernel: 7, pad: 3}, "
        "{conv: 8, kernel: 3, pad: 1}, globalavgpool]"
    )
    assert_clean("R001", two)


# R002 field-smaller-than-object


def objects(size, text):
    plain, places = unmarked(text)
    result = lint(cnncalc.loads(plain), Settings(select=("R002",), object_size=size))
    assert [one.place for one in result] == (places if result else [])
    return [one.message for one in result]


DENSE = spec(
    "3@64x64", "{conv: 8, kernel: 3}", "relu", "«{conv: 8, kernel: 3, stride: 2}»", "relu",
    "{conv: 1, kernel: 1}",
)  # fmt: skip


def test_the_field_of_a_dense_output():
    """3 + 1*2 = 5."""
    assert objects(5, DENSE) == []
    assert objects(6, DENSE) == [
        "conv2: no unit of the output sees more than 5x5 positions of the input, an object has 6"
    ]


def test_a_global_pool_adds_nothing_to_the_field_and_a_linear_layer_everything():
    pooled = DENSE + "\n  - globalavgpool\n  - flatten\n  - {linear: 2}"
    assert len(objects(6, pooled)) == 1
    assert objects(6, DENSE.replace("«", "").replace("»", "") + "\n  - flatten") == []


def test_the_largest_of_several_outputs_counts():
    text = (
        "input: 3@64x64\nlayers:\n  - {conv: 8, kernel: 3, name: a}\n"
        "  - {conv: 8, kernel: 5, name: b}\noutputs: [a, b]"
    )
    assert objects(7, text) == []  # 3 + 4
    assert len(lint(cnncalc.loads(text), Settings(select=("R002",), object_size=8))) == 1


def test_a_gate_lets_every_unit_know_of_the_whole():
    gate = spec(
        "8@64x64", "{conv: 8, kernel: 3}",
        "mul: [[], [globalavgpool, {conv: 8, kernel: 1}, sigmoid]]",
    )  # fmt: skip
    assert objects(60, gate) == []


def test_without_a_size_nothing_is_judged():
    assert_clean("R002", unmarked(DENSE)[0])


# R003 field-smaller-than-input


def test_squeezenet_counts_local_features():
    """conv1 7/2, pool 3/2: 11 at stride 4; 3 fires: 35; pool: 43 at 8; 4: 107; pool 123; 155."""
    (one,) = found("R003", _packaged("squeezenet1_0"))
    assert one.message == (
        "globalavgpool1: the units it pools see 155x155 positions each, none of them the whole "
        "input 3@224x224"
    )


@pytest.mark.parametrize(
    "end", ["globalavgpool", "globalmaxpool", "{adaptiveavgpool: 1}", "{avgpool: 4}"]
)
def test_every_way_to_pool_all(end):
    small = spec("3@8x8", "{conv: 8, kernel: 4, stride: 2, pad: 1}", "relu", f"«{end}»", "flatten")
    kind = end.strip("{}").split(":")[0]
    assert_finds(
        "R003",
        small,
        f"{kind}1: the units it pools see 4x4 positions each, none of them the whole input 3@8x8",
    )


@pytest.mark.parametrize(
    "end",
    [
        ["flatten", "{linear: 2}"],  # sees all
        ["{conv: 8, kernel: 5, pad: 2}", "globalavgpool"],  # 4 + 2*4 = 12 of 8
        ["mul: [[], [globalavgpool, sigmoid]]", "globalavgpool"],  # gated
    ],
)
def test_who_sees_the_whole(end):
    assert_clean("R003", spec("3@8x8", "{conv: 8, kernel: 4, stride: 2, pad: 1}", "relu", *end))


def test_pixels_that_are_pooled_as_they_are():
    assert_clean("R003", spec("3@8x8", "{conv: 8, kernel: 1}", "relu", "globalavgpool"))
    assert_clean("R003", spec("3@8x8", "globalavgpool"))


def _packaged(name):
    return cnncalc.load(name).text
