"""Pools, forward and backward."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.binding import TIERS
from cnncalc.kernels.cpu.plain import pooling_max, pooling_sum
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

both_tiers = pytest.mark.parametrize("tier", TIERS)
many = settings(max_examples=300, deadline=None, derandomize=True, database=None)
some = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@st.composite
def sliding(draw: st.DrawFn, dilated: bool = True, padded: bool = True) -> dict[str, Any]:
    """Windows that PyTorch takes: padding of at most half a window, and an output."""
    rank = draw(st.integers(1, 3))
    kernel = tuple(draw(st.integers(1, 5 if rank < 3 else 3)) for _ in range(rank))
    stride = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    dilation = tuple(draw(st.integers(1, 3)) if dilated else 1 for _ in range(rank))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = tuple(draw(st.integers(0, k // 2)) if padded else 0 for k in kernel)
    spatial = tuple(
        max(1, span - 2 * pad) + draw(st.integers(0, 9 if rank < 3 else 4))
        for span, pad in zip(spans, pads, strict=True)
    )
    return {
        "rank": rank,
        "shape": (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *spatial),
        "kernel": kernel,
        "stride": draw(st.sampled_from([stride, None])),
        "padding": pads,
        "dilation": dilation,
        "ceil": draw(st.booleans()),
        "seed": draw(st.integers(0, 1000)),
        "coarse": draw(st.booleans()),
    }


def an_input(case: dict[str, Any]) -> np.ndarray:
    """Normal numbers, or few different ones, so that there are ties."""
    (x,) = normal(case["seed"], case["shape"])
    return np.round(x) if case["coarse"] else x


def torch_function(name: str, rank: int) -> Any:
    return getattr(torch_module().nn.functional, f"{name}{rank}d")


@both_tiers
class TestAgainstTorch:
    @many
    @given(case=sliding())
    def test_max_pool(self, tier: str, case: dict[str, Any]) -> None:
        rank, x = case["rank"], an_input(case)
        options = (case[o] for o in ("kernel", "stride", "padding", "dilation", "ceil"))
        options = tuple(options)
        pool = torch_function("max_pool", rank)
        values, indices = pool(torch_module().tensor(x), *options, return_indices=True)
        # Of a dilated window that misses the map PyTorch's index lies past its end, and PyTorch's
        # gradient would write there.
        assume(values.isfinite().all().item())
        indices = indices.numpy()
        y, grad, (dx,) = torch_reference(lambda t: pool(t, *options), [x])
        ours, back = getattr(F, f"max_pool{rank}d"), getattr(F, f"max_pool{rank}d_backward")
        for dtype in FLOATS:
            given, g = x.astype(dtype), grad.astype(dtype)
            with F.tier(tier):
                np.testing.assert_array_equal(ours(given, *options), y)
                values, found = ours(given, *options, return_indices=True)
                np.testing.assert_array_equal(values, y)
                np.testing.assert_array_equal(found, indices)
                compact = ours(given, *options, return_indices="compact")[1]
                for kept in (None, found, compact):
                    close(back(g, given, *options, indices=kept)[0], dx)

    @many
    @given(case=sliding(dilated=False), include=st.booleans(), divisor=st.sampled_from([None, 3]))
    def test_avg_pool(self, tier: str, case: dict[str, Any], include: bool, divisor: Any) -> None:
        rank, x = case["rank"], an_input(case)
        options: Any = tuple(case[o] for o in ("kernel", "stride", "padding", "ceil"))
        options = (*options, include)
        if rank > 1:
            options = (*options, divisor)
        if rank == 3:  # PyTorch's gradient wants a map no smaller than the window
            assume(all(n >= k for n, k in zip(case["shape"][2:], case["kernel"], strict=True)))
        pool = torch_function("avg_pool", rank)
        y, grad, (dx,) = torch_reference(lambda t: pool(t, *options), [x])
        for dtype in FLOATS:
            given, g = x.astype(dtype), grad.astype(dtype)
            with F.tier(tier):
                close(getattr(F, f"avg_pool{rank}d")(given, *options), y)
                close(getattr(F, f"avg_pool{rank}d_backward")(g, given, *options)[0], dx)

    @some
    @given(case=sliding(dilated=False, padded=False), norm=st.sampled_from([1, 2, 3, 1.5]))
    def test_lp_pool(self, tier: str, case: dict[str, Any], norm: float) -> None:
        rank = case["rank"]
        # Away from 0, where PyTorch's root has an infinite slope, and from powers of negatives.
        x = np.abs(normal(case["seed"], case["shape"])[0]) + 0.125
        kernel, stride = case["kernel"], case["stride"]
        if rank == 1:  # PyTorch takes no tuple there
            kernel, stride = kernel[0], None if stride is None else stride[0]
        options = (norm, kernel, stride, case["ceil"])
        pool = torch_function("lp_pool", rank)
        y, grad, (dx,) = torch_reference(lambda t: pool(t, *options), [x])
        for dtype in FLOATS:
            given, g = x.astype(dtype), grad.astype(dtype)
            with F.tier(tier):
                close(getattr(F, f"lp_pool{rank}d")(given, *options), y)
                close(getattr(F, f"lp_pool{rank}d_backward")(g, given, *options)[0], dx)

    @some
    @given(
        spatial=st.lists(st.integers(1, 9), min_size=1, max_size=3),
        size=st.lists(st.integers(1, 11), min_size=3, max_size=3),
        seed=st.integers(0, 1000),
    )
    def test_adaptive(self, tier: str, spatial: list[int], size: list[int], seed: int) -> None:
        rank = len(spatial)
        x, wanted = np.round(4 * normal(seed, (2, 3, *spatial))[0]), tuple(size[:rank])
        for kind in ("avg", "max"):
            name = f"adaptive_{kind}_pool{rank}d"
            pool = getattr(torch_module().nn.functional, name)
            y, grad, (dx,) = torch_reference(lambda t, pool=pool: pool(t, wanted), [x])
            for dtype in FLOATS:
                given, g = x.astype(dtype), grad.astype(dtype)
                with F.tier(tier):
                    close(getattr(F, name)(given, wanted), y)
                    close(getattr(F, f"{name}_backward")(g, given, wanted)[0], dx)
        found = pool(torch_module().tensor(x), wanted, return_indices=True)[1].numpy()
        with F.tier(tier):
            values, ours = getattr(F, name)(x, wanted, return_indices=True)
            np.testing.assert_array_equal(ours, found)
            again = getattr(F, f"{name}_backward")(grad, x, wanted, indices=ours)[0]
        close(again, dx)
        np.testing.assert_array_equal(values, y)

    @some
    @given(case=sliding(dilated=False, padded=False), data=st.data())
    def test_max_unpool(self, tier: str, case: dict[str, Any], data: st.DataObject) -> None:
        rank, torch = case["rank"], torch_module()
        pooled, indices = torch_function("max_pool", rank)(
            torch.tensor(an_input(case)), case["kernel"], case["stride"], return_indices=True
        )
        flat = indices.numpy().reshape(-1, int(np.prod(indices.shape[2:])))
        # Where windows overlap, PyTorch's answer depends on the order of its threads.
        assume(all(len(set(plane)) == len(plane) for plane in flat.tolist()))
        options = (case["kernel"], case["stride"], 0, case["shape"][2:])
        unpool = torch_function("max_unpool", rank)
        y, grad, (dx,) = torch_reference(lambda t: unpool(t, indices, *options), [pooled.numpy()])
        for dtype in FLOATS:
            given, g = pooled.numpy().astype(dtype), grad.astype(dtype)
            with F.tier(tier):
                name, found = f"max_unpool{rank}d", indices.numpy()
                close(getattr(F, name)(given, found, *options), y)
                close(getattr(F, f"{name}_backward")(g, given, found, *options)[0], dx)

    def test_nan_wins_and_infinities_pass(self, tier: str) -> None:
        torch = torch_module()
        (x,) = normal(0, (2, 3, 12, 17))
        x[0, 0, 3:5, 4] = np.nan
        x[0, 1, 2, 2], x[0, 1, 7, 7] = np.inf, -np.inf
        x[1, 2] = -np.inf
        t = torch.tensor(x)
        with F.tier(tier):
            for options in ((3, 2, 1), (2, 2, 0), (3, 1, 1), ((2, 5), (3, 1), (1, 2))):
                y, found = torch.nn.functional.max_pool2d(t, *options, return_indices=True)
                ours, ours_found = F.max_pool2d(x, *options, return_indices=True)
                np.testing.assert_array_equal(ours, y)
                np.testing.assert_array_equal(ours_found, found)
                np.testing.assert_array_equal(F.max_pool2d(x, *options), y)
                mean = torch.nn.functional.avg_pool2d(t, *options).numpy()
                close(F.avg_pool2d(x, *options), mean, 1e-11)
            pooled = torch.nn.functional.adaptive_max_pool2d(t, (5, 7))
            np.testing.assert_array_equal(F.adaptive_max_pool2d(x, (5, 7)), pooled)
            np.testing.assert_array_equal(
                F.global_max_pool(x), torch.nn.functional.adaptive_max_pool2d(t, 1)
            )

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_maps_large_enough_for_several_threads(self, tier: str, dtype: Any) -> None:
        (x,) = normal(1, (3, 17, 61, 47))
        for options in ((3, 2, 1), (2, 2, 0), (3, 1, 1), ((2, 3), (3, 4), 1), (7, 7, 3)):
            pool = torch_function("max_pool", 2)
            y, grad, (dx,) = torch_reference(lambda t, f=pool, o=options: f(t, *o), [x])
            given, g = x.astype(dtype), grad.astype(dtype)
            with F.tier(tier):
                np.testing.assert_array_equal(F.max_pool2d(given, *options), y)
                values, kept = F.max_pool2d(given, *options, return_indices="compact")
                np.testing.assert_array_equal(values, y)
                close(F.max_pool2d_backward(g, given, *options, indices=kept)[0], dx)
            pool = torch_function("avg_pool", 2)
            y, grad, (dx,) = torch_reference(lambda t, f=pool, o=options: f(t, *o), [x])
            with F.tier(tier):
                close(F.avg_pool2d(given, *options), y)
                close(F.avg_pool2d_backward(grad.astype(dtype), given, *options)[0], dx)

    def test_more_taps_than_a_byte_counts(self, tier: str) -> None:
        (x,) = normal(2, (1, 2, 40, 40))
        pool = torch_function("max_pool", 2)
        y, grad, (dx,) = torch_reference(lambda t: pool(t, 17, 3), [x])
        with F.tier(tier):
            values, kept = F.max_pool2d(x, 17, 3, return_indices="compact")
            np.testing.assert_array_equal(values, y)
            np.testing.assert_array_equal(F.max_pool2d(x, 17, 3), y)
            close(F.max_pool2d_backward(grad, x, 17, 3, indices=kept)[0], dx)
            close(F.max_pool2d_backward(grad, x, 17, 3)[0], dx)
        pool = torch_function("avg_pool", 2)
        y, grad, (dx,) = torch_reference(lambda t: pool(t, 17, 3), [x])
        with F.tier(tier):
            close(F.avg_pool2d(x.astype(np.float32), 17, 3), y)
            close(F.avg_pool2d_backward(grad, x, 17, 3)[0], dx)


@both_tiers
class TestBeyondTorch:
    """What PyTorch does not take: uneven padding, dilated means, subsampling."""

    @some
    @given(case=sliding(), after=st.lists(st.integers(0, 2), min_size=3, max_size=3))
    def test_uneven_padding(self, tier: str, case: dict[str, Any], after: list[int]) -> None:
        """The oracle pads first: with -inf, or with zeros and, for the divisor, a map of ones."""
        rank, x = case["rank"], an_input(case)
        spans = [d * (k - 1) + 1 for k, d in zip(case["kernel"], case["dilation"], strict=True)]
        pads = tuple(
            (min(before, span - 1), min(more, span - 1))
            for before, more, span in zip(case["padding"], after, spans, strict=False)
        )
        sizes = zip(case["shape"][2:], pads, spans, strict=True)
        assume(all(n + sum(p) >= span for n, p, span in sizes))
        torch = torch_module()
        flat = [each for pair in reversed(pads) for each in pair]
        options = (case["kernel"], case["stride"])
        pool = torch_function("max_pool", rank)

        def padded_max(t: Any) -> Any:
            wide = torch.nn.functional.pad(t, flat, value=-np.inf)
            return pool(wide, *options, 0, case["dilation"])

        y, grad, (dx,) = torch_reference(padded_max, [x])
        assume(np.isfinite(y).all())
        options = (*options, pads)
        with F.tier(tier):
            name = f"max_pool{rank}d"
            np.testing.assert_array_equal(getattr(F, name)(x, *options, case["dilation"]), y)
            back = getattr(F, f"{name}_backward")
            close(back(grad, x, *options, case["dilation"])[0], dx)
        # Means by convolution, which has dilation: each map its own filter of ones.
        conv = torch_function("conv", rank)
        ones = torch.ones((x.shape[1], 1, *case["kernel"]), dtype=torch.float64)
        steps = case["stride"] or case["kernel"]

        def mean(t: Any, inside_only: bool) -> Any:
            wide = torch.nn.functional.pad(t, flat)
            counted = torch.nn.functional.pad(torch.ones_like(t), flat, value=1 - inside_only)
            sums, taps = (
                conv(each, ones, None, steps, 0, case["dilation"], x.shape[1])
                for each in (wide, counted)
            )
            return sums / taps.clamp(min=1)

        for include in (True, False):
            y, grad, (dx,) = torch_reference(lambda t, i=not include: mean(t, i), [x])
            keywords = {"count_include_pad": include, "dilation": case["dilation"]}
            with F.tier(tier):
                name = f"avg_pool{rank}d"
                close(getattr(F, name)(x, *options, **keywords), y)
                close(getattr(F, f"{name}_backward")(grad, x, *options, **keywords)[0], dx)

    @some
    @given(case=sliding())
    def test_subsample(self, tier: str, case: dict[str, Any]) -> None:
        assume(not case["ceil"])
        rank, x = case["rank"], an_input(case)
        torch = torch_module()
        factor, bias = normal(case["seed"] + 1, (x.shape[1],), (x.shape[1],))
        ones = torch.ones((x.shape[1], 1, *case["kernel"]), dtype=torch.float64)
        steps = case["stride"] or case["kernel"]
        across = (1, -1) + (1,) * rank

        def layer(t: Any, c: Any, b: Any) -> Any:
            sums = torch_function("conv", rank)(
                t, ones, None, steps, case["padding"], case["dilation"], x.shape[1]
            )
            return c.reshape(across) * sums + b.reshape(across)

        y, grad, expected = torch_reference(layer, [x, factor, bias])
        options = (case["kernel"], case["stride"], case["padding"], case["dilation"])
        for dtype in FLOATS:
            arrays = [each.astype(dtype) for each in (x, factor, bias)]
            with F.tier(tier):
                close(F.subsample(*arrays, *options), y)
                ours = F.subsample_backward(grad.astype(dtype), *arrays, *options)
            for got, wanted in zip(ours, expected, strict=True):
                close(got, wanted)

    def test_a_dilated_window_can_miss_the_map(self, tier: str) -> None:
        # Taps at -1 and 1 of a map of one position: there is nothing at either.
        x, options = np.ones((1, 1, 1)), (2, 1, 1, 2)
        with F.tier(tier):
            y, found = F.max_pool1d(x, *options, return_indices=True)
            np.testing.assert_array_equal(y, [[[-np.inf]]])
            np.testing.assert_array_equal(found, [[[-1]]])
            for kept in (None, found):
                dx = F.max_pool1d_backward(np.ones((1, 1, 1)), x, *options, indices=kept)[0]
                np.testing.assert_array_equal(dx, [[[0]]])
            mean = F.avg_pool1d(x, 2, 1, 1, count_include_pad=False, dilation=2)
            np.testing.assert_array_equal(mean, [[[0]]])

    def test_gradient_by_central_differences(self, tier: str) -> None:
        (x,) = normal(5, (1, 2, 5, 6))
        x = np.abs(x) + 0.5
        options = {"padding": ((1, 0), (0, 2)), "dilation": (1, 2), "ceil_mode": True}
        cases: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
            ("max_pool2d", ((2, 3), 2), options),
            ("avg_pool2d", ((2, 3), 2), options | {"count_include_pad": False}),
            ("lp_pool2d", (2.5, (2, 3), 2), options),
            ("adaptive_avg_pool2d", ((3, 4),), {}),
            ("adaptive_max_pool2d", ((3, 4),), {}),
            ("global_avg_pool", (), {}),
            ("global_max_pool", (), {}),
            ("subsample", (np.array([2.0, -1.0]), np.array([0.5, 0.0]), 2), {"padding": 1}),
            ("max_unpool2d", (np.arange(60).reshape(1, 2, 5, 6) % 30, 2, 1), {}),
        ]
        for name, arguments, keywords in cases:
            function = getattr(F, name)
            with F.tier(tier):
                y = function(x, *arguments, **keywords)
                (grad,) = normal(6, y.shape)
                dx = getattr(F, f"{name}_backward")(grad, x, *arguments, **keywords)[0]
                forward = lambda v, f=function, a=arguments, k=keywords: f(v, *a, **k)  # noqa: E731
                wanted = central_difference(forward, x, grad)
            close(dx, wanted, 1e-7, name)


@both_tiers
class TestHandFigures:
    def test_cs231n(self, tier: str) -> None:
        x = np.linspace(-0.3, 0.4, num=96).reshape(2, 3, 4, 4)
        published = CS231N["max_pool_forward_naive"]["published_correct_out"]
        with F.tier(tier):
            close(F.max_pool2d(x, 2, 2), published, 1e-7)

    def test_course_notes_slice(self, tier: str) -> None:
        question = QUESTIONS["seed-maxpool-6834"]
        x = np.array(question["givens"]["x"], np.float64)[None, None]
        with F.tier(tier):
            np.testing.assert_array_equal(F.max_pool2d(x, 2, 2)[0, 0], question["answer"])

    def test_gradient_of_two_channels(self, tier: str) -> None:
        question = QUESTIONS["cv-maxpool-grad"]
        x = np.array(question["givens"]["x"], np.float64).transpose(2, 0, 1)[None]  # from HWC
        grad = np.array(question["givens"]["dy"], np.float64).reshape(1, 2, 1, 1)
        with F.tier(tier):
            np.testing.assert_array_equal(F.max_pool2d(x, 2).ravel(), question["answer"]["out"])
            dx = F.max_pool2d_backward(grad, x, 2)[0]
        np.testing.assert_array_equal(dx[0].transpose(1, 2, 0), question["answer"]["dx"])

    def test_a_tie_goes_to_the_first(self, tier: str) -> None:
        question = QUESTIONS["nemo-maxpool-tie"]
        x = np.array(question["givens"]["x"], np.float64)[None, None]
        with F.tier(tier):
            np.testing.assert_array_equal(F.max_pool2d(x, 2)[0, 0], question["answer"]["out"])
            dx = F.max_pool2d_backward(np.ones((1, 1, 2, 2)), x, 2)[0]
        np.testing.assert_array_equal(dx[0, 0], question["answer"]["dX_first_max"])

    def test_convolution_relu_and_pool(self, tier: str) -> None:
        question = QUESTIONS["sm-relu-pool"]
        x, w = (np.array(question["givens"][k], np.float64)[None, None] for k in "xw")
        with F.tier(tier):
            y = F.max_pool2d(F.relu(F.conv2d(x, w)), 2, 1)
        np.testing.assert_array_equal(y[0, 0], question["answer"])

    def test_a_last_window_in_the_padding_is_dropped(self, tier: str) -> None:
        # 4 positions, padding 1, windows of 1 every 3: (4 + 2 - 1)/3 rounds up to 2, so there
        # would be 3 windows at -1, 2 and 5; the last starts after the map and is dropped.
        x = np.arange(1.0, 5.0).reshape(1, 1, 4)
        with F.tier(tier):
            y = F.avg_pool1d(x, 2, 3, 1, True)
        # Windows at -1 and 2: (0 + 1)/2 and (3 + 4)/2.
        np.testing.assert_array_equal(y, [[[0.5, 3.5]]])

    def test_lenet_subsampling(self, tier: str) -> None:
        # The window [[1, 2], [3, 4]] sums to 10: 0.5*10 + 1 = 6.
        x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
        with F.tier(tier):
            y = F.subsample(x, np.array([0.5]), np.array([1.0]), 2)
        np.testing.assert_array_equal(y, [[[[6.0]]]])


class TestTiersAndThreads:
    @pytest.mark.parametrize("dtype", FLOATS)
    def test_threads_do_not_change_a_bit(self, dtype: Any) -> None:
        x, grad = (a.astype(dtype) for a in normal(3, (2, 23, 45, 39), (2, 23, 23, 20)))

        def results() -> list[np.ndarray]:
            y, kept = F.max_pool2d(x, 3, 2, 1, return_indices="compact")
            return [
                y,
                kept,
                F.max_pool2d(x, 3, 2, 1, return_indices=True)[1],
                F.max_pool2d(x, 3, 2, 1),
                F.max_pool2d_backward(grad, x, 3, 2, 1, indices=kept)[0],
                F.avg_pool2d(x, 3, 2, 1),
                F.avg_pool2d_backward(grad, x, 3, 2, 1)[0],
            ]

        with threads(1):
            alone = results()
        for count in (2, 4):
            with threads(count):
                for got, wanted in zip(results(), alone, strict=True):
                    same_bits(got, wanted)

    @some
    @given(case=sliding())
    def test_the_tiers_agree(self, case: dict[str, Any]) -> None:
        rank, x = case["rank"], an_input(case)
        options = tuple(case[o] for o in ("kernel", "stride", "padding", "dilation", "ceil"))
        pool, back = getattr(F, f"max_pool{rank}d"), getattr(F, f"max_pool{rank}d_backward")
        found, gradients = [], []
        for tier in TIERS:
            with F.tier(tier):
                y, indices = pool(x, *options, return_indices=True)
                (grad,) = normal(case["seed"], y.shape)
                found.append((y, indices))
                gradients.append(back(grad, x, *options)[0])
        np.testing.assert_array_equal(found[0][0], found[1][0])
        np.testing.assert_array_equal(found[0][1], found[1][1])
        # Both add up the windows of a position in the same order.
        np.testing.assert_array_equal(*gradients)

    def test_compiled_is_what_is_written(self) -> None:
        (x,) = normal(4, (1, 2, 3, 5))

        def results() -> list[Any]:
            y, found = F.max_pool2d(x, 2, (1, 2), 1, return_indices=True)
            kept = F.max_pool2d(x, 2, (1, 2), 1, return_indices="compact")[1]
            return [
                y,
                found,
                kept,
                F.max_pool2d_backward(y, x, 2, (1, 2), 1, indices=kept)[0],
                F.max_pool2d_backward(y, x, 2, (1, 2), 1, indices=found)[0],
                F.avg_pool2d(x, 2, (1, 2), 1, True, False),
                F.avg_pool2d_backward(y, x, 2, (1, 2), 1)[0],
                F.lp_pool2d(x, 2, 2, 1),
                F.lp_pool2d_backward(x[:, :, :2, :4], x, 2, 2, 1)[0],
                *F.adaptive_max_pool2d(x, (2, 3), True),
                F.adaptive_avg_pool2d(x, (2, 3)),
                F.adaptive_avg_pool2d_backward(x[:, :, :2, :3], x, (2, 3))[0],
                F.max_unpool2d(y, found, 2, 1, 1, (3, 5)),
                F.max_unpool2d_backward(x, y, found, 2, 1, 1, (3, 5))[0],
                *F.subsample_backward(y, x, x[0, :, 0, 0], x[0, :, 0, 1], 2, (1, 2), 1),
            ]

        with F.tier("plain"):
            compiled = results()
            with uncompiled(pooling_max, pooling_sum):
                written = results()
        for got, wanted in zip(compiled, written, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-15)


class TestMemory:
    @both_tiers
    def test_any_layout_and_no_input_modified(self, tier: str) -> None:
        (x,) = normal(7, (2, 3, 6, 8))
        with F.tier(tier):
            wanted = F.max_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1)
            back = F.max_pool2d_backward(wanted[0], x, 3, 2, 1)[0]
            for given in awkward_layouts(x):
                before = given.copy()
                same_bits(F.max_pool2d(given, 3, 2, 1), wanted[0])
                same_bits(F.avg_pool2d(given, 3, 2, 1), wanted[1])
                for grad in awkward_layouts(wanted[0]):
                    same_bits(F.max_pool2d_backward(grad, given, 3, 2, 1)[0], back)
                np.testing.assert_array_equal(given, before)

    def test_gradients_not_asked_for(self) -> None:
        (x,) = normal(8, (1, 1, 4, 4))
        y = F.max_pool2d(x, 2)
        assert F.max_pool2d_backward(y, x, 2, needs=(False,)) == (None,)
        one = np.ones(1)
        dx, dcoefficient, dbias = F.subsample_backward(
            y, x, one, one, 2, needs=(False, True, False)
        )
        assert dx is None
        assert dbias is None
        assert dcoefficient.shape == (1,)

    def test_wrong_taps_stay_on_the_map(self) -> None:
        # Taps that no window found cannot make the kernel write elsewhere.
        x, y = np.zeros((1, 1, 4, 4)), np.ones((1, 1, 3, 3))
        for tap in (0, 8, 9, 200, 255):
            taps = np.full(y.shape, tap, np.uint8)
            for tier in TIERS:
                with F.tier(tier):
                    dx = F.max_pool2d_backward(y, x, 3, 2, 1, ceil_mode=True, indices=taps)[0]
                assert dx.sum() <= 9


X = np.zeros((1, 2, 5, 6))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: F.max_pool2d(X[0], 2),
            ValueError,
            "input: must have 4 axes (N, C, H, W), got shape (2, 5, 6)",
        ),
        (
            lambda: F.max_pool2d(X.astype(np.int64), 2),
            TypeError,
            "input: must be float32 or float64, got int64",
        ),
        (
            lambda: F.max_pool2d(X, 0),
            ValueError,
            "kernel_size: must be at least 1, got 0",
        ),
        (
            lambda: F.max_pool2d(X, 2.5),
            TypeError,
            "kernel_size: must be a whole number, got 2.5",
        ),
        (
            lambda: F.avg_pool2d(X, (2, 2, 2)),
            ValueError,
            "kernel_size: must be one number or 2 numbers, got (2, 2, 2)",
        ),
        (
            lambda: F.max_pool2d(X, 7),
            ValueError,
            "kernel_size: must fit into the padded input (5, 6), but spans (7, 7)",
        ),
        (
            lambda: F.max_pool2d(X, 3, padding=3),
            ValueError,
            "padding: must be less than the span (3, 3) of a window, got ((3, 3), (3, 3)): "
            "some windows would see padding only",
        ),
        (
            lambda: F.max_pool2d(X, 2, stride=0),
            ValueError,
            "stride: must be at least 1, got 0",
        ),
        (
            lambda: F.max_pool2d_backward(X, X, 2),
            ValueError,
            "grad_output: must have shape (1, 2, 2, 3) (that of the output), "
            "got shape (1, 2, 5, 6)",
        ),
        (
            lambda: F.max_pool2d(X, 2, return_indices="all"),
            ValueError,
            'return_indices: must be "" or "positions" or "compact", got \'all\'',
        ),
        (
            lambda: F.max_pool2d_backward(X[..., :2, :3], X, 2, indices=np.full((1, 2, 2, 3), 30)),
            ValueError,
            "indices: must lie between 0 and 29, got 30",
        ),
        (
            lambda: F.max_pool2d_backward(
                X[..., :2, :3], X, 2, indices=np.zeros((1, 2, 2, 2), np.uint8)
            ),
            ValueError,
            "indices: must have shape (1, 2, 2, 3) (that of the values), got shape (1, 2, 2, 2)",
        ),
        (
            lambda: F.avg_pool2d(X, 2, divisor_override=0),
            ValueError,
            "divisor_override: must not be 0",
        ),
        (
            lambda: F.lp_pool2d(X, 0, 2),
            ValueError,
            "norm_type: must be more than 0, got 0",
        ),
        (
            lambda: F.adaptive_avg_pool2d(X, 0),
            ValueError,
            "output_size: must be at least 1, got 0",
        ),
        (
            lambda: F.max_unpool2d(X, np.full(X.shape, 200), 2),
            ValueError,
            "indices: must lie between 0 and 119, got 200",
        ),
        (
            lambda: F.max_unpool2d(X, np.full(X.shape, -1), 2),
            ValueError,
            "indices: must lie on the output, got -1, which is nowhere",
        ),
        (
            lambda: F.subsample(X, np.ones(3), np.ones(2), 2),
            ValueError,
            "coefficient: must have shape (2,) (one for each map), got shape (3,)",
        ),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        call()
