"""Which layers of one network stand for which of another.

What counts, most first: the definition (kind and options), the name that a spec
gives, the shapes it is applied to, and the block it stands in.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from cnncalc.analyses.alignment import Keys, Pair, align
from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.graph import Node
from cnncalc.layers import KINDS
from cnncalc.layers.base import Layer
from cnncalc.spec.document import Mapping, Scalar

Layers = Sequence[LayerAnalysis]

#: Options in which ``3`` and ``[3, 3]`` are the same.
_PER_AXIS = ("kernel", "stride", "pad", "dilation", "output_padding", "size")

#: Families in which a layer may take the place of one of another kind.
_FAMILIES = (
    "convolution",
    "pooling",
    "activation",
    "normalisation",
    "merging",
    "recurrent",
    "loss",
)


def options(layer: Layer) -> dict[str, Any]:
    """A layer's options, one way of writing for each meaning; no references to other layers.

    >>> from cnncalc.layers import layer_class
    >>> options(layer_class("zeropad")(pad=((1, 1), (2, 2))))["pad"]
    (1, 2)
    """
    found: dict[str, Any] = {}
    for option in fields(layer):
        if option.name not in layer.references:
            value = getattr(layer, option.name)
            found[option.name] = _plain(value) if option.name in _PER_AXIS else value
    if "stride" in found and found["stride"] is None:
        found["stride"] = found["kernel"]  # how pools define it
    return found


def _plain(value: Any) -> Any:
    """One value for all axes and sides, where they are equal."""
    if not isinstance(value, tuple):
        return value
    entries = tuple(_plain(entry) for entry in value)
    # Equal [before, after] stay a list for each axis: [0, 1] alone means something else.
    same = bool(entries) and all(entry == entries[0] for entry in entries)
    return entries[0] if same and not isinstance(entries[0], tuple) else entries


def given_name(node: Node) -> str:
    """The name that the spec gives this layer; empty where it is numbered."""
    origin = node.origin
    name = origin.get("name") if isinstance(origin, Mapping) else None
    return name.value if isinstance(name, Scalar) else ""


def blocks(path: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of a path without those that only say how often: ``basic2-3 (x2)``.

    >>> blocks(("conv2_x", "basic2-3 (x2)", "basic3"))
    ('conv2_x', 'basic3')
    """
    return tuple([group for group in path if " (x" not in group])


class _Trait(NamedTuple):
    """What a layer is compared by."""

    kind: str
    options: tuple[tuple[str, Any], ...]
    name: str
    inputs: Hashable
    group: str
    weighty: bool


def pair(old: Layers, new: Layers) -> list[Pair]:
    """Positions of the layers that stand for each other, increasing on both sides.

    Exchanging the networks exchanges the positions and changes nothing else.
    """
    sides = _traits(old), _traits(new)
    # Among equally good alignments the order of the sides must not decide.
    if _order(sides[1]) < _order(sides[0]):
        return [(i, j) for j, i in _pair(sides[1], sides[0], new, old)]
    return _pair(*sides, old, new)


def _traits(layers: Layers) -> list[_Trait]:
    known: dict[int, tuple[tuple[str, Any], ...]] = {}
    found = []
    for one in layers:
        layer, path = one.node.layer, one.node.path
        assert layer is not None  # only inputs have none
        if id(layer) not in known:
            known[id(layer)] = tuple(options(layer).items())
        group = path[0].partition(" ")[0] if path else ""
        # A name in a block says most with the block's: every stage may have a `skip`.
        name, weighty = given_name(one.node) and one.name, bool(one.local.weights)
        found.append(_Trait(one.kind, known[id(layer)], name, one.local.inputs, group, weighty))
    return found


def _order(traits: Sequence[_Trait]) -> tuple[int, list[str]]:
    written: dict[_Trait, str] = {}
    for trait in traits:
        if trait not in written:
            written[trait] = repr(trait)
    return len(traits), [written[trait] for trait in traits]


def _pair(
    old: Sequence[_Trait], new: Sequence[_Trait], old_layers: Layers, new_layers: Layers
) -> list[Pair]:
    exact = _numbers([(*one[:2], one.name, one.inputs) for one in side] for side in (old, new))
    loose = _numbers([one[:2] for one in side] for side in (old, new))
    whole = _numbers((old, new))
    scores: dict[Pair, int] = {}

    def score(i: int, j: int) -> int:
        both = whole[0][i], whole[1][j]
        points = scores.get(both)
        if points is None:
            points = scores[both] = _points(old[i], new[j])
        return points

    pairs = align(Keys(exact[0], loose[0]), Keys(exact[1], loose[1]), score)
    pairs = _slide(pairs, exact[1], [blocks(one.node.path) for one in new_layers], new)
    mirrored = [(j, i) for i, j in pairs]
    mirrored = _slide(mirrored, exact[0], [blocks(one.node.path) for one in old_layers], old)
    return [(i, j) for j, i in mirrored]


def _numbers(sides: Iterable[Sequence[Hashable]]) -> list[list[int]]:
    """Keys as numbers, equal for equal keys on any side."""
    known: dict[Hashable, int] = {}
    return [[known.setdefault(key, len(known)) for key in side] for side in sides]


def _points(a: _Trait, b: _Trait) -> int:
    """How well two layers stand for each other; 0 if they cannot."""
    if a.kind == b.kind:
        equal = sum(one == other for one, other in zip(a.options, b.options, strict=True))
        points = 8 if equal == len(a.options) else 1 + 3 * equal // len(a.options)
        points *= 2 if a.weighty else 1
    elif KINDS[a.kind][0] == KINDS[b.kind][0] and KINDS[a.kind][0] in _FAMILIES:
        points = 2
    elif a.name and a.name == b.name:
        points = 0  # what has the same name stands in the same place
    else:
        return 0
    if a.name and b.name:
        same_in_block = a.name.rpartition(".")[2] == b.name.rpartition(".")[2]
        points += 6 if a.name == b.name else 0 if same_in_block else -2
    return points + 2 * (a.inputs == b.inputs) + 2 * (a.group == b.group)


def _slide(
    pairs: Sequence[Pair],
    keys: Sequence[int],
    paths: Sequence[tuple[str, ...]],
    traits: Sequence[_Trait],
) -> list[Pair]:
    """The same alignment, each inserted stretch where it covers whole blocks.

    ``a b [a b] a b`` could as well be ``a [b a] b a b``: of equal alternatives, the one
    whose ends lie between blocks rather than inside of them, starts at a layer with
    weights, and comes last.
    """
    partner = {j: i for i, j in pairs}
    first = 0
    while first < len(keys):
        if first in partner:
            first += 1
            continue
        end = first
        while end < len(keys) and end not in partner:
            end += 1
        first, end = _slide_one(first, end, partner, keys, paths, traits)
        first = end
    return sorted((i, j) for j, i in partner.items())


def _slide_one(
    first: int,
    end: int,
    partner: dict[int, int],
    keys: Sequence[int],
    paths: Sequence[tuple[str, ...]],
    traits: Sequence[_Trait],
) -> Pair:
    """Move one stretch to its best place; its new first and end positions."""
    # Between neighbours that are paired without a gap on the other side nothing else changes.
    low = first
    while low and low - 1 in partner and keys[low - 1] == keys[low - 1 + end - first]:
        if low < first and partner[low] != partner[low - 1] + 1:
            break
        low -= 1
    high = end
    while high < len(keys) and high in partner and keys[high] == keys[high - (end - first)]:
        if high > end and partner[high] != partner[high - 1] + 1:
            break
        high += 1
    length = end - first
    best = min(
        range(low, high - length + 1),
        key=lambda start: (
            _depth(paths, start) + _depth(paths, start + length),
            not traits[start].weighty,
            -start,
        ),
    )
    for step in range(first - 1, best - 1, -1):  # to the left
        partner[step + length] = partner.pop(step)
    for step in range(first, best):  # to the right
        partner[step] = partner.pop(step + length)
    return best, best + length


def _depth(paths: Sequence[tuple[str, ...]], position: int) -> int:
    """How many blocks the boundary before a position lies inside of."""
    if position in (0, len(paths)):
        return 0
    depth = 0
    for one, other in zip(paths[position - 1], paths[position], strict=False):
        if one != other:
            break
        depth += 1
    return depth
