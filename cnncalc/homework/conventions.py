"""What else an answer would be right under: one convention changed at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case
from cnncalc.homework.model import Conventions

#: The values of each convention, and what people say for it.
WORDS: dict[str, dict[Any, str]] = {
    "layout": {"CHW": "channels first", "HWC": "channels last"},
    "fit": {
        "strict": "a window that does not fit is an error",
        "floor": "windows that do not fit are left out (floor)",
        "ceil": "a last window may reach over the edge (ceil)",
    },
    "bias": {True: "layers have biases", False: "layers have no biases"},
    "batchnorm": {
        2: "batch normalisation has 2 numbers for each map",
        4: "batch normalisation has 4 numbers for each map, running statistics included",
    },
    "lstm_biases": {1: "gates have one bias vector", 2: "gates have two bias vectors"},
    "operations": {
        "macs": "an operation is a multiply-add",
        "flops": "multiplications and additions are counted apart",
    },
    "unit": {
        "B": "memory is in bytes",
        "kB": "1 kB is 1000 bytes",
        "KiB": "1 KB is 1024 bytes",
        "MB": "1 MB is 10^6 bytes",
        "MiB": "1 MB is 2^20 bytes",
        "GB": "1 GB is 10^9 bytes",
        "GiB": "1 GB is 2^30 bytes",
    },
    "bytes": {
        1: "a value takes 1 byte",
        2: "a value takes 2 bytes",
        4: "a value takes 4 bytes",
        8: "a value takes 8 bytes",
    },
    "kernel": {
        "cross_correlation": "the kernel is not flipped",
        "convolution": "the kernel is flipped",
    },
    "tie": {
        "first": "the first of equal maxima gets the gradient",
        "all": "each of equal maxima gets the gradient",
        "split": "equal maxima share the gradient",
    },
    "index": {0: "the first element is number 0", 1: "the first element is number 1"},
}


class Alternative(NamedTuple):
    """One convention with another value."""

    field: str
    value: Any
    conventions: Conventions

    @property
    def words(self) -> str:
        """What would have to hold for the answer to be right."""
        return said(self.field, self.value)


def said(field: str, value: Any) -> str:
    """A convention in words."""
    return WORDS[field].get(value, f"{field} is {value}")


def alternatives(case: Case) -> Iterator[Alternative]:
    """The conventions that could make a difference to what is asked."""
    for field in _fields(case):
        present = getattr(case.conventions, field)
        for value in WORDS[field]:
            if value != present:
                yield Alternative(field, value, case.conventions.but(**{field: value}))


def _fields(case: Case) -> Iterator[str]:
    ask = case.part.ask
    family = ASKS[ask].family
    if ask == "output" or family == "array":
        yield "layout"
    if family == "array":
        yield "kernel"
        if ask == "gradient":
            yield "tie"
        if "at" in case.part.options:
            yield "index"
        return
    if family != "figure" or case.network is None:
        return
    if ask not in ("fits", "raw") and case.misfits():
        yield "fit"
    # Where the sheet says nothing of biases, to leave them out is a mistake like any other.
    if "bias" in case.part.declared:
        yield "bias"
    kinds = {node.kind for node in case.network.nodes}
    if "batchnorm" in kinds:
        yield "batchnorm"
    if kinds & {"lstm", "gru", "rnn"}:
        yield "lstm_biases"
    if ask == "operations":
        yield "operations"
    if ask == "memory":
        yield from ("unit", "bytes")
