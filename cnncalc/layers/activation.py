"""Activations: one function on every element, in place.

FLOPs are counted in steps per element: one for a comparison or a look-up of a
transcendental function, one for each further product, sum or quotient. The
formula beside each class shows where its number comes from.
"""

from typing import Annotated, ClassVar, Literal

from cnncalc.layers.base import Inputs, Layer, Tensors, layer, must_divide
from cnncalc.layers.fields import Count, Number, Positive, Says
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class Activation(Layer):
    """What activations share: the shape stays, `steps` operations per element."""

    in_place = True
    steps: ClassVar[int] = 1

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return self.steps * inputs[0].elements


class ReLU(Activation):
    """``max(0, x)``. FLOPs: 1 per element. Source: Nair and Hinton 2010."""

    kind = "relu"
    saves = ("output",)


class ReLU6(Activation):
    """``min(max(0, x), 6)``. FLOPs: 2 per element. Source: Krizhevsky 2010; MobileNetV2."""

    kind = "relu6"
    saves = ("output",)
    steps = 2


@layer
class LeakyReLU(Activation):
    """``max(x, slope*x)``. FLOPs: 2 per element. Source: Maas, Hannun and Ng 2013."""

    kind = "leakyrelu"
    saves = ("output",)
    main = "slope"
    main_required = False
    steps = 2

    slope: Number = 0.01


@layer
class PReLU(Activation):
    """``max(x, a*x)`` with a trainable `a` per channel, or one for the layer.

    Parameters: C, or 1 with ``{prelu: layer}``. FLOPs: 2 per element.

    Source: He et al. 2015, "Delving deep into rectifiers", section 2.1.
    """

    kind = "prelu"
    saves = ("input",)
    main = "per"
    main_required = False
    steps = 2

    per: Annotated[Literal["channel", "layer"], Says("`channel` or `layer`")] = "channel"

    def weights(self, inputs: Inputs) -> Tensors:
        return {"slope": (inputs[0].channels if self.per == "channel" else 1,)}


@layer
class ELU(Activation):
    """``x if x > 0 else alpha*(exp(x) - 1)``. FLOPs: 4 per element. Source: Clevert et al. 2015."""

    kind = "elu"
    saves = ("output",)
    main = "alpha"
    main_required = False
    steps = 4

    alpha: Positive = 1.0


class SELU(Activation):
    """``scale * elu(x, alpha)`` with fixed constants. FLOPs: 5 per element.

    Source: Klambauer et al. 2017.
    """

    kind = "selu"
    saves = ("output",)
    steps = 5


@layer
class GELU(Activation):
    """``x * Phi(x)``, Phi the normal distribution: ``x/2 * (1 + erf(x/sqrt(2)))``.

    FLOPs: 5 per element. `approximate: tanh` is the common approximation.

    Source: Hendrycks and Gimpel 2016.
    """

    kind = "gelu"
    saves = ("input",)
    main = "approximate"
    main_required = False
    steps = 5

    approximate: Annotated[Literal["none", "tanh"], Says("`none` or `tanh`")] = "none"


class SiLU(Activation):
    """``x * sigmoid(x)``. FLOPs: 5 per element. Source: Elfwing et al. 2017; Swish."""

    kind = "silu"
    saves = ("input",)
    steps = 5


class HardSwish(Activation):
    """``x * min(max(x + 3, 0), 6) / 6``. FLOPs: 5 per element. Source: Howard et al. 2019."""

    kind = "hardswish"
    saves = ("input",)
    steps = 5


class HardSigmoid(Activation):
    """``min(max(x + 3, 0), 6) / 6``. FLOPs: 4 per element. Source: PyTorch's Hardsigmoid."""

    kind = "hardsigmoid"
    saves = ("output",)
    steps = 4


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``. FLOPs: 4 per element."""

    kind = "sigmoid"
    saves = ("output",)
    steps = 4


@layer
class Tanh(Activation):
    """``scale * tanh(slope * x)``; LeNet-5 has 1.7159 and 2/3.

    FLOPs: 1 per element, and one for each factor that is not 1.

    Source: LeCun et al. 1998, equation 6.
    """

    kind = "tanh"
    saves = ("output",)

    scale: Number = 1.0
    slope: Number = 1.0

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (1 + (self.scale != 1) + (self.slope != 1)) * output.elements


class Softplus(Activation):
    """``log(1 + exp(x))``. FLOPs: 3 per element."""

    kind = "softplus"
    saves = ("input",)
    steps = 3


@layer
class Maxout(Layer):
    """The maximum of each `pieces` consecutive channels: C channels become C/pieces.

    ``max(w1 x + b1, w2 x + b2)`` is a linear layer of twice the features, then
    ``{maxout: 2}``. FLOPs: pieces - 1 comparisons per output.

    Source: Goodfellow et al. 2013.
    """

    kind = "maxout"
    saves = ("indices",)
    main = "pieces"

    pieces: Count

    def output(self, inputs: Inputs) -> Shape:
        must_divide(self.pieces, inputs[0].channels, "pieces", "pieces")
        return inputs[0]._replace(channels=inputs[0].channels // self.pieces)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (self.pieces - 1) * output.elements


class Softmax(Activation):
    """``exp(x_c) / sum of exp(x)`` over the channels of each position.

    FLOPs: 3 per element (exponential, sum, quotient).
    """

    kind = "softmax"
    saves = ("output",)
    steps = 3


class LogSoftmax(Activation):
    """``x_c - log(sum of exp(x))`` over the channels of each position.

    FLOPs: 3 per element (exponential, sum, difference).
    """

    kind = "logsoftmax"
    saves = ("output",)
    steps = 3
