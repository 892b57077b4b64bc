"""The top of a spec: header, inputs, blocks, outputs, and a network assembled from them."""

import pytest

import cnncalc
from cnncalc.limits import Limits
from cnncalc.notation import Shape, symbol
from cnncalc.spec.network import TOP_LEVEL

from .marking import Wrong, assert_refused, figures

TAIL = "\nlayers: [relu]"
GRAMMAR = "write channels@heightxwidth such as 3@224x224, or a bare number for a vector"
INVALID = "S004", "invalid-value"


def test_the_header_is_kept():
    text = (
        "name: Net\nsource: 'Someone, \"A title: of a paper\"'\ntask: classification\n"
        "description: 3\ninput: 3@8x8" + TAIL
    )
    network = cnncalc.loads(text, path="folder/file.yaml")
    assert (network.name, network.title) == ("Net", "Net")
    assert network.source == 'Someone, "A title: of a paper"'
    assert (network.task, network.description) == ("classification", "3")
    assert (network.path, network.text) == ("folder/file.yaml", text)


def test_without_a_name_it_is_called_after_its_file():
    network = cnncalc.loads("input: 3@8x8" + TAIL, path="folder/my_net.yaml")
    assert network.name == "my_net"
    assert cnncalc.loads("input: 3@8x8" + TAIL).name == "network"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3@227x227", Shape(3, (227, 227))),
        ("1@16000", Shape(1, (16000,))),
        ("1@16x112x112", Shape(1, (16, 112, 112))),
        ("4096", Shape(4096)),
        ("3@8X9", Shape(3, (8, 9))),
        ("3@8×9", Shape(3, (8, 9))),
        ("'3@8x9'", Shape(3, (8, 9))),
        ("1000*256@7x7", Shape(256, (7, 7), 1000)),
        ("C@HxW", Shape(symbol("C"), (symbol("H"), symbol("W")))),
        ("3@HxH", Shape(3, (symbol("H"), symbol("H")))),
    ],
)
def test_one_input(text, shape):
    network = cnncalc.loads(f"input: {text}{TAIL}")
    assert dict(network.inputs) == {"input": shape}
    assert [node.name for node in network.nodes] == ["input", "relu1"]
    assert [node.kind for node in network.nodes] == ["input", "relu"]


def test_several_inputs_and_outputs():
    text = """
input: {image: 3@32x32, mask: 1@32x32}
layers:
  - concat: [image, mask]
  - {conv: 2, kernel: 1, name: scores}
  - {conv: 4, kernel: 1, from: mask, name: boxes}
  - {relu: , from: scores}
outputs: [scores, boxes]
"""
    network = cnncalc.loads(text)
    assert dict(network.inputs) == {"image": Shape(3, (32, 32)), "mask": Shape(1, (32, 32))}
    assert network.outputs == (3, 4)
    assert [node.name for node in network.layers] == ["concat1", "scores", "boxes", "relu1"]
    assert figures(text)["scores"] == ("2@32x32", 4 * 2 + 2)
    assert figures(text)["boxes"] == ("4@32x32", 1 * 4 + 4)


def test_the_first_layer_reads_the_first_input():
    network = cnncalc.loads("input: {b: 3@8x8, a: 4}" + TAIL)
    assert network.layers[0].inputs == (0,)
    assert network.nodes[0].name == "b"


@pytest.mark.parametrize("outputs", ["relu1", "[relu1]", "'relu1'"])
def test_one_output_by_name(outputs):
    network = cnncalc.loads(f"input: 3@8x8\nlayers: [relu, tanh]\noutputs: {outputs}")
    assert network.outputs == (1,)


def test_the_last_layer_is_the_output_unless_others_are_named():
    assert cnncalc.loads("input: 3@8x8\nlayers: [relu, tanh]").outputs == (2,)


def test_an_output_may_be_a_layer_of_a_block_or_an_input():
    text = "input: 3@8x8\nblocks: {b: {layers: [{relu: , name: r}, tanh]}}\nlayers: [b]\n"
    assert cnncalc.loads(text + "outputs: [b1.r, b1, input]").outputs == (1, 2, 0)


def test_a_symbolic_network_of_three_convolutions():
    """27*C**2 parameters and 27*C**2*H*W multiply-accumulates: three layers of 9*C*C weights."""
    text = """
input: C@HxW
layers:
  - {conv: C, kernel: 3, pad: same, bias: false, repeat: 3}
"""
    C, H, W = (symbol(name) for name in "CHW")
    totals = cnncalc.analyze(cnncalc.loads(text)).totals
    assert totals.parameters == 27 * C**2
    assert (totals.macs - 27 * C**2 * H * W).expand() == 0
    assert (totals.flops - 54 * C**2 * H * W).expand() == 0
    assert (totals.activations - 4 * C * H * W).expand() == 0
    assert cnncalc.analyze(cnncalc.loads(text)).layers[-1].output == Shape(C, (H, W))


def test_the_symbols_of_every_part_of_the_input_can_be_used():
    text = "input: R*3@8x8\nlayers: [{conv: R, kernel: 1}]"
    assert cnncalc.analyze(cnncalc.loads(text)).layers[0].output.channels == symbol("R")


def test_a_block_may_be_described():
    text = "input: 3@8x8\nblocks: {b: {description: two, layers: [relu, tanh]}}\nlayers: [b]"
    assert len(cnncalc.loads(text).layers) == 2


# What is refused


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "«hello»",
            Wrong(
                "S001",
                "not-a-spec",
                "a spec is a mapping with `input` and `layers`, got `hello`",
                "start with input: 3@224x224 and layers:",
            ),
        ),
        (
            "«[1]»",
            Wrong(
                "S001", "not-a-spec", "a spec is a mapping with `input` and `layers`, got a list"
            ),
        ),
        (
            "«layers»: [relu]",
            Wrong(
                "S003",
                "missing-key",
                "the spec has no `input`",
                "write the shape of the input: input: 3@224x224",
            ),
        ),
        (
            "«input»: 3@8x8",
            Wrong(
                "S003",
                "missing-key",
                "the spec has no `layers`",
                "write them one to a line: - {conv: 64, kernel: 3}",
            ),
        ),
        *(
            (
                f"input: 3@8x8\nlayers: «{value}»",
                Wrong(
                    "S003",
                    "missing-key",
                    "`layers` must be a list with at least one layer",
                    "write them one to a line: - {conv: 64, kernel: 3}",
                ),
            )
            for value in ("[]", "relu", "{a: b}")
        ),
        (
            "input: 3@8x8\n«layer»: 3" + TAIL,
            Wrong("S002", "unknown-key", "unknown key `layer`", "did you mean `layers`?"),
        ),
        (
            "input: 3@8x8\n«zzz»: 3" + TAIL,
            Wrong(
                "S002",
                "unknown-key",
                "unknown key `zzz`",
                "keys of a spec: " + ", ".join(TOP_LEVEL),
            ),
        ),
        (
            "input: 3@8x8\nname: «[a]»" + TAIL,
            Wrong(*INVALID, "`name` must be text, got a list", "write text here"),
        ),
        (
            "input: 3@8x8\ntask: «{a: b}»" + TAIL,
            Wrong(*INVALID, "`task` must be text, got a mapping"),
        ),
        (
            "input: 3@8x8\ndescription:«»" + TAIL,
            Wrong(*INVALID, "`description` must be text, got nothing"),
        ),
        (
            "input: 3@8x8\nsource: «010»" + TAIL,
            Wrong("Y005", "ambiguous-scalar", "`010` is an octal number in YAML 1.1"),
        ),
        # Inputs
        *(
            (
                f"input:{value}{TAIL}",
                Wrong(
                    *INVALID,
                    f"`input` must be a shape, got {said}",
                    "write input: 3@224x224, or names with a shape each",
                ),
            )
            for value, said in [("«»", "nothing"), (" «[3]»", "a list"), (" «{}»", "a mapping")]
        ),
        (
            f"input: {{a: «[3]»}}{TAIL}",
            Wrong(*INVALID, "`input` must be a shape, got a list"),
        ),
        (
            f"input: {{«a-b»: 3@8x8}}{TAIL}",
            Wrong(*INVALID, "`a-b` cannot be the name of an input", "letters, digits and `_`"),
        ),
        (
            f"input: «010»{TAIL}",
            Wrong("Y005", "ambiguous-scalar", "`010` is an octal number in YAML 1.1"),
        ),
        *(
            (f"input: «{value}»{TAIL}", Wrong(*INVALID, f"`input`: {message}", GRAMMAR))
            for value, message in [
                ("3@8y8", "'3@8y8' is not a shape: '8y8' is neither a number nor a name"),
                ("3x8x8", "'3x8x8' does not say which extent is the channels"),
                (
                    "3@08x8",
                    "'3@08x8' is not a shape: an extent is at least 1 and has no leading zero",
                ),
                ("0", "'0' is not a shape: an extent is at least 1 and has no leading zero"),
                ("-3", "'-3' is not a shape: '-3' is neither a number nor a name"),
                ("3@8x", "'3@8x' is not a shape: an extent is missing"),
                (
                    "1" + "0" * 18 + "@8x8",
                    "'1000000000000000000@8x8' is not a shape: "
                    "a number of 19 digits is over the limit of 18",
                ),
            ]
        ),
        # Blocks
        (
            f"input: 3@8x8\nblocks: «[b]»{TAIL}",
            Wrong(
                *INVALID,
                "`blocks` must be a mapping from names to blocks, got a list",
                "blocks: {NAME: {layers: [...]}}",
            ),
        ),
        *(
            (
                f"input: 3@8x8\nblocks: {{«{name}»: {{layers: [relu]}}}}{TAIL}",
                Wrong(
                    *INVALID,
                    f"a block cannot be called `{name}`",
                    "choose a word that is no layer and no option of one",
                ),
            )
            for name in ("conv", "name", "activation", "a-b", "max", "true", "é")
        ),
        (
            f"input: 3@8x8\nblocks: {{c: «[relu]»}}{TAIL}",
            Wrong(
                *INVALID,
                "the block `c` must be a mapping with `layers`, got a list",
                "c: {parameters: {width: 64}, layers: [...]}",
            ),
        ),
        (
            f"input: 3@8x8\nblocks: {{«c»: {{}}}}{TAIL}",
            Wrong(
                "S003",
                "missing-key",
                "the block `c` needs `layers`: a list of layers",
                "write them one to a line: - {conv: 64, kernel: 3}",
            ),
        ),
        (
            f"input: 3@8x8\nblocks: {{c: {{layers: «relu»}}}}{TAIL}",
            Wrong("S003", "missing-key", "the block `c` needs `layers`: a list of layers"),
        ),
        (
            f"input: 3@8x8\nblocks: {{c: {{layers: [relu], «parameter»: 3}}}}{TAIL}",
            Wrong(
                "S002",
                "unknown-key",
                "a block has no key `parameter`",
                "did you mean `parameters`?",
            ),
        ),
        (
            f"input: 3@8x8\nblocks: {{c: {{layers: [relu], «zzz»: 3}}}}{TAIL}",
            Wrong(
                "S002",
                "unknown-key",
                "a block has no key `zzz`",
                "keys: parameters, layers, description",
            ),
        ),
        (
            f"input: 3@8x8\nblocks: {{c: {{parameters: «[a]», layers: [relu]}}}}{TAIL}",
            Wrong(
                *INVALID,
                "`parameters` must be a mapping from names to defaults (left empty if required), "
                "got a list",
            ),
        ),
        *(
            (
                f"input: 3\nblocks:\n  c: {{parameters: {{«{name}»: 1}}, layers: [relu]}}{TAIL}",
                Wrong(*INVALID, f"a parameter cannot be called `{name}`"),
            )
            for name in ("and", "not", "ceil", "a.b", "2w", "null")
        ),
        # Outputs
        (
            f"input: 3@8x8{TAIL}\noutputs: [relu1, «relu2»]",
            Wrong(
                "G001",
                "unknown-reference",
                "no layer above is called `relu2`",
                "did you mean `relu1`?",
            ),
        ),
        (
            f"input: 3@8x8{TAIL}\noutputs: «zzz»",
            Wrong("G001", "unknown-reference", "no layer above is called `zzz`"),
        ),
        *(
            (
                f"input: 3@8x8{TAIL}\noutputs:{value}",
                Wrong(*INVALID, f"`outputs` must be text, got {said}"),
            )
            for value, said in [("«»", "nothing"), (" «{a: b}»", "a mapping")]
        ),
        (
            f"input: 3@8x8{TAIL}\noutputs: [«[relu1]»]",
            Wrong(*INVALID, "`outputs` must be text, got a list"),
        ),
    ],
)
def test_refuses(text, wrong):
    assert_refused(text, wrong)


def test_a_misspelt_required_key_gives_both_errors():
    with pytest.raises(cnncalc.SpecError) as caught:
        cnncalc.loads("inputs: 3@8x8" + TAIL)
    assert [(one.code, tuple(one.place)) for one in caught.value.diagnostics] == [
        ("S002", (1, 1, 1, 7)),
        ("S003", (1, 1, 1, 7)),
    ]


def test_an_empty_mapping_misses_everything():
    with pytest.raises(cnncalc.SpecError) as caught:
        cnncalc.loads("{}")
    assert [one.message for one in caught.value.diagnostics] == [
        "the spec has no `input`",
        "the spec has no `layers`",
    ]


def test_a_network_without_outputs_is_refused():
    """Nothing would leave it: neither its claims nor its memory could be told."""
    with pytest.raises(cnncalc.SpecError):
        cnncalc.loads(f"input: 3@8x8{TAIL}\noutputs: []")


def test_a_shape_has_at_most_as_many_axes_as_the_limit():
    assert cnncalc.loads("input: 3@1x1x1x1x1x1x1" + TAIL)
    with pytest.raises(cnncalc.SpecError) as caught:
        cnncalc.loads("input: 3@1x1x1x1x1x1x1x1" + TAIL)
    assert [one.message for one in caught.value.diagnostics] == [
        "`input`: '3@1x1x1x1x1x1x1x1' has more than 7 spatial axes"
    ]
    assert cnncalc.loads("input: 3@1x1x1x1x1x1x1x1" + TAIL, limits=Limits(rank=9))
