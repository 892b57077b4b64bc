"""Memory is estimated before it is taken, and close to what is."""

import re
import tracemalloc

import numpy as np
import pytest

import cnncalc
from cnncalc.errors import RunError
from cnncalc.execution import memory
from cnncalc.execution.run import Run
from tests.execution.networks import chain
from tests.functional.comparing import refusal

CHAIN = chain(
    "8@64x64", *["{conv: 8, kernel: 3, pad: 1}", "relu"] * 6, "globalavgpool", "flatten",
    "{linear: 10}",
)  # fmt: skip


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("keep_all", [False, True], ids=["freed", "kept"])
@pytest.mark.parametrize("text", [CHAIN, "resnet18"], ids=["chain", "resnet18"])
def test_the_estimate_is_near_what_is_taken(text, backward, keep_all):
    network = cnncalc.load(text) if "\n" not in text else cnncalc.loads(text)
    run = Run(network, batch=4)
    estimated = memory.estimate(run.plan, run.wanted, backward=backward, keep_all=keep_all)
    keep = run.named(keep_all)
    run.pass_through(backward=backward, keep=keep)  # compiles
    tracemalloc.start()
    run._tensors = run._inputs = None
    run.pass_through(backward=backward, keep=keep)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.75 * peak < estimated.total < 1.6 * peak, f"{estimated.total / peak:.2f}"


def test_values_are_freed_when_last_used():
    """A chain of any length holds two maps and what a layer works in."""
    short, long = (
        memory.estimate(run.plan, run.wanted, backward=False, keep_all=False).values
        for run in (Run(cnncalc.loads(chain("8@64x64", *["relu"] * n))) for n in (3, 30))
    )
    assert short == long == 4 * 8 * 64 * 64 * 3


def test_refuses_what_does_not_fit():
    network = cnncalc.loads(CHAIN)
    with pytest.raises(RunError) as refused:
        cnncalc.run(network, batch=2, memory_limit=1_000_000)
    assert re.fullmatch(
        r"the run needs \d\.\d+ MB of memory \(14\.4 kB for weights, \d\.\d+ MB for "
        r"activations\), 1\.00 MB are allowed; a smaller batch, float32, or no backward pass "
        r"takes less",
        str(refused.value),
    )


def test_refuses_a_batch_that_no_machine_holds():
    with pytest.raises(RunError, match=r"the run needs .* PB of memory"):
        cnncalc.run(cnncalc.load("vgg16"), batch=2**30)


def test_an_unknown_amount_refuses_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: None)
    memory.refuse_what_does_not_fit(memory.Estimate(2**60, 0, 0), None)


def test_there_is_some_memory():
    assert 2**20 < memory.available() < 2**60


def test_more_memory_than_an_array_may_have_is_refused():
    network = cnncalc.loads(chain("1", "{linear: 3000000000, bias: false}", "{linear: 3000000000}"))
    with refusal(
        RunError,
        "the run needs 3.6e19 B of memory (3.6e19 B for weights, 36.0 GB for activations), "
        "1.00 MB are allowed; a smaller batch, float32, or no backward pass takes less",
    ):
        cnncalc.run(network, np.ones((1, 1), np.float32), memory_limit=1_000_000)
