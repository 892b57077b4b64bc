"""Answers to inverse questions, as text."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

from cnncalc.analyses.solving.layer import Answer, Instead, Solution
from cnncalc.analyses.solving.network import NEEDS, Examined, NetworkAnswer
from cnncalc.analyses.solving.problem import Problem
from cnncalc.analyses.solving.stack import Depth, StackAnswer, field_of
from cnncalc.notation import approximate, count
from cnncalc.spec.document import printable
from cnncalc.window import Fit

_WIDTH = 80
_FITS = ("every window fits exactly", "no pixel is lost", "pixels are lost", "it does not work")


def layer_text(answer: Answer, shown: int) -> str:
    """A layer's unknowns: the question, the solutions in order, why the first comes first."""
    problem, found = answer.problem, answer.solutions
    facts = [("layer", _layer_line(problem)), ("wanted", _wanted_line(problem))]
    facts.append(("tried", ", ".join(_tried(problem))))
    lines = [*_facts(facts), ""]
    if not found:
        lines += _wrapped("no solution" + (f": {answer.note}" if answer.note else ""))
        if answer.nearest is not None or answer.instead:
            lines.append("")
        ways: list[tuple[str, str]] = []
        if answer.nearest is not None:
            ways.append(("nearest", _one_line(problem, answer.nearest)))
        ways += [
            ("" if index else "instead", _instead_line(way))
            for index, way in enumerate(answer.instead)
        ]
        return _joined([*lines, *_facts(ways)])
    lines += [_tally(len(found), "the conventional one first"), ""]
    lines += _table(_header(problem, found), (_cells(problem, one, found) for one in found[:shown]))
    lines += _more(len(found), shown)
    closing = list(answer.reasons)
    if step := _progression(found):
        closing.append(step)
    if problem.target.at_most and "filters" in problem.ranges:
        closing.append("fewer filters are within the budget too")
    return _joined([*lines, "", *(line for text in closing for line in _wrapped(text))])


def stack_text(answer: StackAnswer, shown: int) -> str:
    """How deep a stack must be."""
    stack, found = answer.stack, answer.solutions
    names = ("layers", "kernel", "stride", "dilation")
    given = ", ".join(f"{name} {stack.given.get(name, '?')}" for name in names)
    growth = f", dilation times {stack.growth} from layer to layer" if stack.growth > 1 else ""
    reach = "exactly" if stack.exact else "at least"
    tried = ", ".join(f"{name} {stack.ranges[name]}" for name in stack.unknowns)
    lines = _facts(
        [
            ("stack", given + growth),
            ("wanted", f"a receptive field of {reach} {stack.field}"),
            ("tried", tried),
        ]
    )
    lines.append("")
    if not found:
        alone = stack.given.get("kernel") == 1
        lines.append("no solution" + (": a window of 1 sees one position at any depth" * alone))
        if answer.nearest is not None and not alone:
            lines += ["", *_facts([("nearest", _depth_line(answer.nearest))])]
        return _joined(lines)
    first = stack.unknowns[0]
    smallest = "the fewest layers" if first == "layers" else f"the smallest {first}"
    each = f"{smallest} for each combination" if len(stack.unknowns) > 1 else smallest
    lines += [_tally(len(found), f"{each}, the conventional one first", one=each), ""]
    rows = ([*map(str, one.values.values()), _number(one.field)] for one in found[:shown])
    lines += [*_table([*stack.unknowns, "field"], rows), *_more(len(found), shown)]
    return _joined([*lines, "", *_wrapped(_weights_line(answer, found[0]))])


def network_text(answer: NetworkAnswer) -> str:
    """Which input sizes fit a network."""
    network = answer.network
    inputs = ", ".join(
        (f"{printable(name)} " if len(network.inputs) > 1 else "") + str(shape)
        for name, shape in network.inputs.items()
    )
    together = " and ".join(answer.axes) + (" together" if len(answer.axes) > 1 else "")
    of = f" of {', '.join(map(printable, answer.inputs))}" if len(network.inputs) > 1 else ""
    facts = [
        ("network", f"{printable(network.title or network.name)}, input {inputs}"),
        ("varied", f"{together}{of}, {answer.tried}"),
    ]
    lines = [*_facts(facts), ""]
    total = len(answer.tried.values)
    rows = []
    for need in NEEDS:
        sizes = answer.sizes[need]
        rows.append((need, f"{len(sizes):,} of {total:,}: " + (_ranges(sizes) or "none")))
        pattern = answer.patterns.get(need)
        if pattern is not None and pattern.period > 1:
            first = ", ".join(map(str, pattern.first[:6])) + (
                ", ..." if len(pattern.first) > 6 else ""
            )
            rows.append(
                ("", f"{first} + {pattern.period}k (seen to repeat from {pattern.checked})")
            )
        if near := answer.neighbours.get(need):
            rows.append(("", f"the nearest: {' and '.join(map(str, near))}"))
    lines += [*_facts(rows), ""]
    if answer.own is not None:
        lines += _wrapped(_own_line(answer.own))
    if answer.resized:
        names = ", ".join(map(printable, answer.resized[:4]))
        more = ", ..." if len(answer.resized) > 4 else ""
        lines += _wrapped(f"weights that depend on the size: {names}{more}")
    lines += _wrapped(
        "exact: every window divides its input; no-loss: it leaves padding over at most; "
        "works: every layer can be applied"
    )
    return _joined(lines)


def _layer_line(problem: Problem) -> str:
    sizes = "x".join("?" if n is None else str(n) for n in problem.spatial)
    shape = sizes if problem.channels is None else f"{problem.channels}@{sizes}"
    parts = [f"{problem.kind} on {shape}"]
    for name in problem.model.__dataclass_fields__:
        if name in problem.ranges:
            parts.append(f"{_label(name)} ?")
        elif name in problem.options:
            parts.append(f"{_label(name)} {_value(problem.options[name])}")
    return ", ".join(parts)


def _wanted_line(problem: Problem) -> str:
    target, parts = problem.target, []
    if target.output == "same":
        parts.append("the output as large as the input")
    elif target.output is not None:
        sizes = "x".join(map(str, target.output))
        channels = problem.options.get("filters", target.channels)
        parts.append(f"output {sizes if target.channels is None else f'{channels}@{sizes}'}")
    if target.fits:
        parts.append("an exact fit")
    if target.parameters is not None:
        most = "at most " if target.at_most else ""
        parts.append(f"{most}{count(target.parameters)} parameters")
    if target.receptive_field is not None:
        parts.append(f"a window that spans {target.receptive_field}")
    return ", ".join(parts)


def _tried(problem: Problem) -> Iterable[str]:
    for name in problem.unknowns:
        given = problem.ranges[name]
        varies = {"kernel", "dilation", "stride"} & {*problem.ranges}
        if given is None and varies:
            most = "the window" if name == "pad" else "the stride or dilation"
            yield f"{_label(name)} 0 to less than {most}"
        else:
            yield f"{_label(name)} {problem.tried(name, {})}"


def _header(problem: Problem, found: Sequence[Solution]) -> list[str]:
    costs = ["parameters"] if found[0].parameters else []
    fits = ["fit"] if found[0].lying else []
    return [*map(_label, found[0].values), "output", *costs, *fits]


def _cells(problem: Problem, one: Solution, found: Sequence[Solution]) -> list[str]:
    costs = [count(one.parameters)] if found[0].parameters and one.parameters else []
    fits = [_fit(one.lying)] if found[0].lying else []
    return [*map(str, one.values.values()), _sizes(one.output), *costs, *fits]


def _one_line(problem: Problem, one: Solution) -> str:
    wanted = problem.target
    text = f"{_choice(one)}: output {_sizes(one.output)}"
    if one.lying:
        text += f", {_fit(one.lying)}"
    if wanted.parameters is not None and one.parameters is not None:
        text += f", {count(one.parameters)} parameters"
    if wanted.receptive_field is not None:
        text += f", spans {problem.span(one.values)}"
    return text


def _instead_line(way: Instead) -> str:
    if way.option == "pad":
        before, after = way.value
        changed = f"pad {before} before and {after} after"
    else:
        changed = f"{way.option} {way.value}"
    chosen = _choice(way.solution)
    text = f"{changed}, {chosen}" if chosen else changed
    return f"{text}: output {_sizes(way.solution.output)}"


def _choice(one: Solution) -> str:
    return ", ".join(f"{_label(name)} {value}" for name, value in one.values.items())


def _fit(lying: Sequence[Fit]) -> str:
    """How windows lie, in words; the axes are told apart where they differ."""
    return " / ".join(dict.fromkeys(map(_axis_fit, lying)))


def _axis_fit(lying: Fit) -> str:
    if lying.exact:
        return "exact"
    if lying.overhang:
        return f"overhangs by {lying.overhang}"
    pixels, padding = lying.unread_pixels, lying.unread - lying.unread_pixels
    parts = [f"{pixels} pixel{'s' if pixels > 1 else ''}"] if pixels else []
    return " and ".join([*parts, *([f"{padding} of padding"] if padding else [])]) + " unread"


def _progression(found: Sequence[Solution]) -> str:
    """Input sizes in one sentence, where they are equally spaced."""
    if set(found[0].values) != {"input"} or len(found) < 3:
        return ""
    sizes = sorted(one.values["input"] for one in found)
    step = sizes[1] - sizes[0]
    if any(b - a != step for a, b in pairwise(sizes)):
        return ""
    return f"input = {sizes[0]} + {step}k, up to {sizes[-1]}" if step > 1 else ""


def _weights_line(answer: StackAnswer, one: Depth) -> str:
    """What the stack costs against one layer of the same field, for 2-D maps of C channels."""
    stack = answer.stack
    values = {**stack.given, **one.values}
    layers, kernel = values["layers"], values["kernel"]
    if field_of(layers, kernel) != one.field:
        return "field = 1 + dilation*(kernel-1)*(1 + q + q^2 + ...), q = stride*growth, a term each"
    return (
        f"field = 1 + {layers}*({kernel}-1) = {one.field}; with C maps throughout, in 2-D: "
        f"{count(layers * kernel**2)}*C^2 weights, against {_number(one.field**2)}*C^2 of one "
        f"{one.field}x{one.field}"
    )


def _depth_line(one: Depth) -> str:
    return (
        ", ".join(f"{name} {value}" for name, value in one.values.items())
        + f": a field of {_number(one.field)}"
    )


def _own_line(own: Examined) -> str:
    text = f"at {own.size}: {_FITS[own.level]}"
    if own.error:
        return f"{text}: {printable(own.error, 200)}"
    if not own.misfits:
        return text
    lossy = [one.layer for one in own.misfits if own.level == 2 and one.pixels]
    named = lossy or [one.layer for one in own.misfits]
    shown = ", ".join(map(printable, named[:3])) + (", ..." if len(named) > 3 else "")
    plural = "s do" if len(named) > 1 else " does"
    return f"{text}, but {len(named)} layer{plural} not fit exactly: {shown}"


def _ranges(sizes: Sequence[int]) -> str:
    """Sizes in short: ``200 to 256, 260``; at most eight stretches."""
    stretches: list[list[int]] = []
    for size in sizes:
        if stretches and size == stretches[-1][1] + 1:
            stretches[-1][1] = size
        else:
            stretches.append([size, size])
    texts = [str(a) if a == b else f"{a} to {b}" for a, b in stretches]
    return ", ".join(texts if len(texts) <= 8 else [*texts[:6], "...", texts[-1]])


def _tally(number: int, order: str, one: str = "") -> str:
    if number == 1:
        return "1 solution" + (f": {one}" if one else "")
    return f"{number:,} solutions, {order}"


def _more(number: int, shown: int) -> list[str]:
    return [f"... and {number - shown:,} more (--show {number})"] if number > shown else []


def _table(header: list[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    left = len(header) - 1 if header[-1] == "fit" else len(header)
    text = [
        "  ".join(
            cell.rjust(width) if column < left else cell
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return [text[0], "-" * max(map(len, text)), *text[1:]]


def _facts(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Labelled lines, the text wrapped beside its label."""
    if not facts:
        return []
    width = max(len(label) for label, _ in facts) + 2
    lines: list[str] = []
    for label, text in facts:
        for index, line in enumerate(wrap(text, _WIDTH - width) or [""]):
            lines.append((label if index == 0 else "").ljust(width) + line)
    return lines


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH, subsequent_indent="  ")


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _number(value: int) -> str:
    return count(value) if value < 10**18 else approximate(value)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _sizes(extents: Sequence[int]) -> str:
    return str(extents[0]) if len(set(extents)) == 1 else "x".join(map(str, extents))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        parts = [":".join(map(str, p)) if isinstance(p, tuple) else str(p) for p in value]
        return parts[0] if len(set(parts)) == 1 else "x".join(parts)
    return str(value)
