"""Receptive fields that have become too large for the input, or stay too small."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
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

#: Three rules ask for the same fold.
_FOLDED: WeakKeyDictionary[Subject, dict[str, Extremes]] = WeakKeyDictionary()


def extremes(subject: Subject) -> dict[str, Extremes]:
    """The smallest and largest field of every layer of a network with one input."""
    if subject not in _FOLDED:
        _FOLDED[subject] = _fold(subject)
    return _FOLDED[subject]


def _fold(subject: Subject) -> dict[str, Extremes]:
    nodes = subject.network.nodes
    (shape,) = subject.network.inputs.values()
    one = (1,) * shape.rank
    found = {nodes[0].name: Extremes(one, one)}
    strides: dict[str, Sizes | None] = {nodes[0].name: one}
    for layer in subject.layers:
        reads = layer.node.reads
        first = nodes[reads[0]].name
        if len(reads) == 1:
            before = found.get(first, _UNKNOWN)
            if layer.local.reach and before is not _UNKNOWN:
                before = _through(layer, before, strides.get(first))
        else:
            before = _joined([found.get(nodes[index].name, _UNKNOWN) for index in reads])
            if _spreads(layer):
                before = before._replace(most=None)
        found[layer.name] = before
        if layer.local.reach or len(reads) > 1:
            strides[layer.name] = _strides(layer)
        else:
            strides[layer.name] = strides.get(first)
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
        if one.table or one.stride == 0 or not isinstance(one.size, int):
            return _UNKNOWN
        grown.append(stride * (one.size - 1))
    return Extremes(_plus(before.least, grown), _plus(before.most, grown))


def _plus(sizes: Sizes | None, grown: list[int]) -> Sizes | None:
    return None if sizes is None else tuple([a + b for a, b in zip(sizes, grown, strict=True)])


def _strides(layer: LayerAnalysis) -> Sizes | None:
    field = layer.receptive_field
    strides = [] if field is None else [axis.stride for axis in field.axes]
    if not strides or not all(isinstance(stride, int) for stride in strides):
        return None
    return tuple(strides)


def collapses(layer: LayerAnalysis) -> bool:
    """Whether it pools a map into a single position, without weights."""
    output = layer.output
    return (
        bool(output.spatial)
        and output.positions == 1
        and layer.local.inputs[0].positions != 1
        and not layer.local.weights
        and len(layer.node.reads) == 1
    )


def classifies(subject: Subject) -> bool:
    """Whether the network sees one image of known size, and says one thing about all of it."""
    inputs = list(subject.network.inputs.values())
    nodes = subject.network.nodes
    ends = [layer for layer in subject.layers if subject.is_output(layer)]
    return (
        len(inputs) == 1
        and inputs[0].rank > 0
        and not inputs[0].symbolic
        and len(nodes) > 1
        and bool(ends)
        and all(layer.output.positions == 1 for layer in ends)
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
        if not classifies(subject):
            return
        (shape,) = subject.network.inputs.values()
        fields = extremes(subject)
        found = [
            layer
            for layer in subject.layers
            if layer.macs
            and layer.output.positions != 1
            and (least := _least_before(subject, layer, fields)) is not None
            and any(one.size > 1 for one in layer.local.reach)
            and all(size >= n for size, n in zip(least, shape.spatial, strict=True))
        ]
        if found:
            first, more = found[0], len(found) - 1
            least = _least_before(subject, first, fields)
            assert least is not None
            others = f", and {more} more such layer{'s' * (more > 1)} follow{'s' * (more == 1)}"
            yield self.at(
                subject,
                first,
                f"the units it reads have fields of {_size(least)} already, as large as the input "
                f"{shape}{others if more else ''}",
                "leave them out, or shrink the map later: less stride or pooling before",
                "kernel",
            )


def _least_before(
    subject: Subject, layer: LayerAnalysis, fields: dict[str, Extremes]
) -> Sizes | None:
    if len(layer.node.reads) != 1 or not layer.local.reach:
        return None
    return fields[subject.network.nodes[layer.node.reads[0]].name].least


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
        fields = extremes(subject)
        ends = [fields[layer.name].most for layer in subject.layers if subject.is_output(layer)]
        if not ends or any(not most or min(most) >= wanted for most in ends):
            return
        largest = max((most for most in ends if most), key=min)
        last = _last_window(subject, fields, largest)
        if last is not None:
            yield self.at(
                subject,
                last,
                f"no unit of the output sees more than {_size(largest)} positions of the input, "
                f"an object has {wanted}",
                "a stride or pool early on multiplies what every later kernel adds",
            )


def _last_window(
    subject: Subject, fields: dict[str, Extremes], sizes: Sizes
) -> LayerAnalysis | None:
    """The layer that made a field as large as it is."""
    for layer in subject.layers:
        if fields[layer.name].most == sizes and layer.local.reach:
            return layer
    return None


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
        if not classifies(subject):
            return
        (shape,) = subject.network.inputs.values()
        pools = list(_final_pools(subject))
        if not pools:
            return
        fields = extremes(subject)
        for pool in pools:
            most = fields[pool.name].most
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
    for end in subject.layers:
        if not subject.is_output(end):
            continue
        layer: LayerAnalysis | None = end
        while layer is not None and layer.output.positions == 1:
            if collapses(layer):
                yield layer
                break
            layer = subject.source(layer)
