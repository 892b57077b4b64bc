"""Values to models: pydantic decides, but only where a doubt is left.

Every layer (and the header of a spec) is a dataclass whose annotations are
pydantic's; `pydantic_model` makes the model of it, with strict types and unknown
keys forbidden. Importing pydantic takes as long as everything else a report
does (benchmarks/cold_start.py prints it), so values that are evidently right
are taken as they are, and pydantic is loaded for the others, to say what is
wrong, and for the JSON Schema. tests/spec/test_models.py holds the two to agree.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from cnncalc.layers.fields import Bound, Says

if TYPE_CHECKING:
    from pydantic import BaseModel

    _F = TypeVar("_F", bound=Callable[..., Any])

    def cached(function: _F) -> _F:
        """`functools.cache` that keeps the signature: mypy takes classes for unhashable."""

else:
    from functools import cache as cached

_Model = TypeVar("_Model")
_Test = Callable[[Any], bool]

#: The class of a dataclass.
Dataclass = Any


class Problem(NamedTuple):
    """What is wrong with one option.

    Attributes:
        path: the option, then the position inside a list, if that is known.
        message: one sentence.
    """

    path: tuple[str | int, ...]
    message: str


def build(model: type[_Model], values: Mapping[str, Any]) -> _Model | list[Problem]:
    """A model from its options, or what is wrong with them."""
    tests = _evident(model)
    evident = tests.required <= values.keys() and all(
        name in tests.accepts and tests.accepts[name](value) for name, value in values.items()
    )
    if evident:
        return model(**values)
    judged: _Model | list[Problem] = _judge(model, values)
    return judged


class _Evident(NamedTuple):
    accepts: dict[str, _Test]
    required: frozenset[str]


@cached
def _evident(model: Dataclass) -> _Evident:
    """A test for each option that accepts only what pydantic would accept too."""
    options = fields(model)
    return _Evident(
        {option.name: _acceptance(option.type) for option in options},
        frozenset(
            option.name
            for option in options
            if option.default is MISSING and option.default_factory is MISSING
        ),
    )


def _never(value: Any) -> bool:
    return False


@cached
def _acceptance(annotation: Any) -> _Test:
    origin: Any = get_origin(annotation)
    arguments: tuple[Any, ...] = get_args(annotation)
    if origin is Annotated:
        inner = _acceptance(arguments[0])
        bounds = [bound for bound in map(_bound, arguments[1:]) if bound is not None]
        if not bounds:
            return inner
        return lambda value: inner(value) and all(bound(value) for bound in bounds)
    if origin in (Union, UnionType):
        choices = [_acceptance(argument) for argument in arguments]
        return lambda value: any(choice(value) for choice in choices)
    if origin is Literal:
        return lambda value: type(value) in (str, int) and value in arguments
    if origin is tuple:
        return _tuple_acceptance(arguments)
    exact = {
        int: _is_whole,
        bool: _is(bool),
        str: _is(str),
        float: _is_real,
        NoneType: _is(NoneType),
    }
    return exact.get(annotation, _never)


def _tuple_acceptance(arguments: tuple[Any, ...]) -> _Test:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = _acceptance(arguments[0])
        return lambda value: type(value) is tuple and all(map(each, value))
    parts = [_acceptance(argument) for argument in arguments]
    return lambda value: (
        type(value) is tuple
        and len(value) == len(parts)
        and all(part(entry) for part, entry in zip(parts, value, strict=True))
    )


def _is(wanted: type) -> _Test:
    return lambda value: type(value) is wanted


def _is_whole(value: Any) -> bool:
    # An expression in the symbols of the input stands for a positive integer.
    return type(value) is int or is_symbolic(value)


def _is_real(value: Any) -> bool:
    return type(value) in (int, float)


def _bound(metadata: Any) -> _Test | None:
    if not isinstance(metadata, Bound):
        return None
    holds, limit = getattr(operator, metadata.relation), metadata.limit
    return lambda value: is_symbolic(value) or holds(value, limit)


def is_symbolic(value: Any) -> bool:
    """Whether a value is a SymPy expression (SymPy need not be imported to ask)."""
    return type(value).__module__.startswith("sympy")


@cached
def pydantic_model(model: Dataclass) -> "type[BaseModel]":
    """The pydantic model of a dataclass: strict types, unknown keys forbidden."""
    from pydantic import ConfigDict, create_model

    options: dict[str, Any] = {
        option.name: (option.type, ... if option.default is MISSING else option.default)
        for option in fields(model)
    }
    config = ConfigDict(strict=True, extra="forbid", frozen=True)
    created: type[BaseModel] = create_model(model.__name__, __config__=config, **options)
    return created


def _judge(model: Dataclass, values: Mapping[str, Any]) -> Any:
    """Pydantic's verdict, in the project's words."""
    from pydantic import ValidationError

    names = {option.name: option for option in fields(model)}
    try:
        pydantic_model(model).model_validate(
            {name: _concrete(value) for name, value in values.items()}
        )
    except ValidationError as error:
        # A union reports each of its failed members: one problem per option is enough,
        # and the deepest location points best.
        worst: dict[str, tuple[str | int, ...]] = {}
        for detail in error.errors(include_url=False, include_input=False):
            name = str(detail["loc"][0])
            inside = [part for part in detail["loc"][1:] if isinstance(part, int)]
            path: tuple[str | int, ...] = (name, *inside)
            if len(path) >= len(worst.get(name, ())):
                worst[name] = path
        return [
            Problem(
                path, _sentence(name, names[name].type if name in names else None, values, path)
            )
            for name, path in worst.items()
        ]
    return model(**values)


def _concrete(value: Any) -> Any:
    """A value pydantic can judge: symbols stand for positive integers."""
    if isinstance(value, tuple):
        return tuple(map(_concrete, value))
    return 1 if is_symbolic(value) else value


def _sentence(
    name: str, annotation: Any, values: Mapping[str, Any], path: tuple[str | int, ...]
) -> str:
    if annotation is None:
        return f"unknown option `{name}`"
    if name not in values:
        return f"`{name}` is missing: it must be {describe(annotation)}"
    return f"`{name}` must be {describe(annotation)}, got {shown(values[name])}"


def describe(annotation: Any) -> str:
    """The allowed values in words: the annotation's own `Says`."""
    says = [part.text for part in get_args(annotation) if isinstance(part, Says)]
    if says:
        return says[0]
    members = [
        describe(member) for member in get_args(annotation) if get_origin(member) is Annotated
    ]
    return members[0] if members else "another kind of value"


def shown(value: Any) -> str:
    """A value as a spec writes it.

    >>> shown((3, (1, 2), None, True, "a b"))
    "[3, [1, 2], nothing, true, 'a b']"
    """
    if isinstance(value, tuple):
        text = "[" + ", ".join(map(shown, value[:8])) + (", ...]" if len(value) > 8 else "]")
    elif isinstance(value, bool):
        text = str(value).lower()
    elif value is None:
        text = "nothing"
    else:
        text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
