"""`expect` and `ignore` are read as written; tests/lint/test_claims.py judges the figures."""

import pytest

import cnncalc
from cnncalc.notation import Shape, symbol
from cnncalc.spec.claims import CLAIMABLE

from .marking import Wrong, assert_refused, layers


def claims(text: str) -> list[tuple[str, dict]]:
    """Each claim's subject and figures."""
    return [
        (claim.subject, {name: value for name, value, _ in claim.values})
        for claim in cnncalc.loads(text).claims
    ]


def test_a_shape():
    assert claims(layers("{relu: , expect: 3@8x8}", "flatten", "{tanh: , expect: 192}")) == [
        ("relu1", {"output": Shape(3, (8, 8))}),
        ("tanh1", {"output": Shape(192)}),
    ]


def test_figures_by_name():
    text = layers(
        "{conv: 4, kernel: 3, name: c, expect: {output: 4@6x6, parameters: 4*27 + 4, macs: 3888,"
        " receptive_field: [3, 3]}}"
    )
    assert claims(text) == [
        (
            "c",
            {
                "output": Shape(4, (6, 6)),
                "parameters": 112,
                "macs": 3888,
                "receptive_field": (3, 3),
            },
        )
    ]


def test_every_figure_can_be_claimed():
    figures = {name: 3 for name in CLAIMABLE if name != "output"}
    text = layers("relu") + f"\nexpect: {figures}"
    assert claims(text) == [("", figures)]


def test_a_block_and_the_network_are_claimed_over_all_their_layers():
    text = """
input: 3@8x8
blocks: {b: {parameters: {w: 3}, layers: [{conv: w, kernel: 1, expect: {parameters: 4*w}}, relu]}}
layers:
  - {b: , name: x, expect: {parameters: 12}}
  - {b: , repeat: 2, expect: 3@8x8}
expect: {parameters: 36}
"""
    network = cnncalc.loads(text)
    # Nodes: the input, then conv and relu of each use.
    assert [(claim.subject, claim.first, claim.last) for claim in network.claims] == [
        ("x.conv1", 1, 1),
        ("x", 1, 2),
        ("b1.conv1", 3, 3),
        ("b2.conv1", 5, 5),
        ("b2.relu1", 3, 6),  # the repeats together
        ("", 1, 6),
    ]


def test_places_are_those_of_the_values():
    network = cnncalc.loads(layers("{relu: , expect: 3@8x8}", "{relu: , expect: {macs: 0}}"))
    assert [tuple(claim.values[0][2]) for claim in network.claims] == [
        (3, 22, 3, 27),
        (4, 29, 4, 30),
    ]


def test_the_symbols_of_the_input_can_be_claimed_of_a_layer():
    text = "input: C@HxW\nlayers: [{conv: C, kernel: 1, bias: false, expect: {parameters: C**2}}]"
    assert claims(text) == [("conv1", {"parameters": symbol("C") ** 2})]


def test_the_symbols_of_the_input_can_be_claimed_of_the_network():
    """`27*C**2` is the figure of the design's example of a symbolic input."""
    text = """
input: C@HxW
layers: [{conv: C, kernel: 3, pad: same, bias: false, repeat: 3}]
expect: {parameters: 27*C**2, macs: 27*C**2*H*W}
"""
    assert cnncalc.lint(cnncalc.loads(text)) == []


def test_a_claim_about_no_layers_is_none():
    assert claims(layers("{relu: , repeat: 0, expect: 4}", "relu")) == []


INVALID = "S004", "invalid-value"
GRAMMAR = "write channels@heightxwidth such as 3@224x224, or a bare number for a vector"


@pytest.mark.parametrize(
    ("expect", "wrong"),
    [
        (
            "«[3]»",
            Wrong(
                *INVALID,
                "`expect` must be a shape, or figures by name, got a list",
                "write 96@55x55, or {output: 96@55x55, parameters: 34944}",
            ),
        ),
        (
            "«3@8y»",
            Wrong(
                *INVALID,
                "`expect`: '3@8y' is not a shape: '8y' is neither a number nor a name",
                GRAMMAR,
            ),
        ),
        (
            "«3x8x8»",
            Wrong(*INVALID, "`expect`: '3x8x8' does not say which extent is the channels", GRAMMAR),
        ),
        (
            "«on»",
            Wrong(
                "Y005",
                "ambiguous-scalar",
                "`on` is true or false in some YAML versions and text in others",
            ),
        ),
        (
            "{«outptu»: 3}",
            Wrong(
                "S002",
                "unknown-option",
                "`expect` knows no figure `outptu`",
                "did you mean `output`?",
            ),
        ),
        (
            "{«zzz»: 3}",
            Wrong(
                "S002",
                "unknown-option",
                "`expect` knows no figure `zzz`",
                "figures: " + ", ".join(CLAIMABLE),
            ),
        ),
        (
            "{output: «[3]»}",
            Wrong(*INVALID, "`output` must be a shape, got a list", "write 96@55x55"),
        ),
        (
            "{output: «3@»}",
            Wrong(*INVALID, "`expect`: '3@' is not a shape: an extent is missing", GRAMMAR),
        ),
        (
            "{parameters: «x»}",
            Wrong(
                "S011",
                "invalid-expression",
                "`parameters`: cannot evaluate `x`: unknown name `x`",
            ),
        ),
        (
            "{flops: «1/2»}",
            Wrong("S012", "not-whole", "`1/2` is 1/2, but `flops` must be a whole number"),
        ),
        *(
            (
                f"{{macs: «{value}»}}",
                Wrong(
                    *INVALID, f"`macs` must be a whole number, got {said}", "write {macs: 34944}"
                ),
            )
            for value, said in [
                ("1.5", "`1.5`"),
                ("true", "`true`"),
                ("", "nothing"),
                ("[3]", "a list"),
            ]
        ),
        (
            "{receptive_field: «[]»}",
            Wrong(
                *INVALID,
                "`receptive_field` must be a whole number, got a list",
                "write {receptive_field: 34944}",
            ),
        ),
        (
            "{receptive_field: «[3, 1.5]»}",
            Wrong(*INVALID, "`receptive_field` must be a whole number, got a list"),
        ),
        ("{macs: «{}»}", Wrong(*INVALID, "`macs` must be a value or a list, got a mapping")),
    ],
)
def test_refuses(expect, wrong):
    assert_refused(layers(f"{{relu: , expect: {expect}}}"), wrong)
    assert_refused(layers("relu") + f"\nexpect: {expect}", wrong)


# ignore


def test_ignore_is_read_with_its_reasons():
    text = (
        layers("{relu: , ignore: {F001: as in the paper}}") + "\nignore: {floor-drops-padding: x}"
    )
    network = cnncalc.loads(text)
    assert network.ignore == {"floor-drops-padding": ("x", (4, 10, 4, 29))}
    assert network.layers[0].ignore == {"F001": ("as in the paper", (3, 23, 3, 27))}


def test_what_a_block_ignores_its_layers_ignore():
    text = """
input: 3@8x8
blocks: {b: {layers: [{relu: , ignore: {A: inner}}, tanh]}}
layers: [{b: , ignore: {A: outer, B: outer}}, b]
"""
    reasons = [
        node.ignore and {rule: one.reason for rule, one in node.ignore.items()}
        for node in cnncalc.loads(text).layers
    ]
    assert reasons == [
        {"A": "inner", "B": "outer"},
        {"A": "outer", "B": "outer"},
        {"A": "inner"},
        None,
    ]


REASON_HELP = "a reader has to know why: {F001: the paper crops the same way}"


@pytest.mark.parametrize(
    ("ignore", "wrong"),
    [
        *(
            (
                f"{{F001: «{value}»}}",
                Wrong(*INVALID, "`ignore` of F001 gives no reason", REASON_HELP),
            )
            for value in ("", "' '", "[x]", "{}")
        ),
        (
            "«[F001]»",
            Wrong(
                *INVALID,
                "`ignore` must be rules with their reasons, got a list",
                "write {F001: the paper crops the same way}",
            ),
        ),
        ("«F001»", Wrong(*INVALID, "`ignore` must be rules with their reasons, got `F001`")),
    ],
)
def test_refuses_to_ignore_without_a_reason(ignore, wrong):
    assert_refused(layers(f"{{relu: , ignore: {ignore}}}"), wrong)
    assert_refused(layers("relu") + f"\nignore: {ignore}", wrong)
