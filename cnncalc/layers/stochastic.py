"""Dropout and stochastic depth: active in training, the identity in evaluation."""

from cnncalc.layers.base import Layer, layer
from cnncalc.layers.fields import Probability


@layer
class Dropout(Layer):
    """Sets each element to zero with probability `p` in training and scales the rest by 1/(1-p).

    The course notes' figure keeps the elements and scales at test time instead;
    both have the same expectation. No parameters, 0 MACs, 0 FLOPs in evaluation.

    Source: Srivastava et al. 2014; PyTorch's Dropout.
    """

    kind = "dropout"
    saves = ("mask",)
    main = "p"
    main_required = False
    in_place = True

    p: Probability = 0.5


@layer
class DropPath(Layer):
    """Drops a whole residual branch with probability `p` in training (stochastic depth).

    No parameters, 0 MACs, 0 FLOPs in evaluation.

    Source: Huang et al. 2016.
    """

    kind = "droppath"
    main = "p"
    main_required = False
    in_place = True

    p: Probability = 0.1
