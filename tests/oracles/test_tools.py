"""Runs the tools themselves, and compares with what cnncalc says they print, to the digit.

`pip install -e '.[test,tools]'` installs them in the versions whose rules were read; a tool
that is missing, or there in another version, is skipped. Networks are those of
torch_networks.py; then each type of module by itself, in one, two and three dimensions.
"""

import contextlib
import io
import warnings
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

torch = pytest.importorskip("torch", reason="the tools count PyTorch modules")
from torch import nn  # noqa: E402

import cnncalc  # noqa: E402
from cnncalc.analyses.conventions import compare  # noqa: E402
from tests.oracles.torch_networks import NETWORKS  # noqa: E402

VERSIONS = yaml.safe_load(
    (Path(__file__).parent.parent / "data" / "tool_figures.yaml").read_text()
)["versions"]

pytestmark = pytest.mark.filterwarnings("ignore")


def tool(name):
    """A tool's module, if it is there in the version that was read."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        module = pytest.importorskip(
            name.replace("fvcore", "fvcore.nn"),
            reason=f"{name} is not installed (pip install -e '.[tools]')",
            exc_type=ImportError,
        )
    version = Version(metadata.version(name)).public
    if version != str(VERSIONS[name]):
        pytest.skip(f"the rules are those of {name} {VERSIONS[name]}, {version} is installed")
    return module


def fvcore(model, x):
    found = tool("fvcore").FlopCountAnalysis(model, (x,))
    return found.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def thop(model, x):
    return tool("thop").profile(model, (x,), verbose=False)[0]


def ptflops(backend):
    def count(model, x):
        found, _ = tool("ptflops").get_model_complexity_info(
            model,
            tuple(x.shape[1:]),
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
            input_constructor=lambda _: {"x": x},
        )
        return found

    return count


def torchinfo(model, x):
    return tool("torchinfo").summary(model, input_data=x, verbose=0).total_mult_adds


def calflops(which):
    def count(model, x):
        return tool("calflops").calculate_flops(
            model, args=[x], print_results=False, output_as_string=False
        )[which]

    return count


def flop_counter(model, x):
    tool("torch")
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    return counter.get_total_flops()


TOOLS = {
    "fvcore": fvcore,
    "thop": thop,
    "ptflops (pytorch)": ptflops("pytorch"),
    "ptflops (aten)": ptflops("aten"),
    "torchinfo": torchinfo,
    "calflops MACs": calflops(1),
    "calflops FLOPs": calflops(0),
    "torch FlopCounterMode": flop_counter,
}


@pytest.fixture(autouse=True)
def torch_as_it_was():
    """A tool that fails leaves the functions that it replaced behind."""
    places = (torch, torch.nn.functional, torch.Tensor)
    before = [dict(vars(place)) for place in places]
    yield
    for place, names in zip(places, before, strict=True):
        for name, value in names.items():
            if vars(place)[name] is not value and callable(value):
                setattr(place, name, value)


class Model(nn.Module):
    """A model around a module; calflops and ptflops want at least one parameter."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        found = self.module(x)
        return found[0] if isinstance(found, tuple) else found


def measured(name, module, x):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return TOOLS[name](Model(module).eval(), x)


def said(network):
    rows = compare(cnncalc.analyze(network))
    return {f"{one.tool} {one.label}" if one.tool == "calflops" else one.tool: one for one in rows}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("by", TOOLS)
def test_networks(by, name):
    build, shape = NETWORKS[name]
    assert said(cnncalc.load(name))[by].value == measured(by, build(), torch.zeros(1, *shape))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_are_those_of_the_specs(name):
    build, _ = NETWORKS[name]
    with torch.device("meta"):
        parameters = sum(tensor.numel() for tensor in build().parameters())
    assert parameters == cnncalc.analyze(cnncalc.load(name)).totals.parameters


ONE, TWO, THREE = (6, 11), (6, 7, 10), (6, 5, 7, 8)

MODULES = [
    ("{conv: 8, kernel: 3}", lambda: nn.Conv1d(6, 8, 3), ONE),
    ("{conv: 8, kernel: 3, stride: 2, pad: 1, groups: 2}",
     lambda: nn.Conv2d(6, 8, 3, 2, 1, groups=2), TWO),
    ("{conv: 8, kernel: [3, 1], dilation: 2, bias: false}",
     lambda: nn.Conv2d(6, 8, (3, 1), dilation=2, bias=False), TWO),
    ("{conv: 8, kernel: 3}", lambda: nn.Conv3d(6, 8, 3), THREE),
    ("{depthwise: 3, multiplier: 2}", lambda: nn.Conv2d(6, 12, 3, groups=6), TWO),
    ("{separableconv: 5, kernel: 3}",
     lambda: nn.Sequential(nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.Conv2d(6, 5, 1)), TWO),
    ("{convtranspose: 4, kernel: 3, stride: 2, pad: 1, output_padding: 1}",
     lambda: nn.ConvTranspose2d(6, 4, 3, 2, 1, 1), TWO),
    ("{convtranspose: 4, kernel: 3, stride: 2, pad: 1, groups: 2}",
     lambda: nn.ConvTranspose1d(6, 4, 3, 2, 1, groups=2), ONE),
    ("{convtranspose: 4, kernel: 2, stride: 2, bias: false}",
     lambda: nn.ConvTranspose3d(6, 4, 2, 2, bias=False), THREE),
    ("{linear: 5}", lambda: nn.Linear(6, 5), (6,)),
    ("{linear: 5, bias: false}", lambda: nn.Linear(6, 5, bias=False), (6,)),
    *[(kind, make, TWO) for kind, make in (
        ("relu", nn.ReLU), ("relu6", nn.ReLU6), ("leakyrelu", nn.LeakyReLU), ("elu", nn.ELU),
        ("selu", nn.SELU), ("gelu", nn.GELU), ("silu", nn.SiLU), ("hardswish", nn.Hardswish),
        ("hardsigmoid", nn.Hardsigmoid), ("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh),
        ("softplus", nn.Softplus), ("dropout", nn.Dropout), ("flatten", nn.Flatten),
    )],
    ("prelu", lambda: nn.PReLU(6), TWO),
    ("{prelu: layer}", lambda: nn.PReLU(1), TWO),
    ("softmax", lambda: nn.Softmax(1), TWO),
    ("softmax", lambda: nn.Softmax(1), (6,)),
    ("logsoftmax", lambda: nn.LogSoftmax(1), TWO),
    *[(layer, make, shape) for shape, pools in (
        (ONE, (nn.MaxPool1d, nn.AvgPool1d, nn.LPPool1d)),
        (TWO, (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d)),
        (THREE, (nn.MaxPool3d, nn.AvgPool3d, nn.LPPool3d)),
    ) for layer, make in (
        ("{maxpool: 3, stride: 2, pad: 1, ceil: true}",
         lambda pool=pools[0]: pool(3, 2, 1, ceil_mode=True)),
        ("{avgpool: 3, stride: 2, pad: 1}", lambda pool=pools[1]: pool(3, 2, 1)),
        ("{lppool: 2}", lambda pool=pools[2]: pool(2, 2)),
    )],
    ("{maxpool: 2, stride: 1, pad: [[1, 0], [1, 0]]}",
     lambda: nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.MaxPool2d(2, 1)), TWO),
    ("{adaptiveavgpool: 4}", lambda: nn.AdaptiveAvgPool1d(4), ONE),
    ("{adaptiveavgpool: [3, 4]}", lambda: nn.AdaptiveAvgPool2d((3, 4)), TWO),
    ("{adaptiveavgpool: [4, 3]}", lambda: nn.AdaptiveAvgPool2d((4, 3)), TWO),
    ("{adaptiveavgpool: [2, 3, 3]}", lambda: nn.AdaptiveAvgPool3d((2, 3, 3)), THREE),
    ("{adaptivemaxpool: [3, 4]}", lambda: nn.AdaptiveMaxPool2d((3, 4)), TWO),
    ("globalavgpool", lambda: nn.AdaptiveAvgPool2d(1), TWO),
    ("globalavgpool", lambda: nn.AdaptiveAvgPool3d(1), THREE),
    ("globalmaxpool", lambda: nn.AdaptiveMaxPool1d(1), ONE),
    ("batchnorm", lambda: nn.BatchNorm1d(6), ONE),
    ("batchnorm", lambda: nn.BatchNorm2d(6), TWO),
    ("batchnorm", lambda: nn.BatchNorm3d(6), THREE),
    ("batchnorm", lambda: nn.BatchNorm1d(6), (6,)),
    ("{batchnorm: false}", lambda: nn.BatchNorm2d(6, affine=False), TWO),
    ("instancenorm", lambda: nn.InstanceNorm1d(6), ONE),
    ("{instancenorm: true, track: true}",
     lambda: nn.InstanceNorm2d(6, affine=True, track_running_stats=True), TWO),
    ("{groupnorm: 3}", lambda: nn.GroupNorm(3, 6), TWO),
    ("{groupnorm: 3, affine: false}", lambda: nn.GroupNorm(3, 6, affine=False), TWO),
    ("layernorm", lambda: nn.LayerNorm(TWO), TWO),
    ("{layernorm: all, bias: false}", lambda: nn.LayerNorm(TWO, bias=False), TWO),
    ("{layernorm: all, affine: false}", lambda: nn.LayerNorm(TWO, elementwise_affine=False), TWO),
    ("{lrn: 4}", lambda: nn.LocalResponseNorm(4), ONE),
    ("{lrn: 5}", lambda: nn.LocalResponseNorm(5), TWO),
    ("{lrn: 3}", lambda: nn.LocalResponseNorm(3), THREE),
    ("{upsample: 2}", lambda: nn.Upsample(scale_factor=2), ONE),
    ("{upsample: 2, mode: bilinear}", lambda: nn.Upsample(scale_factor=2, mode="linear"), ONE),
    ("{upsample: [2, 3]}", lambda: nn.Upsample(scale_factor=(2, 3)), TWO),
    ("{upsample: , size: [9, 20]}", lambda: nn.Upsample(size=(9, 20)), TWO),
    ("{upsample: 2, mode: bilinear}", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), TWO),
    ("{upsample: 2, mode: bicubic}", lambda: nn.Upsample(scale_factor=2, mode="bicubic"), TWO),
    ("{upsample: 2, mode: bilinear}", lambda: nn.Upsample(scale_factor=2, mode="trilinear"), THREE),
    ("{zeropad: 1}", lambda: nn.ZeroPad2d(1), TWO),
    ("{channelshuffle: 3}", lambda: nn.ChannelShuffle(3), TWO),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "make", "shape"), MODULES)
@pytest.mark.parametrize("by", TOOLS)
def test_modules(by, layer, make, shape):
    channels, *spatial = shape
    size = f"{channels}@{'x'.join(map(str, spatial))}" if spatial else f"{channels}"
    row = said(cnncalc.loads(f"input: {size}\nlayers: [{layer}]"))[by]
    if row.unknown:
        with pytest.raises(TypeError):
            measured(by, make(), torch.ones(1, *shape))
    else:
        assert row.value == measured(by, make(), torch.ones(1, *shape))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": False},
        {"layers": 2},
        {"bidirectional": True},
        {"layers": 2, "bidirectional": True},
    ],
)
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "by", [name for name in TOOLS if "aten" not in name and "torch F" not in name]
)
def test_recurrent_modules(by, kind, options):
    """What dispatch modes see of them depends on the kernel: cnncalc says so instead."""
    renamed = {"layers": "num_layers"}
    given = {renamed.get(name, name): value for name, value in options.items()}
    module = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind](6, 4, batch_first=True, **given)
    text = "".join(f", {name}: {str(value).lower()}" for name, value in options.items())
    row = said(cnncalc.loads(f"input: 6@9\nlayers: [{{{kind}: 4{text}}}]"))[by]
    assert row.value == measured(by, module, torch.ones(1, 9, 6))


@pytest.mark.parametrize("by", TOOLS)
def test_a_shared_module_counts_each_time_it_is_called(by):
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6)

        def forward(self, x):
            return self.norm(self.conv(self.norm(self.conv(x))))

    text = """{conv: 6, kernel: 3, name: a}, {batchnorm: , name: b},
              {conv: 6, kernel: 3, share: a}, {batchnorm: , share: b}"""
    row = said(cnncalc.loads(f"input: 6@7x10\nlayers: [{text}]"))[by]
    assert row.value == measured(by, Shared(), torch.ones(1, *TWO))


@pytest.mark.parametrize("by", ["thop", "torchinfo"])
def test_attention_is_not_counted(by):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, x):
            return self.inner(x, x, x)[0]

    assert said(cnncalc.loads("input: 6@9\nlayers: [{attention: 2}]"))[by].value == 0
    assert measured(by, Attention(), torch.ones(1, 9, 6)) == 0


@pytest.mark.parametrize("by", TOOLS)
def test_operators_on_tensors_are_not_counted(by):
    class Operators(nn.Module):
        def forward(self, x):
            return torch.cat([x + x, x * x], 1)[:, :4].flatten(1)

    assert measured(by, Operators(), torch.ones(1, *TWO)) == 0


def test_functions_change_what_ptflops_sees():
    """The stated assumption matters: a ReLU as a module counts twice, as a function once."""

    class Functional(nn.Module):
        def forward(self, x):
            return torch.nn.functional.relu(x)

    x = torch.ones(1, *TWO)
    assert measured("ptflops (pytorch)", nn.ReLU(), x) == 2 * 420
    assert measured("ptflops (pytorch)", Functional(), x) == 420
