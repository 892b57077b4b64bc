"""How long each layer would take on a device at best, and what holds it back.

A layer that computes F FLOPs and moves B bytes (inputs, weights and output, once
each) takes at least ``max(F/peak, B/bandwidth)``. Its arithmetic intensity F/B
against the device's ridge ``peak/bandwidth`` says which of the two it is: below
the ridge it waits for memory, above it for arithmetic.

An estimate from below: no launch times, no caches that keep a map between layers,
every layer by itself.

Source: Williams, Waterman and Patterson, "Roofline: an insightful visual
performance model for multicore architectures", 2009.
"""

import math
import re
from typing import NamedTuple

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.analyses.memory import DTYPES, Setting
from cnncalc.diagnostic import nearest
from cnncalc.errors import NotationError


class Device(NamedTuple):
    """A device: FLOP/s by type, bytes/s of its memory, and who says so."""

    name: str
    peak: dict[str, float]
    bandwidth: float
    source: str


def _device(name: str, bandwidth: float, source: str, **peak: float) -> Device:
    return Device(name, {dtype: value * 1e12 for dtype, value in peak.items()}, bandwidth, source)


#: Dense peaks without sparsity, in TFLOP/s; float32 on the ordinary cores (no TF32), the
#: 16-bit types and int8 on the tensor cores.
DEVICES = {
    device.name: device
    for device in (
        _device(
            "h100", 3.35e12, "NVIDIA H100 SXM5 datasheet",
            float64=34.0, float32=67.0, float16=989.4, bfloat16=989.4, int8=1978.9,
        ),
        _device(
            "a100", 2.039e12, "NVIDIA A100 80GB SXM datasheet",
            float64=9.7, float32=19.5, float16=312.0, bfloat16=312.0, int8=624.0,
        ),
        _device(
            "v100", 0.9e12, "NVIDIA V100 SXM2 datasheet",
            float64=7.8, float32=15.7, float16=125.0,
        ),
        _device("t4", 0.32e12, "NVIDIA T4 datasheet", float32=8.1, float16=65.0, int8=130.0),
    )
}  # fmt: skip

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}


class Bound(NamedTuple):
    """A layer on a device.

    Attributes:
        flops: per batch.
        bytes: inputs, weights and output, once each.
        intensity: FLOPs for each byte.
        seconds: the least it can take.
        limit: ``compute``, ``memory``, or ``none`` for a layer that does nothing.
    """

    name: str
    flops: int
    bytes: int
    intensity: float
    seconds: float
    limit: str


def parse_device(text: str) -> Device:
    """A device by name, or ``PEAK,BANDWIDTH`` such as ``19.5TFLOP/s,2TB/s``.

    Raises:
        NotationError: if it is neither.

    >>> parse_device("500GFLOP/s, 50GB/s").bandwidth
    50000000000.0
    """
    if text.lower() in DEVICES:
        return DEVICES[text.lower()]
    parts = [part.strip() for part in text.split(",")]
    rates = [_rate(part, unit) for part, unit in zip(parts, ("flop/s", "b/s"), strict=False)]
    if len(parts) != 2 or None in rates:
        known = ", ".join(DEVICES)
        raise NotationError(
            f"no device profile {text[:60]!r}",
            nearest(text.lower(), DEVICES)
            or f"one of {known}, or your own: 19.5TFLOP/s,2TB/s (peak, bandwidth)",
        )
    peak, bandwidth = (rate or 0.0 for rate in rates)
    return Device(text, dict.fromkeys(DTYPES, peak), bandwidth, "given on the command line")


def _rate(text: str, unit: str) -> float | None:
    match = re.fullmatch(r"([0-9.]{1,20})\s*([kmgtp]?)(?:flops|flop/s|b/s)", text.lower())
    if match is None or (unit == "b/s") != text.lower().endswith("b/s"):
        return None
    try:
        value = float(match[1]) * _PREFIXES[match[2]]
    except ValueError:
        return None
    return value if 0 < value < math.inf else None


def roofline(analysis: Analysis, device: Device, setting: Setting) -> list[Bound]:
    """Each layer of a network on a device.

    Raises:
        NotationError: if the device has no peak for the type, or an extent is symbolic.
    """
    if setting.dtype not in device.peak:
        raise NotationError(
            f"the profile of {device.name} has no peak for {setting.dtype}",
            "it has " + ", ".join(device.peak),
        )
    if not isinstance(analysis.totals.flops, int):
        raise NotationError(
            "a symbolic input has no time on a device", "give the input's extents as numbers"
        )
    return [_bound(layer, device, setting) for layer in analysis.layers]


def _bound(layer: LayerAnalysis, device: Device, setting: Setting) -> Bound:
    asked = layer.node.layer
    # A view moves nothing, and in evaluation a dropout is the identity.
    idle = asked is None or asked.view or (asked.in_place and layer.flops == 0)
    read = sum(shape.elements for shape in layer.local.inputs)
    values = 0 if idle else read + layer.local.elements
    size = DTYPES[setting.dtype]
    weights = sum(math.prod(shape) for shape in layer.local.weights.values())
    moved = size * (setting.batch * values + weights)
    flops = setting.batch * layer.flops
    computing, moving = flops / device.peak[setting.dtype], moved / device.bandwidth
    limit = "none" if moved == 0 else "compute" if computing > moving else "memory"
    return Bound(
        layer.name,
        flops,
        moved,
        flops / moved if moved else 0.0,
        max(computing, moving),
        limit,
    )
