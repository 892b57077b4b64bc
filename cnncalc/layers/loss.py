"""Losses: one number, the mean over examples and positions.

The target is the label given when the network runs; ``{l2: , target: NAME}``
compares with another layer instead (an auto-encoder with its input).
"""

from typing import ClassVar

from cnncalc.errors import LayerError
from cnncalc.layers.base import Inputs, Layer, layer
from cnncalc.layers.fields import Fraction01, Positive, Text
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class Loss(Layer):
    """What losses share: a scalar output, `steps` operations per element."""

    sees = "all"
    steps: ClassVar[int] = 1

    def output(self, inputs: Inputs) -> Shape:
        return Shape(1)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return self.steps * inputs[0].elements


@layer
class CrossEntropy(Loss):
    """``-log softmax(x)[label]``; it applies the softmax itself.

    `smoothing` mixes the label with the uniform distribution.
    FLOPs: 3 per element (exponential, sum, logarithm's difference).

    Source: PyTorch's CrossEntropyLoss.
    """

    kind = "cross_entropy"
    saves = ("input",)
    main = "smoothing"
    main_required = False
    steps = 3

    smoothing: Fraction01 = 0.0


@layer
class Hinge(Loss):
    """Multi-class hinge: ``sum over j of max(0, x_j - x_label + margin)``, j not the label.

    FLOPs: 3 per element. Source: CS231n, "Linear classification"; PyTorch's MultiMarginLoss.
    """

    kind = "hinge"
    saves = ("input",)
    main = "margin"
    main_required = False
    steps = 3

    margin: Positive = 1.0


@layer
class _Distance(Loss):
    """A loss against a target of the input's shape."""

    references = ("target",)

    target: Text | None = None

    def output(self, inputs: Inputs) -> Shape:
        if self.target is not None and inputs[1] != inputs[0]:
            raise LayerError(
                f"the target {inputs[1]} has another shape than the input {inputs[0]}",
                field="target",
                code="H012",
                name="branches-do-not-match",
            )
        return Shape(1)


@layer
class L2(_Distance):
    """Mean of ``(x - target)**2``. FLOPs: 3 per element."""

    kind = "l2"
    saves = ("input",)
    main = "target"
    main_required = False
    steps = 3


@layer
class SmoothL1(_Distance):
    """``d**2/(2*beta)`` for ``|d| < beta``, else ``|d| - beta/2``. FLOPs: 5 per element.

    Source: Girshick 2015 (Fast R-CNN), equation 3; PyTorch's SmoothL1Loss.
    """

    kind = "smooth_l1"
    saves = ("input",)
    main = "beta"
    main_required = False
    steps = 5

    beta: Positive = 1.0
