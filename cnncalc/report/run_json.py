"""Runs for scripts: ``cnncalc.run/1``."""

import math
from collections.abc import Sequence
from typing import Any

from cnncalc.analyses.analysis import shape_json
from cnncalc.execution.comparison import Compared
from cnncalc.execution.gradient_check import Checked
from cnncalc.execution.measuring import Measured
from cnncalc.execution.plan import Plan
from cnncalc.execution.probe import Probe
from cnncalc.execution.statistics import Statistics


def head(plan: Plan, threads: int) -> dict[str, Any]:
    """What every document begins with."""
    network, setting = plan.analysis.network, plan.setting
    return {
        "schema": "cnncalc.run/1",
        "name": network.name,
        "input": {name: shape_json(shape) for name, shape in network.inputs.items()},
        "batch": setting.batch,
        "dtype": setting.dtype,
        "device": setting.device,
        "training": setting.training,
        "seed": setting.seed,
        "threads": threads,
    }


def layers_json(layers: Sequence[Measured], *, times: bool) -> list[dict[str, Any]]:
    """What each layer gave; seconds are null where they were not asked for."""
    return [
        {
            "name": one.place.name,
            "kind": one.place.kind,
            "shape": list(one.place.shape),
            **one.output.to_dict(),
            "flops": one.flops,
            "seconds": one.seconds if times else None,
            "gradient": None if one.gradient is None else one.gradient.to_dict(),
            "backward_flops": one.backward_flops,
            "backward_seconds": one.backward_seconds if times else None,
        }
        for one in layers
    ]


def gradients_json(gradients: dict[str, Statistics]) -> list[dict[str, Any]]:
    """The gradients of parameters and inputs."""
    return [
        {"name": name, **one.to_dict(), "norm": finite(one.norm)} for name, one in gradients.items()
    ]


def checks_json(checks: Sequence[Checked]) -> list[dict[str, Any]]:
    """Gradients against central differences."""
    return [
        {
            "name": one.name,
            "shape": list(one.shape),
            "elements": one.elements,
            "kinks": one.kinks,
            "error": finite(one.error),
            "passed": one.passed,
        }
        for one in checks
    ]


def comparison_json(found: Sequence[Compared]) -> list[dict[str, Any]]:
    """Our arrays against someone else's."""
    return [
        {
            "name": one.name,
            "shape": list(one.shape),
            "other_shape": list(one.other_shape),
            "difference": finite(one.difference),
            "same": one.same,
            "at": None if one.at is None else list(one.at),
            "ours": finite(one.ours),
            "theirs": finite(one.theirs),
            "hint": one.hint or None,
        }
        for one in found
    ]


def probe_json(probe: Probe) -> dict[str, Any]:
    """Signals and gradients, layer by layer."""
    return {
        "loss": finite(probe.loss),
        "expected_loss": None if probe.expected is None else probe.expected[0],
        "verdicts": [{"problem": bad, "text": text} for bad, text in probe.verdicts],
        "layers": [
            {
                "name": one.name,
                "kind": one.kind,
                "trained": one.trained,
                "activation": one.activation.to_dict(),
                "gradient": None
                if one.gradient is None
                else {**one.gradient.to_dict(), "norm": finite(one.gradient.norm)},
                "dead_units": None if one.dead is None else one.dead[0],
            }
            for one in probe.layers
        ],
    }


def finite(value: float) -> float | None:
    """A number that JSON has; null for the others."""
    return value if math.isfinite(value) else None
