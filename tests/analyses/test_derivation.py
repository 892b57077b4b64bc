"""Derivations: they arrive at the analysis' figures, and their arithmetic holds by itself.

`value` evaluates a line with exact fractions and knows nothing of the package.
"""

import ast
import math
import operator
import time
from fractions import Fraction
from pathlib import Path

import pytest

import cnncalc
from cnncalc.analyses.derivation import ADDITIVE, FIGURES, Derivation, Explainer
from cnncalc.analyses.derivations.step import combined, put
from cnncalc.layers import KINDS

SPECS = sorted((Path(__file__).parent.parent.parent / "specs").glob("*.yaml"))

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS = {
    "floor": math.floor,
    "ceil": math.ceil,
    "max": max,
    "min": min,
    "gcd": lambda a, b: math.gcd(int(a), int(b)),
}


def value(text: str) -> Fraction:
    """A line of arithmetic, as a student would work it out; names are an error."""

    def of(node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int(number)):
                return Fraction(number)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -of(operand)
            case ast.BinOp(left=left, op=sign, right=right):
                return Fraction(_OPERATORS[type(sign)](of(left), of(right)))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return Fraction(_FUNCTIONS[name](*map(of, arguments)))
        raise AssertionError(f"no arithmetic: {text}")

    return of(ast.parse(text, mode="eval").body)


def test_the_evaluator() -> None:
    assert value("floor((227 + 2*0 - 11)/4) + 1") == 55
    assert value("-2 + (4 - 1)/2") == Fraction(-1, 2)
    with pytest.raises(AssertionError):
        value("kernel - 1")


def explainer(text: str) -> Explainer:
    return Explainer(cnncalc.analyze(cnncalc.loads(text)))


def only(layer: str, input: str = "8@9x9", figure: str = "output") -> Derivation:
    """The derivation of a figure of one layer."""
    made = explainer(f"input: {input}\nlayers:\n  - {layer}\n")
    return made.derive(made.analysis.layers[-1], figure)


def lines(derived: Derivation, axis: str | None = None) -> list[tuple[str, str, object]]:
    return [step[:3] for step in derived.steps if axis is None or step.axis == axis]


def check(made: Explainer) -> None:
    """Every derivation of a network ends in the analysis' figure; every line is true."""
    for layer in made.analysis.layers:
        derived = {figure: made.derive(layer, figure) for figure in FIGURES}
        for one in derived.values():
            for step in one.steps:
                assert value(step.numbers) == step.result, (layer.name, step)
                assert step.quantity
        shape = layer.output
        named = "channels" if shape.rank else "features"
        assert derived["output"].values()[named] == shape.channels
        axes = list(dict.fromkeys(step.axis for step in derived["output"].steps if step.axis))
        assert [derived["output"].values(axis)["out"] for axis in axes] == list(shape.spatial)
        assert derived["output"].values().get("regions", 1) == shape.regions
        assert derived["parameters"].result == layer.parameters
        assert derived["macs"].result == layer.macs
        assert derived["flops"].result == layer.flops
        assert derived["memory"].result == 4 * shape.elements
        check_field(derived["receptive_field"], layer)


def check_field(derived: Derivation, layer: cnncalc.LayerAnalysis) -> None:
    field = layer.receptive_field
    names = list(dict.fromkeys(step.axis for step in derived.steps))
    assert field is not None
    assert len(names) == len(field.axes)
    for name, axis in zip(names, field.axes, strict=True):
        found = derived.values(name)
        assert found["size'"] == axis.size
        assert found["stride'"] == axis.stride
        assert found["start'"] == axis.start
        assert found["center'"] == axis.center


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_layer_of_every_network(path: Path) -> None:
    made = Explainer(cnncalc.analyze(cnncalc.load(path)))
    check(made)
    totals, figures = made.analysis.totals, dict(zip(ADDITIVE, made.totals(), strict=True))
    assert figures["parameters"].result == totals.parameters
    assert figures["macs"].result == totals.macs
    assert figures["flops"].result == totals.flops
    assert figures["memory"].result == totals.activation_bytes
    for one in figures.values():
        assert sum(term.value for term in one.terms) == one.result


# At least one use of every kind, in the ways that change its formulas.
LAYERS = {
    "conv": [
        "{conv: 6, kernel: [3, 5], stride: [2, 1], pad: [[1, 2], [0, 1]], dilation: [2, 1]}",
        "{conv: 4, kernel: 3, stride: 2, pad: same, groups: 4, bias: false}",
        "{conv: 2, kernel: 1, connections: [[0, 1, 2], [4]]}",
        "{conv: 3, kernel: 1, stride: 3}",
        "{conv: 3, kernel: 2, stride: 5, pad: same}",
    ],
    "depthwise": ["{depthwise: 3, stride: 2, multiplier: 3}", "{depthwise: 3, bias: false}"],
    "separableconv": ["{separableconv: 4, kernel: 3, multiplier: 2}"],
    "convtranspose": [
        "{convtranspose: 4, kernel: 3, stride: 2, pad: 1, output_padding: 1, groups: 2}",
        "{convtranspose: 4, kernel: 3, stride: 2, pad: [[0, 1], 1], dilation: 2}",
        "{convtranspose: 4, kernel: 2, stride: 5, pad: same}",
    ],
    "anchorhead": ["{anchorhead: 9, values: 4, kernel: 3}"],
    "maxpool": [
        "{maxpool: 2}",
        "{maxpool: 3, stride: 2, pad: 1, ceil: true}",
        "{maxpool: 2, stride: 3, pad: 1, ceil: true}",
    ],
    "avgpool": ["{avgpool: [3, 2], stride: [2, 3]}"],
    "lppool": ["{lppool: 3}"],
    "subsample": ["{subsample: 2}"],
    "globalavgpool": ["globalavgpool"],
    "globalmaxpool": ["globalmaxpool"],
    "adaptiveavgpool": ["{adaptiveavgpool: [4, 5]}", "{adaptiveavgpool: 3}"],
    "adaptivemaxpool": ["{adaptivemaxpool: 4}"],
    "maxunpool": ["{maxunpool: 2}", "{maxunpool: 2, size: 19}", "{maxunpool: 3, stride: 2}"],
    "roipool": ["{roipool: 7, regions: 10}"],
    "roialign": ["{roialign: [7, 5], regions: 10}"],
    "psroipool": ["{psroipool: 2, regions: 10}"],
    "upsample": [
        "{upsample: [2, 3]}",
        "{upsample: , size: 17, mode: bilinear}",
        "{upsample: 2, mode: bicubic}",
    ],
    "zeropad": ["{zeropad: [[0, 1], 2], channels: [1, 3]}"],
    "crop": ["{crop: [4, 5]}", "{crop: 4, offset: [1, 2]}"],
    "pixelshuffle": ["{pixelshuffle: 2}"],
    "channelshuffle": ["{channelshuffle: 2}"],
    "slice": ["{slice: [2, 5]}"],
    "split": ["{split: 2, part: 1}", "{split: [3, 5], part: 1}"],
    "linear": ["{linear: 5, per_position: true}", "{linear: 5, per_position: true, bias: false}"],
    "flatten": ["flatten"],
    "reshape": ["{reshape: 72@9}", "{reshape: 648}"],
    "permute": ["{permute: [2, 0, 1]}"],
    "embedding": ["flatten\n  - {embedding: 3, vocabulary: 50}"],
    "attention": ["{attention: 2}", "{attention: 2, bias: false}"],
    "rnn": ["{reshape: 72@9}\n  - {rnn: 5, sequence: false, bias: false}"],
    "lstm": ["{reshape: 72@9}\n  - {lstm: 5, layers: 3, bidirectional: true}"],
    "gru": ["{reshape: 72@9}\n  - {gru: 5, recurrent_bias: false}"],
    "prelu": ["prelu", "{prelu: layer}"],
    "tanh": ["tanh", "{tanh: , scale: 1.7159, slope: 0.6667}"],
    "maxout": ["{maxout: 4}"],
    "batchnorm": ["batchnorm", "{batchnorm: false}"],
    "layernorm": ["layernorm", "{layernorm: channels}", "{layernorm: all, bias: false}"],
    "groupnorm": ["{groupnorm: 4}"],
    "instancenorm": ["instancenorm", "{instancenorm: true, track: true}"],
    "add": ["add: [[relu], [], [tanh]]"],
    "mul": ["mul: [[], [globalavgpool]]"],
    "concat": [f"concat: [{', '.join(['[]'] * 7)}, [{{conv: 3, kernel: 3, pad: 1}}]]"],
}
SINGLE = [(kind, text) for kind in KINDS for text in LAYERS.get(kind, [kind])]


@pytest.mark.parametrize(("kind", "text"), SINGLE, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("input", ["8@9x9", "8@11x11"])
def test_every_kind_of_layer(kind: str, text: str, input: str) -> None:
    if "reshape" in text and input != "8@9x9":
        text = text.replace("72@9", "88@11").replace("{reshape: 648}", "{reshape: 968}")
    made = explainer(f"input: {input}\nlayers:\n  - {text}\n")
    assert made.analysis.layers[-1].kind == kind
    check(made)


@pytest.mark.parametrize(
    "text",
    [
        # 1-D and 3-D; regions before weights; several inputs; weights shared.
        "input: 4@31\nlayers: [{conv: 8, kernel: 5, stride: 2, dilation: 2}, {maxpool: 2}]",
        "input: 1@16x20x24\nlayers: [{conv: 8, kernel: [3, 5, 7], pad: same, stride: 2}, flatten]",
        "input: 8@20x20\nlayers:\n  - {roialign: 7, regions: 9}\n  - {conv: 4, kernel: 3}\n"
        "  - {convtranspose: 4, kernel: 2, stride: 2}\n  - {adaptiveavgpool: 3}\n  - flatten\n"
        "  - {linear: 5}",
        "input: {a: 3@8x8, b: 3@8x8}\nlayers:\n  - {conv: 4, kernel: 3, from: b, name: x}\n"
        "  - {conv: 4, kernel: 3, from: a, name: y}\n  - add: [x, y]\n",
        "input: 3@32x32\nlayers:\n  - add: [[{conv: 4, kernel: 3, stride: 2, pad: 1}],"
        " [{conv: 4, kernel: 2, stride: 2}]]\n  - {upsample: 2, mode: bilinear}\n"
        "  - concat: [[{conv: 4, kernel: 3, pad: 1}], [{convtranspose: 2, kernel: 1}]]\n"
        "  - {maxpool: 2}\n  - globalavgpool\n  - mul: [[], [sigmoid]]\n",
    ],
)
def test_networks_in_which_figures_meet(text: str) -> None:
    check(explainer(text))


def test_alexnet_conv1_by_hand() -> None:
    """CS231n: 227x227x3, 96 filters of 11x11 at stride 4: (227 - 11)/4 + 1 = 55, 35K weights."""
    made = Explainer(cnncalc.analyze(cnncalc.load("alexnet_227")))
    layer = made.layer("conv1")
    assert lines(made.derive(layer, "output"), "height") == [
        ("out = floor((n + 2*pad - kernel)/stride) + 1", "floor((227 + 2*0 - 11)/4) + 1", 55)
    ]
    assert made.derive(layer, "output").steps[1].note == "exact: nothing is left over"
    assert lines(made.derive(layer, "parameters")) == [
        ("weight = filters*C*kernel_h*kernel_w", "96*3*11*11", 34848),
        ("bias = filters", "96", 96),
        ("parameters = weight + bias", "34848 + 96", 34944),
    ]
    assert lines(made.derive(layer, "macs"))[-1] == (
        "MACs = outputs*products",
        "290400*363",  # 96*55*55 outputs of 3*11*11 products
        105415200,
    )
    assert lines(made.derive(layer, "receptive_field"), "width") == [
        ("size' = size + stride*(k - 1)", "1 + 1*(11 - 1)", 11),
        ("stride' = stride*s", "1*4", 4),
        ("start' = start - stride*p", "0 - 1*0", 0),
        ("center' = start' + (size' - 1)/2", "0 + (11 - 1)/2", 5),
    ]
    assert lines(made.derive(layer, "memory"))[-1] == ("bytes = 4*elements", "4*290400", 1161600)


def test_lost_pixels_and_lost_padding_are_told_apart() -> None:
    pixels = only("{conv: 1, kernel: 3, stride: 3}", "1@7x7")
    assert lines(pixels, "height")[-1] == ("unread = n + 2*pad - end", "7 + 2*0 - 6", 1)
    assert pixels.steps[-1].note == "the last position of the input is never read"
    # The stem of a ResNet: 224 + 6 - 7 = 223 is odd, one row of padding is left over.
    padding = only("{conv: 64, kernel: 7, stride: 2, pad: 3}", "3@224x224")
    assert padding.steps[-1].note == "padding at the end that is never read: no pixel is lost"
    # 13 positions behind a 1x1 window at stride 3 that ends at 13 of 15.
    apart = only("{conv: 1, kernel: 1, stride: 3}", "1@15x15")
    assert apart.steps[-1].note.startswith("no more than lies between two windows")
    several = only("{conv: 1, kernel: 3, stride: 5}", "1@12x12")
    assert several.steps[-1].note == "the last 4 positions of the input are never read"


def test_a_pool_that_rounds_up() -> None:
    """(112 - 3)/2 = 54.5 gives 56 windows, the last of which needs 113 positions."""
    hanging = only("{maxpool: 3, stride: 2, ceil: true}", "64@112x112")
    assert lines(hanging, "height") == [
        ("out = ceil((n + 2*pad - kernel)/stride) + 1", "ceil((112 + 2*0 - 3)/2) + 1", 56),
        ("end = (out - 1)*stride + kernel", "(56 - 1)*2 + 3", 113),
        ("overhang = end - (n + 2*pad)", "113 - (112 + 2*0)", 1),
    ]
    # docs/conventions.md: 20 windows, but the last would start at 57, after the map.
    dropped = only("{maxpool: 2, stride: 3, pad: 1, ceil: true}", "64@56x56")
    assert lines(dropped, "height")[:3] == [
        ("windows = ceil((n + 2*pad - kernel)/stride) + 1", "ceil((56 + 2*1 - 2)/3) + 1", 20),
        ("last = (windows - 1)*stride", "(20 - 1)*3", 57),
        ("out = windows - 1", "20 - 1", 19),
    ]


def test_same_padding_says_where_the_padding_goes() -> None:
    derived = only("{conv: 64, kernel: 7, stride: 2, pad: same}", "3@224x224")
    assert lines(derived, "width") == [
        ("out = ceil(n/stride)", "ceil(224/2)", 112),
        ("pads = max((out - 1)*stride + kernel - n, 0)", "max((112 - 1)*2 + 7 - 224, 0)", 5),
        ("before = floor(pads/2)", "floor(5/2)", 2),
        ("after = pads - before", "5 - 2", 3),
    ]
    assert "TensorFlow" in derived.convention


def test_a_dilated_window_is_widened_first() -> None:
    derived = only("{conv: 1, kernel: 3, dilation: 4, pad: [[4, 2], 0]}", "1@20x20")
    assert lines(derived, "height") == [
        ("span = dilation*(kernel - 1) + 1", "4*(3 - 1) + 1", 9),
        (
            "out = floor((n + before + after - span)/stride) + 1",
            "floor((20 + 4 + 2 - 9)/1) + 1",
            18,
        ),
    ]


def test_a_transposed_convolution() -> None:
    derived = only("{convtranspose: 8, kernel: 3, stride: 2, pad: 1, output_padding: 1}", "8@2x2")
    assert lines(derived, "height") == [
        ("out = (n - 1)*stride - 2*pad + kernel + output_padding", "(2 - 1)*2 - 2*1 + 3 + 1", 4)
    ]


def test_lenet5_c3_counts_its_connections() -> None:
    """LeCun et al. 1998, table I: 6 maps read 3, 9 read 4, one reads 6: 60*25 + 16 = 1516."""
    made = Explainer(cnncalc.analyze(cnncalc.load("lenet5")))
    derived = made.derive(made.layer("C3"), "parameters")
    assert derived.steps[0].result == 6 * 3 + 9 * 4 + 6
    assert lines(derived)[1] == ("weight = connections*kernel_h*kernel_w", "60*5*5", 1500)
    assert derived.result == 1516


def test_grouped_weights() -> None:
    """AlexNet's conv2 in two groups: 256 filters over 48 of 96 maps."""
    derived = only("{conv: 256, kernel: 5, pad: 2, groups: 2}", "96@27x27", "parameters")
    assert lines(derived)[0] == (
        "weight = filters*(C/groups)*kernel_h*kernel_w",
        "256*(96/2)*5*5",
        307200,
    )


def test_an_lstm_by_hand() -> None:
    """Four gates of 20 units over 10 features and 20 states: 4*20*30 weights, 2*80 biases."""
    derived = only("{lstm: 20}", "10@35", "parameters")
    assert lines(derived) == [
        ("input = gates*hidden*features", "4*20*10", 800),
        ("recurrent = gates*hidden*hidden", "4*20*20", 1600),
        ("bias = vectors*gates*hidden", "2*4*20", 160),
        ("parameters = directions*(input + recurrent + bias)", "1*(800 + 1600 + 160)", 2560),
    ]


def test_concat_adds_channels_and_joins_fields() -> None:
    made = explainer(
        "input: 3@32x32\nlayers:\n  - concat: [[{conv: 4, kernel: 3, pad: 1}], "
        "[{conv: 8, kernel: 5, pad: 2}], [{conv: 2, kernel: 1}]]\n"
    )
    layer = made.analysis.layers[-1]
    assert lines(made.derive(layer, "output"))[0] == (
        "channels = C_1 + C_2 + C_3",
        "4 + 8 + 2",
        14,
    )
    assert lines(made.derive(layer, "receptive_field"), "height")[:3] == [
        ("start' = min(start_1, start_2, start_3)", "min(-1, -2, 0)", -2),
        ("end = max(end_1, end_2, end_3)", "max(-1 + 3, -2 + 5, 0 + 1)", 3),
        ("size' = end - start'", "3 - (-2)", 5),
    ]


def test_misaligned_paths_are_named() -> None:
    made = explainer(
        "input: 3@32x32\nlayers:\n  - add: [[{conv: 4, kernel: 2, stride: 2}], "
        "[{conv: 4, kernel: 1, stride: 2}]]\n"
    )
    derived = made.derive(made.analysis.layers[-1], "receptive_field")
    # Windows of 2 have their centre between two pixels, those of 1 on the first.
    assert derived.steps[-1].note == "the paths that meet are misaligned: centres 1/2, 0"


def test_a_transposed_field_is_that_of_the_largest_unit() -> None:
    """Kernel 3, stride 2: even outputs read two inputs, odd ones one (no padding)."""
    derived = only("{convtranspose: 1, kernel: 3, stride: 2}", "1@8x8", "receptive_field")
    found = derived.values("height")
    assert (found["first"], found["last"], found["size'"]) == (-1, 0, 2)
    assert found["stride'"] == Fraction(1, 2)


def test_shared_weights_and_buffers_are_said() -> None:
    made = explainer(
        "input: 8@8x8\nlayers:\n  - {conv: 8, kernel: 3, pad: 1, name: first}\n"
        "  - {conv: 8, kernel: 3, pad: 1, share: first, name: second}\n  - batchnorm\n"
    )
    shared = made.derive(made.layer("second"), "parameters")
    assert lines(shared) == [("parameters = 0", "0", 0)]
    assert shared.steps[0].note == "its weights are those of first, and counted there"
    norm = made.derive(made.layer("batchnorm1"), "parameters")
    assert norm.steps[-1].note == "beside them 16 buffers, which are not trained"
    check(made)


def test_a_vector_input_has_no_field() -> None:
    made = explainer("input: 10\nlayers: [{linear: 4}]")
    assert made.derive(made.analysis.layers[0], "receptive_field").steps == ()
    assert made.derive(made.analysis.layers[0], "receptive_field").result is None


def test_an_unknown_layer() -> None:
    with pytest.raises(KeyError):
        explainer("input: 10\nlayers: [relu]").layer("relu2")


# Symbols


@pytest.mark.parametrize(
    "text",
    [
        "{conv: C, kernel: 3, pad: 1}",
        "{conv: 2*C, kernel: 7, stride: 2, pad: 3, bias: false}",
        "{conv: 8, kernel: 3, stride: 2, pad: same}",
        "{depthwise: 3, stride: 2}",
        "{convtranspose: 4, kernel: 4, stride: 2, pad: 1}",
        "{maxpool: 3, stride: 2, ceil: true}",
        "{upsample: 2, mode: bilinear}",
        "flatten\n  - {linear: 10}",
        "globalavgpool",
        "{adaptiveavgpool: 4}",
        "batchnorm",
        "softmax",
        "concat: [[], [{conv: 4, kernel: 1}]]",
        "mul: [[], [globalavgpool, sigmoid]]",
        "{crop: 4}",
        "{slice: [0, 2]}",
        "{maxout: 2}",
    ],
)
def test_symbols_go_through_the_same_formulas(text: str) -> None:
    import sympy

    made = explainer(f"input: C@HxW\nlayers:\n  - {text}\n")
    names = {name: sympy.Symbol(name, integer=True, positive=True) for name in "CHW"}
    names |= {"ceil": sympy.ceiling, "max": sympy.Max, "min": sympy.Min}
    for layer in made.analysis.layers:
        for figure in FIGURES:
            derived = made.derive(layer, figure)
            for step in derived.steps:
                shown = sympy.sympify(step.numbers, locals=names)
                # Numbers stand in for the symbols: both sides must agree at several of them.
                for c, h, w in ((2, 32, 40), (6, 33, 47), (4, 65, 32)):
                    at = {names["C"]: c, names["H"]: h, names["W"]: w}
                    assert shown.subs(at) == sympy.sympify(step.result).subs(at), step
            if figure in ("parameters", "macs", "flops"):
                assert sympy.expand(derived.result - getattr(layer, figure)) == 0


def test_three_3x3_against_one_7x7() -> None:
    """CS231n: 3*(C*(3*3*C)) = 27 C^2 weights against C*(7*7*C) = 49 C^2."""
    stack = explainer(
        "input: C@HxW\nlayers:\n" + "  - {conv: C, kernel: 3, pad: 1, bias: false}\n" * 3
    )
    assert str(stack.totals()[0].result) == "27*C**2"
    one = only("{conv: C, kernel: 7, pad: 3, bias: false}", "C@HxW", "parameters")
    assert lines(one)[0][:2] == ("weight = filters*C*kernel_h*kernel_w", "C*C*7*7")
    assert str(one.result) == "49*C**2"


# The parts


def test_numbers_are_put_in_so_that_they_hold_together() -> None:
    assert put("x = a - b*c", {"a": -1, "b": -2, "c": Fraction(1, 2)}, 0).numbers == (
        "-1 - (-2)*(1/2)"
    )
    assert put("x = a**2", {"a": -3}, 9).numbers == "(-3)**2"
    assert put("x = a", {"a": Fraction(-1, 2)}, Fraction(-1, 2)).numbers == "-1/2"


def test_long_sums_are_shortened_in_symbols_only() -> None:
    step = combined("channels", "C", [1, 2, 3, 4, 5], 15, "+")
    assert step.formula == "channels = C_1 + ... + C_5"
    assert step.numbers == "1 + 2 + 3 + 4 + 5"


def test_large_networks_take_bounded_time() -> None:
    made = explainer(
        f"input: 4@8x8\nlayers:\n  - concat: [{', '.join(['[relu]'] * 500)}]\n"
        "  - {reshape: 2000@64}\n  - {lstm: 5, layers: 1000, bidirectional: true}\n"
    )
    began = time.perf_counter()
    check(made)
    assert time.perf_counter() - began < 60
    assert len(made.derive(made.layer("lstm1"), "parameters").steps) == 5
