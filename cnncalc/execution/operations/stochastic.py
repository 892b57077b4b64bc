"""Dropout and stochastic depth: the identity in evaluation."""

from typing import Any

from cnncalc.execution.operations.base import Call, Operation, Step, called


def _random(function: str, layer: Any, step: Step) -> Call:
    stream = {"seed": step.seed, "stream": step.stream}
    return Call(function, (layer.p, step.training), stream)


OPERATIONS: dict[str, type[Operation]] = {
    "dropout": called(lambda layer, step: _random("dropout", layer, step)),
    "droppath": called(lambda layer, step: _random("drop_path", layer, step)),
}
