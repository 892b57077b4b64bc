"""Inverse questions: which padding, stride, kernel, size gives what is wanted.

Every candidate is put into the network and judged by the same figures that any other
question is computed from, so that an answer outside the range that was tried is judged too.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cnncalc.analyses.analysis import analyze_partly
from cnncalc.errors import NotationError
from cnncalc.graph import Network
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import variants
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.figures import figure
from cnncalc.homework.key.showing import exact
from cnncalc.homework.model import Right
from cnncalc.homework.networks import Source, Unknown
from cnncalc.layers import KINDS, layer_class
from cnncalc.notation import Shape, parse_shape
from cnncalc.spec.models import is_symbolic

#: Values tried unless the part has a `range`, both ends included.
RANGES: Mapping[str, tuple[int, int]] = {
    "pad": (0, 15),
    "stride": (1, 15),
    "kernel": (1, 15),
    "dilation": (1, 15),
    "filters": (1, 1024),
    "input": (1, 512),
}
#: No longer range is tried, and no larger answer is put in.
MOST = 10_000
#: Layers computed for one question, values tried times layers of the network.
MOST_LAYERS = 100_000

#: Figures that `with` can want.
WANTED = ("parameters", "macs", "receptive_field", "features", "side", "height", "width", "flops")


def inverse(case: Case) -> Right:
    """The values that satisfy, and the test of any other; an expression where symbols are given."""
    network = case.network
    if network is not None and _symbolic(network):
        return _solved(case, _unknown(case), _target(case))
    first, last = _range(case)
    layers = len(case.network.layers) if case.network is not None else 0
    if (last - first + 1) * layers > MOST_LAYERS:
        raise AskError(
            f"{last - first + 1:,} values in a network of {layers:,} layers take too long to try",
            "narrow the range, or ask of a smaller network: range: [0, 4]",
        )
    satisfies = partial(_satisfies, case, _unknown(case), _target(case))
    found = tuple(value for value in range(first, last + 1) if satisfies(value))
    text = ", ".join(map(str, found[:12])) + (", ..." if len(found) > 12 else "")
    bounded = "range" in case.part.options

    def accepts(answer: Any) -> bool:
        """Whether every value given satisfies; with `all`, whether none is missing."""
        given = [exact(one) for one in (answer if isinstance(answer, list | tuple) else [answer])]
        if not all(type(one) is int for one in given):
            return False
        if case.part.options.get("all"):
            return set(given) == set(found)
        if not given:
            return not found
        return all(
            one in found
            or (not first <= one <= last and not bounded and one <= MOST and satisfies(one))
            for one in given
        )

    return Right("solutions", found, text or "no value", accepts)


def _symbolic(network: Network) -> bool:
    return any(shape.symbolic for shape in network.inputs.values()) or any(
        is_symbolic(value) for node in network.layers for value in vars(node.layer).values()
    )


def _solved(case: Case, unknown: Unknown, wanted: Mapping[str, Any]) -> Right:
    """The unknown in terms of the symbols, windows taken to fit."""
    import sympy

    from cnncalc.homework.key.showing import of_number

    x = sympy.Symbol("unknown", integer=True, nonnegative=True)
    network = _with(case, unknown, x)
    tried = Case(case.question, case.part, case.conventions)
    tried.__dict__.update(network=network)
    found = tried.layer.output
    goals = {"side": (wanted.get("side"),) * found.rank, "same": _input(network).spatial}
    if "output" in wanted:
        goals["output"] = wanted["output"].spatial
    asked = next((goals[name] for name in ("output", "same", "side") if name in wanted), ())
    for goal, extent in zip(asked, found.spatial, strict=False):
        equation = (extent - goal).replace(sympy.floor, lambda inner: inner)
        solutions = sympy.solve(equation, x) if equation.has(x) else []
        if len(solutions) == 1:
            return of_number(solutions[0])
    raise AskError(
        "it cannot be solved for the symbols that are given", "give `target`, or numbers"
    )


def _range(case: Case) -> tuple[int, int]:
    given = case.part.options.get("range", RANGES[case.part.ask])
    good = (
        isinstance(given, list | tuple) and len(given) == 2 and all(type(n) is int for n in given)
    )
    least = 0 if case.part.ask == "pad" else 1
    if not good or not least <= given[0] <= given[1] <= MOST:
        raise AskError(f"`range` must be two ends from {least} to {MOST:,}", "range: [0, 4]")
    return given[0], given[1]


def _unknown(case: Case) -> Unknown:
    """The `?` that is asked for."""
    source: Source | None = case.givens.network
    unknowns = source.unknowns if source is not None else ()
    ask = case.part.ask
    if len(unknowns) != 1:
        what = f"{len(unknowns)} things are" if unknowns else "nothing is"
        raise AskError(
            f"{what} unknown in the network, one has to be",
            "write '?' for what is asked: {conv: 1, kernel: 5, pad: '?'}",
        )
    found = unknowns[0]
    option = layer_class(found.option).main if found.option in KINDS else found.option
    if option != ask:
        raise AskError(f"the {option} is unknown, the {ask} is asked", f"ask: {option}")
    return found._replace(option=option)


def _target(case: Case) -> Mapping[str, Any]:
    """What is wanted: figures by name, `same` for the size of the input."""
    options = case.part.options
    wanted: dict[str, Any] = {}
    target = options.get("target")
    if target == "same":
        wanted["same"] = True
    elif isinstance(target, int) and not isinstance(target, bool):
        wanted["side"] = target
    elif isinstance(target, str):
        try:
            wanted["output"] = parse_shape(target)
        except NotationError as error:
            raise AskError(f"`target`: {error}", error.help) from None
    elif target is not None:
        raise AskError("`target` must be a shape, a side or `same`", "target: 16@32x32")
    if options.get("fits"):
        wanted["fits"] = True
    given = options.get("with", {})
    if not isinstance(given, Mapping) or not given.keys() <= set(WANTED):
        raise AskError("`with` must be figures with the values wanted", ", ".join(WANTED))
    wanted |= given
    if not wanted:
        raise AskError("nothing is wanted", "give `target: 1@16x16`, `fits: true` or `with`")
    return wanted


def _satisfies(case: Case, unknown: Unknown, wanted: Mapping[str, Any], value: int) -> bool:
    if value < (0 if unknown.option == "pad" else 1):
        return False
    network = _with(case, unknown, value)
    analysis, problems = analyze_partly(network)
    if problems:
        return False
    tried = Case(case.question, case.part, case.conventions)
    tried.__dict__.update(network=network, analysis=analysis)
    layer = tried.layer
    if (wanted.get("fits") or case.conventions.fit == "strict") and tried.misfits(layer):
        return False
    if "output" in wanted and layer.output != wanted["output"]:
        return False
    if wanted.get("same") and layer.output.spatial != _input(network).spatial:
        return False
    at_most = bool(case.part.options.get("at_most"))
    for name, goal in wanted.items():
        if name in WANTED:
            found = _figure(tried, name)
            if found is None or not (found <= goal if at_most else found == goal):
                return False
    return True


def _figure(tried: Case, name: str) -> Any:
    asked = Case(tried.question, replace(tried.part, ask=name), tried.conventions)
    asked.__dict__.update(network=tried.network, analysis=tried.analysis)
    of = tried.part.of[0] if tried.part.of else ""
    try:
        found = figure(asked, of).value
    except AskError:
        return None
    return found if isinstance(found, int) else None


def _input(network: Network) -> Shape:
    return next(iter(network.inputs.values()))


def _with(case: Case, unknown: Unknown, value: Any) -> Network:
    """The network with a value in place of the unknown."""
    network = case.network
    assert network is not None
    if unknown.entry is None:
        name = next(iter(network.inputs))
        shape = network.inputs[name]
        extents = [
            value if axis in unknown.axes else extent
            for axis, extent in enumerate((shape.channels, *shape.spatial))
        ]
        changed = Shape(extents[0], tuple(extents[1:]), shape.regions)
        return replace(network, inputs={**network.inputs, name: changed})
    return variants.with_layers(
        network,
        {
            index: variants.with_option(node.layer, **{unknown.option: value})
            for index, node in enumerate(network.nodes)
            if node.origin is unknown.entry and node.layer is not None
        },
    )
