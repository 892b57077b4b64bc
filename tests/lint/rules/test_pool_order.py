"""Pools that could be one, or could come before the activation."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import cnncalc
from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

PAIR = "O010"
LATE = "O011"


def mended(code: str, text: str) -> str:
    """The text with the safe fixes of one rule."""
    return fix(text, settings=Settings(select=(code,))).text


# O010 pool-after-pool


def test_two_max_pools():
    """The second sees 2 windows of 2, a stride of 2 apart: 4; its steps are 2*2."""
    assert_finds(
        PAIR,
        spec("8@32x32", "{maxpool: 2}", "«{maxpool: 2}»"),
        "maxpool2: together with maxpool1 a maxpool of kernel 4 and stride 4",
        help="write {maxpool: 4, stride: 4} for both",
    )
    (one,) = found(PAIR, spec("8@32x32", "{maxpool: [2, 3], stride: [1, 2]}", "{maxpool: 2}"))
    assert one.message.endswith("a maxpool of kernel 3x5 and stride 2x4")
    assert one.help == "write {maxpool: [3, 5], stride: [2, 4]} for both"


@pytest.mark.parametrize(
    ("k1", "s1", "k2", "s2"), list(itertools.product((2, 3), (1, 2, 3), (2, 3), (1, 2)))
)
@pytest.mark.parametrize(("kind", "pool"), [("maxpool", F.max_pool2d), ("avgpool", F.avg_pool2d)])
def test_pytorch_agrees(kind, pool, k1, s1, k2, s2):
    """Where a single pool is advised it gives the same; where none is, this one would not."""
    x = torch.randn(2, 3, 17, 20, dtype=torch.float64)
    text = spec("3@17x20", f"{{{kind}: {k1}, stride: {s1}}}", f"{{{kind}: {k2}, stride: {s2}}}")
    both = pool(pool(x, k1, s1), k2, s2)
    one = pool(x, k1 + (k2 - 1) * s1, s1 * s2)
    assert one.shape == both.shape
    assert bool(found(PAIR, text)) == torch.allclose(one, both)


@pytest.mark.parametrize(
    "lines",
    [
        ("{maxpool: 3, stride: 1, pad: 1}", "{maxpool: 3, stride: 1, pad: 1}"),
        ("{maxpool: 2}", "{avgpool: 2}"),
        ("{maxpool: 2}", "relu", "{maxpool: 2}"),
        ("{maxpool: 1}", "{maxpool: 2}"),  # G103's: it does nothing
        ("{maxpool: 2, ceil: true}", "{maxpool: 2}"),
        ("{maxpool: 2, dilation: 2}", "{maxpool: 2}"),
        ("{maxpool: 2}", "{adaptivemaxpool: 6}"),  # AlexNet, for other input sizes
        ("{maxpool: 2}", "globalavgpool"),
        ("{avgpool: 3, stride: 2}", "globalavgpool"),  # overlaps: the middle counts more
        ("{avgpool: 3}", "globalavgpool"),  # 32 = 3*10 + 2
        ("{maxpool: 3}", "globalmaxpool"),
        ("{maxpool: 2, stride: 3}", "globalmaxpool"),  # reads two of three
        ("{avgpool: 3, stride: 1}", "globalavgpool"),
        ("{maxpool: 3, stride: 1, pad: 1}", "globalmaxpool"),
    ],
)
def test_pools_that_are_not_one(lines):
    assert_clean(PAIR, spec("8@32x32", *lines))


def test_a_pyramid_reads_each_pool():
    """SPPF reads the first pool for itself as well."""
    text = spec("8@32x32", "{maxpool: 2}", "concat: [[{maxpool: 2}], [{avgpool: 2}]]")
    assert_clean(PAIR, text)


@pytest.mark.parametrize(
    ("kind", "line"),
    [("avg", "{avgpool: 2}"), ("max", "{maxpool: 2}"), ("max", "{maxpool: 3, stride: 1}")],
)
def test_before_a_global_pool(kind, line):
    text = spec("8@32x32", "relu", line, f"global{kind}pool") + "\n"
    (one,) = found(PAIR, text)
    name = f"{kind}pool1"
    assert one.message == (
        f"global{kind}pool1: pools all positions, so {name} before it changes nothing"
    )
    assert mended(PAIR, text) == text.replace(f"  - {line}\n", "")


def test_the_global_pool_gives_the_same():
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(F.avg_pool2d(x, 2).mean((2, 3)), x.mean((2, 3)))
    assert torch.equal(F.max_pool2d(x, 3, 1).amax((2, 3)), x.amax((2, 3)))


def test_symbols_and_vectors():
    text = spec("C@HxW", "{maxpool: 2}", "{maxpool: 2}")
    assert len(found(PAIR, text)) == 1  # true of every size
    assert_clean(PAIR, spec("C@HxW", "{maxpool: 2}", "globalmaxpool"))


# O011 activation-before-maxpool


def test_relu_before_the_pool():
    """64*32*32 = 65,536 values, of which a quarter stays."""
    text = spec("64@32x32", "{conv: 64, kernel: 3, pad: 1}", "«relu»", "{maxpool: 2}")
    assert_finds(
        LATE,
        text,
        "relu1: runs on 65,536 values, of which maxpool1 keeps 16,384",
        help="relu after maxpool1 gives the same",
    )
    plain = text.translate(str.maketrans("", "", "«»")) + "\n"
    assert mended(LATE, plain) == plain.replace(
        "  - relu\n  - {maxpool: 2}\n", "  - {maxpool: 2}\n  - relu\n"
    )


def test_alexnet_and_vgg_are_not_blamed_unasked():
    for name in ("alexnet", "vgg16"):
        assert "O011" not in {one.code for one in cnncalc.lint(cnncalc.load(name))}


RISING = {
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "{leakyrelu: 0.1}": nn.LeakyReLU(0.1),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "sigmoid": nn.Sigmoid(),
    "hardsigmoid": nn.Hardsigmoid(),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(),
}
NOT_RISING = {"gelu": nn.GELU(), "silu": nn.SiLU(), "hardswish": nn.Hardswish()}


@pytest.mark.parametrize("line", [*RISING, *NOT_RISING])
def test_pytorch_agrees_on_the_order(line):
    """Pairs of neighbouring values from -4 to 4, pooled by twos."""
    x = torch.linspace(-4, 4, 2000, dtype=torch.float64).reshape(1, 1, -1)
    function = {**RISING, **NOT_RISING}[line].double()
    same = torch.equal(F.max_pool1d(function(x), 2), function(F.max_pool1d(x, 2)))
    assert same == (line in RISING)
    assert bool(found(LATE, spec("8@32x32", line, "{maxpool: 2}"))) == same


@pytest.mark.parametrize(
    "lines",
    [
        ("{leakyrelu: -0.1}", "{maxpool: 2}"),
        ("{tanh: , slope: -1}", "{maxpool: 2}"),
        ("prelu", "{maxpool: 2}"),  # its slope may become negative
        ("relu", "{avgpool: 2}"),
        ("relu", "{maxpool: 3, stride: 1, pad: 1}"),  # as many values behind it
        ("relu", "add: [[{maxpool: 3, stride: 1, pad: 1}], []]"),
    ],
)
def test_no_change_of_places(lines):
    assert_clean(LATE, spec("8@32x32", *lines))


def test_the_places_of_the_maxima_are_kept_for_unpooling():
    text = spec("8@32x32", "relu", "{maxpool: 2, name: p}", "{maxunpool: 2, indices: p}")
    assert_clean(LATE, text)
