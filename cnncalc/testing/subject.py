"""The function under test, with all it takes to call it on a case and read its results."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing import cs231n
from cnncalc.testing.calling import Called, call
from cnncalc.testing.comparing import Fault
from cnncalc.testing.cs231n import Cs231nStyle
from cnncalc.testing.failure import UsageError
from cnncalc.testing.operations import NAMES, operation
from cnncalc.testing.operations.base import Given, Operation
from cnncalc.testing.styles import Arguments, TorchStyle, torch_style
from cnncalc.testing.text import listed, number, tame

STYLES = ("torch", "cs231n")


class Ran(NamedTuple):
    """The results of a call by name, or what is wrong with the call itself.

    Attributes:
        results: as they were returned, made NumPy arrays where they can be.
        fault: why there are none, or that an argument was changed.
        forward: the output of the forward pass that a backward pass needed.
    """

    results: Mapping[str, Any]
    fault: Fault | None = None
    forward: Any = None


@dataclass(frozen=True)
class Subject:
    """A student's function.

    Attributes:
        function: the one under test.
        style: how it, or the forward function, takes its arguments.
        backward: whether it computes gradients.
        forward: the function that makes the cache of a backward one.
        cached: whether the backward function takes (dout, cache).
        limit: seconds for a call.
        seed: of the global random generators.
    """

    function: Callable[..., Any]
    style: TorchStyle | Cs231nStyle
    backward: bool
    forward: Callable[..., Any] | None
    cached: bool
    limit: float
    seed: int

    @property
    def name(self) -> str:
        """What the function is called."""
        return _named(self.function)

    @property
    def operation(self) -> Operation:
        """What it should compute."""
        return self.style.operation

    @property
    def exact(self) -> bool:
        """Whether CS231n's rules hold."""
        return isinstance(self.style, Cs231nStyle)

    def shown(self, given: Given, upstream: Any) -> str:
        """The call in Python; in two lines where another makes the cache."""
        if not self.cached:
            return self.style.shown(self.name, given)
        if self.forward is not None:
            first = f"out, cache = {self.style.shown(_named(self.forward), given)}"
        elif isinstance(self.style, Cs231nStyle):
            first = f"cache = {self.style.shown_cache(given)}"
        return f"{first}\n{self.name}(dout, cache)"

    def run(self, given: Given, upstream: Any, wanted: Mapping[str, Array], quiet: bool) -> Ran:
        """Call the function on a case.

        Args:
            given: the arguments.
            upstream: the gradient of the output, None for a forward pass.
            wanted: what it should give, for its names and number.
            quiet: whether what it prints is swallowed.
        """
        if not self.backward:
            return self._run_forward(self.function, given, wanted, quiet)
        if self.cached:
            return self._run_cached(given, upstream, wanted, quiet)
        if self.exact:  # a loss of CS231n: (loss, gradient)
            return self._run_loss(given, wanted, quiet)
        arguments = self.style.arguments(given, upstream)
        called = self._call(self.function, arguments.args, arguments.kwargs, quiet)
        fault = _broken(called, self.limit) or _changed(arguments, given, upstream)
        if fault is not None:
            return Ran({}, fault)
        return self._gradients(called.value, wanted)

    def _call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        quiet: bool,
    ) -> Called:
        return call(function, args, kwargs, limit=self.limit, quiet=quiet, seed=self.seed)

    def _run_forward(
        self,
        function: Callable[..., Any],
        given: Given,
        wanted: Mapping[str, Array],
        quiet: bool,
    ) -> Ran:
        arguments = self.style.arguments(given)
        called = self._call(function, arguments.args, arguments.kwargs, quiet)
        fault = _broken(called, self.limit) or _changed(arguments, given, None)
        if fault is not None:
            return Ran({}, fault)
        value = called.value
        if self.exact and not (isinstance(value, tuple | list) and len(value) == 2):
            what = "(loss, dx)" if self.operation.loss else "(out, cache)"
            return Ran({}, _returned(f"the pair {what} is expected, got {_sort(value)}."))
        if isinstance(value, tuple | list) and value:
            value = value[0]
        results = {"out": plain(value)}
        if isinstance(self.style, Cs231nStyle) and self.style.layer.returned:
            results |= _kept(arguments.args[-1], self.style.layer.returned)
        return Ran(results)

    def _run_loss(self, given: Given, wanted: Mapping[str, Array], quiet: bool) -> Ran:
        arguments = self.style.arguments(given)
        called = self._call(self.function, arguments.args, arguments.kwargs, quiet)
        fault = _broken(called, self.limit) or _changed(arguments, given, None)
        if fault is not None:
            return Ran({}, fault)
        if not isinstance(called.value, tuple | list) or len(called.value) != 2:
            line = f"the pair (loss, dx) is expected, got {_sort(called.value)}."
            return Ran({}, _returned(line))
        return self._gradients(called.value[1], wanted)

    def _run_cached(
        self, given: Given, upstream: Any, wanted: Mapping[str, Array], quiet: bool
    ) -> Ran:
        """The forward function for the cache, and then the backward one."""
        arguments = self.style.arguments(given)
        out: Any = None
        if self.forward is None:
            cache = self.style.cache(arguments) if isinstance(self.style, Cs231nStyle) else None
        else:
            called = self._call(self.forward, arguments.args, arguments.kwargs, quiet)
            fault = _broken(called, self.limit)
            if fault is None and not (isinstance(called.value, tuple) and len(called.value) == 2):
                line = f"the pair (out, cache) is expected, got {_sort(called.value)}."
                fault = _returned(line)
            if fault is not None:
                lines = ("The forward function, which makes the cache, fails:", *fault.lines)
                return Ran({}, Fault(fault.sort, "", lines, detail=fault.detail))
            out, cache = plain(called.value[0]), called.value[1]
        grad = self.style.prepared(upstream)
        called = self._call(self.function, (grad, cache), {}, quiet)
        watched = {**arguments.watched, "dout": grad}
        again = Arguments((), {}, watched)
        fault = _broken(called, self.limit) or _changed(again, given, upstream)
        if fault is not None:
            return Ran({}, fault, out)
        return self._gradients(called.value, wanted)._replace(forward=out)

    def _gradients(self, value: Any, wanted: Mapping[str, Array]) -> Ran:
        """Gradients by name, of what a backward function returned."""
        every = [f"d{name}" for name in self.operation.differentiable]
        names = [name for name in every if name in wanted]
        if isinstance(value, Mapping):
            return Ran({name: plain(value.get(name)) for name in names})
        several = isinstance(value, tuple | list)
        values = list(value) if several else [value]
        if len(values) == len(every):
            names = every
        if len(values) != len(names):
            line = (
                f"{len(names)} gradient{'s are' if len(names) > 1 else ' is'} expected, "
                f"{listed(names)}; got {_sort(value)}."
            )
            return Ran({}, _returned(line))
        found = {name: plain(one) for name, one in zip(names, values, strict=True)}
        return Ran({name: found[name] for name in names if name in wanted})


def subject(
    function: Callable[..., Any],
    name: str,
    *,
    backward: bool,
    forward: Callable[..., Any] | None = None,
    style: str | None = None,
    make: Callable[[Array], Any] | None = None,
    limit: float = 10.0,
    seed: int = 0,
) -> Subject:
    """The function under test, its style told by its name and parameters if not given.

    Raises:
        UsageError: for an unknown operation or style, or a function that cannot be called so.
    """
    if not callable(function):
        raise UsageError(f"the function under test: must be callable, got {_sort(function)}")
    if style is not None and style not in STYLES:
        raise UsageError(f"style: must be one of {', '.join(STYLES)}, got {style!r}")
    stem = cs231n.stem(name)
    if style is None:
        own = stem is not None and name not in NAMES
        style = "cs231n" if own else _style(function, forward, name)
    if style == "cs231n":
        stem = stem if stem is not None else cs231n.OF_OPERATION.get(name)
    if style == "torch" or stem is None:
        asked = operation(cs231n.LAYERS[stem].operation if stem and name not in NAMES else name)
        return _separate(function, asked, backward, forward, make, limit, seed)
    layer = cs231n.LAYERS[stem]
    asked = operation(layer.operation)
    accepts = frozenset({*asked.arrays, "stride", "padding", "kernel_size", "p", "training"})
    if layer.operation not in ("linear", "affine", "relu", "conv2d"):
        accepts = accepts - {"padding"}
    taken = Cs231nStyle(asked, make, accepts, layer=layer)
    cached = backward and not asked.loss
    if cached and forward is None and not layer.cache:
        raise UsageError(
            f"forward: {name} keeps in its cache what the student chose; give the forward function"
        )
    return Subject(function, taken, backward, forward, cached, limit, seed)


def _separate(
    function: Callable[..., Any],
    asked: Operation,
    backward: bool,
    forward: Callable[..., Any] | None,
    make: Callable[[Array], Any] | None,
    limit: float,
    seed: int,
) -> Subject:
    """A function of separate arguments, or the backward half of a pair that shares a cache."""
    cached = backward and (forward is not None or _parameters(function)[1:] == ["cache"])
    if not cached:
        if backward and asked.name == "dropout":
            raise UsageError("forward: the gradient of dropout needs the mask of a forward call")
        taken = torch_style(function, asked, backward, make)
        return Subject(function, taken, backward, None, False, limit, seed)
    if forward is None:
        raise UsageError(
            "forward: a backward function that takes (dout, cache) needs the forward function"
        )
    taken = torch_style(forward, asked, False, make)
    return Subject(function, taken, backward, forward, True, limit, seed)


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _style(function: Callable[..., Any], forward: Callable[..., Any] | None, name: str) -> str:
    """CS231n's where names say so: a function's, ``conv_param`` or, with a known one, ``cache``."""
    known = cs231n.OF_OPERATION.get(name)
    if known is None:
        return "torch"
    if name in cs231n.ONLY_HERE:
        return "cs231n"
    layer = cs231n.LAYERS[known]
    for one in (function, forward):
        named = getattr(one, "__name__", "")
        if one is not None and layer.parameter and layer.parameter in _parameters(one):
            return "cs231n"
        if cs231n.stem(named) is not None and named not in NAMES:
            return "cs231n"
    if forward is None and layer.cache and _parameters(function)[1:] == ["cache"]:
        return "cs231n"
    return "torch"


def plain(value: Any) -> Any:
    """A result as a NumPy array, if it is one of another library."""
    if isinstance(value, np.ndarray | int | float | list | tuple) or value is None:
        return value
    for step in ("detach", "cpu"):  # PyTorch's tensors, on any device
        if hasattr(value, step):
            value = getattr(value, step)()
    if isinstance(value, np.generic):
        return np.asarray(value)
    return np.asarray(value) if hasattr(value, "__array__") else value


def _named(function: Callable[..., Any]) -> str:
    return tame(getattr(function, "__name__", type(function).__name__), 60)


def _sort(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"a {tame(type(value).__name__, 60)}"


def _returned(line: str) -> Fault:
    return Fault("returned", "", (f"What the function returns: {line}",))


def _broken(called: Called, limit: float) -> Fault | None:
    """What kept a call from returning."""
    if called.late:
        line = f"The call took more than {number(limit, 4)} s and was stopped."
        return Fault("late", "", (line,))
    if called.error:
        return Fault("raised", "", tuple(called.error.splitlines()), detail=called.kind)
    return None


def _changed(arguments: Arguments, given: Given, upstream: Any) -> Fault | None:
    """Whether the function has written into its inputs."""
    for name, value in arguments.watched.items():
        before = upstream if name == "dout" else given[name]
        if before is None or not isinstance(before, np.ndarray):
            continue
        now = plain(value)
        if not isinstance(now, np.ndarray) or not np.array_equal(now, before, equal_nan=True):
            line = f"The function changes its argument {name}, which the caller still needs."
            return Fault("changed", name, (line,), detail=name)
    return None


def _kept(options: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: plain(options.get(name)) for name in names}
