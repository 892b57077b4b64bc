"""Receptive fields against brute force: which input positions reach which output units.

The oracle runs a random network on sets: every position of every layer holds the
set of input positions that it depends on, taken together tap by tap as each
operation is defined, with the real borders. It shares no arithmetic with the
package: window placements are enumerated, transposed convolutions scatter, and
interpolation weighs its neighbours.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cnncalc

Positions = list[frozenset[int]]
Layer = tuple[str, Callable[[Positions], Positions | None]]

#: Wide enough that its middle units see no border through the few layers drawn.
WIDE = 64


def sliding(
    positions: Positions, kernel: int, stride: int, before: int, after: int, gap: int, ceil: bool
) -> Positions | None:
    """Every window that fits, or starts before the end where `ceil` rounds up."""
    extent = len(positions)
    padded = [frozenset()] * before + positions + [frozenset()] * after
    span = gap * (kernel - 1) + 1
    found = []
    start = 0
    while start + span <= len(padded) or (
        ceil
        and start < before + extent
        and start < len(padded)
        and len(padded) - (start - stride) > span
    ):
        taps = [start + gap * tap for tap in range(kernel)]
        found.append(frozenset().union(*(padded[tap] for tap in taps if tap < len(padded))))
        start += stride
    return found or None


def scattering(
    positions: Positions, kernel: int, stride: int, pad: int, gap: int, more: int
) -> Positions | None:
    """Each input is spread over one kernel; the padding is cut off."""
    extent = (len(positions) - 1) * stride - 2 * pad + gap * (kernel - 1) + 1 + more
    if extent < 1:
        return None
    found: list[set[int]] = [set() for _ in range(extent)]
    for index, sees in enumerate(positions):
        for tap in range(kernel):
            lands = index * stride - pad + gap * tap
            if 0 <= lands < extent:
                found[lands] |= sees
    return list(map(frozenset, found))


def interpolating(positions: Positions, scale: int, corners: bool) -> Positions:
    """Linear interpolation: the neighbours on both sides, those of weight 0 left out."""
    n, m = len(positions), len(positions) * scale
    found = []
    for index in range(m):
        if corners:
            place = Fraction(index * (n - 1), m - 1) if m > 1 else Fraction(0)
        else:
            place = max(Fraction(2 * index + 1, 2 * scale) - Fraction(1, 2), Fraction(0))
        left = min(math.floor(place), n - 1)
        right = min(left + 1, n - 1)
        weight = place - left
        found.append(positions[left] | (positions[right] if weight else frozenset()))
    return found


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """One layer of a chain: its line in a spec, and what it does to the sets."""
    kind = draw(
        st.sampled_from(
            [
                *["conv"] * 3,
                *["maxpool", "convtranspose", "nearest", "nails", "linear", "corners"],
                *["zeropad", "adaptive", "global", "relu"],
            ]
        )
    )
    kernel, stride, gap = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    if kind == "conv":
        before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        text = (
            f"{{conv: 1, kernel: {kernel}, stride: {stride}, pad: [[{before}, {after}]], "
            f"dilation: {gap}}}"
        )
        return text, lambda p: sliding(p, kernel, stride, before, after, gap, False)
    if kind == "maxpool":
        pad, ceil = draw(st.integers(0, kernel - 1)), draw(st.booleans())
        text = f"{{maxpool: {kernel}, stride: {stride}, pad: {pad}, ceil: {str(ceil).lower()}}}"
        return text, lambda p: sliding(p, kernel, stride, pad, pad, 1, ceil)
    if kind == "convtranspose":
        pad = draw(st.integers(0, 2))
        more = draw(st.integers(0, max(stride, gap) - 1))
        text = (
            f"{{convtranspose: 1, kernel: {kernel}, stride: {stride}, pad: {pad}, "
            f"dilation: {gap}, output_padding: {more}}}"
        )
        return text, lambda p: scattering(p, kernel, stride, pad, gap, more)
    if kind == "nearest":
        return f"{{upsample: {stride}}}", lambda p: [one for one in p for _ in range(stride)]
    if kind == "nails":
        nails = [frozenset()] * (stride - 1)
        return f"{{upsample: {stride}, mode: nails}}", lambda p: [
            q for one in p for q in (one, *nails)
        ]
    if kind in ("linear", "corners"):
        corners = kind == "corners"
        text = f"{{upsample: {stride}, mode: bilinear, align_corners: {str(corners).lower()}}}"
        return text, lambda p: interpolating(p, stride, corners)
    if kind == "zeropad":
        before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        empty = frozenset()
        return (
            f"{{zeropad: [[{before}, {after}]]}}",
            lambda p: [empty] * before + p + [empty] * after,
        )
    if kind == "adaptive":
        return (
            f"{{adaptiveavgpool: {kernel}}}",
            lambda p: [
                frozenset().union(
                    *p[math.floor(i * len(p) / kernel) : math.ceil((i + 1) * len(p) / kernel)]
                )
                for i in range(kernel)
            ],
        )
    if kind == "global":
        return "globalmaxpool", lambda p: [frozenset().union(*p)]
    return "relu", lambda p: p


def seen(network: cnncalc.Network, axis: int = 0) -> list[frozenset[int]]:
    """What the package says that each unit of the last layer sees."""
    from cnncalc.analyses.reachability import seen_positions

    return [frozenset(one) for one in seen_positions(network, len(network.nodes) - 1, axis)]


def spec(extent: int, lines: list[str]) -> str:
    """A 1-D spec of these layers."""
    return "\n".join([f"input: 1@{extent}", "layers:", *(f"  - {line}" for line in lines)])


@settings(
    max_examples=1200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.lists(layers(), min_size=1, max_size=6), st.integers(1, 13))
def test_chains_see_exactly_what_brute_force_says(chain: list[Layer], extent: int) -> None:
    positions: Positions | None = [frozenset({index}) for index in range(extent)]
    for _, work in chain:
        positions = work(positions) if positions else None
    text = spec(extent, [line for line, _ in chain])
    network = cnncalc.loads(text)
    if not positions:
        try:
            cnncalc.analyze(network)
        except cnncalc.SpecError:
            return
        raise AssertionError("a window that does not exist was accepted")
    assert seen(network) == positions


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], Callable[[Positions], Positions | None]]:
    """A small DAG: chains, and additions of two branches of equal extent."""
    lines: list[str] = []
    works: list[Callable[[Positions], Positions | None]] = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            line, work = draw(layers())
            lines.append(line)
            works.append(work)
            continue
        branches = []
        for _ in range(2):
            kernel, gap = draw(st.sampled_from([(1, 1), (3, 1), (3, 2), (5, 1)]))
            span = gap * (kernel - 1) + 1
            stride = draw(st.sampled_from([1, 2]))
            shift = draw(st.integers(0, span - 1)) if span > 1 else 0
            branches.append((kernel, gap, shift, span - 1 - shift, stride))
        strides = {stride for *_, stride in branches}
        if len(strides) == 2:  # one shape all the same: stride both
            branches = [(*rest, 2) for *rest, _ in branches]
        texts = [
            f"[{{conv: 1, kernel: {k}, dilation: {g}, pad: [[{b}, {a}]], stride: {s}}}]"
            for k, g, b, a, s in branches
        ]
        lines.append(f"add: [{', '.join(texts)}]")

        def join(positions: Positions, branches=tuple(branches)) -> Positions | None:
            parts = [sliding(positions, k, s, b, a, g, False) for k, g, b, a, s in branches]
            if any(part is None for part in parts):
                return None
            return [one | other for one, other in zip(*parts, strict=True)]

        works.append(join)

    def run(positions: Positions) -> Positions | None:
        current: Positions | None = positions
        for work in works:
            current = work(current) if current else None
        return current

    return lines, run


@settings(
    max_examples=900, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(graphs(), st.integers(3, 13))
def test_graphs_see_exactly_what_brute_force_says(graph, extent: int) -> None:
    lines, run = graph
    positions = run([frozenset({index}) for index in range(extent)])
    network = cnncalc.loads(spec(extent, lines))
    if not positions:
        return  # refused, as the test of the chains shows
    assert seen(network) == positions


@settings(
    max_examples=900, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(graphs())
@example((["{upsample: 2}", "{conv: 1, kernel: 4}"], None))
def test_fields_are_the_hulls_of_units_away_from_the_borders(graph) -> None:
    lines, run = graph
    if run is None:
        run = lambda p: sliding([one for one in p for _ in range(2)], 4, 1, 0, 0, 1, False)  # noqa: E731
    positions = run([frozenset({index}) for index in range(WIDE)])
    analysis = cnncalc.analyze(cnncalc.loads(spec(WIDE, lines)))
    (axis,) = analysis.layers[-1].receptive_field.axes
    assert positions is not None
    sizes = []
    for unit, sees in enumerate(positions):
        field = axis.unit(unit)
        # Units whose field lies within the input, with room for the padding on the way.
        if field is None or field[0] < 16 or field[1] >= WIDE - 16:
            continue
        if sees:
            assert field == (min(sees), max(sees))
            sizes.append(field[1] - field[0] + 1)
    if sizes and axis.stride:
        assert max(sizes) <= axis.size


def test_two_axes_are_followed_apart() -> None:
    text = (
        "input: 1@9x14\nlayers:\n"
        "  - {conv: 1, kernel: [3, 5], stride: [2, 1], pad: [1, 0]}\n"
        "  - {convtranspose: 1, kernel: [2, 3], stride: [1, 2]}\n"
    )
    network = cnncalc.loads(text)
    rows: Positions | None = [frozenset({index}) for index in range(9)]
    columns: Positions | None = [frozenset({index}) for index in range(14)]
    rows = scattering(sliding(rows, 3, 2, 1, 1, 1, False) or [], 2, 1, 0, 1, 0)
    columns = scattering(sliding(columns, 5, 1, 0, 0, 1, False) or [], 3, 2, 0, 1, 0)
    assert seen(network, 0) == rows
    assert seen(network, 1) == columns
