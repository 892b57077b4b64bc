"""Questions about one convolution: its shape, its fit, its parameters.

Each function answers a question in the form of the file's `answer`.
"""

from typing import Any

from cnncalc import Shape, lint
from cnncalc.layers import layer_class
from cnncalc.notation import format_shape, symbol
from cnncalc.window import Window, fit, fitting_paddings
from tests.questions.building import (
    Question,
    analysed,
    conv,
    hwc,
    last,
    network,
    settings,
    side,
    square,
    volume,
)

# Shapes


def conv_shape(question: Question) -> Any:
    """The side, or the volume H,W,C."""
    givens = question["givens"]
    if "n" in givens:
        return side(last(analysed(square(givens["n"]), [conv(givens)])))
    return hwc(last(analysed(volume(givens["in"]), [conv(givens)])).output)


def conv_shape_and_parameters(question: Question) -> Any:
    layer = last(analysed(volume(question["givens"]["in"]), [conv(question["givens"])]))
    return {"shape": hwc(layer.output), "params": layer.parameters}


def conv_strict_fit(question: Question) -> Any:
    """CS231n calls a setting invalid whose division is not exact: our rule F001."""
    givens = question["givens"]
    found = {diagnostic.code for diagnostic in lint(network(square(givens["n"]), [conv(givens)]))}
    return "does not fit" if "F001" in found else "fits"


def conv_floor_and_quotient(question: Question) -> Any:
    """What is rounded down, from how the windows lie: whole ones and the part of a stride left."""
    givens = question["givens"]
    lying = fit(givens["n"], Window(givens["k"], givens["s"], givens["p"], givens["p"]))
    return {
        "raw": lying.extent + lying.unread / givens["s"],
        "floor": side(last(analysed(square(givens["n"]), [conv(givens)]))),
    }


def conv_repeated_sides(question: Question) -> Any:
    """The slide shows the first sides of the chain only."""
    givens = question["givens"]
    analysis = analysed(square(givens["n"]), [conv(givens, repeat=givens["repeat"])])
    return [side(layer) for layer in analysis.layers][: len(question["answer"])]


def conv_batch_shape(question: Question) -> Any:
    """N,C,H,W: the batch is no part of our shapes and passes through."""
    givens = question["givens"]
    batch, channels, *spatial = givens["in"]
    output = last(analysed(Shape(channels, tuple(spatial)), [conv(givens)])).output
    return [batch, output.channels, *output.spatial]


def conv_batch_shapes_of_settings(question: Question) -> Any:
    """Settings written in the question as (k3,s1,p1), for (i), (ii), ..."""
    batch, channels, *spatial = question["givens"]["in"]
    answers = {}
    for roman, setting in zip(("i", "ii"), settings(question["question"]), strict=True):
        layer = conv({**question["givens"], **setting})
        output = last(analysed(Shape(channels, tuple(spatial)), [layer])).output
        answers[roman] = [batch, output.channels, *output.spatial]
    return answers


def conv_same_symbolic_filters(question: Question) -> Any:
    """m filters of n x n with the padding that keeps the size, both unknown."""
    n, m = symbol("n"), symbol("m")
    givens = question["givens"]
    layer = layer_class("conv")(
        filters=m, kernel=n, stride=givens["s"], pad=givens["padding"], bias=True
    )
    return format_shape(layer.output((volume(givens["in"]),)), "hwc").replace("x", " x ")


def conv_half_resolution(question: Question) -> Any:
    """D1 maps of half the size: any layer of stride 2 with padding `same`. C,H,W layout."""
    channels, *spatial = question["givens"]["in"]
    layer = layer_class("conv")(filters=symbol("D1"), kernel=3, stride=2, pad="same")
    output = layer.output((Shape(channels, tuple(spatial)),))
    return [str(output.channels), *output.spatial]


def conv_zfnet(question: Question) -> Any:
    """No symmetric padding fits; the file's convention is the padding of 1, rounded down."""
    givens = question["givens"]
    assert fitting_paddings(givens["n"], Window(givens["k"], givens["s"]), givens["k"]) == []
    assert "needs pad 1 and floor" in question["convention"]
    return side(last(analysed(square(givens["n"]), [conv(givens, pad=1)])))


# Parameters


def _conv_layer(givens: Any, **more: Any) -> Any:
    """A convolution on a map of the right channels whose extents do not matter."""
    if "in" in givens:
        return last(analysed(volume(givens["in"]), [conv(givens, **more)]))
    rank = len(givens["k"]) if isinstance(givens["k"], list) else 2
    extents = "x".join("DHW"[-rank:])
    return last(analysed(f"{givens['c_in']}@{extents}", [conv(givens, **more)]))


def conv_parameters(question: Question) -> Any:
    return _conv_layer(question["givens"]).parameters


def conv_one_by_one(question: Question) -> Any:
    """The dot product is one multiply-accumulate per weight of a filter, at each output."""
    on_a_pixel = last(analysed(square(1, question["givens"]["c_in"]), [conv(question["givens"])]))
    return {
        "dot": on_a_pixel.macs // on_a_pixel.output.elements,
        "weights": _conv_layer(question["givens"], bias=False).parameters,
        "params": on_a_pixel.parameters,
    }


def conv_3d(question: Question) -> Any:
    """C,D,H,W layout."""
    channels, *spatial = question["givens"]["in"]
    layer = last(analysed(Shape(channels, tuple(spatial)), [conv(question["givens"])]))
    return {"params": layer.parameters, "out": [layer.output.channels, *layer.output.spatial]}


def conv_then_pool(question: Question) -> Any:
    """ "then 2/2 pool"."""
    analysis = analysed(
        volume(question["givens"]["in"]), [conv(question["givens"]), {"maxpool": 2}]
    )
    first, second = analysis.layers
    return {
        "params": analysis.totals.parameters,
        "conv": hwc(first.output),
        "pool": hwc(second.output),
    }


def conv_parameters_not_per_position(question: Question) -> Any:
    """The published answer multiplies by the positions; weights are shared over all of them."""
    givens = question["givens"]
    layer = last(analysed(volume((*givens["out"], givens["c_in"])), [conv(givens, pad="same")]))
    assert list(layer.output.spatial) == givens["out"]
    return layer.parameters


def conv_one_by_one_as_linear(question: Question) -> Any:
    channels, units = question["givens"]["c_in"], question["givens"]["c_out"]
    return {
        "dense": last(analysed(str(channels), [{"linear": units}])).parameters,
        "conv1x1": last(analysed(square(1, channels), [{"conv": units, "kernel": 1}])).parameters,
    }


def grouped_parameters(question: Question) -> Any:
    givens = {**question["givens"], "filters": question["givens"]["c_out"]}
    return {
        groups: _conv_layer(givens, groups=int(groups)).parameters for groups in question["answer"]
    }


def separable_parameters(question: Question) -> Any:
    """Without biases, as the question says."""
    assert "no bias" in question["question"]
    givens = question["givens"]
    options = {"kernel": givens["k"], "bias": False}
    on = f"{givens['c_in']}@HxW"
    return {
        "standard": last(analysed(on, [{"conv": givens["c_out"], **options}])).parameters,
        "separable": last(analysed(on, [{"separableconv": givens["c_out"], **options}])).parameters,
    }
