"""Checks what `expect` claims; a false claim shows both numbers."""

from collections.abc import Iterator
from typing import Any

from cnncalc.analyses.analysis import Analysis, LayerAnalysis, total
from cnncalc.diagnostic import Diagnostic
from cnncalc.graph import Claim
from cnncalc.notation import Shape, count, format_shape
from cnncalc.window import Extent


def check_claims(analysis: Analysis) -> Iterator[Diagnostic]:
    """One error for each claim that does not hold."""
    layers = {one.node.name: one for one in analysis.layers}
    for claim in analysis.network.claims:
        nodes = analysis.network.nodes[claim.first : claim.last + 1]
        concerned = [layers[node.name] for node in nodes if node.name in layers]
        if len(concerned) < len(nodes):
            continue  # a layer in it has no figures: that error is reported by itself
        for name, wanted, place in claim.values:
            found = _figure(name, analysis, concerned, claim)
            if not _agree(name, wanted, found):
                subject = f"{claim.subject}: " if claim.subject else ""
                yield Diagnostic(
                    "C001",
                    "false-claim",
                    "error",
                    f"{subject}{name.replace('_', ' ')}: expected {_text(wanted, found)}, "
                    f"computed {_text(found, wanted)}{_difference(wanted, found)}",
                    f"if the spec is right, write {_exact(found, wanted)}"
                    if found != ()
                    else "leave it out: the input has no spatial axes",
                    analysis.network.path,
                    place,
                    concerned[-1].name if concerned else "",
                )


def _figure(name: str, analysis: Analysis, layers: list[LayerAnalysis], claim: Claim) -> Any:
    whole = claim.subject == ""
    if name == "output":
        if whole and len(analysis.network.outputs) == 1:
            return _output(analysis, analysis.network.outputs[0])
        return layers[-1].output
    if name == "receptive_field":
        field = analysis.receptive_field if whole else layers[-1].receptive_field
        return tuple(axis.size for axis in field.axes) if field is not None else ()
    if whole and name in ("activations", "trainable_parameters"):
        return getattr(analysis.totals, name)
    if name == "activations":
        return total(_activations(one) for one in layers)
    attribute = "parameters" if name == "trainable_parameters" else name
    return total(getattr(one, attribute) for one in layers)


def _output(analysis: Analysis, index: int) -> Shape:
    position = index - len(analysis.network.inputs)
    if position < 0:
        return list(analysis.network.inputs.values())[index]
    return analysis.layers[position].output


def _activations(layer: LayerAnalysis) -> Extent:
    in_place = layer.node.layer is not None and layer.node.layer.in_place
    return 0 if in_place else layer.output.elements


def _agree(name: str, wanted: Any, found: Any) -> bool:
    if name == "receptive_field" and not isinstance(wanted, tuple):
        return bool(found) and all(size == wanted for size in found)
    if isinstance(wanted, int | tuple):
        return bool(wanted == found)
    return bool((wanted - found).equals(0))


def _text(value: Any, other: Any) -> str:
    """A figure beside the one it is compared with."""
    if isinstance(value, Shape):
        return format_shape(value)
    if value == ():
        return "none"
    if isinstance(value, tuple):
        as_long = not isinstance(other, tuple) or len(other) in (0, len(value))
        if len(set(value)) == 1 and as_long:
            return str(value[0])
        return "x".join(map(str, value))
    return count(value)


def _exact(value: Any, other: Any) -> str:
    """A figure as a spec writes it, beside what it writes now."""
    if isinstance(value, tuple) and not isinstance(value, Shape):
        one = _text(value, other)
        return one if "x" not in one else f"[{', '.join(map(str, value))}]"
    return format_shape(value) if isinstance(value, Shape) else str(value)


def _difference(wanted: Any, found: Any) -> str:
    if isinstance(wanted, int) and isinstance(found, int):
        return f" ({found - wanted:+,})"
    return ""
