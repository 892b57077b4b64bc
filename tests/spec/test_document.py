"""YAML text becomes a tree with exact places, and everything else is refused at its place.

PyYAML's own composer is the oracle for the tree; places of errors are marked in the specs.
"""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.errors import SpecError
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence, compose, printable

from .marking import Wrong, assert_found, assert_refused, layers, unmarked

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> Node:
    return compose(text, "", limits)


def plain(node: Node):
    """A tree as Python values, every scalar as text."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.value: plain(value) for key, value in node}


def nodes(node: Node):
    yield node
    inner = node.items if isinstance(node, Sequence) else []
    if isinstance(node, Mapping):
        inner = [part for pair in node for part in pair]
    for one in inner:
        yield from nodes(one)


def text_at(text: str, place) -> str:
    lines = text.split("\n")
    if place.line == place.end_line:
        return lines[place.line - 1][place.column - 1 : place.end_column - 1]
    first = lines[place.line - 1][place.column - 1 :]
    last = lines[place.end_line - 1][: place.end_column - 1]
    return "\n".join([first, *lines[place.line : place.end_line - 1], last])


# The tree


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_reads_what_yaml_reads(path):
    text = path.read_text(encoding="utf-8")
    # BaseLoader leaves every scalar as text.
    assert plain(read(text)) == yaml.load(text, Loader=yaml.BaseLoader)


TREES = st.recursive(
    st.text("ab01 :#-é\n'\"", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)  # machines differ in speed
@given(TREES, st.sampled_from([None, True, False]))
def test_reads_back_what_yaml_writes(tree, flow_style):
    text = yaml.safe_dump(tree, default_flow_style=flow_style, allow_unicode=True)
    wanted = yaml.load(text, Loader=yaml.BaseLoader)  # BaseLoader makes text only
    assert plain(read(text)) == wanted == tree


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_scalar_stands_where_its_place_says(path):
    text = path.read_text(encoding="utf-8")
    for node in nodes(read(text)):
        if isinstance(node, Scalar) and node.plain and node.place.line == node.place.end_line:
            assert text_at(text, node.place) == node.value


def test_places_of_lists_and_mappings_reach_their_last_character():
    text = "a:\n  - {b: 1, c: [2,\n    3]}\n  - d # comment\ne: x"
    root = read(text)
    a = root.get("a")
    assert text_at(text, root.place) == text
    assert text_at(text, a.place) == "- {b: 1, c: [2,\n    3]}\n  - d"
    assert text_at(text, a.items[0].place) == "{b: 1, c: [2,\n    3]}"
    assert text_at(text, a.items[0].get("c").place) == "[2,\n    3]"
    assert text_at(text, root.key_place("e")) == "e"


def test_columns_count_characters_not_bytes():
    root = read("é: {×: ü}")
    assert tuple(root.get("é").get("×").place) == (1, 8, 1, 9)


def test_quotes_belong_to_the_place_and_are_remembered():
    root = read("a: 'x'\nb: \"y\"\nc: z\nd: |\n  w\n")
    assert [(value.value, value.plain) for _, value in root] == [
        ("x", False),
        ("y", False),
        ("z", True),
        ("w\n", False),
    ]
    assert tuple(root.get("a").place) == (1, 4, 1, 7)


def test_get_of_an_absent_key_is_none():
    assert read("a: 1").get("b") is None


def test_an_alias_stands_for_its_anchor():
    root = read("a: &x [1, {b: 2}]\nc: *x\nd: &y 3\ne: *y")
    assert plain(root) == {"a": ["1", {"b": "2"}], "c": ["1", {"b": "2"}], "d": "3", "e": "3"}


def test_an_anchor_may_be_given_again():
    assert plain(read("a: &x 1\nb: *x\nc: &x 2\nd: *x")) == {"a": "1", "b": "1", "c": "2", "d": "2"}


def found_in(text: str):
    try:
        read(text)
    except SpecError as error:
        return error.diagnostics
    return ()


# What is refused

INVALID = "Y003", "invalid-yaml"
UNSUPPORTED = "Y008", "yaml-feature-not-supported"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "«»",
            Wrong(
                "Y009",
                "empty-file",
                "the spec is empty",
                "a spec needs at least `input:` and `layers:`",
            ),
        ),
        ("«»# only a comment\n", Wrong("Y009", "empty-file", "the spec is empty")),
        (
            "input: 3@8x8\nlayers: [relu]\n«---»\ninput: 3\n",
            Wrong(
                "Y010",
                "several-documents",
                "a second YAML document starts here",
                "a file holds one network: remove `---`, or use two files",
            ),
        ),
        (
            "input: 1\nlayers: []\n«input»: 2",
            Wrong(
                "Y004",
                "duplicate-key",
                "the key `input` is given twice (first on line 1)",
                "remove one of them",
            ),
        ),
        (
            layers("{conv: 3, kernel: 3, «kernel»: 5}"),
            Wrong("Y004", "duplicate-key", "the key `kernel` is given twice (first on line 3)"),
        ),
        (
            layers("{conv: 3, kernel: 3, «'kernel'»: 5}"),
            Wrong("Y004", "duplicate-key", "the key `kernel` is given twice (first on line 3)"),
        ),
        (
            "? «[a]»\n: b",
            Wrong(*INVALID, "a key must be a word, not a list or mapping", "did a `:` go astray?"),
        ),
        (
            "«<<»: {a: 1}",
            Wrong(
                *UNSUPPORTED,
                "merge keys `<<` are not supported",
                "write a block with parameters, and use it twice",
            ),
        ),
        (
            "a: «!!python/object:os.system x»",
            Wrong(
                *UNSUPPORTED,
                "the tag `tag:yaml.org,2002:python/object:os.system` is not supported",
                "a spec has plain numbers, words, lists and mappings only",
            ),
        ),
        ("a: «! x»", Wrong(*UNSUPPORTED, "the tag `!` is not supported")),
        ("a: «!t [»x]", Wrong(*UNSUPPORTED, "the tag `!t` is not supported")),
        (
            "a: [«*x»]",
            Wrong(*INVALID, "`*x` names no anchor", "write &x before the value to repeat"),
        ),
        (
            "a: &x [«*x»]",
            Wrong(
                *UNSUPPORTED,
                "`*x` contains itself",
                "an alias can only repeat what is complete",
            ),
        ),
        (
            "a:\n«\t»- relu",
            Wrong(
                *INVALID,
                "not valid YAML: found character that cannot start any token",
                "YAML indents with spaces: replace the tab",
            ),
        ),
        (
            "a: [b«\x07»]",
            Wrong(
                *INVALID,
                "not valid YAML: control characters are not allowed",
                "remove the control character",
            ),
        ),
        (
            "é: «\x00»",
            Wrong(
                *INVALID,
                "not valid YAML: control characters are not allowed",
                "remove the control character",
            ),
        ),
        (
            "a: [b\nc«:» d]",
            Wrong(
                *INVALID,
                "not valid YAML: did not find expected ',' or ']'",
                "a bracket is not closed, or a value with a comma needs quotes: "
                '{conv: "max(8, width)"}',
            ),
        ),
        (
            "a: b«:» c",
            Wrong(
                *INVALID,
                "not valid YAML: mapping values are not allowed in this context",
                "a value with `: ` in it needs quotes",
            ),
        ),
        (
            "a: «-» b",
            Wrong(
                *INVALID,
                "not valid YAML: block sequence entries are not allowed in this context",
                "check the indentation and brackets of this line and the one above",
            ),
        ),
    ],
)
def test_refuses(text, wrong):
    plain_text, places = unmarked(text)
    if wrong.message.startswith("not valid YAML"):
        # The parser knows where it stopped, not how far the fault reaches: one character.
        places = [place._replace(end_column=place.column + 1) for place in places]
    with pytest.raises(SpecError) as caught:
        read(plain_text)
    assert_found(caught.value.diagnostics, [wrong], places)
    assert not caught.value.unreadable


def test_the_path_is_part_of_the_finding():
    with pytest.raises(SpecError) as caught:
        compose("", "net.yaml", DEFAULT_LIMITS)
    assert [one.path for one in caught.value.diagnostics] == ["net.yaml"]
    assert str(caught.value) == (
        "net.yaml:1:1: Y009 the spec is empty (help: a spec needs at least `input:` and `layers:`)"
    )


def test_a_lone_surrogate_is_a_character_that_yaml_does_not_allow():
    # Python text can hold it, UTF-8 cannot.
    with pytest.raises(SpecError) as caught:
        read("name: \ud800\ninput: 3@8x8\nlayers: [relu]")
    assert [one.code for one in caught.value.diagnostics] == ["Y003"]


@settings(deadline=None)  # machines differ in speed
@given(st.text(max_size=60) | st.text("a:-[]{}&*!|>'\"%@`#,? \n\t", max_size=40))
def test_any_text_is_read_or_refused(text):
    assert all(one.message and one.help for one in found_in(text))


# Limits

TOO_DEEP = Wrong(
    "Y006",
    "too-deep",
    "more than 3 levels of nesting",
    "use blocks to keep a spec flat; --limit depth=N raises the bound",
)


@pytest.mark.parametrize("text", ["[[[«[»1]]]]", "a: {b: {c: «[»]}}", "- - - «{»a: b}"])
def test_nesting_is_bounded(text):
    assert_refused(text, TOO_DEEP, limits=Limits(depth=3))


@pytest.mark.parametrize("text", ["[[[1]]]", "a: {b: {c: 1}}", "- - - 1"])
def test_nesting_up_to_the_limit_is_read(text):
    read(text, Limits(depth=3))


def test_an_alias_is_as_deep_as_what_it_stands_for():
    text = "a: &x [[1]]\nb: [«*x»]"
    plain_text, _ = unmarked(text)
    assert read(plain_text, Limits(depth=4)).get("b")
    with pytest.raises(SpecError) as caught:
        read(plain_text, Limits(depth=3))
    assert [one.message for one in caught.value.diagnostics] == ["more than 3 levels of nesting"]


def test_what_aliases_expand_to_is_counted_before_it_is_expanded():
    # Billion laughs: nine levels of nine would be 9**9 values.
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(SpecError) as caught:
        read("\n".join(lines))
    assert [(one.code, one.name, one.message, one.help) for one in caught.value.diagnostics] == [
        (
            "Y007",
            "too-large",
            "the aliases here expand to over 20,000,000 values",
            "write a block with parameters instead; --limit nodes=N raises the bound",
        )
    ]


def test_the_number_of_values_is_bounded():
    # Each list counts itself and its entries, a mapping its keys too: 1 + (1 + 4) = 6.
    text = "a: [1, 2, 3]"
    read(text, Limits(nodes=6))
    with pytest.raises(SpecError) as caught:
        read(text, Limits(nodes=5))
    assert [(one.code, one.message) for one in caught.value.diagnostics] == [
        ("Y007", "the aliases here expand to over 5 values")
    ]


def test_nesting_far_beyond_the_limit_costs_nothing():
    with pytest.raises(SpecError) as caught:
        read("[" * 1_000_000)
    assert [one.code for one in caught.value.diagnostics] == ["Y006"]


# User text in messages


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202e", "\\u202e"),
        ("é×", "é×"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 57 + "..."),
    ],
)
def test_user_text_is_shown_on_one_line(text, shown):
    assert printable(text) == shown


def test_user_text_is_cut_where_asked():
    assert printable("abcdefgh", 6) == "abc..."
