"""Mistakes in counting what a detector's grid predicts: B boxes and C classes for each cell."""

from typing import TYPE_CHECKING

from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@plain("This gives each box four numbers; its confidence is one more.", asks=("formula",))
def yolo_box_4(case: "Case") -> Extent | None:
    """A box is given four numbers, without its confidence."""
    grid = cells(case)
    if grid is None:
        return None
    boxes, classes = case.numbers["B"], case.numbers["C"]
    return grid * (4 * boxes + classes)


@plain("This predicts the classes for each box; a cell has them once.", asks=("formula",))
def yolo_classes_per_box(case: "Case") -> Extent | None:
    """The classes are predicted for each box instead of each cell."""
    grid = cells(case)
    if grid is None:
        return None
    boxes, classes = case.numbers["B"], case.numbers["C"]
    return grid * boxes * (5 + classes)


def cells(case: "Case") -> Extent | None:
    """Cells of the grid, where the right value is cells * (5*B + C)."""
    numbers = naming.usual(case.numbers)
    if not {"B", "C"} <= numbers.keys() or case.right.sort not in ("number", "expression"):
        return None
    depth = 5 * numbers["B"] + numbers["C"]
    right = case.right.value
    if isinstance(right, int) and isinstance(depth, int):
        return right // depth if right % depth == 0 else None
    from sympy import cancel, denom

    quotient = cancel(right / depth)
    return quotient if denom(quotient) == 1 else None
