"""Arrays of a question: inline, as ranges of numbers, or from NumPy files beside the sheet."""

import os
from collections.abc import Mapping as Names
from typing import Any

from cnncalc.homework.questions.reading import Reader, written
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence, is_nothing, printable
from cnncalc.spec.values import BAD

#: Elements of one array of a question: what people put on a sheet, and the largest image.
MOST_ELEMENTS = 10_000_000
#: Bytes of a file of arrays.
_MOST_BYTES = 2**28

_FORMS = "write [[1, 2], [3, 4]], file.npy, {linspace: [0, 1, 6], shape: [2, 3]} or {ones: [2, 3]}"
_SHAPED = ("linspace", "arange")
_FILLED = ("zeros", "ones")


def read_arrays(reader: Reader, node: Node | None, names: Names[str, Any]) -> dict[str, Any]:
    """The arrays by name: nested lists of numbers and symbols, or NumPy arrays."""
    if is_nothing(node):
        return {}
    if not isinstance(node, Mapping):
        assert node is not None
        reader.error(
            "Q004",
            "invalid-value",
            f"`arrays` must be a mapping from names to arrays, got {written(node)}",
            node.place,
            "write arrays: {x: [[1, 2], [3, 4]]}",
        )
        return {}
    found: dict[str, Any] = {}
    for key, value in node:
        made = _array(reader, key.value, value, names)
        if made is not None:
            found[key.value] = made
    return found


def _array(reader: Reader, name: str, node: Node, names: Names[str, Any]) -> Any:
    what = f"the array `{printable(name)}`"
    if isinstance(node, Sequence):
        return _inline(reader, what, node, names)
    if isinstance(node, Mapping):
        return _range(reader, what, node)
    value = reader.plain(node)
    if value is BAD:
        return None
    if isinstance(value, str) and value.partition(":")[0].endswith((".npy", ".npz")):
        return _file(reader, what, name, value, node)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    reader.error(
        "Q004", "invalid-value", f"{what} must be numbers, got {written(node)}", node.place, _FORMS
    )
    return None


def _inline(reader: Reader, what: str, node: Sequence, names: Names[str, Any]) -> Any:
    """A nested list whose rows are equally long."""
    rows: list[Any] = []
    for item in node.items:
        if isinstance(item, Sequence):
            row = _inline(reader, what, item, names)
        else:
            row = _element(reader, what, item, names)
        if row is None:
            return None
        rows.append(row)
    shapes = [_shape(row) for row in rows]
    for item, shape in zip(node.items, shapes, strict=True):
        if shape != shapes[0]:
            reader.error(
                "Q009",
                "ragged-array",
                f"{what} is ragged: {_words(shape)} beside {_words(shapes[0])}",
                item.place,
                "rows of an array are equally long",
            )
            return None
    return rows


def _element(reader: Reader, what: str, node: Node, names: Names[str, Any]) -> Any:
    value = reader.plain(node)
    if value is BAD:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(node, Scalar) and node.value:
        read = reader.values.number(node, what, names)
        if read is not BAD and read is not None and not isinstance(read, bool | str):
            return read
        if read is BAD:
            return None
    reader.error(
        "Q004",
        "invalid-value",
        f"{what} must be numbers, got {written(node)}",
        node.place,
        "names in it stand under `symbols` or `numbers`",
    )
    return None


def _shape(rows: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(rows, list):
        shape.append(len(rows))
        rows = rows[0] if rows else None
    return tuple(shape)


def _words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    if len(shape) == 1:
        return f"{shape[0]} value" + ("" if shape[0] == 1 else "s")
    return "x".join(map(str, shape))


def _range(reader: Reader, what: str, node: Mapping) -> Any:
    """``linspace`` and ``arange`` as NumPy has them, reshaped; ``ones`` and ``zeros``."""
    forms = [key for key in (*_SHAPED, *_FILLED) if key in node.entries]
    given = {key.value: reader.plain(value) for key, value in node}
    if len(forms) != 1 or len(given) > 2 or not given.keys() <= {forms[0], "shape"}:
        reader.error(
            "Q004", "invalid-value", f"{what} cannot be read as an array", node.place, _FORMS
        )
        return None
    form = forms[0]
    numbers, shape = given[form], given.get("shape")
    if form in _FILLED:
        numbers, shape = [], numbers
    if isinstance(shape, int):
        shape = [shape]
    good = isinstance(numbers, list) and all(
        isinstance(n, int | float) and not isinstance(n, bool) for n in numbers
    )
    extents = shape if isinstance(shape, list) else []
    if not good or not all(type(n) is int and 1 <= n <= MOST_ELEMENTS for n in extents):
        reader.error(
            "Q004", "invalid-value", f"{what} cannot be read as an array", node.place, _FORMS
        )
        return None
    return _made(reader, what, form, numbers, extents, node)


def _made(
    reader: Reader, what: str, form: str, numbers: list[Any], shape: list[int], node: Mapping
) -> Any:
    import math

    import numpy as np

    count = math.prod(shape)
    if form == "linspace":
        count = numbers[2] if len(numbers) == 3 and type(numbers[2]) is int else -1
    elif form == "arange":
        steps = (
            (numbers[1] - numbers[0]) / (numbers[2] if len(numbers) == 3 else 1)
            if (len(numbers) in (2, 3) and (len(numbers) == 2 or numbers[2]))
            else -1
        )
        count = math.ceil(steps)
    if not 0 < count <= MOST_ELEMENTS or (shape and math.prod(shape) != count):
        reader.error(
            "Q004",
            "invalid-value",
            f"{what}: {form} and shape do not give the same number of values, from 1 to "
            f"{MOST_ELEMENTS:,}",
            node.place,
            _FORMS,
        )
        return None
    if form == "linspace":
        flat = np.linspace(*numbers)
    elif form == "arange":
        flat = np.arange(*numbers, dtype=np.float64)
    else:
        flat = np.full(count, float(form == "ones"))
    return flat.reshape(shape) if shape else flat


def _file(reader: Reader, what: str, name: str, value: str, node: Node) -> Any:
    """The array of a file beside the sheet, or the one of that name in a ``.npz``."""
    from cnncalc.errors import RunError
    from cnncalc.execution.weights import load_arrays

    path, _, member = value.partition(":")
    beside = os.path.join(os.path.dirname(reader.path), path)
    if not os.path.isfile(beside):
        reader.error(
            "Q004",
            "invalid-value",
            f"{what}: there is no file `{printable(path)}` beside the question file",
            node.place,
        )
        return None
    try:
        arrays = load_arrays(beside, _MOST_BYTES)
    except RunError as error:
        reader.error("Q004", "invalid-value", f"{what}: {error.message}", node.place, error.help)
        return None
    wanted = member or ("" if "" in arrays else name)
    if wanted not in arrays:
        reader.error(
            "Q004",
            "invalid-value",
            f"{what}: `{printable(path)}` has no array `{printable(wanted)}`",
            node.place,
            "it has " + ", ".join(printable(one) for one in list(arrays)[:10]),
        )
        return None
    return arrays[wanted].astype("float64")
