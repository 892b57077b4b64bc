"""Which module computes a family of operations, imported on first use.

A tier is a folder: ``cnncalc/kernels/<device>/<tier>/<family>.py``. The fast tier
falls back on the plain one, function by function, so a fast module holds only what it
does better. Both tiers define the same functions with the same arguments.
"""

from contextvars import ContextVar
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

TIERS: Final = ("fast", "plain")
DEVICES: Final = ("cpu", "cuda")

#: The tier of this context; `cnncalc.functional.tier` sets it.
TIER: ContextVar[str] = ContextVar("tier", default="fast")

#: The device of the call in progress, whose arrays the checks let pass.
DEVICE: ContextVar[str] = ContextVar("device", default="cpu")


class Kernels:
    """The functions of a family, each from the first module that has it."""

    def __init__(self, family: str, modules: tuple[ModuleType, ...]) -> None:
        self._family = family
        self._modules = modules

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            if hasattr(module, name):
                function = getattr(module, name)
                setattr(self, name, function)
                return function
        raise AttributeError(f"the kernels of {self._family!r} have no function {name!r}")


def kernel(family: str, device: str = "cpu", tier: str | None = None) -> Kernels:
    """The functions of `family` on `device`, in the tier of the context unless one is given.

    Raises:
        ValueError: for a device or tier that there is not.
        DeviceError: for a device that cannot be used here, saying what to install.
        LookupError: for a family that there is not.
    """
    return _kernel(family, device, TIER.get() if tier is None else tier)


@cache
def _kernel(family: str, device: str, tier: str) -> Kernels:
    checked_choice(device, "device", DEVICES)
    checked_choice(tier, "tier", TIERS)
    if device == "cuda":
        import_module("cnncalc.kernels.cuda.launching").require()
    tried = TIERS[TIERS.index(tier) :]
    found = (_module(f"cnncalc.kernels.{device}.{each}.{family}") for each in tried)
    modules = tuple(module for module in found if module is not None)
    if not modules:
        raise LookupError(f"no kernels for {family!r} on {device!r} in the tier {tier!r}")
    return Kernels(family, modules)


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def chosen_device(device: str) -> str:
    """The device that "auto" stands for here: "cuda" where it can be used, else "cpu"."""
    checked_choice(device, "device", ("auto", *DEVICES))
    if device != "auto":
        return device
    return "cuda" if import_module("cnncalc.kernels.cuda.launching").available() else "cpu"


def checked_choice(value: object, name: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is not one of `choices`."""
    if value not in choices:
        allowed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{name}: must be {allowed}, got {value!r}")
