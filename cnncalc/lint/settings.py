"""What a check is asked to do: which rules, how severe, which budgets, for which device."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnncalc.diagnostic import Severity

#: Where a rule is on; `--select` turns any rule on anywhere.
PROFILES = ("default", "course", "deploy")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run's configuration; selectors are codes (`F001`), names, or prefixes (`F`, `ALL`).

    Attributes:
        select: the rules to run, instead of the profile's.
        extend_select: rules to run besides those.
        ignore: rules not to run.
        severity: severities by code, instead of the rule's own.
        per_file_ignores: further rules not to run, by glob of the path.
        max_parameters, max_macs, max_activation_bytes: budgets (batch 1, float32).
        device: name of a device in `analyses.roofline.DEVICES`, or ``PEAK:BANDWIDTH``.
        dtype: the type the network is deployed in (`analyses.memory.DTYPES`).
        batch: examples at a time on the device.
        memory: bytes the device has for it.
        object_size: extent in pixels of the objects the network has to recognise.
    """

    profile: str = "default"
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_parameters: int | None = None
    max_macs: int | None = None
    max_activation_bytes: int | None = None
    device: str = ""
    dtype: str = "float32"
    batch: int = 1
    memory: int | None = None
    object_size: int | None = None


DEFAULT_SETTINGS = Settings()
