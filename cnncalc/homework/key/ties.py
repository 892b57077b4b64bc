"""The gradient of a max pool where equal maxima all get it, or share it.

The kernels give it to the first, as PyTorch does; the other conventions of hand
calculations are worked out here window by window, for a pool by itself.
"""

from itertools import product
from typing import Any

from cnncalc.homework.errors import AskError
from cnncalc.homework.key.case import Case


def gradient(case: Case, inputs: dict[str, Any], upstream: Any) -> Any:
    """DX of the only layer, a max pool."""
    import numpy as np

    layers = case.analysis.layers
    if len(layers) != 1 or layers[0].kind != "maxpool":
        raise AskError(
            f"`tie: {case.conventions.tie}` is for a max pool by itself",
            "the first of equal maxima gets the gradient elsewhere",
        )
    one = layers[0]
    layer: Any = one.node.layer
    windows = layer.windows(one.local.inputs)
    x = next(iter(inputs.values()))
    grad = np.zeros_like(x)
    dy = np.ones((*x.shape[:2], *one.output.spatial)) if upstream is None else upstream
    for place in np.ndindex(*dy.shape):
        example, spots = place[:2], place[2:]
        taps = [
            [
                at
                for tap in range(window.kernel)
                if 0 <= (at := spot * window.stride - window.before + tap * window.dilation) < n
            ]
            for spot, window, n in zip(spots, windows, x.shape[2:], strict=True)
        ]
        cells = [(*example, *cell) for cell in product(*taps)]
        largest = max(x[cell] for cell in cells)
        equal = [cell for cell in cells if x[cell] == largest]
        each = dy[place] / len(equal) if case.conventions.tie == "split" else dy[place]
        for cell in equal:
            grad[cell] += each
    return grad
