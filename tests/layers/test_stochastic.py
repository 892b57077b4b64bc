"""Dropout and stochastic depth are the identity in evaluation: no weights, no cost."""

import pytest

from .applying import Answers, answers, make


@pytest.mark.parametrize("kind", ["dropout", "droppath"])
@pytest.mark.parametrize("given", ["3@7x10", "4096", "2@4x7x10", "4*5@9", "C@HxW"])
@pytest.mark.parametrize("options", [{}, {"p": 0.0}, {"p": 0.25}])
def test_identity(kind, given, options):
    assert answers(make(kind, **options), given) == Answers(given)


def test_defaults():
    # Krizhevsky et al. 2012, section 4.2, drop one half.
    assert make("dropout").p == 0.5


@pytest.mark.parametrize("kind", ["dropout", "droppath"])
def test_in_place(kind):
    assert make(kind).in_place
