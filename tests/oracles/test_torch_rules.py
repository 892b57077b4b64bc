"""What lint rules call the same is the same to PyTorch, on random weights and values.

Each test reads a spec, takes the rule's own advice as text, builds both with torch.nn
and compares their outputs.
"""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is the oracle of these tests")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from cnncalc.limits import DEFAULT_LIMITS  # noqa: E402
from cnncalc.spec.document import compose  # noqa: E402
from tests.lint.rules.finding import found, spec  # noqa: E402


def advice(help: str) -> dict[str, object]:
    """The options of ``{conv: 8, kernel: [3, 1], pad: 1} computes the same``."""

    def value(node):
        items = getattr(node, "items", None)
        return int(node.value) if items is None else tuple(map(value, items))

    mapping = compose(help.removesuffix(" computes the same"), "", DEFAULT_LIMITS)
    return {key.value: value(node) for key, node in mapping}


def padded(x, pad):
    """Zeros around the last two axes, from a number, a pair, or two pairs."""
    sides = pad if isinstance(pad, tuple) else (pad, pad)
    (top, bottom), (left, right) = (s if isinstance(s, tuple) else (s, s) for s in sides)
    return functional.pad(x, (left, right, top, bottom))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 1, 1), {"kernel_size": 3, "padding": 1}),
        ((5, 2, 2), {"kernel_size": 3, "padding": 1, "stride": 2}),
        ((5, 1, 6), {"kernel_size": 3, "padding": 1}),
        ((5, 14, 14), {"kernel_size": 3, "padding": 18, "dilation": 18}),
        ((5, 3, 4), {"kernel_size": 7, "padding": 3, "stride": 2}),
    ],
)
def test_dead_taps_may_be_cut_off(shape, options):
    conv = nn.Conv2d(5, 6, **options)
    x = torch.randn(2, *shape)
    names = {"kernel_size": "kernel", "padding": "pad"}
    line = ", ".join(f"{names.get(key, key)}: {value}" for key, value in options.items())
    (one,) = found("F003", spec("{}@{}x{}".format(*shape), f"{{conv: 6, {line}}}"))
    kept = advice(one.help)
    rows, columns = kept["kernel"] if isinstance(kept["kernel"], tuple) else [kept["kernel"]] * 2
    # The taps kept are those that meet the map: where a map of ones gives its weight a gradient.
    conv(torch.ones(1, *shape)).sum().backward()
    live = conv.weight.grad[0, 0] != 0
    assert int((~live).sum()) == int(one.message.split(" of the ")[0].split(": ")[1])
    top, left = live.nonzero().min(0).values.tolist()
    weight = conv.weight[:, :, top : top + rows, left : left + columns]
    smaller = functional.conv2d(
        padded(x, kept["pad"]), weight, conv.bias, conv.stride, 0, conv.dilation
    )
    torch.testing.assert_close(smaller, conv(x))


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": (3, 1)},
        {"kernel_size": 3, "padding": 1, "dilation": 2, "groups": 2, "output_padding": 1},
    ],
)
def test_a_transposed_convolution_without_stride(options):
    transposed = nn.ConvTranspose2d(4, 6, **options)
    x = torch.randn(2, 4, 5, 7)
    names = {"kernel_size": "kernel", "padding": "pad"}
    line = ", ".join(
        f"{names.get(key, key)}: {list(value) if isinstance(value, tuple) else value}"
        for key, value in options.items()
    )
    (one,) = found("U003", spec("4@5x7", f"{{convtranspose: 6, {line}}}"))
    same = advice(one.help)
    groups = same.get("groups", 1)
    # (C, F/g, ...) becomes (F, C/g, ...), each group by itself, and the kernel is flipped.
    parts = [part.transpose(0, 1) for part in transposed.weight.chunk(groups)]
    y = functional.conv2d(
        padded(x, same.get("pad", 0)),
        torch.cat(parts).flip(-1, -2),
        transposed.bias,
        dilation=same.get("dilation", 1),
        groups=groups,
    )
    torch.testing.assert_close(y, transposed(x))


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("factor", [2, 3])
def test_a_1x1_convolution_and_an_upsampling_change_places(mode, factor):
    conv, up = nn.Conv2d(6, 4, 1), nn.Upsample(scale_factor=factor, mode=mode)
    x = torch.randn(2, 6, 5, 7)
    assert found(
        "U005", spec("6@5x7", f"{{upsample: {factor}, mode: {mode}}}", "{conv: 4, kernel: 1}")
    )
    torch.testing.assert_close(conv(up(x)), up(conv(x)))


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("{maxpool: 1}", nn.MaxPool2d(1)),
        ("{avgpool: 1}", nn.AvgPool2d(1)),
        ("{dropout: 0}", nn.Dropout(0)),
        ("{upsample: , size: [5, 7], mode: nearest}", nn.Upsample((5, 7))),
        ("{upsample: , size: [5, 7], mode: bilinear}", nn.Upsample((5, 7), mode="bilinear")),
        ("{upsample: , size: [5, 7], mode: bicubic}", nn.Upsample((5, 7), mode="bicubic")),
        (
            "{upsample: 1, mode: bilinear, align_corners: true}",
            nn.Upsample(scale_factor=1, mode="bilinear", align_corners=True),
        ),
        ("{channelshuffle: 1}", nn.ChannelShuffle(1)),
        ("{channelshuffle: 6}", nn.ChannelShuffle(6)),
        ("{pixelshuffle: 1}", nn.PixelShuffle(1)),
    ],
)
def test_layers_without_effect(line, module):
    x = torch.randn(2, 6, 5, 7)
    assert found("G103", spec("6@5x7", line))
    torch.testing.assert_close(module(x), x)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 2, 1), (5, 3, 1), (2, 3, 1), (3, 2, 2), (4, 2, 1)]
)
def test_overlap_and_gaps(kernel, stride, dilation):
    """Ones spread by a kernel of ones count the taps that reach each output."""
    up = nn.ConvTranspose1d(1, 1, kernel, stride, dilation=dilation, bias=False)
    nn.init.ones_(up.weight)
    taps = up(torch.ones(1, 1, 30))[0, 0, 20:-20].unique()
    text = spec(
        "1@30", f"{{convtranspose: 1, kernel: {kernel}, stride: {stride}, dilation: {dilation}}}"
    )
    assert bool(found("U002", text)) == bool(taps.min() == 0)
    assert bool(found("U001", text)) == bool(taps.min() > 0 and len(taps) > 1)


def test_the_corner_of_a_padded_average():
    corner = nn.AvgPool2d(3, 1, 1)(torch.ones(1, 1, 8, 8))[0, 0, 0, 0]
    (one,) = found("F011", spec("1@8x8", "{avgpool: 3, stride: 1, pad: 1}"))
    assert "over 4 pixels and 5 zeros" in one.message
    torch.testing.assert_close(corner, torch.tensor(4 / 9))


@pytest.mark.parametrize(("n", "m"), [(13, 6), (11, 4), (10, 7)])
def test_the_bins_of_an_adaptive_pool(n, m):
    """The gradient of a bin's sum of weights 1/width shows how many positions it covers."""
    x = torch.zeros(1, 1, n, requires_grad=True)
    y = functional.adaptive_avg_pool1d(x, m)
    widths = set()
    for i in range(m):
        (slope,) = torch.autograd.grad(y[0, 0, i], x, retain_graph=True)
        widths.add(int((slope != 0).sum()))
    (one,) = found("F012", spec(f"1@{n}", f"{{adaptiveavgpool: {m}}}"))
    assert f"cover {' or '.join(map(str, sorted(widths)))} positions" in one.message
