"""A sheet without givens: reading answers needs the names of the parts alone."""

import pytest

from cnncalc.homework.model import Givens, Part, Question, Sheet


def question(name, *parts, ask="output", **options):
    names = parts or (ask,)
    return Question(
        name, Givens(), tuple(Part(one, one if parts else ask, options=options) for one in names)
    )


@pytest.fixture
def sheet():
    return Sheet(
        (
            question("ten-filters", "output", "parameters"),
            question("vgg", ask="parameters"),
            question("by-hand", "forward", "dW", "dX"),
            question("table", ask="table", columns=["output", "parameters"]),
        )
    )
