"""The fast convolutions against PyTorch in float64: random shapes, infinities, threads, widths."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.kernels.cpu.fast import convolution, vectors
from tests.functional.comparing import close, normal, same_bits, threads, torch_module

CASES = int(os.environ.get("CNNCALC_FAST_CASES", "150"))


@dataclass(frozen=True)
class Case:
    """A convolution in two dimensions."""

    batch: int
    channels: int  # of a group
    filters: int  # of a group
    groups: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)

    @property
    def input(self) -> tuple[int, ...]:
        return (self.batch, self.channels * self.groups, *self.size)

    @property
    def weight(self) -> tuple[int, ...]:
        return (self.filters * self.groups, self.channels, *self.kernel)

    @property
    def options(self) -> tuple:
        return (self.stride, self.padding, self.dilation, self.groups)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Extents that are not multiples of a vector, and every option."""

    def whole(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    groups = draw(st.sampled_from([1, 1, 1, 2, 3, 9]))
    most = 70 if groups == 1 else 5
    channels, filters = whole(1, most), whole(1, most)
    if groups > 3 and draw(st.booleans()):
        channels, filters = 1, whole(1, 2)
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (whole(1, 5), whole(1, 5))]))
    dilation = (whole(1, 3), whole(1, 2))
    stride = draw(st.sampled_from([(1, 1), (2, 2), (whole(1, 3), whole(1, 4))]))
    padding = ((whole(0, 4), whole(0, 3)), (whole(0, 3), whole(0, 4)))
    least = [
        max(1, d * (k - 1) + 1 - sum(p)) for d, k, p in zip(dilation, kernel, padding, strict=True)
    ]
    size = (least[0] + whole(0, 14), least[1] + whole(0, 40))
    return Case(whole(1, 3), channels, filters, groups, size, kernel, stride, padding, dilation)


def reference(case: Case, x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> tuple:
    """Output, its gradient, and those of input and weight, by PyTorch in float64."""
    torch = torch_module()
    (top, bottom), (left, right) = case.padding
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (x, weight)]
    padded = torch.nn.functional.pad(leaves[0], (left, right, top, bottom))
    y = torch.nn.functional.conv2d(
        padded,
        leaves[1],
        torch.tensor(bias, dtype=torch.float64),
        case.stride,
        0,
        case.dilation,
        case.groups,
    )
    (grad,) = normal(7, tuple(y.shape))
    y.backward(torch.tensor(grad))
    return y.detach().numpy(), grad, leaves[0].grad.numpy(), leaves[1].grad.numpy()


def check(case: Case, dtype: type) -> None:
    """Forward and both gradients, and the transposed convolution, which are the same sums."""
    x, weight, bias = normal(3, case.input, case.weight, case.weight[:1])
    y, grad, dx, dweight = reference(case, x, weight, bias)
    x, weight, bias, grad = (a.astype(dtype) for a in (x, weight, bias, grad))
    kept = [a.copy() for a in (x, weight, bias, grad)]
    options = case.options
    close(convolution.forward(x, weight, bias, *options), y, what="forward")
    close(convolution.input_gradient(grad, weight, x.shape, *options), dx, what="input")
    close(convolution.weight_gradient(grad, x, weight.shape, *options), dweight, what="weight")
    plus = normal(4, case.input[1:2])[0].astype(dtype)
    made = convolution.transposed_forward(grad, weight, plus, x.shape, *options)
    close(made, dx + plus.astype(float)[:, None, None], what="transposed")
    back = convolution.transposed_input_gradient(x, weight, grad.shape, *options)
    close(back, y - bias.astype(float)[:, None, None], what="transposed input")
    back = convolution.transposed_weight_gradient(x, grad, weight.shape, *options)
    close(back, dweight, what="transposed weight")
    for before, after in zip(kept, (x, weight, bias, grad), strict=True):
        same_bits(before, after)


@settings(max_examples=CASES, deadline=None)
@given(case=cases())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_pytorch(case, dtype):
    check(case, dtype)


#: A few of everything: tails of vectors and tiles, several bands, images put together.
CHOSEN = [
    Case(2, 3, 64, 1, (40, 37), (7, 7), (2, 2), ((3, 3), (3, 3))),
    Case(3, 48, 33, 1, (7, 7), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(2, 64, 130, 1, (14, 15), (1, 1)),
    Case(5, 70, 48, 2, (7, 7), (1, 1)),
    Case(1, 65, 101, 1, (7, 7), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(3, 200, 24, 1, (9, 31), (1, 1), (2, 2)),
    Case(1, 40, 96, 1, (13, 13), (3, 3), (2, 1), ((0, 1), (2, 0)), (1, 2)),
    Case(2, 1, 1, 21, (19, 23), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(2, 1, 1, 18, (19, 23), (3, 3), (2, 2), ((1, 1), (0, 1))),
    Case(1, 1, 2, 5, (30, 9), (5, 5), (1, 1), ((2, 2), (2, 2))),
    Case(2, 4, 4, 8, (12, 21), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(1, 3, 96, 1, (67, 51), (11, 11), (4, 4)),
    Case(1, 130, 20, 1, (30, 70), (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2)),
    Case(1, 100, 88, 1, (7, 7), (1, 1)),
    Case(3, 70, 3, 1, (33, 31), (1, 1)),
    Case(1, 150, 24, 1, (13, 17), (1, 1)),
    Case(3, 1, 1, 133, (7, 7), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(3, 1, 1, 70, (14, 15), (3, 3), (2, 2), ((1, 1), (0, 1))),
    Case(2, 1, 1, 37, (17, 21), (5, 5), (1, 2), ((2, 2), (2, 1))),
    Case(2, 1, 1, 40, (16, 11), (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2)),
    Case(1, 1, 1, 6, (61, 43), (3, 3), (1, 1), ((1, 1), (1, 1))),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CHOSEN)
def test_chosen_shapes(case, dtype):
    check(case, dtype)


def test_one_axis():
    torch = torch_module()
    x, weight = normal(1, (2, 6, 50), (10, 3, 4))
    y = convolution.forward(x, weight, None, (2,), ((1, 3),), (2,), 2)
    padded = torch.nn.functional.pad(torch.tensor(x), (1, 3))
    close(y, torch.nn.functional.conv1d(padded, torch.tensor(weight), None, 2, 0, 2, 2).numpy())


def test_three_axes_are_left_to_the_plain_tier():
    torch = torch_module()
    x, weight = normal(1, (1, 2, 4, 5, 6), (3, 2, 2, 3, 2))
    y = convolution.forward(x, weight, None, (1,) * 3, ((0, 0),) * 3, (1,) * 3, 1)
    close(y, torch.nn.functional.conv3d(torch.tensor(x), torch.tensor(weight)).numpy())


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("case", CHOSEN[1:7])
def test_a_number_that_is_not_finite_stays_where_it_belongs(case, value):
    """Only the sums that have it as a term are not finite; padding and tails do not leak."""
    x, weight, bias = normal(3, case.input, case.weight, case.weight[:1])
    x[-1, 0, case.size[0] // 2, case.size[1] - 1] = value
    y, grad, _, dweight = reference(case, x, weight, bias)
    close(convolution.forward(x, weight, bias, *case.options), y)
    close(convolution.weight_gradient(grad, x, weight.shape, *case.options), dweight)
    grad[0, -1, 0, -1] = value
    made = np.isfinite(convolution.input_gradient(grad, weight, x.shape, *case.options))
    touched = transposed_support(case, grad.shape)
    np.testing.assert_array_equal(~made, touched)


def transposed_support(case: Case, shape: tuple[int, ...]) -> np.ndarray:
    """Which inputs the last column of the first row of the last filter's output reads."""
    reads = np.zeros(case.input, bool)
    group = case.groups - 1
    maps = slice(group * case.channels, (group + 1) * case.channels)
    for a in range(case.kernel[0]):
        for b in range(case.kernel[1]):
            h = -case.padding[0][0] + a * case.dilation[0]
            w = (shape[3] - 1) * case.stride[1] - case.padding[1][0] + b * case.dilation[1]
            if 0 <= h < case.size[0] and 0 <= w < case.size[1]:
                reads[0, maps, h, w] = True
    return reads


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CHOSEN)
def test_threads_do_not_change_a_bit(case, dtype):
    x, weight, grad = normal(3, case.input, case.weight, convolution_output(case))
    x, weight, grad = (a.astype(dtype) for a in (x, weight, grad))
    results = []
    for count in (1, 2, 4):
        with threads(count):
            results.append(
                (
                    convolution.forward(x, weight, None, *case.options),
                    convolution.input_gradient(grad, weight, x.shape, *case.options),
                    convolution.weight_gradient(grad, x, weight.shape, *case.options),
                )
            )
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            same_bits(one, other)


def convolution_output(case: Case) -> tuple[int, ...]:
    extents = [
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(
            case.size, case.padding, case.dilation, case.kernel, case.stride, strict=True
        )
    ]
    return (case.batch, case.weight[0], *extents)


@pytest.mark.parametrize("channels", [64, 512])
def test_rounding_errors_are_at_most_twice_pytorchs(channels):
    torch = torch_module()
    case = Case(1, channels, 64, 1, (14, 14), (3, 3), (1, 1), ((1, 1), (1, 1)))
    x, weight, bias = normal(5, case.input, case.weight, case.weight[:1])
    y, grad, dx, dweight = reference(case, x, weight, 0 * bias)
    x, weight, grad = (a.astype(np.float32) for a in (x, weight, grad))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, weight)]
    theirs = torch.nn.functional.conv2d(*leaves, padding=1)
    theirs.backward(torch.tensor(grad))
    pairs = [
        (convolution.forward(x, weight, None, *case.options), theirs.detach(), y),
        (convolution.input_gradient(grad, weight, x.shape, *case.options), leaves[0].grad, dx),
        (
            convolution.weight_gradient(grad, x, weight.shape, *case.options),
            leaves[1].grad,
            dweight,
        ),
    ]
    for ours, other, exact in pairs:
        error, allowed = (np.sqrt(np.mean((a - exact) ** 2)) for a in (ours, other.numpy()))
        assert error <= 2 * allowed


#: Tiles cut off at the edges, images put together, bands, groups, filters that fill no vector.
TILED = [
    Case(1, 16, 16, 1, (48, 52), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(5, 33, 40, 1, (21, 18), (3, 3), (1, 1), ((0, 1), (1, 0))),
    Case(20, 17, 70, 1, (13, 15), (3, 3), (1, 1), ((1, 1), (1, 1))),
    Case(1, 24, 16, 2, (41, 97), (3, 3), (1, 1), ((2, 2), (2, 2))),
    Case(1, 140, 150, 1, (57, 40), (3, 3), (1, 1), ((3, 0), (1, 1))),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", TILED)
def test_winograds_algorithm(case, dtype):
    x, weight, bias = normal(3, case.input, case.weight, case.weight[:1])
    y, grad, dx, _ = reference(case, x, weight, bias)
    x, weight, bias, grad = (a.astype(dtype) for a in (x, weight, bias, grad))
    fast = {"algorithm": "fast"}
    made = convolution.forward(x, weight, bias, *case.options, **fast)
    close(made, y)
    assert not np.array_equal(made, convolution.forward(x, weight, bias, *case.options))
    close(convolution.input_gradient(grad, weight, x.shape, *case.options, **fast), dx)
    for count in (1, 4):
        with threads(count):
            same_bits(made, convolution.forward(x, weight, bias, *case.options, **fast))


#: Compares with PyTorch in a process whose vectors are of another width.
def check_width(bits):
    """A few cases with vectors of a width, in a process that has it."""
    assert bits == vectors.BITS
    for case in CHOSEN[1:6]:
        check(case, np.float32)
        check(case, np.float64)
    test_winograds_algorithm(TILED[1], np.float32)


@pytest.mark.parametrize("bits", [128, 256, 512])
def test_vectors_of_any_width(bits, tmp_path):
    if bits == vectors.BITS:  # what every other test here runs with: nothing more to compile
        check_width(bits)
        return
    root = Path(__file__).parents[2]
    paths = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    environment = {**os.environ, **paths, "CNNCALC_VECTOR_BITS": str(bits)}
    code = f"from tests.kernels.test_fast_convolution import check_width; check_width({bits})"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, check=True)
