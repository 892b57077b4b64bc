"""Files of arrays: written whole, read with suspicion."""

import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest

from cnncalc.errors import RunError
from cnncalc.execution.weights import load_arrays, save_arrays
from tests.functional.comparing import refusal, same_bits


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


ARRAYS = {
    "conv1.weight": np.arange(24.0).reshape(2, 3, 4),
    "gradients/x": np.ones((1, 2), np.float32),
    "number": np.array(3.5),
}


def test_what_is_saved_is_loaded(folder):
    save_arrays("a.npz", ARRAYS)
    found = load_arrays("a.npz")
    assert list(found) == list(ARRAYS)
    for name, value in ARRAYS.items():
        same_bits(found[name], value)
    assert [one.name for one in folder.iterdir()] == ["a.npz"]


def test_numpy_reads_and_writes_the_same(folder):
    save_arrays("a.npz", ARRAYS)
    with np.load("a.npz", allow_pickle=False) as found:
        assert set(found) == set(ARRAYS)
    np.savez_compressed("b.npz", x=np.asfortranarray(ARRAYS["conv1.weight"]))
    same_bits(load_arrays("b.npz")["x"], ARRAYS["conv1.weight"])
    np.save("c.npy", np.arange(3, dtype=">i4"))
    found = load_arrays("c.npy")[""]
    assert found.dtype == np.dtype("i4")
    assert found.tolist() == [0, 1, 2]


def npy(descr="<f8", shape="(2,)", data=b"\0" * 16, version=1, fortran="False"):
    header = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(descr="|O"), "`a.npy` has the type object; arrays of numbers can be read"),
        (npy(descr="<U4"), "`a.npy` has the type <U4; arrays of numbers can be read"),
        (npy(descr="<c16"), "`a.npy` has the type complex128; arrays of numbers can be read"),
        (npy(shape="(2000000000000,)"),
         "`a.npy` takes 16,000,000,000,000 bytes, more than the limit of 68,719,476,736"),
        (npy(shape="(20,)"), "`a.npy` is cut short: its header asks for 160 bytes"),
        (npy(version=9), "`a.npy` has the unknown format version 9.0"),
        (b"hello", "`a.npy` is neither a .npy nor a .npz file; numpy.savez writes one"),
        (b"", "`a.npy` is neither a .npy nor a .npz file; numpy.savez writes one"),
    ],
)  # fmt: skip
def test_refuses_files(folder, content, message):
    (folder / "a.npy").write_bytes(content)
    with refusal(RunError, message):
        load_arrays("a.npy")


@pytest.mark.parametrize(
    "content",
    [
        npy()[:9],
        npy()[:20],
        npy(shape="(-2,)"),
        npy(shape="()x"),
        npy(shape="(2"),  # the tokenizer's own exception
        npy(shape="((((" * 2000),
        npy(shape="(True,)"),
        npy(shape=f"({'9' * 4000},)"),  # more digits than Python prints
        npy(shape=f"({'1,' * 70})"),  # more axes than NumPy has
    ],
)
def test_refuses_damaged_headers(folder, content):
    (folder / "a.npy").write_bytes(content)
    with pytest.raises(RunError, match=r"^`a\.npy` "):
        load_arrays("a.npy")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_one_clear_error(folder, method):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("x.npy", npy(shape="(512,)", data=np.arange(512.0).tobytes()))
    whole = data.getvalue()
    for place in range(0, len(whole), 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        (folder / "a.npz").write_bytes(spoilt)
        # What the damage leaves readable is read; anything else is a RunError.
        with contextlib.suppress(RunError):
            load_arrays("a.npz")


def test_pickles_are_never_read(folder, monkeypatch):
    np.savez("a.npz", x=np.array([object()], dtype=object))
    monkeypatch.setattr("pickle.load", lambda *_, **__: pytest.fail("a pickle was read"))
    with refusal(RunError, "`x.npy` in `a.npz` has the type object; arrays of numbers can be read"):
        load_arrays("a.npz")


def test_a_member_that_grows_is_bounded(folder):
    """A bomb: 64 MiB of zeros in 64 kB."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(shape=f"({2**23},)", data=b"\0" * 2**26))
    (folder / "a.npz").write_bytes(data.getvalue())
    assert len(data.getvalue()) < 2**17
    with refusal(
        RunError, "`x.npy` in `a.npz` takes 67,108,864 bytes, more than the limit of 1,000"
    ):
        load_arrays("a.npz", most=1000)


def test_refuses_a_file_that_is_not_there(folder):
    with refusal(RunError, "`a.npz` cannot be read: No such file or directory"):
        load_arrays("a.npz")
    with refusal(RunError, "`.` cannot be read: Is a directory"):
        load_arrays(".")


def test_a_file_that_cannot_be_written_leaves_nothing(folder):
    with refusal(RunError, "`b/a.npz` cannot be written: No such file or directory"):
        save_arrays("b/a.npz", ARRAYS)
    (folder / "d").mkdir()
    with pytest.raises(RunError, match="`d` cannot be written"):
        save_arrays("d", ARRAYS)
    assert [one.name for one in folder.iterdir()] == ["d"]
