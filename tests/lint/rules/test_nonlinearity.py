"""Linear layers in a row: what is a slip, and what famous networks do on purpose."""

import pytest

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

MISSING = "O004"


def row(*lines: str) -> str:
    """Layers of a network that does have an activation."""
    return spec("8@28x28", *lines, "relu")


def test_two_convolutions():
    assert_finds(
        MISSING,
        row("{conv: 16, kernel: 3}", "«{conv: 16, kernel: 3}»"),
        "conv2: no non-linearity between conv1 and conv2, which together are one linear map",
        help="write an activation such as relu after conv1",
    )


def test_past_layers_that_are_linear_too():
    assert_finds(
        MISSING,
        row(
            "{conv: 16, kernel: 3, bias: false}",
            "batchnorm",
            "{dropout: 0.2}",
            "{avgpool: 2}",
            "flatten",
            "«{linear: 10}»",
        ),
        "linear1: no non-linearity between conv1 and linear1, which together are one linear map",
        help="write an activation such as relu after batchnorm1",
    )


@pytest.mark.parametrize(
    "between",
    ["relu", "{maxpool: 2}", "globalmaxpool", "lrn", "{layernorm: channels}", "{groupnorm: 4}"]
    + ["{lppool: 2}", "instancenorm", "{attention: 4}", "{maxout: 2}", "softmax"],
)
def test_what_is_not_linear_stands_between(between):
    assert_clean(MISSING, row("{conv: 16, kernel: 3}", between, "{conv: 16, kernel: 1}"))


@pytest.mark.parametrize(
    "between",
    ["{upsample: 2}", "{pixelshuffle: 2}", "{channelshuffle: 4}", "{slice: [0, 8]}"],
)
def test_rearranging_on_purpose(between):
    """ESPCN and EDSR shuffle between two convolutions, decoders upsample."""
    assert_clean(MISSING, row("{conv: 16, kernel: 3}", between, "{conv: 32, kernel: 3}"))


@pytest.mark.parametrize(
    "lines",
    [
        # MobileNetV2: 32 maps to 16, no activation, then 96
        ("{conv: 32, kernel: 3}", "relu", "{conv: 16, kernel: 1}", "{conv: 96, kernel: 1}"),
        # depthwise and grouped
        ("{depthwise: 3}", "{conv: 16, kernel: 1}"),
        ("{conv: 16, kernel: 1}", "{depthwise: 3}"),
        ("{conv: 16, kernel: 3, groups: 4}", "{conv: 16, kernel: 1}"),
        ("{conv: 16, kernel: 3}", "{conv: 16, kernel: 1, groups: 16}"),
        # ENet, "Large kernel matters": a kernel in two factors
        ("{conv: 16, kernel: [1, 5]}", "{conv: 16, kernel: [5, 1]}"),
        ("{conv: 16, kernel: [7, 1], pad: [3, 0]}", "{conv: 16, kernel: [1, 7]}"),
        # U-Net, FCN
        ("{convtranspose: 16, kernel: 2, stride: 2}", "{conv: 16, kernel: 3}"),
        ("{conv: 16, kernel: 1}", "{convtranspose: 16, kernel: 4, stride: 2}"),
    ],
)
def test_linear_on_purpose(lines):
    assert_clean(MISSING, row(*lines))


@pytest.mark.parametrize(
    ("first", "second", "fires"),
    [
        (7, 9, False),  # narrower than 8 before and 9 behind
        (8, 9, True),
        (7, 7, True),
        (9, 9, True),
        (4, 3, True),
    ],
)
def test_a_middle_narrower_than_both_ends(first, second, fires):
    text = row(f"{{conv: {first}, kernel: 1}}", f"{{conv: {second}, kernel: 1}}")
    assert bool(found(MISSING, text)) == fires


def test_a_flattened_middle_counts_its_elements():
    """8@28x28 has 6272 values, 4@28x28 3136: narrower than the input, wider than 128."""
    assert found(MISSING, row("{conv: 4, kernel: 1}", "flatten", "{linear: 128}"))
    assert_clean(MISSING, row("{conv: 4, kernel: 1}", "flatten", "{linear: 4096}"))


def test_truncated_svd():
    """Fast R-CNN, section 3.1: a linear layer in two factors, the first without bias."""
    assert_clean(
        MISSING,
        spec("25088", "{linear: 1024, bias: false}", "{linear: 4096}", "relu", "{linear: 21}"),
    )


def test_the_code_of_an_autoencoder_may_be_linear():
    assert_clean(
        MISSING,
        spec(
            "784", "{linear: 256}", "relu", "{linear: 32}", "{linear: 256}", "relu", "{linear: 784}"
        ),
    )


def test_two_linear_heads_in_a_row():
    """2048 to 1000 to 2: the classifier of another task was put behind the old one."""
    assert_finds(
        MISSING,
        spec("2048", "relu", "{linear: 1000}", "«{linear: 2}»"),
        "linear2: no non-linearity between linear1 and linear2, which together are one linear map",
    )


def test_a_first_factor_that_is_no_complement():
    """Both along the height: 1 x 5 and 1 x 3 together are 1 x 7, one kernel."""
    assert found(MISSING, row("{conv: 16, kernel: [1, 5]}", "{conv: 16, kernel: [1, 3]}"))
    assert found(MISSING, row("{conv: 16, kernel: 1}", "{conv: 16, kernel: [1, 3]}"))


PYRAMID = """\
input: {{c4: 512@28x28, c5: 1024@14x14}}
outputs: [p4, p5]
layers:
  - {{conv: 256, kernel: 1, from: c5, name: l5}}
  - {{conv: 256, kernel: 3, pad: 1, name: s5}}
  - {{conv: 128, kernel: 3, pad: 1, from: {of5}, name: h5}}
  - {{relu: , name: p5}}
  - {{upsample: 2, from: l5, name: up5}}
  - {{conv: 256, kernel: 1, from: c4, name: l4}}
  - add: [up5, l4]
  - {{conv: 256, kernel: 3, pad: 1, name: s4}}
  - {{conv: 128, kernel: 3, pad: 1}}
  - {{relu: , name: p4}}
"""


def test_feature_pyramids_smooth_without_activation():
    """Panoptic FPN: lateral 1x1, 3x3 on the sum, then the head's first 3x3, all linear."""
    assert_clean(MISSING, PYRAMID.format(of5="s5"))


def test_several_readers_or_outputs_are_left_alone():
    """EDSR: the first convolution is read by the body and by the long skip."""
    assert_clean(
        MISSING,
        spec(
            "3@8x8",
            "{conv: 8, kernel: 3, pad: 1}",
            "add: [[{conv: 8, kernel: 3, pad: 1}, relu, {conv: 8, kernel: 3, pad: 1}], []]",
        ),
    )
    assert_clean(
        MISSING,
        "input: 3@8x8\noutputs: [a, b]\nlayers:\n  - {conv: 8, kernel: 1, name: a}\n"
        "  - {conv: 8, kernel: 1}\n  - {relu: , name: b}\n",
    )


def test_shared_weights_are_left_alone():
    """Behind one use of the weights an activation follows, behind the other none."""
    assert_clean(
        MISSING,
        row(
            "{conv: 8, kernel: 1, name: a}",
            "relu",
            "{conv: 8, kernel: 1}",
            "{conv: 8, kernel: 1, share: a}",
        ),
    )
    assert_clean(
        MISSING,
        row(
            "{conv: 8, kernel: 1, name: a}",
            "{conv: 8, kernel: 1}",
            "relu",
            "{conv: 8, kernel: 1, share: a}",
        ),
    )


def test_without_any_activation_it_is_said_once():
    """A sketch of the shapes, as lecture slides draw VGG, or a grave mistake."""
    assert_finds(
        MISSING,
        spec(
            "3@32x32",
            "{conv: 64, kernel: 3}",
            "«{conv: 64, kernel: 3}»",
            "{maxpool: 2}",
            "{conv: 128, kernel: 3}",
            "{conv: 128, kernel: 3}",
            "flatten",
            "{linear: 10}",
            "softmax",
        ),
        "conv2: no non-linearity between conv1 and conv2, which together are one linear map: the "
        "whole network has no activation",
    )


def test_a_long_row_is_followed_some_way():
    assert found(MISSING, row("{conv: 8, kernel: 1}", *["dropout"] * 7, "{conv: 8, kernel: 1}"))
    assert_clean(MISSING, row("{conv: 8, kernel: 1}", *["dropout"] * 8, "{conv: 8, kernel: 1}"))


def test_a_symbolic_width_is_not_judged():
    assert_clean(MISSING, spec("C@HxW", "{conv: 8, kernel: 3}", "{conv: 9, kernel: 1}", "relu"))


def test_a_block_repeated_without_activation():
    text = """\
input: 8@28x28
blocks:
  unit: {layers: [{conv: 8, kernel: 3, pad: 1, bias: false}, batchnorm]}
layers:
  - {unit: , repeat: 5}
  - relu
"""
    (one,) = found(MISSING, text)
    assert one.message.startswith("unit2.conv1: no non-linearity between unit1.conv1 and unit2")
    assert one.message.endswith("(and in 3 more layers from this line)")
    assert one.fix is None  # the two stand in different uses of the block


def mended(text: str) -> str:
    return fix(text, settings=Settings(select=(MISSING,)), unsafe=True).text


def test_the_fix_inserts_the_usual_activation_after_the_normalisation():
    text = """\
input: 3@32x32
layers:
  - {conv: 8, kernel: 3, bias: false}  # first
  - batchnorm
  - {conv: 8, kernel: 3, bias: false}
  - batchnorm
  - relu6
"""
    after = text.replace("batchnorm\n", "batchnorm\n  - relu6\n", 1)
    assert mended(text) == after
    assert mended(after) == after
    assert fix(text, settings=Settings(select=(MISSING,))).text == text  # not without being asked


def test_a_layer_that_reads_by_name_is_not_mended():
    text = row("{conv: 8, kernel: 3, name: a}", "{conv: 8, kernel: 3, from: a}")
    (one,) = found(MISSING, text)
    assert one.fix is None
