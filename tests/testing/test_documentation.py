"""docs/testing.md names everything there is."""

import re
from inspect import signature
from pathlib import Path

import pytest

import cnncalc.testing
from cnncalc.testing import check_backward, check_forward
from cnncalc.testing.cs231n import LAYERS
from cnncalc.testing.operations import NAMES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
SOURCE = ROOT / "cnncalc" / "testing"


def identifiers() -> set[str]:
    """The ids of mistakes in the source."""
    found: set[str] = set()
    for path in [*(SOURCE / "operations").glob("*.py"), SOURCE / "mistakes.py"]:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'(?:Wrong|Change|\bof)\(\s*"([a-z_]+)"', text))
        found |= set(re.findall(r'"(pool_grad_tie_[a-z]+)"', text))
        found |= set(re.findall(r'id = "([a-z_]+)"', text))
    found |= {"running_not_updated", "running_replaced", "momentum_reversed", "stride_ignored"}
    return found | {"dilation_ignored", "batch_averaged", "mean_instead_of_sum"}


def test_every_mistake_is_documented_and_exists():
    section = PAGE.partition("## Mistakes")[2]
    assert set(re.findall(r"`([a-z_]+)`", section)) - {"id"} == identifiers()


@pytest.mark.parametrize("name", [*cnncalc.testing.__all__, *NAMES, *LAYERS])
def test_every_name_is_documented(name):
    assert f"`{name}" in PAGE


@pytest.mark.parametrize("check", [check_forward, check_backward])
def test_every_argument_is_documented(check):
    for name, parameter in signature(check).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert f"`{name}" in PAGE, name


def test_options_of_pytest_are_documented():
    text = (SOURCE / "plugin.py").read_text(encoding="utf-8")
    options = set(re.findall(r'"(--cnncalc-[a-z-]+)"', text))
    assert options == set(re.findall(r"`(--cnncalc-[a-z-]+)", PAGE))


def test_mistakes_that_homework_knows_too_go_by_its_ids():
    truth = ROOT / "docs" / "mistakes.md"
    shared = {"flipped_kernel", "transposed_kernel", "forgot_bias_value", "channels_not_summed",
              "avg_instead_of_max", "avg_pool_count_pad", "pool_grad_to_all", "pool_grad_tie_all",
              "avgpool_grad_not_divided", "dw_mean_over_positions", "dw_flipped",
              "dx_unflipped_kernel", "dx_ignored_stride", "db_is_one",
              "activation_grad_skipped", "transposed_used_conv_formula"}  # fmt: skip
    text = truth.read_text(encoding="utf-8")
    assert [one for one in shared if one not in text] == []
    assert shared <= identifiers()
