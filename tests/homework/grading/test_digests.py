"""What a mark depends on: every change of it is seen, and nothing else."""

import os

import pytest

from cnncalc.homework.grading import digests
from cnncalc.homework.grading.digests import DigestError, forget, key_digest, paper_digest


def whole(path, most=1000):
    forget()
    return paper_digest(str(path), most).whole


@pytest.fixture
def paper(tmp_path):
    folder = tmp_path / "s1"
    (folder / "more").mkdir(parents=True)
    (folder / "answers.yaml").write_text("q: 1")
    (folder / "dw.npy").write_bytes(b"12")
    (folder / "more" / "dx.npz").write_bytes(b"34")
    return folder / "answers.yaml"


def test_answers_and_the_arrays_below_them_count(paper):
    before = whole(paper)
    seen = {before}
    for name, data in [("answers.yaml", b"q: 2"), ("dw.npy", b"13"), ("more/dx.npz", b"35")]:
        (paper.parent / name).write_bytes(data)
        seen.add(whole(paper))
    (paper.parent / "new.npy").write_bytes(b"")
    seen.add(whole(paper))
    assert len(seen) == 5


def test_names_and_contents_are_told_apart(paper):
    before = whole(paper)
    (paper.parent / "dw.npy").rename(paper.parent / "dy.npy")
    assert whole(paper) != before


def test_what_else_lies_there_does_not_count(paper):
    before = whole(paper)
    (paper.parent / "notes.txt").write_text("x")
    (paper.parent / "link.npy").symlink_to("/etc/passwd")
    os.utime(paper, (1, 1))
    assert whole(paper) == before


def test_a_paper_may_move(paper, tmp_path):
    before = whole(paper)
    paper.parent.rename(tmp_path / "s2")
    assert whole(tmp_path / "s2" / "answers.yaml") == before


def test_files_that_cannot_be_read(paper, tmp_path):
    with pytest.raises(DigestError, match="over 3 bytes"):
        whole(paper, 3)
    with pytest.raises(DigestError, match="cannot be read: No such file"):
        whole(tmp_path / "gone.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(DigestError, match="not a regular file"):
        whole(tmp_path / "pipe.yaml")


def test_an_array_that_is_too_large_is_known_by_its_size(paper, monkeypatch):
    monkeypatch.setattr(digests, "MOST_ARRAY_BYTES", 1)
    before = whole(paper)
    (paper.parent / "dw.npy").write_bytes(b"21")
    assert whole(paper) == before
    (paper.parent / "dw.npy").write_bytes(b"213")
    assert whole(paper) != before


def test_the_key_counts_with_the_files_that_it_names(tmp_path):
    key = tmp_path / "key.yaml"
    key.write_text("arrays: {x: x.npy}\nnetwork: net.yaml")
    for name in ("x.npy", "net.yaml", "other.yaml"):
        (tmp_path / name).write_text("1")

    def digest(show=False):
        forget()
        return key_digest(str(key), show)

    before = digest()
    (tmp_path / "other.yaml").write_text("2")
    assert digest() == before
    seen = {before, digest(True)}
    for name in ("x.npy", "net.yaml"):
        (tmp_path / name).write_text("2")
        seen.add(digest())
    key.write_text("title: x")
    seen.add(digest())
    assert len(seen) == 5


def test_a_name_that_is_written_with_escapes_is_not_missed(tmp_path):
    key = tmp_path / "key.yaml"
    key.write_text('arrays: {x: "\\u0078x.npy"}')
    seen = set()
    for text in ("1", "2"):
        (tmp_path / "xx.npy").write_text(text)
        forget()
        seen.add(key_digest(str(key), False))
    assert len(seen) == 2
