import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.json_text import read_json
from cnncalc.homework.answers.reading import ANSWER_LIMITS
from cnncalc.homework.answers.tree import BrokenFileError, Entries, Items, Leaf


def read(text):
    return read_json(text, ANSWER_LIMITS)


def test_every_value_has_its_line():
    text = '{\n "a": "28x28",\n "b": {"c": [1,\n 2.50]}, "d": null\n}\n'
    assert read(text) == Entries(
        [
            (Leaf("a", 2, False), Leaf("28x28", 2, False)),
            (
                Leaf("b", 3, False),
                Entries(
                    [(Leaf("c", 3, False), Items([Leaf("1", 3), Leaf("2.50", 4)], 3))],
                    3,
                ),
            ),
            (Leaf("d", 4, False), Leaf("null", 4)),
        ],
        1,
    )


def plain(tree):
    """A tree as Python's reader would give it."""
    if isinstance(tree, Items):
        return [plain(item) for item in tree.items]
    if isinstance(tree, Entries):
        return {name.text: plain(value) for name, value in tree.entries}
    return json.loads(tree.text) if tree.plain else tree.text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(values, st.sampled_from([None, 1]))
def test_what_python_writes_comes_back(value, indent):
    assert plain(read(json.dumps(value, indent=indent))) == value
    assert plain(read(json.dumps(value, ensure_ascii=False))) == value


@settings(deadline=None)
@given(st.text('{}[]:,"\\01ae.-ntrue \n', max_size=30))
def test_whatever_is_refused_is_refused_by_python_too(text):
    try:
        tree = read(text)
    except BrokenFileError:
        with pytest.raises(ValueError):  # noqa: PT011
            json.loads(text)
    else:
        if text.strip():
            assert plain(tree) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('{"a": 1,\n}', 2, "not JSON: a name in quotes must stand here, not `}`"),
        (
            '{"a": 1\n "b": 2}',
            2,
            "not JSON: a comma or the closing bracket must stand here, not `b`",
        ),
        ('{"a" 1}', 1, "not JSON: a colon must stand here, not `1`"),
        ('{"a": 28x28}', 1, "not JSON: `28x28` needs quotes"),
        ('{"a": 010}', 1, "not JSON: `010` needs quotes"),
        ("{a: 1}", 1, "not JSON: `a` needs quotes"),
        (
            '{"a": [1, 2\n',
            1,
            "not JSON: a comma or the closing bracket must stand here, not the end of the file",
        ),
        ('{"a": 1}\n{}', 2, "not JSON: the end of the file must stand here, not `{`"),
        ('{"a": "x\ny"}', 1, "not JSON: a text in quotes is not closed on its line"),
        ('{"a": "\\q"}', 1, 'not JSON: "\\q" has a wrong escape'),
        ("[" * 100_000, 1, "more than 16 levels of nesting"),
        ("[" + "1," * 200_001 + "1]", 1, "more than 200,000 values"),
        (",", 1, "not JSON: a value must stand here, not `,`"),
    ],
)
def test_files_of_which_nothing_is_read(text, line, reason):
    with pytest.raises(BrokenFileError) as refused:
        read(text)
    assert (refused.value.reason, refused.value.line) == (reason, line)


def test_twins_and_what_is_not_finite_are_for_the_caller():
    tree = read('{"a": NaN, "a": -Infinity, "b": ' + "9" * 5000 + "}")
    assert [(name.text, value.text[:9]) for name, value in tree.entries] == [
        ("a", "NaN"),
        ("a", "-Infinity"),
        ("b", "9" * 9),
    ]


def test_nothing_at_all():
    assert read(" \n") is None
