"""The arrays that a question gives, each with what it is for the network.

Arrays are written with as few axes as they need: a 3x3 image is one example of one map.
Inside they are (N, C, *spatial), weights as the layer has them, (F, C, kh, kw).
"""

from collections.abc import Mapping
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import nearest
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.case import Case
from cnncalc.notation import Shape
from cnncalc.spec.models import is_symbolic

_WEIGHT, _BIAS = ("w", "W", "weight", "kernel", "k"), ("b", "bias")
_INPUT, _UPSTREAM = ("x", "X", "input"), ("dy", "dY", "dout", "dh", "upstream")

#: Kinds that are linear in their input, and in their weights.
_MULTIPLIES = ("conv", "depthwise", "convtranspose", "linear")


class Bound:
    """The arrays of a case, each with what it is: an input, a tensor, or the upstream gradient.

    Attributes:
        inputs, tensors: by the network's names.
        upstream: the gradient of the output, or None where the sum is differentiated.
        aliases: what the question calls each.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.inputs: dict[str, Any] = {}
        self.tensors: dict[str, Any] = {}
        self.upstream: Any = None
        self.aliases: dict[str, str] = {}
        self.others: dict[str, Any] = {}
        self._bind()

    def _bind(self) -> None:
        case = self.case
        analysis = case.analysis
        given = case.givens.arrays
        wanted = tensor_shapes(case)
        claimed = {array: tensor for tensor, array in case.givens.weights.items()}
        for tensor, array in case.givens.weights.items():
            if tensor not in wanted:
                raise AskError(
                    f"`weights`: the network has no parameter `{tensor}`",
                    nearest(tensor, wanted) or "parameters: " + ", ".join(wanted),
                )
            if array not in given:
                raise AskError(
                    f"`weights`: there is no array `{array}`",
                    nearest(array, given) or "arrays: " + ", ".join(given),
                )
        upstream = _upstream_name(case)
        inputs = analysis.network.inputs
        for name, value in given.items():
            if name == upstream:
                shape = output_layer(case).output
                self.upstream = _shaped(name, value, self._examples(shape, value), shape, case)
            elif name in inputs or (name in _INPUT and len(inputs) == 1):
                real = name if name in inputs else next(iter(inputs))
                shape = inputs[real]
                self.inputs[real] = _shaped(name, value, self._examples(shape, value), shape, case)
                self.aliases[name] = real
            else:
                claim = claimed.get(name) or _tensor_called(name, wanted, case)
                if claim is None:
                    self.others[name] = _array(value)
                    continue
                self.tensors[claim] = _weight(name, value, wanted[claim])
                self.aliases[name] = claim

    def _examples(self, shape: Shape, value: Any) -> int:
        """How many examples an array has in front: one, where it has no axis for them."""
        import numpy as np

        full = len(shape.spatial) + 2
        extents = np.shape(value)
        return int(extents[0]) if len(extents) == full else 1

    def examples(self) -> dict[str, Any]:
        """Every input: those given, zeros where the gradient asked for does without."""
        import numpy as np

        found = dict(self.inputs)
        for name, shape in self.case.analysis.network.inputs.items():
            if name not in found and _needless(self.case):
                count = 1 if self.upstream is None else len(self.upstream)
                found[name] = np.zeros((count, shape.channels, *shape.spatial))
        return found

    def complete(self) -> dict[str, Any]:
        """Every parameter: those given, biases zero where none are, or an error."""
        import numpy as np

        found = dict(self.tensors)
        for name, shape in tensor_shapes(self.case).items():
            if name in found:
                continue
            if "bias" not in name.rpartition(".")[2] and not _needless(self.case):
                raise AskError(
                    f"the parameter `{name}` has no values", f"give weights: {{{name}: ARRAY}}"
                )
            found[name] = np.zeros(shape)
        return found


def tensor_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The parameters of the network by name."""
    return {
        f"{one.name}.{tensor}": tuple(shape)
        for one in case.analysis.layers
        if one.node.shares is None
        for tensor, shape in one.local.weights.items()
    }


def _needless(case: Case) -> bool:
    """Whether what is not given does not matter: gradients of one layer that only multiplies.

    dW is made of the input and the upstream gradient, dX of the weights and it, db of it alone.
    """
    layers = case.analysis.layers
    if case.part.ask != "gradient" or len(layers) != 1 or layers[0].kind not in _MULTIPLIES:
        return False
    wanted = case.wanted
    if wanted in case.analysis.network.inputs:
        return bool(case.bound.tensors)
    return wanted.endswith("bias") or bool(case.bound.inputs)


def _tensor_called(name: str, wanted: Mapping[str, Any], case: Case) -> str | None:
    """The parameter that an array is by its name: its own, or `w` and `b` of the only layer."""
    if name in wanted:
        return name
    owners = [one.name for one in case.analysis.layers if one.local.weights]
    if len(owners) == 1:
        for words, tensor in ((_WEIGHT, "weight"), (_BIAS, "bias")):
            if name in words and f"{owners[0]}.{tensor}" in wanted:
                return f"{owners[0]}.{tensor}"
    return None


def _upstream_name(case: Case) -> str:
    given = case.givens.arrays
    said = case.part.options.get("upstream")
    if said is None:
        return next((name for name in _UPSTREAM if name in given), "")
    if said not in given:
        raise AskError(
            f"`upstream`: there is no array `{said}`",
            nearest(str(said), given) or "arrays: " + ", ".join(given),
        )
    return str(said)


def output_layer(case: Case) -> LayerAnalysis:
    """The layer whose output leaves the network."""
    network = case.analysis.network
    node = network.nodes[network.outputs[0]]
    return next(one for one in case.analysis.layers if one.node is node)


def _array(value: Any) -> Any:
    """A NumPy array: float64, or of objects where symbols are in it."""
    import numpy as np

    found = np.array(value, dtype=object)
    flat = list(found.flat)
    return found if any(is_symbolic(one) for one in flat) else found.astype(np.float64)


def _shaped(name: str, value: Any, examples: int, shape: Shape, case: Case) -> Any:
    """An array as (N, C, *spatial)."""
    import numpy as np

    array = _array(value)
    if case.conventions.layout == "HWC" and shape.spatial and array.ndim > len(shape.spatial):
        array = np.moveaxis(array, -1, -1 - len(shape.spatial))
    wanted = (examples * shape.regions, shape.channels, *shape.spatial)
    if _more_than_one(array.shape) != _more_than_one(wanted):
        raise AskError(
            f"the array `{name}` has the shape {times(np.shape(value))}, the network has {shape}",
            f"{times(wanted)} with the batch in front, axes of 1 left out as you like",
        )
    return np.ascontiguousarray(array.reshape(wanted))


def _more_than_one(shape: tuple[int, ...]) -> list[int]:
    return [extent for extent in shape if extent != 1]


def _weight(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    array = _array(value)
    if _more_than_one(array.shape) != _more_than_one(shape):
        raise AskError(
            f"the array `{name}` has the shape {times(array.shape)}, the parameter {times(shape)}",
            "filters, input channels, then the kernel; axes of 1 left out as you like",
        )
    return array.reshape(shape)


def times(shape: tuple[int, ...]) -> str:
    """The extents of an array in words."""
    return "x".join(map(str, shape)) or "of one number"


def all_of(case: Case) -> dict[str, Any]:
    """Every array of the givens by the question's name for it and by the network's."""
    if case.network is None:
        return {name: _array(value) for name, value in case.givens.arrays.items()}
    bound = case.bound
    found = {**bound.others, **bound.inputs, **bound.tensors}
    for alias, real in bound.aliases.items():
        found[alias] = found[real]
    if bound.upstream is not None:
        found[_upstream_name(case)] = bound.upstream
    return found


def wanted_by(case: Case) -> str:
    """The network's name of what the gradient is taken of."""
    inputs = case.analysis.network.inputs
    name = case.part.of[0] if case.part.of else next(iter(inputs))
    if name in inputs or name in tensor_shapes(case):
        return name
    aliases = case.bound.aliases
    if name in aliases:
        return aliases[name]
    if name in _INPUT and len(inputs) == 1:
        return next(iter(inputs))
    tensor = _tensor_called(name, tensor_shapes(case), case)
    if tensor is not None:
        return tensor
    known = [*inputs, *tensor_shapes(case), *aliases]
    raise AskError(
        f"there is no input or parameter `{name}` to differentiate by",
        nearest(name, known) or "there are " + ", ".join(known),
    )
