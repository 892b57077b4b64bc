"""Normalisations against PyTorch, by hand, and by central differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.binding import kernel
from cnncalc.kernels.cpu.plain import normalisation as plain
from cnncalc.kernels.cpu.plain import response
from tests.functional.comparing import (
    central_difference,
    close,
    normal,
    same_bits,
    threads,
    torch_module,
    torch_reference,
)

SHAPES = st.tuples(
    st.integers(1, 4), st.integers(1, 6), st.lists(st.integers(1, 6), max_size=3)
).map(lambda drawn: (drawn[0], drawn[1], *drawn[2]))
TIERS = pytest.mark.parametrize("tier", ["fast", "plain"])
FLOATS = (np.float32, np.float64)


def agree(found, expected, given, dtype, terms=64.0):
    """The gradients are close, relative to the terms they are sums of."""
    allowed = (2e-5 if dtype is np.float32 else 1e-11) * terms
    for got, reference in zip(found, expected, strict=True):
        if reference is None:
            assert got is None
            continue
        assert got.dtype == dtype
        assert got.shape == reference.shape
        scale = max(1.0, np.abs(reference).max())
        assert np.abs(got - reference).max() <= allowed * scale / 64


def maybe(data, array):
    return array if data.draw(st.booleans()) else None


def cast(arrays, dtype):
    return [None if each is None else each.astype(dtype) for each in arrays]


@TIERS
@given(shape=SHAPES, seed=st.integers(0, 999), training=st.booleans(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_batch_norm_as_torch(tier, shape, seed, training, data):
    torch = torch_module()
    per_channel = shape[1:2]
    if shape[0] * math.prod(shape[2:]) < 4:
        shape = (4, *shape[1:])
    x, weight, bias, mean, var = normal(seed, shape, *[per_channel] * 4)
    x, var = x * 2 + 1, np.abs(var) + 0.5
    weight, bias = maybe(data, weight), maybe(data, bias)
    running = [torch.tensor(mean), torch.tensor(var)]

    def reference(x, weight, bias):
        return torch.nn.functional.batch_norm(x, *running, weight, bias, training, 0.2, 1e-3)

    expected, grad, gradients = torch_reference(reference, [x, weight, bias])
    for dtype in FLOATS:
        a, b, c, m, v = cast([x, weight, bias, mean, var], dtype)
        before = m.copy(), v.copy()
        with F.tier(tier):
            close(F.batch_norm(a, m, v, b, c, training, 0.2, 1e-3), expected)
            given = (grad.astype(dtype), a, m, v, b, c, training, 0.2, 1e-3)
            agree(F.batch_norm_backward(*given), gradients, given, dtype)
            if training:
                found = F.batch_norm_statistics(a, m, v, b, c, 0.2, 1e-3)
                close(found.output, expected)
                for got, one in zip(found[3:], running, strict=True):
                    close(got, one.numpy())
                kept = F.batch_norm_backward(*given, saved=found[1:3])
                for one, other in zip(kept, F.batch_norm_backward(*given), strict=True):
                    if other is not None:
                        close(one, other.astype(np.float64))
        same_bits(m, before[0])
        same_bits(v, before[1])


@given(shape=SHAPES, seed=st.integers(0, 999), axes=st.integers(1, 4), data=st.data())
@settings(max_examples=60, deadline=None)
def test_layer_norm_as_torch(shape, seed, axes, data):
    torch = torch_module()
    last = shape[-min(axes, len(shape)) :]
    if math.prod(last) < 3:  # where all is the mean, rounding is all there is
        shape, last = (*shape, 5), (*last, 5)
    x, weight, bias = normal(seed, shape, last, last)
    weight, bias = maybe(data, weight), maybe(data, bias)

    def reference(x, weight, bias):
        return torch.nn.functional.layer_norm(x, last, weight, bias, 1e-3)

    expected, grad, gradients = torch_reference(reference, [x, weight, bias])
    for dtype in FLOATS:
        a, b, c = cast([x, weight, bias], dtype)
        close(F.layer_norm(a, last, b, c, 1e-3), expected)
        found = F.layer_norm_backward(grad.astype(dtype), a, last, b, c, 1e-3)
        agree(found, gradients, None, dtype)


@given(
    batch=st.integers(1, 3),
    groups=st.integers(1, 4),
    each=st.integers(1, 3),
    spatial=st.lists(st.integers(1, 5), max_size=3),
    seed=st.integers(0, 999),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_group_norm_as_torch(batch, groups, each, spatial, seed, data):
    torch = torch_module()
    spatial = [*spatial, 5]
    channels = (groups * each,)
    x, weight, bias = normal(seed, (batch, *channels, *spatial), channels, channels)
    weight, bias = maybe(data, weight), maybe(data, bias)

    def reference(x, weight, bias):
        if weight is None and bias is not None:  # which torch's group_norm cannot do
            weight = torch.ones(channels, dtype=torch.float64)
        return torch.nn.functional.group_norm(x, groups, weight, bias, 1e-3)

    expected, grad, gradients = torch_reference(reference, [x, weight, bias])
    for dtype in FLOATS:
        a, b, c = cast([x, weight, bias], dtype)
        close(F.group_norm(a, groups, b, c, 1e-3), expected)
        found = F.group_norm_backward(grad.astype(dtype), a, groups, b, c, 1e-3)
        agree(found, gradients, None, dtype)


@given(shape=SHAPES, seed=st.integers(0, 999), own=st.booleans(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_instance_norm_as_torch(shape, seed, own, data):
    torch = torch_module()
    shape = (*shape[:4], 5)
    per_channel = shape[1:2]
    x, weight, bias, mean, var = normal(seed, shape, *[per_channel] * 4)
    var = np.abs(var) + 0.5
    weight, bias = maybe(data, weight), maybe(data, bias)
    running = [torch.tensor(mean), torch.tensor(var)]

    def reference(x, weight, bias):
        return torch.nn.functional.instance_norm(x, *running, weight, bias, own, 0.2, 1e-3)

    expected, grad, gradients = torch_reference(reference, [x, weight, bias])
    for dtype in FLOATS:
        a, b, c, m, v = cast([x, weight, bias, mean, var], dtype)
        close(F.instance_norm(a, m, v, b, c, own, 0.2, 1e-3), expected)
        found = F.instance_norm_backward(grad.astype(dtype), a, m, v, b, c, own, 0.2, 1e-3)
        agree(found, gradients, None, dtype)
        if own:
            for got, one in zip(F.instance_norm_statistics(a, m, v, 0.2), running, strict=True):
                close(got, one.numpy())


@given(
    shape=SHAPES,
    seed=st.integers(0, 999),
    size=st.integers(1, 7),
    numbers=st.tuples(
        st.sampled_from([1e-4, 0.5, 2.0]), st.sampled_from([0.5, 0.75, 1.3]), st.floats(0.5, 2)
    ),
)
@settings(max_examples=80, deadline=None)
def test_local_response_norm_as_torch(shape, seed, size, numbers):
    torch = torch_module()
    shape = (*shape, 3)[:5]
    (x,) = normal(seed, shape)

    def reference(x):
        return torch.nn.functional.local_response_norm(x, size, *numbers)

    expected, grad, gradients = torch_reference(reference, [x])
    for dtype in FLOATS:
        close(F.local_response_norm(x.astype(dtype), size, *numbers), expected)
        found = F.local_response_norm_backward(grad.astype(dtype), x.astype(dtype), size, *numbers)
        agree(found, gradients, None, dtype)


def contrast(torch, size, sigma):
    """Jarrett et al.'s formulas with torch's convolution."""

    def normed(x):
        rank = x.ndim - 2
        bell = torch.exp(-(((torch.arange(size).double() - (size - 1) / 2) / sigma) ** 2) / 2)
        window = bell
        for _ in range(rank - 1):
            window = window.unsqueeze(-1) * bell
        window = (window / window.sum() / x.shape[1]).expand(1, x.shape[1], *window.shape)
        pads = (size // 2, size - 1 - size // 2) * rank
        conv = getattr(torch.nn.functional, f"conv{rank}d")

        def weighted(maps):
            return conv(torch.nn.functional.pad(maps, pads), window)

        v = x - weighted(x)
        deviation = weighted(v * v).sqrt()
        mean = deviation.flatten(1).mean(1).reshape(-1, *[1] * (rank + 1))
        return v / torch.maximum(deviation, mean)

    return normed


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 7), st.integers(2, 6)),
    rank=st.integers(1, 3),
    size=st.integers(2, 5),
    seed=st.integers(0, 999),
)
@settings(max_examples=40, deadline=None)
def test_local_contrast_norm_as_its_formula(shape, rank, size, seed):
    torch = torch_module()
    shape = {1: shape[:3], 2: shape, 3: (*shape, 2)}[rank]
    (x,) = normal(seed, shape)
    expected, grad, gradients = torch_reference(contrast(torch, size, 1.3), [x])
    for dtype in FLOATS:
        close(F.local_contrast_norm(x.astype(dtype), size, sigma=1.3), expected)
        found = F.local_contrast_norm_backward(grad.astype(dtype), x.astype(dtype), size, sigma=1.3)
        agree(found, gradients, None, dtype)


def test_local_contrast_of_nothing_is_nothing():
    x = np.zeros((1, 2, 4, 5))
    np.testing.assert_array_equal(F.local_contrast_norm(x, 3), x)
    np.testing.assert_array_equal(F.local_contrast_norm_backward(x + 1, x, 3)[0], x)


CASES = {
    "batch_norm": lambda x, w, b: (x, w * 0, w * 0 + 1, w, b, True),
    "instance_norm": lambda x, w, b: (x, None, None, w, b),
    "group_norm": lambda x, w, b: (x, 2, w, b),
}


@pytest.mark.parametrize("name", CASES)
def test_central_differences(name):
    x, weight, bias, grad = normal(6, (2, 4, 3, 2), (4,), (4,), (2, 4, 3, 2))
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    found = backward(grad, *CASES[name](x, weight, bias))
    numeric = (
        central_difference(lambda each: forward(*CASES[name](each, weight, bias)), x, grad),
        central_difference(lambda each: forward(*CASES[name](x, each, bias)), weight, grad),
        central_difference(lambda each: forward(*CASES[name](x, weight, each)), bias, grad),
    )
    for got, expected in zip(found, numeric, strict=True):
        close(got, expected, 1e-7)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("layer_norm", ((3, 2),)),
        ("local_response_norm", (3, 0.5)),
        ("local_contrast_norm", (3,)),
    ],
)
def test_central_differences_of_the_input(name, given):
    x, grad = normal(6, (2, 4, 3, 2), (2, 4, 3, 2))
    numeric = central_difference(lambda each: getattr(F, name)(each, *given), x, grad)
    close(getattr(F, f"{name}_backward")(grad, x, *given)[0], numeric, 1e-7)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(2, 5, 31, 47), (3, 7, 1), (1, 2, 1000), (300, 3)])
@pytest.mark.parametrize("training", [False, True])
def test_fast_is_plain_and_threads_change_no_bit(shape, dtype, training):
    per_channel = shape[1:2]
    arrays = normal(7, shape, *[per_channel] * 4, shape)
    x, mean, var, weight, bias, grad = (each.astype(dtype) for each in arrays)
    given = (x, mean, np.abs(var) + 1, weight, bias, training)
    found = []
    for tier, count in (("plain", 1), ("fast", 1), ("fast", 2), ("fast", 4)):
        with F.tier(tier), threads(count):
            found.append((F.batch_norm(*given), *F.batch_norm_backward(grad, *given)))
    tolerance = 2e-6 if dtype is np.float32 else 1e-13
    for place in range(4):
        close(found[1][place], found[0][place].astype(np.float64), tolerance)
        for other in found[2:]:
            same_bits(other[place], found[1][place])


def test_a_large_mean_loses_little():
    # Deviations of 1 around 10,000: a variance from a sum of squares in float32 would be
    # off by more than itself.
    (x,) = normal(8, (4, 3, 50, 50))
    x = (x + 1e4).astype(np.float32)
    exact = x.astype(np.float64)
    mean = exact.mean((0, 2, 3), keepdims=True)
    expected = (exact - mean) / np.sqrt(((exact - mean) ** 2).mean((0, 2, 3), keepdims=True))
    for tier in ("plain", "fast"):
        with F.tier(tier):
            found = F.batch_norm(x, None, None, training=True, eps=0.0)
            np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("tier", ["fast", "plain"])
def test_nan_stays_in_its_channel(tier):
    (x,) = normal(9, (2, 3, 4))
    x[0, 1, 2] = math.nan
    x[1, 2, 0] = math.inf
    with F.tier(tier):
        found = F.batch_norm(x, None, None, training=True)
        (of_x, _, _) = F.batch_norm_backward(np.ones_like(x), x, None, None, training=True)
    for array in (found, of_x):
        assert np.isfinite(array[:, 0]).all()
        assert np.isnan(array[:, 1]).all()
        assert np.isnan(array[:, 2]).all()


def test_batch_norm_by_hand():
    # Values 1, 3 and 5, 7: mean 4, variance (9 + 1 + 1 + 9)/4 = 5, unbiased 20/3; so with
    # eps = 0 the outputs are -3, -1, 1, 3 over sqrt(5). Running mean 0.9*0 + 0.1*4 = 0.4,
    # running variance 0.9*1 + 0.1*20/3.
    x = np.array([[[1.0, 3.0]], [[5.0, 7.0]]])
    found = F.batch_norm_statistics(x, np.zeros(1), np.ones(1), eps=0.0)
    expected = np.array([[[-3.0, -1.0]], [[1.0, 3.0]]]) / math.sqrt(5)
    np.testing.assert_allclose(found.output, expected, rtol=1e-15)
    np.testing.assert_allclose(found.running_mean, [0.4], rtol=1e-15)
    np.testing.assert_allclose(found.running_var, [0.9 + 2 / 3], rtol=1e-15)
    np.testing.assert_allclose(found.mean, [4], rtol=1e-15)
    np.testing.assert_allclose(found.variance, [5], rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "given", "axes", "shape"),
    [
        # CS231n assignment 2, BatchNormalization.ipynb and ConvolutionalNetworks.ipynb: after
        # normalisation means are close to beta and deviations to gamma, along these axes.
        ("batch_norm", lambda x, w, b: (x, None, None, w, b, True), (0,), (200, 3)),
        ("batch_norm", lambda x, w, b: (x, None, None, w, b, True), (0, 2, 3), (2, 3, 4, 5)),
        ("layer_norm", lambda x, w, b: (x, 3, w * 0 + 3, b * 0 + 5), (1,), (4, 3)),
    ],
)
def test_means_and_deviations_of_the_assignments(name, given, axes, shape):
    weight, bias = np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0])
    x = 4 * normal(2, shape)[0] + 10
    found = getattr(F, name)(*given(x, weight, bias))
    expected = (5, 3) if name == "layer_norm" else (bias, weight)
    np.testing.assert_allclose(
        found.mean(axes), np.broadcast_to(expected[0], found.mean(axes).shape), rtol=1e-10
    )
    np.testing.assert_allclose(
        found.std(axes), np.broadcast_to(expected[1], found.std(axes).shape), rtol=1e-3
    )


def test_uncompiled_is_compiled():
    x, grad, mean, scale = normal(1, (2, 3, 4), (2, 3, 4), (3,), (3,))
    for loops, arrays, shapes in (
        (plain.statistics_loops, (x,), [(3,), (3,)]),
        (plain.normalise_loops, (x, mean, scale**2, 0.1), [x.shape]),
        (plain.normalise_backward_loops, (grad, x, mean, scale**2, 0.1), [x.shape]),
        (plain.affine_loops, (x, mean, scale), [x.shape]),
        (plain.affine_backward_loops, (grad, x), [(3,), (3,)]),
        (response.divisor_loops, (x, 3, 0.5, 2.0), [x.shape]),
        (response.response_loops, (x, np.abs(grad) + 1, 0.75), [x.shape]),
        (response.response_backward_loops, (grad, x, np.abs(grad) + 1, 3, 0.5, 0.75), [x.shape]),
        (response.weighted_loops, (x[np.newaxis], x, (-1, -1, -2)), [x.shape]),
    ):
        compiled, read = [[np.empty(shape) for shape in shapes] for _ in range(2)]
        loops(*arrays, *compiled)
        loops.py_func(*arrays, *read)
        for one, other in zip(compiled, read, strict=True):
            np.testing.assert_allclose(one, other, 1e-14, 1e-15)


def test_the_plain_tier_composes_batch_norm():
    assert kernel("normalisation", tier="plain").batch_norm is plain.batch_norm


def test_what_is_refused():
    x, three = np.ones((2, 3, 4)), np.ones(3)
    with pytest.raises(ValueError, match="running_mean: must be given when training is False"):
        F.batch_norm(x, None, None)
    with pytest.raises(ValueError, match="running_var: must be given together with running_mean"):
        F.batch_norm(x, three, None)
    with pytest.raises(ValueError, match=r"weight: must have shape \(3,\) \(one per channel\)"):
        F.batch_norm(x, three, three, np.ones(4))
    with pytest.raises(ValueError, match="input: must have more than 1 value per channel"):
        F.batch_norm(np.ones((1, 3)), None, None, training=True)
    with pytest.raises(ValueError, match=r"eps: must be at least 0, got -1\.0"):
        F.batch_norm(x, three, three, eps=-1)
    with pytest.raises(TypeError, match="running_mean: must be float64 like the input"):
        F.batch_norm(x, three.astype(np.float32), three)
    with pytest.raises(ValueError, match="normalized_shape: must be the last extents"):
        F.layer_norm(x, (3,))
    with pytest.raises(ValueError, match="num_groups: must divide the input's 3 channels, got 2"):
        F.group_norm(x, 2)
    with pytest.raises(ValueError, match="input: must have more than 1 position"):
        F.instance_norm(x[:, :, :1])
    with pytest.raises(ValueError, match="size: must be at least 1, got 0"):
        F.local_response_norm(x, 0)
    with pytest.raises(ValueError, match=r"input: must have 3 or .* axes"):
        F.local_response_norm(np.ones((2, 3)), 5)
    with pytest.raises(ValueError, match="sigma: must be more than 0"):
        F.local_contrast_norm(x, 3, sigma=0)
    with pytest.raises(ValueError, match="input: must have 3 or 4 or 5 axes"):
        F.local_contrast_norm(np.ones((2, 3)), 3)
    with pytest.raises(ValueError, match="grad_output: must have shape"):
        F.batch_norm_backward(x[:1], x, three, three)
