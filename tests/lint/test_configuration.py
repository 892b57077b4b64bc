"""Configuration files: what they set, and that each mistake is named on its line."""

import pytest

from cnncalc.lint import configuration
from cnncalc.lint.configuration import find, read
from cnncalc.lint.settings import Settings


@pytest.fixture
def written(tmp_path):
    """Read a `cnncalc.toml` with this text."""

    def write(text: str, name: str = "cnncalc.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read(str(path))

    return write


FULL = """
profile = "deploy"
select = ["F", "floor-drops-pixels"]
extend-select = ["L001"]
ignore = ["F002"]
exclude = ["drafts/*"]
fail-on = "error"
level = "note"
baseline = "known.json"
max-parameters = "25.6M"
max-macs = 4_100_000_000
max-activation-bytes = "64MiB"
device = "h100"
dtype = "float16"
batch = 32
memory = "8GiB"
object-size = 64

[severity]
F001 = "error"

[per-file-ignores]
"drafts/*.yaml" = ["F001"]
"""


def test_every_key(written, tmp_path):
    found = written(FULL)
    assert found.problems == ()
    assert found.settings == Settings(
        profile="deploy",
        select=("F", "floor-drops-pixels"),
        extend_select=("L001",),
        ignore=("F002",),
        severity={"F001": "error"},
        per_file_ignores={"drafts/*.yaml": ("F001",)},
        max_parameters=25_600_000,
        max_macs=4_100_000_000,
        max_activation_bytes=64 * 2**20,
        device="h100",
        dtype="float16",
        batch=32,
        memory=8 * 2**30,
        object_size=64,
    )
    assert (found.exclude, found.fail_on, found.level) == (("drafts/*",), "error", "note")
    assert found.baseline == str(tmp_path / "known.json")
    keys = {line.partition(" =")[0] for line in FULL.splitlines() if " = " in line}
    tables = {"severity", "per-file-ignores"}
    assert keys - {"F001", '"drafts/*.yaml"'} | tables == configuration.READERS.keys()


def test_the_table_of_a_pyproject(written):
    text = '[project]\nname = "x"\n[tool.cnncalc]\nselect = ["F001"]\n'
    assert written(text, "pyproject.toml").settings.select == ("F001",)
    assert written("[project]\n", "pyproject.toml").settings == Settings()


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "help"),
    [
        ('\nselekt = ["F"]', 2, 1, "unknown key `selekt`", "did you mean `select`?"),
        (
            'select = ["F999"]',
            1,
            1,
            "`select`: no rule is called `F999`",
            "`cnncalc rules` lists the rules",
        ),
        (
            'ignore = ["floor-drops-pixel"]',
            1,
            1,
            "`ignore`: no rule is called `floor-drops-pixel`",
            "did you mean `floor-drops-pixels`?",
        ),
        (
            'select = "F001"',
            1,
            1,
            "`select`: needs a list of texts, got `F001`",
            'write ["F001", "G"]',
        ),
        (
            'profile = "strict"',
            1,
            1,
            "`profile`: needs one of default, course, deploy, got `strict`",
            "choose one",
        ),
        (
            '[severity]\nF001 = "fatal"',
            1,
            1,
            "`severity`: needs one of error, warning, note, got `fatal`",
            "choose one",
        ),
        (
            "max-macs = -1",
            1,
            1,
            "`max-macs`: needs a whole number from 1 on, got `-1`",
            "write it in digits",
        ),
        (
            'max-macs = "many"',
            1,
            1,
            "`max-macs`: 'many' is no count",
            "write 25600000 or 25.6M",
        ),
        (
            'device = "h200x"',
            1,
            1,
            "`device`: no device profile 'h200x'",
            None,
        ),
        (
            "batch = true",
            1,
            1,
            "`batch`: needs a whole number from 1 on, got `True`",
            "write it in digits",
        ),
        (
            'per-file-ignores = ["F001"]',
            1,
            1,
            "`per-file-ignores`: needs a table, got `['F001']`",
            None,
        ),
        (
            'select = ["F001"]\nignore = ["F001"]',
            2,
            1,
            "`F001` is both selected and ignored",
            "remove one of the two; of two selectors the more exact one counts",
        ),
        ("select == 1", 1, 9, "not valid TOML: Invalid value", None),
    ],
)
def test_each_mistake_is_named_on_its_line(written, text, line, column, message, help):
    (problem,) = written(text).problems
    assert (problem.code, problem.severity) == ("L004", "error")
    assert problem.message == message
    assert problem.help == help or help is None
    assert problem.help
    assert (problem.place.line, problem.place.column) == (line, column)


def test_the_rest_of_a_wrong_file_is_used(written):
    found = written('selekt = 1\nignore = ["F001"]\nbatch = 0\n')
    assert len(found.problems) == 2
    assert found.settings == Settings(ignore=("F001",))


def test_files_that_cannot_be_read(tmp_path):
    missing = read(str(tmp_path / "none.toml"))
    assert missing.problems[0].message == "cannot be read: No such file or directory"
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'baseline = "caf\xe9"')
    assert read(str(latin)).problems[0].message == "is not UTF-8"
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (2**20 + 1))
    assert read(str(huge)).problems[0].message == "cannot be read: it has over 1,048,576 bytes"
    assert read(str(tmp_path)).problems[0].message == "cannot be read: Is a directory"


def test_the_nearest_file_counts(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    shared, own = tmp_path / "pyproject.toml", tmp_path / "a" / "cnncalc.toml"
    shared.write_text("[tool.cnncalc]\n")
    assert find(inner) == str(shared)
    (inner / "pyproject.toml").write_text("[project]\n")  # says nothing of us
    assert find(inner) == str(shared)
    own.write_text("")
    assert find(inner) == str(own)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.cnncalc]\n")
    assert find(inner) == str(own)
