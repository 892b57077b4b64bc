import hashlib

import pytest

from cnncalc import SpecError
from cnncalc.homework.roster import Student, checked_ids, read_roster


@pytest.fixture
def roster(tmp_path):
    def read(text, column="", encoding="utf-8"):
        path = tmp_path / "class.csv"
        path.write_bytes(text.encode(encoding))
        return read_roster(str(path), column)

    return read


def problem(call, *arguments):
    with pytest.raises(SpecError) as caught:
        call(*arguments)
    (found,) = caught.value.diagnostics
    return found.place.line, found.message, found.help


def test_a_list_of_ids(roster):
    assert roster("s1\n\n s2 \ns3\n") == (Student("s1"), Student("s2"), Student("s3"))


def test_columns_of_a_roster(roster):
    text = 'Name,Student ID,Group\n"Doe, Jane",s1,A\nJohn Roe,s2,B\n'
    assert roster(text) == (Student("s1", "Doe, Jane", "A"), Student("s2", "John Roe", "B"))


def test_gradescope_s_roster_has_the_names_in_two_columns(roster):
    text = "First Name,Last Name,SID,Email,Role\nJane,Doe,3031,j@x.org,Student\n"
    assert roster(text) == (Student("3031", "Jane Doe", known_as=("j@x.org",)),)


def test_canvas_gradebook_has_a_line_of_points(roster):
    text = (
        "Student,ID,SIS Login ID,Section,Homework 1\n"
        "    Points Possible,,,,10\n"
        '"Doe, Jane",4711,jdoe,S1,\n'
    )
    assert roster(text) == (Student("4711", "Doe, Jane", known_as=("jdoe",)),)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separators_and_marks_of_spreadsheets(roster, separator, encoding):
    text = f"login{separator}name\r\njd{separator}Zo\u00eb\r\n"
    assert roster(text, encoding=encoding) == (Student("jd", "Zo\u00eb"),)


def test_a_column_by_name(roster):
    assert roster("code,login\n7,jd\n", "Code") == (Student("7", known_as=("jd",)),)


def test_accents_typed_in_two_ways_are_one_id(roster):
    assert roster("id\nZoe\u0308\n") == (Student("Zo\u00eb"),)


@pytest.mark.parametrize(
    ("text", "column", "line", "message"),
    [
        ("", "", 1, "the roster is empty"),
        ("id,name\n", "", 1, "the roster has a head and no students"),
        ("colour,size\nred,1\n", "", 1, "no column looks like the students' ids"),
        ("id,name\n1,a\n", "nam", 1, "no column is called `nam`"),
        ("id,name\n1,a\n,b\n", "", 3, "this student has no id"),
        ("s1\ns2\ns1\n", "", 3, "the id `s1` is on line 1 too"),
        ("id\nana\nAna\n", "", 3, "the id `Ana` is on line 2 too"),
        ('id,name\n1,"a\n2,b\n', "", 3, "not CSV: unexpected end of data"),
        ("x" * 201, "", 1, "an id of 201 characters is over the limit of 200"),
    ],
)
def test_what_is_wrong_with_a_roster_has_its_line(roster, text, column, line, message):
    found = problem(roster, text, column)
    assert found[:2] == (line, message)


def test_help_for_a_column(roster):
    assert problem(roster, "id,name\n1,a\n", "nam")[2] == "did you mean `name`?"
    assert "`colour`, `size`" in problem(roster, "colour,size\nred,1\n")[2]


def test_ids_on_the_command_line():
    assert checked_ids(["a", " b "]) == (Student("a"), Student("b"))
    assert problem(checked_ids, ["a", "b", "A"])[1] == "the id `A` is on line 1 too"


@pytest.mark.parametrize("id", ["s123", "jane.doe@x.org", "A-1_b", "Zo\u00eb"])
def test_ids_that_are_file_names_stay(id):
    assert Student(id).file == id


@pytest.mark.parametrize(
    ("id", "start"),
    [
        ("../../etc/passwd", "_.._etc_passwd-"),
        ("-rf", "rf-"),
        (".hidden", "hidden-"),
        ("a b/c", "a_b_c-"),
        ("CON", "CON-"),
        ("nul.txt", "nul.txt-"),
        ("a\nb\x1b", "a_b_-"),
        ("dot.", "dot-"),
    ],
)
def test_other_ids_get_a_file_name_of_their_own(id, start):
    digest = hashlib.sha256(id.encode()).hexdigest()[:8]
    assert Student(id).file == start + digest


def test_long_ids_give_names_that_a_folder_can_hold():
    assert len(Student("\u00e9" * 200).file.encode()) <= 120
