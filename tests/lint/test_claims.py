"""A false claim is an error that shows both numbers at its place; a true one is silent."""

import pytest

import cnncalc
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.settings import Settings
from tests.spec.marking import Wrong, assert_found, layers, unmarked

FALSE = "C001", "false-claim"

#: What is found besides errors and claims depends on the rules: none of them runs here.
CLAIMS_ONLY = Settings(select=("L001",))


def judged(network: cnncalc.Network) -> list[Diagnostic]:
    return cnncalc.lint(network, CLAIMS_ONLY)


def assert_claims(text: str, *expected: Wrong) -> None:
    """Linting the spec finds these false claims, each at its mark, and nothing else."""
    plain, places = unmarked(text)
    assert_found(judged(cnncalc.loads(plain)), expected, places)


def claim(what: str, wanted: str, found: str, write: str) -> Wrong:
    return Wrong(
        *FALSE,
        f"{what}: expected {wanted}, computed {found}",
        f"if the spec is right, write {write}",
    )


# A 3x3 convolution from 3 to 4 maps, 8x8 to 6x6: 4*27 + 4 = 112 parameters, 4*36*27 = 3,888 MACs,
# 2*3888 + 144 FLOPs; the gradient of the weights alone; 144 activations.
CONV = "{{conv: 4, kernel: 3, name: c, expect: {}}}"


@pytest.mark.parametrize(
    "expect",
    [
        "4@6x6",
        "{output: 4@6x6, parameters: 112, trainable_parameters: 112, buffers: 0, macs: 3888}",
        "{flops: 7920, backward_macs: 3888, activations: 144}",
        "{receptive_field: 3}",
        "{receptive_field: [3, 3]}",
        "{parameters: 4*27 + 4}",
        "{}",
    ],
)
def test_true_claims_are_silent(expect):
    assert_claims(layers(CONV.format(expect)))


@pytest.mark.parametrize(
    ("expect", "wrong"),
    [
        ("«4@5x5»", claim("c: output", "4@5x5", "4@6x6", "4@6x6")),
        ("{output: «144»}", claim("c: output", "144", "4@6x6", "4@6x6")),
        ("{parameters: «108»}", claim("c: parameters", "108", "112 (+4)", "112")),
        (
            "{trainable_parameters: «120»}",
            claim("c: trainable parameters", "120", "112 (-8)", "112"),
        ),
        ("{buffers: «8»}", claim("c: buffers", "8", "0 (-8)", "0")),
        ("{macs: «7776»}", claim("c: macs", "7,776", "3,888 (-3,888)", "3888")),
        ("{flops: «3888»}", claim("c: flops", "3,888", "7,920 (+4,032)", "7920")),
        (
            "{backward_macs: «7776»}",
            claim("c: backward macs", "7,776", "3,888 (-3,888)", "3888"),
        ),
        ("{activations: «143»}", claim("c: activations", "143", "144 (+1)", "144")),
        ("{receptive_field: «5»}", claim("c: receptive field", "5", "3", "3")),
        ("{receptive_field: «[3, 5]»}", claim("c: receptive field", "3x5", "3", "3")),
        ("{receptive_field: «[3]»}", claim("c: receptive field", "3", "3x3", "[3, 3]")),
    ],
)
def test_a_false_claim_about_a_layer(expect, wrong):
    assert_claims(layers(CONV.format(expect)), wrong)


def test_a_field_that_differs_by_axis_is_shown_by_axis():
    (found,) = judged(
        cnncalc.loads(layers("{conv: 4, kernel: [3, 1], expect: {receptive_field: 3}}"))
    )
    assert found.message == "conv1: receptive field: expected 3, computed 3x1"
    # What the help says can be written can be read again.
    wanted = found.help.removeprefix("if the spec is right, write ")
    text = layers(f"{{conv: 4, kernel: [3, 1], expect: {{receptive_field: {wanted}}}}}")
    assert judged(cnncalc.loads(text)) == []


def test_several_false_claims_are_all_shown():
    assert_claims(
        layers(CONV.format("{output: «4@5x5», parameters: «1», macs: 3888}")),
        claim("c: output", "4@5x5", "4@6x6", "4@6x6"),
        claim("c: parameters", "1", "112 (+111)", "112"),
    )


def test_claims_about_the_network():
    """Two convolutions: 112 and 4*36 + 4 = 148 parameters; the field is that of the last map."""
    text = layers("{conv: 4, kernel: 3}", "{conv: 4, kernel: 3}", "flatten", "{linear: 2}")
    # 4@4x4 = 64 elements, 64*2 + 2 = 130; activations 192 + 144 + 64 + 2, flatten in place.
    assert_claims(
        f"{text}\nexpect: {{output: 2, parameters: 390, receptive_field: 5, activations: 402}}"
    )
    assert_claims(
        f"{text}\nexpect: {{output: «4», parameters: «391», receptive_field: «7»,"
        " activations: «210», buffers: «1»}",
        claim("output", "4", "2", "2"),
        claim("parameters", "391", "390 (-1)", "390"),
        claim("receptive field", "7", "5", "5"),
        claim("activations", "210", "402 (+192)", "402"),
        claim("buffers", "1", "0 (-1)", "0"),
    )


def test_the_output_claimed_is_the_output_declared():
    text = layers("{conv: 4, kernel: 3, name: c}", "{maxpool: 2}") + "\noutputs: c\n"
    assert_claims(text + "expect: 4@6x6")
    assert_claims(text + "expect: «4@3x3»", claim("output", "4@3x3", "4@6x6", "4@6x6"))
    assert_claims(layers("{maxpool: 2}") + "\noutputs: input\nexpect: 3@8x8")


def test_a_claim_about_a_block_covers_its_layers():
    """The block: 112 + 8 parameters, and 8 buffers."""
    text = """
input: 3@8x8
blocks: {b: {layers: [{conv: 4, kernel: 3}, batchnorm]}}
layers:
  - {b: , name: x, expect: {output: 4@6x6, parameters: EXPECTED, buffers: 8}}
"""
    assert_claims(text.replace("EXPECTED", "120"))
    assert_claims(
        text.replace("EXPECTED", "«112»"), claim("x: parameters", "112", "120 (+8)", "120")
    )


def test_a_claim_about_repeats_covers_them_all():
    """Three 3x3 convolutions of 3 maps: 3*84 parameters, 8 to 2 rows, a field of 7."""
    line = "{conv: 3, kernel: 3, repeat: 3, name: c, expect: EXPECT}"
    assert_claims(
        layers(line.replace("EXPECT", "{output: 3@2x2, parameters: 252, receptive_field: 7}"))
    )
    assert_claims(
        layers(line.replace("EXPECT", "{parameters: «84»}")),
        claim("c: parameters", "84", "252 (+168)", "252"),
    )


def test_a_claim_inside_a_block_is_shown_once():
    assert_claims(
        "input: 3@8x8\nblocks: {b: {layers: [{conv: 3, kernel: 1, expect: {parameters: «9»}}]}}\n"
        "layers: [b, b, b]",
        Wrong(
            *FALSE,
            "b1.conv1: parameters: expected 9, computed 12 (+3) (and in 2 more layers from this "
            "line)",
            "if the spec is right, write 12",
        ),
    )


def test_a_claim_about_what_cannot_be_applied_is_silent():
    network = cnncalc.loads(
        layers("{conv: 3, kernel: 9, name: c, expect: 3@1x1}") + "\nexpect: {parameters: 1}"
    )
    assert [found.code for found in judged(network)] == ["H002"]


def test_a_claim_about_shared_weights_counts_them_once():
    assert_claims(
        layers(
            "{conv: 3, kernel: 1, name: a, expect: {parameters: 12}}",
            "{conv: 3, kernel: 1, share: a, expect: {parameters: 0}}",
        )
        + "\nexpect: {parameters: 12}"
    )


def test_a_claim_about_the_receptive_field_of_a_vector_network():
    (found,) = judged(
        cnncalc.loads("input: 10\nlayers: [{linear: 3}]\nexpect: {receptive_field: 3}")
    )
    assert found.code == "C001"
    assert found.message.startswith("receptive field: expected 3, computed ")
    assert not found.message.endswith("computed ")


# Symbols


@pytest.mark.parametrize(
    "expect",
    [
        "C@HxW",
        "{parameters: 9*C**2}",
        "{parameters: 9*C*C}",
        "{macs: 9*C**2*H*W}",
        "{macs: (3*C)**2*W*H}",
        "{receptive_field: 3}",
    ],
)
def test_true_symbolic_claims(expect):
    line = f"{{conv: C, kernel: 3, pad: 1, bias: false, expect: {expect}}}"
    assert_claims(f"input: C@HxW\nlayers:\n  - {line}")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("«C@HxH»", "output: expected C@HxH, computed C@HxW"),
        ("{parameters: «9*C**2 + C»}", "parameters: expected 9*C**2 + C, computed 9*C**2"),
        ("{parameters: «81»}", "parameters: expected 81, computed 9*C**2"),
    ],
)
def test_false_symbolic_claims(expect, message):
    line = f"{{conv: C, kernel: 3, pad: 1, bias: false, expect: {expect}}}"
    assert_claims(f"input: C@HxW\nlayers:\n  - {line}", Wrong(*FALSE, f"conv1: {message}"))


def test_a_claim_about_a_network_without_layers():
    """All switched off: what goes in comes out, and the claim is still held to it."""
    found = judged(cnncalc.loads(layers("{relu: , when: false}") + "\nexpect: 4@1x1"))
    assert [one.code for one in found] == ["C001"]


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "resnet18", "alexnet_two_group"])
def test_the_claims_of_shipped_networks_hold_and_can_fail(name):
    network = cnncalc.load(name)
    assert [found for found in judged(network) if found.code == "C001"] == []
    last = network.text.rindex("parameters: ") + len("parameters: ")
    changed = cnncalc.loads(network.text[:last] + "1" + network.text[last:])
    assert [found.code for found in judged(changed) if found.severity == "error"] == ["C001"]
