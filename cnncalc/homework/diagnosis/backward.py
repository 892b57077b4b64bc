"""Mistakes in gradients worked out by hand."""

import math
from collections.abc import Iterator
from typing import Any

import cnncalc.homework.diagnosis.values as forward
from cnncalc.homework.diagnosis.running import (
    array_of,
    arrayed,
    with_arrays,
    with_changed,
    with_options,
    with_tensors,
)
from cnncalc.homework.key import Case
from cnncalc.layers.base import Layer
from cnncalc.layers.stochastic import Dropout


@arrayed("This gives the gradient to every element of a window.", "gradient")
def pool_grad_to_all(case: Case) -> Any:
    """The gradient of a max pool is given to every element of the window."""
    averaged = with_changed(case, forward.averaging)
    return None if averaged is None else times(averaged, taps(case, "maxpool"))


@arrayed("This gives the gradient to each of equal maxima.", "gradient")
def pool_grad_tie_all(case: Case) -> Case | None:
    """At a tie the gradient of a max pool is given to all maxima."""
    if case.conventions.tie == "all" or taps(case, "maxpool") == 1:
        return None
    return case.under(tie="all")


@arrayed("This is not divided by the number of elements in a window.", "gradient")
def avgpool_grad_not_divided(case: Case) -> Any:
    """The gradient of an average pool is not divided by the size of the window."""
    elements = taps(case, "avgpool")
    return times(case, elements) if elements > 1 else None


def times(case: Case, factor: Any) -> Any:
    """The right array of a case, multiplied."""
    array = array_of(case)
    return None if array is None else array * factor


def taps(case: Case, kind: str) -> int:
    """Elements of a window, over all pools of a kind that lie behind one another."""
    pools = [one for one in case.analysis.layers if one.kind == kind]
    windows = [
        window.kernel
        for one in pools
        if one.node.layer is not None
        for window in one.node.layer.windows(one.local.inputs)
    ]
    return math.prod(windows)


@arrayed("This is the mean over the positions, not the sum.", "gradient")
def dw_mean_over_positions(case: Case) -> Iterator[Any]:
    """The gradient of a parameter is averaged over the positions instead of summed."""
    if is_parameter(case):
        examples = case.question.givens.batch or 1
        positions = case.named_layer(target(case)).output.positions
        for count in dict.fromkeys((positions, positions * examples, examples)):
            if count > 1:
                yield times(case, 1 / count)


@arrayed("This is turned by 180 degrees.", "gradient")
def dw_flipped(case: Case) -> Any:
    """The gradient of the weights is turned by 180 degrees."""
    if not is_parameter(case, "weight"):
        return None
    import numpy as np

    array, layer = array_of(case), case.named_layer(target(case))
    if array is None or layer.kind not in forward.KERNELS:
        return None
    return np.flip(array, tuple(range(-min(layer.output.rank, array.ndim), 0)))


@arrayed("This slides the kernel as it is; backwards it is turned by 180 degrees.", "gradient")
def dx_unflipped_kernel(case: Case) -> Case | None:
    """The gradient of the input is taken with the kernel as it is, not turned by 180 degrees."""
    if is_parameter(case):
        return None
    return with_tensors(case, forward.rotated, forward.KERNELS, "weight")


@arrayed("This leaves out the stride: the kernel is placed at every position.", "gradient")
def dx_ignored_stride(case: Case) -> Case | None:
    """The stride is left out in the gradient of the input."""
    given, close = case.bound.upstream, with_options(case, ("conv", "depthwise"), stride=1)
    if is_parameter(case) or len(case.analysis.layers) != 1 or given is None or close is None:
        return None
    import numpy as np

    # The same as at stride 1 with the upstream gradient in the first corner of a larger map.
    spatial = close.analysis.layers[0].output.spatial
    widths = [(0, more - n) for n, more in zip(given.shape[2:], spatial, strict=True)]
    padded = np.pad(given, [(0, 0), (0, 0), *widths])
    if case.conventions.layout == "HWC":
        padded = np.moveaxis(padded, 1, -1)
    known = {*case.bound.aliases, *case.bound.others}
    upstream = next(name for name in case.question.givens.arrays if name not in known)
    return with_arrays(case, {upstream: padded}, network=close.network)


@arrayed("This is 1 for each filter, whatever the upstream gradient.", "gradient")
def db_is_one(case: Case) -> Any:
    """The gradient of the bias is 1 instead of the sum of the upstream gradient."""
    array = array_of(case) if is_parameter(case, "bias") else None
    return None if array is None else array * 0 + 1


@arrayed("This leaves out the derivative of the activation.", "gradient")
def activation_grad_skipped(case: Case) -> Case | None:
    """The upstream gradient is used without the derivative of the activation."""
    return with_changed(case, lambda layer: Dropout() if activates(layer) else None)


def activates(layer: Layer) -> bool:
    """Whether a layer is an activation, element by element."""
    return layer.in_place and not layer.view and "drop" not in layer.kind


def target(case: Case) -> str:
    """What the gradient is taken of, as the network calls it."""
    name = case.part.of[0] if case.part.of else "x"
    return str(case.bound.aliases.get(name, name))


def is_parameter(case: Case, role: str = "") -> bool:
    """Whether the gradient of a parameter is asked for, perhaps of a certain one."""
    name = target(case)
    if name in case.analysis.network.inputs or name in ("x", "X", "input"):
        return False
    return not role or role.startswith(name.rpartition(".")[2].lower())
