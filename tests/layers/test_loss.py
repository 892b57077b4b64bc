"""Losses give one number; their costs are worked out by hand from the formula."""

import pytest

from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal

#: Steps per element, counted from the formula.
STEPS = {
    "cross_entropy": 3,  # exp, sum, difference of the logarithm
    "hinge": 3,  # difference and margin, max, sum
    "l2": 3,  # difference, square, sum
    "smooth_l1": 5,  # difference, absolute value, comparison, its branch, sum
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize(
    ("given", "elements"),
    [("10", 10), ("21@7x10", 1470), ("4*5@9", 180)],
)
def test_losses(kind, given, elements):
    assert answers(make(kind), given) == Answers("1", flops=STEPS[kind] * elements)


@pytest.mark.parametrize("kind", STEPS)
def test_symbolic(kind):
    found = answers(make(kind), "C@HxW")
    assert found.flops == STEPS[kind] * symbol("C") * symbol("H") * symbol("W")


def test_options_that_change_no_figure():
    for kind, options in (
        ("cross_entropy", {"smoothing": 0.1}),
        ("hinge", {"margin": 0.5}),
        ("smooth_l1", {"beta": 0.111}),
    ):
        assert answers(make(kind, **options), "10") == answers(make(kind), "10")


def test_published_hinge():
    # CS231n's linear classifier: three classes, one number.
    assert answers(make("hinge"), "3") == Answers("1", flops=9)


@pytest.mark.parametrize("kind", ["l2", "smooth_l1"])
class TestDistances:
    def test_target(self, kind):
        found = answers(make(kind, target="image"), "3@7x10", "3@7x10")
        assert found == Answers("1", flops=STEPS[kind] * 210)

    @pytest.mark.parametrize("target", ["3@10x7", "210", "2*3@7x10"])
    def test_refuses_a_target_of_another_shape(self, kind, target):
        assert refusal(make(kind, target="image"), "3@7x10", target) == Refusal(
            f"the target {target} has another shape than the input 3@7x10",
            "H012",
            "branches-do-not-match",
            "target",
        )
