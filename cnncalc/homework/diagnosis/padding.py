"""Mistakes in finding the padding that keeps the size."""

from typing import TYPE_CHECKING

from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@plain("This is the padding on both sides together.", asks=("pad", "formula"))
def same_padding_k_minus_1(case: "Case") -> Extent | None:
    """The padding of both sides together is given for that of each: k - 1."""
    kernel = padded_kernel(case)
    return kernel - 1 if kernel is not None else None


@plain("This is the kernel size.", asks=("pad", "formula"))
def same_padding_k(case: "Case") -> Extent | None:
    """The padding is taken to be the kernel size."""
    return padded_kernel(case)


def padded_kernel(case: "Case") -> Extent | None:
    """The kernel, as far as its dilation makes it reach, that a padding is asked for."""
    if case.part.ask == "formula":
        k = naming.usual(case.numbers).get("k")
        return k if k is not None and naming.same((k - 1) // 2, case.right.value) else None
    source = case.question.givens.network
    if source is None or case.network is None:
        return None
    sought = [unknown.entry for unknown in source.unknowns if unknown.option == "pad"]
    for node in case.network.layers:
        if any(node.origin is entry for entry in sought):
            kernel = getattr(node.layer, "kernel", None)
            dilation = getattr(node.layer, "dilation", 1)
            if isinstance(kernel, int) and isinstance(dilation, int):
                return dilation * (kernel - 1) + 1
    return None
