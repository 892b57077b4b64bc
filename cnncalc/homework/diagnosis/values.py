"""Mistakes in values worked out by hand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cnncalc.homework.diagnosis.plain import plain
from cnncalc.homework.diagnosis.running import (
    array_of,
    arrayed,
    taken,
    whole,
    with_changed,
    with_options,
    with_tensors,
)
from cnncalc.homework.key import Case
from cnncalc.homework.key.variants import with_option
from cnncalc.layers.base import Layer
from cnncalc.layers.pooling import AvgPool
from cnncalc.layers.stochastic import Dropout

if TYPE_CHECKING:
    from cnncalc.kernels.arguments import Array

KERNELS = ("conv", "depthwise", "convtranspose")


@arrayed("This flips the kernel, as a true convolution does.", "values")
def flipped_kernel(case: Case) -> Case | None:
    """The kernel is flipped: a true convolution is taken for a cross-correlation."""
    return with_tensors(case, rotated, KERNELS, "weight")


def rotated(kernel: "Array") -> "Array | None":
    """A kernel (F, C, *spatial) turned by 180 degrees."""
    if kernel.size == kernel.shape[0] * kernel.shape[1]:
        return None
    return kernel[(slice(None), slice(None), *[slice(None, None, -1)] * (kernel.ndim - 2))].copy()


@arrayed("This has the rows and columns of the kernel exchanged.", "values")
def transposed_kernel(case: Case) -> Case | None:
    """Rows and columns of the kernel are exchanged."""
    return with_tensors(case, _transposed, KERNELS, "weight")


def _transposed(kernel: "Array") -> "Array | None":
    if kernel.ndim != 4 or kernel.shape[2] != kernel.shape[3] or kernel.shape[2] == 1:
        return None
    return kernel.swapaxes(2, 3).copy()


@arrayed("This is the output without the bias.", "values")
def forgot_bias_value(case: Case) -> Case | None:
    """The bias is not added to the output."""

    def change(bias: "Array") -> "Array | None":
        return bias * 0 if bias.any() else None

    return with_tensors(case, change, (*KERNELS, "linear"), "bias")


@arrayed("This is the sum over the first channel alone.", "values")
def channels_not_summed(case: Case) -> Case | None:
    """The first channel alone is used."""
    return with_tensors(case, _first_channel, ("conv",), "weight")


def _first_channel(kernel: "Array") -> "Array | None":
    if kernel.shape[1] == 1:
        return None
    first = kernel.copy()
    first[:, 1:] = 0
    return first


@arrayed("This is the average of each window, not its maximum.", "values")
def avg_instead_of_max(case: Case) -> Case | None:
    """The average is taken instead of the maximum."""
    return with_changed(case, averaging)


def averaging(layer: Layer) -> Layer | None:
    """A max pool as an average pool."""
    return AvgPool(**layer.__dict__) if layer.kind == "maxpool" else None


@arrayed("This divides by another number of values where a window reaches the padding.", "values")
def avg_pool_count_pad(case: Case) -> Case | None:
    """The average is divided by the values inside, without the padding, or the reverse."""

    def change(layer: Any) -> Layer | None:
        if layer.kind != "avgpool" or layer.pad == 0:
            return None
        return with_option(layer, count_include_pad=not layer.count_include_pad)

    return with_changed(case, change)


@arrayed("This is what comes out without the ReLU.", "values")
def relu_before_pool_skipped(case: Case) -> Case | None:
    """The ReLU is left out."""
    return with_changed(case, lambda layer: Dropout() if layer.kind == "relu" else None)


@plain("This is the element beside the one that is asked for.", asks=("values", "gradient"))
def one_based_index(case: Case) -> Iterator[Any]:
    """The element beside the one that is asked for: the first is called 0 or 1."""
    if case.network is None or "at" not in case.part.options:
        return
    array = array_of(whole(case))
    rank = 0 if array is None else array.ndim
    for axes in range(1, rank + 1):
        for step in (1, -1):
            yield taken(case, array, (*(0,) * (rank - axes), *(step,) * axes))


@arrayed("This places the kernel at every position, as at stride 1.", "values")
def stride_misplaced_in_transposed(case: Case) -> Case | None:
    """Inputs of a transposed convolution are placed at stride 1."""
    return with_options(case, ("convtranspose",), stride=1, output_padding=0)


@arrayed("These are the values without the padding.", "values")
def forgot_padding(case: Case) -> Case | None:
    """The padding is left out."""
    return with_options(case, ("conv", "depthwise", "maxpool", "avgpool"), pad=0)


@arrayed("These are the values at stride 1.", "values")
def ignored_stride(case: Case) -> Case | None:
    """The stride is left out."""
    return with_options(case, ("conv", "depthwise", "maxpool", "avgpool"), stride=1)


@arrayed("These are the values without the dilation.", "values")
def ignored_dilation(case: Case) -> Case | None:
    """The dilation is left out."""
    return with_options(case, ("conv", "depthwise"), dilation=1)


@plain("This has rows and columns exchanged.", asks=("values", "gradient"))
def swapped_h_w(case: Case) -> Any:
    """Height and width are exchanged."""
    if case.network is None or "at" in case.part.options:
        return None
    right = array_of(case)
    if right is None or right.ndim < 2 or right.shape[-2:] == (1, 1):
        return None
    return taken(case, right.swapaxes(-1, -2))
