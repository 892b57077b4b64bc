"""Mistakes in counting multiply-accumulates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnncalc.homework.diagnosis.counting import MACS, Counted, counted
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@counted(MACS, "This is off by the factor two between MACs and FLOPs.", doubled=False)
def flops_as_macs(layer: Counted) -> Extent | None:
    """Two operations are counted for each multiply-accumulate, not one, or the reverse."""
    macs = layer.weights * layer.positions
    if not layer.multiplies:
        return None
    return 2 * macs if layer.right == macs else macs


@counted(MACS, "This counts the {biases} bias additions at every position as well.")
def macs_plus_bias(layer: Counted) -> Extent | None:
    """Bias additions are counted as multiply-accumulates."""
    if not layer.multiplies or not layer.biases:
        return None
    return (layer.weights + layer.biases) * layer.positions


@counted(MACS, "This is the count at the {pixels} positions of the input.")
def macs_used_input_size(layer: Counted) -> Extent | None:
    """The input positions are counted instead of the output positions."""
    if not layer.convolves or layer.pixels == layer.positions:
        return None
    return layer.weights * layer.pixels


@counted(MACS, "This is the count for flat filters: the depth of {channels} is left out.")
def macs_forgot_input_depth(layer: Counted) -> Extent | None:
    """The depth of the input is left out."""
    if not layer.convolves or layer.groups != 1:
        return None
    return layer.taps * layer.filters * layer.positions


@counted(MACS, "This is the count of one filter; the layer has {filters}.")
def macs_forgot_filters(layer: Counted) -> Extent | None:
    """One output channel is counted instead of all."""
    return layer.fan_in * layer.positions if layer.convolves else None


@counted(
    MACS,
    "This adds the {fan_in} multiplications of an output and one addition less.",
    doubled=False,
)
def macs_mults_minus_adds(layer: Counted) -> Extent | None:
    """Multiplications and additions are both counted, one addition less than products."""
    if not layer.multiplies:
        return None
    return (2 * layer.fan_in - 1) * layer.filters * layer.positions


@plain("A digit is missing: look at how the digits are grouped.", steps=1)
def digit_grouping_slip(case: "Case") -> Iterator[int]:
    """A digit is lost, as in 1,28,800 read as 128,800."""
    right = case.right.value
    if isinstance(right, int) and right >= _MANY_DIGITS:
        digits = str(right)
        for place in range(len(digits)):
            yield int(digits[:place] + digits[place + 1 :])


#: Of shorter numbers, what is left without a digit is often another mistake's.
_MANY_DIGITS = 100_000
