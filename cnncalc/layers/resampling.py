"""Layers that move, add or drop positions without weights."""

import math
from fractions import Fraction
from typing import Annotated, Literal

from cnncalc.errors import LayerError
from cnncalc.layers.base import (
    MOST_TABLED,
    Inputs,
    Layer,
    Reach,
    axis_name,
    checked,
    divides,
    layer,
    must_divide,
    needs_map,
    per_axis,
    periodic,
    ratio,
    same_rank,
    sides,
)
from cnncalc.layers.fields import Count, ExplicitPadding, Flag, Natural, Says, Text
from cnncalc.notation import Shape
from cnncalc.window import Extent

Mode = Annotated[
    Literal["nearest", "bilinear", "bicubic", "nails"],
    Says("`nearest`, `bilinear`, `bicubic` or `nails`"),
]
Offsets = Annotated[
    Natural | tuple[Natural, ...] | Literal["center"],
    Says("`center`, or the first row and column kept"),
]
Sizes = Annotated[
    Count | tuple[Count, ...] | None,
    Says("an integer of at least 1, or a list with one for each axis"),
]


@layer
class Upsample(Layer):
    """A larger map by interpolation: `scale` times the size, to a `size`, or `like` a layer.

    Modes: `nearest` repeats each value, `nails` puts zeros around it (bed of
    nails), `bilinear` (linear in 1-D, trilinear in 3-D) and `bicubic` interpolate.
    FLOPs: 2 per neighbour and output for the interpolating modes, none otherwise.
    No parameters, 0 MACs.

    Source: PyTorch's interpolate; CS231n lecture "Detection and segmentation".
    """

    kind = "upsample"
    main = "scale"
    main_required = False
    sees = "window"
    references = ("like",)
    references_are_sizes = True

    scale: Sizes = None
    size: Sizes = None
    like: Text | None = None
    mode: Mode = "nearest"
    align_corners: Flag = False

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "upsampling")
        rank = inputs[0].rank
        given = [name for name in ("scale", "size", "like") if getattr(self, name) is not None]
        if len(given) != 1:
            raise LayerError(
                f"upsampling takes one of `scale`, `size` and `like`, got {len(given)}",
                help="write {upsample: 2}, {upsample: , size: 28} or {upsample: , like: NAME}",
                code="S007",
                name="missing-argument",
            )
        self._check_mode(rank)
        if self.like is not None:
            same_rank(inputs[0], inputs[1], "like")
            return inputs[0]._replace(spatial=inputs[1].spatial)
        if self.size is not None:
            return inputs[0]._replace(spatial=per_axis(self.size, rank, "size"))
        scales = per_axis(self.scale, rank, "scale")
        spatial = tuple(n * k for n, k in zip(inputs[0].spatial, scales, strict=True))
        return inputs[0]._replace(spatial=spatial)

    def _check_mode(self, rank: int) -> None:
        if self.mode == "bicubic" and rank != 2:
            raise LayerError(
                f"bicubic interpolation needs 2 spatial axes, the input has {rank}",
                help="mode: bilinear works with any number",
                field="mode",
                code="H005",
                name="wrong-number-of-axes",
            )
        if self.align_corners and self.mode in ("nearest", "nails"):
            raise LayerError(
                f"`align_corners` has no meaning in the mode `{self.mode}`",
                help="it belongs to mode: bilinear and mode: bicubic",
                field="align_corners",
                code="H013",
                name="option-without-meaning",
            )

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return tuple(
            _interpolation_reach(n, m, self.mode, self.align_corners)
            for n, m in zip(inputs[0].spatial, output.spatial, strict=True)
        )

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        neighbours = {"nearest": 0, "nails": 0, "bilinear": 2, "bicubic": 4}[self.mode]
        return output.elements * 2 * neighbours**output.rank if neighbours else 0


def _interpolation_reach(n: Extent, m: Extent, mode: str, align_corners: bool) -> Reach:
    """What the m outputs of an interpolated axis read of its n inputs."""
    # How far beyond the position itself the neighbours lie, on either side.
    before, after = {"nearest": (0, 0), "nails": (0, 0), "bilinear": (0, 1), "bicubic": (1, 2)}[
        mode
    ]
    if align_corners and m != 1:
        n, m = n - 1, m - 1  # the corners are fixed, the gaps between positions stretched
    stride = ratio(n, m)
    if not (isinstance(n, int) and isinstance(m, int)) or m > MOST_TABLED or n == 0:
        return Reach(stride, -before, before + after + 1)
    table = []
    for j in range(m // math.gcd(n, m)):
        place = Fraction(j * n, m)
        if mode == "nails" and place.denominator != 1:
            table.append(range(0))
            continue
        if mode in ("bilinear", "bicubic") and not align_corners:
            place = Fraction((2 * j + 1) * n, 2 * m) - Fraction(1, 2)
        left = math.floor(place)
        exact = place == left or mode in ("nearest", "nails")
        table.append(range(left, left + 1) if exact else range(left - before, left + after + 1))
    return periodic(stride, tuple(table))


@layer
class ZeroPad(Layer):
    """Zeros around the map: ``{zeropad: 1}``, ``{zeropad: [[0, 1], [0, 1]]}`` (before, after).

    `channels: [before, after]` adds empty maps, the parameter-free shortcut of
    CIFAR ResNets. No parameters, 0 MACs, 0 FLOPs.

    Source: Keras' ZeroPadding2D; He et al. 2016, section 3.3, option A.
    """

    kind = "zeropad"
    main = "pad"
    main_required = False
    sees = "window"

    pad: ExplicitPadding = 0
    channels: Annotated[tuple[Natural, Natural], Says("a list [before, after] of maps to add")] = (
        0,
        0,
    )

    def output(self, inputs: Inputs) -> Shape:
        if self.pad != 0:
            needs_map(inputs[0], "zero padding")
        pads = sides(self.pad, inputs[0].rank)
        spatial = tuple(
            n + before + after for n, (before, after) in zip(inputs[0].spatial, pads, strict=True)
        )
        return inputs[0]._replace(channels=inputs[0].channels + sum(self.channels), spatial=spatial)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return tuple(Reach(1, -before, 1) for before, _ in sides(self.pad, inputs[0].rank))


@layer
class Crop(Layer):
    """The part of a map: to a `size`, or `like` another layer; centred unless `offset` says where.

    No parameters, 0 MACs, 0 FLOPs.

    Source: Ronneberger et al. 2015 (centre crop); Caffe's Crop (offset).
    """

    kind = "crop"
    main = "size"
    main_required = False
    sees = "window"
    references = ("like",)
    references_are_sizes = True

    size: Sizes = None
    like: Text | None = None
    offset: Offsets = "center"

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "cropping")
        if (self.size is None) == (self.like is None):
            raise LayerError(
                "a crop takes either a size or `like`",
                help="write {crop: 56} or {crop: , like: NAME}",
                code="S007",
                name="missing-argument",
            )
        rank = inputs[0].rank
        if self.like:
            same_rank(inputs[0], inputs[1], "like")
        wanted = inputs[1].spatial if self.like else per_axis(self.size, rank, "size")
        starts = (0,) * rank if self.offset == "center" else per_axis(self.offset, rank, "offset")
        rooms = tuple(n - w - s for n, w, s in zip(inputs[0].spatial, wanted, starts, strict=True))
        checked(
            tuple(room + 1 for room in rooms),
            lambda axis: LayerError(
                f"cannot crop the {axis_name(axis, rank)} of {inputs[0]} to {wanted[axis]}"
                + (f" from offset {starts[axis]}" if starts[axis] else ""),
                help="a crop keeps a part of its input",
                field="like" if self.like else "size",
                code="H011",
                name="crop-larger-than-input",
            ),
        )
        return inputs[0]._replace(spatial=wanted)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        if self.offset != "center":
            starts = per_axis(self.offset, inputs[0].rank, "offset")
        else:
            starts = tuple(
                (n - m) // 2 for n, m in zip(inputs[0].spatial, output.spatial, strict=True)
            )
        return tuple(Reach(1, start, 1) for start in starts)


@layer
class PixelShuffle(Layer):
    """Moves channels to positions: ``C*r*r @ HxW`` becomes ``C @ rH x rW``.

    No parameters, 0 MACs, 0 FLOPs.

    Source: Shi et al. 2016; PyTorch's PixelShuffle.
    """

    kind = "pixelshuffle"
    main = "factor"
    sees = "window"

    factor: Count

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "a pixel shuffle")
        block = self.factor ** inputs[0].rank
        if not divides(block, inputs[0].channels):
            raise LayerError(
                f"a pixel shuffle by {self.factor} needs a multiple of {block} channels, "
                f"got {inputs[0].channels}",
                field="factor",
                code="H003",
                name="groups-do-not-divide",
            )
        spatial = tuple(n * self.factor for n in inputs[0].spatial)
        return inputs[0]._replace(channels=inputs[0].channels // block, spatial=spatial)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        # `factor` neighbours come from the channels of one position.
        return (periodic(ratio(1, self.factor), (range(1),) * self.factor),) * inputs[0].rank


@layer
class ChannelShuffle(Layer):
    """Interleaves the channels of `groups` groups, so that grouped convolutions mix.

    No parameters, 0 MACs, 0 FLOPs.

    Source: Zhang et al. 2018 (ShuffleNet), section 3.1.
    """

    kind = "channelshuffle"
    main = "groups"

    groups: Count

    def output(self, inputs: Inputs) -> Shape:
        must_divide(self.groups, inputs[0].channels, "groups", "groups")
        return inputs[0]


@layer
class Slice(Layer):
    """Channels `start` up to, but not including, `stop`: ``{slice: [0, 58]}``.

    No parameters, 0 MACs, 0 FLOPs.
    """

    kind = "slice"
    main = "channels"

    channels: Annotated[tuple[Natural, Natural], Says("a list [start, stop] of channels")]

    def output(self, inputs: Inputs) -> Shape:
        start, stop = self.channels
        width = stop - start
        if isinstance(width, int) and (width < 1 or _above(stop, inputs[0].channels)):
            raise LayerError(
                f"channels [{start}, {stop}] are not a part of the {inputs[0].channels} channels",
                help=f"0 <= start < stop <= {inputs[0].channels}",
                field="channels",
                code="H011",
                name="crop-larger-than-input",
            )
        return inputs[0]._replace(channels=width)


def _above(value: Extent, limit: Extent) -> bool:
    return isinstance(value, int) and isinstance(limit, int) and value > limit


@layer
class Split(Layer):
    """One part of the channels: ``{split: 2, part: 0}`` is the first half.

    ``{split: [24, 72], part: 1}`` cuts by size.

    Written without `part` and with a name, a split gives all its parts: they are
    called ``NAME.0``, ``NAME.1``, ..., and the first goes on as the current tensor.
    No parameters, 0 MACs, 0 FLOPs.

    Source: PyTorch's chunk and split.
    """

    kind = "split"
    main = "parts"

    parts: Annotated[
        Count | tuple[Count, ...],
        Says("a number of equal parts, or the list of their channels"),
    ]
    part: Natural = 0

    def output(self, inputs: Inputs) -> Shape:
        sizes, channels = self.parts, inputs[0].channels
        number = len(sizes) if isinstance(sizes, tuple) else sizes
        if self.part >= number:
            raise LayerError(
                f"part {self.part} does not exist: there are {number}, counted from 0",
                field="part",
                code="H011",
                name="crop-larger-than-input",
            )
        if isinstance(sizes, tuple):
            if isinstance(channels, int) and sum(sizes) != channels:
                raise LayerError(
                    f"parts of {' + '.join(map(str, sizes))} = {sum(sizes)} channels do not make "
                    f"up the {channels} channels of the input",
                    field="parts",
                    code="H003",
                    name="groups-do-not-divide",
                )
            return inputs[0]._replace(channels=sizes[self.part])
        must_divide(sizes, channels, "equal parts", "parts")
        return inputs[0]._replace(channels=channels // sizes)
