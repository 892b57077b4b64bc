"""Which kernels are launched with which types, for the compiler to try (test_simulator.py)."""

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cnncalc.kernels.cuda import launching

_launch = launching.launch
_seen: set[tuple[str, str, tuple[str, ...]]] = set()


def _typed(argument: Any) -> str:
    if isinstance(argument, tuple):
        return f"tuple {len(argument)}"
    if isinstance(argument, bool):
        return "boolean"
    if isinstance(argument, np.generic):
        return argument.dtype.name
    if hasattr(argument, "shape"):
        return f"{np.dtype(argument.dtype).name} {max(len(argument.shape), 1)}"
    return {int: "int64", float: "float64"}[type(argument)]


def _recorded(kernel: Any, count: int, *arguments: Any) -> None:
    function = kernel.py_func
    _seen.add((function.__module__, function.__qualname__, tuple(map(_typed, arguments))))
    _launch(kernel, count, *arguments)


launching.launch = _recorded  # before any module of kernels takes it


@pytest.fixture(scope="session", autouse=True)
def launches() -> Iterator[None]:
    yield
    path = os.environ.get("CNNCALC_LAUNCHES")
    if path:
        with open(path, "w") as file:
            json.dump(sorted(_seen), file)
