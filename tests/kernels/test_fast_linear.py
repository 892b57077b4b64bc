"""The fast linear layers on vectors of any width, and what one row knows of the others."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnncalc.kernels.cpu.fast import linear, outer_products, vectors
from cnncalc.kernels.cpu.fast.outer_products import OuterProducts
from tests.functional.comparing import close, normal, same_bits

FLOATS = [np.float32, np.float64]

#: Rows, features, outputs: tails of vectors and tiles, long sums, lines that are copied.
SHAPES = [(1, 700, 130), (5, 33, 300), (16, 1040, 40), (33, 97, 65), (70, 257, 64), (270, 20, 30)]


def check(shape, dtype):
    rows, features, outputs = shape
    x, weight, bias, grad = normal(
        1, (rows, features), (outputs, features), (outputs,), (rows, outputs)
    )
    given = [a.astype(dtype) for a in (x, weight, bias, grad)]
    close(linear.forward(*given[:3]), x @ weight.T + bias)
    close(linear.input_gradient(given[3], given[1]), grad @ weight)
    close(linear.weight_gradient(given[3], given[0]), grad.T @ x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_against_float64(shape, dtype):
    check(shape, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_row_of_a_batch_is_the_row_alone(dtype):
    x, weight, grad = (a.astype(dtype) for a in normal(2, (37, 530), (130, 530), (37, 130)))
    y, dx = linear.forward(x, weight, None), linear.input_gradient(grad, weight)
    for row in (0, 13, 36):
        same_bits(linear.forward(x[row : row + 1], weight, None)[0], y[row])
        same_bits(linear.input_gradient(grad[row : row + 1], weight)[0], dx[row])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("off", [0, 1, 4, 7])
@pytest.mark.parametrize("shape", [(1, 64, 1), (13, 80, 3), (97, 1600, 16)])
def test_a_result_past_the_caches_may_lie_anywhere(shape, off, dtype):
    rows, columns, terms = shape
    a, b = (x.astype(dtype) for x in normal(3, (terms, rows), (terms, columns)))
    memory = np.full(rows * columns + 64, np.nan, dtype)
    start = -memory.ctypes.data % 64 // memory.itemsize + off
    y = memory[start : start + rows * columns].reshape(rows, columns)
    plan = OuterProducts(rows, columns, terms, memory.itemsize, 2)
    plan.past = True
    plan.words[outer_products._PAST] = True
    plan.run(a, b, y)
    close(y, a.astype(float).T @ b)
    assert np.isnan(memory[:start]).all()
    assert np.isnan(memory[start + rows * columns :]).all()


def check_width(bits):
    """A few cases with vectors of a width, in a process that has it."""
    assert bits == vectors.BITS
    for shape in SHAPES:
        check(shape, np.float32)
        check(shape, np.float64)


@pytest.mark.parametrize("bits", [128, 256, 512])
def test_vectors_of_any_width(bits, tmp_path):
    if bits == vectors.BITS:  # what every other test here runs with: nothing more to compile
        check_width(bits)
        return
    root = Path(__file__).parents[2]
    paths = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    environment = {**os.environ, **paths, "CNNCALC_VECTOR_BITS": str(bits)}
    code = f"from tests.kernels.test_fast_linear import check_width; check_width({bits})"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, check=True)
