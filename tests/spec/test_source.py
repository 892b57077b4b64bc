"""Specs come from paths, standard input, text and the packaged networks; others say why not."""

import io
import os
import sys
from pathlib import Path

import pytest

import cnncalc
from cnncalc.limits import Limits
from cnncalc.spec.source import (
    decode,
    load,
    loads,
    network_name,
    packaged_names,
    specs_folder,
)

SPEC = "input: 3@8x8\nlayers: [relu]\n"


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return path


def refusal(source, limits=None):
    """Code, name, message with the folder taken out, and help of the one error."""
    with pytest.raises(cnncalc.SpecError) as caught:
        load(source, **({"limits": limits} if limits else {}))
    (found,) = caught.value.diagnostics
    assert caught.value.unreadable
    assert tuple(found.place) == (1, 1, 1, 1) or "on line" in found.message
    assert found.severity == "error"
    folder = str(Path(os.fspath(source)).parent) + os.sep
    return found.code, found.name, found.message.replace(folder, ""), found.help


# What is read


def test_a_path(spec):
    for source in (spec, str(spec)):
        network = load(source)
        assert (network.name, network.path) == ("tiny", str(spec))
        assert network.text == SPEC


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SPEC.encode())))
    network = load("-")
    assert (network.name, network.path) == ("network", "<stdin>")


def test_text():
    assert loads(SPEC).name == "network"
    assert loads(SPEC, path="a/b.yml").name == "b"


def test_a_packaged_name():
    assert load("lenet5").name == "LeNet-5"
    assert load("lenet5").path.endswith("lenet5.yaml")


def test_a_file_goes_before_a_packaged_name(tmp_path, monkeypatch):
    (tmp_path / "lenet5").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    assert len(load("lenet5").layers) == 1


def test_the_packaged_names_are_the_files_beside_the_package():
    folder = Path(specs_folder())
    assert packaged_names() == sorted(path.stem for path in folder.iterdir())
    assert "vgg16" in packaged_names()


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b.yaml", "b"), ("b.yml", "b"), ("x.y.yaml", "x.y"), ("", ""), ("<stdin>", "")],
)
def test_a_network_is_called_after_its_file(path, name):
    assert network_name(path) == name


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_with_and_without_a_mark(mark):
    assert decode(mark + "é".encode(), "") == "é"


def test_windows_line_ends(tmp_path):
    path = tmp_path / "crlf.yaml"
    path.write_bytes(b"input: 3@8x8\r\nlayers:\r\n  - relu\r\n")
    (node,) = load(path).layers
    assert tuple(node.place) == (3, 5, 3, 9)


# What is not

UNREADABLE = "Y001", "unreadable-file"
NOT_UTF_8 = "Y002", "not-utf-8"


def test_a_path_that_does_not_exist(tmp_path, spec):
    assert refusal(tmp_path / "tinny.yaml") == (
        *UNREADABLE,
        "`tinny.yaml` does not exist",
        f"did you mean `{spec}`?",
    )


def test_a_folder_that_does_not_exist(tmp_path):
    *found, help = refusal(tmp_path / "nowhere" / "net.yaml")
    assert found == [*UNREADABLE, "`net.yaml` does not exist"]
    assert help


def test_a_name_that_is_not_packaged():
    assert refusal("resnet5") == (
        *UNREADABLE,
        "`resnet5` does not exist",
        "did you mean `resnet50`?",
    )
    assert refusal("qqqqqqqq")[3] == "`cnncalc zoo` lists the packaged networks"


@pytest.mark.parametrize("name", ["../specs/lenet5", "..", "/etc/passwd/x", "a\0b", "", "\x1b[31m"])
def test_names_that_are_no_names(name):
    code, kind, _, help = refusal(name)
    assert (code, kind) == UNREADABLE
    assert help


def test_a_name_far_too_long_for_the_file_system():
    assert refusal("n" * 100_000)[:2] == UNREADABLE


def test_a_folder(tmp_path):
    assert refusal(tmp_path) == (
        *UNREADABLE,
        f"`{tmp_path.name}` is a folder",
        f"`cnncalc check {tmp_path}` checks the specs in it",
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a feature of Unix")
def test_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert refusal(tmp_path / "pipe.yaml") == (
        *UNREADABLE,
        "`pipe.yaml` is not a regular file",
        "a spec is a text file",
    )


def test_a_file_that_may_not_be_read(spec, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    # Not by taking the permission away: the tests may run as root, who may read all.
    monkeypatch.setattr("cnncalc.spec.source.open", refuse, raising=False)
    code, name, message, help = refusal(spec)
    assert (code, name, message) == (*UNREADABLE, "`tiny.yaml` cannot be read: Permission denied")
    assert help


def test_a_file_that_is_too_large(spec):
    size = len(SPEC)
    assert load(spec, limits=Limits(file_bytes=size))
    assert refusal(spec, Limits(file_bytes=size - 1)) == (
        "Y007",
        "too-large",
        f"`tiny.yaml` is larger than {size - 1} bytes",
        "--limit file_bytes=N raises the bound",
    )


@pytest.mark.parametrize(
    ("data", "message", "help"),
    [
        (b"\xff\xfei\0n\0", "is UTF-16, not UTF-8", "save it as UTF-8"),
        (b"\xfe\xff\0i\0n", "is UTF-16, not UTF-8", "save it as UTF-8"),
        (b"a\0b", "is a binary file", "a spec is a text file"),
        (b"a: b\nc: \xe9\n", "is not UTF-8: byte 0xe9 on line 2", "save it as UTF-8"),
        (b"\x93NUMPY\x01\x00", "is a binary file", "a spec is a text file"),
    ],
)
def test_what_is_not_text(tmp_path, data, message, help):
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    assert refusal(path) == (*NOT_UTF_8, f"`bad.yaml` {message}", help)


def test_a_wrong_spec_is_readable_but_wrong(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("input: 3@8x8\nlayers: [reul]\n")
    with pytest.raises(cnncalc.SpecError) as caught:
        load(path)
    assert not caught.value.unreadable
    assert str(caught.value) == (
        f"{path}:2:10: S005 unknown layer `reul` (help: did you mean `relu`?)"
    )
