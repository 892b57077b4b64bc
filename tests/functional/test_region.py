"""Region layers against the definitions of their papers, written out cell by cell."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.binding import TIERS
from cnncalc.kernels.cpu.plain import region
from tests.functional.comparing import (
    awkward_layouts,
    central_difference,
    close,
    normal,
    refusal,
    same_bits,
    threads,
    uncompiled,
)

FLOATS = [np.float32, np.float64]
both_tiers = pytest.mark.parametrize("tier", TIERS)
some = settings(max_examples=40, deadline=None, derandomize=True, database=None)


# The definitions, in Python's numbers and slices


def half_away(value: float) -> int:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def cells_of(box: np.ndarray, scale: float, size: Any, shape: Any, both_ends: int) -> Any:
    """The slices of the map that the cells of a box cover (Girshick 2015, section 2.1)."""
    x1, y1, x2, y2 = (half_away(float(v) * scale) for v in box[1:])
    sides = max(y2 - y1 + both_ends, 1), max(x2 - x1 + both_ends, 1)
    for i, j in np.ndindex(*size):
        places = []
        for o, m, side, start, n in zip((i, j), size, sides, (y1, x1), shape, strict=True):
            first, last = start + math.floor(o * side / m), start + math.ceil((o + 1) * side / m)
            places.append(slice(min(max(first, 0), n), min(max(last, 0), n)))
        yield i, j, places[0], places[1]


def slow_roi_pool(x: np.ndarray, boxes: np.ndarray, size: Any, scale: float) -> np.ndarray:
    y = np.zeros((len(boxes), x.shape[1], *size))
    for r, box in enumerate(boxes):
        for i, j, rows, columns in cells_of(box, scale, size, x.shape[2:], 1):
            cell = x[int(box[0]), :, rows, columns]
            if cell[0].size:
                y[r, :, i, j] = cell.max((1, 2))
    return y


def slow_ps_roi_pool(x: np.ndarray, boxes: np.ndarray, size: Any, scale: float) -> np.ndarray:
    """Dai et al. 2016, equation 1: cell (i, j) of a class reads its own map."""
    y = np.zeros((len(boxes), x.shape[1] // (size[0] * size[1]), *size))
    banks = x.reshape(len(x), -1, *size, *x.shape[2:])
    for r, box in enumerate(boxes):
        for i, j, rows, columns in cells_of(box, scale, size, x.shape[2:], 0):
            cell = banks[int(box[0]), :, i, j, rows, columns]
            if cell[0].size:
                y[r, :, i, j] = cell.mean((1, 2))
    return y


def slow_roi_align(
    x: np.ndarray, boxes: np.ndarray, size: Any, scale: float, ratio: int, aligned: bool
) -> np.ndarray:
    """He et al. 2017, section 3: bilinear samples at regular places of a cell, averaged."""
    y = np.zeros((len(boxes), x.shape[1], *size))
    for r, box in enumerate(boxes):
        x1, y1, x2, y2 = (float(v) * scale - (0.5 if aligned else 0) for v in box[1:])
        high, wide = y2 - y1, x2 - x1
        if not aligned:
            high, wide = max(high, 1), max(wide, 1)
        down = ratio if ratio > 0 else math.ceil(high / size[0])
        across = ratio if ratio > 0 else math.ceil(wide / size[1])
        for i, j in np.ndindex(*size):
            samples = [
                bilinear(
                    x[int(box[0])],
                    y1 + (i + (a + 0.5) / down) * high / size[0],
                    x1 + (j + (b + 0.5) / across) * wide / size[1],
                )
                for a in range(down)
                for b in range(across)
            ]
            if samples:
                y[r, :, i, j] = np.mean(samples, axis=0)
    return y


def bilinear(maps: np.ndarray, v: float, u: float) -> np.ndarray:
    """All maps at a place, each position weighing max(0, 1 - distance) along both axes."""
    height, width = maps.shape[1:]
    if not (-1 <= v <= height and -1 <= u <= width):
        return np.zeros(len(maps))
    v, u = min(max(v, 0), height - 1), min(max(u, 0), width - 1)
    down = np.maximum(0, 1 - np.abs(np.arange(height) - v))
    across = np.maximum(0, 1 - np.abs(np.arange(width) - u))
    return np.einsum("chw,h,w->c", maps, down, across)


@st.composite
def regions(draw: st.DrawFn) -> dict[str, Any]:
    """Boxes in quarters of a position, on the map, over its border, off it, or inside out."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 5)), 6)
    quarter = st.integers(-12, 32).map(lambda value: value / 4)
    box = st.tuples(st.integers(0, shape[0] - 1), quarter, quarter, quarter, quarter)
    return {
        "shape": shape,
        "boxes": np.array(draw(st.lists(box, min_size=1, max_size=3)), np.float64),
        "size": (draw(st.integers(1, 4)), draw(st.integers(1, 3))),
        "scale": draw(st.sampled_from([1.0, 0.5, 0.25])),
        "seed": draw(st.integers(0, 1000)),
    }


def both_passes(name: str, slow: Any, x: np.ndarray, boxes: np.ndarray, *options: Any) -> None:
    """Values against the definition, gradients against its exact differences.

    All three are linear in the map as long as no maximum moves, so that a difference quotient
    of the definition has no error but rounding.
    """
    y = slow(x, boxes, *options)
    (grad,) = normal(1, y.shape)
    dx = central_difference(lambda v: slow(v, boxes, *options), x, grad, 2.0**-20)
    for dtype in FLOATS:
        given, rows = x.astype(dtype), boxes.astype(dtype)
        close(getattr(F, name)(given, rows, *options), y)
        back = getattr(F, f"{name}_backward")(grad.astype(dtype), given, rows, *options)[0]
        close(back, dx, 1e-5 if dtype == np.float32 else 1e-8)


@both_tiers
class TestAgainstDefinitions:
    @some
    @given(case=regions())
    def test_roi_pool(self, tier: str, case: dict[str, Any]) -> None:
        (x,) = normal(case["seed"], case["shape"])
        with F.tier(tier):
            both_passes("roi_pool", slow_roi_pool, x, case["boxes"], case["size"], case["scale"])

    @some
    @given(case=regions(), ratio=st.integers(-1, 3), aligned=st.booleans())
    def test_roi_align(self, tier: str, case: dict[str, Any], ratio: int, aligned: bool) -> None:
        (x,) = normal(case["seed"], case["shape"])
        options = (case["size"], case["scale"], ratio, aligned)
        with F.tier(tier):
            both_passes("roi_align", slow_roi_align, x, case["boxes"], *options)

    @some
    @given(case=regions())
    def test_ps_roi_pool(self, tier: str, case: dict[str, Any]) -> None:
        n, c, h, w = case["shape"]
        cells = case["size"][0] * case["size"][1]
        (x,) = normal(case["seed"], (n, c * cells, h, w))
        options = (case["size"], case["scale"])
        with F.tier(tier):
            both_passes("ps_roi_pool", slow_ps_roi_pool, x, case["boxes"], *options)


@both_tiers
class TestByHand:
    X = np.arange(1.0, 17).reshape(1, 1, 4, 4)

    def test_roi_pool(self, tier: str) -> None:
        # The whole map (0 to 3, both ends in it) in 2x2 cells of 2x2: their last elements.
        # In three columns of 4/3 the cells cover columns 0-1, 1-2 and 2-3.
        with F.tier(tier):
            y = F.roi_pool(self.X, np.array([[0.0, 0, 0, 3, 3]]), 2)
            three = F.roi_pool(self.X, np.array([[0.0, 0, 0, 3, 3]]), (1, 3))
        np.testing.assert_array_equal(y, [[[[6, 8], [14, 16]]]])
        np.testing.assert_array_equal(three, [[[[14, 15, 16]]]])

    def test_roi_align(self, tier: str) -> None:
        # One sample, in the middle of the box from (0, 0) to (3, 3): position (1.5, 1.5), the mean
        # of 6, 7, 10 and 11. Aligned, the middle of (0, 0) to (4, 4) is the same place.
        with F.tier(tier):
            y = F.roi_align(self.X, np.array([[0.0, 0, 0, 3, 3]]), 1, 1.0, 1)
            moved = F.roi_align(self.X, np.array([[0.0, 0, 0, 4, 4]]), 1, 1.0, 1, True)
        np.testing.assert_array_equal(y, [[[[8.5]]]])
        np.testing.assert_array_equal(moved, [[[[8.5]]]])

    def test_ps_roi_pool(self, tier: str) -> None:
        # Four maps full of 1, 2, 3 and 4 are the four cells of the one output.
        x = np.arange(1.0, 5).reshape(1, 4, 1, 1) * np.ones((1, 4, 6, 6))
        with F.tier(tier):
            y = F.ps_roi_pool(x, np.array([[0.0, 0, 0, 5, 5]]), 2)
        np.testing.assert_array_equal(y, [[[[1, 2], [3, 4]]]])

    def test_halves_are_rounded_away_from_zero(self, tier: str) -> None:
        # 2.5 becomes 3 and -0.5 becomes -1: rows 0 (-1 is off the map) to 3.
        with F.tier(tier):
            y = F.roi_pool(self.X, np.array([[0.0, -0.5, -0.5, 2.5, 2.5]]), 1)
        np.testing.assert_array_equal(y, [[[[16]]]])

    def test_an_empty_cell_is_zero_and_sends_nothing_back(self, tier: str) -> None:
        box = np.array([[0.0, 10, 10, 12, 12]])
        with F.tier(tier):
            for name, x in (("roi_pool", self.X), ("roi_align", self.X), ("ps_roi_pool", self.X)):
                assert not getattr(F, name)(x, box, 1).any()
                back = getattr(F, f"{name}_backward")
                assert not back(np.ones((1, 1, 1, 1)), x, box, 1)[0].any()

    def test_nan_and_infinity(self, tier: str) -> None:
        x = self.X.copy()
        x[0, 0, 1, 1], x[0, 0, 3, 3] = np.nan, -np.inf
        box = np.array([[0.0, 0, 0, 3, 3]])
        with F.tier(tier):
            y = F.roi_pool(x, box, 2)[0, 0]
            low = F.roi_pool(np.full((1, 1, 2, 2), -np.inf), np.array([[0.0, 0, 0, 1, 1]]), 1)
        np.testing.assert_array_equal(y, [[np.nan, 8], [14, 15]])
        np.testing.assert_array_equal(low, [[[[-np.inf]]]])

    def test_boxes_as_a_list(self, tier: str) -> None:
        (x,) = normal(2, (3, 2, 6, 6))
        boxes = np.array([[0.0, 1, 1, 4, 5], [2, 0, 0, 3, 3], [2, 2, 1, 5, 4]])
        listed = [boxes[:1, 1:], np.empty((0, 4)), boxes[1:, 1:]]
        with F.tier(tier):
            same_bits(F.roi_align(x, listed, 2), F.roi_align(x, boxes, 2))


def test_threads_do_not_change_a_bit() -> None:
    (x,) = normal(3, (2, 8, 20, 30))
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 20, (40, 4))
    boxes = np.column_stack([rng.integers(0, 2, 40).astype(np.float64), corners])

    def results() -> list[Any]:
        y = F.roi_align(x, boxes, 2)
        return [
            y,
            F.roi_align_backward(y, x, boxes, 2)[0],
            F.roi_pool(x, boxes, 2),
            F.roi_pool_backward(y, x, boxes, 2)[0],
            F.ps_roi_pool_backward(F.ps_roi_pool(x, boxes, 2), x, boxes, 2)[0],
        ]

    with threads(1):
        alone = results()
    for count in (2, 4):
        with threads(count):
            for got, wanted in zip(results(), alone, strict=True):
                same_bits(got, wanted)


def test_compiled_is_what_is_written() -> None:
    (x,) = normal(4, (1, 4, 4, 5))
    boxes = np.array([[0.0, 0.5, -1, 3, 3.5]])

    def results() -> list[Any]:
        y = F.roi_align(x, boxes, 2)
        return [
            y,
            F.roi_align_backward(y, x, boxes, 2)[0],
            F.roi_pool(x, boxes, 2),
            F.roi_pool_backward(y, x, boxes, 2)[0],
            F.ps_roi_pool(x, boxes, 2),
            F.ps_roi_pool_backward(y[:, :1], x, boxes, 2)[0],
        ]

    compiled = results()
    with uncompiled(region):
        written = results()
    for got, wanted in zip(compiled, written, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-14)


def test_any_layout_and_no_input_modified() -> None:
    (x,) = normal(5, (1, 4, 6, 8))
    boxes = np.array([[0.0, 1, 1, 4, 5]])
    for name in ("roi_pool", "roi_align", "ps_roi_pool"):
        wanted = getattr(F, name)(x, boxes, 2)
        for awkward in awkward_layouts(x):
            before = awkward.copy()
            for rows in awkward_layouts(boxes):
                same_bits(getattr(F, name)(awkward, rows, 2), wanted)
            np.testing.assert_array_equal(awkward, before)


X, BOX = np.zeros((2, 6, 5, 6)), np.array([[0.0, 0, 0, 3, 3]])


def changed(place: int, value: float) -> np.ndarray:
    box = BOX.copy()
    box[0, place] = value
    return box


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: F.roi_pool(X[0], BOX, 2),
            ValueError,
            "input: must have 4 axes (N, C, H, W), got shape (6, 5, 6)",
        ),
        (
            lambda: F.roi_pool(X, BOX[:, :4], 2),
            ValueError,
            "boxes: must have 5 numbers in a row, got shape (1, 4)",
        ),
        (
            lambda: F.roi_pool(X, BOX.astype(np.float32), 2),
            TypeError,
            "boxes: must be float64 like the input, got float32",
        ),
        (
            lambda: F.roi_align(X, changed(0, 2), 2),
            ValueError,
            "boxes: the first of five numbers must be a map of the batch, 0 to 1, got 2",
        ),
        (
            lambda: F.roi_align(X, changed(0, 0.5), 2),
            ValueError,
            "boxes: the first of five numbers must be a map of the batch, 0 to 1, got 0.5",
        ),
        (
            lambda: F.roi_align(X, changed(3, np.nan), 2),
            ValueError,
            "boxes: coordinates must be finite, and at most 2**30 on the map",
        ),
        (
            lambda: F.roi_pool(X, changed(3, 1e12), 2),
            ValueError,
            "boxes: coordinates must be finite, and at most 2**30 on the map",
        ),
        (
            lambda: F.roi_align(X, changed(3, 1e6), 2),
            ValueError,
            "sampling_ratio: must be at most 1024 samples along a cell, got 500000 "
            "from the largest box",
        ),
        (
            lambda: F.roi_align(X, BOX, 2, 0.0),
            ValueError,
            "spatial_scale: must be more than 0, got 0.0",
        ),
        (
            lambda: F.roi_align(X, [BOX[:, 1:]], 2),
            ValueError,
            "boxes: must be 2 arrays, one for each map, got 1",
        ),
        (
            lambda: F.roi_align(X, [BOX, BOX], 2),
            ValueError,
            "boxes[0]: must have 4 numbers in a row, got shape (1, 5)",
        ),
        (
            lambda: F.roi_align(X, [np.empty((0, 4))] * 2, 2),
            ValueError,
            "boxes: there must be at least one",
        ),
        (
            lambda: F.ps_roi_pool(X, BOX, 2),
            ValueError,
            "output_size: its 4 cells must divide the 6 maps of the input",
        ),
        (
            lambda: F.roi_pool(X, BOX, 0),
            ValueError,
            "output_size: must be at least 1, got 0",
        ),
        (
            lambda: F.roi_pool_backward(X, X, BOX, 2),
            ValueError,
            "grad_output: must have shape (1, 6, 2, 2) (that of the output), "
            "got shape (2, 6, 5, 6)",
        ),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        call()
