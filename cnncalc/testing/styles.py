"""How a function takes its arguments and gives its results.

- torch: ``conv2d(x, w, b, stride, padding)`` gives an array, and
  ``conv2d_backward(dout, x, w, b, stride, padding)`` the gradients. Parameters are told by
  their names, those with other names by their order.
- cs231n: ``conv_forward_naive(x, w, b, conv_param)`` gives (out, cache), and
  ``conv_backward_naive(dout, cache)`` the gradients.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.failure import UsageError
from cnncalc.testing.operations.base import Given, Operation
from cnncalc.testing.text import listed, tame

#: Other names of an argument.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "dout": ("grad_output", "dy", "grad", "upstream", "dz", "grad_out", "d_out", "delta"),
    "x": ("input", "inputs", "X", "inp", "image", "images", "scores", "logits", "z", "A_prev"),
    "w": ("weight", "weights", "W", "kernel", "kernels", "filter", "filters"),
    "b": ("bias", "biases", "B"),
    "y": ("target", "targets", "labels", "label", "Y", "y_true"),
    "gamma": ("weight", "w", "scale"),
    "beta": ("bias", "b", "shift"),
    "running_mean": ("mean",),
    "running_var": ("var", "variance"),
    "kernel_size": ("kernel", "pool_size", "size", "k", "ksize", "window", "pool"),
    "stride": ("strides", "s", "step"),
    "padding": ("pad", "p", "pads", "zero_padding"),
    "dilation": ("dilations", "rate", "d"),
    "groups": ("group", "g"),
    "negative_slope": ("alpha", "slope"),
    "dim": ("axis",),
    "p": ("rate", "prob", "drop_prob", "dropout"),
    "training": ("train", "is_training"),
    "num_groups": ("groups", "G", "g"),
    "eps": ("epsilon",),
    "margin": ("delta",),
    "normalized_shape": ("shape",),
}

#: What a function may take and what stands for every array in a report.
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Arguments(NamedTuple):
    """The arguments of a call, and those of its arrays that must stay as they are."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    watched: dict[str, Any]


@dataclass(frozen=True)
class Style:
    """How one function is called.

    Attributes:
        operation: what it should compute.
        accepts: the arguments that it takes.
        shown: the call as it would be written.
    """

    operation: Operation
    make: Callable[[Array], Any] | None = None
    accepts: frozenset[str] = frozenset()
    cached: bool = False

    def prepared(self, value: Any) -> Any:
        """An array as the function takes it: a copy, in the course's array type."""
        if not isinstance(value, np.ndarray):
            return value
        return value.copy() if self.make is None else self.make(value.copy())


@dataclass(frozen=True)
class TorchStyle(Style):
    """Arrays and options one by one.

    Attributes:
        order: the argument that each parameter stands for, in the function's order.
        names: what the function calls them.
        keywords: the same for parameters that are passed by name.
    """

    order: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    keywords: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, given: Given, upstream: Any = None) -> Arguments:
        """The arguments of a call; `upstream` is None for the forward pass."""
        values = {**given.arrays, **given.options, "dout": upstream}
        made = {name: self.prepared(values[name]) for name in (*self.order, *self.keywords)}
        args = tuple(made[name] for name in self.order)
        kwargs = {parameter: made[name] for name, parameter in self.keywords.items()}
        watched = {
            name: value
            for name, value in made.items()
            if name in given.arrays or name == "dout"
            if name not in self.operation.changing
        }
        return Arguments(args, kwargs, watched)

    def shown(self, name: str, given: Given) -> str:
        """The call as a line of Python."""
        values = {**given.arrays, **given.options}
        arrays = {*given.arrays, "dout"}
        parts = []
        for one, parameter in zip(self.order, self.names or self.order, strict=True):
            word = self._word(one, values, arrays)
            parts.append(word if one in arrays else f"{parameter}={word}")
        parts += [
            f"{parameter}={self._word(one, values, arrays)}"
            for one, parameter in self.keywords.items()
        ]
        return f"{name}({', '.join(parts)})"

    def _word(self, one: str, values: Mapping[str, Any], arrays: set[str]) -> str:
        if one in arrays:
            return "None" if one != "dout" and values[one] is None else one
        return repr(values[one])


def torch_style(
    function: Callable[..., Any],
    operation: Operation,
    backward: bool,
    make: Callable[[Array], Any] | None,
) -> TorchStyle:
    """How a function of separate arguments takes those of an operation.

    Raises:
        UsageError: if a parameter stands for nothing the operation has, or an array that
            the operation needs is not taken.
    """
    leading = ("dout",) if backward else ()
    known = (*leading, *operation.arrays, *operation.options)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature: all in PyTorch's order
        return TorchStyle(operation, make, frozenset({*known, "b=None"}), order=known)
    plain = [one for one in parameters if one.kind in _POSITIONAL]
    by_name = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
    everything = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
    any_option = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    if backward and operation.loss and not _has_upstream(plain, operation, everything):
        known = known[1:]
    meant = _meant([*plain, *by_name], known, operation)
    order: list[str] = []
    names: list[str] = []
    keywords: dict[str, str] = {}
    for parameter in plain:
        if parameter.name in meant and not keywords and len(order) == plain.index(parameter):
            order.append(meant[parameter.name])
            names.append(parameter.name)
        elif parameter.name in meant:
            keywords[meant[parameter.name]] = parameter.name
        elif parameter.default is inspect.Parameter.empty:
            raise UsageError(
                f"{_name(function)}: the parameter `{tame(parameter.name, 60)}` stands for none "
                f"of {listed(known, 'or')} (help: wrap it in a function that takes these)"
            )
    for parameter in by_name:
        if parameter.name in meant:
            keywords[meant[parameter.name]] = parameter.name
    taken = {*order, *keywords}
    rest = [one for one in known if one not in taken]
    if everything:  # by position, and what has a name of its own by name if names are taken
        more = [one for one in rest if not (any_option and one in operation.options)]
        order, names = order + more, names + more
    if any_option:
        keywords |= {one: one for one in rest if one not in order}
    accepts = frozenset({*order, *keywords, *_may_be_none(parameters, meant)})
    missing = [
        one
        for one in known
        if one not in accepts and one not in operation.optional and not _option(one, operation)
    ]
    if "kernel_size" in known and "kernel_size" not in accepts:
        missing.append("kernel_size")
    if missing:
        raise UsageError(
            f"{_name(function)}: must take {listed(missing)} "
            f"(help: the arguments of {operation.name} are {', '.join(known)})"
        )
    return TorchStyle(
        operation, make, accepts, order=tuple(order), names=tuple(names), keywords=keywords
    )


def _may_be_none(parameters: Sequence[inspect.Parameter], meant: Mapping[str, str]) -> list[str]:
    """``b=None`` for a parameter whose default is None: it may be left out."""
    return [
        f"{meant[one.name]}=None" for one in parameters if one.name in meant and one.default is None
    ]


def _option(name: str, operation: Operation) -> bool:
    return name in operation.options


def _has_upstream(
    plain: Sequence[inspect.Parameter], operation: Operation, everything: bool
) -> bool:
    """Whether a loss' backward function takes the upstream gradient, which is 1."""
    if everything or not plain:
        return False
    if plain[0].name == "dout" or plain[0].name in SYNONYMS["dout"]:
        return True
    needed = [one for one in plain if one.default is inspect.Parameter.empty]
    return len(needed) > len(operation.arrays)


def _meant(
    parameters: Sequence[inspect.Parameter], known: Sequence[str], operation: Operation
) -> dict[str, str]:
    """The argument that each parameter stands for: by name, and then by order."""
    found: dict[str, str] = {}
    for exact in (True, False):
        for parameter in parameters:
            if parameter.name in found:
                continue
            for name in known:
                if name in found.values():
                    continue
                names = (name,) if exact else (name.lower(), *SYNONYMS.get(name, ()))
                if parameter.name in names:
                    found[parameter.name] = name
                    break
    left = [name for name in known if name not in found.values()]
    for parameter in parameters:
        required = parameter.default is inspect.Parameter.empty
        unknown = parameter.name not in found and parameter.kind in _POSITIONAL
        if unknown and required and left:
            found[parameter.name] = left.pop(0)
    return found


def _name(function: Callable[..., Any]) -> str:
    return tame(getattr(function, "__name__", type(function).__name__), 60)
