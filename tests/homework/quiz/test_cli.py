import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnncalc.cli.quiz import quiz
from cnncalc.homework.questions import read_sheet

ROOT = Path(__file__).resolve().parents[3]
TOPICS = ["--topics", "conv-output,same-padding,conv-parameters"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


def run(*arguments):
    return CliRunner().invoke(quiz, [str(one) for one in arguments])


def sheet(*arguments):
    result = run("--seed", "s", *TOPICS, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_sheet_on_standard_output():
    text = sheet("--student", "ana")
    assert text.startswith("# Quiz\n\nFor ana\n\nSheet ")
    assert "## 1. Output of a convolution" in text
    assert "## 2. Padding that keeps the size" in text
    assert "`q3.parameters`" in text


def test_html_is_one_file():
    text = sheet("--format", "html")
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<section>") == text.count("</section>") == 3
    for outside in ("http", "src=", "href=", "<script", "@import", "url("):
        assert outside not in text


def test_the_key_is_a_question_file(tmp_path):
    (tmp_path / "key.yaml").write_text(sheet("--show", "key"))
    found = read_sheet("key.yaml")
    assert [question.id for question in found.questions] == ["q1", "q2", "q3"]


def test_sheet_form_and_key_belong_together():
    code = sheet().split("Sheet ")[1][:8]
    assert f"sheet {code}" in sheet("--show", "form")
    assert f"sheet {code}" in sheet("--show", "key")


def test_without_a_seed_a_new_one_is_made_and_named():
    first, second = run(*TOPICS), run(*TOPICS)
    assert first.exit_code == second.exit_code == 0
    seed = first.stderr.split()[1]
    assert len(seed) == 16
    assert first.stderr == f"seed {seed} (--seed {seed} gives the same sheets again)\n"
    assert second.stderr != first.stderr
    assert run("--seed", seed, *TOPICS).stdout == first.stdout


def test_the_sheet_does_not_name_the_seed():
    secret = "correct-horse-battery"
    for show in ("sheet", "form"):
        for style in ("markdown", "html"):
            result = run("--seed", secret, *TOPICS, "--show", show, "--format", style)
            assert secret not in result.stdout
    assert secret in run("--seed", secret, *TOPICS, "--show", "key").stdout


def test_ten_questions_unless_said_otherwise():
    text = run("--seed", "s").stdout
    assert text.count("\n## ") == 10


def test_count_and_level():
    result = run("--seed", "s", "--count", 4, "--level", "hard", "--show", "key")
    assert result.stdout.count("\n  - id: q") == 4
    assert "level hard" in result.stdout


def test_conventions_stand_on_the_sheet_and_in_the_key(tmp_path):
    options = ("--convention", "layout=HWC", "--convention", "fit=ceil")
    text = sheet(*options)
    assert "height x width x channels" in text
    assert "rounded up" in text
    (tmp_path / "key.yaml").write_text(sheet(*options, "--show", "key"))
    part = read_sheet("key.yaml").questions[0].parts[0]
    assert (part.conventions.layout, part.conventions.fit) == ("HWC", "ceil")


@pytest.mark.parametrize("value", ["layout=up", "tie", "layot=HWC", "fit={a: b}", "bytes=-1"])
def test_conventions_that_are_none(value):
    result = run("--seed", "s", *TOPICS, "--convention", value)
    assert result.exit_code == 2
    assert "template" not in result.stderr.split("Error:")[1]


def test_the_list(tmp_path):
    plain = run("--list").stdout
    assert max(map(len, plain.splitlines())) <= 80
    assert "  conv-output " in plain
    some = run("--list", *TOPICS).stdout
    assert some.startswith("3 templates of 3 topics")
    document = json.loads(run("--list", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.quiz-templates/1"
    one = next(one for one in document["templates"] if one["template"] == "pool-ceil")
    assert one == {
        "template": "pool-ceil",
        "topic": "pooling",
        "levels": ["medium", "hard"],
        "title": "Rounding up and down",
    }
    rows = list(csv.reader(run("--list", "--format", "csv").stdout.splitlines()))
    assert rows[0] == ["template", "topic", "levels", "title"]
    assert "| template | levels | title |" in run("--list", "--format", "markdown").stdout
    assert run("--list", "--format", "html").exit_code == 2


def test_the_source_of_a_template_is_a_template(tmp_path):
    text = run("--source", "conv-output").stdout
    (tmp_path / "mine.yaml").write_text(text.replace("conv-output", "mine"))
    result = run("--templates", "mine.yaml", "--seed", "s")
    assert result.exit_code == 0
    assert result.stdout.count("\n## ") == 1
    assert run("--templates", "mine.yaml", "--list").stdout.startswith("1 template of 1 topics")


def test_a_template_of_the_same_id_takes_the_place_of_a_shipped_one(tmp_path):
    text = run("--source", "conv-output").stdout.replace("title: ", "title: My ")
    (tmp_path / "mine.yaml").write_text(text)
    assert "My Output" in run("--templates", "mine.yaml", *TOPICS, "--seed", "s").stdout


def test_a_class(tmp_path):
    (tmp_path / "class.csv").write_text("Student,ID\nDoe Jane,s1\nRoe <b>,=s2\n")
    result = run(
        "--seed", "s", *TOPICS, "--roster", "class.csv", "--out", "out", "--title", "Week 3"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert result.stderr == (
        "2 sheets of 4 points in out: hand out sheets/ and answers/, keep keys/ and quiz.json\n"
    )
    index = json.loads((tmp_path / "out/quiz.json").read_text())
    assert (index["schema"], index["seed"], index["points"]) == ("cnncalc.quiz/1", "s", 4.0)
    assert index["templates"] == ["conv-output", "same-padding", "conv-parameters"]
    second = index["students"][1]
    assert (second["student"], second["name"]) == ("=s2", "Roe <b>")
    listed = {name for one in index["students"] for name in one["files"].values()}
    found = {
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == listed | {"quiz.json"}
    page = (tmp_path / "out" / second["files"]["html"]).read_text()
    assert "Roe &lt;b&gt;" in page
    assert "<b>" not in page
    assert "Roe &lt;b&gt;" in (tmp_path / "out" / second["files"]["markdown"]).read_text()
    for one in index["students"]:
        key = read_sheet(f"out/{one['files']['key']}")
        assert key.title == "Week 3"
        assert one["sheet"] == one["digest"][:8]
        for name in ("markdown", "html", "form", "key"):
            assert one["sheet"] in (tmp_path / "out" / one["files"][name]).read_text()


def snapshot(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_again_gives_the_same_bytes():
    arguments = ("--seed", "s", *TOPICS, "--student", "a", "--student", "b", "--out")
    assert run(*arguments, "one").exit_code == 0
    before = snapshot("one")
    assert run(*arguments, "one").exit_code == 0
    assert snapshot("one") == before
    assert run(*arguments, "two").exit_code == 0
    assert [data for _, data in sorted(snapshot("two").items())] == [
        data for _, data in sorted(before.items())
    ]


def test_a_filled_in_form_is_not_replaced():
    arguments = ("--seed", "s", *TOPICS, "--student", "a", "--out", "out")
    run(*arguments)
    Path("out/answers/a.yaml").write_text("q1: {output: 28x28}\n")
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == (
        "`out/answers/a.yaml` would be overwritten\n"
        "help: choose another folder; --force replaces them, filled-in forms too\n"
    )
    assert Path("out/answers/a.yaml").read_text() == "q1: {output: 28x28}\n"
    assert run(*arguments, "--force").exit_code == 0
    assert Path("out/answers/a.yaml").read_text().startswith("# Quiz")


def test_one_format():
    run("--seed", "s", *TOPICS, "--student", "a", "--out", "out", "--format", "html")
    assert sorted(path.name for path in Path("out/sheets").iterdir()) == ["a.html"]


def test_a_template_that_fails_leaves_nothing_behind(tmp_path):
    text = run("--source", "conv-output").stdout.replace("mine", "x")
    (tmp_path / "t.yaml").write_text(text.replace("p < k", "p > k"))
    result = run("--templates", "t.yaml", "--seed", "s", "--student", "a", "--out", "out")
    assert result.exit_code == 1
    assert "none of 400 draws from `conv-output` (medium) will do" in result.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--topics", "paddin"], "no topic or template `paddin`: did you mean `padding`?"),
        (["--topics", "x\x1b[31m"], "no topic or template `x\\x1b[31m`"),
        (["--source", "conv-ouput"], "no template `conv-ouput`: did you mean `conv-output`?"),
        (["--student", "a", "--student", "b"], "2 sheets need a folder: --out FOLDER"),
        (["--student", "a", "--roster", "r.csv"], "--student and --roster exclude each other"),
        (["--id-column", "x"], "--id-column says which column of --roster has the ids"),
        (["--seed", " "], "--seed is empty"),
        (["--seed", "x" * 501], "501 characters are over the limit of 500"),
        (["--seed", "\udc80"], "not Unicode text"),
        (["--format", "json"], "sheets are made as markdown or html"),
        (["--topics", "stride-gradients", "--level", "easy"], "has questions of level easy"),
        (["--count", "0"], "0 is not in the range"),
    ],
)
def test_usage(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--roster", "none.csv"], 2, "does not exist"),
        (["--templates", "none.yaml"], 2, "`none.yaml` does not exist"),
        (["--student", "a", "--student", "A"], 1, "the id `A` is on line 1 too"),
        (["--student", "\udc80"], 1, "is not Unicode text"),
    ],
)
def test_input_that_cannot_be_used(arguments, code, message):
    result = run(*arguments, "--out", "out")
    assert result.exit_code == code
    assert message in result.stderr
    assert not os.path.exists("out")


def test_a_folder_that_cannot_be_written():
    Path("file").write_text("")
    result = run("--seed", "s", *TOPICS, "--student", "a", "--out", "file")
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr


def test_an_id_like_a_path_stays_in_the_folder():
    result = run("--seed", "s", *TOPICS, "--student", "../../up", "--out", "in/out")
    assert result.exit_code == 0
    assert {path.parent.name for path in snapshot(".")} == {"sheets", "answers", "keys", "out"}


def test_listing_needs_no_kernels():
    code = (
        "from cnncalc.cli.quiz import quiz\nimport sys\n"
        "try:\n    quiz(['--list'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numba', 'numpy', 'sympy', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr == "[]\n"
