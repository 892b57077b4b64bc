"""What a network holds in memory, in a setting the user chose."""

from typing import Any

from cnncalc.analyses.analysis import Analysis
from cnncalc.analyses.memory import Setting, in_bytes, largest_batch
from cnncalc.notation import count, extent_json, format_bytes


def memory_lines(
    analysis: Analysis, setting: Setting, available: int | None
) -> list[tuple[str, str]]:
    """The lines that stand below a report, labelled."""
    held = in_bytes(analysis.memory, analysis.totals.parameters, setting)
    optimizer = f"{setting.optimizer} state {format_bytes(held.optimizer)}"
    lines = [
        ("memory", f"batch {setting.batch}, {setting.dtype}"),
        ("  weights", format_bytes(held.parameters)),
        (
            "  forward",
            f"activations {format_bytes(held.activations)}, peak {format_bytes(held.peak)}",
        ),
    ]
    if setting.dtype != "int8":
        lines += [
            (
                "  training",
                f"{format_bytes(held.training)}: kept for the backward pass "
                f"{format_bytes(held.saved)},",
            ),
            ("", f"gradients {format_bytes(held.gradients)}, {optimizer}"),
        ]
    if available is not None and isinstance(held.peak, int):
        most = largest_batch(analysis.memory, analysis.totals.parameters, available, setting)
        training = "" if setting.dtype == "int8" else f", {count(most.training)} in training"
        lines.append(
            (f"  in {format_bytes(available)}", f"batch {count(most.forward)} forward{training}")
        )
    return lines


def memory_json(analysis: Analysis, setting: Setting, available: int | None) -> dict[str, Any]:
    """The same for scripts, in bytes."""
    held = in_bytes(analysis.memory, analysis.totals.parameters, setting)
    document: dict[str, Any] = {
        "batch": setting.batch,
        "dtype": setting.dtype,
        "optimizer": setting.optimizer,
        "out_of_place_activations": extent_json(analysis.memory.out_of_place),
        "parameter_bytes": extent_json(held.parameters),
        "activation_bytes": extent_json(held.activations),
        "peak_bytes": extent_json(held.peak),
        "saved_bytes": extent_json(held.saved),
        "gradient_bytes": extent_json(held.gradients),
        "optimizer_bytes": extent_json(held.optimizer),
        "training_bytes": extent_json(held.training),
    }
    if available is not None and isinstance(held.peak, int):
        most = largest_batch(analysis.memory, analysis.totals.parameters, available, setting)
        document["available_bytes"] = available
        document["largest_batch"] = {"forward": most.forward, "training": most.training}
    return document
