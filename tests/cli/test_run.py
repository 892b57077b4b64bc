"""`cnncalc run`: tables, formats, exit codes, files in and out."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cnncalc.cli import main

ROOT = Path(__file__).resolve().parents[2]

TINY = """\
name: Tiny
input: 1@6x6
layers:
  - {conv: 2, kernel: 3, name: conv}
  - relu
  - {maxpool: 2}
  - flatten
  - {linear: 3, name: fc}
  - softmax
"""

#: A filter that sums 3x3, and half of that: every figure can be worked out by hand.
WEIGHTS = {
    "conv.weight": np.stack([np.ones((1, 3, 3)), np.ones((1, 3, 3)) / 2]),
    "conv.bias": np.array([0.0, -100.0]),
    "fc.weight": np.ones((3, 8)),
    "fc.bias": np.array([0.0, 0.0, 0.0]),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")
    np.savez("weights.npz", **WEIGHTS)
    np.save("ones.npy", np.ones((2, 1, 6, 6)))
    return tmp_path


def ran(*arguments, code=0):
    done = CliRunner().invoke(main, ["run", *arguments], env={"NO_COLOR": "1", "COLUMNS": "80"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def out(*arguments, code=0):
    return ran(*arguments, code=code).stdout


GIVEN = ("tiny.yaml", "--input", "ones.npy", "--weights", "weights.npz", "--no-times")


def test_the_table_by_hand():
    """9 and -95.5 on average over the two maps; ReLU leaves 9 and 0."""
    assert out(*GIVEN) == (
        "Tiny, input 1@6x6, batch 2, float64, evaluation, cpu\n\n"
        "layer        output    mean    std  zeros\n"
        "-----------------------------------------\n"
        "conv         2@4x4   -43.25  52.25\n"
        "relu1        2@4x4      4.5    4.5    50%\n"
        "maxpool1     2@2x2      4.5    4.5    50%\n"
        "flatten1     8          4.5    4.5    50%\n"
        "fc (linear)  3           36      0\n"
        "softmax1     3       0.3333      0\n"
    )


def test_backward_by_hand():
    """ln 3 of three equal scores; the gradients of the biases of the labels 0 and 1."""
    text = out(*GIVEN, "--backward", "--loss", "cross_entropy", "--target", "0,1")
    assert re.search("^cross_entropy of softmax1 +1 +0 +0$", text, flags=re.M)
    assert "loss       1.099 (cross_entropy)\n" in text
    document = json.loads(out(*GIVEN, "--backward", "--loss", "cross_entropy", "--target", "0,1",
                              "--format", "json"))  # fmt: skip
    assert document["loss"] == pytest.approx(np.log(3))
    bias = next(one for one in document["gradients"] if one["name"] == "fc.bias")
    # (1/3 - 1 + 1/3)/2 twice, and (1/3 + 1/3)/2.
    assert bias["min"] == pytest.approx(-1 / 6)
    assert bias["max"] == pytest.approx(1 / 3)


def test_times_are_shown_unless_not_wanted():
    text = out("tiny.yaml")
    assert re.search(r"^layer +output +mean +std +zeros +ms +GFLOP/s$", text, flags=re.M)
    assert re.search(r"^forward  [\d.e+-]+ ms, 724 FLOPs, [\d.]+ [KMG]?FLOP/s$", text, flags=re.M)
    text = out("tiny.yaml", "--backward")
    assert re.search(r"^layer +output +std +grad std +ms +GFLOP/s +back ms$", text, flags=re.M)
    assert re.search(r"^backward   [\d.e+-]+ ms, ", text, flags=re.M)


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20"])
def test_tables_fit_80_columns(name):
    for more in ([], ["--backward"], ["--probe"]):
        if name == "resnet18" and more:
            continue
        for line in out(name, *more, "--format", "plain").splitlines():
            assert len(line) <= 80, line


def test_the_seed_says_it_all():
    first, second, other = (
        out("tiny.yaml", "--no-times", "--seed", seed, "--format", "csv")
        for seed in ("1", "1", "2")
    )
    assert first == second != other


def test_json():
    document = json.loads(out("tiny.yaml", "--format", "json", "--batch", "3", "--threads", "1"))
    assert document["schema"] == "cnncalc.run/1"
    assert document["input"] == {"input": [1, 6, 6]}
    assert (document["batch"], document["threads"], document["loss"]) == (3, 1, None)
    assert [one["name"] for one in document["layers"]] == [
        "conv", "relu1", "maxpool1", "flatten1", "fc", "softmax1",
    ]  # fmt: skip
    conv = document["layers"][0]
    assert conv["shape"] == [3, 2, 4, 4]
    assert conv["flops"] == 3 * (2 * 2 * 16 * 9 + 2 * 16)
    assert conv["seconds"] > 0
    assert document["gradients"] == []


def test_csv_and_markdown():
    rows = list(csv.DictReader(io.StringIO(out(*GIVEN, "--format", "csv"))))
    assert [row["layer"] for row in rows][:2] == ["conv", "relu1"]
    assert float(rows[0]["mean"]) == -43.25
    assert rows[0]["seconds"] == ""
    text = out(*GIVEN, "--format", "markdown")
    assert text.startswith("### Tiny, input 1@6x6, batch 2, float64, evaluation, cpu\n\n")
    assert "| relu1 | 2@4x4 | 4.5 | 4.5 | 50% |\n" in text


def test_rich_is_coloured_on_demand():
    assert "\x1b[" in out("tiny.yaml", "--format", "rich", "--color", "always")
    assert "\x1b[" not in out("tiny.yaml", "--format", "rich", "--color", "never")


def test_what_is_saved_can_be_compared_and_run_again():
    out("tiny.yaml", "--backward", "--loss", "random", "--save", "a.npz", "--dtype", "float64")
    with np.load("a.npz") as saved:
        names = set(saved)
        assert {"input", "conv", "softmax1", "conv.weight", "gradients/conv.weight"} <= names
    again = ("tiny.yaml", "--input", "a.npz", "--weights", "a.npz", "--loss", "random")
    text = out(*again, "--compare", "a.npz")
    assert text.endswith("verdict   all agree\n")
    assert text.count(" ok\n") == 7 + 5


def test_the_first_difference_is_shown():
    out(*GIVEN, "--save", "a.npz")
    with np.load("a.npz") as saved:
        relu, fc = saved["relu1"].copy(), saved["fc"]
    relu[1, 0, 2, 3] += 0.5
    np.savez("b.npz", fc=fc * 2, relu1=relu)
    text = out(*GIVEN, "--compare", "b.npz", code=1)
    assert "verdict   2 of 2 arrays differ\n" in text
    assert "first     relu1[1, 0, 2, 3]: 9 here, 9.5 there\n" in text
    assert out(*GIVEN, "--compare", "b.npz", "--tolerance", "2").endswith("all agree\n")
    document = json.loads(out(*GIVEN, "--compare", "b.npz", "--format", "json", code=1))
    assert [one["hint"] for one in document["comparison"]] == [None, "ours times 2"]


def test_checked_gradients():
    text = out("tiny.yaml", "--check-gradients", "--elements", "3")
    assert "checked  14 elements of 5 tensors\n" in text
    assert text.endswith("verdict  all agree\n")
    document = json.loads(out("tiny.yaml", "--check-gradients", "--format", "json"))
    assert all(one["passed"] for one in document["checks"])
    assert document["dtype"] == "float64"


def test_a_wrong_gradient_is_a_finding(monkeypatch):
    from cnncalc import functional

    right = functional.relu_backward
    monkeypatch.setitem(
        vars(functional), "relu_backward", lambda *a, **k: tuple(3 * g for g in right(*a, **k))
    )
    text = out("tiny.yaml", "--check-gradients", code=1)
    assert re.search("^verdict +[345] of 5 tensors are wrong$", text, flags=re.M)


def test_a_probe():
    text = out("tiny.yaml", "--probe", "--batch", "8")
    assert "float32, training, cpu: probe\n" in text
    assert re.search(r"^(fine|PROBLEM) +loss [\d.]+, expected of a network that knows nothing: "
                     r"ln 3 =", text, flags=re.M)  # fmt: skip
    document = json.loads(out("tiny.yaml", "--probe", "--eval", "--format", "json"))
    assert document["probe"]["expected_loss"] == pytest.approx(np.log(3))
    assert document["training"] is False


def test_warming_compiles_and_says_nothing():
    assert out("tiny.yaml", "--warm", "--dtype", "float32") == ""


def test_nan_is_found():
    x = np.ones((1, 1, 6, 6))
    x[0, 0, 0, 0] = np.nan
    np.save("nan.npy", x)
    text = out("tiny.yaml", "--input", "nan.npy", "--no-times")
    assert "not finite  2 values of conv, and what follows\n" in text
    document = json.loads(out("tiny.yaml", "--input", "nan.npy", "--format", "json"))
    assert document["layers"][0]["mean"] is None


def test_a_picture():
    image = pytest.importorskip("PIL.Image", reason="Pillow (of the extra `test`) is not there")
    image.new("L", (12, 12), 255).save("white.png")
    text = out("tiny.yaml", "--input", "white.png", "--weights", "weights.npz", "--no-times")
    assert "relu1        2@4x4      4.5    4.5    50%\n" in text


def test_a_picture_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    Path("a.png").write_bytes(b"x")
    failed(
        ("tiny.yaml", "--input", "a.png"),
        "reading a picture needs Pillow",
        "pip install 'cnncalc[pictures]'",
    )


def failed(arguments, message, help=""):
    done = ran(*arguments, code=2)
    assert done.stdout == ""
    said = "".join(one for one in done.stderr.splitlines(True) if "compiling" not in one)
    assert said == f"error: {message}\n" + (f"help: {help}\n" if help else "")


@pytest.mark.parametrize(
    ("arguments", "message", "help"),
    [
        (["--input", "a.npy"], "`a.npy` cannot be read: No such file or directory", ""),
        (["--input", "tiny.yaml"], "`tiny.yaml` is neither a .npy nor a .npz file",
         "numpy.savez writes one"),
        (["--input", "wide.npy"],
         "input: must have shape (N, 1, 6, 6), which is (N, C, H, W), got shape (1, 1, 6, 7)", ""),
        (["--input", "weights.npz"], "x: the network has no input 'conv.weight'", "it has input"),
        (["--batch", "3", "--input", "ones.npy"],
         "input: must have a batch of 3, got shape (2, 1, 6, 6)", ""),
        (["--weights", "ones.npy"], "`ones.npy` has one array without a name",
         "a .npz with layer.weight, ..."),
        (["--weights", "some.npz"], "weights: `conv.weight` and 3 more missing",
         "one array for every parameter"),
        (["--init", "hee"], "init: there is no rule 'hee'", "did you mean `he`?"),
        (["--target", "1"], "target: the network has no loss to give it to", ""),
        (["--input", "complex.npy"], "`complex.npy` has the type complex64",
         "arrays of numbers can be read"),
        (["--loss", "hinge", "--target", "halves.npy"],
         "target: softmax1 takes labels, whole numbers, got float64", ""),
        (["--loss", "hinge", "--target", "9"],
         "target: labels must lie between 0 and 2, got 9", ""),
        (["--compare", "weights.npz"], "compare: the file has no array to compare",
         "one named after a layer"),
        (["--save", "no/a.npz"], "`no/a.npz` cannot be written: No such file or directory", ""),
        # 47 parameters; 36 values and the 32 made of them, and 36 to work in.
        (["--memory", "500B"], "the run needs 604 B of memory (188 B for weights, 416 B for "
         "activations), 500 B are allowed",
         "a smaller batch, float32, or no backward pass takes less"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(arguments, message, help):
    np.save("complex.npy", np.ones(3, np.complex64))
    np.save("halves.npy", np.full(1, 0.5))
    np.save("wide.npy", np.ones((1, 1, 6, 7)))
    np.savez("some.npz", **{"conv": np.ones(3)})
    failed(("tiny.yaml", *arguments), message, help)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a SPEC"),
        (["tiny.yaml", "--probe", "--check-gradients"],
         "--check-gradients and --probe are different runs: give one of them"),
        (["tiny.yaml", "--probe", "--save", "a.npz"],
         "--save writes what a plain run gives: leave the others out"),
        (["tiny.yaml", "--check-gradients", "--dtype", "float32"],
         "--check-gradients needs float64: differences lose their digits"),
        (["tiny.yaml", "--elements", "3"], "--elements belongs to --check-gradients"),
        (["tiny.yaml", "--tolerance", "3"], "--tolerance belongs to --compare"),
        (["tiny.yaml", "--init", "a.npz", "--weights", "b.npz"],
         "--init and --weights both name a file of weights"),
        (["tiny.yaml", "--threads", "9999"], "--threads 9999: this machine has "),
    ],
)  # fmt: skip
def test_usage(arguments, message):
    done = ran(*arguments, code=2)
    assert f"Error: {message}" in done.stderr


def test_a_wrong_spec_is_a_finding():
    Path("wrong.yaml").write_text("input: 1@2x2\nlayers: [{conv: 1, kernel: 3}]\n")
    done = ran("wrong.yaml", code=1)
    assert "H002" in done.stderr
    assert ran("nothing.yaml", code=2).stdout == ""


def test_cuda_that_is_not_there_says_what_to_install():
    from cnncalc.errors import DeviceError
    from cnncalc.kernels.binding import kernel

    try:
        kernel("movement", "cuda")
    except DeviceError:
        done = ran("tiny.yaml", "--device", "cuda", code=2)
        # Without numba-cuda what to install, without a GPU that it is the GPU that is missing.
        assert "cnncalc[cuda13]" in done.stderr or "needs an NVIDIA GPU" in done.stderr
        assert done.stderr.endswith("help: --device cpu runs anywhere\n")
    else:  # on a machine with a device it runs
        assert ", cuda\n" in out("tiny.yaml", "--device", "cuda")
    assert "softmax1" in out("tiny.yaml", "--device", "auto")


def test_compilations_are_told_on_standard_error(tmp_path):
    cache = str(tmp_path / "cache")
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cnncalc", "run", "tiny.yaml", "--no-times"]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        for _ in range(2)
    )
    assert "compiling " in first.stderr
    assert "compiling " not in first.stdout
    assert second.stderr == ""
    assert first.stdout == second.stdout
