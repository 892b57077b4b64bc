"""CS231n's functions: ``NAME_forward(x, ..., PARAM)`` gives (out, cache), and so on.

Source: CS231n, assignment 2, ``cs231n/layers.py`` (2018 to 2026).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cnncalc.testing.operations.base import Given
from cnncalc.testing.styles import Arguments, Style


class Layer(NamedTuple):
    """One of the course's layers.

    Attributes:
        operation: in `cnncalc.testing.operations`.
        arrays: what is passed as it is.
        parameter: the name of the dictionary of options, "" if there is none.
        options: that dictionary, of the case's arguments.
        cache: what the skeleton puts into the cache, if it says so: names of arguments.
        returned: what a call changes in the dictionary.
    """

    operation: str
    arrays: tuple[str, ...]
    parameter: str = ""
    options: Callable[[Given], dict[str, Any]] | None = None
    cache: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


def _conv(g: Given) -> dict[str, Any]:
    return {"stride": g["stride"], "pad": g["padding"]}


def _pool(g: Given) -> dict[str, Any]:
    size = g["kernel_size"]
    height, width = (size, size) if isinstance(size, int) else size
    return {"pool_height": height, "pool_width": width, "stride": g["stride"]}


def _bn(g: Given) -> dict[str, Any]:
    return {
        "mode": "train" if g["training"] else "test",
        "eps": g["eps"],
        "momentum": g["momentum"],
        "running_mean": g["running_mean"].copy(),
        "running_var": g["running_var"].copy(),
    }


def _ln(g: Given) -> dict[str, Any]:
    return {"eps": g["eps"]}


def _dropout(g: Given) -> dict[str, Any]:
    return {"p": g["p"], "mode": "train" if g["training"] else "test", "seed": 231}


_RUNNING = ("running_mean", "running_var")
_SCALED = ("x", "gamma", "beta")

#: By the stem of the functions' names.
LAYERS: Mapping[str, Layer] = {
    "affine": Layer("affine", ("x", "w", "b"), cache=("x", "w", "b")),
    "relu": Layer("relu", ("x",), cache=("x",)),
    "conv": Layer("conv2d", ("x", "w", "b"), "conv_param", _conv, ("x", "w", "b", "conv_param")),
    "max_pool": Layer("max_pool2d", ("x",), "pool_param", _pool, ("x", "pool_param")),
    "batchnorm": Layer("batchnorm", _SCALED, "bn_param", _bn, returned=_RUNNING),
    "spatial_batchnorm": Layer("spatial_batchnorm", _SCALED, "bn_param", _bn, returned=_RUNNING),
    "layernorm": Layer("layernorm", _SCALED, "ln_param", _ln),
    "spatial_groupnorm": Layer("spatial_groupnorm", (*_SCALED, "num_groups"), "gn_param", _ln),
    "dropout": Layer("dropout", ("x",), "dropout_param", _dropout),
    "softmax_loss": Layer("cross_entropy", ("x", "y")),
    "svm_loss": Layer("hinge_loss", ("x", "y")),
}

#: The layer of an operation of `cnncalc.functional`.
OF_OPERATION = {
    "linear": "affine",
    "batch_norm": "spatial_batchnorm",
    "layer_norm": "layernorm",
    "group_norm": "spatial_groupnorm",
    **{layer.operation: stem for stem, layer in LAYERS.items()},
}

#: Operations that have no other form.
ONLY_HERE = ("batchnorm", "spatial_batchnorm", "layernorm", "spatial_groupnorm")

_ENDINGS = ("_forward_naive", "_backward_naive", "_backward_alt", "_forward", "_backward", "")


def stem(name: str) -> str | None:
    """The stem of a function's name, if it is one of the course's.

    >>> stem("conv_forward_naive"), stem("svm_loss"), stem("conv2d")
    ('conv', 'svm_loss', None)
    """
    for ending in _ENDINGS:
        if name.endswith(ending) and name[: len(name) - len(ending)] in LAYERS:
            return name[: len(name) - len(ending)]
    return None


@dataclass(frozen=True)
class Cs231nStyle(Style):
    """Arrays and a dictionary of options."""

    layer: Layer = LAYERS["affine"]

    def arguments(self, given: Given, upstream: Any = None) -> Arguments:
        """The arguments of a forward call."""
        made = {name: self.prepared(given[name]) for name in self.layer.arrays}
        args = [*made.values()]
        if self.layer.options is not None:
            args.append(self.layer.options(given))
        watched = {name: value for name, value in made.items() if name in given.arrays}
        return Arguments(tuple(args), {}, watched)

    def cache(self, arguments: Arguments) -> Any:
        """The cache that the skeleton asks for; None where it is left to the student."""
        values = dict(zip((*self.layer.arrays, self.layer.parameter), arguments.args, strict=False))
        if not self.layer.cache:
            return None
        found = tuple(values[name] for name in self.layer.cache)
        return found[0] if len(found) == 1 else found

    def shown(self, name: str, given: Given) -> str:
        """The call as a line of Python."""
        return f"{name}({', '.join(self._words(given).values())})"

    def shown_cache(self, given: Given) -> str:
        """What the skeleton puts into the cache, in Python."""
        words = self._words(given)
        found = [words[name] for name in self.layer.cache]
        return found[0] if len(found) == 1 else f"({', '.join(found)})"

    def _words(self, given: Given) -> dict[str, str]:
        """Each argument as it would be written."""
        words = {one: one if one in given.arrays else repr(given[one]) for one in self.layer.arrays}
        if self.layer.options is not None:
            options = [
                f"{key!r}: {key if key in _RUNNING else repr(value)}"
                for key, value in self.layer.options(given).items()
            ]
            words[self.layer.parameter] = "{" + ", ".join(options) + "}"
        return words
