"""What a run is given beside its input: targets of losses, boxes of region layers.

What is not given is drawn, from the seed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnncalc.errors import RunError
from cnncalc.execution import randomness
from cnncalc.kernels.arguments import Array
from cnncalc.layers.base import Layer
from cnncalc.layers.region import RoiLayer
from cnncalc.notation import Shape

#: Losses by labels, and those against values.
LABELLED, DISTANCES = ("cross_entropy", "hinge"), ("l2", "smooth_l1")


class Extras:
    """Targets and boxes by the layers they are for.

    Args:
        targets: an array for the one loss there is, or arrays by the names of losses (of
            outputs, for a loss that is put behind them).
        boxes: the same for region layers: (maps, regions, 4), or (regions, 4) for every map,
            of (x1, y1, x2, y2) in the coordinates of the image.
        seed: of what is drawn.
        dtype: of values.
    """

    def __init__(self, targets: Any, boxes: Any, seed: int, dtype: str) -> None:
        self.given = {"target": targets, "boxes": boxes}
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.used: dict[str, set[str]] = {"target": set(), "boxes": set()}
        #: Losses that go by labels, with the number of classes.
        self.classes: dict[str, int] = {}

    def of(self, name: str, layer: Layer, shape: Shape, batch: int) -> Any:
        """What a layer takes beside the output of others; None for most."""
        maps = batch * shape.regions
        if isinstance(layer, RoiLayer):
            return self._boxes(name, layer, shape, maps)
        if layer.kind in LABELLED:
            self.classes[name] = shape.channels
            return self._labels(name, (maps, *shape.spatial), shape.channels)
        if layer.kind in DISTANCES:
            return self._values(name, (maps, shape.channels, *shape.spatial))
        return None

    def check(self) -> None:
        """Refuse what no layer took.

        Raises:
            RunError: naming it.
        """
        for what, given in self.given.items():
            layers = self.used[what]
            wants = "loss" if what == "target" else "region layer"
            if given is None:
                continue
            if not layers:
                raise RunError(f"{what}: the network has no {wants} to give it to")
            if not isinstance(given, Mapping):
                if len(layers) > 1:
                    names = ", ".join(sorted(layers))
                    raise RunError(
                        f"{what}: there are {len(layers)} of the kind {wants}", f"one each: {names}"
                    )
                continue
            unknown = [name for name in given if name not in layers]
            if unknown:
                names = ", ".join(sorted(layers))
                raise RunError(f"{what}: there is no {wants} {unknown[0]!r}", f"one of {names}")

    def _take(self, what: str, name: str) -> Any:
        self.used[what].add(name)
        given = self.given[what]
        value = given.get(name) if isinstance(given, Mapping) else given
        if value is not None and not isinstance(value, np.ndarray):
            raise TypeError(f"{what}: must be a NumPy array, got {type(value).__name__}")
        return value

    def _labels(self, name: str, shape: tuple[int, ...], classes: int) -> Array:
        given = self._take("target", name)
        if given is None:
            return randomness.whole(self.seed, f"target {name}", shape, classes)
        found = np.asarray(given)
        if found.dtype.kind == "f" and (found == np.rint(found)).all():
            found = found.astype(np.int64)
        if found.dtype.kind not in "iu":
            raise TypeError(f"target: {name} takes labels, whole numbers, got {found.dtype}")
        _same_shape(f"target: {name} takes labels", found, shape)
        if found.min() < 0 or found.max() >= classes:
            wrong = found.min() if found.min() < 0 else found.max()
            raise RunError(f"target: labels must lie between 0 and {classes - 1}, got {wrong}")
        return found.astype(np.int64)

    def _values(self, name: str, shape: tuple[int, ...]) -> Array:
        given = self._take("target", name)
        if given is None:
            return randomness.normal(self.seed, f"target {name}", shape, self.dtype)
        _same_shape(f"target: {name} takes values", np.asarray(given), shape)
        return np.asarray(given).astype(self.dtype)

    def _boxes(self, name: str, layer: RoiLayer, shape: Shape, maps: int) -> Array:
        given = self._take("boxes", name)
        regions = layer.regions
        if given is None:
            corners = self._drawn(name, layer, shape, (maps, regions))
        else:
            corners = np.asarray(given, self.dtype)
            if corners.shape == (regions, 4):
                corners = np.broadcast_to(corners, (maps, regions, 4))
            _same_shape(f"boxes: {name} takes (x1, y1, x2, y2)", corners, (maps, regions, 4))
        rows = corners.reshape(-1, 4)
        owners = np.repeat(np.arange(maps), regions).astype(self.dtype)
        return np.column_stack([owners, rows]).astype(self.dtype)

    def _drawn(self, name: str, layer: RoiLayer, shape: Shape, count: tuple[int, int]) -> Array:
        """Boxes inside the image, with corners in order."""
        made = []
        for axis, extent in (("x", shape.spatial[-1]), ("y", shape.spatial[-2])):
            most = extent / layer.scale
            ends = randomness.uniform(
                self.seed, f"boxes {axis} {name}", (*count, 2), np.float64, 0.0, most
            )
            made.append(np.sort(ends, axis=-1))
        x, y = made
        return np.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], axis=-1)


def _same_shape(what: str, given: Array, shape: tuple[int, ...]) -> None:
    if given.shape != shape:
        raise RunError(f"{what} of shape {shape}, got shape {given.shape}")
