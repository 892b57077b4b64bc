"""Each kind has a kernel, or a reason for none."""

import inspect

import pytest

from cnncalc.execution.operations import WITHOUT_KERNEL, operation
from cnncalc.execution.operations.base import Called, Operation
from cnncalc.layers import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_an_operation(kind):
    assert issubclass(operation(kind), Operation)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_calls_a_function_or_says_why_not(kind):
    made = operation(kind)
    calls = issubclass(made, Called)
    if not calls:
        bases = [one for one in made.__mro__ if one not in (Operation, object)]
        source = "".join(map(inspect.getsource, bases))
        calls = "functional" in source or "inner_call" in source
    assert calls != (kind in WITHOUT_KERNEL)


def test_reasons_are_for_kinds_that_only_move_values():
    assert set(WITHOUT_KERNEL) <= set(KINDS)
    assert all(reason.startswith(("values moved", "the same values")) for reason in
               WITHOUT_KERNEL.values())  # fmt: skip


def test_no_operation_for_what_is_no_kind():
    with pytest.raises(KeyError):
        operation("convolution")
