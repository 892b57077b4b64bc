"""Pools that could be one, or could come earlier."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import MAX_POOLS, is_whole, option
from cnncalc.lint.entries import removal, swap
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import count
from cnncalc.window import Window

#: Activations that never fall: the largest value stays the largest.
_RISING = frozenset(("relu", "relu6", "elu", "selu", "hardsigmoid", "sigmoid", "softplus"))


class PoolAfterPool(Rule):
    """A pool reads another one, and one pool would give the same.

    What it does: reports a maxpool that reads a maxpool alone, an avgpool that reads one
    whose windows do not overlap, and a global pool behind such a one of its kind, where the
    figures of the single pool are exact.

    Why it matters: a second pass over the map for nothing, and the window that a reader
    sees is not the one that decides.

    Bad:
        input: 16@32x32
        layers:
          - {maxpool: 2}
          - «{maxpool: 2}»

    Good:
        input: 16@32x32
        layers:
          - {maxpool: 4}

    Source: a maximum of maxima is the maximum over the union of their windows.
    """

    code = "O010"
    name = "pool-after-pool"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("maxpool", "avgpool", "globalmaxpool", "globalavgpool"):
            first = subject.source(layer)
            if first is None or first.kind not in ("maxpool", "avgpool"):
                continue
            if subject.reader(first) is not layer:
                continue
            if layer.kind == f"global{first.kind}" and _reads_all_once(subject, first):
                yield self.at(
                    subject,
                    layer,
                    f"pools all positions, so {first.name} before it changes nothing",
                    f"remove {first.name}",
                    fix=removal(subject, "remove the first pool", first),
                )
            elif layer.kind == first.kind and (one := _as_one(subject, first, layer)):
                kernels, strides = one
                yield self.at(
                    subject,
                    layer,
                    f"together with {first.name} a {layer.kind} of kernel {_text(kernels)} and "
                    f"stride {_text(strides)}",
                    f"write {{{layer.kind}: {_text(kernels, '[]')}, "
                    f"stride: {_text(strides, '[]')}}} for both",
                )


def _is_plain(window: Window) -> bool:
    return window.dilation == 1 and not window.ceil and window.before == window.after == 0


def _as_one(
    subject: Subject, first: LayerAnalysis, second: LayerAnalysis
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Kernel and stride of the pool that does what both do."""
    kernels, strides = [], []
    for a, b in zip(subject.windows(first), subject.windows(second), strict=True):
        # A gap between the first windows, or an overlap of means, is not one window.
        touching = a.stride <= a.kernel if first.kind == "maxpool" else a.stride == a.kernel
        if not (_is_plain(a) and _is_plain(b) and touching):
            return None
        if a.kernel == 1 or b.kernel == 1:
            return None  # what does nothing, or skips, is reported as that
        kernels.append(a.kernel + (b.kernel - 1) * a.stride)
        strides.append(a.stride * b.stride)
    return tuple(kernels), tuple(strides)


def _reads_all_once(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether the windows cover every position, and where means are taken, once."""
    for n, window in zip(layer.local.inputs[0].spatial, subject.windows(layer), strict=True):
        if not is_whole(n) or not _is_plain(window) or (n - window.kernel) % window.stride:
            return False
        if window.stride > window.kernel:
            return False
        if layer.kind == "avgpool" and window.stride != window.kernel:
            return False
    return True


def _text(values: tuple[int, ...], brackets: str = "") -> str:
    if len(set(values)) == 1:
        return str(values[0])
    if brackets:
        return f"[{', '.join(map(str, values))}]"
    return "x".join(map(str, values))


class ActivationBeforeMaxpool(Rule):
    """An activation runs on the whole map, and a max pool keeps a part of it.

    What it does: reports activations that never fall (relu, leakyrelu, sigmoid, tanh, ...)
    read by a max pool alone.

    Why it matters: the largest value stays the largest, so pooling first gives the same
    result and leaves the activation a fraction of the map: a quarter after a 2x2 pool.
    AlexNet and VGG are written the other way round, and compilers may swap them.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - «relu»
          - {maxpool: 2}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - {maxpool: 2}
          - relu

    Source: max(f(a), f(b)) = f(max(a, b)) for every f that never falls.
    """

    code = "O011"
    name = "activation-before-maxpool"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*_RISING, "leakyrelu", "tanh"):
            pool = subject.reader(layer)
            if pool is None or pool.kind not in MAX_POOLS or not _is_rising(layer):
                continue
            if not is_whole(layer.output.elements) or any(
                reader.kind == "maxunpool" for reader in subject.readers(pool)
            ):
                continue
            now, then = layer.output.elements, pool.output.elements
            if then >= now:
                continue
            yield self.at(
                subject,
                layer,
                f"runs on {count(now)} values, of which {pool.name} keeps {count(then)}",
                f"{layer.kind} after {pool.name} gives the same",
                fix=swap(subject, "pool first", layer, pool),
            )


def _is_rising(layer: LayerAnalysis) -> bool:
    if layer.kind == "leakyrelu":
        return bool(option(layer, "slope") >= 0)
    if layer.kind == "tanh":
        return bool(option(layer, "scale") * option(layer, "slope") >= 0)
    return layer.kind in _RISING
