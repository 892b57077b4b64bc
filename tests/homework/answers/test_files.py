"""Files that a student hands in, whatever they claim to be."""

import io
import os
import pickle
import socket
import struct
import sys
import zipfile

import numpy as np
import pytest

from cnncalc.homework.answers.files import MOST_ARRAY_BYTES, Beside, read_text
from cnncalc.homework.answers.reading import ANSWER_LIMITS
from cnncalc.homework.answers.tree import BrokenFileError
from cnncalc.homework.model import Unreadable


def array_file(header, body=b""):
    """A .npy whose header says what we like."""
    text = header.encode()
    text += b" " * (64 - (len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def archive(members, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as into:
        for name, data in members.items():
            into.writestr(name, data)
    return file.getvalue()


@pytest.fixture
def beside(tmp_path):
    return Beside(str(tmp_path / "answers.yaml"))


# Arrays


def test_arrays_by_file_and_name(tmp_path, beside):
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "dW.npy", [[1.0, 2.0]])
    np.save(tmp_path / "sub" / "x.npy", [3.0])
    np.savez(tmp_path / "all.npz", dW=[1.0], dX=[2.0])
    np.savez_compressed(tmp_path / "one.npz", w=[5.0])
    assert beside.array("dW.npy", "dW", 1).tolist() == [[1.0, 2.0]]
    assert beside.array("sub/x.npy", "dW", 1).tolist() == [3.0]
    assert beside.array("all.npz:dX", "dW", 1).tolist() == [2.0]
    assert beside.array("all.npz", "dW", 1).tolist() == [1.0]  # the part's own name
    assert beside.array(" one.npz ", "dW", 1).tolist() == [5.0]  # the only one
    assert beside.array("no file", "dW", 1) is None


@pytest.mark.parametrize(
    "array",
    [
        np.arange(4, dtype=">f8"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.ones((2, 2), np.float16),
        np.array([True, False]),
        np.arange(3, dtype=np.uint8),
        np.array(5.0),
        np.zeros((0, 3)),
        np.array([np.nan, np.inf]),
    ],
    ids=["big-endian", "fortran", "half", "bool", "uint8", "scalar", "empty", "not-finite"],
)
def test_numbers_of_every_type_become_float64(tmp_path, beside, array):
    np.save(tmp_path / "a.npy", array)
    read = beside.array("a.npy", "a", 1)
    np.testing.assert_array_equal(read, array.astype(np.float64), strict=True)


LIMIT = f"{MOST_ARRAY_BYTES:,}"
ONES = saved(np.ones((3, 3)))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (
            "huge.npy",
            array_file("{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536)}"),
            f"it takes 34,359,738,368 bytes, more than the limit of {LIMIT}",
        ),
        (
            "digits.npy",
            array_file(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (%s, %s, %s)}"
                % (("9" * 2000,) * 3)
            ),
            "it is no array: its header cannot be read",
        ),
        (
            "negative.npy",
            array_file("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}"),
            "it is no array: its header cannot be read",
        ),
        (
            "axes.npy",
            array_file(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (%s)}" % ("1, " * 70), bytes(8)
            ),
            "it is no array: its header cannot be read",
        ),
        (
            "code.npy",
            array_file("__import__('os').system('touch pwned')"),
            "it is no array: its header cannot be read",
        ),
        (
            "open.npy",
            array_file("{'descr': '<f8', 'shape': (2, 2)"),
            "it is no array: its header cannot be read",
        ),
        ("cut.npy", ONES[:-8], "it is cut short: 64 of 72 bytes"),
        ("pickle.npy", pickle.dumps(os.getcwd), "it is neither a .npy nor a .npz file"),
        (
            "objects.npy",
            saved(np.array([{}], object), allow_pickle=True),
            "it holds Python objects (pickled), which are never read",
        ),
        ("complex.npy", saved(np.ones(3, complex)), "it has the type complex128"),
        ("text.npy", saved(np.array(["a"])), "it has the type <U1"),
        ("named.npy", saved(np.zeros(2, [("a", "f8")])), "it has the type [('a', '<f8')]"),
        ("day.npy", saved(np.array(["2020-01-01"], "M8[D]")), "it has the type datetime64[D]"),
        ("words.npy", b"1 2 3", "it is neither a .npy nor a .npz file"),
        ("empty.npy", b"", "it is neither a .npy nor a .npz file"),
        ("zip.npz", b"PK\3\4 and no more", "it is damaged: not a whole .npz"),
        ("large.npy", bytes(MOST_ARRAY_BYTES + 1), f"it is larger than {LIMIT} bytes"),
    ],
)
def test_files_that_are_refused(tmp_path, beside, monkeypatch, name, data, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(data)
    assert beside.array(name, "dW", 9) == Unreadable(f"`{name}`: {reason}", 9)
    assert not (tmp_path / "pwned").exists()


def test_a_bomb_is_not_unpacked(tmp_path, beside):
    shape = (2**26,)
    header = array_file(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")
    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as into,
        into.open("dW.npy", "w", force_zip64=True) as file,
    ):
        file.write(header)
        file.write(bytes(2**26))
    found = beside.array("bomb.npz", "dW", 1)
    assert found.reason == (
        f"`bomb.npz`: `dW.npy` in it takes 67,108,864 bytes, more than the limit of {LIMIT}"
    )


def test_bytes_that_become_floats_count_as_such(tmp_path, beside):
    np.savez_compressed(tmp_path / "bytes.npz", dW=np.zeros(MOST_ARRAY_BYTES // 4, np.uint8))
    assert beside.array("bytes.npz", "dW", 1) == Unreadable(
        f"`bytes.npz`: more than {LIMIT} bytes of arrays", 1
    )


def test_an_archive_of_very_many_arrays_is_not_opened(tmp_path, beside):
    members = {f"a{i}.npy": b"" for i in range(25_000)}
    (tmp_path / "many.npz").write_bytes(archive(members, zipfile.ZIP_STORED))
    assert beside.array("many.npz", "dW", 1).reason == "`many.npz`: it holds too many arrays"


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_archives_are_refused(tmp_path, kind):
    data = archive({"dW.npy": saved(np.random.default_rng(0).random((9, 9)))}, kind)
    refused = 0
    for at in range(0, len(data), 7):
        broken = data[:at] + b"\xaa\xaa\xaa" + data[at + 3 :]
        (tmp_path / "a.npz").write_bytes(broken)
        found = Beside(str(tmp_path / "answers.yaml")).array("a.npz", "dW", 1)
        refused += isinstance(found, Unreadable)
        if isinstance(found, Unreadable):
            assert found.reason.isprintable()
    assert refused


def test_names_in_an_archive_are_names_only(tmp_path, beside):
    (tmp_path / "a.npz").write_bytes(archive({"../../dW.npy": ONES, "\x1b[31m.npy": ONES}))
    assert beside.array("a.npz:../../dW", "dW", 1).shape == (3, 3)
    assert beside.array("a.npz", "dW", 1) == Unreadable(
        "`a.npz` has no array `dW`: it has ../../dW, \\x1b[31m", 1
    )


def test_only_what_lies_beside_is_read(tmp_path):
    folder = tmp_path / "alice"
    folder.mkdir()
    np.save(tmp_path / "key.npy", [1.0])
    np.save(folder / "own.npy", [1.0])
    (folder / "up").symlink_to(tmp_path)
    (folder / "link.npy").symlink_to(folder / "own.npy")
    os.mkfifo(folder / "fifo.npy")
    (folder / "folder.npy").mkdir()
    beside = Beside(str(folder / "answers.yaml"))
    away = "it is not beside the answer file"
    for name, reason in [
        ("../key.npy", away),
        (str(tmp_path / "key.npy"), away),
        ("up/key.npy", away),
        ("a\0b.npy", away),
        ("link.npy", "it is a symbolic link, which is not followed"),
        ("fifo.npy", "it is not a regular file"),
        ("folder.npy", "it is a folder"),
        ("missing.npy", "there is no such file"),
    ]:
        shown = name.replace("\0", "\\x00")
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        assert beside.array(name, "dW", 1) == Unreadable(f"`{shown}`: {reason}", 1), name


def test_standard_input_has_no_files_beside_it():
    assert Beside("-").array("a.npy", "dW", 1) == Unreadable(
        "`a.npy`: answers from standard input have no files beside them", 1
    )


# Text


def refusal(path):
    with pytest.raises(BrokenFileError) as refused:
        read_text(str(path), ANSWER_LIMITS)
    return refused.value.reason, refused.value.line


def test_text_with_and_without_a_mark(tmp_path):
    path = tmp_path / "a.yaml"
    for data in (b"a: 1\n", b"\xef\xbb\xbfa: 1\n"):
        path.write_bytes(data)
        assert read_text(str(path), ANSWER_LIMITS) == "a: 1\n"


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        ("a: 1\n".encode("utf-16"), "it is UTF-16, not UTF-8: save it as UTF-8", 0),
        (b"a: 1\nb: \xe9\n", "it is not UTF-8: byte 0xe9 on line 2: save it as UTF-8", 2),
        (b"a: 1\0\n", "it is a binary file", 0),
        (b"a" * (2**20 + 1), "it is larger than 1,048,576 bytes", 0),
    ],
)
def test_files_that_are_no_text(tmp_path, data, reason, line):
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    assert refusal(path) == (reason, line)


def test_what_is_no_file(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.yaml")
    assert refusal("fifo.yaml") == ("it is not a regular file", 0)
    assert refusal("socket.yaml") == ("it is not a regular file", 0)
    assert refusal("/dev/null") == ("it is not a regular file", 0)
    assert refusal("link.yaml") == ("it is a symbolic link, which is not followed", 0)
    assert refusal("loop.yaml") == ("it is a symbolic link, which is not followed", 0)
    assert refusal("missing.yaml") == ("there is no such file", 0)
    assert refusal("a\0b") == ("it cannot be read: embedded null byte", 0)
    assert refusal(tmp_path) == ("it is a folder: `cnncalc grade` marks every file of one", 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    path.chmod(0)
    assert refusal(path) == ("it cannot be read: Permission denied", 0)


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\n")))
    assert read_text("-", ANSWER_LIMITS) == "a: 1\n"
