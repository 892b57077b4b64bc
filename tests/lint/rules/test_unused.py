"""What is there and not used: layers, inputs, blocks, and claims that are missing."""

import pytest

import cnncalc
from cnncalc.diagnostic import Fix, RemoveEntry, RemoveItem
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

# G101 unused-layer


def test_a_layer_that_is_passed_over():
    """8*16*1*1 + 8 = 136 parameters."""
    text = spec(
        "3@32x32",
        "{conv: 16, kernel: 3, name: stem}",
        "«{conv: 8, kernel: 1}»",
        "{relu: , from: stem}",
    )
    assert_finds(
        "G101",
        text,
        "conv1: no layer reads its output, and it is no output of the network (136 parameters)",
        help="read it by `from` or as a branch, name it under `outputs`, or remove it",
    )
    plain, (place,) = unmarked(text)
    assert found("G101", plain)[0].fix == Fix("remove it", False, (RemoveItem(place),))


def test_a_branch_is_one_finding_at_its_end():
    """136 + 0 + (8*10 + 10) = 226 parameters."""
    text = spec(
        "3@32x32",
        "{conv: 16, kernel: 3, name: stem}",
        "«{conv: 8, kernel: 1, name: side}»",
        "«globalavgpool»",
        "«flatten»",
        "«{linear: 10}»",
        "{relu: , from: stem}",
    )
    plain, places = unmarked(text)
    assert_finds(
        "G101",
        plain.replace("{linear: 10}", "«{linear: 10}»"),
        "linear1: no layer reads its output, and it is no output of the network; 3 more layers "
        "only lead to it (226 parameters in all)",
    )
    (one,) = found("G101", plain)
    assert one.fix.title == "remove it and 3 more that lead to it"
    assert not one.fix.safe
    assert sorted(edit.item for edit in one.fix.edits) == places


def test_two_ends_of_one_branch_count_what_they_share_once():
    text = spec(
        "3@32x32",
        "{relu: , name: stem}",
        "{conv: 8, kernel: 1, name: side}",
        "«tanh»",
        "«{sigmoid: , from: side}»",
        "{relu: , from: stem}",
    )
    assert_finds(
        "G101",
        text,
        "tanh1: no layer reads its output, and it is no output of the network; 1 more layer only "
        "leads to it (32 parameters in all)",
        "sigmoid1: no layer reads its output, and it is no output of the network",
    )


def test_what_stands_after_the_outputs():
    text = "outputs: [logits]\n" + spec("8", "{linear: 4, name: logits}", "«softmax»")
    assert_finds(
        "G101", text, "softmax1: no layer reads its output, and it is no output of the network"
    )


def test_a_layer_of_a_block_used_twice():
    text = (
        "input: 8@8x8\nblocks:\n  b:\n    layers:\n      - {relu: , name: a}\n      - «tanh»\n"
        "      - {sigmoid: , from: a}\nlayers: [b, b]"
    )
    assert_finds(
        "G101",
        text,
        "b1.tanh1: no layer reads its output, and it is no output of the network (and in 1 more "
        "layer from this line)",
    )
    plain, _ = unmarked(text)
    assert found("G101", plain)[0].fix is None


@pytest.mark.parametrize(
    "text",
    [
        # An auxiliary loss.
        spec(
            "8@8x8",
            "{relu: , name: x}",
            "flatten",
            "{linear: 10}",
            "cross_entropy",
            "{tanh: , from: x}",
        ),
        # Only its size is taken, or its weights, or the places of its maxima.
        spec("8@8x8", "{conv: 8, kernel: 3, name: a}", "{crop: , like: a, from: input}"),
        spec(
            "8@8x8", "{conv: 8, kernel: 3, name: a}", "{conv: 8, kernel: 3, from: input, share: a}"
        ),
        spec(
            "8@8x8",
            "{relu: , name: x}",
            "{maxpool: 2, name: p}",
            "{avgpool: 2, from: x}",
            "{maxunpool: 2, indices: x}",
            "add: [[], [{upsample: 2, from: p}]]",
        ),
        # One half of a variational code is for training only.
        spec("8@8x8", "{split: 2, name: s}", "{relu: , from: s.0}"),
        "outputs: [a, b]\n" + spec("8@8x8", "{relu: , name: a}", "{tanh: , name: b}"),
        spec("8@8x8", "add: [[relu], [tanh], []]"),
    ],
)
def test_layers_that_are_used(text):
    assert_clean("G101", text)


def test_a_split_of_which_no_part_is_used():
    text = spec("8@8x8", "{relu: , name: x}", "«{split: 2, name: s}»", "{tanh: , from: x}")
    assert_finds(
        "G101",
        text,
        "s.0: no layer reads its output, and it is no output of the network (and in 1 more layer "
        "from this line)",
    )


def test_an_output_that_is_named_too_early():
    """What comes after it is one branch."""
    text = "outputs: [relu1]\n" + spec("8@8x8", "relu", "tanh", "sigmoid", "«flatten»")
    assert_finds(
        "G101",
        text,
        "flatten1: no layer reads its output, and it is no output of the network; 2 more layers "
        "only lead to it",
    )


def test_a_spec_with_errors_is_not_judged():
    text = spec("8@8x8", "{relu: , name: x}", "{conv: 8, kernel: 9}", "{tanh: , from: x}")
    assert [one.code for one in found("G101", text)] == ["H002"]


# G102 unused-input


def test_an_input_that_nothing_reads():
    text = "input: {image: 3@8x8, «mask»: 1@8x8}\nlayers: [relu]"
    assert_finds(
        "G102",
        text,
        "no layer reads the input `mask`",
        help="read it with `from: mask` or as a branch, or remove it",
    )
    plain, (place,) = unmarked(text)
    (one,) = found("G102", plain)
    assert one.fix == Fix("remove the input `mask`", False, (RemoveEntry(place),))


@pytest.mark.parametrize(
    "text",
    [
        "input: 3@8x8\nlayers: [relu]",
        "input: {image: 3@8x8}\nlayers: [relu]",
        "input: {image: 3@8x8, mask: 1@8x8}\nlayers: [relu, {mul: [[], mask]}]",
        "input: {image: 3@8x8, mask: 1@4x4}\nlayers: [{crop: , like: mask}]",
        "input: {image: 3@8x8, mask: 1@8x8}\noutputs: [r, mask]\nlayers: [{relu: , name: r}]",
        "input: {image: 3@8x8, target: 3@8x8}\nlayers: [relu, {l2: , target: target}]",
    ],
)
def test_inputs_that_are_used(text):
    assert_clean("G102", text)


def test_an_input_read_by_an_unused_layer_is_the_layers_fault():
    text = (
        "input: {image: 3@8x8, mask: 1@8x8}\n"
        "layers: [{relu: , name: x}, {tanh: , from: mask}, {relu: , from: x}]"
    )
    assert_clean("G102", text)
    assert len(found("G101", text)) == 1


# G104 unused-block


def test_a_block_that_nothing_uses():
    text = (
        "input: 3@8x8\nblocks:\n  used: {layers: [relu]}\n  «spare»: {layers: [tanh]}\n"
        "layers: [used]"
    )
    assert_finds(
        "G104",
        text,
        "the block `spare` is used nowhere",
        help="use it as a layer, or remove it",
    )
    plain, (place,) = unmarked(text)
    (one,) = found("G104", plain)
    assert one.fix == Fix("remove the block `spare`", True, (RemoveEntry(place),))


def test_it_is_found_beside_layers_that_cannot_be_applied():
    text = "input: 3@8x8\nblocks: {spare: {layers: [tanh]}}\nlayers: [{conv: 3, kernel: 9}]"
    assert [one.code for one in found("G104", text)] == ["G104", "H002"]


@pytest.mark.parametrize(
    "text",
    [
        "input: 3@8x8\nblocks: {b: {layers: [relu]}}\nlayers: [{b: , when: 1 > 2}, tanh]",
        "input: 3@8x8\nblocks: {a: {layers: [relu]}, b: {layers: [a]}}\nlayers: [b]",
        "input: 3@8x8\nlayers: [relu]",
    ],
)
def test_blocks_that_are_used(text):
    assert_clean("G104", text)


# G108 missing-claim


def test_a_source_without_claims():
    text = "«»source: a paper\ninput: 3@8x8\nlayers: [relu]"
    assert_finds(
        "G108", text, "the spec names a source, but none of its figures is claimed by `expect`"
    )


@pytest.mark.parametrize(
    "text",
    [
        "input: 3@8x8\nlayers: [relu]",
        "source: a paper\nexpect: {parameters: 0}\ninput: 3@8x8\nlayers: [relu]",
        "source: a paper\ninput: 3@8x8\nlayers: [{relu: , expect: 3@8x8}]",
    ],
)
def test_claims_are_asked_only_of_copies(text):
    assert_clean("G108", text)


def test_it_has_to_be_asked_for():
    text = "source: a paper\ninput: 3@8x8\nlayers: [relu]"
    assert "G108" not in {one.code for one in cnncalc.lint(cnncalc.loads(text))}
