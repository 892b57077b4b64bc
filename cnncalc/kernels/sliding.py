"""How windows lie on a map, as pooling kernels take it: three axes, everything decided."""

from typing import NamedTuple

Triple = tuple[int, int, int]


class Sliding(NamedTuple):
    """Windows over (depth, height, width); a map of fewer axes has extents of 1 before them.

    Attributes:
        kernel: taps along each axis.
        stride: positions from one window to the next.
        before: padding before the first position.
        after: padding after the last.
        dilation: positions from one tap to the next.
        out: number of windows.
    """

    kernel: Triple
    stride: Triple
    before: Triple
    after: Triple
    dilation: Triple
    out: Triple

    @property
    def taps(self) -> int:
        """Positions that one window reads."""
        return self.kernel[0] * self.kernel[1] * self.kernel[2]
