"""From the givens of a question to an analysed network, and back to the file's notation.

The file writes shapes H,W,C; the calculator C@HxW.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import cnncalc
from cnncalc import Analysis, LayerAnalysis, Network, Shape

Question = Mapping[str, Any]

_DATA = Path(__file__).parent.parent / "data"

QUESTIONS: tuple[Question, ...] = tuple(
    yaml.safe_load((_DATA / "questions.yaml").read_text(encoding="utf-8"))["questions"]
)
BY_ID: dict[str, Question] = {question["id"]: question for question in QUESTIONS}


def network(input_shape: str | Shape, layers: Sequence[Any] | str) -> Network:
    """A network with this input and these layers, as data or as YAML text."""
    listed = yaml.safe_load(layers) if isinstance(layers, str) else list(layers)
    spec = {"input": str(input_shape), "layers": listed}
    return cnncalc.loads(yaml.safe_dump(spec, sort_keys=False))


def analysed(input_shape: str | Shape, layers: Sequence[Any] | str) -> Analysis:
    """The analysis of that network."""
    return cnncalc.analyze(network(input_shape, layers))


def zoo(name: str) -> Analysis:
    """The analysis of a packaged network."""
    return cnncalc.analyze(cnncalc.load(name))


def last(analysis: Analysis) -> LayerAnalysis:
    """The last layer."""
    return analysis.layers[-1]


def of_kind(analysis: Analysis, *kinds: str) -> list[LayerAnalysis]:
    """The layers of these kinds, in running order."""
    return [layer for layer in analysis.layers if layer.kind in kinds]


def volume(extents: Sequence[int]) -> Shape:
    """A shape from the file's H,W,C (or H,W: one channel)."""
    height, width, *channels = extents
    return Shape(channels[0] if channels else 1, (height, width))


def square(side: int, channels: int = 1) -> Shape:
    """A square map, where a question gives one side only."""
    return Shape(channels, (side, side))


def hwc(shape: Shape) -> list[Any]:
    """A shape in the file's layout."""
    return [*shape.spatial, shape.channels]


def side(layer: LayerAnalysis) -> Any:
    """The side of a square output."""
    (extent,) = set(layer.output.spatial)
    return extent


def window_options(givens: Mapping[str, Any]) -> dict[str, Any]:
    """Kernel, stride, padding and the like, by the names that a spec gives them."""
    names = {
        "k": "kernel",
        "s": "stride",
        "p": "pad",
        "d": "dilation",
        "output_padding": "output_padding",
        "bias": "bias",
    }
    return {names[key]: givens[key] for key in names if key in givens}


def conv(givens: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A convolution with the givens of a question; one filter where only a side is asked for."""
    return {"conv": givens.get("filters", 1), **window_options(givens), **more}


def settings(text: str) -> list[dict[str, int]]:
    """Every ``(k3,s2,p0)`` of a question.

    >>> settings("(k3,s2,p0) and (k5,s1,p2)")
    [{'k': 3, 's': 2, 'p': 0}, {'k': 5, 's': 1, 'p': 2}]
    """
    found = re.findall(r"\(k(\d+),s(\d+),p(\d+)\)", text)
    return [dict(zip("ksp", map(int, numbers), strict=True)) for numbers in found]
