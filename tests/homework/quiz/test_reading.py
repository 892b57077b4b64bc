import pytest

from cnncalc import SpecError
from cnncalc.homework.quiz.reading import read_templates, shipped

GOOD = """\
template: my-conv
title: A convolution
topic: mine
draw: {n: 8..20, k: [3, 5]}
let: {out: n - k + 1}
require:
  - out > 4
allow: [trivial]
hard:
  draw: {k: [7]}
question:
  text: A convolution of $k on $n.
  input: 1@$n
  layers: [{conv: 1, kernel: $k}]
  parts:
    output: {text: What is it?}
"""


@pytest.fixture
def read(tmp_path):
    def call(text, name="t.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_templates([str(path)])

    return call


def problems(read, text):
    with pytest.raises(SpecError) as caught:
        read(text)
    return [(found.place.line, found.message) for found in caught.value.diagnostics]


def test_a_template(read):
    (template,) = read(GOOD)
    assert (template.id, template.title, template.topic) == ("my-conv", "A convolution", "mine")
    assert template.levels == ("easy", "medium", "hard")
    assert list(template.variants["easy"].draws) == ["n", "k"]
    assert template.variants["easy"].allows == {"trivial"}


def test_a_level_changes_draws_and_keeps_their_order(read):
    (template,) = read(GOOD)
    hard, medium = template.variants["hard"], template.variants["medium"]
    assert list(hard.draws) == ["n", "k"]
    assert [item.value for item in hard.draws["k"].items] == ["7"]
    assert hard.draws["n"] == medium.draws["n"]
    assert hard.requires == medium.requires


def test_a_template_may_be_for_some_levels_only(read):
    (template,) = read(GOOD.replace("allow:", "levels: [hard, medium]\nallow:"))
    assert template.levels == ("medium", "hard")


def test_a_folder_of_templates(tmp_path):
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD.replace("my-conv", "other"))
    (tmp_path / "notes.txt").write_text("no template")
    assert [one.id for one in read_templates([str(tmp_path)])] == ["my-conv", "other"]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("template: my-conv", "template: My Conv", 1, "`My Conv` is not an id"),
        ("template: my-conv\n", "", 1, "a template needs its `template`"),
        ("title: A convolution", "titel: A convolution", 2, "unknown key `titel` of a template"),
        ("topic: mine", "topic: ", 3, "a template needs its `topic`"),
        ("n: 8..20", "n: much", 4, "this is no rule to draw by"),
        ("n: 8..20", "n: {array: 3, of: 1..2}", 4, "an array needs its extents and what it is of"),
        ("n: 8..20", "n: {array: [3], of: 1..2, size: 3}", 4, "unknown key `size` of an array"),
        ("n: 8..20", "2n: 8..20", 4, "`2n` is not a name"),
        ("n: 8..20", "max: 8..20", 4, "`max` is a word of the arithmetic"),
        ("draw: {n: 8..20, k: [3, 5]}", "draw: [1]", 4, "`draw` is not a mapping of names"),
        ("let: {out: n - k + 1}", "let: {out: [1]}", 5, "`let` gives names to arithmetic"),
        ("out: n - k + 1", "out: n - m + 1", 5, "`n - m + 1`: unknown name `m`"),
        ("- out > 4", "- out", 7, "`out` is 8, neither true nor false"),
        ("- out > 4", "- [1]", 7, "`require` is not a list of words"),
        ("[trivial]", "[forgot_pading]", 8, "`forgot_pading` is no mistake that could be allowed"),
        ("hard:", "levels: [easy]\nhard:", 10, "`hard` is not among the levels"),
        ("hard:", "levels: [best]\nhard:", 9, "`levels` is not a list of levels"),
        ("  draw: {k: [7]}", "  drawn: {k: [7]}", 10, "unknown key `drawn` of `hard`"),
        ("of $k on", "of $kk on", 12, "`kk`: unknown name `kk`: did you mean `k`?"),
        ("of $k on", "of $ on", 12, "a `$` stands before no name in `A convolution of $ on $n.`"),
    ],
)
def test_what_is_wrong_has_its_line(read, old, new, line, message):
    assert old in GOOD
    found = problems(read, GOOD.replace(old, new))
    if message.startswith("`out` is"):  # the number depends on the draw
        assert {one for one, _ in found} == {line}
        assert all(text.endswith("neither true nor false") for _, text in found)
    else:
        assert (line, message) in found


@pytest.mark.parametrize("text", ["- 1", "word", "question: 5"])
def test_other_yaml_is_refused(read, text):
    assert problems(read, text)


@pytest.mark.parametrize(
    "text", ["a: &x [*x]", "a: !!python/object/apply:os.system [ls]", "a: {", "\t- a", ""]
)
def test_hostile_yaml_is_refused(read, text):
    assert problems(read, text)


def test_two_templates_of_one_id(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(SpecError) as caught:
        read_templates([str(tmp_path)])
    assert "the template `my-conv` is in" in str(caught.value)


def test_paths_that_lead_nowhere(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(SpecError) as caught:
            read_templates([str(path)])
        assert caught.value.unreadable


def test_the_shipped_templates_read():
    templates = shipped()
    assert len({one.id for one in templates}) == len(templates) >= 40
    assert len({one.topic for one in templates}) >= 20
    for one in templates:
        assert one.path == f"{one.id}.yaml"
