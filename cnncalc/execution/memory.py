"""How much memory a run needs, before it takes any.

The passes are gone through with sizes for arrays, in the order and with the lifetimes of
`executor`: what is alive at once, and of that the most.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnncalc.errors import RunError
from cnncalc.execution.plan import Plan
from cnncalc.execution.tensors import Tensor
from cnncalc.notation import format_bytes

_CONTROL_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


class Estimate(NamedTuple):
    """Bytes: of all tensors, of their gradients, and the most of values alive at once."""

    tensors: int
    gradients: int
    values: int

    @property
    def total(self) -> int:
        """All together."""
        return self.tensors + self.gradients + self.values


def estimate(plan: Plan, tensors: dict[str, Tensor], *, backward: bool, keep_all: bool) -> Estimate:
    """What a run will hold.

    Args:
        plan: of the run.
        tensors: of the network.
        backward: whether a backward pass follows.
        keep_all: whether every value is kept to the end.
    """
    size = np.dtype(plan.setting.dtype).itemsize
    held = {name: size * _product(one.shape) for name, one in tensors.items()}
    trained = sum(held[name] for name, one in tensors.items() if one.trained)
    peak = _Passes(plan, size, keep_all).peak(backward)
    # A layer's own scratch: its input once more, packed as its loops like it.
    scratch = max((size * _product(plan.shapes[p.reads[0]]) for p in plan.places), default=0)
    return Estimate(sum(held.values()), trained if backward else 0, peak + scratch)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for extent in shape:
        total *= extent
    return total


class _Passes:
    """Both passes, with bytes in the place of arrays."""

    def __init__(self, plan: Plan, size: int, keep_all: bool) -> None:
        self.plan = plan
        self.sizes = [size * _product(shape) for shape in plan.shapes]
        self.keep_all = keep_all
        #: The memory in which each value lies: a view lies in that of its input.
        self.home = list(range(len(self.sizes)))
        self.owners = [0] * len(self.sizes)
        self.alive = self.most = 0

    def peak(self, backward: bool) -> int:
        plan = self.plan
        readers = [0] * len(self.sizes)
        for place in plan.places:
            for read in place.reads:
                readers[read] += 1
        for index in {*plan.outputs.values(), *plan.losses}:
            readers[index] += 1
        if self.keep_all:
            readers = [count + 1 for count in readers]
        for index in range(len(self.sizes) - len(plan.places)):
            self._take(index)
        saved: dict[int, tuple[list[int], int]] = {}
        for place in plan.places:
            if place.view:
                self.home[place.index] = self.home[place.reads[0]]
            self._take(place.index)
            if backward:
                saved[place.index] = self._save(place.index)
            for read in place.reads:
                readers[read] -= 1
            for value in {*place.reads, place.index}:
                if readers[value] == 0:
                    readers[value] = -1
                    self._drop(value)
        if backward:
            self._back(saved)
        return self.most

    def _save(self, index: int) -> tuple[list[int], int]:
        place = self.plan.places[index - (len(self.sizes) - len(self.plan.places))]
        kept = {"input": list(place.reads), "output": [index], "nothing": []}
        values = kept[place.operation.keeps]
        for value in values:
            self._take(value)
        inner = int(place.operation.inner * self.sizes[index])
        self._grow(inner)
        return values, inner

    def _back(self, saved: dict[int, tuple[list[int], int]]) -> None:
        pending = {index: self.sizes[index] for index in self.plan.outputs.values()}
        self._grow(sum(pending.values()))
        for place in reversed(self.plan.places):
            more = sum(self.sizes[read] for read in place.reads)
            self._grow(more)
            self._grow(-pending.pop(place.index, 0))
            for read in place.reads:
                if read in pending:
                    self._grow(-self.sizes[read])
                pending[read] = self.sizes[read]
            values, inner = saved[place.index]
            for value in values:
                self._drop(value)
            self._grow(-inner)

    def _take(self, value: int) -> None:
        home = self.home[value]
        if self.owners[home] == 0:
            self._grow(self.sizes[home])
        self.owners[home] += 1

    def _drop(self, value: int) -> None:
        home = self.home[value]
        self.owners[home] -= 1
        if self.owners[home] == 0:
            self._grow(-self.sizes[home])

    def _grow(self, size: int) -> None:
        self.alive += size
        self.most = max(self.most, self.alive)


def available() -> int | None:
    """Bytes that can still be had, of the machine and of the control group; None if unknown."""
    found = [_machine(), *(_group(*files) for files in _CONTROL_GROUPS)]
    known = [one for one in found if one is not None]
    return min(known) if known else None


def _machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None


def _group(limit: str, usage: str) -> int | None:
    try:
        most, used = Path(limit).read_text(encoding="ascii"), Path(usage).read_text("ascii")
        return max(int(most) - int(used), 0)
    except (OSError, ValueError):  # no control group, or one without a limit ("max")
        return None


def refuse_what_does_not_fit(needs: Estimate, most: int | None) -> None:
    """Raise RunError, saying how much is needed, if it is more than there is."""
    room = available() if most is None else most
    if room is None or needs.total <= room:
        return
    parts = [f"{format_bytes(needs.tensors)} for weights"]
    if needs.gradients:
        parts.append(f"{format_bytes(needs.gradients)} for their gradients")
    parts.append(f"{format_bytes(needs.values)} for activations")
    whose = "are available" if most is None else "are allowed"
    raise RunError(
        f"the run needs {format_bytes(needs.total)} of memory ({', '.join(parts)}), "
        f"{format_bytes(room)} {whose}",
        "a smaller batch, float32, or no backward pass takes less",
    )
