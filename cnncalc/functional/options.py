"""What the options of convolutions may be, and what their axes are called."""

from collections.abc import Sequence

from cnncalc.kernels.arguments import Array

#: One number for all axes, or one for each.
PerAxis = int | Sequence[int]
#: The same, or (before, after) for each axis.
Padding = int | Sequence[int] | Sequence[tuple[int, int]]
#: The gradients of input, weight and bias.
Gradients = tuple[Array | None, Array | None, Array | None]

AXES = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}
TAPS = {1: "k", 2: "kh, kw", 3: "kd, kh, kw"}
ALGORITHMS = ("exact", "fast")
