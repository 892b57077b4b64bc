"""Mistakes in counting parameters."""

from collections.abc import Iterator

from cnncalc.homework.diagnosis.counting import BIASES, PARAMETERS, POOLS, Counted, counted
from cnncalc.window import Extent


@counted(PARAMETERS, "This is the count without the {biases} biases.")
def forgot_bias(layer: Counted) -> Extent | None:
    """The biases are not counted."""
    return layer.weights if layer.biases else None


@counted(
    PARAMETERS,
    "This is the count for flat filters: the input's depth of {channels} is left out.",
)
def forgot_input_depth(layer: Counted) -> Extent | None:
    """The depth of the input is left out: filters are taken as k x k."""
    if not layer.convolves or layer.groups != 1:
        return None
    return layer.taps * layer.filters + layer.biases


@counted(
    PARAMETERS,
    "This is the count for {filters} flat filters without biases: the input's depth of "
    "{channels} is left out too.",
)
def forgot_input_depth_and_bias(layer: Counted) -> Extent | None:
    """Both the depth of the input and the biases are left out."""
    if not layer.convolves or layer.groups != 1 or not layer.biases:
        return None
    return layer.taps * layer.filters


@counted(BIASES, "This is the count with a single bias for the whole layer.")
def one_bias_only(layer: Counted) -> Extent | None:
    """One bias is counted for the layer instead of one for each filter."""
    return layer.weights + 1 if layer.multiplies and layer.biases else None


@counted(BIASES, "This is the count with a bias for each pair of filter and input channel.")
def bias_per_input_channel(layer: Counted) -> Extent | None:
    """A bias is counted for each filter and input channel."""
    if not layer.multiplies or not layer.biases or layer.groups != 1:
        return None
    return layer.weights + layer.channels * layer.filters


@counted(
    PARAMETERS,
    "This is the count with weights of their own at each of the {positions} output positions; "
    "a convolution shares them.",
)
def used_output_spatial_size(layer: Counted) -> Extent | None:
    """The weights are multiplied by the output positions, as if they were not shared."""
    if not layer.convolves or layer.positions == 1:
        return None
    return (layer.weights + layer.biases) * layer.positions


@counted(PARAMETERS, "These are the weights times the {pixels} positions of the input.")
def used_input_spatial_size(layer: Counted) -> Extent | None:
    """The weights are multiplied by the input positions."""
    return layer.weights * layer.pixels if layer.convolves and layer.pixels != 1 else None


@counted(PARAMETERS, "This is the count of one filter; the layer has {filters}.")
def single_filter_only(layer: Counted) -> Extent | None:
    """One filter is counted instead of all."""
    if not layer.multiplies:
        return None
    return layer.fan_in + 1 if layer.biases else layer.fan_in


@counted(BIASES, "This is the count with a bias for each of the {channels} input channels.")
def swapped_cin_cout_bias(layer: Counted) -> Extent | None:
    """There is a bias for each input channel instead of for each filter."""
    return layer.weights + layer.channels if layer.multiplies and layer.biases else None


@counted(PARAMETERS, "This is the count without the {groups} groups.")
def ignored_groups(layer: Counted) -> Extent | None:
    """A grouped convolution is counted as a dense one."""
    if not layer.convolves or layer.groups == 1:
        return None
    return layer.taps * layer.channels * layer.filters + layer.biases


@counted(PARAMETERS, "This is the count of one of the {groups} groups.")
def groups_divided_both(layer: Counted) -> Extent | None:
    """Both channels are divided by the groups: one group is counted instead of all."""
    if not layer.convolves or layer.groups == 1 or layer.kind == "depthwise":
        return None
    return layer.fan_in * (layer.filters // layer.groups) + layer.biases


@counted(PARAMETERS, "This is the depthwise part alone; the 1x1 convolution is left out.")
def pointwise_forgotten(layer: Counted) -> Extent | None:
    """Of a separable convolution the depthwise part alone is counted."""
    if layer.kind == "separableconv":
        return layer.taps * layer.channels
    return 0 if layer.after_depthwise and layer.convolves and layer.taps == 1 else None


@counted(PARAMETERS, "This has one depthwise filter for each filter of the 1x1 convolution.")
def depthwise_per_output(layer: Counted) -> Extent | None:
    """The depthwise part has one filter for each output channel instead of each input channel."""
    if layer.kind == "separableconv":
        return layer.taps * layer.filters + layer.channels * layer.filters + layer.biases
    return layer.taps * layer.pointwise if layer.kind == "depthwise" and layer.pointwise else None


@counted(PARAMETERS, "This gives the pool {taps} weights for each of its {channels} channels.")
def counted_pool_params(layer: Counted) -> Extent | None:
    """A pool is given weights; it has none."""
    return layer.taps * layer.channels if layer.kind in POOLS and not layer.weights else None


@counted(PARAMETERS, "This gives each of the {channels} maps a coefficient and a bias.")
def lenet98_subsampling(layer: Counted) -> Extent | None:
    """A pool is taken for LeNet-5's subsampling, which has two parameters for each map."""
    return 2 * layer.channels if layer.kind in POOLS and not layer.weights else None


@counted(PARAMETERS, "This is the count for one map: the {flattened} has more than one channel.")
def fc_forgot_flatten_channels(layer: Counted) -> Extent | None:
    """A fully connected layer reads H*W values, without the channels."""
    if layer.flattened is None or not layer.flattened.spatial:
        return None
    return layer.flattened.positions * layer.filters + layer.biases


@counted(
    PARAMETERS,
    "This is the count for a map of another size: before a pool, or after one too many.",
)
def fc_forgot_pool(layer: Counted) -> Iterator[Extent]:
    """The input of a fully connected layer is taken before the pool, or after one that is not."""
    if layer.before_pool is not None:
        yield layer.before_pool.elements * layer.filters + layer.biases
    if layer.flattened is not None:
        halved = [n // 2 for n in layer.flattened.spatial]
        smaller = layer.flattened._replace(spatial=tuple(halved))
        yield smaller.elements * layer.filters + layer.biases


@counted(
    PARAMETERS,
    "This takes the running mean and variance the other way: they are kept, but not trained.",
)
def bn_2c_vs_4c(layer: Counted) -> Extent | None:
    """A batch normalisation's running statistics are counted as trainable, or the reverse."""
    if layer.kind != "batchnorm":
        return None
    return 2 * layer.channels if layer.right == 4 * layer.channels else 4 * layer.channels


@counted(PARAMETERS, "This is the count with three sets of weights; an LSTM has four.")
def lstm_three_gates(layer: Counted) -> Extent | None:
    """An LSTM has three sets of weights instead of four."""
    return layer.right // 4 * 3 if layer.kind == "lstm" else None


@counted(
    PARAMETERS,
    "This is the count with the other number of bias vectors: PyTorch has two for each gate, "
    "Keras and the papers one.",
)
def lstm_two_biases(layer: Counted) -> Extent | None:
    """An LSTM has two bias vectors for each gate where one is meant, or the reverse."""
    if layer.kind != "lstm" or not layer.biases:
        return None
    if layer.bias_vectors == 2:
        return layer.weights + layer.biases // 2
    return layer.weights + 2 * layer.biases
