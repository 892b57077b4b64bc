"""What lies in a folder: stable order, and nothing hostile is opened."""

import os

import pytest

from cnncalc.homework.grading import submissions
from cnncalc.homework.grading.naming import Names
from cnncalc.homework.grading.submissions import FolderError, Skipped, collect


def found(folder, most_bytes=1000):
    return collect(str(folder), Names(), most_bytes)


def test_files_and_folders_in_a_stable_order(tmp_path):
    for name in ("s2.yaml", "s10.json", "s1.csv", "s3.yml", "s4.TSV"):
        (tmp_path / name).write_text("a: 1")
    (tmp_path / "s0").mkdir()
    (tmp_path / "s0" / "answers.yaml").write_text("a: 1")
    (tmp_path / "s0" / "dW.npy").write_bytes(b"")
    paths = [one.path for one in found(tmp_path).submissions]
    assert paths == ["s0/answers.yaml", "s1.csv", "s10.json", "s2.yaml", "s3.yml", "s4.TSV"]
    assert found(tmp_path).skipped == []


def test_what_is_hidden_or_left_behind_is_not_mentioned(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / "._s1.yaml").write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "s1.yaml").write_bytes(b"")
    (tmp_path / "Thumbs.db").write_bytes(b"")
    assert found(tmp_path) == submissions.Found()


def test_what_is_skipped_and_why(tmp_path):
    (tmp_path / "big.yaml").write_text("x" * 1001)
    (tmp_path / "essay.pdf").write_bytes(b"")
    (tmp_path / "pack.zip").write_bytes(b"")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "big.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert found(tmp_path).skipped == [
        Skipped("big.yaml", "1,001 bytes, over the limit of 1,000"),
        Skipped("essay.pdf", "not an answer file (.yaml, .yml, .json, .csv, .tsv)"),
        Skipped("gone.yaml", "a symbolic link, which is not followed"),
        Skipped("link.yaml", "a symbolic link, which is not followed"),
        Skipped("loop", "a symbolic link, which is not followed"),
        Skipped("pack.zip", "an archive: unpack it"),
        Skipped("pipe.yaml", "not a regular file"),
    ]
    assert found(tmp_path).submissions == []


def test_a_folder_that_is_too_deep(tmp_path):
    deep = tmp_path.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    (deep / "s1.yaml").write_text("a: 1")
    assert found(tmp_path).skipped == [Skipped("a/b/c/d/e/f", "a folder deeper than 6")]


def test_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "s1.yaml").write_text("a: 1")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(submissions.os, "scandir", refuse)
    assert found(tmp_path).skipped == [Skipped("closed", "cannot be read: Permission denied")]
    assert len(found(tmp_path).submissions) == 1


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_ENTRIES", 3)
    for number in range(4):
        (tmp_path / f"s{number}.yaml").write_text("")
    with pytest.raises(FolderError, match="holds over 3 files"):
        found(tmp_path)


def test_folders_that_are_none(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="does not exist"):
        found(tmp_path / "gone")
    with pytest.raises(FolderError, match="is not a folder"):
        found(tmp_path / "file")


def test_names_that_are_hard_to_print(tmp_path):
    for name in ("-rf.yaml", "a\nb.yaml", "\x1b[31mred.yaml", "\u202etxt.yaml"):
        (tmp_path / name).write_text("a: 1")
    (tmp_path / "x").mkdir()
    with open(os.fsencode(tmp_path) + b"/x/\xff.yaml", "w") as file:
        file.write("a: 1")
    assert len(found(tmp_path).submissions) == 5
