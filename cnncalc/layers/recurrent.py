"""Recurrent layers over a sequence ``F@T``.

Weights of one layer and direction, g gates (1 for rnn, 3 for gru, 4 for lstm):
``g*(F*H + H*H)`` and one or two bias vectors of ``g*H``. MACs: that many weight
products at each of the T steps.
"""

from typing import Annotated, ClassVar

from cnncalc.errors import LayerError
from cnncalc.layers.base import Inputs, Layer, Tensors, layer, size_of
from cnncalc.layers.fields import Bound, Count, Flag, Says
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class Recurrent(Layer):
    """What recurrent layers share.

    `recurrent_bias` is the second bias vector of PyTorch and cuDNN; Keras' LSTM
    and SimpleRNN, and the papers, have one. `sequence: false` keeps the last
    step only.
    """

    main = "hidden"
    sees = "all"
    gates: ClassVar[int] = 1
    #: Element-wise operations per hidden unit and step.
    steps: ClassVar[int] = 2

    hidden: Count
    layers: Annotated[int, Bound("ge", 1), Bound("le", 1000), Says("an integer from 1 to 1000")] = 1
    bidirectional: Flag = False
    bias: Flag = True
    recurrent_bias: Flag = True
    sequence: Flag = True

    @property
    def directions(self) -> int:
        """2 for a bidirectional layer."""
        return 2 if self.bidirectional else 1

    def output(self, inputs: Inputs) -> Shape:
        if inputs[0].rank != 1:
            raise LayerError(
                f"`{self.kind}` reads a sequence features@steps, but its input is {inputs[0]}",
                help="reshape the input to features@steps, such as 512@49",
                code="H006",
                name="not-a-map",
            )
        spatial = inputs[0].spatial if self.sequence else ()
        return Shape(self.hidden * self.directions, spatial, inputs[0].regions)

    def weights(self, inputs: Inputs) -> Tensors:
        rows = self.gates * self.hidden
        tensors: dict[str, tuple[Extent, ...]] = {}
        features = inputs[0].channels
        for depth in range(self.layers):
            for direction in ("", "_reverse")[: self.directions]:
                place = f"_l{depth}{direction}"
                tensors[f"weight_ih{place}"] = (rows, features)
                tensors[f"weight_hh{place}"] = (rows, self.hidden)
                if self.bias:
                    tensors[f"bias_ih{place}"] = (rows,)
                if self.bias and self.recurrent_bias:
                    tensors[f"bias_hh{place}"] = (rows,)
            features = self.hidden * self.directions
        return tensors

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        tensors = self.weights(inputs)
        products = size_of({name: t for name, t in tensors.items() if name.startswith("weight")})
        return inputs[0].regions * inputs[0].positions * products

    def saved_inside(self, inputs: Inputs, output: Shape) -> Extent:
        # The gates of every step, layer and direction, and the states between layers.
        units = inputs[0].regions * inputs[0].positions * self.directions * self.hidden
        return units * (self.layers * self.gates + self.layers - 1)

    def backward_macs(self, inputs: Inputs, output: Shape, input_gradient: bool) -> Extent:
        # Through time and through the layers below the gradient always flows; only the
        # first layer's input may do without.
        first = self.directions * self.gates * self.hidden * inputs[0].channels
        saved = 0 if input_gradient else inputs[0].regions * inputs[0].positions * first
        return 2 * self.macs(inputs, output) - saved

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        tensors = self.weights(inputs)
        biases = size_of({name: t for name, t in tensors.items() if name.startswith("bias")})
        units = self.layers * self.directions * self.hidden
        return inputs[0].regions * inputs[0].positions * (biases + self.steps * units)


@layer
class RNN(Recurrent):
    """``h_t = tanh(W x_t + b + U h_{t-1} + b')``.

    Parameters: ``H*(F + H) + 2*H``. MACs: ``T*H*(F + H)``.
    FLOPs: 2*MACs + biases + a sum and a tanh per unit and step.

    Source: Elman 1990; PyTorch's RNN.
    """

    kind = "rnn"
    saves = ("input", "output")


@layer
class LSTM(Recurrent):
    """Long short-term memory: input, forget, cell and output gates.

    Parameters: ``4*(H*(F + H) + 2*H)``. MACs: ``T*4*H*(F + H)``.
    FLOPs: 2*MACs + biases + per unit and step: 4 sums, 3 sigmoids of 4 steps,
    2 tanh, 3 products and a sum.

    Source: Hochreiter and Schmidhuber 1997; PyTorch's LSTM.
    """

    kind = "lstm"
    saves = ("input", "output")
    gates = 4
    steps = 4 + 3 * 4 + 2 + 4


@layer
class GRU(Recurrent):
    """Gated recurrent unit: reset, update and new gates.

    Parameters: ``3*(H*(F + H) + 2*H)``. MACs: ``T*3*H*(F + H)``.
    FLOPs: 2*MACs + biases + per unit and step: 3 sums, 2 sigmoids of 4 steps,
    a tanh, 3 products and 2 sums.

    Source: Cho et al. 2014; PyTorch's GRU.
    """

    kind = "gru"
    saves = ("input", "output")
    gates = 3
    steps = 3 + 2 * 4 + 1 + 5
