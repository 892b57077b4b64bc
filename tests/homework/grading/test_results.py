"""The folder of results: whole files, and none removed that is not ours."""

import os

import pytest

from cnncalc.errors import WriteError
from cnncalc.homework.grading.results import LISTING, Results
from tests.homework.grading.run import tree


def test_files_are_written_and_those_out_of_date_removed(tmp_path):
    out = tmp_path / "a" / "out"
    with Results(str(out)) as results:
        results.write({"book.csv": "1", "feedback/a.md": "a", "gradescope/a/results.json": "{}"})
        (out / "feedback" / "mine.txt").write_text("note")
        results.write({"book.csv": "2", "feedback/b.md": "b"})
    assert tree(out).keys() == {"book.csv", "feedback/b.md", "feedback/mine.txt", LISTING}
    assert (out / LISTING).read_text() == "book.csv\nfeedback/b.md\n"
    assert not (out / "gradescope").exists()


def test_what_did_not_change_is_not_touched(tmp_path):
    with Results(str(tmp_path)) as results:
        results.write({"a.md": "a"})
        os.utime(tmp_path / "a.md", (1, 1))
        results.write({"a.md": "a"})
        assert (tmp_path / "a.md").stat().st_mtime == 1
        results.write({"a.md": "b"})
        assert (tmp_path / "a.md").stat().st_mtime > 1


@pytest.mark.parametrize("listed", ["../mine.txt", "/etc/passwd", "a/../../mine.txt", "", "."])
def test_a_listing_that_leads_elsewhere_is_not_followed(tmp_path, listed):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "mine.txt").write_text("keep")
    (out / LISTING).write_text(f"{listed}\n")
    with Results(str(out)) as results:
        results.write({"a.md": "a"})
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_listing_that_is_no_text(tmp_path):
    (tmp_path / LISTING).write_bytes(b"\xff\xfe")
    with Results(str(tmp_path)) as results:
        results.write({"a.md": "a"})
    assert (tmp_path / LISTING).read_text() == "a.md\n"


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    second = Results(str(tmp_path))
    with Results(str(tmp_path)), pytest.raises(WriteError, match="another run is writing to"):
        second.__enter__()
    with second, pytest.raises(WriteError):
        Results(str(tmp_path)).__enter__()
    with Results(str(tmp_path)):
        pass


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(WriteError, match="cannot be written: File exists"):
        Results(str(tmp_path / "out")).__enter__()


def test_a_file_where_a_folder_must_be(tmp_path):
    (tmp_path / "feedback").write_text("")
    with Results(str(tmp_path)) as results, pytest.raises(WriteError, match="cannot be written"):
        results.write({"feedback/a.md": "a"})
