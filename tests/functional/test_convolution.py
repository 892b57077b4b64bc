"""Convolutions and transposed convolutions, forward and backward."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import convolution as plain
from tests.functional.comparing import (
    awkward_layouts,
    central_difference,
    close,
    normal,
    refusal,
    same_bits,
    threads,
    torch_module,
    torch_reference,
    uncompiled,
)

DATA = Path(__file__).parents[1] / "data"
CS231N = yaml.safe_load((DATA / "cs231n.yaml").read_text())
QUESTIONS = {
    entry["id"]: entry
    for entry in yaml.safe_load((DATA / "questions.yaml").read_text())["questions"]
}

FLOATS = [np.float32, np.float64]
both_tiers = pytest.mark.parametrize("tier", F.TIERS)
many = settings(max_examples=800, deadline=None, derandomize=True, database=None)


def maps(value: Any) -> np.ndarray:
    """A list of numbers as float64, with the axes in front that a map or a weight needs."""
    return np.array(value, np.float64)


# Against PyTorch


@st.composite
def convolutions(draw: st.DrawFn, transposed: bool = False) -> dict[str, Any]:
    """Options and extents of a convolution that has an output; extents differ by axis."""
    rank = draw(st.integers(1, 3))
    small = st.integers(1, 3)

    def axes(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(values) for _ in range(rank))

    kernel, stride = axes(st.integers(1, 4 if rank < 3 else 3)), axes(small)
    dilation = axes(small)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if transposed:
        padding = tuple(draw(st.integers(0, (span - 1) // 2)) for span in spans)
        spatial = axes(st.integers(1, 5))
        added = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)]
        options = {"padding": padding, "output_padding": tuple(added)}
    else:
        pairs = axes(st.tuples(st.integers(0, 3), st.integers(0, 3)))
        spatial = tuple(
            max(1, span - before - after) + draw(st.integers(0, 5))
            for span, (before, after) in zip(spans, pairs, strict=True)
        )
        options = {"padding": pairs}
    groups, bias = draw(small), draw(st.booleans())
    batch, channels, filters = draw(small), groups * draw(small), groups * draw(small)
    weight = (channels, filters // groups) if transposed else (filters, channels // groups)
    return {
        "rank": rank,
        "shapes": [(batch, channels, *spatial), (*weight, *kernel), (filters,)],
        "bias": bias,
        "seed": draw(st.integers(0, 1000)),
        "options": options | {"stride": stride, "dilation": dilation, "groups": groups},
    }


def arrays_of(case: dict[str, Any]) -> list[np.ndarray | None]:
    x, weight, bias = normal(case["seed"], *case["shapes"])
    return [x, weight, bias if case["bias"] else None]


def compare(
    name: str, arrays: list[np.ndarray | None], reference: Any, dtype: Any, **options: Any
) -> None:
    y, grad, gradients = reference
    cast = [None if a is None else a.astype(dtype) for a in arrays]
    close(getattr(F, name)(*cast, **options), y, what=name)
    found = getattr(F, f"{name}_backward")(grad.astype(dtype), *cast, **options)
    assert len(found) == len(gradients)
    for got, expected, what in zip(found, gradients, ("input", "weight", "bias"), strict=True):
        if expected is None:
            assert got is None
        else:
            assert got.dtype == dtype
            close(got, expected, what=f"gradient of the {what}")


@both_tiers
@given(case=convolutions())
@many
def test_convolution_agrees_with_pytorch(tier: str, case: dict[str, Any]) -> None:
    torch = torch_module()
    rank, options = case["rank"], case["options"]
    torch_conv = getattr(torch.nn.functional, f"conv{rank}d")
    ours = {key: value for key, value in options.items() if key != "padding"}
    around = [side for pair in reversed(options["padding"]) for side in pair]

    def reference(x: Any, weight: Any, bias: Any) -> Any:
        return torch_conv(torch.nn.functional.pad(x, around), weight, bias, **ours)

    arrays = arrays_of(case)
    expected = torch_reference(reference, arrays, case["seed"])
    with F.tier(tier):
        for dtype in FLOATS:
            compare(f"conv{rank}d", arrays, expected, dtype, **options)


@both_tiers
@given(case=convolutions(transposed=True))
@many
def test_transposed_convolution_agrees_with_pytorch(tier: str, case: dict[str, Any]) -> None:
    name, options = f"conv_transpose{case['rank']}d", case["options"]
    torch_conv = getattr(torch_module().nn.functional, name)
    arrays = arrays_of(case)
    expected = torch_reference(lambda *given: torch_conv(*given, **options), arrays, case["seed"])
    with F.tier(tier):
        for dtype in FLOATS:
            compare(name, arrays, expected, dtype, **options)


# Channels and filters past a vector's width, maps past a block, sums past 256 terms.
LARGER = [
    {"x": (2, 40, 17, 23), "weight": (33, 40, 3, 3), "options": {"padding": 1}},
    {"x": (1, 3, 37, 41), "weight": (20, 3, 7, 7), "options": {"stride": 2, "padding": 3}},
    {"x": (2, 70, 9, 11), "weight": (65, 70, 1, 1), "options": {}},
    {"x": (2, 64, 15, 14), "weight": (64, 64, 1, 1), "options": {"stride": 2}},
    {"x": (2, 37, 15, 19), "weight": (37, 1, 3, 3), "options": {"padding": 1, "groups": 37}},
    {"x": (1, 24, 20, 18), "weight": (48, 1, 5, 5), "options": {"groups": 24, "stride": 2}},
    {"x": (1, 32, 19, 21), "weight": (48, 8, 3, 3), "options": {"groups": 4, "dilation": 2}},
    {"x": (1, 19, 58, 30), "weight": (17, 19, 3, 5), "options": {"padding": ((2, 1), (0, 3))}},
]


@both_tiers
@pytest.mark.parametrize("case", LARGER, ids=lambda case: str(case["weight"]))
def test_larger_convolutions_agree_with_pytorch(tier: str, case: dict[str, Any]) -> None:
    torch = torch_module()
    options = dict(case["options"])
    arrays = normal(5, case["x"], case["weight"], case["weight"][:1])
    pairs = options.get("padding", 0)
    pairs = pairs if isinstance(pairs, tuple) else ((pairs, pairs),) * 2
    around = [side for pair in reversed(pairs) for side in pair]
    ours = {key: value for key, value in options.items() if key != "padding"}
    expected = torch_reference(
        lambda x, w, b: torch.conv2d(torch.nn.functional.pad(x, around), w, b, **ours), arrays
    )
    with F.tier(tier):
        for dtype in FLOATS:
            compare("conv2d", arrays, expected, dtype, **options)


# Published and worked by hand


def linspaces(inputs: dict[str, str]) -> dict[str, np.ndarray]:
    x, w, b = np.linspace(-0.1, 0.5, 96), np.linspace(-0.2, 0.3, 144), np.linspace(-0.1, 0.2, 3)
    assert "linspace(-0.1, 0.5, num=96).reshape(2,3,4,4)" in inputs["x"]
    assert "linspace(-0.2, 0.3, num=144).reshape(3,3,4,4)" in inputs["w"]
    assert "linspace(-0.1, 0.2, num=3)" in inputs["b"]
    return {"input": x.reshape(2, 3, 4, 4), "weight": w.reshape(3, 3, 4, 4), "bias": b}


@both_tiers
def test_conv_forward_naive_of_cs231n(tier: str) -> None:
    entry = CS231N["conv_forward_naive"]
    with F.tier(tier):
        y = F.conv2d(**linspaces(entry["inputs"]), stride=2, padding=1)
    close(y, entry["published_correct_out"], 1e-8)  # printed to eight places
    close(y, entry["recomputed_float64"], 1e-12)


@both_tiers
@pytest.mark.parametrize("place", [-1, 0, 1])
def test_conv_demos_of_cs231n(tier: str, place: int) -> None:
    # The slide's copy (-1) is garbled: only `computed_output_FHW` follows from its givens.
    demo = (
        CS231N["seed_002_conv_demo"] if place < 0 else CS231N["cs231n_conv_demo_snapshots"][place]
    )
    padded = place < 0
    x = maps(demo["x_padded_CHW" if padded else "x_unpadded_CHW"])[None]
    with F.tier(tier):
        y = F.conv2d(x, maps(demo["w_FCHW"]), maps(demo["b"]), stride=2, padding=0 if padded else 1)
    np.testing.assert_array_equal(y[0], demo["computed_output_FHW"])


PLANES = [
    "seed-1d-corr-full",
    "seed-demo-corrected",
    "sm-conv",
    "trans-4x4",
    "trans-4x4-p1s2",
    "studyx-p2s2-badkey",
    "rmit-conv",
]


@both_tiers
@pytest.mark.parametrize("name", PLANES)
def test_values_of_exam_questions(tier: str, name: str) -> None:
    givens, answer = QUESTIONS[name]["givens"], maps(QUESTIONS[name]["answer"])
    x, weight = maps(givens["x"]), maps(givens.get("w", givens.get("k")))
    if weight.ndim < 3:  # one map, one filter
        x, weight, answer = x[None], weight[None, None], answer[None]
    conv = F.conv1d if x.ndim == 2 else F.conv2d
    bias = maps(givens["b"]) if "b" in givens else None
    with F.tier(tier):
        y = conv(x[None], weight, bias, givens.get("s", 1), givens.get("p", 0), givens.get("d", 1))
    np.testing.assert_array_equal(y[0], answer)


@both_tiers
def test_single_values_of_exam_questions(tier: str) -> None:
    with F.tier(tier):
        for name, at in (("seed-sobel", (0, 0)), ("hw4-arange", (0, 0))):
            givens = QUESTIONS[name]["givens"]
            y = F.conv2d(maps([[givens["x"]]]), maps([[givens["w"]]]))
            assert y[0, 0][at] == QUESTIONS[name]["answer"]
        givens = QUESTIONS["comp3057-2d"]["givens"]
        y = F.conv2d(maps([[givens["x"]]]), maps([[givens["w"]]]))
        corners = [y[0, 0, 0, 0], y[0, 0, 0, 2], y[0, 0, 2, 0]]
        assert corners == QUESTIONS["comp3057-2d"]["answer"]
        givens = QUESTIONS["seed-1d-corr-elem"]["givens"]
        y = F.conv1d(maps([[givens["x"]]]), maps([[givens["k"]]]))
        assert y[0, 0, givens["index"] - 1] == QUESTIONS["seed-1d-corr-elem"]["answer"]


@both_tiers
def test_gradients_of_exam_questions(tier: str) -> None:
    with F.tier(tier):
        entry = QUESTIONS["seed-dW-numeric"]
        dy, x, w = (maps([[entry["givens"][key]]]) for key in ("dh", "x", "w"))
        dx, dw, db = F.conv2d_backward(dy, x, w, maps([0]))
        np.testing.assert_array_equal(dw[0, 0], entry["answer"]["dW"])
        np.testing.assert_array_equal(dx[0, 0], entry["answer"]["dX"])
        np.testing.assert_array_equal(db, [1 + 0 - 1 + 2])  # the sum of dh

        entry = QUESTIONS["smart-dw2"]
        x, dy = maps([[entry["givens"]["x"]]]), maps([[entry["givens"]["dy"]]])
        _, dw, _ = F.conv2d_backward(dy, x, np.zeros((1, 1, 2, 2)))
        assert dw[0, 0, 0, 1] == entry["answer"]

        entry = QUESTIONS["soln-sigmoid-backward"]
        dy, x, w = (maps([[entry["givens"][key]]]) for key in ("dY", "x", "w"))
        z = F.conv2d(x, w)
        np.testing.assert_array_equal(z[0, 0], entry["answer"]["z"])
        share = 1 / (1 + np.exp(-z))
        dx, dw, _ = F.conv2d_backward(dy * share * (1 - share), x, w)
        close(dw[0, 0], entry["answer"]["dW"], 1e-8)  # 1 - sigmoid(17) keeps nine digits
        close(dx[0, 0], entry["answer"]["dX"], 1e-8)


@both_tiers
def test_transposed_values_of_exam_questions(tier: str) -> None:
    with F.tier(tier):
        entry = QUESTIONS["seed-tconv1d-numeric"]
        x, k = maps([[entry["givens"]["x"]]]), maps([[entry["givens"]["k"]]])
        y = F.conv_transpose1d(x, k, stride=entry["givens"]["s"])
        np.testing.assert_array_equal(y[0, 0], entry["answer"])

        for kernel, overlaps in QUESTIONS["seed-checkerboard"]["answer"].items():
            y = F.conv_transpose1d(np.ones((1, 1, 4)), np.ones((1, 1, int(kernel[1:]))), stride=2)
            np.testing.assert_array_equal(y[0, 0], overlaps)

        # TensorFlow's SAME crops only at the end, PyTorch's padding on both sides.
        for name, options in (
            ("tf-tconv-same", {"padding": ((0, 1), (0, 1))}),
            ("pt-tconv-p1op1", {"padding": 1, "output_padding": 1}),
        ):
            x, w = (maps([[QUESTIONS[name]["givens"][key]]]) for key in "xw")
            y = F.conv_transpose2d(x, w, stride=2, **options)
            np.testing.assert_array_equal(y[0, 0], QUESTIONS[name]["answer"])


# Partial connections

LENET_C3 = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5), (0, 1, 2, 3), (1, 2, 3, 4),
    (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5),
    (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@both_tiers
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_partial_table_is_a_convolution_whose_other_weights_are_zero(
    tier: str, dtype: Any
) -> None:
    # LeCun et al. 1998, table I: 60 kernels of 5x5 and 16 biases are 1,516 parameters.
    x, weight, bias = normal(3, (2, 6, 9, 10), (60, 5, 5), (16,))
    assert weight.size + bias.size == 1516
    dense = np.zeros((16, 6, 5, 5))
    read = [(f, c) for f, row in enumerate(LENET_C3) for c in row]
    for kernel, place in zip(weight, read, strict=True):
        dense[place] = kernel
    torch = torch_module()
    expected = torch_reference(lambda *given: torch.conv2d(*given, padding=1), (x, dense, bias))
    y, grad, (dx, ddense, dbias) = expected
    dweight = np.stack([ddense[place] for place in read])
    with F.tier(tier):
        reference = (y, grad, [dx, dweight, dbias])
        options = {"padding": 1, "connections": LENET_C3}
        compare("conv2d", [x, weight, bias], reference, dtype, **options)


def test_a_map_that_a_filter_does_not_read_cannot_reach_it() -> None:
    x = np.full((1, 2, 3, 3), np.inf)
    x[:, 1] = 1
    y = F.conv2d(x, np.ones((3, 2, 2)), connections=[[1], [0, 1]])
    np.testing.assert_array_equal(y[0, 0], np.full((2, 2), 4.0))
    np.testing.assert_array_equal(y[0, 1], np.full((2, 2), np.inf))


# Central differences, threads, memory, not-a-number

SMALL = {
    "conv1d": ([(2, 4, 9), (6, 2, 3), (6,)], {"stride": 2, "padding": ((1, 2),), "groups": 2}),
    "conv2d": (
        [(2, 3, 5, 7), (4, 3, 3, 2), (4,)],
        {"stride": (1, 2), "padding": (1, 0), "dilation": (2, 1)},
    ),
    "conv3d": ([(1, 2, 3, 4, 5), (3, 2, 2, 3, 2), (3,)], {"padding": 1, "stride": (1, 2, 3)}),
    "conv_transpose1d": ([(2, 4, 5), (4, 3, 3), (6,)], {"stride": 3, "groups": 2}),
    "conv_transpose2d": (
        [(1, 3, 4, 3), (3, 2, 3, 2), (2,)],
        {"stride": 2, "padding": (1, 0), "output_padding": 1, "dilation": (1, 2)},
    ),
    "conv_transpose3d": ([(1, 2, 2, 3, 2), (2, 2, 2, 1, 3), (2,)], {"stride": (2, 1, 2)}),
}
each_function = pytest.mark.parametrize("name", SMALL)


@both_tiers
@each_function
def test_gradients_are_central_differences(tier: str, name: str) -> None:
    shapes, options = SMALL[name]
    arrays = normal(11, *shapes)
    function = getattr(F, name)
    with F.tier(tier):
        (grad,) = normal(12, function(*arrays, **options).shape)
        found = getattr(F, f"{name}_backward")(grad, *arrays, **options)
        for place, gradient in enumerate(found):

            def moved(value: np.ndarray, place: int = place) -> np.ndarray:
                return function(*arrays[:place], value, *arrays[place + 1 :], **options)

            close(gradient, central_difference(moved, arrays[place], grad), 1e-8)


def both_passes(name: str, arrays: Any, grad: Any, **options: Any) -> list[np.ndarray]:
    forward = getattr(F, name)(*arrays, **options)
    return [forward, *getattr(F, f"{name}_backward")(grad, *arrays, **options)]


def case_of(name: str, dtype: Any) -> tuple[list[np.ndarray], np.ndarray, dict[str, Any]]:
    shapes, options = SMALL[name]
    arrays = [array.astype(dtype) for array in normal(21, *shapes)]
    (grad,) = normal(22, getattr(F, name)(*arrays, **options).shape)
    return arrays, grad.astype(dtype), options


@both_tiers
@each_function
@pytest.mark.parametrize("dtype", FLOATS)
def test_any_number_of_threads_gives_the_same_bits(tier: str, name: str, dtype: Any) -> None:
    with F.tier(tier):
        arrays, grad, options = case_of(name, dtype)
        with threads(1):
            expected = both_passes(name, arrays, grad, **options)
        for count in (2, 4):
            with threads(count):
                for got, one in zip(
                    both_passes(name, arrays, grad, **options), expected, strict=True
                ):
                    same_bits(got, one)


@each_function
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_plain_loops_give_the_same_bits_uncompiled(name: str, dtype: Any) -> None:
    with F.tier("plain"):
        arrays, grad, options = case_of(name, dtype)
        compiled = both_passes(name, arrays, grad, **options)
        with uncompiled(plain):
            interpreted = both_passes(name, arrays, grad, **options)
    for one, other in zip(compiled, interpreted, strict=True):
        same_bits(one, other)


@both_tiers
@each_function
def test_any_memory_layout_is_read_and_none_is_written(tier: str, name: str) -> None:
    with F.tier(tier):
        arrays, grad, options = case_of(name, np.float32)
        expected = both_passes(name, arrays, grad, **options)
        for layout in range(5):
            given = [list(awkward_layouts(array))[layout] for array in (grad, *arrays)]
            before = [array.copy() for array in given]
            found = both_passes(name, given[1:], given[0], **options)
            for got, one in zip(found, expected, strict=True):
                same_bits(got, one)
            for array, copy in zip(given, before, strict=True):
                same_bits(array, copy)


@both_tiers
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", FLOATS)
def test_not_a_number_and_infinity_reach_what_they_touch(
    tier: str, value: float, dtype: Any
) -> None:
    x, weight, bias = normal(4, (1, 2, 5, 6), (3, 2, 3, 3), (3,))
    x[0, 1, 2, 3] = value
    torch = torch_module()
    y, grad, (dx, dw, db) = torch_reference(torch.conv2d, (x, weight, bias))
    assert not np.isfinite(y).all()
    with F.tier(tier):
        compare("conv2d", [x, weight, bias], (y, grad, [dx, dw, db]), dtype)


@both_tiers
@each_function
def test_only_the_gradients_asked_for_are_computed(tier: str, name: str) -> None:
    with F.tier(tier):
        arrays, grad, options = case_of(name, np.float64)
        backward = getattr(F, f"{name}_backward")
        all_three = backward(grad, *arrays, **options)
        for place in range(3):
            needs = tuple(place == other for other in range(3))
            found = backward(grad, *arrays, **options, needs=needs)
            assert [gradient is not None for gradient in found] == list(needs)
            same_bits(found[place], all_three[place])


# Errors


def zeros(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


X, W, B = zeros(2, 4, 5, 6), zeros(6, 4, 3, 3), zeros(6)

REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"input": [[1.0]]}, TypeError, "input: must be a NumPy array, got list"),
    ({"input": zeros(4, 5, 6)}, ValueError,
     "input: must have 4 axes (N, C, H, W), got shape (4, 5, 6)"),
    ({"input": zeros(0, 4, 5, 6)}, ValueError,
     "input: every extent must be at least 1, got shape (0, 4, 5, 6)"),
    ({"input": zeros(2, 4, 5, 6, dtype=np.int64)}, TypeError,
     "input: must be float32 or float64, got int64"),
    ({"input": X.astype(">f4")}, TypeError,
     "input: must be float32 or float64, got float32 of the other byte order "
     "(use .astype('float32'))"),
    ({"weight": W.astype(np.float64)}, TypeError,
     "weight: must be float32 like the input, got float64"),
    ({"weight": zeros(6, 3, 3, 3)}, ValueError,
     "weight: must have shape (6, 4, 3, 3) for 4 channels in 1 group, got shape (6, 3, 3, 3)"),
    ({"weight": zeros(6, 4, 3)}, ValueError,
     "weight: must have 4 axes (F, C/groups, kh, kw), got shape (6, 4, 3)"),
    ({"weight": zeros(6, 4, 3, 7)}, ValueError,
     "weight: must fit into the padded input (5, 6), but spans (3, 7)"),
    ({"bias": zeros(5)}, ValueError,
     "bias: must have shape (6,) (one for each filter), got shape (5,)"),
    ({"bias": 0.0}, TypeError, "bias: must be a NumPy array, got float"),
    ({"stride": 0}, ValueError, "stride: must be at least 1, got 0"),
    ({"stride": (1, 2, 3)}, ValueError,
     "stride: must be one number or 2 numbers, got (1, 2, 3)"),
    ({"stride": 1.5}, TypeError, "stride: must be a whole number, got 1.5"),
    ({"stride": True}, TypeError, "stride: must be a whole number, got True"),
    ({"padding": -1}, ValueError, "padding: must be at least 0, got -1"),
    ({"padding": ((1, 2, 3), 0)}, ValueError,
     "padding: must be (before, after) on an axis, got (1, 2, 3)"),
    ({"padding": "same"}, TypeError, "padding: must be a whole number, got 'same'"),
    ({"dilation": 2**31}, ValueError, "dilation: must be less than 2**31, got 2147483648"),
    ({"groups": 3}, ValueError, "groups: must divide the 4 channels of the input, got 3"),
    ({"groups": 4, "weight": zeros(6, 1, 3, 3)}, ValueError,
     "groups: must divide the 6 filters of the weight, got 4"),
    ({"algorithm": "quick"}, ValueError,
     "algorithm: must be \"exact\" or \"fast\", got 'quick'"),
    ({"device": "tpu"}, ValueError, "device: must be \"cpu\" or \"cuda\", got 'tpu'"),
    ({"padding": 2**31 - 1}, ValueError,
     "an array of shape (2, 6, 4294967297, 4294967298) in float32 must fit in memory, "
     "but takes 885,443,716,156,533,768,288 bytes"),
    ({"connections": [[0]], "weight": zeros(2, 3, 3), "bias": None}, ValueError,
     "weight: must have shape (1, 3, 3), a kernel for each of the 1 connections, "
     "got shape (2, 3, 3)"),
    ({"connections": [[0], [4]], "weight": zeros(2, 3, 3), "bias": None}, ValueError,
     "connections: row 1 must list some of the input maps 0 to 3, each once, got [4]"),
    ({"connections": [[0], []], "weight": zeros(2, 3, 3), "bias": None}, ValueError,
     "connections: row 1 must list some of the input maps 0 to 3, each once, got []"),
    ({"connections": [[0]], "weight": zeros(1, 3, 3), "bias": None, "groups": 2}, ValueError,
     "groups: must be 1 beside `connections`, got 2"),
    ({"connections": [], "weight": zeros(1, 3, 3), "bias": None}, ValueError,
     "connections: must have a row for each filter, got none"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "message"), REFUSED)
def test_what_does_not_belong_together_is_refused(
    change: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with refusal(kind, message):
        F.conv2d(**({"input": X, "weight": W, "bias": B} | change))


def test_a_gradient_has_the_shape_and_dtype_of_the_output() -> None:
    wanted = "grad_output: must have shape (2, 6, 3, 4) (that of the output)"
    with refusal(ValueError, f"{wanted}, got shape (2, 6, 5, 6)"):
        F.conv2d_backward(zeros(2, 6, 5, 6), X, W, B)
    with refusal(TypeError, "grad_output: must be float32 like the input, got float64"):
        F.conv2d_backward(zeros(2, 6, 3, 4, dtype=np.float64), X, W, B)
    with refusal(ValueError, "needs: must be 3 truth values, got (True,)"):
        F.conv2d_backward(zeros(2, 6, 3, 4), X, W, B, needs=(True,))


TRANSPOSED_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"weight": zeros(3, 4, 3, 3)},
     "weight: must have shape (4, 4, 3, 3) for 4 channels, got shape (3, 4, 3, 3)"),
    ({"groups": 3}, "groups: must divide the 4 channels of the input, got 3"),
    ({"output_padding": 1},
     "output_padding: must be less than 1, the larger of stride and dilation, got 1"),
    ({"padding": (3, 4)},
     "padding: must leave something of the output, but ((3, 3), (4, 4)) leaves (1, 0)"),
    ({"bias": zeros(4)}, "bias: must have shape (2,) (one for each filter), got shape (4,)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), TRANSPOSED_REFUSED)
def test_what_a_transposed_convolution_refuses(change: dict[str, Any], message: str) -> None:
    with refusal(ValueError, message):
        F.conv_transpose2d(**({"input": X, "weight": zeros(4, 2, 3, 3)} | change))
