"""Normalisations.

FLOPs of the affine ones: subtract the mean, divide by the deviation, scale,
shift: 4 per element, 2 without the affine part. Statistics are taken as given
where inference has them (batchnorm) and counted where it has to compute them.

Receptive fields take all statistics as given, as the literature does: an
instance norm does not make every unit see the whole map.
"""

from typing import Annotated, Literal

from cnncalc.layers.base import Inputs, Layer, Reach, Tensors, layer, must_divide, needs_map
from cnncalc.layers.fields import Count, Flag, Number, Positive, Says
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class BatchNorm(Layer):
    """``(x - mean)/sqrt(var + eps)*weight + bias`` per channel, with running statistics.

    Parameters: 2*C (weight, bias), none with ``affine: false``. Buffers: 2*C
    (running mean and variance), none with ``track: false``.
    FLOPs: 4 per element, 2 without affine.

    Source: Ioffe and Szegedy 2015; PyTorch's BatchNorm2d.
    """

    kind = "batchnorm"
    saves = ("input",)
    main = "affine"
    main_required = False

    affine: Flag = True
    track: Flag = True
    eps: Positive = 1e-5
    momentum: Number = 0.1

    def weights(self, inputs: Inputs) -> Tensors:
        return _affine(inputs[0].channels) if self.affine else {}

    def buffers(self, inputs: Inputs) -> Tensors:
        if not self.track:
            return {}
        return {"running_mean": (inputs[0].channels,), "running_var": (inputs[0].channels,)}

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (4 if self.affine else 2) * output.elements


def _affine(*shape: Extent) -> Tensors:
    return {"weight": shape, "bias": shape}


#: Mean and variance over the elements at hand: a sum, a difference, a square, a sum.
_STATISTICS = 4


@layer
class LayerNorm(Layer):
    """Normalises over all elements of an example, or over the channels of each position.

    Parameters: 2*C*H*W over ``all``, 2*C over ``channels`` (ConvNeXt).
    FLOPs: 4 per element for the statistics, 4 to apply them (3 without bias, 2 without
    affine).

    Source: Ba, Kiros and Hinton 2016; PyTorch's LayerNorm.
    """

    kind = "layernorm"
    saves = ("input",)
    main = "over"
    main_required = False

    over: Annotated[Literal["all", "channels"], Says("`all` or `channels`")] = "all"
    affine: Flag = True
    bias: Flag = True
    eps: Positive = 1e-5

    def weights(self, inputs: Inputs) -> Tensors:
        if not self.affine:
            return {}
        channels, *spatial = inputs[0].channels, *inputs[0].spatial
        shape = (channels,) if self.over == "channels" else (channels, *spatial)
        return _affine(*shape) if self.bias else {"weight": shape}

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        affine = (2 if self.bias else 1) if self.affine else 0
        return (_STATISTICS + 2 + affine) * output.elements


@layer
class GroupNorm(Layer):
    """Normalises over each of `groups` groups of channels, all positions together.

    Parameters: 2*C. FLOPs: 4 per element for the statistics, 4 to apply them.

    Source: Wu and He 2018; PyTorch's GroupNorm.
    """

    kind = "groupnorm"
    saves = ("input",)
    main = "groups"

    groups: Count
    affine: Flag = True
    eps: Positive = 1e-5

    def output(self, inputs: Inputs) -> Shape:
        must_divide(self.groups, inputs[0].channels, "groups", "groups")
        return inputs[0]

    def weights(self, inputs: Inputs) -> Tensors:
        return _affine(inputs[0].channels) if self.affine else {}

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (_STATISTICS + (4 if self.affine else 2)) * output.elements


@layer
class InstanceNorm(Layer):
    """Normalises each map of each example by itself.

    Parameters: none, or 2*C with ``affine: true``. Buffers: none, or 2*C with
    ``track: true``. FLOPs: 4 per element for the statistics, 2 or 4 to apply them.

    Source: Ulyanov, Vedaldi and Lempitsky 2016; PyTorch's InstanceNorm2d.
    """

    kind = "instancenorm"
    saves = ("input",)
    main = "affine"
    main_required = False

    affine: Flag = False
    track: Flag = False
    eps: Positive = 1e-5

    def weights(self, inputs: Inputs) -> Tensors:
        return _affine(inputs[0].channels) if self.affine else {}

    def buffers(self, inputs: Inputs) -> Tensors:
        if not self.track:
            return {}
        return {"running_mean": (inputs[0].channels,), "running_var": (inputs[0].channels,)}

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (_STATISTICS + (4 if self.affine else 2)) * output.elements


@layer
class LocalResponseNorm(Layer):
    """AlexNet's normalisation across `size` neighbouring maps.

    ``x / (k + alpha/size * sum of squares)**beta``. No parameters.
    FLOPs: a square and a sum per neighbour, then scale, add, power, divide:
    2*size + 4 per element (neighbours beyond the first and last map counted too).

    Source: Krizhevsky et al. 2012, section 3.3; PyTorch's LocalResponseNorm.
    """

    kind = "lrn"
    saves = ("input", "output")
    main = "size"
    main_required = False

    size: Count = 5
    alpha: Number = 1e-4
    beta: Number = 0.75
    k: Number = 1.0

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (2 * self.size + 4) * output.elements


@layer
class LocalContrastNorm(Layer):
    """Subtracts and divides by the weighted mean and deviation of a spatial neighbourhood.

    No parameters: the window is a fixed Gaussian over `kernel` x `kernel` and all
    maps. FLOPs: twice 2 per tap (mean and deviation), then subtract, square,
    root, compare, divide: 4*taps + 5 per element.

    Source: Jarrett et al. 2009, section 2; Pinto, Cox and DiCarlo 2008.
    """

    kind = "localcontrastnorm"
    saves = ("input",)
    main = "kernel"
    main_required = False
    sees = "window"

    kernel: Count = 9

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "local contrast normalisation")
        return inputs[0]

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (4 * self.kernel ** inputs[0].rank + 5) * output.elements

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return (Reach(1, -(self.kernel // 2), self.kernel),) * inputs[0].rank
