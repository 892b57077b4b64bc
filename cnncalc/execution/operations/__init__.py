"""Which functions compute which kind of layer: a file to a family, as in `cnncalc.layers`."""

from functools import cache
from importlib import import_module

from cnncalc.execution.operations.base import Operation
from cnncalc.layers import KINDS

#: Families whose operations are in another's file.
_HOMES = {"attention": "sequence", "recurrent": "sequence"}

#: Kinds that have no kernel of their own, and why they need none.
WITHOUT_KERNEL = {
    "flatten": "the same values in another shape",
    "reshape": "the same values in another shape",
    "permute": "values moved, none computed",
    "concat": "values moved, none computed",
    "slice": "values moved, none computed",
    "split": "values moved, none computed",
}


@cache
def operation(kind: str) -> type[Operation]:
    """The operation of a layer kind.

    Raises:
        KeyError: if there is none.
    """
    family = KINDS[kind][0]
    module = import_module(f"cnncalc.execution.operations.{_HOMES.get(family, family)}")
    found: type[Operation] = module.OPERATIONS[kind]
    return found
