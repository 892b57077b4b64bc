"""Linear layers in a row that compute no more than one of them could."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, InsertItem
from cnncalc.layers.base import per_axis
from cnncalc.lint.chains import POINTWISE, is_whole, option
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping

#: Layers whose output is a linear function of their input.
_LINEAR = frozenset({"conv", "separableconv", "linear"})

#: What is linear too (batchnorm once trained), so that a row of linear layers goes on.
_THROUGH = frozenset(
    ("batchnorm", "dropout", "droppath", "flatten", "reshape", "zeropad", "crop")
) | frozenset(("avgpool", "globalavgpool", "adaptiveavgpool", "subsample"))

#: Rows are followed no further.
_FARTHEST = 8

#: Activations without options.
_USUAL = frozenset(("relu", "relu6", "gelu", "silu"))

_NONLINEAR = POINTWISE | {"maxout", "rnn", "lstm", "gru", "attention"}


class MissingNonlinearity(Rule):
    """A convolution or linear layer follows another with no non-linearity between them.

    What it does: reports conv, separableconv and linear layers that read another one alone,
    directly or through layers that are linear too: batchnorm, dropout, average pools,
    flatten. Left alone is what is linear on purpose: a middle narrower than both ends
    (linear bottlenecks, low-rank factors, codes of autoencoders), depthwise and grouped
    layers, pairs of 1xk and kx1, transposed convolutions and upsampling, layers that
    smooth a sum (feature pyramids), and shared weights. A spec without any activation is
    reported once.

    Why it matters: two linear maps in a row are one linear map. The second layer adds
    parameters and time, but nothing that the first could not have computed.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - «{conv: 16, kernel: 3, pad: 1}»
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.1; CS231n,
    "Neural networks, part 1". Linear bottlenecks: Sandler et al. 2018, section 3.2.
    """

    code = "O004"
    name = "missing-nonlinearity"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*_LINEAR, "anchorhead"):
            row = _row(subject, layer)
            if row is None:
                continue
            first, last = row
            if first.name in subject.shared or layer.name in subject.shared:
                continue
            if not _is_deliberate(subject, first, layer):
                activations = subject.once(_activations)
                more = "" if activations else ": the whole network has no activation"
                yield self.at(
                    subject,
                    layer,
                    f"no non-linearity between {first.name} and {layer.name}, which together are "
                    f"one linear map{more}",
                    f"write an activation such as relu after {last.name}",
                    fix=_insertion(last, layer, activations),
                )
                if not activations:
                    return


def _activations(subject: Subject) -> Counter[str]:
    """How often the network has each non-linearity."""
    return Counter(one.kind for one in subject.of(*_NONLINEAR))


def _row(subject: Subject, layer: LayerAnalysis) -> tuple[LayerAnalysis, LayerAnalysis] | None:
    """The linear layer that only this one reads, and the layer an activation would follow."""
    last = None
    found = subject.source(layer)
    for _ in range(_FARTHEST):
        if found is None or subject.reader(found) is None:
            return None
        if found.kind in _LINEAR:
            return found, last or found
        if found.kind not in _THROUGH:
            return None
        # After the normalisation, but before what pools, drops or flattens.
        if found.kind == "batchnorm":
            last = last or found
        found = subject.source(found)
    return None


def _is_deliberate(subject: Subject, first: LayerAnalysis, second: LayerAnalysis) -> bool:
    if any(
        (option(one, "groups") or 1) != 1 or option(one, "connections") for one in (first, second)
    ):
        return True
    if _is_narrow(first, second) or _is_factorised(first, second):
        return True
    source = subject.source(first)
    # A pyramid smooths its sums, and at the top the lateral layer that is summed further down.
    return source is not None and (
        source.kind == "add" or (source.kind in _LINEAR and len(subject.readers(source)) > 1)
    )


def _is_narrow(first: LayerAnalysis, second: LayerAnalysis) -> bool:
    """Whether the middle is narrower than both ends: the pair is a map of low rank."""
    read, middle, made = first.local.inputs[0], first.output, second.output
    flattened = bool(middle.spatial) and second.kind == "linear" and not made.spatial
    pooled = second.local.inputs[0].channels == middle.channels
    sizes = [read.channels, middle.channels, made.channels]
    if flattened and not pooled:
        sizes = [read.elements, middle.elements, made.elements]
    if not is_whole(*sizes):
        return True
    narrow: bool = sizes[1] < min(sizes[0], sizes[2])
    return narrow


def _is_factorised(first: LayerAnalysis, second: LayerAnalysis) -> bool:
    """Whether the two are a 1xk and a kx1 window, a kernel in two factors."""
    if first.kind != "conv" or second.kind != "conv":
        return False
    rank = first.output.rank
    one, other = (_kernel(layer, rank) for layer in (first, second))
    return (
        max(one) > 1 and max(other) > 1 and all(1 in axes for axes in zip(one, other, strict=True))
    )


def _kernel(layer: LayerAnalysis, rank: int) -> tuple[Any, ...]:
    return per_axis(option(layer, "kernel"), rank, "kernel")


def _insertion(last: LayerAnalysis, layer: LayerAnalysis, used: Counter[str]) -> Fix | None:
    """The activation that the network uses most, after `last`, if the two stand in one list."""
    origin = layer.node.origin
    if last.node.path != layer.node.path:
        return None
    if isinstance(origin, Mapping) and "from" in origin.entries:
        return None
    words = [word for word, _ in used.most_common() if word in _USUAL]
    word = words[0] if words else "relu"
    return Fix(f"insert `{word}`", False, (InsertItem(last.node.place, word),))
