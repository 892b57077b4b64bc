"""Region layers: their boxes are `step.extra`, rows of (map, x1, y1, x2, y2)."""

from typing import Any

from cnncalc.errors import RunError
from cnncalc.execution.operations.base import Call, Operation, Step, called
from cnncalc.layers.base import per_axis


def _regions(function: str, layer: Any, step: Step, *options: Any) -> Call:
    if step.rank != 2:
        raise RunError(
            f"{step.name}: there are no kernels for {layer.kind} over {step.rank} spatial axes",
            "2 axes can be run",
        )
    return Call(function, (step.extra, per_axis(layer.size, 2, "size"), layer.scale, *options))


OPERATIONS: dict[str, type[Operation]] = {
    "roipool": called(lambda layer, step: _regions("roi_pool", layer, step)),
    "roialign": called(lambda layer, step: _regions("roi_align", layer, step, layer.samples)),
    "psroipool": called(lambda layer, step: _regions("ps_roi_pool", layer, step)),
}
