"""A value of a spec and the stretch of text it is written in."""


class Element:
    """One value, key or alias.

    Attributes:
        kind: ``scalar``, ``list``, ``mapping`` or ``alias``.
        start, end: the stretch of text, with its anchor.
        inner: where its content starts, after the anchor.
        children: the items of a list; of a mapping key, value, key, value ...
        position: which of its parent's children it is.
        edits: what stands now where an item of a list stood, by its position.
        block: whether a list or mapping is written without brackets.
        target: what an alias repeats.
        uses: the aliases that repeat this one.
    """

    __slots__ = (
        "block",
        "children",
        "edits",
        "end",
        "inner",
        "kind",
        "parent",
        "plain",
        "position",
        "start",
        "target",
        "uses",
        "value",
    )

    def __init__(self, kind: str, start: int, end: int, parent: "Element | None" = None) -> None:
        self.kind = kind
        self.start = self.inner = start
        self.end = end
        self.parent = parent
        self.position = len(parent.children) if parent is not None else 0
        self.children: list[Element] = []
        self.edits: dict[int, list[Element]] = {}
        self.value = ""
        self.plain = True
        self.block = False
        self.target: Element | None = None
        self.uses: list[Element] = []

    @property
    def is_key(self) -> bool:
        """Whether it is the key of an entry."""
        parent = self.parent
        return parent is not None and parent.kind == "mapping" and self.position % 2 == 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written where a value could stand."""
        return self.kind == "scalar" and self.inner == self.end

    @property
    def anchored(self) -> bool:
        """Whether an anchor stands before it."""
        return self.inner > self.start

    def __len__(self) -> int:
        """How many items a list has, or entries a mapping."""
        return len(self.children) if self.kind == "list" else len(self.children) // 2

    def span(self, number: int) -> tuple[int, int]:
        """The stretch of an item of a list, or of an entry of a mapping."""
        if self.kind == "list":
            return self.children[number].start, self.children[number].end
        key, value = self.entry(number)
        return key.start, max(key.end, value.end)

    def entry(self, number: int) -> tuple["Element", "Element"]:
        """Key and value of an entry of a mapping."""
        return self.children[2 * number], self.children[2 * number + 1]

    def replace(self, stretch: slice, new: list["Element"]) -> None:
        """Change some of a mapping's children."""
        self.children[stretch] = new
        for position, child in enumerate(self.children):
            child.position = position

    def stand_ins(self, number: int) -> list["Element"]:
        """What stands in the place of an item, to be changed."""
        return self.edits.setdefault(number, [self.children[number]])

    def edited(self) -> list["Element"]:
        """The children with the edits of items carried out."""
        if not self.edits:
            return self.children
        return [one for i, child in enumerate(self.children) for one in self.edits.get(i, [child])]

    def has(self, other: "Element") -> bool:
        """Whether another one stands inside of it, or is it."""
        one: Element | None = other
        while one is not None and one is not self:
            one = one.parent
        return one is self

    def repeated_outside(self) -> bool:
        """Whether an alias elsewhere repeats it, or a part of it."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            if not all(self.has(use) for use in one.uses):
                return True
            waiting += one.children
        return False


def outline(root: Element) -> list[tuple[object, ...]]:
    """What a tree says, apart from how it is laid out; an alias as the number of its target.

    The layer ``{relu: }`` is the same as ``relu``.
    """
    found: list[tuple[object, ...]] = []
    numbers: dict[int, int] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        numbers[id(one)] = len(found)
        if one.target is not None:
            found.append((one.kind, numbers.get(id(one.target))))
        elif _is_bare(one):
            found.append(("scalar", one.children[0].value, one.children[0].plain, 0))
        else:
            children = one.edited()
            found.append((one.kind, one.value, one.plain, len(children)))
            waiting += reversed(children)
    return found


def _is_bare(one: Element) -> bool:
    return (
        one.kind == "mapping"
        and len(one) == 1
        and one.children[1].is_empty
        and one.parent is not None
        and one.parent.kind == "list"
    )
