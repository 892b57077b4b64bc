"""Files rewritten in one step: the new text or the old one, whatever goes wrong."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from cnncalc.cli.writing import rewrite
from cnncalc.errors import WriteError

OLD, NEW = "layers: [relu]  # é\r\n", "layers: [tanh]  # é\r\n"


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_bytes(OLD.encode())
    return path


def left_alone(path, *arguments):
    """Why a file is not written; its folder is as it was, then."""
    folder = path.parent
    before = sorted(os.listdir(folder)) if folder.exists() else None
    with pytest.raises(WriteError) as caught:
        rewrite(str(path), *arguments)
    assert (sorted(os.listdir(folder)) if folder.exists() else None) == before
    assert caught.value.help
    return str(caught.value)


def test_the_new_text_is_written(spec):
    rewrite(str(spec), OLD, NEW)
    assert spec.read_bytes() == NEW.encode()
    assert os.listdir(spec.parent) == [spec.name]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_permissions_stay(spec, mode):
    spec.chmod(mode)
    rewrite(str(spec), OLD, NEW)
    assert stat.S_IMODE(spec.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(spec):
    os.chown(spec, 12345, 23456)
    rewrite(str(spec), OLD, NEW)
    assert (spec.stat().st_uid, spec.stat().st_gid) == (12345, 23456)


def test_an_owner_that_cannot_be_kept(spec, monkeypatch):
    """As where another member of the group writes: the file is theirs afterwards."""

    def refuse(*_):
        raise PermissionError

    real = os.fstat
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(
        os, "fstat", lambda handle: os.stat_result((*real(handle)[:4], handle, *real(handle)[5:]))
    )
    rewrite(str(spec), OLD, NEW)
    assert spec.read_bytes() == NEW.encode()


def test_a_byte_order_mark_stays(spec):
    spec.write_bytes(b"\xef\xbb\xbf" + OLD.encode())
    rewrite(str(spec), OLD, NEW)
    assert spec.read_bytes() == b"\xef\xbb\xbf" + NEW.encode()


def test_a_symbolic_link_goes_on_pointing(spec, tmp_path):
    (tmp_path / "links").mkdir()
    link, other = tmp_path / "links" / "a.yaml", tmp_path / "links" / "b.yaml"
    link.symlink_to(os.path.join("..", "net.yaml"))
    other.symlink_to("a.yaml")
    rewrite(str(other), OLD, NEW)
    assert other.is_symlink()
    assert link.is_symlink()
    assert not spec.is_symlink()
    assert spec.read_bytes() == NEW.encode()
    assert sorted(os.listdir(tmp_path)) == ["links", "net.yaml"]


def test_links_in_a_circle(tmp_path):
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.symlink_to(b)
    b.symlink_to(a)
    assert "cannot be written: Too many levels of symbolic links" in left_alone(a, OLD, NEW)


def test_a_path_in_the_current_folder(spec, monkeypatch):
    monkeypatch.chdir(spec.parent)
    rewrite(spec.name, OLD, NEW)
    assert spec.read_bytes() == NEW.encode()


# What is left alone


def test_a_read_only_file(spec):
    """Also for root, whom no permission stops."""
    spec.chmod(0o444)
    assert left_alone(spec, OLD, NEW) == f"`{spec}` is read-only: left as it is"
    assert spec.read_bytes() == OLD.encode()


def test_a_folder_that_may_not_be_written_to(spec, monkeypatch):
    """As where the folder is read-only, which root would not notice."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert left_alone(spec, OLD, NEW) == f"`{spec}` cannot be written: Permission denied"
    assert spec.read_bytes() == OLD.encode()


@pytest.fixture
def nobody():
    """Someone who may not write everywhere: root becomes somebody else for the test."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_a_folder_that_is_read_only(nobody):
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    spec = folder / "net.yaml"
    spec.write_bytes(OLD.encode())
    folder.chmod(0o555)
    try:
        assert "cannot be written: Permission denied" in left_alone(spec, OLD, NEW)
    finally:
        folder.chmod(0o755)
    assert spec.read_bytes() == OLD.encode()
    shutil.rmtree(folder)


def test_a_missing_file_and_a_missing_folder(tmp_path):
    missing = "cannot be written: No such file or directory"
    assert missing in left_alone(tmp_path / "net.yaml", OLD, NEW)
    assert missing in left_alone(tmp_path / "gone" / "net.yaml", OLD, NEW)


@pytest.mark.parametrize("now", [b"layers: [elu]\n", b"", b"\xff", b"\0", OLD.encode() + b"\n"])
def test_a_file_that_changed_while_it_was_checked(spec, now):
    spec.write_bytes(now)
    assert (
        left_alone(spec, OLD, NEW) == f"`{spec}` changed while it was being checked: left as it is"
    )
    assert spec.read_bytes() == now


@pytest.mark.parametrize("step", ["fsync", "fchmod", "replace"])
def test_a_full_disk(spec, monkeypatch, step):
    """Whichever step fails, the old text stands and nothing lies about."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    assert "No space left on device" in left_alone(spec, OLD, NEW)
    assert spec.read_bytes() == OLD.encode()


def test_an_interrupt(spec, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rewrite(str(spec), OLD, NEW)
    assert os.listdir(spec.parent) == [spec.name]
    assert spec.read_bytes() == OLD.encode()


def test_a_path_is_shown_with_its_control_characters_escaped(tmp_path):
    assert "\\x1b[31m" in left_alone(tmp_path / "\x1b[31m.yaml", OLD, NEW)
