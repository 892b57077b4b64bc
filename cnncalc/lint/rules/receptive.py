"""Receptive fields that have become too large for the input, or stay too small."""

from collections.abc import Iterator
from operator import add, ge
from typing import ClassVar, NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import is_whole
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

Sizes = tuple[int, ...]


class Extremes(NamedTuple):
    """Fields of the paths from the input to a layer, borders left aside.

    Attributes:
        least: size of the smallest along each axis; None where it is not known, or every
            path has passed a layer that makes positions anew (a flatten, an upsampling).
        most: size of the largest; None where it is not known, or weights have seen all.
    """

    least: Sizes | None
    most: Sizes | None


_UNKNOWN = Extremes(None, None)


def extremes(subject: Subject) -> list[Extremes]:
    """The smallest and largest field of every node of a network with one input."""
    (shape,) = subject.network.inputs.values()
    one = (1,) * shape.rank
    found = [Extremes(one, one)]
    strides: list[Sizes | None] = [one]
    for layer in subject.layers:
        reads = layer.node.inputs
        first = reads[0]
        if len(reads) > 1 and len(reads := layer.node.reads) > 1:
            before = _joined([found[index] for index in reads])
            found.append(before._replace(most=None) if _spreads(layer) else before)
            strides.append(_strides(layer))
        elif layer.local.reach:
            before = found[first]
            found.append(before if before is _UNKNOWN else _through(layer, before, strides[first]))
            strides.append(_strides(layer))
        else:
            found.append(found[first])
            strides.append(strides[first])
    return found


def _spreads(layer: LayerAnalysis) -> bool:
    """Whether one position that stands for the whole map acts on many (a gate, image pooling)."""
    return layer.output.positions != 1 and 1 in [one.positions for one in layer.local.inputs]


def _joined(sources: list[Extremes]) -> Extremes:
    least = [source.least for source in sources if source.least is not None]
    most = [source.most for source in sources if source.most is not None]
    return Extremes(
        tuple(map(min, *least)) if len(least) > 1 else least[0] if least else None,
        tuple(map(max, *most)) if len(most) == len(sources) > 1 else None,
    )


def _through(layer: LayerAnalysis, before: Extremes, strides: Sizes | None) -> Extremes:
    reach = layer.local.reach
    if layer.local.inputs[0].positions == 1 or collapses(layer):
        return Extremes(None, None if _spreads(layer) else before.most)
    if strides is None or len(strides) != len(reach):
        return _UNKNOWN
    grown = []
    for stride, one in zip(strides, reach, strict=True):
        if one.table or one.stride == 0 or not is_whole(one.size):
            return _UNKNOWN
        grown.append(stride * (one.size - 1))
    if not any(grown):
        return before
    least = _plus(before.least, grown)
    # On a chain both are one path's.
    return Extremes(least, least if before.most is before.least else _plus(before.most, grown))


def _plus(sizes: Sizes | None, grown: list[int]) -> Sizes | None:
    return None if sizes is None else tuple(map(add, sizes, grown))


def _strides(layer: LayerAnalysis) -> Sizes | None:
    field = layer.receptive_field
    if field is None or not field.axes:
        return None
    strides = tuple([axis.stride for axis in field.axes])
    return strides if is_whole(*strides) else None


def collapses(layer: LayerAnalysis) -> bool:
    """Whether it pools a map into a single position, without weights."""
    local = layer.local
    if local.weights or not local.output.spatial or len(layer.node.reads) != 1:
        return False
    return bool(local.output.positions == 1 != local.inputs[0].positions)


def classifies(subject: Subject) -> bool:
    """Whether the network sees one image of known size, and says one thing about all of it."""
    inputs = list(subject.network.inputs.values())
    return (
        len(inputs) == 1
        and inputs[0].rank > 0
        and not inputs[0].symbolic
        and bool(subject.outputs)
        and all(layer.output.positions == 1 for layer in subject.outputs)
    )


def _size(sizes: Sizes) -> str:
    return "x".join(map(str, sizes))


class UnproductiveLayer(Rule):
    """Convolutions work on a map whose every unit sees the whole input already.

    What it does: follows the smallest receptive field of all paths. Where that is as large
    as the input, a further window of weights has nothing new to bring together; the first
    such layer is reported, once for a network. Networks with a spatial output are left out,
    and so is a window as large as its whole map, which is a linear layer in disguise.

    Why it matters: such layers were found to add nothing to the accuracy, but cost
    parameters and time as any other. It happens where a network meets inputs smaller than
    those it was made for. A shortcut keeps small fields alive: residual networks are spared.

    Bad:
        input: 3@16x16
        layers:
          - {conv: 16, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]], bias: false}
          - batchnorm
          - relu
          - {conv: 32, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]], bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: «3», pad: 1, bias: false}
          - batchnorm
          - relu
          - globalavgpool
          - flatten
          - {linear: 10}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]], bias: false}
          - batchnorm
          - relu
          - {conv: 32, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]], bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 64, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - globalavgpool
          - flatten
          - {linear: 10}

    Source: Richter, Byttner, Krumnack, Wiedenroth, Schallner and Shenk 2021, "(Input) Size
    Matters for CNN Classifiers"; Richter, Schöning, Wiedenroth and Krumnack 2021, "Should
    You Go Deeper?" (border layers).
    """

    code = "R001"
    name = "unproductive-layer"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.once(classifies):
            return
        (shape,) = subject.network.inputs.values()
        fields = subject.once(extremes)
        found = [
            (layer, least)
            for layer in subject.layers
            if layer.macs
            and layer.local.reach
            and (least := fields[layer.node.reads[0]].least) is not None
            and all(map(ge, least, shape.spatial))
            and len(layer.node.reads) == 1
            and layer.output.positions != 1
            and any(one.size > 1 for one in layer.local.reach)
        ]
        if found:
            (first, least), more = found[0], len(found) - 1
            others = f", and {more} more such layer{'s' * (more > 1)} follow{'s' * (more == 1)}"
            yield self.at(
                subject,
                first,
                f"the units it reads have fields of {_size(least)} already, as large as the input "
                f"{shape}{others if more else ''}",
                "leave them out, or shrink the map later: less stride or pooling before",
                "kernel",
            )


class FieldSmallerThanObject(Rule):
    """No unit sees a whole object of the declared size.

    What it does: compares the largest receptive field of all outputs with `object-size`
    of the configuration. A global pool brings opinions together, not pixels, so the field
    before it counts; behind a linear layer over a whole map everything is seen.

    Why it matters: a unit cannot recognise by its shape what it sees a part of.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - «{conv: 16, kernel: 3, pad: 1}»
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural
    networks", Distill; Luo et al. 2016 find the effective field smaller still.
    """

    code = "R002"
    name = "field-smaller-than-object"
    severity = "warning"
    example_settings: ClassVar[dict[str, object]] = {"object_size": 16}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        wanted, network = subject.settings.object_size, subject.network
        if wanted is None or len(network.inputs) != 1:
            return
        if next(iter(network.inputs.values())).symbolic:
            return
        fields = subject.once(extremes)
        ends = [fields[index].most for index in sorted(set(network.outputs)) if index]
        if not ends or any(not most or min(most) >= wanted for most in ends):
            return
        largest = max((most for most in ends if most), key=min)
        last = next(
            (
                layer
                for index, layer in enumerate(subject.layers, 1)
                if fields[index].most == largest and layer.local.reach
            ),
            None,
        )
        if last is not None:
            yield self.at(
                subject,
                last,
                f"no unit of the output sees more than {_size(largest)} positions of the input, "
                f"an object has {wanted}",
                "a stride or pool early on multiplies what every later kernel adds",
            )


class FieldSmallerThanInput(Rule):
    """A classifier averages units of which none has seen the whole input.

    What it does: reports a global pool at the end of a network where the receptive field
    is smaller than the input.

    Why it matters: the network is a bag of local features: it counts what it finds, and
    cannot know how the parts lie to each other. That can be intended, and works for textures.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 4, stride: 2, pad: 1}
          - relu
          - {conv: 64, kernel: 4, stride: 2, pad: 1}
          - relu
          - «globalavgpool»
          - flatten
          - {linear: 10}

    Good:
        input: 3@16x16
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 4, stride: 2, pad: 1}
          - relu
          - {conv: 64, kernel: 4, stride: 2, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - globalavgpool
          - flatten
          - {linear: 10}

    Source: Brendel and Bethge 2019, "Approximating CNNs with bag-of-local-features models";
    Araujo, Norris and Sim 2019, Distill.
    """

    code = "R003"
    name = "field-smaller-than-input"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.once(classifies):
            return
        (shape,) = subject.network.inputs.values()
        pools = list(_final_pools(subject))
        if not pools:
            return
        fields = subject.once(extremes)
        for pool in pools:
            # It leaves the field as it is: what its input sees counts.
            most = fields[pool.node.reads[0]].most
            # Nothing but the pool itself: no unit was meant to see more than its pixel.
            if most is None or max(most) == 1:
                continue
            if any(size < n for size, n in zip(most, shape.spatial, strict=True)):
                yield self.at(
                    subject,
                    pool,
                    f"the units it pools see {_size(most)} positions each, none of them the whole "
                    f"input {shape}",
                    "more stride or depth before it, if the arrangement of the parts matters",
                )


def _final_pools(subject: Subject) -> Iterator[LayerAnalysis]:
    """The global pools behind which only single positions follow, on each output's own way."""
    for end in subject.outputs:
        layer: LayerAnalysis | None = end
        while layer is not None and layer.output.positions == 1:
            if collapses(layer):
                yield layer
                break
            layer = subject.source(layer)
