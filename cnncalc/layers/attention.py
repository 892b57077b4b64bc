"""Self-attention, where a convolutional network uses it."""

from cnncalc.layers.base import Inputs, Layer, Tensors, layer, must_divide
from cnncalc.layers.fields import Count, Flag
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class Attention(Layer):
    """Multi-head self-attention over the T positions of ``C@T`` or ``C@HxW``.

    Parameters: four C*C projections (query, key, value, output) and 4*C biases.
    MACs: ``4*T*C**2`` for the projections and ``2*T**2*C`` for the two products
    of attention. FLOPs: 2*MACs + biases + a softmax (3 per score) + a scale per score.

    Source: Vaswani et al. 2017, section 3.2; PyTorch's MultiheadAttention.
    """

    kind = "attention"
    saves = ("input",)
    main = "heads"
    sees = "all"

    heads: Count
    bias: Flag = True

    def output(self, inputs: Inputs) -> Shape:
        must_divide(self.heads, inputs[0].channels, "heads", "heads")
        return inputs[0]

    def weights(self, inputs: Inputs) -> Tensors:
        channels = inputs[0].channels
        weights = {
            "in_projection": (3 * channels, channels),
            "out_projection": (channels, channels),
        }
        if not self.bias:
            return weights
        return {**weights, "in_bias": (3 * channels,), "out_bias": (channels,)}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        steps, channels = inputs[0].positions, inputs[0].channels
        return inputs[0].regions * (4 * steps * channels**2 + 2 * steps**2 * channels)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        scores = inputs[0].regions * self.heads * inputs[0].positions ** 2
        biases = 4 * inputs[0].elements if self.bias else 0
        return 4 * scores + biases

    def saved_inside(self, inputs: Inputs, output: Shape) -> Extent:
        # Query, key, value and the context that the output projection reads; the scores.
        scores = inputs[0].regions * self.heads * inputs[0].positions ** 2
        return 4 * inputs[0].elements + scores

    def backward_macs(self, inputs: Inputs, output: Shape, input_gradient: bool) -> Extent:
        # Only the three input projections may do without the gradient of their input.
        steps, channels = inputs[0].positions, inputs[0].channels
        saved = 0 if input_gradient else inputs[0].regions * 3 * steps * channels**2
        return 2 * self.macs(inputs, output) - saved
