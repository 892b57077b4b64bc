"""`cnncalc calc`: one layer of any kind, without a file."""

import json

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main
from cnncalc.layers import KINDS

# A valid call for each kind; what it prints is tested where the layer is.
CALLS = {
    "conv": "3@32x32 --filters 10 --kernel 5 --pad 2",
    "depthwise": "8@9x9 --kernel 3",
    "separableconv": "8@9x9 --filters 4 --kernel 3",
    "convtranspose": "8@9x9 --filters 4 --kernel 4 --stride 2 --pad 1",
    "anchorhead": "8@9x9 --anchors 9 --values 4",
    "maxpool": "8@9x9 --kernel 3 --stride 2",
    "avgpool": "8@9x9 --kernel 3",
    "lppool": "8@9x9 --kernel 3 --norm 2",
    "subsample": "6@28x28 --kernel 2",
    "globalavgpool": "8@9x9",
    "globalmaxpool": "8@9x9",
    "adaptiveavgpool": "8@9x9 --size 4x5",
    "adaptivemaxpool": "8@9x9 --size 4",
    "maxunpool": "8@4x4 --kernel 2 --indices 8@9x9",
    "roipool": "8@9x9 --size 7 --regions 10",
    "roialign": "8@9x9 --size 7 --regions 10",
    "psroipool": "98@9x9 --size 7 --regions 10",
    "upsample": "8@9x9 --scale 2",
    "zeropad": "8@9x9 --pad 0:1x2",
    "crop": "8@9x9 --like 3@5x5",
    "pixelshuffle": "8@9x9 --factor 2",
    "channelshuffle": "8@9x9 --groups 2",
    "slice": "8@9x9 --channels [0,4]",
    "split": "8@9x9 --parts 2 --part 1",
    "linear": "4096 --features 1000",
    "flatten": "8@9x9",
    "reshape": "8@9x9 --shape 72@9",
    "permute": "8@9x10 --order [2,0,1]",
    "embedding": "35 --features 100 --vocabulary 5000",
    "attention": "64@49 --heads 8",
    "rnn": "10@35 --hidden 20",
    "lstm": "10@35 --hidden 20",
    "gru": "10@35 --hidden 20",
    "leakyrelu": "8@9x9 --slope 0.1",
    "maxout": "8@9x9 --pieces 2",
    "groupnorm": "8@9x9 --groups 4",
    "add": "8@9x9 8@9x9",
    "mul": "8@9x9 8@1x1",
    "concat": "8@9x9 4@9x9",
    "l2": "10 --target 10",
}


def calc(*arguments: str) -> Result:
    """`cnncalc calc` as a user runs it."""
    return CliRunner().invoke(main, ["calc", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_worked_out(kind: str) -> None:
    result = calc(kind, *CALLS.get(kind, "8@9x9").split())
    assert result.exit_code == 0, result.output
    assert "output " in result.stdout
    assert json.loads(calc(kind, *CALLS.get(kind, "8@9x9").split(), "--format", "json").stdout)


def test_the_course_notes_example() -> None:
    # Ten 5x5 filters on 32x32x3, stride 1, pad 2: 32x32x10, and (5*5*3 + 1)*10 = 760.
    shown = calc("conv", "3@32x32", "--filters", "10", "--kernel", "5", "--pad", "2").stdout
    assert shown == (
        "input       3@32x32\n"
        "output      10@32x32\n"
        "each side   32 + 4 - 5 + 1 = 32\n"
        "parameters  760 (weight 10x3x5x5, bias 10)\n"
        "MACs        768,000\n"  # 32*32*10 outputs of 75 products
        "FLOPs       1,546,240\n"  # twice that, and 10,240 biases
        "field       5\n"
    )


def test_what_does_not_fit_is_said() -> None:
    shown = calc("conv", "3@7x7", "--filters", "1", "--kernel", "3", "--stride", "3").stdout
    assert "each side   floor((7 - 3)/3) + 1 = 2\n" in shown
    assert "warning     the stride 3 does not fit 7 - 3" in shown
    assert "padding 1" in shown  # (7 + 2 - 3)/3 = 2


@pytest.mark.parametrize("kind", KINDS)
def test_help_teaches(kind: str) -> None:
    shown = calc(kind, "--help").stdout
    assert "INPUT" in shown
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["conf", "3@4x4"], 2, "did you mean `conv`?"),
        (["conv", "3x4x4", "--filters", "1", "--kernel", "1"], 2, "which extent is the channels"),
        (["conv", "3@4x4", "--filters", "1"], 1, "`kernel` is missing"),
        (["conv", "3@4x4", "--filters", "1", "--kernel", "0"], 1, "at least 1"),
        (["conv", "3@4x4", "--filters", "1", "--kernel", "5"], 1, "is only 4"),
        (["conv", "3@4x4", "--filters", "a b", "--kernel", "5"], 1, "`filters`"),
        (["conv", "3@4x4", "3@4x4", "--filters", "1", "--kernel", "1"], 2, "takes one INPUT"),
        (["add", "3@4x4", "4@4x4"], 1, "cannot add 3@4x4 (from `input`) and 4@4x4"),
        (["conv", "3@4x4", "--filter", "1", "--kernel", "1"], 2, "--filters"),
        (["conv"], 2, "Missing argument"),
    ],
)
def test_errors(arguments: list[str], exit_code: int, words: str) -> None:
    result = calc(*arguments)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert result.stdout == ""
