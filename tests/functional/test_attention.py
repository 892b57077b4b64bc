"""Attention, forward and backward."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import attention as plain
from tests.functional.comparing import (
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

FLOATS = [np.float32, np.float64]
many = settings(max_examples=150, deadline=None, derandomize=True, database=None)
small = st.integers(1, 6)


@given(
    extents=st.tuples(small, small, small, small, small, small),
    scale=st.sampled_from([None, 0.25, -1.5]),
    seed=st.integers(0, 1000),
)
@many
def test_attention_agrees_with_pytorch(
    extents: tuple[int, ...], scale: float | None, seed: int
) -> None:
    torch = torch_module()
    N, heads, T, S, D, E = extents
    arrays = normal(seed, (N, heads, T, D), (N, heads, S, D), (N, heads, S, E))
    y, grad, gradients = torch_reference(
        lambda *a: torch.nn.functional.scaled_dot_product_attention(*a, scale=scale), arrays, seed
    )
    for dtype in FLOATS:
        cast = [a.astype(dtype) for a in arrays]
        close(F.scaled_dot_product_attention(*cast, scale=scale), y)
        found = F.scaled_dot_product_attention_backward(grad.astype(dtype), *cast, scale=scale)
        sizes = [max(np.abs(g).max(), 1e-3) for g in gradients]  # a single key has no gradient
        for got, expected, size in zip(found, gradients, sizes, strict=True):
            error = np.abs(got - expected).max()
            assert error <= (2e-5 if dtype is np.float32 else 1e-11) * size


@given(
    case=st.tuples(small, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), small),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
)
@many
def test_self_attention_agrees_with_pytorch(case: tuple[int, ...], bias: bool, seed: int) -> None:
    torch = torch_module()
    N, heads, width, H, W = case
    C = heads * width
    shapes = [(N, C, H, W), (3 * C, C), (C, C), (3 * C,), (C,)]
    arrays: list[Any] = normal(seed, *shapes)
    arrays = arrays if bias else [*arrays[:3], None, None]

    def reference(x: Any, in_projection: Any, out_projection: Any, *biases: Any) -> Any:
        in_bias, out_bias = biases
        steps = x.flatten(2).permute(2, 0, 1)  # (T, N, C)
        y, _ = torch.nn.functional.multi_head_attention_forward(
            steps, steps, steps, C, heads, in_projection, in_bias, None, None, False, 0.0,
            out_projection, out_bias, need_weights=False,
        )  # fmt: skip
        return y.permute(1, 2, 0).reshape(x.shape)

    y, grad, gradients = torch_reference(reference, arrays, seed)
    sizes = [0 if g is None else max(np.abs(g).max(), 1e-3) for g in gradients]
    for dtype in FLOATS:
        tolerance = 2e-5 if dtype is np.float32 else 1e-11
        cast = [None if a is None else a.astype(dtype) for a in arrays]
        close(F.self_attention(*cast, heads=heads), y)
        found = F.self_attention_backward(grad.astype(dtype), *cast, heads=heads)
        for got, expected, size in zip(found, gradients, sizes, strict=True):
            assert (got is None) == (expected is None)
            if got is not None:
                assert np.abs(got - expected).max() <= 4 * tolerance * size


def test_one_query_worked_by_hand() -> None:
    # Scores 1*ln 3 and 1*0 (scale 1): shares 3/4 and 1/4, so y = 3/4 * 8 + 1/4 * 4 = 7.
    # g = 1: dvalue = (3/4, 1/4); dshare = (8, 4), their mean 7: dscores = 3/4*1, 1/4*(-3);
    # dquery = 3/4 * ln 3 - 3/4 * 0; dkey = dscores * query.
    log3 = np.log(3.0)
    query, key, value = np.ones((1, 1, 1)), np.array([[[log3], [0]]]), np.array([[[8.0], [4]]])
    close(F.scaled_dot_product_attention(query, key, value, scale=1), [[[7]]], 1e-15)
    found = F.scaled_dot_product_attention_backward(np.ones((1, 1, 1)), query, key, value, scale=1)
    for got, expected in zip(
        found, ([[[0.75 * log3]]], [[[0.75], [-0.75]]], [[[0.75], [0.25]]]), strict=True
    ):
        close(got, expected, 1e-15)


def test_scores_too_large_for_exp_do_not_overflow() -> None:
    query, key = np.full((1, 2, 1), 40.0), np.array([[[40.0], [-40]]])
    y = F.scaled_dot_product_attention(query, key, np.array([[[3.0], [5]]]))
    np.testing.assert_array_equal(y, [[[3], [3]]])  # exp(-3200) is 0


def test_gradients_are_central_differences() -> None:
    arrays = normal(1, (2, 3, 4), (2, 5, 4), (2, 5, 3))
    (grad,) = normal(2, (2, 3, 3))
    found = F.scaled_dot_product_attention_backward(grad, *arrays)
    for place, gradient in enumerate(found):

        def moved(value: Any, place: int = place) -> Any:
            given = (*arrays[:place], value, *arrays[place + 1 :])
            return F.scaled_dot_product_attention(*given)

        close(gradient, central_difference(moved, arrays[place], grad), 1e-8)


@pytest.mark.parametrize("dtype", FLOATS)
def test_any_number_of_threads_gives_the_same_bits(dtype: Any) -> None:
    arrays = [a.astype(dtype) for a in normal(3, (4, 5, 30, 16), (4, 5, 40, 16), (4, 5, 40, 8))]
    (grad,) = normal(4, (4, 5, 30, 8))

    def both_passes() -> list[Any]:
        backward = F.scaled_dot_product_attention_backward(grad.astype(dtype), *arrays)
        return [F.scaled_dot_product_attention(*arrays), *backward]

    with threads(1):
        expected = both_passes()
    for count in (2, 4):
        with threads(count):
            for got, one in zip(both_passes(), expected, strict=True):
                same_bits(got, one)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_plain_loops_give_the_same_bits_uncompiled(dtype: Any) -> None:
    arrays = [a.astype(dtype) for a in normal(5, (2, 3, 4), (2, 5, 4), (2, 5, 3), (2, 3, 3))]
    *inputs, grad = arrays

    def both_passes() -> list[Any]:
        backward = F.scaled_dot_product_attention_backward(grad, *inputs)
        return [F.scaled_dot_product_attention(*inputs), *backward]

    with F.tier("plain"):
        compiled = both_passes()
        with uncompiled(plain):
            for one, other in zip(both_passes(), compiled, strict=True):
                same_bits(one, other)


def test_only_the_gradients_asked_for_are_returned() -> None:
    arrays = normal(6, (2, 4, 3, 5), (12, 4), (4, 4), (12,), (4,))
    (grad,) = normal(7, (2, 4, 3, 5))
    every = F.self_attention_backward(grad, *arrays, heads=2)
    for needs in itertools.product((False, True), repeat=5):
        found = F.self_attention_backward(grad, *arrays, heads=2, needs=needs)
        for got, all_of_them, wanted in zip(found, every, needs, strict=True):
            assert (got is not None) == wanted
            if wanted:
                same_bits(got, all_of_them)
    parts = normal(8, (1, 2, 3), (1, 2, 3), (1, 2, 3))
    found = F.scaled_dot_product_attention_backward(parts[0], *parts, needs=(False, True, False))
    assert [gradient is not None for gradient in found] == [False, True, False]
    found = F.scaled_dot_product_attention_backward(parts[0], *parts, needs=(False,) * 3)
    assert found == (None, None, None)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 3), (2, 3), (2, 3)),
         "query: must have 3 axes or more (N, ..., T, D), got shape (2, 3)"),
        (((1, 2, 3), (1, 5, 4), (1, 5, 3)),
         "key: must have shape (1, 5, 3) (as the query), got shape (1, 5, 4)"),
        (((1, 2, 3), (1, 5, 3), (1, 4, 3)),
         "value: must have shape (1, 5, 3) (as the key), got shape (1, 4, 3)"),
        (((1, 2, 3), (5, 3), (1, 4, 3)),
         "key: must have 3 axes (N, ..., S, D), got shape (5, 3)"),
    ],
)  # fmt: skip
def test_what_attention_refuses(shapes: tuple[tuple[int, ...], ...], message: str) -> None:
    with refusal(ValueError, message):
        F.scaled_dot_product_attention(*(np.ones(shape) for shape in shapes))


def test_what_self_attention_refuses() -> None:
    x, projection = np.ones((1, 4, 3)), np.ones((4, 4))
    with refusal(ValueError, "heads: must divide the 4 channels of the input, got 3"):
        F.self_attention(x, np.ones((12, 4)), projection, heads=3)
    with refusal(ValueError, "heads: must be at least 1, got 0"):
        F.self_attention(x, np.ones((12, 4)), projection, heads=0)
    wanted = "in_projection: must have shape (12, 4) (queries, keys and values)"
    with refusal(ValueError, f"{wanted}, got shape (4, 4)"):
        F.self_attention(x, projection, projection, heads=2)
    with refusal(ValueError, "input: must have 3 axes or more (N, C, *spatial), got shape (4, 4)"):
        F.self_attention(projection, projection, projection, heads=2)
