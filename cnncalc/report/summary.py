"""What stands above and below a layer table."""

from cnncalc.analyses.analysis import Analysis
from cnncalc.analyses.assumptions import assumptions
from cnncalc.notation import Layout, approximate, count, format_bytes, format_shape
from cnncalc.spec.document import printable


def heading(analysis: Analysis, layout: Layout) -> str:
    """The network's name and input."""
    network = analysis.network
    inputs = ", ".join(
        (f"{name} " if len(network.inputs) > 1 else "") + format_shape(shape, layout)
        for name, shape in network.inputs.items()
    )
    return f"{printable(network.title or network.name)}, input {inputs}"


def summary(analysis: Analysis) -> list[tuple[str, str]]:
    """The totals, labelled; every figure says its unit and convention."""
    totals = analysis.totals
    lines = [
        (
            "parameters",
            f"{count(totals.parameters)} ({format_bytes(totals.parameter_bytes)} float32)",
        ),
    ]
    if totals.buffers != 0:
        lines.append(("buffers", f"{count(totals.buffers)} (running statistics, not trained)"))
    lines += [
        ("forward", f"{count(totals.macs)} MACs, {_flops(totals.flops)} FLOPs"),
        ("backward", f"{count(totals.backward_macs)} MACs{_without_input_gradient(analysis)}"),
        (
            "activations",
            f"{count(totals.activations)} ({format_bytes(totals.activation_bytes)} float32, "
            f"peak {format_bytes(totals.peak_bytes)})",
        ),
    ]
    field = analysis.receptive_field
    if field is not None and field.axes:
        size = "x".join(str(axis.size) for axis in field.axes)
        stride = "x".join(str(axis.stride) for axis in field.axes)
        lines.append(("field", f"{size}, stride {stride}"))
    lines += [("misaligned", text) for text in _misaligned(analysis)]
    if any(shape.symbolic for shape in analysis.network.inputs.values()):
        lines += [("assumes", text) for text in _assumed(analysis)]
    return lines


def _assumed(analysis: Analysis) -> list[str]:
    """The conditions under which the expressions hold."""
    conditions = [
        f"{condition} (the window of {printable(layer)})"
        for condition, layer in assumptions(analysis)
    ]
    more = [f"and {len(conditions) - 6} more of the kind"] if len(conditions) > 6 else []
    return conditions[:6] + more


def _misaligned(analysis: Analysis) -> list[str]:
    """Where paths with different centres or strides meet first, with both."""
    found = []
    for one in analysis.layers:
        field = one.receptive_field
        if field is not None and field.paths:
            paths = " and ".join(
                f"{path[0].center} (stride {path[0].stride})" for path in field.paths[:4] if path
            )
            found.append(f"paths meet in {printable(one.name)} with centres {paths}")
    more = [f"and in {len(found) - 2} more layers"] if len(found) > 2 else []
    return found[:2] + more


def _flops(value: object) -> str:
    return approximate(value) if isinstance(value, int) else str(value)


def _without_input_gradient(analysis: Analysis) -> str:
    """Says that the first layers stop the backward pass: nothing before them is trained."""
    first = [one.name for one in analysis.layers if one.macs != 0 and one.backward_macs == one.macs]
    if not first:
        return ""
    named = printable(first[0]) if len(first) == 1 else f"{len(first)} first layers"
    return f" (no input gradient for {named})"
