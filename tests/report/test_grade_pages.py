"""Feedback, gradebook and results.json: complete, escaped, in the platforms' forms."""

import csv
import html.parser
import io
import json

import pytest

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.grading.naming import Named
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.statistics import count, plain
from cnncalc.homework.grading.submissions import Submission
from cnncalc.homework.model import Mark, Mistake, Outcome, Unreadable
from cnncalc.homework.roster import Student
from cnncalc.report import grade_html, grade_markdown
from cnncalc.report.grade import SIGNS, Context
from cnncalc.report.grade_csv import gradebook
from cnncalc.report.grade_files import files
from cnncalc.report.grade_results import gradescope, prairielearn
from cnncalc.report.grade_statistics import document, markdown
from cnncalc.report.grade_summary import problems, summary

EVIL = "<script>alert('1')</script>|[a](b)`*_&amp;\x1b[31m\u202e\n=1+1"

MARKS = (
    Mark("sizes", "output", Outcome.RIGHT, 2.0, 2.0, "10@32x32"),
    Mark(
        "sizes",
        "parameters",
        Outcome.WRONG,
        0.0,
        1.0,
        "750",
        "This is the count without the 10 biases.",
        (Mistake("forgot_bias", "This is the count without the 10 biases."),),
    ),
    Mark("odd", "odd", Outcome.UNREADABLE, 0.0, 1.0, EVIL, f"`{EVIL}` is not a number.", line=3),
    Mark(
        "table",
        "table",
        Outcome.PARTLY,
        1.5,
        3.0,
        message="1 of 2 cells are right.",
        cells=(
            Mark("table", "conv1.output", Outcome.RIGHT, 1.5, 1.5, "8@64x64"),
            Mark("table", "conv1.parameters", Outcome.BLANK, 0.0, 1.5, "", "No answer."),
        ),
    ),
)
CONTEXT = Context("Week <3>", {"sizes": "Ten 5x5 filters & more."}, "0123456789ab", "1.2.3")


def entry(marks=MARKS, id="ana", name="", **more):
    problems = more.pop("problems", ())
    paper = Submission(f"{id}.yaml", Named(id), 0.0)
    return Entry(Student(id, name), paper, Record(tuple(marks), tuple(problems)), **more)


class Page(html.parser.HTMLParser):
    """The tags of a page, checked to be closed in order, and its text."""

    VOID = ("meta", "col", "wbr")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def test_the_page_is_sound_complete_and_loads_nothing():
    text = grade_html.feedback(entry(name="Ana Lee"), CONTEXT)
    page = Page(text)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "form", "a", "base", "object"}
    attributes = {name for _, given in page.tags for name in given}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {"src", "href"}
    assert "url(" not in text
    assert "@import" not in text
    policy = next(given for _, given in page.tags if "http-equiv" in given)
    assert policy["content"].startswith("default-src 'none'")
    for shown in (
        *("Week <3>", "Ana Lee (ana)", "3.5 of 7 points", "Ten 5x5 filters & more."),
        *("10@32x32", "750", "This is the count without the 10 biases.", "conv1.parameters"),
        *("Line 3: ", "cnncalc 1.2.3, key 0123456789ab", "2 of 2", "1.5 of 3"),
    ):
        assert shown in page.text, shown


def test_every_outcome_has_a_sign_and_a_colour():
    assert SIGNS.keys() == grade_html._BADGES.keys() == set(Outcome)


@pytest.mark.parametrize("render", [grade_html.feedback, grade_markdown.feedback])
def test_what_students_wrote_does_nothing(render):
    text = render(entry(id="<i>", name=EVIL, problem=EVIL, others=(EVIL,)), CONTEXT)
    assert "<script" not in text
    assert "<i>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_markdown_tables_are_whole():
    text = grade_markdown.feedback(entry(), CONTEXT)
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 6, line
    assert "Points: **3.5 of 7**" in text
    assert "| output | ✓ right | 2 of 2 | 10@32x32 |  |" in text


def test_what_else_there_is_to_say():
    one = entry(
        late="2 h",
        credit=0.5,
        others=("a.yaml", "b.yaml", "c.yaml", "d.yaml"),
        problems=[Unreadable("there is no question `vgg`", 4)],
    )
    text = grade_html.feedback(one, CONTEXT)
    for note in (
        "Line 4: There is no question `vgg`.",
        "Late by 2 h; 50 % of the points count.",
        "Of your files this one counts; not a.yaml, b.yaml, c.yaml and 1 more.",
        "1.75 of 7 points",
    ):
        assert note in text, note


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_gradebook_keeps_ids_as_text_and_points_as_numbers():
    text = gradebook([entry(id="00417", name="=HYPERLINK(1)"), Entry(Student("9"))])
    lines = text.split("\r\n")
    assert lines[0] == (
        '"student","name","group","points","of_points","status","late","file",'
        '"sizes.output","sizes.parameters","odd","table"'
    )
    assert lines[1] == ('"00417","\'=HYPERLINK(1)","",3.5,7,"marked","","00417.yaml",2,0,0,1.5')
    assert lines[2] == '"9","","",0,0,"not handed in","","","","","",""'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_is_a_formula(start):
    (row,) = rows(gradebook([entry(id=f"{start}1", name=f"{start}cmd")]))
    assert row["student"][0] == row["name"][0] == "'"
    assert row["file"][0] == "'"


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", " =1"])
def test_space_does_not_hide_a_formula(text):
    (row,) = rows(gradebook([entry(name=text)]))
    assert row["name"][0] == "'"


def test_the_gradebook_survives_quotes_and_newlines():
    (row,) = rows(gradebook([entry(name='a"b,\r\nc')], bom=True))
    assert row["name"] == 'a"b, c'


def test_gradescope():
    made = json.loads(json.dumps(gradescope(entry(late="1 h", credit=0.5), CONTEXT)))
    assert made["score"] == 1.75
    assert {one["name"]: (one["score"], one["max_score"]) for one in made["tests"]} == {
        "sizes: output": (2, 2),
        "sizes: parameters": (0, 1),
        "odd": (0, 1),
        "table": (1.5, 3),
    }
    assert [one["number"] for one in made["tests"]] == ["1.1", "1.2", "2.1", "3.1"]
    assert [one["status"] for one in made["tests"]] == ["passed", "failed", "failed", "failed"]
    assert made["stdout_visibility"] == "hidden"
    assert "Late by 1 h" in made["output"]


def test_prairielearn():
    made = json.loads(json.dumps(prairielearn(entry(), CONTEXT)))
    assert (made["gradable"], made["score"]) == (True, 0.5)
    assert sum(one["points"] for one in made["tests"]) == 3.5
    assert sum(one["max_points"] for one in made["tests"]) == 7
    assert "format_errors" not in made


def test_prairielearn_takes_no_points_for_what_cannot_be_read():
    bad = Entry(
        Student("a"),
        Submission("a.yaml", Named("a"), 0.0),
        Record((), (Unreadable("not YAML", 2),), readable=False),
    )
    made = prairielearn(bad, CONTEXT)
    assert (made["gradable"], made["score"]) == (False, 0.0)
    assert made["format_errors"] == ["No answer could be read.", "Line 2: Not YAML."]


def test_students_whose_files_would_have_one_name():
    made = files(
        [entry(id="Ana"), entry(id="ana"), Entry(Student("x"))],
        count([]), CONTEXT, ["md"], ["gradescope"], bom=False,
    )  # fmt: skip
    assert [path for path in made if "/" in path] == [
        *("feedback/Ana.md", "feedback/ana-2.md"),
        *("gradescope/Ana/results.json", "gradescope/ana-2/results.json"),
    ]


# Statistics


def papers(*outcomes: tuple[Outcome, float]) -> list[Record]:
    return [
        Record((Mark("q", "a", o, p, 2.0, "1,000"), Mark("q", "b", o, p, 2.0))) for o, p in outcomes
    ]


def test_difficulty_and_discrimination():
    got = count(papers((Outcome.RIGHT, 2.0), (Outcome.WRONG, 0.0), (Outcome.PARTLY, 1.0)))
    assert (got.papers, got.of_points, got.mean, got.median) == (3, 4.0, 2.0, 2.0)
    assert (got.least, got.most) == (0.0, 4.0)
    first = got.items[0]
    assert first.difficulty == 0.5  # (2 + 0 + 1)/3 of 2
    assert first.discrimination == pytest.approx(1.0)  # the other part has the same points
    assert first.wrong[0][:2] == ("1000", 1)


def test_what_does_not_vary_has_no_correlation():
    got = count(papers((Outcome.WRONG, 0.1), (Outcome.WRONG, 0.1), (Outcome.WRONG, 0.1)))
    assert got.items[0].discrimination is None
    assert document(got, {})["items"][0]["discrimination"] is None
    assert "| q.a | 2 | 0.95 |  | 0 | 3 | 0 | 0 |" in markdown(got, {})


def test_no_papers():
    got = count([])
    assert document(got, {})["items"] == []
    assert "- papers: 0" in markdown(got, {}, "x")


def test_an_unreadable_paper_is_in_no_figure_but_its_own():
    got = count([*papers((Outcome.RIGHT, 2.0)), Record(failure="late"), Record(readable=False)])
    assert (got.papers, got.unreadable, got.mean) == (1, 2, 4.0)


def test_the_statistics_escape_what_students_wrote():
    text = markdown(count([Record((Mark("q", "a", Outcome.WRONG, 0.0, 1.0, EVIL),))]), {}, EVIL)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("written", "as_one"),
    [
        ("62,378,344", "62378344"), ("62 378 344", "62378344"), ("62'378'344", "62378344"),
        ("+5", "5"), ("-0.50", "-0.50"), ("750.00", "750"), ("5/2", "5/2"),
        ("28X28X6", "28x28x6"), ("[28, 28, 6]", "28x28x6"), ("28*28*6", "28x28x6"),
        ("6@28x28", "6@28x28"), ("  A  b ", "a b"), ("1,28,800", "1,28,800"),
        ("\uff17\uff15\uff10", "750"), ("\u22123", "-3"), ("1.5,000", "1.5,000"),
    ],
)  # fmt: skip
def test_spellings_of_one_answer(written, as_one):
    assert plain(written) == as_one


# What is printed


def test_the_summary_and_the_problems_fit_a_terminal():
    entries = [entry(id=f"s{n}") for n in range(40)]
    entries += [entry(id="z" * 70, problems=[Unreadable("x" * 500, 3)])]
    entries += [Entry(Student("gone"))]
    printed = summary("T" * 90, entries, "o" * 70) + "\n".join(problems(entries, ()))
    assert all(len(line) <= 80 for line in printed.splitlines())
    assert "1 not handed in" in printed


def test_many_problems_are_counted():
    printed = list(problems([], [(f"f{n}.pdf", "not an answer file") for n in range(25)]))
    assert len(printed) == 21
    assert printed[-1] == "and 5 more"
