"""Linear layers and embeddings, forward and backward."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import linear as plain
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

CS231N = yaml.safe_load((Path(__file__).parents[1] / "data" / "cs231n.yaml").read_text())

FLOATS = [np.float32, np.float64]
both_tiers = pytest.mark.parametrize("tier", F.TIERS)
many = settings(max_examples=200, deadline=None, derandomize=True, database=None)
extent = st.integers(1, 40)


@both_tiers
@given(
    before=st.lists(st.integers(1, 4), min_size=0, max_size=3),
    features=extent,
    outputs=extent,
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
@many
def test_linear_agrees_with_pytorch(
    tier: str, before: list[int], features: int, outputs: int, bias: bool, seed: int
) -> None:
    torch = torch_module()
    x, weight, b = normal(seed, (*before, features), (outputs, features), (outputs,))
    arrays = [x, weight, b if bias else None]
    y, grad, gradients = torch_reference(torch.nn.functional.linear, arrays, seed)
    with F.tier(tier):
        for dtype in FLOATS:
            cast = [None if a is None else a.astype(dtype) for a in arrays]
            close(F.linear(*cast), y)
            found = F.linear_backward(grad.astype(dtype), *cast)
            for got, expected in zip(found, gradients, strict=True):
                assert (got is None) == (expected is None)
                if got is not None:
                    close(got, expected)


#: Rows, features and outputs at the edges of vectors, tiles and tasks, and of sums that are split.
edges = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 47, 64, 65, 97, 130, 257, 300])


@given(rows=edges, features=edges, outputs=edges, seed=st.integers(0, 1000))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_tiles_of_any_size_agree_with_float64(
    rows: int, features: int, outputs: int, seed: int
) -> None:
    x, weight, bias, grad = normal(
        seed, (rows, features), (outputs, features), (outputs,), (rows, outputs)
    )
    expected = [x @ weight.T + bias, grad @ weight, grad.T @ x, grad.sum(0)]
    for dtype in FLOATS:
        given = [a.astype(dtype) for a in (x, weight, bias, grad)]
        kept = [a.copy() for a in given]
        found = [F.linear(*given[:3]), *F.linear_backward(given[3], *given[:3])]
        for got, one, what in zip(found, expected, ("y", "dx", "dw", "db"), strict=True):
            close(got, one, what=what)
        for before, after in zip(kept, given, strict=True):
            same_bits(before, after)


@both_tiers
@pytest.mark.parametrize(
    "shape",
    [
        (1, 1025, 517),
        (17, 2049, 33),
        (130, 70, 300),
        (300, 90, 70),  # more rows than the gradient of the weight sums in one go
        (600, 9, 70),
        (3, 1024, 1040),  # a gradient of the weight that goes past the caches
    ],
)
@pytest.mark.parametrize("dtype", FLOATS)
def test_larger_products_agree_with_pytorch(
    tier: str, shape: tuple[int, int, int], dtype: Any
) -> None:
    rows, features, outputs = shape
    arrays = normal(1, (rows, features), (outputs, features), (outputs,))
    y, grad, gradients = torch_reference(torch_module().nn.functional.linear, arrays)
    with F.tier(tier), threads(1):
        cast = [a.astype(dtype) for a in arrays]
        close(F.linear(*cast), y)
        for got, expected in zip(
            F.linear_backward(grad.astype(dtype), *cast), gradients, strict=True
        ):
            close(got, expected)


@both_tiers
@pytest.mark.parametrize("shape", [(1, 4096, 600), (16, 6000, 300), (8, 300, 6000), (256, 70, 90)])
def test_rounding_errors_are_at_most_twice_those_of_pytorch(
    tier: str, shape: tuple[int, int, int]
) -> None:
    torch = torch_module()
    rows, features, outputs = shape
    x, weight, grad = normal(7, (rows, features), (outputs, features), (rows, outputs))
    exact = [x @ weight.T, grad @ weight, grad.T @ x]
    x, weight, grad = (a.astype(np.float32) for a in (x, weight, grad))
    tx, tw, tg = map(torch.from_numpy, (x, weight, grad))
    theirs = [torch.nn.functional.linear(tx, tw), tg.mm(tw), tg.t().mm(tx)]
    with F.tier(tier):
        ours = [F.linear(x, weight), *F.linear_backward(grad, x, weight)[:2]]
    for got, other, expected in zip(ours, theirs, exact, strict=True):
        error, allowed = (
            np.sqrt(np.square(a - expected).mean()) for a in (got, other.numpy().astype(float))
        )
        assert error <= 2 * allowed


@both_tiers
def test_affine_forward_of_cs231n(tier: str) -> None:
    entry = CS231N["affine_forward"]
    x = np.linspace(-0.1, 0.5, num=240).reshape(2, 4 * 5 * 6)
    w = np.linspace(-0.2, 0.3, num=360).reshape(120, 3)
    with F.tier(tier):
        y = F.linear(x, w.T, np.linspace(-0.3, 0.1, num=3))
    close(y, entry["published_correct_out"], 1e-8)  # printed to eight places
    close(y, entry["recomputed_float64"], 1e-12)


@both_tiers
def test_two_layer_net_of_cs231n(tier: str) -> None:
    entry = CS231N["two_layer_net"]
    w1, b1 = np.linspace(-0.7, 0.3, num=250).reshape(5, 50), np.linspace(-0.1, 0.9, num=50)
    w2, b2 = np.linspace(-0.3, 0.4, num=350).reshape(50, 7), np.linspace(-0.9, 0.1, num=7)
    x = np.linspace(-5.5, 4.5, num=15).reshape(5, 3).T
    with F.tier(tier):
        scores = F.linear(np.maximum(F.linear(x, w1.T, b1), 0), w2.T, b2)
    close(scores, entry["published_scores"], 1e-8)


@both_tiers
def test_a_product_worked_by_hand(tier: str) -> None:
    # y = [1*3 + 2*4 + 0.5, 1*5 + 2*6 - 0.5] = [11.5, 16.5]; with dy = [1, 10]:
    # dx = [1*3 + 10*5, 1*4 + 10*6] = [53, 64]; dW = [[1*1, 1*2], [10*1, 10*2]]; db = dy.
    x, weight, bias = np.array([[1.0, 2]]), np.array([[3.0, 4], [5, 6]]), np.array([0.5, -0.5])
    with F.tier(tier):
        np.testing.assert_array_equal(F.linear(x, weight, bias), [[11.5, 16.5]])
        dx, dw, db = F.linear_backward(np.array([[1.0, 10]]), x, weight, bias)
    np.testing.assert_array_equal(dx, [[53, 64]])
    np.testing.assert_array_equal(dw, [[1, 2], [10, 20]])
    np.testing.assert_array_equal(db, [1, 10])


@both_tiers
def test_gradients_are_central_differences(tier: str) -> None:
    x, weight, bias, grad = normal(2, (3, 5), (4, 5), (4,), (3, 4))
    with F.tier(tier):
        dx, dw, db = F.linear_backward(grad, x, weight, bias)
        close(dx, central_difference(lambda v: F.linear(v, weight, bias), x, grad), 1e-8)
        close(dw, central_difference(lambda v: F.linear(x, v, bias), weight, grad), 1e-8)
        close(db, central_difference(lambda v: F.linear(x, weight, v), bias, grad), 1e-8)


@both_tiers
@pytest.mark.parametrize("shape", [(300, 70, 50), (1, 2048, 96), (16, 1040, 600), (5, 513, 131)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_threads_and_memory_layout_change_no_bit(
    tier: str, shape: tuple[int, int, int], dtype: Any
) -> None:
    M, K, N = shape
    arrays = [a.astype(dtype) for a in normal(3, (M, K), (N, K), (N,), (M, N))]

    def both_passes(x: Any, weight: Any, bias: Any, grad: Any) -> list[Any]:
        return [F.linear(x, weight, bias), *F.linear_backward(grad, x, weight, bias)]

    with F.tier(tier):
        with threads(1):
            expected = both_passes(*arrays)
        for count in (2, 4):
            with threads(count):
                for got, one in zip(both_passes(*arrays), expected, strict=True):
                    same_bits(got, one)
        for layout in range(5):
            given = [list(awkward_layouts(array))[layout] for array in arrays]
            for got, one in zip(both_passes(*given), expected, strict=True):
                same_bits(got, one)
            for array, one in zip(given, arrays, strict=True):
                same_bits(array, one)


@both_tiers
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_a_number_and_infinity_reach_what_they_touch(tier: str, value: float) -> None:
    arrays = normal(4, (3, 20), (18, 20), (18,))
    arrays[0][1, 3] = value
    y, grad, gradients = torch_reference(torch_module().nn.functional.linear, arrays)
    with F.tier(tier):
        close(F.linear(*arrays), y)
        for got, expected in zip(F.linear_backward(grad, *arrays), gradients, strict=True):
            close(got, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_plain_loops_give_the_same_bits_uncompiled(dtype: Any) -> None:
    x, weight, bias, grad = (a.astype(dtype) for a in normal(5, (3, 5), (4, 5), (4,), (3, 4)))
    tokens, rows = np.array([2, 0, 2]), grad[:, :3].copy()
    with F.tier("plain"):

        def all_passes() -> list[Any]:
            embedded = F.embedding_backward(rows, tokens, bias.reshape(-1, 1).repeat(3, 1))
            return [
                F.linear(x, weight, bias),
                *F.linear_backward(grad, x, weight, bias),
                *embedded,
            ]

        compiled = all_passes()
        with uncompiled(plain):
            interpreted = all_passes()
    for one, other in zip(compiled, interpreted, strict=True):
        same_bits(one, other)


@pytest.mark.parametrize(
    ("arrays", "kind", "message"),
    [
        (([1.0], np.ones((2, 1))), TypeError, "input: must be a NumPy array, got list"),
        ((np.ones(()), np.ones((2, 1))), ValueError,
         "input: must have 1 or more axes, got shape ()"),
        ((np.ones((2, 3)), np.ones((4, 2))), ValueError,
         "weight: must have shape (4, 3) for 3 features, got shape (4, 2)"),
        ((np.ones((2, 3)), np.ones(3)), ValueError,
         "weight: must have 2 axes (F, K), got shape (3,)"),
        ((np.ones((2, 3)), np.ones((4, 3), np.float32)), TypeError,
         "weight: must be float64 like the input, got float32"),
        ((np.ones((2, 3)), np.ones((4, 3)), np.ones(3)), ValueError,
         "bias: must have shape (4,) (one for each output), got shape (3,)"),
        ((np.ones((0, 3)), np.ones((4, 3))), ValueError,
         "input: every extent must be at least 1, got shape (0, 3)"),
    ],
)  # fmt: skip
def test_what_a_linear_layer_refuses(
    arrays: tuple[Any, ...], kind: type[Exception], message: str
) -> None:
    with refusal(kind, message):
        F.linear(*arrays)


# Embedding


@both_tiers
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    vocabulary=st.integers(1, 9),
    features=st.integers(1, 20),
    seed=st.integers(0, 1000),
)
@many
def test_embedding_agrees_with_pytorch(
    tier: str, shape: list[int], vocabulary: int, features: int, seed: int
) -> None:
    torch = torch_module()
    tokens = np.random.default_rng(seed).integers(0, vocabulary, shape)
    (weight,) = normal(seed, (vocabulary, features))
    y, grad, (dweight,) = torch_reference(
        lambda w: torch.nn.functional.embedding(torch.tensor(tokens), w), [weight], seed
    )
    with F.tier(tier):
        for dtype in FLOATS:
            w = weight.astype(dtype)
            close(F.embedding(tokens.astype(np.uint8), w), y)
            (found,) = F.embedding_backward(grad.astype(dtype), tokens, w)
            close(found, dweight)
            assert F.embedding_backward(grad.astype(dtype), tokens, w, needs=[False]) == (None,)


def test_an_embedding_worked_by_hand() -> None:
    weight = np.array([[1.0, 2], [3, 4], [5, 6]])
    tokens = np.array([2, 0, 2])
    np.testing.assert_array_equal(F.embedding(tokens, weight), [[5, 6], [1, 2], [5, 6]])
    grad = np.array([[1.0, 2], [10, 20], [100, 200]])
    (dweight,) = F.embedding_backward(grad, tokens, weight)
    np.testing.assert_array_equal(dweight, [[10, 20], [0, 0], [101, 202]])


@pytest.mark.parametrize("dtype", FLOATS)
def test_any_number_of_threads_sums_an_embedding_alike(dtype: Any) -> None:
    weight, grad = (a.astype(dtype) for a in normal(6, (50, 40), (3000, 40)))
    tokens = np.random.default_rng(6).integers(0, 50, 3000)
    with threads(1):
        (expected,) = F.embedding_backward(grad, tokens, weight)
    for count in (2, 4):
        with threads(count):
            same_bits(F.embedding_backward(grad, tokens, weight)[0], expected)


@pytest.mark.parametrize(
    ("tokens", "kind", "message"),
    [
        (np.array([0.0]), TypeError, "input: must be an array of integers, got float64"),
        (np.array([3]), ValueError, "input: must lie between 0 and 2, got 3"),
        (np.array([0, -1]), ValueError, "input: must lie between 0 and 2, got -1"),
        (np.array([1], ">i8"), TypeError,
         "input: must be an array of integers, got int64 of the other byte order "
         "(use .astype('int64'))"),
        (np.empty(0, np.int64), ValueError,
         "input: every extent must be at least 1, got shape (0,)"),
        ([1], TypeError, "input: must be a NumPy array, got list"),
    ],
)  # fmt: skip
def test_what_an_embedding_refuses(tokens: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        F.embedding(tokens, np.ones((3, 2)))
