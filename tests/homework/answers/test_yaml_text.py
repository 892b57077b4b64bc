import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.reading import ANSWER_LIMITS
from cnncalc.homework.answers.tree import BrokenFileError, Entries, Items, Leaf, is_nothing
from cnncalc.homework.answers.yaml_text import read_yaml
from cnncalc.homework.model import Unreadable


def read(text):
    return read_yaml(text, ANSWER_LIMITS)


def texts(tree):
    """A tree without lines."""
    if isinstance(tree, Items):
        return [texts(item) for item in tree.items]
    if isinstance(tree, Entries):
        return {name.text: texts(value) for name, value in tree.entries}
    return tree.text if isinstance(tree, Leaf) else tree


def test_every_value_has_its_line():
    assert read("a: 1\nb:\n  c: [2,\n    3]\n") == Entries(
        [
            (Leaf("a", 1), Leaf("1", 1)),
            (
                Leaf("b", 2),
                Entries([(Leaf("c", 3), Items([Leaf("2", 3), Leaf("3", 4)], 3))], 3),
            ),
        ],
        1,
    )


def test_nothing_is_typed():
    tree = read("a: 010\nb: 1:30\nc: yes\nd: .nan\ne: 1_0\nf: 2020-01-01\ng: 'null'\nh: null\n")
    found = texts(tree)
    assert list(found.values()) == [
        "010",
        "1:30",
        "yes",
        ".nan",
        "1_0",
        "2020-01-01",
        "null",
        "null",
    ]
    assert [is_nothing(value) for _, value in tree.entries] == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "{output: (28, 28, 6), parameters: 62,378,344, last: 5}",
            {"output": "(28, 28, 6)", "parameters": "62,378,344", "last": "5"},
        ),
        ("{a: 0,5}", {"a": "0,5"}),
        ("{a: 1,28,800 }", {"a": "1,28,800"}),
        ("{a: 28x28, b}", {"a": "28x28", "b": ""}),
        ("{a: (None, m, 6), b: 1}", {"a": "(None, m, 6)", "b": "1"}),
        ("{a: [1, 2], b: 3}", {"a": ["1", "2"], "b": "3"}),
        ("{a: , b: 2}", {"a": "", "b": "2"}),
        ("{a: '1', b: 2}", {"a": "1", "b": "2"}),
        ("[(28, 28, 6), (14, 14, 6)]", ["(28, 28, 6)", "(14, 14, 6)"]),
        ("[28, 28, 6]", ["28", "28", "6"]),
        ("[(1), 2]", ["(1)", "2"]),
        ("{0, 1, 2}", ["0", "1", "2"]),
        ("a: {0, 1}", {"a": ["0", "1"]}),
        ("{}", {}),
        ("x: 62,378,344", {"x": "62,378,344"}),
        ("x: (28, 28, 6)", {"x": "(28, 28, 6)"}),
        ("\u00e9: {a: (1, 2), \u00e8: 3}", {"\u00e9": {"a": "(1, 2)", "\u00e8": "3"}}),
    ],
)
def test_commas_that_yaml_takes_for_its_own(text, found):
    assert texts(read(text)) == found


def test_twins_are_kept_for_the_caller_to_refuse():
    tree = read("a: 1\na: 2\n")
    assert [(name.text, value.text) for name, value in tree.entries] == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "~"])
def test_nothing_at_all(text):
    tree = read(text)
    assert tree is None or is_nothing(tree)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "!!python/object/apply:os.system ['x']",
            "the YAML tag `tag:yaml.org,2002:python/object/apply:os.system` is not read",
        ),
        ("!!int 5", "the YAML tag `tag:yaml.org,2002:int` is not read"),
        ("!mine {a: 1}", "the YAML tag `!mine` is not read"),
        ("&x 5", "`&x` needs quotes"),
    ],
)
def test_tags_and_anchors_spoil_their_own_value_alone(text, reason):
    assert texts(read(f"a: 1\nb: {text}\nc: 3\n")) == {
        "a": "1",
        "b": Unreadable(reason, 2),
        "c": "3",
    }


def test_aliases_are_not_followed():
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 20))
    found = texts(read("a0: &a0 [1]\n" + levels + "z: 5\n"))
    assert found["z"] == "5"
    assert found["a0"] == Unreadable("`&a0` needs quotes", 1)
    assert texts(read("b: *a\n"))["b"] == Unreadable("`*a` is an alias: write the answer out", 1)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\n---\nb: 2\n", 2, "a second document starts here: remove `---`"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "a name must be a word: did a `:` or a quote go astray?"),
        ("a: " + "[" * 17 + "]" * 17, 1, "more than 16 levels of nesting"),
        ("a:\n  - " + "[" * 100_000, 2, "more than 16 levels of nesting"),
        ("a: [" + "1," * 200_001 + "]", 1, "more than 200,000 values"),
    ],
)
def test_files_of_which_nothing_is_read(text, line, reason):
    with pytest.raises(BrokenFileError) as refused:
        read(text)
    assert (refused.value.reason, refused.value.line) == (reason, line)


@pytest.mark.parametrize(
    ("text", "line", "help"),
    [
        ("a: 1\nb: [1, 2\n", 3, "may need quotes"),
        ("a: 1\nb: c: d\n", 2, "may need quotes"),
        ("a: 1\n\tb: 2\n", 2, "indent with spaces, not tabs"),
        ("a: 1\nb: @home\n", 2, "may need quotes"),
        ("a: 1\nb: \x07\n", 2, "remove the control character"),
        ("a: 'x\n", 2, "may need quotes"),
        ("a: \ud800\n", 1, ""),
    ],
)
def test_what_is_no_yaml(text, line, help):
    with pytest.raises(BrokenFileError) as refused:
        read(text)
    assert refused.value.line == line
    assert refused.value.reason.startswith("not YAML: ")
    assert refused.value.reason.endswith(help)


def test_line_ends_of_every_kind():
    for end in ("\n", "\r\n", "\r"):
        tree = read(f"a: 1{end}b: 2{end}")
        assert [(name.text, value.text, value.line) for name, value in tree.entries] == [
            ("a", "1", 1),
            ("b", "2", 2),
        ]


@settings(deadline=None)
@given(st.text("ab:,-[]{}()&*!|>'\"# \n\t01%@`?<", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read(text)
    except BrokenFileError as refused:
        assert refused.line >= 1


def test_a_large_list_is_read_in_time():
    started = time.perf_counter()
    read("a: [" + ", ".join(["0.125"] * 100_000) + "]")
    assert time.perf_counter() - started < 30
