"""Fixes applied: each kind of edit, round after round, and what is taken back."""

from pathlib import Path

import pytest

import cnncalc
from cnncalc.diagnostic import (
    Fix,
    InsertItem,
    RemoveEntry,
    RemoveItem,
    ReplaceText,
    SetOption,
    SwapItems,
)
from cnncalc.lint import selection
from cnncalc.lint.engine import lint
from cnncalc.lint.fixing import fix
from cnncalc.lint.registry import rules
from cnncalc.lint.rule import Rule
from cnncalc.lint.settings import Settings
from tests.lint.test_rules import example, settings
from tests.spec.marking import layers, unmarked

SPECS = Path(__file__).parents[2] / "specs"


class Scripted(Rule):
    """A rule of these tests: `mend` gives the edits for each layer that it finds."""

    code, name, severity = "Z001", "scripted-defect", "warning"
    safe = True

    @staticmethod
    def mend(subject, layer):
        raise NotImplementedError

    def check(self, subject):
        for layer in subject.layers:
            edits = self.mend(subject, layer)
            if edits:
                mending = Fix("mend it", self.safe, tuple(edits))
                yield self.at(subject, layer, "is at fault", "mend it", fix=mending)


@pytest.fixture
def only(monkeypatch):
    """Have nothing but some rules, made of functions from a layer to its edits."""

    def use(*mends, safe=True, severity="warning"):
        made = tuple(
            type(
                "Made",
                (Scripted,),
                {
                    "mend": staticmethod(mend),
                    "code": f"Z00{number}",
                    "safe": safe,
                    "severity": severity,
                },
            )
            for number, mend in enumerate(mends, start=1)
        )
        monkeypatch.setattr(selection, "rules", lambda: made)

    return use


def fixed(text, **options):
    """A text fixed; a second time nothing changes."""
    result = fix(text, **options)
    again = fix(result.text, **options)
    assert (again.text, again.applied) == (result.text, ())
    assert again.remaining == result.remaining
    assert again.refused == result.refused
    return result


# Each kind of edit


def place(layer):
    return layer.node.place


@pytest.mark.parametrize(
    ("mend", "lines", "result"),
    [
        (
            lambda s, one: (
                one.kind == "relu" and [SetOption(place(one), "name", "r")]
                if one.name != "r"
                else []
            ),
            ["{conv: 8, kernel: 1}  # of VGG", "relu   # on"],
            ["{conv: 8, kernel: 1}  # of VGG", "{relu: , name: r}   # on"],
        ),
        (
            lambda s, one: one.kind == "tanh" and [RemoveItem(place(one))],
            ["relu", "tanh  # off", "# last", "softmax"],
            ["relu", "# last", "softmax"],
        ),
        (
            lambda s, one: one.kind == "tanh" and [ReplaceText(place(one), "relu")],
            ["{tanh: , name: t}", "softmax"],
            ["relu", "softmax"],
        ),
        (
            lambda s, one: (
                one.kind == "conv"
                and s.reader(one).kind != "batchnorm"
                and [InsertItem(place(one), "batchnorm")]
            ),
            ["{conv: 8, kernel: 1}  # 1", "relu", "{conv: 8, kernel: 1}", "relu"],
            ["{conv: 8, kernel: 1}  # 1", "batchnorm", "relu"]
            + ["{conv: 8, kernel: 1}", "batchnorm", "relu"],
        ),
        (
            lambda s, one: (
                one.kind == "relu"
                and s.reader(one) is not None
                and s.reader(one).kind == "batchnorm"
                and [SwapItems(place(one), place(s.reader(one)))]
            ),
            ["relu  # act", "batchnorm  # norm", "tanh"],
            ["batchnorm  # norm", "relu  # act", "tanh"],
        ),
        (
            lambda s, one: (
                "name" in getattr(one.node.origin, "entries", ())
                and [RemoveEntry(one.node.origin.key_place("name"))]
            ),
            ["{conv: 8, kernel: 1, name: a}", "{relu: , name: b}"],
            ["{conv: 8, kernel: 1}", "relu"],
        ),
    ],
    ids=["set", "remove", "replace", "insert", "swap", "entry"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_kind_of_edit(only, mend, lines, result, newline):
    only(mend)
    text, wanted = (layers(*one).replace("\n", newline) for one in (lines, result))
    # No comment is a layer.
    text, wanted = (one.replace("  - #", "    #") for one in (text, wanted))
    done = fixed(text)
    assert done.text == wanted
    assert done.applied
    assert (done.remaining, done.refused) == ((), ())


# Which fixes


def test_unsafe_fixes_only_when_asked_for(only):
    only(lambda s, one: one.kind == "tanh" and [RemoveItem(place(one))], safe=False)
    text = layers("relu", "tanh")
    left = fixed(text)
    assert (left.text, left.applied, left.refused) == (text, (), ())
    assert [one.code for one in left.remaining] == ["Z001"]
    assert fixed(text, unsafe=True).text == layers("relu")


def test_fixes_that_touch_each_other_take_turns(only):
    """relu over relu over relu: of each pair that touches, one goes first."""
    only(
        lambda s, one: (
            one.kind == "relu"
            and s.source(one) is not None
            and s.source(one).kind == "relu"
            and [RemoveItem(place(one))]
        )
    )
    done = fixed(layers("tanh", *["relu"] * 9, "tanh"))
    assert done.text == layers("tanh", "relu", "tanh")
    assert len(done.applied) == 8
    done = fixed("input: 3@8x8\nlayers: [" + ", ".join(["relu"] * 9) + "]")
    assert done.text == "input: 3@8x8\nlayers: [relu]"


def test_rules_take_turns(only):
    """Of two rules that want the same pair mended, one finds nothing left to do."""

    def above(s, one):
        reader = s.reader(one)
        return one.kind == "relu" and reader and reader.kind == "relu" and [RemoveItem(place(one))]

    def below(s, one):
        source = s.source(one)
        return one.kind == "relu" and source and source.kind == "relu" and [RemoveItem(place(one))]

    only(above, below)
    done = fixed(layers("tanh", "relu", "relu", "tanh"))
    assert done.text == layers("tanh", "relu", "tanh")
    assert [one.code for one in done.applied] == ["Z001"]


def test_one_fix_may_call_for_another(only):
    only(
        lambda s, one: one.kind == "tanh" and [ReplaceText(place(one), "sigmoid")],
        lambda s, one: one.kind == "sigmoid" and [ReplaceText(place(one), "softmax")],
    )
    done = fixed(layers("tanh", "flatten"))
    assert done.text == layers("softmax", "flatten")
    assert [one.code for one in done.applied] == ["Z001", "Z002"]


def test_a_fix_may_bring_a_finding_of_its_own_rule(only):
    """Also where the configuration makes that an error: it was hidden by the first."""
    only(
        lambda s, one: one is s.layers[0] and one.kind == "tanh" and [RemoveItem(place(one))],
        severity="error",
    )
    assert fixed(layers("tanh", "tanh", "softmax")).text == layers("softmax")


def test_a_spec_with_errors_is_left_alone():
    text = layers("{conv: 8, kernal: 3}")
    done = fixed(text)
    assert (done.text, done.applied, done.refused) == (text, (), ())
    assert "S002" in [one.code for one in done.remaining]


def test_layers_that_cannot_be_applied_do_not_keep_others_from_being_mended():
    """UnusedIgnore judges each entry by itself: here of a layer without output."""
    text = layers("{relu: , ignore: {F001: why}}", "{conv: 8, kernel: 9}")
    done = fixed(text)
    assert done.text == layers("relu", "{conv: 8, kernel: 9}")
    assert "G007" in [one.code for one in done.remaining] or len(done.remaining) == 1


def test_a_block_used_several_times_is_mended_once(only):
    only(
        lambda s, one: (
            one.kind == "conv"
            and one.node.layer.bias is True
            and [SetOption(place(one), "bias", "false")]
        )
    )
    text = """\
input: 3@8x8
blocks:
  b:
    parameters: {width: }
    layers:
      - {conv: width, kernel: 1}  # no bias
      - batchnorm
layers:
  - {b: 8, repeat: 3}
  - {b: 16}
"""
    done = fixed(text)
    assert done.text == text.replace("kernel: 1}", "kernel: 1, bias: false}")
    assert len(done.applied) == 1


def test_an_aliased_layer_is_mended_once(only):
    only(
        lambda s, one: (
            one.kind == "conv"
            and one.node.layer.bias is True
            and [SetOption(place(one), "bias", "false")]
        )
    )
    text = layers("&c {conv: 8, kernel: 1}", "relu", "*c")
    assert fixed(text).text == text.replace("kernel: 1}", "kernel: 1, bias: false}")


# What is taken back


def refusals(done):
    return [(one.layer, why) for one, why in done.refused]


def remove(kind):
    return lambda s, one: one.kind == kind and [RemoveItem(place(one))]


def no_bias(s, one):
    return (
        one.kind == "conv"
        and one.node.layer.bias is True
        and [SetOption(place(one), "bias", "false")]
    )


def test_a_claim_that_would_be_false(only):
    """8*3*1 + 8 = 32 parameters with the bias; the other layers have no claim."""
    only(no_bias)
    text = layers(
        "{conv: 4, kernel: 1}",
        "{conv: 4, kernel: 1, expect: {parameters: 20}}",
        "{conv: 4, kernel: 1}",
    )
    done = fixed(text)
    assert done.text == layers(
        "{conv: 4, kernel: 1, bias: false}",
        "{conv: 4, kernel: 1, expect: {parameters: 20}}",
        "{conv: 4, kernel: 1, bias: false}",
    )
    assert refusals(done) == [
        (
            "conv2",
            "it would bring an error: conv2: parameters: expected 20, computed 16 (-4)",
        )
    ]
    assert [one.place.line for one in done.remaining] == [4]


def test_a_claim_of_the_whole_network(only):
    """3*4 + 4 + 19 * (4*4 + 4) = 396: every one of twenty fixes breaks it."""
    only(no_bias)
    text = layers(*["{conv: 4, kernel: 1}"] * 20) + "\nexpect: {parameters: 396}"
    done = fixed(text)
    assert done.text == text
    assert len(done.refused) == 20
    assert all(why.startswith("it would bring an error: parameters") for _, why in done.refused)


def test_others_are_mended_beside_many_that_cannot(only):
    """A claim about one block does not keep those outside of it from being mended."""
    only(no_bias)
    plain = "{conv: 4, kernel: 1}"
    block = "\nblocks: {b: {layers: [" + ",\n".join([plain] * 16) + "]}}"
    # 16 * (4*4 + 4) = 320
    text = layers(*[plain] * 16, "{b: , expect: {parameters: 320}}", *[plain] * 16) + block
    done = fixed(text)
    assert done.text == text.replace(f"- {plain}", "- {conv: 4, kernel: 1, bias: false}")
    assert len(done.refused) == 16


def test_a_true_claim_that_stays_true(only):
    only(remove("dropout"))
    text = layers("{conv: 4, kernel: 1}", "dropout") + "\nexpect: {parameters: 16}"
    assert fixed(text).text == layers("{conv: 4, kernel: 1}") + "\nexpect: {parameters: 16}"


def test_a_result_that_is_no_spec(only):
    only(remove("tanh"))
    done = fixed(layers("{tanh: , name: t}", "relu", "{add: [t, []]}"))
    assert refusals(done) == [("t", "the spec would be wrong: no layer above is called `t`")]


def test_a_layer_that_could_not_be_applied(only):
    only(remove("flatten"))
    done = fixed(layers("flatten", "{linear: 2}"))
    assert done.applied == ()
    assert refusals(done)[0][1].startswith("it would bring an error: linear1: ")


def test_a_fix_that_does_not_help(only):
    only(lambda s, one: one.kind == "relu" and [SetOption(place(one), "name", "r")])
    done = fixed(layers("relu", "tanh"))
    assert done.text == layers("relu", "tanh")
    assert refusals(done) == [("relu1", "the finding would stay")]


def test_a_fix_that_cannot_be_carried_out(only):
    only(
        remove("relu"),
        lambda s, one: one.kind == "tanh" and [],
        lambda s, one: one.kind == "sigmoid" and [SwapItems(place(one), place(s.layers[0]))],
    )
    done = fixed("input: 3@8x8\nlayers:\n  - relu\n")
    assert refusals(done) == [("relu1", "it is the only entry of its list")]
    done = fixed("input: 3@8x8\nlayers: [tanh, {add: [[sigmoid], []]}]")
    assert refusals(done) == [("sigmoid1", "they are not two entries of one list")]


def test_fixes_that_undo_each_other_end(only):
    only(
        lambda s, one: one.kind == "tanh" and [ReplaceText(place(one), "relu")],
        lambda s, one: one.kind == "relu" and [ReplaceText(place(one), "tanh")],
    )
    done = fix(layers("tanh"))
    assert done.text == layers("relu")
    assert refusals(done) == [("relu1", "it would undo what another fix did")]


def test_rounds_are_bounded(only):
    """A fix that calls for itself over and over."""

    def one_more(subject, layer):
        more = f"{{relu: , name: r{len(subject.layers)}}}"
        return layer is subject.layers[-1] and [InsertItem(place(layer), more)]

    only(one_more)
    assert 100 <= fix(layers("relu")).text.count("relu") < 1000


def test_a_name_given_by_number_must_not_change_its_meaning(only):
    """Without the first relu, `relu2` would be what is `relu3` now."""
    only(lambda s, one: one.name == "relu1" and len(s.layers) > 5 and [RemoveItem(place(one))])
    lines = ["relu", "relu", "{conv: 3, kernel: 1}", "relu", "tanh", "{add: [relu2, []]}"]
    done = fixed(layers(*lines))
    assert done.text == layers(*lines)
    assert refusals(done) == [("relu1", "the name `relu2` would mean another layer")]
    lines[-1] = "{add: [tanh1, []]}"
    assert fixed(layers(*lines)).text == layers(*lines[1:])


def test_what_is_refused_is_tried_again_after_a_change(only):
    """The claim of the first layer is only in the way until another fix takes it out."""
    only(
        no_bias,
        lambda s, one: (
            "expect" in getattr(one.node.origin, "entries", ())
            and [RemoveEntry(one.node.origin.key_place("expect"))]
        ),
    )
    done = fixed(layers("{conv: 4, kernel: 1, expect: {parameters: 16}}", "relu"))
    assert done.text == layers("{conv: 4, kernel: 1, bias: false}", "relu")
    assert done.refused == ()
    assert [one.code for one in done.applied] == ["Z002", "Z001"]


# The rules there are


def examples_with_fixes():
    for rule in rules():
        text, _ = unmarked(example(rule, "Bad"))
        for one in lint(cnncalc.loads(text), settings(rule)):
            if one.code == rule.code and one.fix is not None:
                yield pytest.param(rule, text, id=f"{rule.code}-{rule.name}")


@pytest.mark.parametrize(("rule", "text"), [*examples_with_fixes()])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_rule_mends_its_own_example(rule, text, newline):
    """What it finds is mended for good, without anything new at its rank or above."""
    text = f"# {rule.code}\n{text}  # end".replace("\n", newline)
    had = lint(cnncalc.loads(text), settings(rule))
    safe = next(one.fix.safe for one in had if one.code == rule.code)
    done = fixed(text, settings=settings(rule), unsafe=not safe)
    assert done.refused == ()
    assert rule.code in [one.code for one in done.applied]
    assert done.remaining == ()
    assert done.text.startswith(f"# {rule.code}{newline}")
    assert done.text.count("\r") == (done.text.count("\n") if "\r" in newline else 0)


def test_many_of_them_are_fixable():
    assert len(list(examples_with_fixes())) >= 15


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_network_keeps_its_figures(path):
    """Whatever is mended in it, every claim still holds and nothing is found anew."""
    text = path.read_text(encoding="utf-8")
    done = fixed(text, path=str(path), unsafe=True)
    before = lint(cnncalc.loads(text, path=str(path)))
    assert len(done.remaining) <= len(before)
    assert not [one for one in done.remaining if one.severity == "error"]


def test_unused_ignores_are_removed_where_they_stand():
    text = """\
input: 3@8x8
ignore: {F001: nothing}   # all of it
layers:
  - {conv: 8, kernel: 3, ignore: {F002: odd, F001: as in the paper}}
  - {relu: , ignore: {F001: no}}
  - conv: 8
    kernel: 1
    ignore:
      F001: why   # it fits
    name: last
"""
    done = fixed(text, settings=Settings(select=("F001", "F002", "L001")))
    assert (
        done.text
        == """\
input: 3@8x8
layers:
  - {conv: 8, kernel: 3}
  - relu
  - conv: 8
    kernel: 1
    name: last
"""
    )
    assert len(done.applied) == 5


def test_a_deep_network_is_mended_as_a_whole():
    """ResNet-152 with a bias in every convolution."""
    text = (SPECS / "resnet152.yaml").read_text(encoding="utf-8")
    biased = text.replace(", bias: false", "")
    done = fixed(biased)
    # The claims are those of the network without: every bias goes, and nothing else.
    assert [one for one in done.remaining if one.severity == "error"] == []
    assert (
        cnncalc.analyze(cnncalc.loads(done.text)).totals
        == cnncalc.analyze(cnncalc.loads(text)).totals
    )
