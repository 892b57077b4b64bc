"""Fixes of the families F, U and G1, applied: what they leave, and that it is clean."""

import pytest

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import found, spec

CASES = [
    (
        "F011",
        True,
        spec("8@8x8", "{avgpool: 3, stride: 1, pad: 1}  # as in the paper"),
        spec(
            "8@8x8", "{avgpool: 3, stride: 1, pad: 1, count_include_pad: false}  # as in the paper"
        ),
    ),
    (
        "F013",
        True,
        spec("8@8x8", "{conv: 8, kernel: 3, pad: 2}", "relu"),
        spec("8@8x8", "{conv: 8, kernel: 3, pad: 1}", "relu"),
    ),
    (
        "F014",
        False,
        spec("8@8x8", "{conv: 8, kernel: 1, dilation: 2, bias: false}"),
        spec("8@8x8", "{conv: 8, kernel: 1, bias: false}"),
    ),
    (
        "U001",
        True,
        spec("8@8x8", "{convtranspose: 8, kernel: 3, stride: 2, pad: 1, output_padding: 1}"),
        spec("8@8x8", "{convtranspose: 8, kernel: 4, stride: 2, pad: 1, output_padding: 0}"),
    ),
    (
        "U004",
        True,
        spec(
            "8@8x8",
            "{conv: 8, kernel: 3, stride: 2, pad: 1}",
            "{convtranspose: 8, kernel: 3, stride: 2, pad: 1}",
        ),
        spec(
            "8@8x8",
            "{conv: 8, kernel: 3, stride: 2, pad: 1}",
            "{convtranspose: 8, kernel: 3, stride: 2, pad: 1, output_padding: 1}",
        ),
    ),
    (
        "U005",
        False,
        spec("8@8x8", "relu", "{upsample: 2}  # up", "{conv: 4, kernel: 1}", "relu"),
        spec("8@8x8", "relu", "{conv: 4, kernel: 1}", "{upsample: 2}  # up", "relu"),
    ),
    (
        "G101",
        True,
        spec(
            "8@8x8",
            "{relu: , name: x}",
            "{conv: 4, kernel: 1}",
            "tanh",
            "{sigmoid: , from: x}",
        ),
        spec("8@8x8", "{relu: , name: x}", "{sigmoid: , from: x}"),
    ),
    (
        "G102",
        True,
        "input: {image: 8@8x8, mask: 1@8x8}\nlayers: [relu]",
        "input: {image: 8@8x8}\nlayers: [relu]",
    ),
    (
        "G103",
        False,
        spec("8@8x8", "relu", "{dropout: 0}", "flatten", "flatten", "{linear: 2}"),
        spec("8@8x8", "relu", "flatten", "{linear: 2}"),
    ),
    (
        "G104",
        False,
        "input: 8@8x8\nblocks:\n  a: {layers: [relu]}\n  b: {layers: [tanh]}\nlayers: [a]",
        "input: 8@8x8\nblocks:\n  a: {layers: [relu]}\nlayers: [a]",
    ),
    (
        "G107",
        False,
        spec("8@8x8", "flatten", "{reshape: 2@16x16}", "{reshape: 8@64}", "relu"),
        spec("8@8x8", "{reshape: 8@64}", "relu"),
    ),
    (
        "G107",
        False,
        spec("8@8x4", "{permute: [1, 2, 0]}", "{permute: [2, 0, 1]}", "relu"),
        spec("8@8x4", "relu"),
    ),
]


@pytest.mark.parametrize(
    ("code", "unsafe", "text", "mended"), CASES, ids=lambda case: str(case)[:5]
)
def test_a_fix_applied(code, unsafe, text, mended):
    settings = Settings(select=(code,))
    done = fix(text, settings=settings, unsafe=unsafe)
    assert done.text == mended
    assert done.refused == ()
    assert found(code, mended) == []
    assert fix(mended, settings=settings, unsafe=True).text == mended
    if unsafe:
        assert fix(text, settings=settings).text == text


def test_the_only_layer_without_effect_stays():
    """A list of layers cannot be empty."""
    text = spec("8@8x8", "{dropout: 0}")
    assert fix(text, settings=Settings(select=("G103",))).text == text


def test_a_branch_without_effect_becomes_the_shortcut():
    text = spec("8@8x8", "add: [[{conv: 8, kernel: 1}], [{dropout: 0}]]")
    done = fix(text, settings=Settings(select=("G103",)))
    assert done.text == spec("8@8x8", "add: [[{conv: 8, kernel: 1}], []]")
