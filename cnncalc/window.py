"""The sliding-window rule: the one place that knows how many windows fit.

Every convolution and pool along one axis is a `Window`: `kernel` taps,
`dilation` apart, moved by `stride` over an input of `n` positions padded with
`before` and `after` zeros. All functions work on integers and on SymPy
expressions alike, so the same line gives ``55`` and ``floor((H - 11)/4) + 1``.

Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep
learning" (2016); PyTorch 2 documentation of Conv2d, MaxPool2d and
ConvTranspose2d; TensorFlow's documentation of SAME padding.
"""

from typing import Any, NamedTuple

#: A whole number, or a SymPy expression for one (``Any`` keeps SymPy unimported).
Extent = Any


class Window(NamedTuple):
    """A sliding window along one axis; `same` says that the padding is TensorFlow's SAME."""

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False
    same: bool = False

    @property
    def span(self) -> int:
        """Input positions from the first tap to the last: ``dilation*(kernel - 1) + 1``.

        >>> Window(3, dilation=2).span
        5
        """
        return self.dilation * (self.kernel - 1) + 1


class Fit(NamedTuple):
    """How the windows lie on the padded input.

    Attributes:
        extent: number of windows, the output extent.
        unread: positions of the padded input after the last window.
        unread_pixels: those of them that are input, not padding.
        overhang: positions the last window reaches past the padded input (`ceil`).
    """

    extent: Extent
    unread: int
    unread_pixels: int
    overhang: int

    @property
    def exact(self) -> bool:
        """Whether (n + padding - span) is a multiple of the stride."""
        return self.unread == 0 and self.overhang == 0


def extent(n: Extent, window: Window) -> Extent:
    """Output positions: ``floor((n + before + after - dilation*(kernel-1) - 1)/stride) + 1``.

    With `ceil` the division rounds up and a last window that would start in the
    padding after the input is dropped, as PyTorch and Caffe do. A result below 1
    means that the window is larger than the padded input: there is no output.

    >>> extent(227, Window(11, stride=4))
    55
    >>> extent(112, Window(3, stride=2, ceil=True))
    56
    """
    if window.same:  # by definition; with a symbolic n the padding itself is unwieldy
        return ceil_divide(n, window.stride)
    room = n + window.before + window.after - window.span
    if not window.ceil:
        return floor_divide(room, window.stride) + 1
    windows = ceil_divide(room, window.stride) + 1
    last_start = (windows - 1) * window.stride
    # For a symbolic n the comparison has no truth value; PyTorch's rule only bites
    # when the stride exceeds the kernel, so the plain formula stands.
    if isinstance(n, int) and last_start >= n + window.before:
        windows -= 1
    return windows


def floor_divide(n: Extent, divisor: int) -> Extent:
    """``floor(n/divisor)``; halving ``floor(H/2)`` gives ``floor(H/4)``.

    ``floor((floor(e) + c)/s) = floor((e + c)/s)`` for whole c and s, so an extent
    behind many strides stays one division.
    """
    if isinstance(n, int):
        return n // divisor
    from sympy import floor

    return _divide(n, divisor, floor)


def ceil_divide(n: Extent, divisor: int) -> Extent:
    """``ceil(n/divisor)``, nested divisions joined as in `floor_divide`."""
    if isinstance(n, int):
        return -(-n // divisor)
    from sympy import ceiling

    return _divide(n, divisor, ceiling)


def _divide(n: Any, divisor: int, rounding: Any) -> Any:
    from sympy import Add

    inner = [part for part in Add.make_args(n) if part.func is rounding]
    if len(inner) == 1 and isinstance(divisor, int):
        n = n - inner[0] + inner[0].args[0]
    return rounding(n / divisor)


def fit(n: int, window: Window) -> Fit:
    """How the windows lie: what is never read at the far end, and what hangs over.

    >>> fit(224, Window(11, stride=4)).unread_pixels
    1
    >>> fit(224, Window(7, stride=2, before=3, after=3))
    Fit(extent=112, unread=1, unread_pixels=0, overhang=0)
    """
    windows = extent(n, window)
    end = (windows - 1) * window.stride + window.span
    slack = n + window.before + window.after - end
    unread = max(slack, 0)
    pixels = min(max(unread - window.after, 0), n)
    return Fit(windows, unread, pixels, max(-slack, 0))


def same_padding(n: Extent, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[Any, Any]:
    """Padding before and after that gives ``ceil(n/stride)`` outputs, the odd one after.

    TensorFlow's SAME. At stride 1 it does not depend on the input.

    >>> same_padding(224, 7, 2)
    (2, 3)
    >>> same_padding(None, 5)
    (2, 2)
    """
    span = dilation * (kernel - 1) + 1
    if stride == 1:
        total = span - 1
    elif isinstance(n, int):
        total = max((-(-n // stride) - 1) * stride + span - n, 0)
    else:
        from sympy import Max

        total = Max((-(-n // stride) - 1) * stride + span - n, 0)
    return total // 2, total - total // 2


def transposed_extent(n: Extent, window: Window, output_padding: int = 0) -> Extent:
    """Output extent of a transposed convolution.

    ``(n-1)*stride - before - after + span + output_padding``.

    >>> transposed_extent(2, Window(3, stride=2, before=1, after=1), output_padding=1)
    4
    """
    return (n - 1) * window.stride - window.before - window.after + window.span + output_padding


def fitting_paddings(n: int, window: Window, most: int) -> list[int]:
    """Symmetric paddings from 0 to `most` with which the window fits exactly.

    >>> fitting_paddings(7, Window(3, stride=3), 3)
    [1]
    """
    rooms = ((pad, n + 2 * pad - window.span) for pad in range(most + 1))
    return [pad for pad, room in rooms if room >= 0 and room % window.stride == 0]


def fitting_extents(n: int, window: Window) -> tuple[int, int]:
    """The nearest input extents at or below and above `n` that fit exactly.

    The lower one can be less than 1: then only a larger input fits.

    >>> fitting_extents(224, Window(11, stride=4))
    (223, 227)
    """
    below = n - (n + window.before + window.after - window.span) % window.stride
    return below, below + window.stride
