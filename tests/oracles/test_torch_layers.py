"""Layers agree with PyTorch's modules on shapes, parameters, buffers and multiply-accumulates.

Each test draws configurations at random, good and bad, builds the module, runs it
on a small tensor and compares: the output's shape, the number of trainable
parameters, the running statistics and, by PyTorch's own FLOP counter, which
counts 2 per multiply-accumulate and nothing else, the MACs. Where PyTorch
refuses, the layer must refuse, and the other way round. Exceptions, each kept
out of the draw:

- PyTorch may return an empty tensor; to cnncalc no extent is 0, so that counts as
  a refusal.
- PyTorch wants a pool's padding to be at most half its kernel; cnncalc, like
  Caffe and ONNX, wants it smaller than the window.
- `avg_pool3d` refuses an input smaller than its kernel before padding.
- Batch and instance normalisation refuse a single value in training only.
- PyTorch's `bicubic` is for two axes, its interpolation and pixel shuffle for
  fewer than cnncalc's; `align_corners` goes with interpolating modes.
- PyTorch's linear layer reads the last axis of anything; cnncalc reads a vector
  unless `per_position` is asked for.
"""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests")
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from cnncalc.errors import LayerError  # noqa: E402
from cnncalc.layers import layer_class  # noqa: E402
from cnncalc.layers.base import size_of  # noqa: E402
from cnncalc.notation import Shape  # noqa: E402

REFUSALS = (RuntimeError, ValueError, AssertionError, IndexError)

some = settings(max_examples=100, deadline=None, derandomize=True, database=None)
by_rank = settings(some, max_examples=40)  # of three ranks or more

RANKS = [1, 2, 3]

count = st.integers(1, 6)
small = st.integers(1, 8)
lengths = st.integers(1, 12)
strides_up_to_4 = st.integers(1, 4)
flag = st.booleans()


def make(kind, **options):
    return layer_class(kind)(**options)


def agree(layer, shape, build, *, arrange=None, read=None, device="cpu"):
    """Assert that a layer and the module that `build` makes say the same of an input.

    Args:
        arrange: makes the module's input of a tensor (1, C, *spatial).
        read: makes a tensor (1, C, *spatial) of the module's result.
        device: where the module runs; `meta` computes shapes only.
    """
    inputs = (shape,)
    try:
        with torch.device(device), FlopCounterMode(display=False) as counter:
            module = build()
            given = torch.zeros(1, shape.channels, *shape.spatial)
            result = module(arrange(given) if arrange else given)
            result = read(result) if read else result
        if result.numel() == 0:
            raise ValueError("PyTorch has empty tensors, cnncalc no extent of 0")
    except REFUSALS:
        event("refused by both")
        with pytest.raises(LayerError):
            layer.output(inputs)
        return
    event("accepted by both")
    output = layer.output(inputs)
    assert (output.channels, *output.spatial) == tuple(result.shape[1:])
    assert size_of(layer.weights(inputs)) == sum(tensor.numel() for tensor in module.parameters())
    running = {name: tensor for name, tensor in module.named_buffers() if "running" in name}
    assert size_of(layer.buffers(inputs)) == sum(tensor.numel() for tensor in running.values())
    assert 2 * layer.macs(inputs, output) == counter.get_total_flops()


def per_axis(rank, values):
    """One value for all axes, or a tuple with one for each."""
    return values | st.tuples(*[values] * rank)


def maps(rank, channels=small, extents=lengths):
    drawn = st.tuples(channels, st.tuples(*[extents] * rank))
    return drawn.map(lambda extents: Shape(*extents))


def module_class(name, rank):
    return getattr(nn, f"{name}{rank}d")


@st.composite
def sliding(draw, rank, *, strides=strides_up_to_4):
    return {
        "kernel": draw(per_axis(rank, st.integers(1, 5))),
        "stride": draw(per_axis(rank, strides)),
        "dilation": draw(per_axis(rank, st.integers(1, 3))),
    }


def grouped(data, shape, filters, groups):
    """Channels and filters that the groups divide, three times out of four."""
    if data.draw(st.sampled_from([True, True, True, False])):
        channels = -(-shape.channels // groups) * groups
        return shape._replace(channels=channels), -(-filters // groups) * groups
    return shape, filters


def torch_names(options):
    names = {"kernel": "kernel_size", "pad": "padding"}
    return {names.get(name, name): value for name, value in options.items()}


class TestConvolutions:
    @pytest.mark.parametrize("rank", RANKS)
    @some
    @given(data=st.data())
    def test_conv(self, rank, data):
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank)) | {
            "pad": data.draw(per_axis(rank, st.integers(0, 3))),
            "groups": data.draw(st.sampled_from([1, 2, 3, shape.channels])),
            "bias": data.draw(flag),
        }
        filters = data.draw(st.integers(1, 9))
        shape, filters = grouped(data, shape, filters, options["groups"])
        agree(
            make("conv", filters=filters, **options),
            shape,
            lambda: module_class("Conv", rank)(shape.channels, filters, **torch_names(options)),
        )

    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_conv_same(self, rank, data):
        # PyTorch knows `same` at stride 1 only.
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank, strides=st.just(1))) | {"pad": "same"}
        agree(
            make("conv", filters=4, **options),
            shape,
            lambda: module_class("Conv", rank)(shape.channels, 4, **torch_names(options)),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_depthwise(self, rank, data):
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank)) | {
            "pad": data.draw(per_axis(rank, st.integers(0, 3))),
            "bias": data.draw(flag),
        }
        multiplier = data.draw(st.integers(1, 3))
        channels = shape.channels
        agree(
            make("depthwise", multiplier=multiplier, **options),
            shape,
            lambda: module_class("Conv", rank)(
                channels, channels * multiplier, groups=channels, **torch_names(options)
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_separable_is_two_convolutions(self, rank, data):
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank)) | {
            "pad": data.draw(per_axis(rank, st.integers(0, 3))),
        }
        filters, multiplier, bias = data.draw(count), data.draw(st.integers(1, 3)), data.draw(flag)
        channels, middle = shape.channels, shape.channels * multiplier
        conv = module_class("Conv", rank)
        agree(
            make("separableconv", filters=filters, multiplier=multiplier, bias=bias, **options),
            shape,
            lambda: nn.Sequential(
                conv(channels, middle, groups=channels, bias=False, **torch_names(options)),
                conv(middle, filters, 1, bias=bias),
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @some
    @given(data=st.data())
    def test_convtranspose(self, rank, data):
        shape = data.draw(maps(rank, extents=st.integers(1, 6)))
        options = data.draw(sliding(rank)) | {
            "pad": data.draw(per_axis(rank, st.integers(0, 3))),
            "output_padding": data.draw(per_axis(rank, st.sampled_from([0, 0, 0, 1, 2]))),
            "groups": data.draw(st.sampled_from([1, 2, 3, shape.channels])),
            "bias": data.draw(flag),
        }
        filters = data.draw(st.integers(1, 9))
        shape, filters = grouped(data, shape, filters, options["groups"])
        agree(
            make("convtranspose", filters=filters, **options),
            shape,
            lambda: module_class("ConvTranspose", rank)(
                shape.channels, filters, **torch_names(options)
            ),
        )

    @some
    @given(maps(2), count, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), flag)
    def test_anchorhead(self, shape, anchors, values, kernel, pad, bias):
        agree(
            make("anchorhead", anchors=anchors, values=values, kernel=kernel, pad=pad, bias=bias),
            shape,
            lambda: nn.Conv2d(shape.channels, anchors * values, kernel, padding=pad, bias=bias),
        )

    @some
    @given(st.data())
    def test_connections_are_a_masked_convolution(self, data):
        # The table's parameters are the entries of a full convolution's weight it keeps.
        shape, kernel = data.draw(maps(2)), data.draw(st.integers(1, 3))
        rows = st.sets(st.integers(0, shape.channels - 1), min_size=1).map(tuple)
        table = tuple(data.draw(st.lists(rows, min_size=1, max_size=6)))
        layer = make("conv", filters=len(table), kernel=kernel, pad=1, connections=table)
        full = nn.Conv2d(shape.channels, len(table), kernel, padding=1)
        mask = torch.zeros_like(full.weight, dtype=torch.bool)
        for filter, read in enumerate(table):
            mask[filter, list(read)] = True
        with torch.no_grad():
            result = full(torch.zeros(1, shape.channels, *shape.spatial))
        output = layer.output((shape,))
        assert (output.channels, *output.spatial) == tuple(result.shape[1:])
        kept = int(mask.sum())
        assert size_of(layer.weights((shape,))) == kept + full.bias.numel()
        assert layer.macs((shape,), output) == kept * result[0, 0].numel()


def half(kernel, rank):
    """The padding that PyTorch allows a pool: at most half its kernel, on every axis."""
    kernels = kernel if isinstance(kernel, tuple) else (kernel,) * rank
    return st.tuples(*[st.integers(0, size // 2) for size in kernels])


class Unpool(nn.Module):
    """An unpool whose indices are all 0: where the values go does not change the shape."""

    def __init__(self, unpool):
        super().__init__()
        self.unpool = unpool

    def forward(self, values):
        return self.unpool(values, torch.zeros_like(values, dtype=torch.long))


class TestPools:
    @pytest.mark.parametrize("rank", RANKS)
    @some
    @given(data=st.data())
    def test_maxpool(self, rank, data):
        shape, options = data.draw(maps(rank)), data.draw(sliding(rank))
        options |= {"pad": data.draw(half(options["kernel"], rank))}
        if data.draw(flag):
            del options["stride"]  # the kernel
        ceil = data.draw(flag)
        agree(
            make("maxpool", ceil=ceil, **options),
            shape,
            lambda: module_class("MaxPool", rank)(ceil_mode=ceil, **torch_names(options)),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @some
    @given(data=st.data())
    def test_avgpool(self, rank, data):
        shape, options = data.draw(maps(rank)), data.draw(sliding(rank))
        del options["dilation"]
        options |= {"pad": data.draw(half(options["kernel"], rank))}
        if rank == 3:
            kernels = options["kernel"]
            kernels = kernels if isinstance(kernels, tuple) else (kernels,) * rank
            spatial = tuple(map(max, shape.spatial, kernels))
            shape = shape._replace(spatial=spatial)
        if data.draw(flag):
            del options["stride"]
        ceil, padded = data.draw(flag), data.draw(flag)
        agree(
            make("avgpool", ceil=ceil, count_include_pad=padded, **options),
            shape,
            lambda: module_class("AvgPool", rank)(
                ceil_mode=ceil, count_include_pad=padded, **torch_names(options)
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_lppool(self, rank, data):
        shape, options = data.draw(maps(rank)), data.draw(sliding(rank))
        del options["dilation"]
        if rank == 1:  # LPPool1d passes its kernel on as a number
            options = {
                name: value[0] if isinstance(value, tuple) else value
                for name, value in options.items()
            }
        if rank == 3:
            shape = shape._replace(spatial=tuple(max(n, 5) for n in shape.spatial))
        ceil, norm = data.draw(flag), data.draw(st.sampled_from([1.0, 2.0, 3.0]))
        agree(
            make("lppool", ceil=ceil, norm=norm, **options),
            shape,
            lambda: module_class("LPPool", rank)(norm, ceil_mode=ceil, **torch_names(options)),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @pytest.mark.parametrize(
        ("kind", "name"),
        [("adaptiveavgpool", "AdaptiveAvgPool"), ("adaptivemaxpool", "AdaptiveMaxPool")],
    )
    @by_rank
    @given(data=st.data())
    def test_adaptive_pools(self, kind, name, rank, data):
        shape = data.draw(maps(rank))
        size = data.draw(per_axis(rank, st.integers(1, 9)))
        agree(make(kind, size=size), shape, lambda: module_class(name, rank)(size))

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_global_pools(self, rank, data):
        shape = data.draw(maps(rank))
        for kind, name in (
            ("globalavgpool", "AdaptiveAvgPool"),
            ("globalmaxpool", "AdaptiveMaxPool"),
        ):
            agree(make(kind), shape, lambda name=name: module_class(name, rank)(1))

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_maxunpool(self, rank, data):
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank))
        del options["dilation"]
        options |= {"pad": data.draw(half(options["kernel"], rank))}
        agree(
            make("maxunpool", **options),
            shape,
            lambda: Unpool(module_class("MaxUnpool", rank)(**torch_names(options))),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_maxunpool_gives_back_the_size_of_its_pool(self, rank, data):
        shape = data.draw(maps(rank))
        options = data.draw(sliding(rank))
        del options["dilation"]
        options |= {"pad": data.draw(half(options["kernel"], rank))}
        try:
            pool = module_class("MaxPool", rank)(return_indices=True, **torch_names(options))
            values, indices = pool(torch.zeros(1, shape.channels, *shape.spatial))
        except RuntimeError:
            return  # tested above
        result = module_class("MaxUnpool", rank)(**torch_names(options))(
            values, indices, output_size=shape.spatial
        )
        pooled = make("maxpool", **options).output((shape,))
        layer = make("maxunpool", indices="pool", **options)
        output = layer.output((pooled, shape))
        assert (output.channels, *output.spatial) == tuple(result.shape[1:])


class TestNormalisations:
    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_batchnorm(self, rank, data):
        shape = data.draw(maps(rank))
        affine, track = data.draw(flag), data.draw(flag)
        # Batch statistics of a single value are refused, whatever the layer.
        if not track and shape.positions == 1:
            shape = shape._replace(spatial=(2,) * rank)
        agree(
            make("batchnorm", affine=affine, track=track),
            shape,
            lambda: module_class("BatchNorm", rank)(
                shape.channels, affine=affine, track_running_stats=track
            ).eval(),
        )

    @some
    @given(st.integers(1, 50), flag)
    def test_batchnorm_of_vectors(self, features, affine):
        agree(
            make("batchnorm", affine=affine),
            Shape(features),
            lambda: nn.BatchNorm1d(features, affine=affine).eval(),
        )

    @pytest.mark.parametrize("rank", [0, *RANKS])
    @by_rank
    @given(data=st.data())
    def test_layernorm(self, rank, data):
        shape = data.draw(maps(rank))
        affine, bias = data.draw(flag), data.draw(flag)
        agree(
            make("layernorm", affine=affine, bias=bias),
            shape,
            lambda: nn.LayerNorm(
                [shape.channels, *shape.spatial], elementwise_affine=affine, bias=bias
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_layernorm_over_channels(self, rank, data):
        shape = data.draw(maps(rank))
        affine, bias = data.draw(flag), data.draw(flag)
        agree(
            make("layernorm", over="channels", affine=affine, bias=bias),
            shape,
            lambda: nn.LayerNorm(shape.channels, elementwise_affine=affine, bias=bias),
            arrange=channels_last,
            read=channels_first,
        )

    @pytest.mark.parametrize("rank", [0, *RANKS])
    @by_rank
    @given(data=st.data())
    def test_groupnorm(self, rank, data):
        shape = data.draw(maps(rank, channels=st.integers(1, 24)))
        groups, affine = data.draw(count), data.draw(flag)
        if shape.elements == groups:  # one value a group: refused in training
            shape = shape._replace(channels=2 * shape.channels)
        agree(
            make("groupnorm", groups=groups, affine=affine),
            shape,
            lambda: nn.GroupNorm(groups, shape.channels, affine=affine),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_instancenorm(self, rank, data):
        shape = data.draw(maps(rank, extents=st.integers(2, 12)))
        affine, track = data.draw(flag), data.draw(flag)
        agree(
            make("instancenorm", affine=affine, track=track),
            shape,
            lambda: module_class("InstanceNorm", rank)(
                shape.channels, affine=affine, track_running_stats=track
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_lrn(self, rank, data):
        shape, size = data.draw(maps(rank)), data.draw(st.integers(1, 7))
        agree(make("lrn", size=size), shape, lambda: nn.LocalResponseNorm(size))


def channels_last(tensor):
    return tensor.movedim(1, -1)


def channels_first(tensor):
    return tensor.movedim(-1, 1)


class TestLinearFamily:
    @some
    @given(st.integers(1, 60), st.integers(1, 60), flag)
    def test_linear(self, features, outputs, bias):
        agree(
            make("linear", features=outputs, bias=bias),
            Shape(features),
            lambda: nn.Linear(features, outputs, bias=bias),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_linear_per_position(self, rank, data):
        shape, outputs, bias = data.draw(maps(rank)), data.draw(count), data.draw(flag)
        agree(
            make("linear", features=outputs, bias=bias, per_position=True),
            shape,
            lambda: nn.Linear(shape.channels, outputs, bias=bias),
            arrange=channels_last,
            read=channels_first,
        )

    @some
    @given(st.integers(1, 30), st.integers(1, 20), st.integers(1, 40))
    def test_embedding(self, steps, features, vocabulary):
        agree(
            make("embedding", features=features, vocabulary=vocabulary),
            Shape(steps),
            lambda: nn.Embedding(vocabulary, features),
            arrange=lambda tensor: tensor.long(),
            read=channels_first,
        )

    @pytest.mark.parametrize("rank", [0, *RANKS])
    @by_rank
    @given(data=st.data())
    def test_flatten(self, rank, data):
        agree(make("flatten"), data.draw(maps(rank)), nn.Flatten)

    @some
    @given(st.integers(1, 60), maps(2, extents=st.integers(1, 4)))
    def test_reshape(self, features, wanted):
        agree(
            make("reshape", shape=str(wanted)),
            Shape(features),
            lambda: nn.Unflatten(1, (wanted.channels, *wanted.spatial)),
        )

    @some
    @given(st.data())
    def test_reshape_that_keeps_every_element(self, data):
        wanted = data.draw(maps(data.draw(st.sampled_from(RANKS))))
        agree(
            make("reshape", shape=str(wanted)),
            Shape(wanted.elements),
            lambda: nn.Unflatten(1, (wanted.channels, *wanted.spatial)),
        )

    @pytest.mark.parametrize("rank", [0, *RANKS])
    @by_rank
    @given(data=st.data())
    def test_permute(self, rank, data):
        shape = data.draw(maps(rank))
        axes = st.permutations(range(rank + 1)) | st.lists(st.integers(0, 3), min_size=1)
        order = tuple(data.draw(axes))
        agree(
            make("permute", order=order),
            shape,
            nn.Identity,
            read=lambda tensor: tensor.permute(0, *(axis + 1 for axis in order)),
        )


class TestSequences:
    @pytest.mark.parametrize(("kind", "name"), [("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU")])
    @some
    @given(data=st.data())
    def test_recurrent(self, kind, name, data):
        shape = data.draw(maps(1, channels=st.integers(1, 9), extents=st.integers(1, 3)))
        hidden, layers = data.draw(count), data.draw(st.integers(1, 2))
        both, bias, sequence = data.draw(flag), data.draw(flag), data.draw(flag)
        # On `meta` every kind is computed by plain products, which PyTorch can count.
        agree(
            make(
                kind,
                hidden=hidden,
                layers=layers,
                bidirectional=both,
                bias=bias,
                sequence=sequence,
            ),
            shape,
            lambda: getattr(nn, name)(
                shape.channels, hidden, layers, bias=bias, batch_first=True, bidirectional=both
            ),
            arrange=channels_last,
            read=lambda result: channels_first(result[0]) if sequence else result[0][:, -1],
            device="meta",
        )

    @some
    @given(st.data())
    def test_attention(self, data):
        rank = data.draw(st.sampled_from(RANKS))
        shape = data.draw(maps(rank, st.integers(1, 24), st.integers(1, 4)))
        heads, bias = data.draw(count), data.draw(flag)
        agree(
            make("attention", heads=heads, bias=bias),
            shape,
            lambda: SelfAttention(shape.channels, heads, bias),
        )


class SelfAttention(nn.Module):
    """Multi-head attention of the positions of a map to each other."""

    def __init__(self, channels, heads, bias):
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, heads, bias=bias, batch_first=True)

    def forward(self, given):
        steps = channels_last(given.flatten(2))
        return channels_first(self.attention(steps, steps, steps)[0]).reshape(given.shape)


class TestResampling:
    @pytest.mark.parametrize("rank", RANKS)
    @some
    @given(data=st.data())
    def test_upsample(self, rank, data):
        shape = data.draw(maps(rank, extents=st.integers(1, 6)))
        sizes = per_axis(rank, st.integers(1, 5))
        # One of the two as it should be, mostly; else none, both, or a list that is too long.
        wrong = st.none() | sizes | st.just((2,) * 4)
        one = st.tuples(sizes, st.none()) | st.tuples(st.none(), sizes)
        scale, size = data.draw(one | one | one | st.tuples(wrong, wrong))
        modes = ["nearest", "bilinear", "bicubic"] if rank == 2 else ["nearest", "bilinear"]
        mode = data.draw(st.sampled_from(modes))
        linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
        corners = data.draw(flag) if mode != "nearest" else False
        agree(
            make("upsample", scale=scale, size=size, mode=mode, align_corners=corners),
            shape,
            lambda: nn.Upsample(
                size,
                scale,
                linear if mode == "bilinear" else mode,
                align_corners=None if mode == "nearest" else corners,
            ),
        )

    @pytest.mark.parametrize("rank", RANKS)
    @by_rank
    @given(data=st.data())
    def test_zeropad(self, rank, data):
        shape = data.draw(maps(rank))
        pads = data.draw(st.tuples(*[st.tuples(st.integers(0, 4), st.integers(0, 4))] * rank))
        # PyTorch lists the last axis first.
        flat = tuple(side for pair in reversed(pads) for side in pair)
        agree(make("zeropad", pad=pads), shape, lambda: module_class("ZeroPad", rank)(flat))

    @some
    @given(maps(2, channels=st.integers(1, 40)), st.integers(1, 4))
    def test_pixelshuffle(self, shape, factor):
        agree(make("pixelshuffle", factor=factor), shape, lambda: nn.PixelShuffle(factor))

    @some
    @given(maps(2, channels=st.integers(1, 24)), count)
    def test_channelshuffle(self, shape, groups):
        agree(make("channelshuffle", groups=groups), shape, lambda: nn.ChannelShuffle(groups))

    @some
    @given(maps(2, channels=st.integers(1, 12)), st.lists(count, min_size=1, max_size=4), st.data())
    def test_split(self, shape, sizes, data):
        if data.draw(flag):
            shape = shape._replace(channels=sum(sizes))
        part = data.draw(st.integers(0, len(sizes) - 1))
        agree(
            make("split", parts=tuple(sizes), part=part),
            shape,
            nn.Identity,
            read=lambda tensor: torch.split(tensor, sizes, dim=1)[part],
        )

    @some
    @given(maps(2, channels=st.integers(1, 12)), st.integers(0, 12), st.integers(0, 14))
    def test_slice(self, shape, start, stop):
        # `narrow` wants a length and refuses what sticks out; a length of 0 is none of ours.
        def part(tensor):
            if stop == start:
                raise ValueError("an empty slice")
            return torch.narrow(tensor, 1, start, stop - start)

        agree(make("slice", channels=(start, stop)), shape, nn.Identity, read=part)


#: Kinds that compute one function of every element or over the channels.
ELEMENTWISE = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leakyrelu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "softmax": lambda: nn.Softmax(1),
    "logsoftmax": lambda: nn.LogSoftmax(1),
    "dropout": nn.Dropout,
}


class TestActivations:
    @pytest.mark.parametrize("kind", ELEMENTWISE)
    @settings(some, max_examples=10)
    @given(data=st.data())
    def test_elementwise(self, kind, data):
        shape = data.draw(maps(data.draw(st.sampled_from([0, *RANKS]))))
        agree(make(kind), shape, ELEMENTWISE[kind])

    @some
    @given(st.data())
    def test_prelu(self, data):
        shape = data.draw(maps(data.draw(st.sampled_from([0, *RANKS]))))
        per = data.draw(st.sampled_from(["channel", "layer"]))
        slopes = shape.channels if per == "channel" else 1
        agree(make("prelu", per=per), shape, lambda: nn.PReLU(slopes))

    @some
    @given(maps(2, channels=st.integers(1, 24)), count)
    def test_maxout(self, shape, pieces):
        agree(
            make("maxout", pieces=pieces),
            shape,
            lambda: nn.Unflatten(1, (-1, pieces)),
            read=lambda tensor: tensor.amax(2),
        )


class TestMerging:
    @pytest.mark.parametrize(("kind", "operation"), [("mul", torch.mul), ("concat", None)])
    @some
    @given(data=st.data())
    def test_merges(self, kind, operation, data):
        rank = data.draw(st.sampled_from(RANKS))
        drawn = maps(rank, st.sampled_from([1, 3, 4]), st.sampled_from([1, 5]))
        shapes = (data.draw(drawn), data.draw(drawn))
        tensors = [torch.zeros(1, shape.channels, *shape.spatial) for shape in shapes]
        try:
            result = torch.cat(tensors, 1) if operation is None else operation(*tensors)
        except RuntimeError:
            with pytest.raises(LayerError):
                make(kind).output(shapes)
            return
        output = make(kind).output(shapes)
        assert (output.channels, *output.spatial) == tuple(result.shape[1:])


class TestLosses:
    @some
    @given(st.data())
    def test_losses(self, data):
        rank = data.draw(st.sampled_from([0, *RANKS]))
        shape = data.draw(maps(rank))
        given_shape = (1, shape.channels, *shape.spatial)
        labels = torch.zeros(1, *shape.spatial, dtype=torch.long)
        scores, target = torch.zeros(given_shape), torch.ones(given_shape)
        found = {
            "cross_entropy": nn.CrossEntropyLoss()(scores, labels),
            "l2": nn.MSELoss()(scores, target),
            "smooth_l1": nn.SmoothL1Loss()(scores, target),
        }
        if rank == 0:
            found["hinge"] = nn.MultiMarginLoss()(scores, labels)
        for kind, value in found.items():
            # PyTorch's scalar has no axis at all, cnncalc's one feature.
            assert make(kind).output((shape,)) == Shape(value.numel())
