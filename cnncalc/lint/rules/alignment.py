"""Branches that meet displaced against each other."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.layers.base import Reach, axis_name, ratio
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping


class Track(NamedTuple):
    """Where the units of a layer lie along one axis.

    Attributes:
        stride: input positions from one unit to the next.
        center: centre of the field of unit 0; of units that differ, on average.
        resized: whether an upsampling has made them.
    """

    stride: Any
    center: Any
    resized: bool = False


#: One for each axis; None where it is not known, or the units see everything alike.
Tracks = tuple[Track, ...] | None


def displaced(
    subject: Subject, *, resized: bool
) -> Iterator[tuple[LayerAnalysis, str, list[Any], Any, Any]]:
    """Layer, axis, places, stride and shift wherever paths of one stride meet apart."""
    network = subject.network
    if resized:
        found = any(map(_resizes, subject.alike))
    else:
        fields = [layer.receptive_field for layer in subject.layers]
        found = False in [field.aligned for field in fields if field is not None]
    if not found:
        return
    tracks: list[Tracks] = [None] * len(network.nodes)
    start = next(iter(network.inputs.values()))
    tracks[0] = tuple(Track(1, 0) for _ in start.spatial)
    for index, layer in enumerate(subject.layers, len(network.inputs)):
        reads = layer.node.reads
        if len(reads) == 1:
            tracks[index] = _through(layer, tracks[reads[0]])
            continue
        moving = [track for one in reads if (track := tracks[one]) is not None]
        if layer.local.reach or not moving or len({len(track) for track in moving}) > 1:
            continue
        tracks[index] = moving[0]
        for number, meeting in enumerate(zip(*moving, strict=True)):
            if len({track.stride for track in meeting}) != 1:
                continue
            if any(track.resized for track in meeting) is resized:
                centers = [track.center for track in meeting]
                shift = max(centers) - min(centers)
                name = axis_name(number, layer.output.rank)
                yield layer, name, centers, meeting[0].stride, shift


def _through(layer: LayerAnalysis, before: Tracks) -> Tracks:
    reach = layer.local.reach
    if not reach or before is None:
        return before
    if len(reach) != len(before) or layer.output.positions == 1:
        return None
    if not all(isinstance(n, int | Fraction) for one in reach for n in one[:3]):
        return None
    if any(one.stride == 0 for one in reach):
        return None
    return tuple(
        Track(
            track.stride * one.stride,
            track.center + track.stride * _middle(one),
            track.resized or _grows(one),
        )
        for track, one in zip(before, reach, strict=True)
    )


def _resizes(layer: LayerAnalysis) -> bool:
    return any(map(_grows, layer.local.reach))


def _grows(reach: Reach) -> bool:
    """Whether there are more outputs than inputs along an axis."""
    return isinstance(reach.stride, Fraction) and 0 < reach.stride < 1


def _middle(reach: Reach) -> Any:
    """Centre of what output 0 reads; on average, relative to its place, where outputs differ."""
    if not reach.table:
        return reach.start + ratio(reach.size - 1, 2)
    middles = [
        Fraction(reads[0] + reads[-1], 2) - unit * reach.stride
        for unit, reads in enumerate(reach.table)
        if reads
    ]
    return sum(middles, Fraction(0)) / max(len(middles), 1)


def _key(layer: LayerAnalysis) -> Place:
    """The word `add` or `concat` itself: the branches below it may take a screen."""
    origin = layer.node.origin
    if isinstance(origin, Mapping) and layer.kind in origin.entries:
        return origin.key_place(layer.kind)
    return origin.place


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"{float(value):g}"


class MisalignedBranches(Rule):
    """Branches of a sum or concatenation look at places a whole unit or more apart.

    What it does: compares the centres of the receptive fields of all paths that meet, in
    networks over images, where no path has been upsampled. Up to half a unit is a matter of
    an odd pixel of padding, and no finding.

    Why it matters: a residual sum then adds the features of one place to those of another;
    edges come out doubled. It is what a padding on the wrong side, or a crop from the wrong
    corner, does: every shape still fits.

    Bad:
        input: 8@32x32
        layers:
          - «add»:
              - [{conv: 8, kernel: 3, pad: [[2, 0], [2, 0]]}]
              - []

    Good:
        input: 8@32x32
        layers:
          - add:
              - [{conv: 8, kernel: 3, pad: 1}]
              - []

    Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural
    networks", Distill, section on alignment.
    """

    code = "R005"
    name = "misaligned-branches"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for layer, axis, centers, stride, shift in displaced(subject, resized=False):
            # A causal convolution over time looks back on purpose.
            if layer.output.rank == 2 and shift >= stride and layer.name not in seen:
                seen.add(layer.name)
                yield self.finding(
                    subject,
                    f"{layer.name}: along the {axis} its branches look at the input "
                    f"{_number(shift)} position{'s' * (shift != 1)} apart: unit 0 is centred at "
                    f"{' and '.join(map(_number, dict.fromkeys(centers)))}, the stride is "
                    f"{_number(stride)}",
                    "pad both sides of a window alike, and crop from the centre",
                    _key(layer),
                    layer.name,
                )


class UpsampledOffCentre(Rule):
    """An upsampled map lies displaced against the map it is joined with.

    What it does: compares, on average over the units, the centres of the receptive fields
    of an upsampled path with those of the others, and reports half a unit or more.

    Why it matters: the rows of a strided 3x3 convolution with padding 1 are centred on rows
    0, 2, 4; an upsampling by 2 puts them half a pixel off, five such stages by 32 15.5
    pixels. Training can learn around it, so the rule has to be selected.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 8, kernel: 3, pad: 1}
          - {relu: , name: fine}
          - {conv: 8, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]]}
          - relu
          - {upsample: 2}
          - «concat»: [[], fine]
          - {conv: 2, kernel: 1}

    Good:
        input: 3@32x32
        layers:
          - {conv: 8, kernel: 3, pad: 1}
          - {relu: , name: fine}
          - {conv: 8, kernel: 4, stride: 2, pad: 1}
          - relu
          - {upsample: 2}
          - concat: [[], fine]
          - {conv: 2, kernel: 1}

    Source: Araujo, Norris and Sim 2019, Distill, section on alignment; PyTorch's interpolate
    on `align_corners`.
    """

    code = "R008"
    name = "upsampled-off-centre"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        seen: set[str] = set()
        for layer, axis, _, stride, shift in displaced(subject, resized=True):
            if 2 * shift >= stride and layer.name not in seen:
                seen.add(layer.name)
                yield self.finding(
                    subject,
                    f"{layer.name}: along the {axis} the upsampled branch lies "
                    f"{_number(shift)} positions of the input off the others, "
                    f"units are {_number(stride)} apart",
                    "windows with an even kernel keep centres, and so do sizes of the form "
                    "k*stride + 1 with mode: bilinear and align_corners: true",
                    _key(layer),
                    layer.name,
                )
