"""Figures against hand arithmetic; the derivation stands beside each."""

from fractions import Fraction

import pytest

from tests.homework.asked import asked, key

TEN_FILTERS = """
- id: ten-filters
  input: 3@32x32
  layers: [{conv: 10, kernel: 5, pad: 2}]
  parts: {output: , side: , channels: , features: , units: , parameters: , weights: , biases: ,
          macs: , multiplications: , flops: , fan_in: , activations: , trainable: , raw: , fits: }
"""

ASYMMETRIC = """
- id: asymmetric
  input: 2@7x10
  layers: [{conv: 3, kernel: [3, 4], stride: [2, 3], name: c}, {maxpool: 2, name: p}]
  parts:
    output: {of: c}
    height: {of: c}
    width: {of: c}
    receptive_field: {of: c}
    jump: {of: c}
    pooled: {ask: output, of: p}
    both: {ask: features, of: [c, p]}
    seen: {ask: receptive_field, of: p}
"""


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("output", (10, 32, 32)),  # (32 + 2*2 - 5)/1 + 1 = 32
        ("side", 32),
        ("channels", 10),
        ("features", 10 * 32 * 32),
        ("units", 10 * 32 * 32),
        ("parameters", 760),  # 10*(5*5*3 + 1)
        ("weights", 750),
        ("biases", 10),
        ("macs", 768_000),  # 32*32*750
        ("multiplications", 768_000),
        ("flops", 1_546_240),  # 2*768000 + 10240 biases added
        ("fan_in", 75),  # 5*5*3
        ("activations", 13_312),  # 3*32*32 + 10*32*32: the input is held too
        ("trainable", 760),
        ("raw", 32),
        ("fits", True),
    ],
)
def test_one_convolution(part, value):
    assert key(TEN_FILTERS, part) == value


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("output", (3, 3, 3)),  # (7-3)/2 + 1 = 3; (10-4)/3 + 1 = 3
        ("height", 3),
        ("width", 3),
        ("receptive_field", (3, 4)),
        ("jump", (2, 3)),
        ("pooled", (3, 1, 1)),  # (3-2)/2 + 1 = 1.5, rounded down
        ("both", (27, 3)),
        ("seen", (5, 7)),  # 3 + 1*2, 4 + 1*3
    ],
)
def test_axes_are_not_mixed_up(part, value):
    assert key(ASYMMETRIC, part) == value


def test_height_and_width_differ():
    question = """
- id: wide
  input: 1@9x20
  layers: [{maxpool: [2, 4]}]
  parts: {height: , width: , output: }
"""
    assert key(question, "height") == 4  # 9/2 rounded down
    assert key(question, "width") == 5
    assert key(question, "output", "conventions: {layout: HWC}") == (4, 5, 1)


def test_batch_stands_in_front_and_multiplies_operations():
    question = """
- id: batch
  batch: 10
  input: 3@32x32
  layers: [{conv: 64, kernel: 4, stride: 2}]
  parts: {output: , macs: , parameters: , activations: {of: conv1}}
"""
    assert key(question, "output") == (10, 64, 15, 15)  # (32-4)/2 + 1
    assert key(question, "output", "conventions: {layout: HWC}") == (10, 15, 15, 64)
    assert key(question, "macs") == 10 * 15 * 15 * 64 * 48
    assert key(question, "parameters") == 64 * 49
    assert key(question, "activations") == 10 * 64 * 15 * 15


def test_what_does_not_fit_under_each_convention():
    question = """
- id: misfit
  input: 1@7x7
  layers: [{conv: 1, kernel: 3, stride: 3}]
  parts: {side: , fits: , raw: , parameters: }
"""
    assert key(question, "raw") == Fraction(7, 3)  # (7-3)/3 + 1
    assert key(question, "fits") is False
    assert key(question, "side") == 2
    assert key(question, "side", "conventions: {fit: ceil}") == 3
    assert key(question, "side", "conventions: {fit: strict}") == "does not fit"
    assert key(question, "parameters", "conventions: {fit: strict}") == 10


def test_a_misfit_counts_only_before_the_layer_that_is_asked():
    question = """
- id: later
  input: 1@9x9
  layers: [{conv: 1, kernel: 3, name: a}, {maxpool: 2, name: b}]
  parts: {first: {ask: side, of: a}, second: {ask: side, of: b}}
"""
    strict = "conventions: {fit: strict}"
    assert key(question, "first", strict) == 7
    assert key(question, "second", strict) == "does not fit"  # 7 is odd


def test_ceil_applies_to_convolutions_and_pools_that_do_not_say():
    question = """
- id: ceil
  conventions: {fit: ceil}
  input: 1@8x8
  layers: [{conv: 1, kernel: 3, stride: 2, name: a}, {maxpool: 3, stride: 2, name: b},
           {maxpool: 2, ceil: false, name: c}]
  parts: {a: {ask: side, of: a}, b: {ask: side, of: b}, c: {ask: side, of: c}}
"""
    assert key(question, "a") == 4  # (8-3)/2 + 1 = 3.5
    assert key(question, "b") == 2  # (4-3)/2 + 1 = 1.5
    assert key(question, "c") == 1


def test_biases_by_convention_and_by_layer():
    question = """
- id: bias
  input: 3@8x8
  layers: [{conv: 4, kernel: 3, name: a}, {conv: 4, kernel: 3, bias: true, name: b}]
  parts: {a: {ask: parameters, of: a}, b: {ask: parameters, of: b}}
"""
    none = "conventions: {bias: false}"
    assert key(question, "a") == 112  # 4*(27 + 1)
    assert key(question, "a", none) == 108
    assert key(question, "b", none) == 148  # 4*(36 + 1): the layer says so itself


def test_batch_normalisation_counts_two_or_four():
    question = """
- id: bn
  input: 512
  layers: [batchnorm]
  parts: {parameters: , trainable: , buffers: }
"""
    four = "conventions: {batchnorm: 4}"
    assert key(question, "parameters") == 1024
    assert key(question, "parameters", four) == 2048
    assert key(question, "trainable", four) == 1024
    assert key(question, "buffers") == 1024


def test_lstm_biases():
    question = """
- id: lstm
  input: 10@5
  layers: [{lstm: 20}]
  ask: parameters
"""
    assert key(question) == 2480  # 4*(20*10 + 20*20 + 20): Keras
    assert key(question, "", "conventions: {lstm_biases: 2}") == 2560  # PyTorch


@pytest.mark.parametrize(
    ("unit", "width", "value"),
    [("B", 4, 802_816), ("KiB", 4, 784), ("kB", 4, Fraction("802.816")), ("MiB", 2, 0.3828125)],
)
def test_memory_of_one_output(unit, width, value):
    # 64*56*56 values, 4 bytes each: 802,816 B = 784 KiB
    question = """
- id: memory
  input: 3@227x227
  layers: [{conv: 64, kernel: 11, stride: 4, pad: 2}]
  ask: memory
  of: conv1
"""
    assert key(question, "", f"conventions: {{unit: {unit}, bytes: {width}}}") == value


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("activations", 16 + 48),  # relu works in place
        ("parameters", 3),
        ("both", 67),
        ("peak", 64),
    ],
)
def test_memory_of_a_network(what, values):
    question = f"""
- id: memory
  input: 1@4x4
  layers: [{{conv: 3, kernel: 1, bias: false}}, relu]
  ask: memory
  what: {what}
"""
    assert key(question) == 4 * values


def test_totals_and_blocks():
    question = """
- id: blocks
  input: 1@8x8
  blocks: {pair: {layers: [{conv: 2, kernel: 3, pad: 1}, {conv: 1, kernel: 1}]}}
  layers: [{pair: , name: p}, {pair: , name: q}]
  parts: {all: {ask: parameters}, p: {ask: parameters, of: p}, side: {of: p}}
"""
    assert key(question, "p") == 20 + 3  # 2*(9 + 1) + 1*(2 + 1)
    assert key(question, "all") == 46
    assert key(question, "side") == 8


def test_depth_and_number_of_layers():
    question = """
- id: depth
  input: 4@8x8
  layers:
    - {conv: 4, kernel: 1}
    - add:
        - [{conv: 4, kernel: 3, pad: 1}, batchnorm, {conv: 4, kernel: 3, pad: 1}]
        - [{conv: 4, kernel: 1}]
    - flatten
    - {linear: 2}
  parts: {depth: , layers: , convs: {ask: layers, kinds: conv}}
"""
    assert key(question, "depth") == 4  # the longer branch has two
    assert key(question, "layers") == 5
    assert key(question, "convs") == 4


def test_a_packaged_network_is_as_its_source_has_it():
    question = """
- id: vgg
  network: vgg19
  parts:
    parameters:
    fc: {ask: parameters, of: linear1}
    seen: {ask: receptive_field, of: maxpool5}
"""
    assert key(question, "parameters") == 143_667_240
    assert key(question, "fc") == 4_097_000  # 4096*1000 + 1000
    # 2 convs and a pool: 1 + 4 + 1 = 6; at twice the step 6 + 8 + 2 = 16; then 4 convs each:
    # 16 + 32 + 4 = 52; 52 + 64 + 8 = 124; 124 + 128 + 16 = 268
    assert key(question, "seen") == 268


def test_operations_are_macs_or_flops():
    question = TEN_FILTERS.replace("macs: ,", "operations: , macs: ,")
    assert key(question, "operations") == 768_000
    assert key(question, "operations", "conventions: {operations: flops}") == 1_546_240


def test_symbols():
    question = """
- id: symbols
  symbols: [K, F, P, S]
  input: D@WxW
  layers: [{conv: K, kernel: F, pad: P, stride: S}]
  parts: {raw: , weights: , biases: }
"""
    from sympy import Symbol, simplify

    F, P, S, W, D, K = (Symbol(n, integer=True, positive=True) for n in "FPSWDK")
    assert simplify(key(question, "raw") - ((W - F + 2 * P) / S + 1)) == 0
    assert simplify(key(question, "weights") - F * F * D * K) == 0
    assert asked(question, "biases").sort == "expression"
    assert key(question, "biases") == K


def test_several_layers_are_a_list():
    question = """
- id: list
  input: 3@64x64
  layers: [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 16, kernel: 3}]
  parts: {parameters: {of: [conv1, maxpool1, conv2]}, output: {of: [conv1, maxpool1]}}
"""
    assert key(question, "parameters") == (608, 0, 1168)
    assert key(question, "output") == ((8, 60, 60), (8, 30, 30))
    assert asked(question, "parameters").shown == "[608, 0, 1168]"
