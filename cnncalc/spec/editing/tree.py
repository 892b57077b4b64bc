"""What an edit means for the tree of a spec; which ones have a meaning at all."""

from cnncalc.diagnostic import (
    Edit,
    InsertItem,
    RemoveEntry,
    RemoveItem,
    ReplaceText,
    SetOption,
    SwapItems,
)
from cnncalc.errors import EditError
from cnncalc.layers import KINDS, MERGES, layer_class
from cnncalc.spec.editing.element import Element
from cnncalc.spec.editing.layout import Layout
from cnncalc.spec.items import COMMON


def edit_tree(edit: Edit, elements: list[Element]) -> None:
    """Do to the tree of a text, for good, what an edit will do to the text."""
    first = elements[0]
    match edit:
        case SetOption(_, option, value):
            _set_option(first, option, Layout(value).root)
        case ReplaceText(_, text):
            _become(first, Layout(text).root)
        case RemoveEntry():
            _remove_entry(first)
        case RemoveItem():
            _stand_ins(first).remove(first)
        case InsertItem(_, text, before):
            new = Layout(text).root
            new.parent = list_of(first)
            stand_ins = _stand_ins(first)
            stand_ins.insert(stand_ins.index(first) + (not before), new)
        case SwapItems():
            second = elements[1]
            one, other = _stand_ins(first), _stand_ins(second)
            i, j = one.index(first), other.index(second)
            one[i], other[j] = second, first
            first.position, second.position = second.position, first.position


def _stand_ins(item: Element) -> list[Element]:
    found = list_of(item).stand_ins(item.position)
    if item not in found:
        raise EditError("two edits concern the same text")
    return found


def _set_option(layer: Element, option: str, value: Element) -> None:
    if layer.kind == "scalar":
        kind = Element("scalar", 0, 0, layer)
        kind.value, kind.plain = layer.value, layer.plain
        layer.kind, layer.value, layer.plain = "mapping", "", True
        layer.children = [kind]
        layer.children.append(Element("scalar", 0, 0, layer))
    entry = entry_of(layer, option)
    if entry is not None:
        _become(layer.entry(entry)[1], value)
        return
    key = Element("scalar", 0, 0, layer)
    key.value = option
    value.parent = layer
    after = 2 * entry_before(layer, option) + 2
    layer.replace(slice(after, after), [key, value])


def _become(element: Element, other: Element) -> None:
    element.kind, element.value, element.plain = other.kind, other.value, other.plain
    element.children = other.children
    element.inner, element.end = other.inner, other.end
    for child in element.children:
        child.parent = element


def _remove_entry(key: Element) -> None:
    mapping = mapping_of(key)
    if len(mapping) == 1:
        _remove_entry(own_key(mapping))
    else:
        mapping.replace(slice(key.position, key.position + 2), [])


def entry_of(layer: Element, option: str) -> int | None:
    """Which entry of a layer's mapping has an option: by its name, or beside the kind."""
    keys = [key.value for key in layer.children[::2]]
    if option in keys:
        return keys.index(option)
    return next((i for i, key in enumerate(keys) if is_main(key, option)), None)


def is_main(kind: str, option: str) -> bool:
    """Whether ``{kind: ...}`` is short for an option."""
    return kind in KINDS and layer_class(kind).main == option


def entry_before(layer: Element, option: str) -> int:
    """The entry after which a new option goes: `name` and its like come last."""
    keys = [key.value for key in layer.children[::2]]
    own = [i for i, key in enumerate(keys) if key not in COMMON]
    if not keys:
        raise EditError("an empty mapping is not a layer")
    return own[-1] if own and option not in COMMON else len(keys) - 1


def list_of(item: Element) -> Element:
    """The list that an item stands in, if there is no doubt which."""
    parent = item.parent
    if parent is None or parent.kind != "list":
        raise EditError("it is not an entry of a list")
    if item.uses:
        raise EditError("an alias elsewhere repeats it")
    return parent


def mapping_of(key: Element) -> Element:
    """The mapping that a key stands in."""
    if key.parent is None or not key.is_key:
        raise EditError("it is not the key of an entry")
    return key.parent


def own_key(mapping: Element) -> Element:
    """The key that a mapping is the value of: it goes with the last entry."""
    parent = mapping.parent
    if parent is None or parent.kind != "mapping":
        raise EditError("nothing would be left of it")
    return parent.children[mapping.position - 1]


def may_be_empty(items: Element) -> bool:
    """Whether a list is a branch of a merge, which without layers is the identity."""
    branches = items.parent
    if branches is None or branches.kind != "list" or branches.parent is None:
        return False
    merge = branches.parent
    return merge.kind == "mapping" and own_key(branches).value in MERGES
