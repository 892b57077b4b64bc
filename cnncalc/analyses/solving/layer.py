"""The unknowns of one layer, by trying every value in range.

The layers themselves judge each trial, so that an answer is right by the same
rule as `calc`: extents from `window.extent`, fit from `window.fit`, parameters
from the layer's weights. Filters alone are not tried one by one: parameters grow
with them, so they are found by halving.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from cnncalc.analyses.solving import convention
from cnncalc.analyses.solving.problem import (
    Problem,
    Range,
    SolveError,
    check,
    depends_on_geometry,
    size,
)
from cnncalc.errors import LayerError
from cnncalc.window import Fit, Window, extent, fit

#: Known values this far away are tried where there is no solution, in questions this small.
_NEARBY = 8
_SMALL_QUESTION = 100
_FARTHEST_PADDING = 16
#: Larger questions without a solution do not say what comes nearest: that takes long.
_NEAREST_AMONG = 50_000


class Solution(NamedTuple):
    """Values for the unknowns, and what they give.

    Attributes:
        output: spatial extents.
        lying: how the windows lie along each axis; empty where every input fits.
        parameters: None where channels or filters are not given.
    """

    values: dict[str, int]
    output: tuple[int, ...]
    lying: tuple[Fit, ...]
    parameters: int | None = None

    @property
    def exact(self) -> bool:
        """Whether the windows fit their input exactly along every axis."""
        return all(one.exact for one in self.lying)


class Instead(NamedTuple):
    """A way out where there is no solution: one given changed, and what then solves it."""

    option: str
    value: Any
    solution: Solution


class Answer(NamedTuple):
    """All solutions in range, the conventional one first.

    Attributes:
        reasons: why the first is conventional.
        nearest: what comes closest, where there is no solution.
        instead: changes of what is given that would allow one.
        note: why there can be none, where that is known.
    """

    problem: Problem
    solutions: tuple[Solution, ...]
    reasons: tuple[str, ...] = ()
    nearest: Solution | None = None
    instead: tuple[Instead, ...] = ()
    note: str = ""


def solve(problem: Problem) -> Answer:
    """Every solution of a question about one layer.

    Raises:
        SolveError: if it has no unknown, is too long, or contradicts itself.
    """
    check(problem)
    _refuse_contradictions(problem)
    errors: list[LayerError] = []
    found = _solutions(problem, errors)
    if found:
        return Answer(
            problem, tuple(found), convention.reasons(problem, found[0], alone=len(found) == 1)
        )
    nearest = None
    if size(problem)[1] <= _NEAREST_AMONG:
        nearest = min(
            (one for trial in _trials(problem, [], strict=False) for one in _any(problem, trial)),
            key=lambda one: (*_distance(problem, one), *convention.key(problem, one)),
            default=None,
        )
    note = _parity(problem)
    if nearest is None and errors:
        note = errors[0].describe(("input",))
    return Answer(problem, (), (), nearest, tuple(_instead(problem)), note)


def _solutions(problem: Problem, errors: list[LayerError]) -> list[Solution]:
    found = [
        one for trial in _trials(problem, errors, strict=True) for one in _filtered(problem, trial)
    ]
    return sorted(found, key=lambda one: convention.key(problem, one))


def _choices(problem: Problem, names: tuple[str, ...], chosen: dict[str, int]) -> Iterator[Any]:
    if not names:
        yield chosen
        return
    for value in problem.tried(names[0], chosen).values:
        yield from _choices(problem, names[1:], {**chosen, names[0]: value})


def _trials(problem: Problem, errors: list[LayerError], *, strict: bool) -> Iterator[Solution]:
    """What each combination but the filters gives; with `strict` only those that are wanted."""
    names = tuple(name for name in problem.unknowns if name not in ("input", "filters"))
    sizes = problem.tried("input", {}) if "input" in problem.ranges else Range(1, 1)
    wanted = problem.target.receptive_field
    for chosen in _choices(problem, names, {}):
        if strict and wanted is not None and problem.span(chosen) != wanted:
            continue
        try:
            yield from _sizes(problem, chosen, sizes, strict)
        except LayerError as error:
            errors.append(error)


def _sizes(
    problem: Problem, chosen: dict[str, int], sizes: Range, strict: bool
) -> Iterator[Solution]:
    """What each input size gives, with the other options chosen."""
    layer, target = problem.layer(chosen), problem.target
    largest = problem.shape(sizes.last)
    layer.output((largest,))  # raises what no smaller input would mend
    windows = layer.windows((largest,))
    sliding = layer.fits and problem.option("pad", chosen) != "same"
    tried = sizes.values
    if strict and sliding and None in problem.spatial and isinstance(target.output, tuple):
        axis = problem.spatial.index(None)
        tried = _giving(tried, target.output[axis], windows[axis])
    for extent_in in tried:
        shape = problem.shape(extent_in)
        if sliding:
            output = tuple(map(extent, shape.spatial, windows))
            if min(output) < 1:
                continue
        else:
            try:
                output = layer.output((shape,)).spatial
            except LayerError:
                continue
            windows = layer.windows((shape,))
        goal = shape.spatial if target.output == "same" else target.output
        if strict and goal is not None and output != goal:
            continue
        lying = tuple(map(fit, shape.spatial, windows)) if layer.fits else ()
        if strict and target.fits and not all(one.exact for one in lying):
            continue
        values = {**chosen, "input": extent_in} if "input" in problem.ranges else chosen
        yield Solution(values, output, lying)


def _giving(sizes: range, output: int, window: Window) -> range:
    """The input sizes with an output extent, which grows with them: by halving."""

    def outputs(size: int) -> int:
        return int(extent(size, window))

    first = bisect_left(sizes, output, key=outputs)
    return sizes[first : bisect_right(sizes, output, lo=first, key=outputs)]


def _filtered(problem: Problem, trial: Solution) -> Iterator[Solution]:
    """The trial with every number of filters that is wanted."""
    target = problem.target
    if "filters" not in problem.ranges:
        parameters = problem.parameters(trial.values)
        if _paid(problem, parameters):
            yield trial._replace(parameters=parameters)
        return
    for filters in _filters(problem, trial):
        values = {**trial.values, "filters": filters}
        parameters = problem.parameters(values)
        if _paid(problem, parameters) and target.channels in (None, filters):
            yield trial._replace(values=values, parameters=parameters)


def _filters(problem: Problem, trial: Solution) -> range:
    """The numbers of filters worth a look: parameters grow with them."""
    groups, tried = problem.groups, problem.tried("filters", {})
    every = range(-(-tried.first // groups) * groups, tried.last + 1, groups)
    target = problem.target
    if target.channels is not None:
        return range(target.channels, target.channels + (target.channels in every))
    wanted = target.parameters
    if wanted is None:
        return every

    def cost(filters: int) -> int:
        return problem.parameters({**trial.values, "filters": filters}) or 0

    last = bisect_right(every, wanted, key=cost)
    # Of a budget only the most is listed: fewer filters are within it too.
    first = last - 1 if target.at_most else bisect_left(every, wanted, key=cost)
    return every[max(first, 0) : last]


def _any(problem: Problem, trial: Solution) -> Iterator[Solution]:
    """The trial with the numbers of filters next to what is wanted, met or not."""
    if "filters" not in problem.ranges:
        yield trial._replace(parameters=problem.parameters(trial.values))
        return
    groups, tried = problem.groups, problem.tried("filters", {})
    every = range(-(-tried.first // groups) * groups, tried.last + 1, groups)
    wanted = problem.target.parameters

    def cost(filters: int) -> int:
        return problem.parameters({**trial.values, "filters": filters}) or 0

    above = bisect_left(every, wanted or 0, key=cost)
    for filters in every[max(above - 1, 0) : above + 1]:
        values = {**trial.values, "filters": filters}
        yield trial._replace(values=values, parameters=problem.parameters(values))


def _paid(problem: Problem, parameters: int | None) -> bool:
    wanted = problem.target.parameters
    if wanted is None:
        return True
    if parameters is None:
        return False
    return parameters <= wanted if problem.target.at_most else parameters == wanted


def _distance(problem: Problem, one: Solution) -> tuple[int, ...]:
    """How far a trial is from what is wanted: first in how many respects, then how much."""
    target = problem.target
    goal = target.output
    if goal == "same":
        goal = problem.shape(one.values.get("input", 1)).spatial
    off = sum(abs(a - b) for a, b in zip(one.output, goal, strict=True)) if goal else 0
    unfit = sum(lying.unread + lying.overhang for lying in one.lying) if target.fits else 0
    field = target.receptive_field
    span = abs(problem.span(one.values) - field) if field is not None else 0
    paid = _paid(problem, one.parameters)
    cost = 0 if paid else abs((one.parameters or 0) - (target.parameters or 0))
    return sum(part != 0 for part in (off, unfit, span, cost)), off, unfit, span, cost


def _refuse_contradictions(problem: Problem) -> None:
    """Refuse givens that are wrong whatever the unknowns are."""
    target = problem.target
    if target.geometric and not depends_on_geometry(problem):
        sized = replace(problem, target=target._replace(receptive_field=None))
        errors: list[LayerError] = []
        trial = next(_trials(sized, errors, strict=False), None)
        if trial is None or next(_trials(sized, [], strict=True), None) is None:
            gives = "no output at all"
            if trial is not None:
                sizes = dict.fromkeys(trial.output)
                gives = "x".join(map(str, sizes if len(sizes) == 1 else trial.output))
            if trial is not None and target.fits and not trial.exact:
                gives += ", which does not fit exactly"
            raise SolveError(
                f"the givens contradict each other: they give {gives}",
                "write '?' for one of the input, kernel, stride or padding",
            )
    field = target.receptive_field
    fixed = not {"kernel", "dilation"} & {*problem.ranges}
    if field is not None and fixed and (span := problem.span({})) != field:
        raise SolveError(
            f"the givens contradict each other: the kernel spans {span}, not {field}",
            "write '?' for the kernel or the dilation",
        )
    fixed = not {"kernel", "filters"} & {*problem.ranges}
    if fixed and not _paid(problem, parameters := problem.parameters({})):
        more = "at most " if target.at_most else ""
        raise SolveError(
            f"the givens contradict each other: there are {parameters:,} parameters, "
            f"not {more}{target.parameters:,}",
            "write '?' for the filters or the kernel",
        )


def _parity(problem: Problem) -> str:
    """Why no padding fits: equal padding on both sides adds an even number."""
    if problem.unknowns != ("pad",) or not problem.target.fits:
        return ""
    stride = problem.option("stride", {})
    sizes = {n for n in problem.spatial if n is not None}
    if not isinstance(stride, int) or stride % 2 or len(sizes) != 1:
        return ""
    room = sizes.pop() - problem.span({})
    return (
        f"{room} + 2*pad is odd for every pad, and the stride {stride} is even" if room % 2 else ""
    )


def _instead(problem: Problem) -> Iterator[Instead]:
    """One given changed as little as possible, so that there is a solution."""
    if size(problem)[1] > _SMALL_QUESTION:
        return
    yield from _other_inputs(problem)
    for name in ("kernel", "stride"):
        known = problem.options.get(name)
        if isinstance(known, int):
            for changed in _around(known):
                options = {**problem.options, name: changed}
                found = _solutions(replace(problem, options=options), [])
                if found:
                    yield Instead(name, changed, found[0])
                    break
    yield from _uneven_padding(problem)


def _other_inputs(problem: Problem) -> Iterator[Instead]:
    sizes = {*problem.spatial}
    known = sizes.pop()
    if sizes or known is None:
        return
    for below in (True, False):
        for changed in _around(known):
            if (changed < known) == below:
                spatial = (changed,) * len(problem.spatial)
                found = _solutions(replace(problem, spatial=spatial), [])
                if found:
                    yield Instead("input", changed, found[0])
                    break


def _uneven_padding(problem: Problem) -> Iterator[Instead]:
    """Padding that is one more after than before, as TensorFlow's SAME has it."""
    if "pad" not in problem.ranges:
        return
    ranges = {name: tried for name, tried in problem.ranges.items() if name != "pad"}
    half = problem.span({name: 3 for name in ("kernel", "dilation") if name in ranges}) - 1
    # The padding of half the window first, which keeps the map's size and centre.
    befores = sorted(range(_FARTHEST_PADDING), key=lambda before: abs(2 * before + 1 - half))
    for before in befores:
        pad = ((before, before + 1),) * len(problem.spatial)
        options = {**problem.options, "pad": pad}
        found = _solutions(replace(problem, ranges=ranges, options=options), [])
        if found:
            yield Instead("pad", (before, before + 1), found[0])
            return


def _around(value: int) -> list[int]:
    """Values close to one, the closest first."""
    near = range(max(value - _NEARBY, 1), value + _NEARBY + 1)
    return sorted((one for one in near if one != value), key=lambda one: (abs(one - value), one))
