"""Activations against PyTorch, at their kinks and beyond, and by central differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.binding import kernel
from cnncalc.kernels.cpu.plain import activation as plain
from tests.functional.comparing import (
    central_difference,
    close,
    normal,
    same_bits,
    threads,
    torch_module,
    torch_reference,
)

#: Name, keyword arguments here, and a function of torch with its own.
KINDS = {
    "relu": ({}, {}),
    "relu6": ({}, {}),
    "leaky_relu": ({"negative_slope": 0.2}, {"negative_slope": 0.2}),
    "elu": ({"alpha": 0.5}, {"alpha": 0.5}),
    "selu": ({}, {}),
    "gelu": ({}, {}),
    "gelu tanh": ({"approximate": "tanh"}, {"approximate": "tanh"}),
    "silu": ({}, {}),
    "hardswish": ({}, {}),
    "hardsigmoid": ({}, {}),
    "sigmoid": ({}, {}),
    "tanh": ({}, {}),
    "softplus": ({"beta": 2.0, "threshold": 5.0}, {"beta": 2.0, "threshold": 5.0}),
}
SPECIAL = [-math.inf, -1e30, -1000, -100, -6, -3, -1, -1e-6, -0.0]
SPECIAL += [0.0, 1e-6, 1, 3, 6, 20, 20.5, 80, 1000, 1e30, math.inf, math.nan]
SHAPES = st.lists(st.integers(1, 7), min_size=1, max_size=5).map(tuple)
TIERS = pytest.mark.parametrize("tier", ["fast", "plain"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def functions(kind):
    name = kind.split()[0]
    return getattr(F, name), getattr(F, f"{name}_backward")


def of_torch(kind):
    torch = torch_module()
    if kind == "hardsigmoid":  # torch's own has 1/6 in float32, in its float64 gradient too
        return lambda x: torch.nn.functional.relu6(x + 3) / 6
    name, options = kind.split()[0], KINDS[kind][1]
    return lambda x: getattr(torch.nn.functional, name)(x, **options)


@TIERS
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 999), scale=st.sampled_from([0.01, 1.0, 8.0]))
def test_elementwise_as_torch(kind, tier, shape, seed, scale):
    (x,) = normal(seed, shape)
    x = (x * scale).astype(np.float32).astype(np.float64)
    x.flat[0] = 1  # a magnitude to compare with: alone, gelu's tail is below any float32
    forward, backward = functions(kind)
    options = KINDS[kind][0]
    reference, grad, (of_x,) = torch_reference(of_torch(kind), [x])
    for dtype in (np.float32, np.float64):
        with F.tier(tier):
            close(forward(x.astype(dtype), **options), reference, what=f"{kind} forward")
            found = backward(grad.astype(dtype), x.astype(dtype), **options)
        close(found[0], of_x, what=f"{kind} backward")


@TIERS
@DTYPES
@pytest.mark.parametrize("kind", KINDS)
def test_kinks_infinities_and_nan_as_torch(kind, dtype, tier):
    torch = torch_module()
    forward, backward = functions(kind)
    x = np.array(SPECIAL, dtype)
    leaf = torch.tensor(x.astype(np.float64), requires_grad=True)
    output = of_torch(kind)(leaf)
    output.backward(torch.full_like(output, 2.0))
    grad = np.full_like(x, 2)
    with F.tier(tier):
        got, (of_x,) = forward(x, **KINDS[kind][0]), backward(grad, x, **KINDS[kind][0])
    tolerance = 2e-6 if dtype is np.float32 else 1e-12
    of_torch_x = leaf.grad.numpy()
    if kind == "hardsigmoid":
        of_torch_x[-1] = 0  # torch's own at NaN, where relu6 lets the gradient through
    for found, expected in ((got, output.detach().numpy()), (of_x, of_torch_x)):
        np.testing.assert_allclose(found, expected.astype(dtype), tolerance, tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_central_differences(kind):
    forward, backward = functions(kind)
    options = KINDS[kind][0]
    x, grad = normal(5, (3, 7), (3, 7))
    numeric = central_difference(lambda each: forward(each, **options), x, grad)
    close(backward(grad, x, **options)[0], numeric, 1e-8)


@DTYPES
@pytest.mark.parametrize("kind", plain.LOOPS)
def test_fast_is_plain_and_threads_change_no_bit(kind, dtype):
    x, grad = (each.astype(dtype) for each in normal(3, (5, 6007), (5, 6007)))
    fast, slow = kernel("activation", tier="fast"), kernel("activation", tier="plain")
    numbers = (0.3, 0.7)
    tolerance = 1e-6 if dtype is np.float32 else 1e-14
    found = []
    for count in (1, 2, 4):
        with threads(count):
            found.append((fast.forward(kind, x, *numbers), fast.backward(kind, grad, x, *numbers)))
    for forward, backward in found[1:]:
        same_bits(forward, found[0][0])
        same_bits(backward, found[0][1])
    close(found[0][0], slow.forward(kind, x, *numbers).astype(np.float64), tolerance)
    close(found[0][1], slow.backward(kind, grad, x, *numbers).astype(np.float64), tolerance)


@pytest.mark.parametrize("kind", plain.LOOPS)
def test_uncompiled_is_compiled(kind):
    x, grad = normal(4, (23,), (23,))
    for place, arrays in ((0, (x,)), (1, (grad, x))):
        loops = plain.LOOPS[kind][place]
        compiled, read = np.empty_like(x), np.empty_like(x)
        loops(*arrays, 0.3, 0.7, compiled)
        loops.py_func(*arrays, 0.3, 0.7, read)
        np.testing.assert_allclose(compiled, read, 1e-14, 1e-15)


@given(
    extents=st.tuples(st.integers(1, 4), st.integers(1, 5)),
    spatial=st.lists(st.integers(1, 4), max_size=3),
    seed=st.integers(0, 999),
    single=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_prelu_as_torch(extents, spatial, seed, single):
    torch = torch_module()
    shape = (*extents, *spatial)
    x, weight = normal(seed, shape, (1 if single else extents[1],))
    reference, grad, of_all = torch_reference(torch.nn.functional.prelu, [x, weight])
    for dtype in (np.float32, np.float64):
        given = x.astype(dtype), weight.astype(dtype)
        close(F.prelu(*given), reference)
        for found, expected in zip(
            F.prelu_backward(grad.astype(dtype), *given), of_all, strict=True
        ):
            close(found, expected)


@TIERS
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    axis=st.integers(-4, 3),
    seed=st.integers(0, 999),
    scale=st.sampled_from([1.0, 30.0]),
)
def test_softmax_as_torch(name, tier, shape, axis, seed, scale):
    torch = torch_module()
    dim = axis % (2 * len(shape)) - len(shape)
    (x,) = normal(seed, shape)
    x = (x * scale).astype(np.float32).astype(np.float64)
    function = getattr(torch.nn.functional, name)
    reference, grad, (of_x,) = torch_reference(lambda each: function(each, dim=dim), [x])
    with F.tier(tier):
        for dtype in (np.float32, np.float64):
            close(getattr(F, name)(x.astype(dtype), dim), reference)
            backward = getattr(F, f"{name}_backward")
            (found,) = backward(grad.astype(dtype), x.astype(dtype), dim)
            # log_softmax' gradient is a difference, whose rounding is that of its terms.
            scale_of = 1 if dtype is np.float64 else np.abs(grad).max()
            assert np.abs(found - of_x).max() <= scale_of * (
                2e-5 if dtype is np.float32 else 1e-11 * max(1, np.abs(grad).max())
            )


@TIERS
@DTYPES
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_infinities_and_nan_as_torch(name, dtype, tier):
    torch = torch_module()
    rows = [
        [1.0, math.nan, 2.0],
        [math.inf, 1.0, 2.0],
        [-math.inf, 1.0, 2.0],
        [-math.inf] * 3,
        [1e30, -1e30, 0.0],
        [1000.0, 999.0, -1000.0],
    ]
    x = np.array(rows, dtype)
    reference = getattr(torch, name)(torch.tensor(x, dtype=torch.float64), 1).numpy()
    with F.tier(tier):
        found = getattr(F, name)(x)
    np.testing.assert_allclose(found, reference.astype(dtype), 1e-6, 1e-12)
    wide = np.ascontiguousarray(x.T)[np.newaxis]
    with F.tier(tier):
        found = getattr(F, name)(wide)
    np.testing.assert_allclose(found[0].T, reference.astype(dtype), 1e-6, 1e-12)


@DTYPES
@pytest.mark.parametrize("shape", [(3, 1000), (2, 5, 31, 47), (1, 3, 4099)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_fast_is_plain_on_any_threads(name, shape, dtype):
    x, grad = (each.astype(dtype) for each in normal(7, shape, shape))
    found = []
    for tier, count in (("plain", 1), ("fast", 1), ("fast", 2), ("fast", 4)):
        with F.tier(tier), threads(count):
            backward = getattr(F, f"{name}_backward")
            found.append((getattr(F, name)(x), backward(grad, x)[0]))
    tolerance = 2e-6 if dtype is np.float32 else 2e-14
    for place in (0, 1):
        close(found[1][place], found[0][place].astype(np.float64), tolerance)
        for other in found[2:]:
            same_bits(other[place], found[1][place])


def test_softmax_published():
    # CS231n, "Linear classification", the figure of SVM and Softmax: the scores
    # -2.85, 0.86, 0.28 have exponentials 0.058, 2.36, 1.32, which normalise to
    # 0.016, 0.631, 0.353.
    (found,) = F.softmax(np.array([[-2.85, 0.86, 0.28]]))
    np.testing.assert_allclose(found, [0.016, 0.631, 0.353], atol=6e-4)


def test_relu_published():
    # CS231n assignment 2, FullyConnectedNets.ipynb.
    x = np.linspace(-0.5, 0.5, num=12).reshape(3, 4)
    published = [
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.04545455, 0.13636364],
        [0.22727273, 0.31818182, 0.40909091, 0.5],
    ]
    np.testing.assert_allclose(F.relu(x), published, atol=5e-9, rtol=0)


def test_lenet_tanh():
    # LeCun et al. 1998, appendix A: f(1) = 1 and f(-1) = -1 for A = 1.7159, S = 2/3.
    x, grad = normal(2, (4, 5), (4, 5))
    constants = {"scale": 1.7159, "slope": 2 / 3}
    ones = F.tanh(np.array([1.0, -1.0]), **constants)
    np.testing.assert_allclose(ones, [1, -1], atol=2e-5)
    numeric = central_difference(lambda each: F.tanh(each, **constants), x, grad)
    close(F.tanh_backward(grad, x, **constants)[0], numeric, 1e-8)


@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 4),
    pieces=st.integers(1, 4),
    spatial=st.lists(st.integers(1, 4), max_size=3),
    seed=st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_maxout_as_torch(batch, channels, pieces, spatial, seed):
    shape = (batch, channels * pieces, *spatial)
    x = np.round(normal(seed, shape)[0])  # rounded, so that there are ties

    def reference(each):
        return each.reshape(batch, channels, pieces, *spatial).max(dim=2).values

    expected, grad, (of_x,) = torch_reference(reference, [x])
    close(F.maxout(x, pieces), expected)
    close(F.maxout_backward(grad, x, pieces)[0], of_x)
    close(F.maxout_backward(grad.astype(np.float32), x.astype(np.float32), pieces)[0], of_x)


def test_maxout_by_hand():
    # Channels (1, 3), (3, 2), (nan, 9): the larger, and NaN before all; the gradient to it.
    x = np.array([[1.0, 3.0, 3.0, 2.0, math.nan, 9.0]])
    np.testing.assert_array_equal(F.maxout(x, 2), [[3, 3, math.nan]])
    (found,) = F.maxout_backward(np.array([[5.0, 6.0, 7.0]]), x, 2)
    np.testing.assert_array_equal(found, [[0, 5, 6, 0, 7, 0]])


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex128, ">f4"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match="input: must be float32 or float64"):
        F.relu(np.zeros((2, 3), dtype))


def test_what_is_refused():
    x = np.zeros((2, 6, 3))
    with pytest.raises(TypeError, match="grad_output: must be float64 like the input, got float32"):
        F.relu_backward(x.astype(np.float32), x)
    with pytest.raises(ValueError, match=r"grad_output: must have shape \(2, 6, 3\)"):
        F.relu_backward(x[:1], x)
    with pytest.raises(ValueError, match="every extent must be at least 1"):
        F.sigmoid(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="channels divisible by 4 pieces"):
        F.maxout(x, 4)
    with pytest.raises(ValueError, match="dim: must be less than the input's 3 axes, got 3"):
        F.softmax(x, 3)
    with pytest.raises(ValueError, match="dim: must be at least -3, got -4"):
        F.softmax(x, -4)
    with pytest.raises(ValueError, match=r"weight: must have shape \(6,\)"):
        F.prelu(x, np.zeros(5))
    with pytest.raises(ValueError, match='approximate: must be "none" or "tanh"'):
        F.gelu(x, "erf")
    with pytest.raises(ValueError, match="alpha: must be finite, got nan"):
        F.elu(x, math.nan)


def test_any_memory_is_read_and_none_is_written():
    (base,) = normal(1, (4, 6, 8))
    for x in (base[::-1], base[:, ::2], base.T, np.broadcast_to(base[:1], base.shape)):
        same_bits(F.silu(x), F.silu(x.copy()))
    base.flags.writeable = False
    same_bits(F.relu(base), np.maximum(base, 0))
    before = base.copy()
    F.softmax(base)
    F.relu_backward(base, base)
    same_bits(base, before)


def test_only_what_is_needed():
    x, weight = normal(1, (2, 3), (3,))
    assert F.relu_backward(x, x, needs=(False,)) == (None,)
    of_x, of_weight = F.prelu_backward(x, x, weight, needs=(False, True))
    assert of_x is None
    assert of_weight.shape == (3,)
