"""Where a function computes: its arrays are brought there before, and its result stays."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from cnncalc.kernels.binding import DEVICE, DEVICES, checked_choice

__all__ = ["on_any_device"]


def on_any_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which with ``device="cuda"`` takes NumPy's arrays and those on a device."""

    @wraps(function)
    def called(*given: Any, device: str = "cpu", **named: Any) -> Any:
        if device == "cpu":
            return function(*given, **named)
        checked_choice(device, "device", DEVICES)
        # A device that cannot be used is refused here, before its modules are imported.
        import_module("cnncalc.kernels.cuda.launching").require()
        there = import_module("cnncalc.kernels.cuda.arrays").brought
        names = (f"argument {place + 1}" for place in range(len(given)))
        token = DEVICE.set(device)
        try:
            brought = [there(value, name) for value, name in zip(given, names, strict=True)]
            options = {name: there(value, name) for name, value in named.items()}
            return function(*brought, device=device, **options)
        finally:
            DEVICE.reset(token)

    return called
