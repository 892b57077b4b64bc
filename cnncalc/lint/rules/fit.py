"""Windows that do not fit their input: what they never read."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.rule import Rule
from cnncalc.lint.sliding import Axis, each
from cnncalc.lint.subject import Subject
from cnncalc.window import Fit, Window, fit, fitting_extents, fitting_paddings

#: Alternatives that are tried for a help line.
_MOST_TRIED = 1000


Misfits = list[tuple[Axis, Fit]]


def misfits(subject: Subject) -> list[tuple[LayerAnalysis, Misfits]]:
    """The layers with windows that leave a remainder unread, along which axes and how.

    Windows further apart than they are wide skip ``stride - span`` positions
    between each other anyway; as many at the end are no misfit.
    """
    return list(each(subject, _misfits))


def _misfits(layer: LayerAnalysis, axes: list[Axis]) -> Misfits | None:
    found = []
    for axis in axes:
        window = axis.window
        if window.stride > 1 and not window.ceil:
            lying = fit(axis.n, window)
            if lying.unread > max(window.stride - window.span, 0):
                found.append((axis, lying))
    return found or None


class FloorDropsPixels(Rule):
    """A window that does not fit leaves rows or columns of its input unread.

    What it does: reports convolutions and pools whose stride does not divide
    (n + padding - window), where the remainder holds real input, not padding.

    Why it matters: the output is rounded down in silence. Pixels at the bottom and
    right edge have no influence and get no gradient, and the padding that seemed
    symmetric is not. CS231n's notes call such a setting invalid.

    Bad:
        input: 3@224x224
        layers:
          - {conv: 96, kernel: 11, stride: «4»}

    Good:
        input: 3@227x227
        layers:
          - {conv: 96, kernel: 11, stride: 4}

    Source: CS231n, "Convolutional networks", constraints on strides.
    """

    code = "F001"
    name = "floor-drops-pixels"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, found in subject.once(misfits):
            lost = [(axis, lying) for axis, lying in found if lying.unread_pixels]
            if lost:
                yield self.at(
                    subject,
                    layer,
                    _what_is_lost(layer, lost),
                    _what_would_fit(lost[0][0]),
                    "stride",
                )


class FloorDropsPadding(Rule):
    """A window that does not fit leaves only padding unread.

    What it does: reports convolutions and pools whose stride does not divide
    (n + padding - window), where the remainder is padding alone.

    Why it matters: nothing is lost, but the padding that takes part is not the
    same on both sides: the stem of ResNet uses 3 rows above and 2 below.

    Bad:
        input: 3@224x224
        layers:
          - {conv: 64, kernel: 7, stride: «2», pad: 3}

    Good:
        input: 3@224x224
        layers:
          - {conv: 64, kernel: 7, stride: 2, pad: [[3, 2], [3, 2]]}

    Source: CS231n, "Convolutional networks"; receptive-field alignment in Araujo et al. 2019.
    """

    code = "F002"
    name = "floor-drops-padding"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, found in subject.once(misfits):
            if not any(lying.unread_pixels for _, lying in found):
                parts = [_positions(lying.unread, axis) for axis, lying in found]
                total = sum(lying.unread for _, lying in found)
                axis, lying = found[0]
                window = axis.window
                used = max(window.after - lying.unread, 0)
                yield self.at(
                    subject,
                    layer,
                    f"{_does_not_fit(axis)}: "
                    f"{' and '.join(parts)} of padding at the end {_is(total)} never read",
                    f"no pixel is lost; the padding that is read is {window.before} before and "
                    f"{used} after",
                    "stride",
                )


def _what_is_lost(layer: LayerAnalysis, lost: Misfits) -> str:
    parts = [_positions(lying.unread_pixels, axis) for axis, lying in lost]
    total = sum(lying.unread_pixels for _, lying in lost)
    return (
        f"{_does_not_fit(lost[0][0])}: "
        f"the last {' and '.join(parts)} of its input {layer.local.inputs[0]} "
        f"{_is(total)} never read"
    )


def _what_would_fit(axis: Axis) -> str:
    n, window = axis.n, axis.window
    below, above = fitting_extents(n, window)
    ways = [f"an input of {below} or {above}" if below >= 1 else f"an input of {above}"]
    # One padding in a stride's worth fits, if any: no need to try a huge window's all.
    most = min(window.span - 1, 2 * window.stride, _MOST_TRIED)
    paddings = [pad for pad in fitting_paddings(n, window, most) if pad != window.before]
    if paddings:
        ways.append(f"padding {' or '.join(map(str, paddings[:3]))}")
    kernels = [
        kernel
        for kernel in range(max(window.kernel - 3, 1), window.kernel + 4)
        if (room := n + window.before + window.after - window._replace(kernel=kernel).span) >= 0
        and room % window.stride == 0
    ]
    if kernels:
        nearest = min(kernels, key=lambda kernel: (abs(kernel - window.kernel), kernel))
        ways.append(f"a kernel of {nearest}")
    return "these would fit: " + ", ".join(ways)


def _does_not_fit(axis: Axis) -> str:
    window = axis.window
    return f"the stride {window.stride} does not fit {_padded(axis.n, window)} - {window.span}"


def _padded(n: int, window: Window) -> str:
    if window.before == window.after == 0:
        return str(n)
    if window.before == window.after:
        return f"{n} + 2*{window.before}"
    return f"{n} + {window.before} + {window.after}"


def _positions(number: int, axis: Axis) -> str:
    names = {"height": "row", "width": "column", "length": "position", "depth": "slice"}
    word = names.get(axis.name, "position")
    return f"{number} {word}{'s' if number > 1 else ''}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
