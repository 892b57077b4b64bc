"""A network written out and read again is the same network: every figure of every layer agrees."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.spec.dump import dump, write_value

SPECS = sorted(path.stem for path in (Path(__file__).parents[2] / "specs").glob("*.yaml"))


def again(network):
    return cnncalc.loads(dump(network))


def rows(network):
    return [
        (one.kind, one.output, one.parameters, one.buffers, one.macs, one.flops)
        for one in cnncalc.analyze(network).layers
    ]


def assert_same(network):
    read = again(network)
    assert rows(read) == rows(network)
    assert cnncalc.analyze(read).totals == cnncalc.analyze(network).totals
    assert [node.inputs for node in read.nodes] == [node.inputs for node in network.nodes]
    assert [node.shares for node in read.nodes] == [node.shares for node in network.nodes]
    assert (read.inputs, read.outputs) == (network.inputs, network.outputs)
    assert (read.title, read.source, read.task, read.description) == (
        network.title,
        network.source,
        network.task,
        network.description,
    )
    # Written a second time it is the same text: nothing is left to change.
    assert dump(read) == dump(network)


@pytest.mark.parametrize("name", SPECS)
def test_the_shipped_networks(name):
    assert_same(cnncalc.load(name))


def test_the_text_is_one_layer_to_a_line():
    text = """
name: Tiny
input: 3@8x8
blocks: {b: {parameters: {w: }, layers: [{conv: w, kernel: 3, pad: 1}, relu]}}
layers:
  - {b: 4, repeat: 2}
  - add: [[{conv: 4, kernel: [1, 1], bias: false}], []]
  - {maxpool: 2, name: pool, expect: 4@4x4}
  - {dropout: 0.5}
  - {upsample: 2}
"""
    assert (
        dump(cnncalc.loads(text))
        == """\
name: "Tiny"
input: 3@8x8
layers:
  - {conv: 4, kernel: 3, pad: 1}
  - relu
  - {conv: 4, kernel: 3, pad: 1}
  - {relu: , name: b2_relu1}
  - {conv: 4, kernel: [1, 1], bias: false, name: conv1}
  - {add: [conv1, b2_relu1]}
  - {maxpool: 2}
  - dropout
  - {upsample: 2}
"""
    )


@pytest.mark.parametrize(
    "text",
    [
        # Inputs and outputs
        "input: {a: 3@8x8, b: 4}\nlayers: [relu, {tanh: , from: b}]\noutputs: [relu1, tanh1, a]",
        "input: 3@8x8\nlayers: [relu, tanh]\noutputs: relu1",
        "input: 1000*3@7x7\nlayers: [flatten, {linear: 4}]",
        # References
        "input: 3@8x8\nlayers: [{split: [1, 2], name: s}, {add: [s.1, s.1]}, {relu: , from: s.0}]",
        "input: 3@8x8\nlayers: [{maxpool: 2, name: p}, {maxunpool: 2, indices: input}]",
        "input: 3@8x8\nlayers: [{maxpool: 2}, {upsample: , like: input, mode: bilinear}]",
        "input: 3@8x8\nlayers: [{conv: 3, kernel: 3}, {crop: 4, offset: [1, 0]}, {l2: }]",
        "input: 3@8x8\nlayers: [relu, {l2: input}]",
        "input: 3@8x8\nlayers: [relu, {crop: , like: input}]",
        # Shared weights
        "input: 3@8x8\nlayers: [{conv: 3, kernel: 3, name: a}, {conv: 3, kernel: 3, share: a}]",
        "input: 3@8x8\nblocks: {b: {layers: [{conv: 3, kernel: 1}]}}\n"
        "layers: [{b: , name: x}, {b: , share: x}]",
        # Options
        "input: 3@8x8\nlayers: [{conv: 3, kernel: [1, 3], pad: [[0, 1], 2], dilation: [1, 2]}]",
        "input: 3@8x8\nlayers: [{conv: 2, kernel: 1, connections: [[0, 1], [2]]}]",
        "input: 3@8x8\nlayers: [{conv: 3, kernel: 3, pad: same, stride: 2}, {prelu: layer}]",
        "input: 3@8x8\nlayers: [{lrn: , alpha: 1e-22}, {elu: 0.1}, {gelu: tanh}, {dropout: 0}]",
        "input: 3@8x8\nlayers: [{reshape: 12@4x4}, {permute: [1, 2, 0]}]",
        "input: 3@8x8\nlayers: [{roialign: 2, regions: 9, scale: 1/16}]",
        "input: 3@8x8\nlayers: [flatten, {reshape: 192}]",
        "input: 3@8x8\nlayers: [{zeropad: [[0, 1], 2], channels: [0, 3]}, {slice: [1, 5]}]",
        # Symbols
        "input: C@HxW\nlayers: [{conv: 2*C + 1, kernel: 3, stride: 2, pad: same}]",
        'input: C@HxW\nlayers: [{conv: "max(8, C // 2) + ceil(C/3)*min(C, 2)**2", kernel: 3}]',
        "input: C@HxW\nlayers: [{conv: C % 2 + 1, kernel: 3}]",
        # Names that others are called
        "input: {relu1: 3@8x8}\nlayers: [relu, {add: [relu1, relu2]}]",
        "input: 3@8x8\nblocks: {b: {layers: [{relu: , name: c}]}}\n"
        "layers: [{b: , name: a}, {tanh: , name: a_c}, {add: [a.c, a_c]}, {add: [a_c, a.c]}]",
    ],
)
def test_round_trip(text):
    assert_same(cnncalc.loads(text))


NAMES = ["a,b", "#x", "{", "[x", "null", "~", "*x", "&x", "!x", "a:", "-", "'", '"', "%x", "true"]
NAMES += ["on", "010", "1:30", "1e5", "3", "é", "conv3×3", "a-b", "@", "`", "|", ">", "?", "<<"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_quoted_where_yaml_needs_it(name):
    quoted = '"' + name.replace('"', '\\"') + '"'
    text = f"input: 3@8x8\nlayers: [{{relu: , name: {quoted}}}, tanh, {{add: [{quoted}, []]}}]"
    network = cnncalc.loads(text)
    assert_same(network)
    assert again(network).layers[0].name == name


# Printable characters but space, dot and slash: all that names may have.
NAME_CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="./"
)


@settings(deadline=None)  # machines differ in speed
@given(st.text(NAME_CHARACTERS, min_size=1, max_size=8))
def test_any_name_that_is_accepted_can_be_written(name):
    quoted = "".join(f"\\U{ord(character):08x}" for character in name)
    try:
        network = cnncalc.loads(
            f'input: 3@8x8\nlayers: [{{relu: , name: "{quoted}"}}, tanh, {{add: ["{quoted}", []]}}]'
        )
    except cnncalc.SpecError:
        assume(False)
    assert_same(network)


@settings(deadline=None)  # machines differ in speed
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_title_can_be_written(title):
    escaped = "".join(f"\\U{ord(character):08x}" for character in title)
    network = cnncalc.loads(f'name: "{escaped}"\ninput: 3@8x8\nlayers: [relu]')
    assert network.title == title
    assert again(network).title == title


def test_long_names_of_nested_blocks():
    """Each part is within the limit of names, joined by `_` they are not."""
    a, c = "a" * 150, "c" * 150
    assert_same(
        cnncalc.loads(
            f"input: 3@8x8\nblocks: {{b: {{layers: [{{relu: , name: {c}}}, relu]}}}}\n"
            f"layers: [{{b: , name: {a}}}, {{add: [{a}.{c}, []]}}]"
        )
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (-1, "-1"),
        (0.5, "0.5"),
        (1e-22, "1e-22"),
        (True, "true"),
        (False, "false"),
        ("same", "same"),
        ("2@3x4", '"2@3x4"'),
        ((3, (0, 1)), "[3, [0, 1]]"),
        ((), "[]"),
    ],
)
def test_values(value, text):
    assert write_value(value) == text
