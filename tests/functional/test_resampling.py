"""Interpolation, padding, cropping and shuffling, forward and backward."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.binding import TIERS
from cnncalc.kernels.cpu.plain import resampling
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
QUESTIONS = {
    entry["id"]: entry
    for entry in yaml.safe_load((DATA / "questions.yaml").read_text())["questions"]
}
FLOATS = [np.float32, np.float64]
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

both_tiers = pytest.mark.parametrize("tier", TIERS)
many = settings(max_examples=300, deadline=None, derandomize=True, database=None)
some = settings(max_examples=100, deadline=None, derandomize=True, database=None)

extents = st.lists(st.integers(1, 7), min_size=1, max_size=3)
sizes = st.lists(st.integers(1, 12), min_size=3, max_size=3)


def compare(name: str, x: np.ndarray, reference: Any, *arguments: Any, **keywords: Any) -> None:
    """A function and its gradient against PyTorch's, in both precisions."""
    y, grad, (dx,) = torch_reference(reference, [x])
    for dtype in FLOATS:
        given = x.astype(dtype)
        close(getattr(F, name)(given, *arguments, **keywords), y)
        back = getattr(F, f"{name}_backward")
        close(back(grad.astype(dtype), given, *arguments, **keywords)[0], dx)


@both_tiers
class TestAgainstTorch:
    @many
    @given(
        spatial=extents, size=st.lists(st.integers(1, 12), min_size=3, max_size=3), data=st.data()
    )
    def test_interpolate_to_a_size(
        self, tier: str, spatial: list[int], size: list[int], data: st.DataObject
    ) -> None:
        rank = len(spatial)
        modes = ["nearest", LINEAR[rank], *(["bicubic"] if rank == 2 else [])]
        mode, wanted = data.draw(st.sampled_from(modes)), tuple(size[:rank])
        align = None if mode == "nearest" else data.draw(st.sampled_from([None, False, True]))
        (x,) = normal(0, (2, 3, *spatial))
        if mode == "nearest":
            # PyTorch rounds n/m first; where that moves a position, it is off by one.
            pairs = zip(spatial, wanted, strict=True)
            assume(all(int(o * (n / m)) == o * n // m for n, m in pairs for o in range(m)))
        resize = torch_module().nn.functional.interpolate
        with F.tier(tier):
            compare(
                "interpolate",
                x,
                lambda t: resize(t, wanted, mode=mode, align_corners=align),
                wanted,
                mode=mode,
                align_corners=align,
            )

    @some
    @given(spatial=extents, scale=st.sampled_from([1, 2, 3, 1.5, 2.5, 0.5]), data=st.data())
    def test_interpolate_by_a_scale(
        self, tier: str, spatial: list[int], scale: float, data: st.DataObject
    ) -> None:
        rank = len(spatial)
        assume(min(spatial) * scale >= 1)
        modes = ["nearest", LINEAR[rank], *(["bicubic"] if rank == 2 else [])]
        mode = data.draw(st.sampled_from(modes))
        resize = torch_module().nn.functional.interpolate
        (x,) = normal(1, (2, 3, *spatial))
        with F.tier(tier):
            compare(
                "interpolate",
                x,
                lambda t: resize(t, scale_factor=scale, mode=mode),
                None,
                scale,
                mode,
            )

    @some
    @given(spatial=extents, pads=st.lists(st.integers(0, 3), min_size=6, max_size=6))
    def test_zero_pad(self, tier: str, spatial: list[int], pads: list[int]) -> None:
        rank = len(spatial)
        pairs = tuple(zip(pads[::2], pads[1::2], strict=True))[:rank]
        flat = [each for pair in reversed(pairs) for each in pair]
        (x,) = normal(2, (2, 3, *spatial))
        pad = torch_module().nn.functional.pad
        with F.tier(tier):
            compare("zero_pad", x, lambda t: pad(t, flat), pairs)
            compare("zero_pad", x, lambda t: pad(t, [*flat, 1, 2]), pairs, (1, 2))

    @some
    @given(spatial=extents, data=st.data())
    def test_crop(self, tier: str, spatial: list[int], data: st.DataObject) -> None:
        size = tuple(data.draw(st.integers(1, n)) for n in spatial)
        offset = tuple(data.draw(st.integers(0, n - m)) for n, m in zip(spatial, size, strict=True))
        center = tuple((n - m) // 2 for n, m in zip(spatial, size, strict=True))
        (x,) = normal(3, (2, 3, *spatial))
        for option, start in ((offset, offset), ("center", center)):
            part = (..., *(slice(s, s + m) for s, m in zip(start, size, strict=True)))
            with F.tier(tier):
                compare("crop", x, lambda t, p=part: t[p], size, option)

    @some
    @given(n=st.integers(1, 3), c=st.integers(1, 3), h=st.integers(1, 4), r=st.integers(1, 3))
    def test_shuffles(self, tier: str, n: int, c: int, h: int, r: int) -> None:
        torch = torch_module()
        (x,) = normal(4, (n, c * r * r, h, h + 1))
        with F.tier(tier):
            compare("pixel_shuffle", x, lambda t: torch.pixel_shuffle(t, r), r)
            compare("channel_shuffle", x, lambda t: torch.channel_shuffle(t, r), r)
            (x,) = normal(5, (n, c, h * r, (h + 1) * r))
            compare("pixel_unshuffle", x, lambda t: torch.pixel_unshuffle(t, r), r)

    @pytest.mark.parametrize("rank", [1, 3])
    def test_shuffles_along_other_axes(self, tier: str, rank: int) -> None:
        # The channel is c, then a (and b, d), the most significant first.
        r, spatial = 2, (3, 4, 5)[:rank]
        (x,) = normal(6, (2, 3 * r**rank, *spatial))
        parts = x.reshape(2, 3, *(r,) * rank, *spatial)
        order = [0, 1] + [axis for i in range(rank) for axis in (2 + rank + i, 2 + i)]
        wanted = parts.transpose(order).reshape(2, 3, *(n * r for n in spatial))
        with F.tier(tier):
            np.testing.assert_array_equal(F.pixel_shuffle(x, r), wanted)
            np.testing.assert_array_equal(F.pixel_unshuffle(wanted, r), x)

    def test_large_maps(self, tier: str) -> None:
        (x,) = normal(7, (2, 5, 60, 50))
        resize = torch_module().nn.functional.interpolate
        with F.tier(tier):
            for mode in ("nearest", "bilinear"):
                reference = lambda t, m=mode: resize(t, scale_factor=2, mode=m)  # noqa: E731
                compare("interpolate", x, reference, None, 2, mode)

    def test_nan_and_infinity_pass(self, tier: str) -> None:
        (x,) = normal(8, (1, 2, 4, 5))
        x[0, 0, 1, 2], x[0, 1, 3, 3] = np.nan, -np.inf
        torch = torch_module()
        t = torch.tensor(x)
        with F.tier(tier):
            for mode in ("nearest", "bilinear"):
                y = torch.nn.functional.interpolate(t, scale_factor=2, mode=mode)
                close(F.interpolate(x, None, 2, mode), y.numpy())
            np.testing.assert_array_equal(
                F.pixel_shuffle(F.pixel_unshuffle(x[:, :, :, :4], 2), 2), x[:, :, :, :4]
            )
            assert np.isnan(F.zero_pad(x, 1)).sum() == 1
            assert np.isfinite(F.interpolate(x, None, 2, "nails")).sum() == 160 - 2


@both_tiers
class TestHandFigures:
    def test_nearest_unpooling(self, tier: str) -> None:
        question = QUESTIONS["seed-unpool-nn"]
        x = np.array(question["givens"]["x"], np.float64)[None, None]
        with F.tier(tier):
            y = F.interpolate(x, scale_factor=question["givens"]["factor"])
        np.testing.assert_array_equal(y[0, 0], question["answer"])

    def test_bed_of_nails(self, tier: str) -> None:
        question = QUESTIONS["seed-unpool-nails"]
        x = np.array(question["givens"]["x"], np.float64)[None, None]
        with F.tier(tier):
            y = F.interpolate(x, scale_factor=question["givens"]["factor"], mode="nails")
            dx = F.interpolate_backward(np.arange(16.0).reshape(1, 1, 4, 4), x, 4, None, "nails")
        np.testing.assert_array_equal(y[0, 0], question["answer"])
        # The nails stand on rows and columns 0 and 2 of 0..15: 0, 2, 8 and 10.
        np.testing.assert_array_equal(dx[0][0, 0], [[0, 2], [8, 10]])

    def test_nails_between_positions(self, tier: str) -> None:
        # 2 positions become 3: o*2/3 is whole at o = 0 only.
        with F.tier(tier):
            y = F.interpolate(np.array([[[5.0, 7.0]]]), 3, mode="nails")
        np.testing.assert_array_equal(y, [[[5, 0, 0]]])

    def test_linear_by_hand(self, tier: str) -> None:
        # Outputs 0..3 of 2 positions lie at -1/4 (taken as 0), 1/4, 3/4 and 5/4 (past the last).
        with F.tier(tier):
            y = F.interpolate(np.array([[[0.0, 4.0]]]), 4, mode="linear")
            aligned = F.interpolate(np.array([[[0.0, 4.0]]]), 5, None, "linear", True)
        np.testing.assert_array_equal(y, [[[0, 1, 3, 4]]])
        np.testing.assert_array_equal(aligned, [[[0, 1, 2, 3, 4]]])

    def test_nearest_in_whole_numbers(self, tier: str) -> None:
        # 22 positions become 49 ones: output 49*k/22 begins position k, also where 22/49 rounds.
        x = np.arange(22.0).reshape(1, 1, 22)
        with F.tier(tier):
            y = F.interpolate(x, 49)[0, 0]
        np.testing.assert_array_equal(y, [o * 22 // 49 for o in range(49)])

    def test_shufflenet_order(self, tier: str) -> None:
        # 6 channels in 2 groups (0 1 2 | 3 4 5) are read in turn from either.
        x = np.arange(6.0).reshape(1, 6, 1)
        with F.tier(tier):
            y = F.channel_shuffle(x, 2)
        np.testing.assert_array_equal(y.ravel(), [0, 3, 1, 4, 2, 5])

    def test_central_crop_of_unet(self, tier: str) -> None:
        # Ronneberger et al. 2015, figure 1: 64 cropped to 56 leaves 4 on each side.
        x = np.arange(64.0).reshape(1, 1, 64)
        with F.tier(tier):
            np.testing.assert_array_equal(F.crop(x, 56)[0, 0, [0, -1]], [4, 59])


@both_tiers
def test_gradients_by_central_differences(tier: str) -> None:
    (x,) = normal(9, (1, 4, 4, 6))
    cases: list[tuple[str, tuple[Any, ...]]] = [
        ("interpolate", ((7, 5), None, "bilinear", True)),
        ("interpolate", (None, 1.5, "bicubic")),
        ("interpolate", (None, 2, "nails")),
        ("interpolate", ((3, 9),)),
        ("zero_pad", (((1, 0), (0, 2)), (1, 0))),
        ("crop", ((2, 3),)),
        ("pixel_shuffle", (2,)),
        ("pixel_unshuffle", (2,)),
        ("channel_shuffle", (2,)),
    ]
    for name, arguments in cases:
        function = getattr(F, name)
        with F.tier(tier):
            (grad,) = normal(10, function(x, *arguments).shape)
            dx = getattr(F, f"{name}_backward")(grad, x, *arguments)[0]
            forward = lambda v, f=function, a=arguments: f(v, *a)  # noqa: E731
            close(dx, central_difference(forward, x, grad), 1e-7, name)


def test_threads_do_not_change_a_bit() -> None:
    (x,) = normal(11, (2, 9, 50, 60))
    grad = np.repeat(np.repeat(x, 2, 2), 2, 3)

    def results() -> list[Any]:
        return [
            F.interpolate(x, None, 2, "bilinear"),
            F.interpolate_backward(grad, x, None, 2, "bilinear")[0],
        ]

    with threads(1):
        alone = results()
    for count in (2, 4):
        with threads(count):
            for got, wanted in zip(results(), alone, strict=True):
                same_bits(got, wanted)


def test_compiled_is_what_is_written() -> None:
    (x,) = normal(12, (1, 4, 2, 4))

    def results() -> list[Any]:
        return [
            F.interpolate(x, 3, None, "bilinear"),
            F.interpolate_backward(x, x, (2, 4), None, "bicubic", True)[0],
            F.interpolate_backward(x, x[:, :, :1, :3], (2, 4), None, "nails")[0],
            F.zero_pad(x, 1, (0, 1)),
            F.crop(x, (1, 3)),
            F.pixel_shuffle(x, 2),
            F.pixel_unshuffle(x, 2),
            F.channel_shuffle(x, 2),
        ]

    compiled = results()
    with uncompiled(resampling):
        written = results()
    for got, wanted in zip(compiled, written, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-15)


def test_any_layout_and_no_input_modified() -> None:
    (x,) = normal(13, (2, 4, 4, 6))
    calls: list[Any] = [
        lambda v: F.interpolate(v, None, 2, "bilinear"),
        lambda v: F.interpolate(v, (4, 6)),
        lambda v: F.interpolate_backward(v, v, (4, 6))[0],
        lambda v: F.zero_pad(v, 1),
        lambda v: F.crop(v, 4),
        lambda v: F.pixel_shuffle(v, 2),
        lambda v: F.channel_shuffle(v, 1),
    ]
    for call in calls:
        wanted = call(x)
        assert not np.shares_memory(wanted, x)
        for awkward in awkward_layouts(x):
            before = awkward.copy()
            same_bits(call(awkward), wanted)
            np.testing.assert_array_equal(awkward, before)


X = np.zeros((1, 6, 5, 6))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: F.interpolate(X),
            ValueError,
            "size: must be given, or scale_factor, and not both",
        ),
        (
            lambda: F.interpolate(X, 2, 2),
            ValueError,
            "size: must be given, or scale_factor, and not both",
        ),
        (
            lambda: F.interpolate(X, 2, mode="linear"),
            ValueError,
            "mode: 'linear' must have 1 spatial axes, got 2",
        ),
        (
            lambda: F.interpolate(X, 2, mode="cubic"),
            ValueError,
            'mode: must be "nearest" or "nails" or "linear" or "bilinear" or "trilinear" or '
            "\"bicubic\", got 'cubic'",
        ),
        (
            lambda: F.interpolate(X, 2, align_corners=False),
            ValueError,
            "align_corners: must be None in the mode 'nearest', got False",
        ),
        (
            lambda: F.interpolate(X, 0),
            ValueError,
            "size: must be at least 1, got 0",
        ),
        (
            lambda: F.interpolate(X, None, 0.1),
            ValueError,
            "scale_factor: must leave a position along each axis; "
            "the output would have extents (0, 0)",
        ),
        (
            lambda: F.interpolate(X, None, float("nan")),
            ValueError,
            "scale_factor: must be at least 0 and at most 1.04858e+06, got nan",
        ),
        (
            lambda: F.zero_pad(X, -1),
            ValueError,
            "padding: must be at least 0, got -1",
        ),
        (
            lambda: F.crop(X, 6),
            ValueError,
            "size: must be a part of the map (5, 6), got (6, 6)",
        ),
        (
            lambda: F.crop(X, 3, (3, 0)),
            ValueError,
            "size: must be a part of the map (5, 6), got (3, 3) from offset (3, 0)",
        ),
        (
            lambda: F.pixel_shuffle(X, 2),
            ValueError,
            "upscale_factor: 2 along 2 axes must divide the channels into blocks of 4, "
            "got 6 channels",
        ),
        (
            lambda: F.pixel_unshuffle(X, 2),
            ValueError,
            "downscale_factor: must divide the extents (5, 6), got 2",
        ),
        (
            lambda: F.channel_shuffle(X, 4),
            ValueError,
            "groups: must divide the 6 channels, got 4",
        ),
        (
            lambda: F.zero_pad(X.astype(np.float16), 1),
            TypeError,
            "input: must be float32 or float64, got float16",
        ),
        (
            lambda: F.zero_pad_backward(X, X, 1),
            ValueError,
            "grad_output: must have shape (1, 6, 7, 8) (that of the output), "
            "got shape (1, 6, 5, 6)",
        ),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        call()
