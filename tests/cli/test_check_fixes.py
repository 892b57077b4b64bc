"""`check --fix`, `--unsafe-fixes` and `--diff`: what is written, shown, and left alone."""

import os

import pytest

from tests.cli.test_check import check

BIASED = """\
# A block of VGG
input: 3@32x32   # an image
layers:
  - {conv: 8, kernel: 3, pad: 1}   # the bias is subtracted again
  - batchnorm

  - relu
"""
MENDED = BIASED.replace("pad: 1}", "pad: 1, bias: false}")
#: Both figures count the 8 biases: 8*3*3*3 + 8 = 224.
CLAIMED = BIASED.replace("pad: 1}", "pad: 1, expect: {parameters: 224}}")


@pytest.fixture
def net(tmp_path, monkeypatch):
    """A spec whose bias does nothing, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.yaml"
    path.write_bytes(BIASED.encode())
    return path


def test_a_finding_says_that_it_can_be_fixed(net):
    result = check("net.yaml")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "1 file checked: 1 warning",
        "can be fixed: 1 with --fix",
    ]


def test_fix_mends_the_file_and_nothing_else_in_it(net):
    result = check("net.yaml", "--fix")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "1 finding fixed in 1 file\n1 file checked: no findings\n"
    assert net.read_text() == MENDED
    again = check("net.yaml", "--fix")
    assert (again.exit_code, again.stderr) == (0, "1 file checked: no findings\n")
    assert net.read_text() == MENDED


def test_diff_shows_and_writes_nothing(net):
    result = check("net.yaml", "--diff")
    assert result.exit_code == 1
    assert result.stdout == (
        "--- a/net.yaml\n+++ b/net.yaml\n@@ -1,7 +1,7 @@\n"
        " # A block of VGG\n input: 3@32x32   # an image\n layers:\n"
        "-  - {conv: 8, kernel: 3, pad: 1}   # the bias is subtracted again\n"
        "+  - {conv: 8, kernel: 3, pad: 1, bias: false}   # the bias is subtracted again\n"
        "   - batchnorm\n \n   - relu\n"
    )
    assert result.stderr == "1 finding would be fixed in 1 file\n"
    assert net.read_text() == BIASED
    net.write_text(MENDED)
    assert check("net.yaml", "--diff").exit_code == 0


def test_standard_input_is_fixed_to_standard_output(net):
    result = check("-", "--fix", input=BIASED)
    assert (result.exit_code, result.stdout) == (0, MENDED)


def test_a_fix_that_makes_a_claim_false_is_not_made(net):
    net.write_text(CLAIMED)
    result = check("net.yaml", "--fix", "--format", "concise")
    assert result.exit_code == 1
    assert "O001 warning" in result.stdout
    assert "net.yaml: O001 on line 4: " in result.stderr
    assert net.read_text() == CLAIMED


def test_unsafe_fixes_only_when_asked_for(net):
    text = (
        "input: 8@4x4\nlayers:\n  - {convtranspose: 4, kernel: 3, stride: 2, pad: 1, "
        "output_padding: 1}\n  - relu\n"
    )
    net.write_text(text)
    assert check("net.yaml", "--fix").exit_code == 1
    assert net.read_text() == text
    result = check("net.yaml", "--unsafe-fixes")
    assert result.exit_code == 0, result.output
    assert net.read_text() != text


def test_a_read_only_file_is_said_and_the_others_are_fixed(net, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(BIASED)
    net.chmod(0o444)
    result = check(".", "--fix", "--format", "concise")
    assert result.exit_code == 2
    assert "net.yaml: `net.yaml` is read-only: left as it is" in result.stderr
    assert result.stdout.startswith("net.yaml:4:")
    assert (net.read_text(), other.read_text()) == (BIASED, MENDED)


def test_a_file_with_errors_is_left_alone(net):
    text = BIASED.replace("- relu", "- rleu")
    net.write_text(text)
    result = check("net.yaml", "--fix", "--format", "concise")
    assert result.exit_code == 1
    assert "S005" in result.stdout
    assert net.read_text() == text


def test_a_packaged_network_is_not_changed(net):
    result = check("vgg19_bn", "--fix", "--select", "O001")
    assert "`vgg19_bn` is a packaged network, which is not changed" in result.stderr


def test_permissions_stay(net):
    net.chmod(0o640)
    check("net.yaml", "--fix")
    assert oct(os.stat(net).st_mode & 0o777) == "0o640"
    assert os.listdir(net.parent) == ["net.yaml"]


def test_many_files_are_fixed_in_several_processes(net, tmp_path):
    net.unlink()
    for number in range(12):
        (tmp_path / f"net{number:02}.yaml").write_text(BIASED)
    result = check(".", "--fix", "--jobs", "3")
    assert result.stderr == "12 findings fixed in 12 files\n12 files checked: no findings\n"
    assert {path.read_text() for path in tmp_path.iterdir()} == {MENDED}
