"""Differences of networks: hand-made pairs, published pairs, and what holds for any pair."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses.difference import Difference, OptionChange, compare, difference
from cnncalc.analyses.pairing import options
from cnncalc.notation import symbol

BASE = [
    "{conv: 8, kernel: 3, pad: 1}",
    "relu",
    "{conv: 16, kernel: 3, pad: 1}",
    "batchnorm",
    "relu",
    "{maxpool: 2}",
    "{conv: 16, kernel: 3, pad: 1}",
    "relu",
]


def spec(layers: list[str], input: str = "3@16x16", more: str = "") -> str:
    return f"input: {input}\n{more}layers:\n" + "".join(f"  - {one}\n" for one in layers)


def differ(old: list[str] | str, new: list[str] | str) -> Difference:
    texts = [one if isinstance(one, str) else spec(one) for one in (old, new)]
    return difference(*(cnncalc.analyze(cnncalc.loads(text)) for text in texts))


def packaged(old: str, new: str) -> Difference:
    return difference(*(cnncalc.analyze(cnncalc.load(name)) for name in (old, new)))


def told(found: Difference) -> list[str]:
    """The steps that are not equal, in short."""
    return [f"{one.change} {one.layer.name}" for one in found.changes if one.change != "equal"]


def counts(found: Difference) -> dict[str, int]:
    kinds = ("equal", "affected", "changed", "inserted", "removed")
    return {kind: found.count(kind) for kind in kinds if found.count(kind)}


# Pairs made by hand


def test_a_spec_with_itself_has_no_difference() -> None:
    found = differ(BASE, BASE)
    assert not found.different
    assert counts(found) == {"equal": 8}
    assert found.common == 1


def test_an_inserted_layer_is_inserted_and_moves_nothing() -> None:
    found = differ(BASE, [*BASE[:2], "{dropout: 0.5}", *BASE[2:]])
    assert told(found) == ["inserted dropout1"]


def test_a_removed_layer_is_removed() -> None:
    found = differ(BASE, [*BASE[:3], *BASE[4:]])
    # The batchnorm has a scale and a shift for each of 16 channels.
    assert told(found) == ["removed batchnorm1"]
    assert found.totals["parameters"].change == -32


def test_a_changed_option_is_changed_and_the_shape_follows() -> None:
    found = differ(BASE, [*BASE[:6], "{conv: 16, kernel: 5, pad: 1}", *BASE[7:]])
    changed, follows = found.changes[6:]
    assert changed.change == "changed"
    assert changed.options == (OptionChange("kernel", 3, 5),)
    # Kernel 5 with padding 1: 8 - 4 + 2 = 6.
    assert [str(one.output) for one in (changed.old, changed.new)] == ["16@8x8", "16@6x6"]
    assert changed.added("parameters") == 16 * 16 * (25 - 9)
    assert (follows.change, follows.options) == ("affected", ())
    assert "output" in follows.figures
    assert counts(found) == {"equal": 6, "affected": 1, "changed": 1}


def test_more_filters_change_the_weights_of_the_next_layer_too() -> None:
    found = differ(BASE, ["{conv: 12, kernel: 3, pad: 1}", *BASE[1:]])
    assert counts(found) == {"equal": 5, "affected": 2, "changed": 1}
    conv = found.changes[2]
    assert conv.added("parameters") == 4 * 9 * 16
    assert conv.figures == ("parameters", "macs", "flops")


def test_a_receptive_field_alone_may_follow() -> None:
    found = differ(BASE, ["{conv: 8, kernel: 5, pad: 2}", *BASE[1:]])
    assert counts(found) == {"affected": 7, "changed": 1}
    assert {one.figures for one in found.changes[1:]} == {("receptive_field",)}


def test_another_kind_in_the_same_place_is_a_change() -> None:
    found = differ(BASE, [*BASE[:5], "{avgpool: 2}", "{conv: 16, kernel: 3, pad: 1}", "gelu"])
    assert [one.options[0] for one in found.changes if one.options] == [
        OptionChange("kind", "maxpool", "avgpool"),
        OptionChange("kind", "relu", "gelu"),
    ]


def test_names_tell_which_layer_changed() -> None:
    before, after = [384, 256, 256], [256, 256, 256]
    old = [
        f"{{conv: {n}, kernel: 3, pad: 1, name: {name}}}"
        for n, name in zip(before, "abc", strict=True)
    ]
    new = [
        f"{{conv: {n}, kernel: 3, pad: 1, name: {name}}}"
        for n, name in zip(after, "abc", strict=True)
    ]
    # By definition alone, `a` would be removed and a layer inserted at the end.
    found = differ(old, new)
    assert told(found) == ["changed a", "affected b"]


def test_renumbered_names_do_not_hide_an_insertion() -> None:
    widths = [16, 32, 48, 64, 80]
    old = [f"{{conv: {n}, kernel: 3, pad: 1, name: c{i}}}" for i, n in enumerate(widths)]
    widths.insert(2, 40)
    new = [f"{{conv: {n}, kernel: 3, pad: 1, name: c{i}}}" for i, n in enumerate(widths)]
    found = differ(old, new)
    assert told(found)[0] == "inserted c2"
    assert counts(found)["inserted"] == 1
    assert "changed" not in counts(found)


def test_names_are_labels() -> None:
    found = differ(["relu", "{dropout: 0.5, name: a}"], ["relu", "{dropout: 0.5, name: b}"])
    assert not found.different
    assert [one.renamed for one in found.changes] == [False, True]


def test_ways_of_writing_the_same_are_the_same() -> None:
    old = ["{conv: 8, kernel: 3, pad: 1}", "{maxpool: 2}"]
    new = ["{conv: 8, kernel: [3, 3], pad: [[1, 1], [1, 1]]}", "{maxpool: [2, 2], stride: 2}"]
    assert not differ(old, new).different


def test_before_and_after_are_not_height_and_width() -> None:
    # Both give 3@6x6 on 3@5x5... but [0, 2] is width alone, [[0, 1], [0, 1]] one on each axis.
    one = ["{zeropad: [[0, 1], [0, 1]]}"]
    other = ["{zeropad: [0, 1]}"]
    (step,) = differ(one, other).changes
    assert step.options == (OptionChange("pad", ((0, 1), (0, 1)), (0, 1)),)


def test_blocks_and_the_same_unrolled_are_the_same() -> None:
    block = "blocks:\n  unit:\n    parameters: {n: }\n    layers: [{conv: n, kernel: 3}, relu]\n"
    nested = spec(["{unit: 8, repeat: 2}"], more=block)
    flat = spec(["{conv: 8, kernel: 3}", "relu"] * 2)
    assert not differ(nested, flat).different


def test_an_inserted_block_covers_the_block_and_not_halves_of_two() -> None:
    block = (
        "blocks:\n  unit:\n    layers:\n      - add:\n"
        "          - [{conv: 3, kernel: 3, pad: 1}, relu, {conv: 3, kernel: 3, pad: 1}]\n"
        "          - []\n      - relu\n"
    )
    found = differ(
        spec(["{unit: , repeat: 2}"], more=block), spec(["{unit: , repeat: 3}"], more=block)
    )
    inserted = [one.layer.name for one in found.changes if one.change == "inserted"]
    names = ("conv1", "relu1", "conv2", "add1", "relu2")
    assert inserted == [f"unit3.{name}" for name in names]


def test_another_skip_is_a_change_and_an_insertion_on_the_way_is_none() -> None:
    start = ["{conv: 3, kernel: 1, name: a}", "{conv: 3, kernel: 3, pad: 1, name: b}"]
    old = [*start, "relu", "{add: [relu1, a]}"]
    rewired = differ(old, [*start, "relu", "{add: [relu1, b]}"])
    assert told(rewired) == ["changed add1"]
    assert rewired.changes[-1].options == (OptionChange("input", "a", "b"),)
    between = differ(old, [*start, "batchnorm", "relu", "{add: [relu1, a]}"])
    assert told(between) == ["inserted batchnorm1"]


def test_a_further_branch_is_a_change() -> None:
    start = ["{conv: 3, kernel: 1, name: a}", "{conv: 3, kernel: 1, name: b}"]
    found = differ([*start, "{concat: [b, a]}"], [*start, "{concat: [b, a, a]}"])
    assert found.changes[-1].options == (OptionChange("inputs", 2, 3),)


def test_shared_weights_are_a_change() -> None:
    first = "{conv: 3, kernel: 1, name: a}"
    found = differ([first, "{conv: 3, kernel: 1}"], [first, "{conv: 3, kernel: 1, share: a}"])
    assert found.changes[1].options == (OptionChange("share", None, "a"),)
    assert found.totals["parameters"].change == -(3 * 3 + 3)


def test_another_input_is_a_difference_of_the_network() -> None:
    found = differ(spec(["relu"]), spec(["relu"], input="3@20x16"))
    assert [(str(one.old), str(one.new)) for one in found.inputs] == [("3@16x16", "3@20x16")]
    assert counts(found) == {"affected": 1}


def test_inputs_go_by_name() -> None:
    one = spec(["{concat: [image, mask]}"], input="{image: 3@8x8, mask: 1@8x8}")
    other = spec(["{concat: [image, depth]}"], input="{image: 3@8x8, depth: 1@8x8}")
    found = differ(one, other)
    assert [(one.name, one.old is None, one.new is None) for one in found.inputs] == [
        ("image", False, False),
        ("mask", False, True),
        ("depth", True, False),
    ]
    assert found.different


def test_outputs_are_compared_where_they_are_not_the_last_layer() -> None:
    layers = ["{conv: 3, kernel: 1, name: a}", "{conv: 3, kernel: 1, name: b}"]
    found = differ(spec(layers), spec(layers, more="outputs: [a, b]\n"))
    assert found.outputs == (("b",), ("a", "b"))
    assert found.different
    assert differ(spec(layers), spec(layers, more="outputs: [b]\n")).outputs is None


def test_unrelated_networks_are_told_apart_from_variants() -> None:
    assert not packaged("lenet5", "resnet50").related
    assert not packaged("vgg16", "mobilenet_v2").related
    assert packaged("resnet18", "resnet34").related
    # A tenth of the other's layers, but all of its own.
    assert packaged("cifar_resnet110", "cifar_resnet1202").related


# Published networks


def test_vgg19_is_vgg16_and_three_convolutions() -> None:
    found = packaged("vgg16", "vgg19")
    inserted = [one.layer for one in found.changes if one.change == "inserted"]
    assert [one.kind for one in inserted] == ["conv", "relu"] * 3
    # 3x3 from 256 to 256 and from 512 to 512 channels, with biases.
    assert [one.parameters for one in inserted[::2]] == [
        256 * (256 * 9 + 1),
        512 * (512 * 9 + 1),
        512 * (512 * 9 + 1),
    ]
    assert set(counts(found)) == {"equal", "affected", "inserted"}
    # The published totals: Keras applications and torchvision.
    assert found.totals["parameters"][:3] == (138357544, 143667240, 143667240 - 138357544)


def test_resnet34_is_resnet18_and_whole_blocks() -> None:
    found = packaged("resnet18", "resnet34")
    assert counts(found).keys() == {"equal", "affected", "inserted"}
    inserted = [
        one.layer.name.rpartition(".")[0] for one in found.changes if one.change == "inserted"
    ]
    # Table 1 of He et al.: 2, 2, 2, 2 blocks become 3, 4, 6, 3; a block is conv, batchnorm,
    # relu, conv, batchnorm, add, relu.
    blocks = ["conv2_x.basic3", "conv3_x.basic3", "conv3_x.basic4"]
    blocks += [f"conv4_x.basic{n}" for n in (3, 4, 5, 6)] + ["conv5_x.basic3"]
    assert inserted == [block for block in blocks for _ in range(7)]
    assert found.totals["parameters"].change == 21797672 - 11689512


def test_keras_resnet50_has_biases_and_its_strides_elsewhere() -> None:
    found = packaged("resnet50", "keras_resnet50")
    assert [one.layer.kind for one in found.changes if one.change == "inserted"] == ["softmax"]
    assert found.count("removed") == 0
    convs = [one for one in found.changes if one.layer.kind == "conv"]
    assert all(OptionChange("bias", False, True) in one.options for one in convs)
    moved = {
        one.layer.name: option[1:]
        for one in convs
        for option in one.options
        if option.name == "stride"
    }
    assert moved == {
        f"conv{stage}_x.bottleneck1.conv{which}": change
        for stage in (3, 4, 5)
        for which, change in ((1, (1, 2)), (2, (2, 1)))
    }
    # A bias for each of the channels, which have 53,120 running statistics, two each.
    assert found.totals["parameters"].change == 53120 // 2
    # Keras counts 3857973248, torchvision 4089184256 (tests/data/models.yaml).
    assert found.totals["macs"].change == 3857973248 - 4089184256


def test_alexnet_of_the_course_and_of_torchvision() -> None:
    found = packaged("alexnet", "alexnet_227")
    assert [one.layer.name for one in found.changes if one.change == "inserted"] == [
        "norm1", "norm2", "dropout2", "softmax1",
    ]  # fmt: skip
    assert [one.layer.name for one in found.changes if one.change == "removed"] == [
        "adaptiveavgpool1", "dropout1",
    ]  # fmt: skip
    assert {one.layer.name: one.options for one in found.changes if one.options} == {
        "conv1": (OptionChange("filters", 64, 96), OptionChange("pad", 2, 0)),
        "conv2": (OptionChange("filters", 192, 256),),
        "conv4": (OptionChange("filters", 256, 384),),
    }
    assert [(one.old.name, one.new.name) for one in found.changes if one.renamed] == [
        ("pool5", "pool3")
    ]


# Totals


def test_changes_are_absolute_and_relative() -> None:
    assert compare(200, 150) == (200, 150, -50, -0.25)
    assert compare(0, 7) == (0, 7, 7, None)
    assert compare(0, 0) == (0, 0, 0, None)


def test_symbolic_changes() -> None:
    c, h = symbol("C"), symbol("H")
    assert compare(49 * c**2, 27 * c**2) == (49 * c**2, 27 * c**2, -22 * c**2, -22 / 49)
    assert compare(c**2 + c, 2 * c * (c + 1)).relative == 1
    assert compare((c + 1) * (c - 1), c**2 - 1).change == 0
    assert compare(c, c * h).relative is None
    assert compare(5, c).relative is None
    assert compare(c + 3, c + 5) == (c + 3, c + 5, 2, None)


def test_three_3x3_for_one_7x7() -> None:
    conv = "{{conv: C, kernel: {}, pad: {}, bias: false}}"
    old = spec([conv.format(7, 3)], input="C@HxW")
    new = spec([conv.format(3, 1)] * 3, input="C@HxW")
    found = differ(old, new)
    # The course notes: 49*C**2 against 27*C**2.
    assert str(found.totals["parameters"].change) == "-22*C**2"
    assert found.totals["parameters"].relative == pytest.approx(-22 / 49)


def test_numbers_against_symbols() -> None:
    found = differ(spec(["relu"], input="3@HxW"), spec(["relu"], input="3@8x8"))
    # The input and nothing else: relu works in place.
    assert found.totals["activations"].change == 192 - 3 * symbol("H") * symbol("W")
    assert found.totals["activations"].relative is None


# Any pair

POOL = [
    "{conv: 4, kernel: 3, pad: 1}",
    "{conv: 6, kernel: 3, pad: 1}",
    "{conv: 4, kernel: 1}",
    "{conv: 4, kernel: 1, name: named}",
    "relu",
    "gelu",
    "batchnorm",
    "{maxpool: 3, stride: 1, pad: 1}",
    "{dropout: 0.5}",
]


@st.composite
def networks(draw: st.DrawFn) -> list[str]:
    picks = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=14))
    seen = False
    layers = []
    for one in picks:
        layers.append(one.replace(", name: named", "") if seen else one)
        seen = seen or "named" in one
    return layers


def definitions(layers) -> list[tuple[str, dict]]:
    return [(one.kind, options(one.node.layer)) for one in layers]


def applied(found: Difference) -> list[tuple[str, dict]]:
    """The old network's definitions after every step."""
    result = []
    for step in found.changes:
        if step.change == "removed":
            continue
        if step.change == "inserted":
            result += definitions([step.new])
            continue
        ((kind, values),) = definitions([step.old])
        for option in step.options:
            if option.name == "kind":
                # Another kind has other options: those come with it.
                kind, values = step.new.kind, {**options(step.new.node.layer)}
            elif option.name not in ("input", "inputs", "share"):
                assert values[option.name] in (option.old, option.new)
                values[option.name] = option.new
        result.append((kind, values))
    return result


@given(networks(), networks())
@settings(deadline=None, max_examples=150)
def test_the_steps_lead_from_one_network_to_the_other(old: list[str], new: list[str]) -> None:
    found = differ(old, new)
    assert [one.old for one in found.changes if one.old] == list(found.old.layers)
    assert [one.new for one in found.changes if one.new] == list(found.new.layers)
    assert applied(found) == definitions(found.new.layers)
    for figure in ("parameters", "buffers", "macs", "flops"):
        assert sum(one.added(figure) for one in found.changes) == found.totals[figure].change
    back = differ(new, old)
    names = {"inserted": "removed", "removed": "inserted"}
    assert {names.get(kind, kind): n for kind, n in counts(back).items()} == counts(found)
    assert found.different == back.different


@given(networks())
@settings(deadline=None, max_examples=50)
def test_any_network_equals_itself(layers: list[str]) -> None:
    found = differ(layers, layers)
    assert counts(found) == {"equal": len(layers)}
    assert not found.different


@given(networks(), st.integers(0, 14), st.sampled_from(["softplus", "{lrn: 5}"]))
@settings(deadline=None, max_examples=50)
def test_one_new_layer_anywhere_is_one_insertion(layers: list[str], at: int, one: str) -> None:
    # Of kinds that occur nowhere else, so that there is one answer.
    found = differ(layers, [*layers[:at], one, *layers[at:]])
    assert [step.layer.kind for step in found.changes if step.change == "inserted"] == [
        one.strip("{}").partition(":")[0]
    ]
    assert found.count("removed", "changed") == 0


def test_chains_of_10_000_layers_take_seconds() -> None:
    old = ["{conv: 8, kernel: 3, pad: 1}", "relu"] * 5000
    new = list(old)
    for position in range(9_000, 0, -1000):
        new.insert(position, "{conv: 8, kernel: 5, pad: 2}")
    sides = [cnncalc.analyze(cnncalc.loads(spec(one))) for one in (old, new)]
    start = time.perf_counter()
    found = difference(*sides)
    assert time.perf_counter() - start < 10
    assert found.count("inserted") == 9
    assert found.count("equal", "affected") == 10_000


def test_chains_with_nothing_in_common_take_seconds() -> None:
    old = ["{conv: 8, kernel: 3, pad: 1}", "relu"] * 5000
    new = [f"{{conv: {8 + n % 7}, kernel: 1, name: c{n}}}" for n in range(10_000)]
    sides = [cnncalc.analyze(cnncalc.loads(spec(one))) for one in (old, new)]
    start = time.perf_counter()
    assert not difference(*sides).related
    assert time.perf_counter() - start < 10
