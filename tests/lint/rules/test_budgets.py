"""Budgets: figures by hand, at the limit and one over it."""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import PROFILES, Settings
from tests.lint.rules.finding import RULES, spec
from tests.spec.marking import unmarked

# Parameters 4*3*9 + 4 = 112 and 256*10 + 10 = 2,570; MACs 8*8*4*27 = 6,912 and 2,560;
# activations 192 + 256 + 10 = 458, of 4 bytes.
NETWORK = spec(
    "3@8x8", "{conv: 4, kernel: 3, pad: 1}", "relu", "flatten", "{linear: 10}"
)  # fmt: skip


def judged(text=NETWORK, **settings):
    return lint(cnncalc.loads(text), Settings(select=("B",), **settings))


@pytest.mark.parametrize(
    ("option", "limit", "code", "message", "help"),
    [
        (
            "max_parameters",
            2682,
            "B001",
            "linear1: the network has 2,682 parameters, 1 over the budget of 2,681",
            "most of them are here: linear1 2.57 K, conv1 112",
        ),
        (
            "max_macs",
            9472,
            "B002",
            "conv1: the network has 9,472 MACs, 1 over the budget of 9,471",
            "most of them are here: conv1 6.91 K, linear1 2.56 K",
        ),
        (
            "max_activation_bytes",
            1832,
            "B003",
            "conv1: the network has 1,832 bytes of activations, 1 over the budget of 1,831",
            "most of them are here: conv1 1.02 K, linear1 40",
        ),
    ],
)
def test_at_the_limit_and_one_over(option, limit, code, message, help):
    assert judged(**{option: limit}) == []
    (one,) = judged(**{option: limit - 1})
    assert (one.code, one.severity, one.message, one.help) == (code, "error", message, help)
    assert one.place.line == (6 if code == "B001" else 3)


def test_memory_of_a_device():
    """Parameters 2,682; the peak 192 + 256 while the convolution runs, the ReLU in place."""
    needed = 4 * (2682 + 448)
    assert judged(memory=needed) == []
    (one,) = judged(memory=needed - 1)
    assert (one.code, one.layer) == ("B004", "conv1")
    assert one.message == (
        "conv1: a forward pass of 1 in float32 needs 12,520 bytes, 1,792 of them activations at "
        "their peak; the device has 12,519"
    )
    assert one.help == (
        "not even a batch of 1 fits: smaller maps early on, or float16, bfloat16, int8"
    )
    assert judged(memory=needed - 1, dtype="float16") == []


def test_a_batch_that_fits_is_named():
    # 4*2682 + 3*1792 = 16,104 bytes for three.
    (one,) = judged(memory=16_104, batch=4)
    assert one.help == "a batch of 3 fits"
    assert judged(memory=16_104, batch=3) == []


def test_without_budgets_nothing_is_judged():
    assert judged() == []


def test_a_symbolic_network_is_not_judged():
    text = unmarked(NETWORK)[0].replace("8x8", "HxW").replace("  - flatten\n  - {linear: 10}", "")
    assert judged(text, max_macs=1, max_activation_bytes=1, memory=1) == []
    # Its parameters are known: 112.
    assert [one.code for one in judged(text, max_parameters=111)] == ["B001"]


def test_budgets_count_in_every_profile():
    for code in ("B001", "B002", "B003", "B004"):
        assert RULES[code].profiles == PROFILES


@pytest.mark.parametrize("dtype", ["float8", ""])
def test_an_unknown_type_is_reported_elsewhere(dtype):
    assert judged(memory=1, dtype=dtype) == []
