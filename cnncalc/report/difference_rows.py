"""The rows of a table of changes: what is repeated or only follows is folded.

Every layer is in exactly one row, so that the columns add up to the totals.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis, total
from cnncalc.analyses.difference import Change, Difference, InputChange, OptionChange
from cnncalc.analyses.pairing import blocks
from cnncalc.notation import Layout, Shape, extent_json, format_shape
from cnncalc.report.rows import detail, field_text
from cnncalc.spec.document import printable
from cnncalc.spec.dump import write_value
from cnncalc.window import Extent

Mark = Literal["inserted", "removed", "changed", "affected", "equal"]

#: The same change in this many layers is told once.
REPEATED = 3

#: Runs of inserted or removed layers up to this long have a row for each.
SHORT = 3

#: Single layers in a row beyond which they are summed up by kind.
MANY = 8


class Row(NamedTuple):
    """One line of a table of changes.

    Attributes:
        name: the layer, or the first and last of a stretch.
        text: what changed.
        parameters, macs: how many more there are in all the layers it stands for.
        layers: how many those are.
    """

    mark: Mark
    name: str
    text: str
    parameters: Extent
    macs: Extent
    layers: int


class _Part(NamedTuple):
    """Consecutive steps that make one row; quiet ones wait for their neighbours."""

    steps: tuple[Change, ...]
    quiet: str = ""
    name: str = ""
    text: str = ""
    group: bool = False


def rows(difference: Difference, layout: Layout, *, full: bool = False) -> list[Row]:
    """The table of changes; `full` gives each layer that is not as before a row."""
    found = [_input_row(one, layout) for one in difference.inputs if one.old != one.new]
    if difference.outputs is not None:
        before, after = (printable(", ".join(names), 200) for names in difference.outputs)
        found.append(Row("changed", "outputs", f"{before} -> {after}", 0, 0, 0))
    told = set[int]()
    for row, steps in [] if full else _repeated(difference, layout):
        told |= {id(step) for step in steps}
        found.append(row)
    fold = _Fold(difference, layout, full)
    parts: list[_Part] = []
    for mark, run in groupby(
        difference.changes, lambda step: "told" if id(step) in told else _mark(step)
    ):
        parts += fold.parts(mark, list(run))
    for quiet, group in groupby(parts, lambda part: bool(part.quiet)):
        members = list(group)
        if quiet:
            found.append(_quiet_row(members))
        else:
            found += [
                _row(_mark(part.steps[0]), part.name, part.text, part.steps) for part in members
            ]
    return found


def _repeated(difference: Difference, layout: Layout) -> Iterator[tuple[Row, list[Change]]]:
    """What happens in several places alike, told once: its row and its steps."""
    alike: dict[tuple[str, str, str], list[Change]] = {}
    for change, group in groupby(difference.changes, lambda step: step.change):
        run = list(group)
        for step in run:
            text = _text(step, layout)
            if change in ("inserted", "removed"):
                if len(run) > 1:
                    continue  # what comes together is shown together
                text = text.rpartition(", ")[0]
            elif change == "equal" or (change == "affected" and not text.startswith("input ")):
                continue
            alike.setdefault((change, step.layer.kind, text), []).append(step)
    for (_, kind, text), steps in alike.items():
        if len(steps) < REPEATED:
            continue
        mark, first, last = _mark(steps[0]), steps[0].layer.name, steps[-1].layer.name
        if mark in ("inserted", "removed"):
            window = text.removeprefix(kind).strip()
            said = ", ".join([*([window] if window else []), f"{first} ... {last}"])
        else:
            said = text
        yield _row(mark, f"{len(steps)} {kind} layers", said, steps), steps


def _mark(step: Change) -> Mark:
    """A step's mark; where the receptive field alone follows, the layer counts as equal."""
    if step.change == "affected" and step.figures == ("receptive_field",):
        return "equal"
    return step.change


def _row(mark: Mark, name: str, text: str, steps: Sequence[Change]) -> Row:
    return Row(
        mark,
        name,
        text,
        total(step.added("parameters") for step in steps),
        total(step.added("macs") for step in steps),
        len(steps),
    )


def _input_row(one: InputChange, layout: Layout) -> Row:
    before, after = (
        "none" if shape is None else format_shape(shape, layout) for shape in (one.old, one.new)
    )
    return Row("changed", printable(one.name), f"{before} -> {after}", 0, 0, 0)


def _quiet_row(parts: Sequence[_Part]) -> Row:
    """One row for neighbours that need none of their own."""
    numbers = Counter[str]()
    for part in parts:
        numbers[part.quiet] += len(part.steps)
    steps = [step for part in parts for step in part.steps]
    # Those of a row above have their figures there.
    counted = [step for part in parts if part.quiet != "as above" for step in part.steps]
    plural = "s" * (len(steps) != 1)
    only = next(iter(numbers)) if len(numbers) == 1 else ""
    if only == "equal":
        alike = any(step.figures for step in steps)  # all but the receptive field
        text = f"{len(steps)} layer{plural} alike" if alike else f"{len(steps)} equal layer{plural}"
    elif only:
        verb = only if plural or only != "follow" else "follows"
        text = f"{len(steps)} layer{plural} {verb}"
    else:
        inside = ", ".join(f"{number} {word}" for word, number in numbers.items())
        text = f"{len(steps)} layers: {inside}"
    fields = [
        (field_text(step.old.receptive_field), field_text(step.new.receptive_field))
        for step in steps[-1:]
        if step.old is not None and step.new is not None
    ]
    text += "".join(f", field {old} -> {new}" for old, new in fields if old != new)
    return _row("equal", "...", text, counted)


class _Fold:
    """Runs of steps of one mark, as the parts that are shown."""

    def __init__(self, difference: Difference, layout: Layout, full: bool) -> None:
        self.layout = layout
        self.full = full
        self.paths = {
            "old": [blocks(one.node.path) for one in difference.old.layers],
            "new": [blocks(one.node.path) for one in difference.new.layers],
        }
        self.position = {"old": 0, "new": 0}

    def parts(self, mark: str, run: list[Change]) -> list[_Part]:
        """The parts of the next run."""
        side = "old" if mark == "removed" else "new"
        first = self.position[side]
        for step in run:
            self.position["old"] += step.old is not None
            self.position["new"] += step.new is not None
        if mark in ("equal", "told"):
            return [_Part(tuple(run), "equal" if mark == "equal" else "as above")]
        if mark == "changed" or self.full or (mark != "affected" and len(run) <= SHORT):
            return [self._single(step) for step in run]
        found: list[_Part] = []
        # Neighbours that would read alike share a row: blocks, or layers of one shape.
        for (group, quiet, text), alike in groupby(
            self._chunks(run, first, self.paths[side]),
            lambda part: (part.group, part.quiet, part.text if part.group else ""),
        ):
            members = list(alike)
            if group:
                found.append(_joined(members, text))
            elif quiet or mark == "affected":
                found += _same_shapes(members)
            elif len(members) > MANY:
                found.append(_summed_up(members))
            else:
                found += members
        return found

    def _chunks(
        self, run: Sequence[Change], first: int, paths: Sequence[tuple[str, ...]]
    ) -> Iterator[_Part]:
        """Whole blocks where the run covers them, single layers elsewhere."""
        position, end = first, first + len(run)
        while position < end:
            level, stop = _whole_block(paths, position, end)
            steps = tuple(run[position - first : stop - first])
            if stop - position >= SHORT:
                name = ".".join(paths[position][: level + 1]).replace(".branch ", " branch ")
                yield _Part(steps, "", name, self._block_text(steps), True)
                position = stop
            else:
                yield self._single(run[position - first])
                position += 1

    def _single(self, step: Change) -> _Part:
        name = step.layer.name
        if step.renamed and step.old is not None:
            name = f"{step.old.name} -> {name}"
        passes = step.change == "affected" and _passes_on(step)
        quiet = "follow" if passes and not self.full else ""
        return _Part((step,), quiet, name, _text(step, self.layout))

    def _block_text(self, steps: Sequence[Change]) -> str:
        last = steps[-1]
        shapes = _shapes(last, self.layout) or format_shape(last.layer.output, self.layout)
        return f"{len(steps)} layers, {shapes}"


def _whole_block(paths: Sequence[tuple[str, ...]], position: int, end: int) -> tuple[int, int]:
    """The outermost block that starts at a position and lies before `end`: its level and end."""
    path = paths[position]
    for level in range(len(path)):
        prefix = path[: level + 1]
        if position and paths[position - 1][: level + 1] == prefix:
            continue
        stop = position + 1
        while stop <= end and stop < len(paths) and paths[stop][: level + 1] == prefix:
            stop += 1
        if stop <= end:
            return level, stop
    return 0, position + 1


def _joined(members: Sequence[_Part], text: str) -> _Part:
    """Equal blocks in a row."""
    steps = tuple(step for part in members for step in part.steps)
    if len(members) == 1:
        return members[0]
    last = members[-1].name
    common = members[0].name.rpartition(".")[0]
    if common and last.startswith(common + "."):
        last = last[len(common) + 1 :]
    name = f"{members[0].name} ... {last}"
    return _Part(steps, "", name, f"{len(members)} x {text}", True)


def _same_shapes(members: Sequence[_Part]) -> list[_Part]:
    found = []
    for text, alike in groupby(members, lambda part: part.text):
        parts = list(alike)
        steps = tuple(step for part in parts for step in part.steps)
        name = parts[0].name if len(parts) == 1 else f"{parts[0].name} ... {parts[-1].name}"
        found.append(_Part(steps, parts[0].quiet, name, text))
    return found


def _summed_up(members: Sequence[_Part]) -> _Part:
    steps = tuple(step for part in members for step in part.steps)
    kinds = Counter(step.layer.kind for step in steps)
    text = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    name = f"{members[0].name} ... {members[-1].name}"
    return _Part(steps, "", name, f"{len(steps)} layers: {text}")


def _passes_on(step: Change) -> bool:
    """Whether a layer's shape only changes as that of its input does: told there."""
    if step.old is None or step.new is None or step.old.output == step.new.output:
        return False
    old, new = step.old.local, step.new.local
    return (old.inputs[0], new.inputs[0]) == (old.output, new.output)


def _text(step: Change, layout: Layout) -> str:
    """What a row says about one layer."""
    if step.old is None or step.new is None:
        one = step.layer
        window = detail(one)
        return f"{one.kind}{' ' * bool(window)}{window}, {format_shape(one.output, layout)}"
    said = [_option(option) for option in step.options]
    shapes = _shapes(step, layout)
    own = {option.name for option in step.options} & {"kind", _main(step)}
    if said and (shapes.startswith("input ") or (_passes_on(step) and not own)):
        shapes = ""  # the layer before says so
    return ", ".join([*said, shapes] if shapes else said) or _figures(step)


def _main(step: Change) -> str:
    """The option that a kind is about: filters, features."""
    return step.layer.node.layer.main if step.layer.node.layer is not None else ""


def _option(option: OptionChange) -> str:
    words: Callable[[object], str] = lambda value: printable(  # noqa: E731
        value if isinstance(value, str) else "none" if value is None else write_value(value)
    )
    name = "" if option.name == "kind" else option.name + " "
    return f"{name}{words(option.old)} -> {words(option.new)}"


def _shapes(step: Change, layout: Layout) -> str:
    """The change of a layer's output, or else of what it reads."""
    if step.old is None or step.new is None:
        return ""
    if step.old.output != step.new.output:
        return _arrow(step.old.output, step.new.output, layout)
    for before, after in zip(step.old.local.inputs, step.new.local.inputs, strict=False):
        if before != after:
            return f"input {_arrow(before, after, layout)}"
    return ""


def _arrow(old: Shape, new: Shape, layout: Layout) -> str:
    return f"{format_shape(old, layout)} -> {format_shape(new, layout)}"


def _figures(step: Change) -> str:
    """The figures that differ, where neither options nor shapes do."""
    sides: list[LayerAnalysis] = [one for one in (step.old, step.new) if one is not None]
    return ", ".join(
        f"{name} " + " -> ".join(str(extent_json(getattr(one, name))) for one in sides)
        for name in step.figures
        if name not in ("output", "receptive_field")
    )
