"""Bodies, branches, blocks, repeats and names become the nodes they stand for.

Figures are worked by hand: a 3x3 convolution from C to F channels has 9*C*F weights and F
biases, a batchnorm 2*C parameters and 2*C buffers.
"""

import contextlib

import pytest

import cnncalc
from cnncalc.limits import Limits
from cnncalc.spec.template import INPUT, Template

from .marking import (
    Wrong,
    assert_refused,
    assert_unusable,
    errors,
    figures,
    layers,
    outputs,
    run_briefly,
)


def network(text: str):
    return cnncalc.loads(text)


def inputs(text: str) -> dict[str, tuple[str, ...]]:
    """The names of what each layer reads."""
    net = network(text)
    return {
        node.name: tuple(net.nodes[source].name for source in node.inputs) for node in net.layers
    }


def paths(text: str) -> dict[str, tuple[str, ...]]:
    return {node.name: node.path for node in network(text).layers}


def block(definition: str, *lines: str) -> str:
    """A spec with the block `b` on line 3 and its layers from line 5 on."""
    body = "\n".join(f"  - {line}" for line in lines)
    return f"input: 3@8x8\nblocks:\n  b: {definition}\nlayers:\n{body}"


# Chains and names


def test_layers_without_a_name_are_numbered_by_kind():
    text = layers("{conv: 4, kernel: 3}", "relu", "{conv: 4, kernel: 3}", "relu6", "relu6")
    assert list(inputs(text)) == ["conv1", "relu1", "conv2", "relu6_1", "relu6_2"]


def test_each_layer_reads_the_one_before():
    text = layers("relu", "{sigmoid: , name: a}", "tanh")
    assert inputs(text) == {"relu1": ("input",), "a": ("relu1",), "tanh1": ("a",)}


def test_numbers_keep_clear_of_given_names():
    text = layers("relu", "{relu: , name: relu1}", "relu", "{tanh: , name: relu3}")
    assert list(inputs(text)) == ["relu2", "relu1", "relu4", "relu3"]


def test_numbers_keep_clear_of_names_inside_branches_and_of_inputs():
    text = "input: {relu1: 3@8x8}\nlayers: [relu, {add: [[{relu: , name: relu2}], []]}]"
    assert list(inputs(text)) == ["relu3", "relu2", "add1"]


def test_from_starts_elsewhere():
    text = layers("{relu: , name: a}", "{tanh: , name: b}", "{sigmoid: , from: a}", "silu")
    assert inputs(text)["sigmoid1"] == ("a",)
    assert inputs(text)["silu1"] == ("sigmoid1",)


def test_from_names_an_input_or_a_numbered_layer():
    text = "input: {x: 3@8x8, y: 3@4x4}\nlayers: [relu, {tanh: , from: y}, {silu: , from: relu1}]"
    assert inputs(text) == {"relu1": ("x",), "tanh1": ("y",), "silu1": ("relu1",)}


# Branches


def test_residual_block():
    """The design's example: two 3x3 convolutions from 64 to 64 channels and the identity."""
    text = """
input: 64@56x56
layers:
  - add:                                             # a residual block
      - [{conv: 64, kernel: 3, pad: 1, bias: false}, batchnorm, relu,
         {conv: 64, kernel: 3, pad: 1, bias: false}, batchnorm]
      - []
  - relu
"""
    assert inputs(text) == {
        "conv1": ("input",),
        "batchnorm1": ("conv1",),
        "relu1": ("batchnorm1",),
        "conv2": ("relu1",),
        "batchnorm2": ("conv2",),
        "add1": ("batchnorm2", "input"),
        "relu2": ("add1",),
    }
    analysis = cnncalc.analyze(network(text))
    # Two convolutions of 9*64*64 weights and two batchnorms of 2*64.
    assert analysis.totals.parameters == 2 * 9 * 64 * 64 + 2 * 2 * 64 == 73984
    assert analysis.totals.buffers == 2 * 2 * 64
    assert analysis.totals.macs == 2 * 9 * 64 * 64 * 56 * 56


def test_unet_skip_by_name():
    """One level of a U-Net: down, up, and the skip joined by name."""
    text = """
input: 1@32x32
layers:
  - {conv: 8, kernel: 3, pad: 1, name: enc1}
  - {maxpool: 2}
  - {conv: 16, kernel: 3, pad: 1, name: bottom}
  - {convtranspose: 8, kernel: 2, stride: 2, name: up1}
  - concat: [up1, enc1]                              # a U-Net skip, by name
  - {conv: 8, kernel: 3, pad: 1, name: dec1}
"""
    assert inputs(text)["concat1"] == ("up1", "enc1")
    assert outputs(text) == {
        "enc1": "8@32x32",
        "maxpool1": "8@16x16",
        "bottom": "16@16x16",
        "up1": "8@32x32",
        "concat1": "16@32x32",
        "dec1": "8@32x32",
    }
    # 9*1*8 + 8, 9*8*16 + 16, 4*16*8 + 8, 9*16*8 + 8
    assert [parameters for _, parameters in figures(text).values()] == [80, 0, 1168, 520, 0, 1160]


def test_branches_all_start_at_the_current_tensor():
    text = layers("{relu: , name: a}", "{concat: [[tanh, silu], [], [sigmoid], a]}")
    assert inputs(text) == {
        "a": ("input",),
        "tanh1": ("a",),
        "silu1": ("tanh1",),
        "sigmoid1": ("a",),
        "concat1": ("silu1", "a", "sigmoid1", "a"),
    }


def test_a_branch_may_start_elsewhere():
    text = layers("{relu: , name: a}", "relu", "{add: [[{tanh: , from: a}, silu], []]}")
    assert inputs(text)["tanh1"] == ("a",)
    assert inputs(text)["add1"] == ("silu1", "relu1")


def test_a_merge_may_start_elsewhere():
    text = layers("{relu: , name: a}", "relu", "{add: [[tanh], []], from: a}")
    assert inputs(text)["tanh1"] == ("a",)
    assert inputs(text)["add1"] == ("tanh1", "a")


def test_branches_nest():
    text = layers("{add: [[relu, {concat: [[tanh], []]}, {conv: 3, kernel: 1}], []]}")
    assert inputs(text)["concat1"] == ("tanh1", "relu1")
    assert inputs(text)["add1"] == ("conv1", "input")
    assert paths(text) == {
        "relu1": ("add1", "branch 1"),
        "tanh1": ("add1", "branch 1", "concat1", "branch 1"),
        "concat1": ("add1", "branch 1", "concat1"),
        "conv1": ("add1", "branch 1"),
        "add1": ("add1",),
    }


def test_a_layer_in_a_branch_can_be_named_from_outside():
    text = layers("{add: [[{tanh: , name: t}], []]}", "{relu: , from: t}")
    assert inputs(text)["relu1"] == ("t",)


def test_a_merge_of_names_makes_no_group():
    assert paths(layers("{relu: , name: a}", "{add: [a, input]}"))["add1"] == ()


def test_squeeze_and_excitation():
    """`mul` stretches a C@1x1 gate over the map: 3*1 + 1 and 1*3 + 3 parameters."""
    text = layers(
        "{mul: [[], [globalavgpool, {conv: 1, kernel: 1}, relu, {conv: 3, kernel: 1}, sigmoid]]}"
    )
    assert figures(text)["mul1"] == ("3@8x8", 0)
    assert figures(text)["conv1"] == ("1@1x1", 4)
    assert figures(text)["conv2"] == ("3@1x1", 6)


# Blocks

BOTTLENECK = """
input: 64@56x56
blocks:
  bottleneck:
    parameters: {width: , stride: 1, project: false}
    layers:
      - add:
          - - {conv: width, kernel: 1, bias: false}
            - batchnorm
            - relu
            - {conv: width, kernel: 3, stride: stride, pad: 1, bias: false}
            - batchnorm
            - relu
            - {conv: 4*width, kernel: 1, bias: false}
            - batchnorm
          - - {conv: 4*width, kernel: 1, stride: stride, bias: false, when: project}
            - {batchnorm: , when: project}
      - relu
layers:
  - {bottleneck: {width: 64, project: true}}
  - {bottleneck: {width: 64}, repeat: 2}
"""


def test_bottleneck_blocks_of_resnet50():
    """conv2_x of ResNet-50: 75,008 + 2*70,400 parameters, as in the published 25,557,032.

    First block: 64*64 + 9*64*64 + 64*256 + 64*256 (projection), batchnorms of 2*(64 + 64 +
    256 + 256); the others 256*64 + 9*64*64 + 64*256 and 2*(64 + 64 + 256).
    """
    first = 64 * 64 + 9 * 64 * 64 + 2 * 64 * 256 + 2 * (64 + 64 + 256 + 256)
    other = 256 * 64 + 9 * 64 * 64 + 64 * 256 + 2 * (64 + 64 + 256)
    analysis = cnncalc.analyze(network(BOTTLENECK))
    assert (first, other) == (75008, 70400)
    assert analysis.totals.parameters == first + 2 * other
    assert str(analysis.layers[-1].output) == "256@56x56"


def test_the_layers_of_a_block_are_named_after_it():
    names = list(inputs(BOTTLENECK))
    assert names[0] == "bottleneck1.conv1"
    assert "bottleneck1.conv4" in names  # the projection
    assert "bottleneck2.conv4" not in names
    assert names[-1] == "bottleneck3.relu3"
    assert len(names) == 12 + 2 * 10


def test_repeats_are_a_group_of_their_own():
    found = paths(BOTTLENECK)
    assert found["bottleneck1.conv1"] == ("bottleneck1", "add1", "branch 1")
    assert found["bottleneck3.relu3"] == ("bottleneck2-3 (x2)", "bottleneck3")


def test_repeat_of_a_plain_layer():
    text = layers("{conv: 3, kernel: 3, pad: 1, repeat: 3}")
    assert inputs(text) == {"conv1": ("input",), "conv2": ("conv1",), "conv3": ("conv2",)}


def test_repeat_with_a_name_numbers_the_name_which_means_the_last():
    text = layers("{tanh: , repeat: 2, name: t}", "{relu: , from: t}", "{relu: , from: t.1}")
    assert inputs(text) == {
        "t.1": ("input",),
        "t.2": ("t.1",),
        "relu1": ("t.2",),
        "relu2": ("t.1",),
    }
    assert paths(text)["t.1"] == ("t (x2)",)


def test_only_the_first_repeat_starts_elsewhere():
    text = layers("{relu: , name: a}", "relu", "{tanh: , from: a, repeat: 3}")
    assert [inputs(text)[f"tanh{n}"] for n in (1, 2, 3)] == [("a",), ("tanh1",), ("tanh2",)]


def test_repeat_zero_and_false_when_leave_nothing():
    text = layers("{relu: , repeat: 0}", "{tanh: , when: false}", "{silu: , when: 2 > 1}")
    assert inputs(text) == {"silu1": ("input",)}


def test_an_empty_block_changes_nothing():
    assert inputs(block("{layers: []}", "{b: , repeat: 1000}", "relu")) == {"relu1": ("input",)}


def test_blocks_nest_and_pass_parameters_on():
    text = """
input: 3@8x8
blocks:
  unit:
    parameters: {width: , act: relu}
    layers: [{conv: width, kernel: 3, pad: 1}, {activation: act}]
  stage:
    parameters: {width: , depth: 1, act: tanh}
    layers:
      - {unit: {width: width, act: act}, repeat: depth}
      - {unit: {width: 2*width}}
layers:
  - {stage: {width: 4, depth: 2}, name: s}
  - {unit: 8}
"""
    assert figures(text) == {
        "s.unit1.conv1": ("4@8x8", 9 * 3 * 4 + 4),
        "s.unit1.tanh1": ("4@8x8", 0),
        "s.unit2.conv1": ("4@8x8", 9 * 4 * 4 + 4),
        "s.unit2.tanh1": ("4@8x8", 0),
        "s.unit3.conv1": ("8@8x8", 9 * 4 * 8 + 8),
        "s.unit3.relu1": ("8@8x8", 0),
        "unit1.conv1": ("8@8x8", 9 * 8 * 8 + 8),
        "unit1.relu1": ("8@8x8", 0),
    }


def test_the_value_of_a_block_is_its_first_parameter():
    text = block("{parameters: {width: , k: 1}, layers: [{conv: width, kernel: k}]}", "{b: 5}")
    assert outputs(text) == {"b1.conv1": "5@8x8"}


def test_defaults_may_use_the_parameters_before_them():
    text = block(
        "{parameters: {w: , v: 2*w, u: v + 1}, layers: [{conv: u, kernel: 1}]}",
        "{b: 3}",
        "{b: {w: 3, v: 4}}",
    )
    assert outputs(text) == {"b1.conv1": "7@8x8", "b2.conv1": "5@8x8"}


def test_conditions_in_parameters():
    text = block(
        "{parameters: {stride: 1, project: false}, layers: ["
        "{relu: , when: stride > 1 and project}, {tanh: , when: stride > 1 or project}, "
        "{silu: , when: not project}]}",
        "{b: {stride: 2, project: true}}",
        "{b: {stride: 2}}",
        "b",
    )
    assert list(inputs(text)) == ["b1.relu1", "b1.tanh1", "b2.tanh1", "b2.silu1", "b3.silu1"]


@pytest.mark.parametrize(
    ("first", "second"), [("true", "1"), ("1", "true"), ("1", "1.0"), ("0", "false")]
)
def test_arguments_that_python_holds_equal_are_not_the_same(first, second):
    """True == 1 == 1.0 in Python; in a spec only one of them is a count, or a condition."""
    definition = "{parameters: {p: }, layers: [{relu: , when: p}, {conv: 3, kernel: 1, bias: p}]}"
    if second == "1.0":
        definition = "{parameters: {p: }, layers: [{conv: p, kernel: 1}]}"
    apart = [bool(_codes(block(definition, f"{{b: {value}}}"))) for value in (first, second)]
    assert apart.count(True) == 1  # one of the two is refused by itself
    assert _codes(block(definition, f"{{b: {first}}}", f"{{b: {second}}}"))


def _codes(text: str) -> list[str]:
    try:
        network(text)
    except cnncalc.SpecError as error:
        return [found.code for found in error.diagnostics]
    return []


def test_a_name_parameter_names_a_layer():
    text = block(
        "{parameters: {skip: }, layers: [{add: [[relu], skip]}]}",
        "{tanh: , name: t}",
        "silu",
        "{b: {skip: t}}",
    )
    assert inputs(text)["b1.add1"] == ("b1.relu1", "t")


def test_a_block_may_refer_to_layers_above_its_use():
    text = block(
        "{layers: [{relu: , from: early, name: r}, tanh]}",
        "{silu: , name: early}",
        "sigmoid",
        "{b: , name: x}",
        "{relu: , from: x.r}",
        "{relu: , from: x.tanh1}",
        "{relu: , from: x}",
    )
    assert inputs(text)["x.r"] == ("early",)
    assert [inputs(text)[f"relu{n}"] for n in (1, 2, 3)] == [("x.r",), ("x.tanh1",), ("x.tanh1",)]


def test_names_inside_blocks_are_found_through_every_level():
    text = """
input: 3@8x8
blocks:
  inner: {layers: [{tanh: , name: t}, relu]}
  outer: {layers: [{inner: , name: i}, silu]}
layers: [{outer: , name: o}, {relu: , from: o.i.t}, {relu: , from: o.i}]
"""
    assert inputs(text)["relu1"] == ("o.i.t",)
    assert inputs(text)["relu2"] == ("o.i.relu1",)


def test_symbols_of_the_input_are_seen_in_blocks_but_outer_parameters_are_not():
    text = "input: C@HxW\nblocks: {b: {layers: [{conv: 2*C, kernel: 1}]}}\nlayers: [b]"
    assert outputs(text) == {"b1.conv1": "(2*C)@HxW"}
    assert_refused(
        "input: 3@8x8\nblocks:\n  i: {layers: [{conv: «w», kernel: 1}]}\n"
        "  o: {parameters: {w: 4}, layers: [i]}\nlayers: [o]",
        Wrong("S011", "invalid-expression", "`filters`: cannot evaluate `w`: unknown name `w`"),
    )


# Splits


def test_a_named_split_gives_its_parts():
    text = layers("{conv: 4, kernel: 1}", "{split: 2, name: s}", "relu", "{concat: [s.1, s.0, s]}")
    assert inputs(text) == {
        "conv1": ("input",),
        "s.0": ("conv1",),
        "s.1": ("conv1",),
        "relu1": ("s.0",),
        "concat1": ("s.1", "s.0", "s.0"),
    }
    assert outputs(text)["s.1"] == "2@8x8"
    assert outputs(text)["concat1"] == "6@8x8"


def test_a_split_by_sizes():
    text = layers("{split: [1, 2], name: s}", "{relu: , from: s.1}")
    assert outputs(text) == {"s.0": "1@8x8", "s.1": "2@8x8", "relu1": "2@8x8"}


def test_one_part_of_a_split():
    text = layers("{split: [1, 2], part: 1}")
    assert outputs(text) == {"split1": "2@8x8"}


# Shared weights


def test_shared_weights_are_counted_once():
    """A head on two levels of a pyramid: 9*3*4 + 4 parameters in all, MACs for both."""
    text = """
input: {p3: 3@8x8, p4: 3@4x4}
layers:
  - {conv: 4, kernel: 3, pad: 1, name: head3}
  - {conv: 4, kernel: 3, pad: 1, from: p4, share: head3, name: head4}
outputs: [head3, head4]
"""
    analysis = cnncalc.analyze(network(text))
    assert [one.parameters for one in analysis.layers] == [112, 0]
    assert [one.macs for one in analysis.layers] == [108 * 64, 108 * 16]
    assert analysis.totals.parameters == 112


def test_sharing_may_be_passed_on():
    text = layers(
        "{conv: 3, kernel: 3, name: a}",
        "{conv: 3, kernel: 3, share: a, name: b}",
        "{conv: 3, kernel: 3, share: b}",
    )
    assert [parameters for _, parameters in figures(text).values()] == [84, 0, 0]


def test_a_block_shares_the_weights_of_an_earlier_use():
    text = block(
        "{parameters: {w: 3}, layers: [{conv: w, kernel: 3, pad: 1}, batchnorm, relu]}",
        "{b: , name: first}",
        "{b: , share: first, name: second}",
        "{b: , share: second}",
        "{b: 3}",
    )
    parameters = [parameters for _, parameters in figures(text).values()]
    assert parameters == [84, 6, 0, *[0] * 6, 84, 6, 0]


def test_a_block_shares_the_weights_of_one_of_several_repeats():
    text = block(
        "{layers: [{conv: 3, kernel: 1}]}", "{b: , name: x, repeat: 2}", "{b: , share: x.2}"
    )
    assert [parameters for _, parameters in figures(text).values()] == [12, 12, 0]


def test_sharing_inside_a_block_stays_inside_or_reaches_out():
    inside = block(
        "{layers: [{conv: 3, kernel: 1, name: x}, {conv: 3, kernel: 1, share: x}]}", "b", "b"
    )
    assert [parameters for _, parameters in figures(inside).values()] == [12, 0, 12, 0]
    outside = block(
        "{layers: [{conv: 3, kernel: 1, share: x}]}", "{conv: 3, kernel: 1, name: x}", "b"
    )
    assert [parameters for _, parameters in figures(outside).values()] == [12, 0]


CANNOT_SHARE = "G005", "cannot-share-weights"
SHARE_HELP = "shared layers need the same kind, options and input channels"


def test_sharing_needs_equal_weights():
    assert_unusable(
        layers(
            "{conv: 4, kernel: 3, name: a}",
            "«{conv: 4, kernel: 3, share: a}»",
            "«{conv: 4, kernel: 3, from: input, bias: false, share: a}»",
            "«{relu: , share: a}»",
        ),
        Wrong(
            *CANNOT_SHARE,
            "conv1: cannot use the weights of `a`: it has weight 4x3x3x3, bias 4, this layer needs "
            "weight 4x4x3x3, bias 4",
            SHARE_HELP,
        ),
        Wrong(
            *CANNOT_SHARE,
            "conv2: cannot use the weights of `a`: it has weight 4x3x3x3, bias 4, this layer needs "
            "weight 4x3x3x3",
            SHARE_HELP,
        ),
        Wrong(
            *CANNOT_SHARE,
            "relu1: cannot use the weights of `a`: it has weight 4x3x3x3, bias 4, this layer needs "
            "none",
            SHARE_HELP,
        ),
    )


@pytest.mark.parametrize("owner", ["r", "input"])
def test_what_has_no_weights_cannot_share_them(owner):
    text = layers("{relu: , name: r}", f"«{{conv: 3, kernel: 1, share: {owner}}}»")
    assert_unusable(
        text,
        Wrong(
            *CANNOT_SHARE,
            f"conv1: cannot use the weights of `{owner}`: it has none, this layer needs "
            "weight 3x3x1x1, bias 3",
            SHARE_HELP,
        ),
    )


def test_a_shared_block_whose_weights_differ():
    assert_unusable(
        block("{layers: [«{conv: 4, kernel: 1}»]}", "{b: , name: x}", "{b: , share: x, name: y}"),
        Wrong(
            *CANNOT_SHARE,
            "y.conv1: cannot use the weights of `x.conv1`: it has weight 4x3x1x1, bias 4, this "
            "layer needs weight 4x4x1x1, bias 4",
            SHARE_HELP,
        ),
    )


@pytest.mark.parametrize(
    ("use", "owner"),
    [
        ("{b: 4, share: «x»}", "x"),  # with other parameters
        ("{b: , share: «c»}", "c"),  # a layer
        ("{b: , share: «zz»}", "zz"),
        ("{b: , share: «self», name: self}", "self"),
    ],
)
def test_a_block_shares_with_the_same_block_only(use, owner):
    assert_refused(
        block(
            "{parameters: {w: 3}, layers: [{conv: w, kernel: 1}]}",
            "{b: , name: x}",
            "{conv: 3, kernel: 1, name: c}",
            use,
        ),
        Wrong(
            *CANNOT_SHARE,
            f"`{owner}` is no earlier use of the block `b` with the same parameters",
            "a block shares the weights of the same block, called with equal parameters",
        ),
    )


# References

UNKNOWN = "G001", "unknown-reference"
LATER = "G002", "reference-to-later-layer"
LATER_HELP = "a layer can read only what stands above it"
NAME_HELP = "give the layer a `name` to refer to it"


@pytest.mark.parametrize(
    "line",
    [
        "{relu: , from: «zz»}",
        "{add: [«zz», []]}",
        "{add: [[{relu: , from: «zz»}], []]}",
        "{crop: , like: «zz»}",
        "{upsample: , like: «zz»}",
        "{maxunpool: 2, indices: «zz»}",
        "{l2: «zz»}",
        "{conv: 3, kernel: 1, share: «zz»}",
    ],
)
def test_a_name_that_is_nowhere(line):
    assert_refused(layers(line), Wrong(*UNKNOWN, "no layer above is called `zz`", NAME_HELP))


def test_a_misspelt_name():
    assert_refused(
        layers("{relu: , name: encoder}", "{relu: , from: «encodr»}"),
        Wrong(*UNKNOWN, "no layer above is called `encodr`", "did you mean `encoder`?"),
    )


def test_a_part_that_a_split_does_not_have():
    assert_refused(
        layers("{split: 3, name: s}", "{relu: , from: «s.3»}"),
        Wrong(*UNKNOWN, "no layer above is called `s.3`"),
    )


def test_a_name_inside_a_block_that_is_nowhere():
    assert_refused(
        block("{layers: [{relu: , from: «zz»}]}", "{b: , name: x}", "b", "{relu: , from: «x.zz»}"),
        Wrong(*UNKNOWN, "no layer above is called `zz`", NAME_HELP),
        Wrong(*UNKNOWN, "no layer above is called `x.zz`", NAME_HELP),
    )


def test_a_layer_cannot_read_what_comes_later():
    assert_refused(
        layers("{relu: , from: «b»}", "{tanh: , name: b}", "{silu: , from: «c», name: c}"),
        Wrong(*LATER, "`b` comes later (line 4): reading it here would make a cycle", LATER_HELP),
        Wrong(*LATER, "`c` reads itself: a cycle", LATER_HELP),
    )


def test_a_branch_cannot_read_its_own_sum():
    assert_refused(
        layers("add: [[{relu: , from: «s»}], []]\n    name: s"),
        Wrong(*LATER, "`s` comes later (line 4): reading it here would make a cycle", LATER_HELP),
    )


def test_a_block_cannot_read_what_comes_after_its_use():
    assert_refused(
        block("{layers: [{relu: , from: «late»}]}", "b", "{relu: , name: late}"),
        Wrong(
            *LATER, "`late` comes later (line 6): reading it here would make a cycle", LATER_HELP
        ),
    )


def test_a_numbered_layer_further_down_is_not_suggested():
    """`conv1` is known only once it stands: to suggest it for itself helps nobody."""
    (found,) = errors(layers("{conv: 3, kernel: 1, from: conv1}"))
    assert found.code in ("G001", "G002")
    assert "did you mean `conv1`?" not in found.help


DUPLICATE = "G003", "duplicate-name"


def test_names_are_unique():
    assert_refused(
        layers(
            "{relu: , name: a}",
            "{relu: , name: «a»}",
            "{add: [[{tanh: , name: «a»}], []]}",
            "{relu: , name: «input»}",
        ),
        *[
            Wrong(
                *DUPLICATE,
                "the name `a` is given twice (first on line 3)",
                "names are unique within a network or block",
            )
        ]
        * 2,
        Wrong(*DUPLICATE, "the name `input` is given twice (it is a network input)"),
    )


def test_names_in_different_blocks_may_be_the_same():
    text = block("{layers: [{relu: , name: r}]}", "b", "{relu: , name: r}")
    assert list(inputs(text)) == ["b1.r", "r"]


BAD_NAME_HELP = "letters, digits, `_` and `-` work everywhere; a dot separates block and layer"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.b", "a.b"),
        ("a/b", "a/b"),
        ("a b", "a b"),
        ('"a\\nb"', "a\\nb"),
        ('"\\e[31m"', "\\x1b[31m"),
        ("n" * 201, "n" * 57 + "..."),
    ],
)
def test_characters_that_names_cannot_have(name, said):
    assert_refused(
        layers(f"{{relu: , name: «{name}»}}"),
        Wrong(
            "S004",
            "invalid-value",
            f"the name `{said}` has a character that names cannot have",
            BAD_NAME_HELP,
        ),
    )


@pytest.mark.parametrize("name", ["a-b", "a_b", "é", "conv3×3", "3", "true"])
def test_characters_that_names_can_have(name):
    assert list(inputs(layers(f"{{relu: , name: {name}}}"))) == [name]


@pytest.mark.parametrize(
    ("name", "got"), [("", "nothing"), ("[a]", "a list"), ("{a: b}", "a mapping")]
)
def test_a_name_is_text(name, got):
    assert_refused(
        layers(f"{{relu: , name: «{name}»}}"),
        Wrong("S004", "invalid-value", f"`name` must be text, got {got}", "write {name: conv1}"),
    )


@pytest.mark.parametrize("name", ["on", "010", "1:30"])
def test_an_ambiguous_name_is_refused_like_any_other_value(name):
    """A layer of that name could not be referred to without quotes."""
    (found,) = errors(layers(f"{{relu: , name: {name}}}"))
    assert (found.code, found.place[:2]) == ("Y005", (3, 20))


@pytest.mark.parametrize("name", ["null", "~"])
def test_nothing_is_no_name(name):
    (found,) = errors(layers(f"{{relu: , name: {name}}}"))
    assert (found.code, found.place[:2]) == ("S004", (3, 20))


# Wrong uses of the common options

INVALID = "S004", "invalid-value"
ARITHMETIC = "write a number, or arithmetic in block parameters: + - * / // % ** min max ceil floor"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        *(
            (
                f"{{relu: , repeat: «{value}»}}",
                Wrong(
                    *INVALID,
                    f"`repeat` must be an integer of at least 0, got {said}",
                    "write an integer of at least 0 here",
                ),
            )
            for value, said in [
                ("2.5", "`2.5`"),
                ("-1", "`-1`"),
                ("true", "`true`"),
                ("1/2", "`1/2`"),
                ("[1]", "a list"),
                ("", "nothing"),
            ]
        ),
        (
            "{relu: , repeat: «x»}",
            Wrong(
                "S011",
                "invalid-expression",
                "`repeat`: cannot evaluate `x`: unknown name `x`",
                ARITHMETIC,
            ),
        ),
        (
            "{relu: , repeat: «{}»}",
            Wrong(*INVALID, "`repeat` must be a value or a list, got a mapping"),
        ),
        *(
            (
                f"{{relu: , when: «{value}»}}",
                Wrong(
                    *INVALID,
                    f"`when` must be true, false or a comparison, got {said}",
                    "write true, false or a comparison here",
                ),
            )
            for value, said in [("3", "`3`"), ("[true]", "a list"), ("", "nothing")]
        ),
        (
            "{relu: , when: «x > 1»}",
            Wrong(
                "S011", "invalid-expression", "`when`: cannot evaluate `x > 1`: unknown name `x`"
            ),
        ),
        ("{relu: , from: «[a]»}", Wrong(*INVALID, "`from` must be text, got a list")),
        ("{relu: , from: «»}", Wrong(*INVALID, "`from` must be text, got nothing")),
        (
            "{relu: , from: «on»}",
            Wrong(
                "Y005",
                "ambiguous-scalar",
                "`on` is true or false in some YAML versions and text in others",
            ),
        ),
        (
            "{conv: 3, kernel: 1, share: «{}»}",
            Wrong(*INVALID, "`share` must be text, got a mapping"),
        ),
        (
            "{crop: 4, like: «»}",
            Wrong(*INVALID, "`like` must be text, got nothing"),
        ),
    ],
)
def test_common_options(line, wrong):
    assert_refused(layers(line), wrong)


def test_a_repeat_that_depends_on_the_input():
    (found,) = errors("input: C@HxW\nlayers: [{relu: , repeat: C}]")
    assert (found.code, found.message) == (
        "S004",
        "`repeat` must be an integer of at least 0, got `C`",
    )


def test_a_condition_that_depends_on_the_input():
    assert_refused(
        "input: C@HxW\nlayers: [{relu: , when: «H > 32»}]",
        Wrong(
            "S011",
            "invalid-expression",
            "`when`: cannot evaluate `H > 32`: whether H > 32 depends on the input size",
            "names known here: `C`, `H`, `W`",
        ),
    )


# Merges and splits that are not

NEEDS = "S007", "missing-argument"


@pytest.mark.parametrize("kind", ["add", "mul", "concat"])
@pytest.mark.parametrize("value", ["{KIND: }", "{KIND: []}", "{KIND: x}", "{KIND: {a: b}}", "KIND"])
def test_a_merge_takes_branches(kind, value):
    assert_refused(
        layers("«" + value.replace("KIND", kind) + "»"),
        Wrong(
            *NEEDS,
            f"`{kind}` takes a list of branches",
            f"write {kind}: [name, [layers], []]; [] is the current tensor",
        ),
    )


def test_a_branch_is_a_name_or_a_list():
    assert_refused(
        layers("{add: [«{conv: 3, kernel: 1}», []]}"),
        Wrong(
            "S001",
            "not-a-branch",
            "a branch is a name or a list of layers, got a mapping",
            "put the layer in brackets: [{...}]",
        ),
    )


def test_a_split_needs_a_part_or_a_name():
    assert_refused(
        layers("«{split: 3}»"),
        Wrong(
            *NEEDS,
            "a split needs a `part`, or a `name` to call its parts by",
            "write {split: 2, part: 0}, or {split: 2, name: s} and then s.0, s.1",
        ),
    )


# Wrong uses of blocks

PARAMETRIC = "{parameters: {width: , stride: 1}, layers: [{conv: width, kernel: stride}]}"
UNKNOWN_OPTION = "S002", "unknown-option"


@pytest.mark.parametrize(
    ("definition", "line", "wrong"),
    [
        (
            PARAMETRIC,
            "«b»",
            Wrong(*NEEDS, "the block `b` needs its parameter `width`", "write {b: {width: ...}}"),
        ),
        (PARAMETRIC, "«{b: }»", Wrong(*NEEDS, "the block `b` needs its parameter `width`")),
        (
            PARAMETRIC,
            "«{b: {stride: 2}}»",
            Wrong(*NEEDS, "the block `b` needs its parameter `width`"),
        ),
        (
            PARAMETRIC,
            "{b: {width: 4, «strid»: 2}}",
            Wrong(
                *UNKNOWN_OPTION,
                "the block `b` has no parameter `strid`",
                "did you mean `stride`?",
            ),
        ),
        (
            PARAMETRIC,
            "{b: {width: 4}, «stride»: 2}",
            Wrong(
                *UNKNOWN_OPTION,
                "`stride` stands beside the block instead of inside it",
                "write {b: {stride: ...}}",
            ),
        ),
        (
            PARAMETRIC,
            "{b: 4, «zzz»: 2}",
            Wrong(
                *UNKNOWN_OPTION,
                "the block `b` has no parameter `zzz`",
                "parameters: width, stride",
            ),
        ),
        (
            "{layers: [relu]}",
            "{b: «3»}",
            Wrong(
                *UNKNOWN_OPTION,
                "the block `b` takes no parameters",
                "declare them under `parameters:`",
            ),
        ),
        (
            "{layers: [relu]}",
            "{b: {«w»: 3}}",
            Wrong(*UNKNOWN_OPTION, "the block `b` has no parameter `w`"),
        ),
        (
            PARAMETRIC,
            "{b: {width: «[1]»}}",
            Wrong(
                *INVALID,
                "the parameter `width` must be a number or a name, got a list",
                "write a number or a name here",
            ),
        ),
        (
            PARAMETRIC,
            "{b: {width: «x*2»}}",
            Wrong(
                "S011",
                "invalid-expression",
                "the parameter `width`: cannot evaluate `x*2`: unknown name `x`",
                ARITHMETIC,
            ),
        ),
        (
            PARAMETRIC,
            "{b: {width: «on»}}",
            Wrong(
                "Y005",
                "ambiguous-scalar",
                "`on` is true or false in some YAML versions and text in others",
            ),
        ),
    ],
)
def test_wrong_arguments(definition, line, wrong):
    assert_refused(block(definition, line), wrong)


@pytest.mark.parametrize("nothing", ["null", "~", "NULL"])
def test_nothing_is_no_argument_to_calculate_with(nothing):
    (found,) = errors(
        block("{parameters: {w: }, layers: [{conv: 2*w, kernel: 1}]}", f"{{b: {{w: {nothing}}}}}")
    )
    assert found.help


def test_an_error_in_a_block_is_shown_once_for_all_its_uses():
    assert_refused(
        block("{parameters: {w: 1}, layers: [{conv: w, «kernal»: 1}]}", "b", "{b: 2}", "{b: 3}"),
        Wrong(*UNKNOWN_OPTION, "`conv` has no option `kernal`", "did you mean `kernel`?"),
    )


def test_a_block_that_is_not_used_is_not_read():
    assert inputs(block("{layers: [{zzzz: 3}]}", "relu")) == {"relu1": ("input",)}


CALLS_ITSELF = "S009", "block-calls-itself"


@pytest.mark.parametrize(
    ("blocks", "chain"),
    [
        ("  b: {layers: [«b»]}", "b -> b"),
        ("  b: {layers: [{c: 1}]}\n  c: {parameters: {n: }, layers: [«{b: }»]}", "b -> c -> b"),
        ("  b: {layers: [{add: [[«b»], []]}]}", "b -> b"),
    ],
)
def test_a_block_cannot_use_itself(blocks, chain):
    assert_refused(
        f"input: 3@8x8\nblocks:\n{blocks}\nlayers: [b]",
        Wrong(
            *CALLS_ITSELF,
            f"the block `b` uses itself: {chain}",
            "a block can only use other blocks; `repeat` makes copies",
        ),
    )


# Limits

TOO_MANY = Wrong(
    "S010",
    "too-many-layers",
    "the network has over 5 layers",
    "check `repeat`; --limit layers=N raises the bound",
)


@pytest.mark.parametrize(
    "lines",
    [
        ["{relu: , repeat: «6»}"],
        ["{relu: , repeat: «1000000000»}"],
        ["relu", "relu", "«{relu: , repeat: 4}»"],
        ["relu"] * 5 + ["«relu»"],
        ["«{split: 6, name: s}»"],
        ["«{b: , repeat: 3}»"],
        ["«{b: , repeat: 5}»"],
    ],
)
def test_too_many_layers(lines):
    assert_refused(block("{layers: [relu, relu]}", *lines), TOO_MANY, limits=Limits(layers=5))


@pytest.mark.parametrize(
    "lines",
    [
        ["{relu: , repeat: 5}"],
        ["relu"] * 5,
        ["{split: 3, name: s}", "relu", "relu"],
        ["{b: , repeat: 2}", "relu"],
    ],
)
def test_as_many_layers_as_the_limit_allows(lines):
    text = block("{layers: [relu, relu]}", *lines)
    assert len(cnncalc.loads(text, limits=Limits(layers=5)).layers) == 5


def test_work_is_bounded_even_where_little_of_it_stays():
    """Thirty blocks that use the next one twice would be 2**30 layers."""
    blocks = "".join(f"  b{n}: {{layers: [b{n + 1}, b{n + 1}]}}\n" for n in range(30))
    text = f"input: 3@8x8\nblocks:\n{blocks}  b30: {{layers: [relu]}}\nlayers: [b0]"
    assert [found.code for found in errors(text)] == ["S010"]


def test_blocks_inside_each_other_are_bounded():
    text = "input: 3@8x8\nblocks:\n" + "".join(
        f"  b{n}: {{layers: [{'«' if n == 4 else ''}b{n + 1}{'»' if n == 4 else ''}]}}\n"
        for n in range(6)
    )
    text += "  b6: {layers: [relu]}\nlayers: [b0]"
    assert_refused(
        text,
        Wrong(
            "Y006",
            "too-deep",
            "more than 5 blocks and branches inside each other",
            "--limit depth=N raises the bound",
        ),
        limits=Limits(depth=5),
    )


def test_deep_branches_in_deep_blocks_do_not_exhaust_the_stack():
    """Each is within its own limit; together they must not crash the program."""
    deep = "relu"
    blocks = []
    for number in range(95):
        deep = f"b{number + 1}" if number < 94 else "relu"
        for _ in range(30):
            deep = f"{{add: [[{deep}], []]}}"
        blocks.append(f"  b{number}: {{layers: [{deep}]}}\n")
    text = f"input: 3@8x8\nblocks:\n{''.join(blocks)}layers: [b0]"
    with contextlib.suppress(cnncalc.SpecError):  # either answer will do
        cnncalc.loads(text)


def test_a_recurrent_layer_of_absurd_depth_comes_back():
    found = run_briefly("""
import cnncalc
try:
    net = cnncalc.loads("input: 3@8\\nlayers: [{rnn: 8, layers: 100000000000}]")
    print(cnncalc.analyze(net).totals.parameters > 0)
except cnncalc.SpecError:
    print(True)
""")
    assert found == "True"


# The template itself


def test_an_empty_template_gives_back_its_input():
    template = Template()
    assert template.output == INPUT
    assert template.find("a") is None
    assert template.find("a.b") is None
