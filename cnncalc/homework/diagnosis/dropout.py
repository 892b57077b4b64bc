"""Mistakes with dropout: what is scaled, by which probability, and when."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.homework.diagnosis.running import array_of, taken, whole

if TYPE_CHECKING:
    from cnncalc.homework.key import Case

_ASKS = ("formula", "values")


@plain("This scales by the probability of dropping, not by that of keeping.", asks=_ASKS)
def dropout_scaled_by_drop_prob(case: "Case") -> Any:
    """At test time values are scaled by the probability of dropping instead of keeping."""
    x, r = case.numbers.get("x"), case.numbers.get("r")
    if not (naming.is_number(x) and naming.is_number(r)):
        return scaled(case, lambda p: p)
    return x * r if naming.same(x * (1 - r), case.right.value) else None


@plain("This scales at test time; inverted dropout did so in training.", asks=_ASKS)
def dropout_double_scaling(case: "Case") -> Any:
    """Inverted dropout is scaled at test time as well."""
    x, r = case.numbers.get("x"), case.numbers.get("r")
    if not (naming.is_number(x) and naming.is_number(r)):
        return scaled(case, lambda p: 1 - p)
    return x * (1 - r) if naming.same(x, case.right.value) else None


def scaled(case: "Case", factor: Callable[[Any], Any]) -> Any:
    """The values behind a dropout layer, multiplied by a factor that depends on its `p`."""
    if case.network is None or case.part.ask != "values":
        return None
    layer: Any = case.layer.node.layer
    array = array_of(whole(case)) if layer.kind == "dropout" else None
    return None if array is None else taken(case, array * factor(layer.p))
