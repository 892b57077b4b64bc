"""Pools: over a sliding window, over the whole map, to a given size; and their inverse.

No pool but `subsample` has parameters. One comparison (max) or addition
(average) joins each tap to the last, and an average divides once.
"""

import math

from cnncalc.errors import LayerError
from cnncalc.layers.base import (
    MOST_TABLED,
    Inputs,
    Layer,
    Reach,
    Tensors,
    layer,
    needs_map,
    per_axis,
    periodic,
    ratio,
    same_rank,
)
from cnncalc.layers.fields import ExplicitPadding, Flag, Padding, PerAxis, Positive, Text
from cnncalc.layers.sliding import slide, sliding_windows, transposed_reach
from cnncalc.notation import Shape
from cnncalc.window import Extent, Window


@layer
class Pool(Layer):
    """What all sliding pools share: the stride is the kernel unless given."""

    main = "kernel"
    sees = "window"
    fits = True

    kernel: PerAxis
    stride: PerAxis | None = None
    pad: Padding = 0
    dilation: PerAxis = 1
    ceil: Flag = False

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return sliding_windows(
            inputs[0],
            "pooling",
            kernel=self.kernel,
            stride=self.kernel if self.stride is None else self.stride,
            pad=self.pad,
            dilation=self.dilation,
            ceil=self.ceil,
        )

    def output(self, inputs: Inputs) -> Shape:
        windows = self.windows(inputs)
        self._check_padding(windows)
        return Shape(inputs[0].channels, slide(inputs[0], windows, "pooling"), inputs[0].regions)

    def taps(self, inputs: Inputs) -> Extent:
        """Input positions in one window."""
        return math.prod(per_axis(self.kernel, inputs[0].rank, "kernel"))

    def _check_padding(self, windows: tuple[Window, ...]) -> None:
        for window in windows:
            if isinstance(window.before, int) and max(window.before, window.after) >= window.span:
                raise LayerError(
                    f"padding {max(window.before, window.after)} is not smaller than the window "
                    f"{window.span}: some windows would see padding only",
                    help=f"at most {window.span - 1}",
                    field="pad",
                    code="H008",
                    name="window-of-padding",
                )


@layer
class MaxPool(Pool):
    """Maximum over each window; padding never wins.

    Output: ``floor((n + pads - dilation*(kernel-1) - 1)/stride) + 1`` per axis,
    rounded up with ``ceil: true``; the stride is the kernel unless given.
    FLOPs: kernel taps - 1 comparisons per output. No parameters, 0 MACs.

    Source: PyTorch's MaxPool2d.
    """

    kind = "maxpool"
    saves = ("indices",)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * (self.taps(inputs) - 1)


@layer
class AvgPool(Pool):
    """Mean over each window; padding counts as zeros unless ``count_include_pad: false``.

    Output: as `maxpool`. FLOPs: kernel taps - 1 additions and one division per
    output. No parameters, 0 MACs.

    Source: PyTorch's AvgPool2d.
    """

    kind = "avgpool"

    count_include_pad: Flag = True

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * self.taps(inputs)


@layer
class LpPool(Pool):
    """Power mean without the mean: ``(sum of x**norm)**(1/norm)`` over each window.

    Output: as `maxpool`. FLOPs: a power per tap, kernel taps - 1 additions and one
    root per output. No parameters, 0 MACs.

    Source: PyTorch's LPPool2d.
    """

    kind = "lppool"
    saves = ("input", "output")

    norm: Positive = 2.0

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * 2 * self.taps(inputs)


@layer
class Subsample(Pool):
    """LeNet-5's trainable pooling: sum of the window, times a coefficient, plus a bias.

    Output: as `avgpool`. Parameters: 2 per map (S2 has 12, S4 has 32).
    FLOPs: kernel taps - 1 additions, one product and one sum per output. 0 MACs.

    Source: LeCun et al. 1998, section II.B.
    """

    kind = "subsample"
    saves = ("input",)

    def weights(self, inputs: Inputs) -> Tensors:
        return {"coefficient": (inputs[0].channels,), "bias": (inputs[0].channels,)}

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * (self.taps(inputs) + 1)


@layer
class GlobalPool(Layer):
    """What pools over the whole map share: an output of 1 along every axis."""

    sees = "all"

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "a global pool")
        return Shape(inputs[0].channels, (1,) * inputs[0].rank, inputs[0].regions)


@layer
class GlobalAvgPool(GlobalPool):
    """Mean over all positions: ``C@HxW`` to ``C@1x1``.

    FLOPs: one addition or division per input element. No parameters, 0 MACs.

    Source: Lin, Chen and Yan 2013, section 3.2.
    """

    kind = "globalavgpool"

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return inputs[0].elements


@layer
class GlobalMaxPool(GlobalPool):
    """Maximum over all positions: ``C@HxW`` to ``C@1x1``.

    FLOPs: H*W - 1 comparisons per map. No parameters, 0 MACs.
    """

    kind = "globalmaxpool"
    saves = ("indices",)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return inputs[0].elements - output.elements


@layer
class AdaptivePool(Layer):
    """What adaptive pools share: the output size is given, the windows follow.

    Output position i of `size` covers input ``floor(i*n/size)`` up to
    ``ceil((i+1)*n/size)``: windows of unequal size where n is no multiple.
    """

    main = "size"
    sees = "window"

    size: PerAxis

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "an adaptive pool")
        size = per_axis(self.size, inputs[0].rank, "size")
        return Shape(inputs[0].channels, size, inputs[0].regions)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return tuple(map(_adaptive_reach, inputs[0].spatial, output.spatial))

    def taps(self, inputs: Inputs) -> Extent:
        """Input positions in all windows of one map, overlaps counted each time."""
        size = per_axis(self.size, inputs[0].rank, "size")
        return math.prod(_adaptive_taps(n, m) for n, m in zip(inputs[0].spatial, size, strict=True))


def _adaptive_taps(n: Extent, size: Extent) -> Extent:
    """Sum over i of ``ceil((i+1)*n/size) - floor(i*n/size)``, in closed form.

    Window i reaches past the start of the next by one position exactly when
    (i+1)*n is no multiple of size, which holds for size - gcd(n, size) windows.
    """
    if isinstance(n, int) and isinstance(size, int):
        return n + size - math.gcd(n, size)
    from sympy import ceiling, floor

    if isinstance(size, int):
        return sum(ceiling((i + 1) * n / size) - floor(i * n / size) for i in range(size))
    # An unknown number of windows: at least one position each, none shared when it divides n.
    return n + size - 1


def _adaptive_reach(n: Extent, size: Extent) -> Reach:
    if not (isinstance(n, int) and isinstance(size, int)):
        return Reach(ratio(n, size), 0, -(-n // size) + 1)
    period = size // math.gcd(n, size)
    if period > MOST_TABLED:
        return Reach(ratio(n, size), 0, -(-n // size) + 1)
    windows = (range(i * n // size, -(-(i + 1) * n // size)) for i in range(period))
    return periodic(ratio(n, size), tuple(windows))


@layer
class AdaptiveAvgPool(AdaptivePool):
    """Mean over windows chosen so that the output has the given size.

    FLOPs: one addition or division per input position read. No parameters, 0 MACs.

    Source: PyTorch's AdaptiveAvgPool2d.
    """

    kind = "adaptiveavgpool"

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.regions * output.channels * self.taps(inputs)


@layer
class AdaptiveMaxPool(AdaptivePool):
    """Maximum over windows chosen so that the output has the given size.

    FLOPs: one comparison less than positions read, per output. No parameters, 0 MACs.

    Source: PyTorch's AdaptiveMaxPool2d.
    """

    kind = "adaptivemaxpool"
    saves = ("indices",)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.regions * output.channels * self.taps(inputs) - output.elements


@layer
class MaxUnpool(Layer):
    """Puts each value back where the maximum of an earlier `maxpool` was found.

    Output: `size`, or the input of the pool named by `indices`, or without both
    ``(n-1)*stride - pads + kernel``. No parameters, 0 MACs, 0 FLOPs.

    Source: Noh, Hong and Han 2015, section 3.2; PyTorch's MaxUnpool2d.
    """

    kind = "maxunpool"
    saves = ("indices",)
    main = "kernel"
    sees = "window"
    references = ("indices",)
    references_are_sizes = True
    references_are_undone = True

    kernel: PerAxis
    stride: PerAxis | None = None
    pad: ExplicitPadding = 0
    indices: Text | None = None
    size: PerAxis | None = None

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return sliding_windows(
            inputs[0],
            "unpooling",
            kernel=self.kernel,
            stride=self.kernel if self.stride is None else self.stride,
            pad=self.pad,
        )

    def output(self, inputs: Inputs) -> Shape:
        windows = self.windows(inputs)
        if self.size is not None:
            spatial = per_axis(self.size, inputs[0].rank, "size")
        elif self.indices is not None:
            same_rank(inputs[0], inputs[1], "indices")
            spatial = inputs[1].spatial
        else:
            spatial = tuple(
                (n - 1) * w.stride - w.before - w.after + w.kernel
                for n, w in zip(inputs[0].spatial, windows, strict=True)
            )
        for size in spatial:
            if isinstance(size, int) and size < 1:
                raise LayerError(
                    f"the padding crops the unpooled map away: {size} positions are left",
                    field="pad",
                    code="H002",
                    name="window-larger-than-input",
                )
        return Shape(inputs[0].channels, spatial, inputs[0].regions)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        # Every input whose window holds the position may be the one put there.
        return tuple(map(transposed_reach, self.windows(inputs)))
