"""Answers to inverse questions, for scripts (docs/solve.md)."""

from typing import Any

from cnncalc.analyses.solving.layer import Answer, Solution
from cnncalc.analyses.solving.network import NEEDS, NetworkAnswer
from cnncalc.analyses.solving.problem import Problem
from cnncalc.analyses.solving.stack import Depth, StackAnswer

SCHEMA = "cnncalc.solve/1"


def layer_json(answer: Answer, shown: int) -> dict[str, Any]:
    """One layer: the question, and its solutions in order."""
    problem, target = answer.problem, answer.problem.target
    return {
        "schema": SCHEMA,
        "question": "layer",
        "kind": problem.kind,
        "input": [problem.channels, *problem.spatial],
        "given": dict(problem.options),
        "wanted": {
            "output": list(target.output) if isinstance(target.output, tuple) else target.output,
            "channels": target.channels,
            "fits": target.fits,
            "parameters": target.parameters,
            "at_most": target.at_most,
            "receptive_field": target.receptive_field,
        },
        "unknown": {name: _range_json(problem, name) for name in problem.unknowns},
        "count": len(answer.solutions),
        "solutions": [_solution_json(one) for one in answer.solutions[:shown]],
        "reasons": list(answer.reasons),
        "note": answer.note,
        "nearest": _solution_json(answer.nearest) if answer.nearest else None,
        "instead": [
            {"option": way.option, "value": way.value, **_solution_json(way.solution)}
            for way in answer.instead
        ],
    }


def stack_json(answer: StackAnswer, shown: int) -> dict[str, Any]:
    """A stack of layers."""
    stack = answer.stack
    return {
        "schema": SCHEMA,
        "question": "stack",
        "given": {**stack.given, "dilation_growth": stack.growth},
        "wanted": {"receptive_field": stack.field, "exact": stack.exact},
        "unknown": {name: list(stack.ranges[name]) for name in stack.unknowns},
        "count": len(answer.solutions),
        "solutions": [_depth_json(one) for one in answer.solutions[:shown]],
        "nearest": _depth_json(answer.nearest) if answer.nearest else None,
    }


def network_json(answer: NetworkAnswer) -> dict[str, Any]:
    """A network's input sizes."""
    own = answer.own
    return {
        "schema": SCHEMA,
        "question": "network",
        "name": answer.network.name,
        "inputs": list(answer.inputs),
        "axes": list(answer.axes),
        "tried": list(answer.tried),
        "sizes": {need: list(answer.sizes[need]) for need in NEEDS},
        "patterns": {
            need: {
                "first": list(one.first),
                "period": one.period,
                "checked": list(one.checked),
            }
            for need, one in answer.patterns.items()
        },
        "nearest": {need: list(sizes) for need, sizes in answer.neighbours.items()},
        "own": None
        if own is None
        else {
            "size": own.size,
            "fits": (*NEEDS, "fails")[own.level],
            "error": own.error,
            "misfits": [one._asdict() for one in own.misfits],
        },
        "resized": list(answer.resized),
    }


def _range_json(problem: Problem, name: str) -> list[int] | None:
    """None where the range follows the other unknowns."""
    varies = {"kernel", "dilation", "stride"} & {*problem.ranges}
    return None if problem.ranges[name] is None and varies else list(problem.tried(name, {}))


def _solution_json(one: Solution) -> dict[str, Any]:
    return {
        "values": one.values,
        "output": list(one.output),
        "exact": one.exact,
        "unread": [lying.unread for lying in one.lying],
        "unread_pixels": [lying.unread_pixels for lying in one.lying],
        "overhang": [lying.overhang for lying in one.lying],
        "parameters": one.parameters,
    }


def _depth_json(one: Depth) -> dict[str, Any]:
    return {"values": one.values, "receptive_field": one.field}
