"""The reference kernels as functions of arrays, in torch.nn.functional's names and order.

    from cnncalc import functional as F

    y = F.conv2d(x, weight, bias, stride=2, padding=1)
    dx, dweight, dbias = F.conv2d_backward(dy, x, weight, bias, stride=2, padding=1)

Arrays are NumPy's, shaped (N, C, *spatial), float32 or float64; the result has the
dtype of the input, and inputs are never modified. With ``device="cuda"`` they may also be
anything that lies on the device and says where (``__cuda_array_interface__``: PyTorch's
tensors, CuPy's and Numba's arrays); NumPy's are copied there, and results stay there.

Beside each function, ``NAME_backward(grad_output, <its arguments>)`` returns the gradients of
its differentiable inputs in their order: None for one that was not given, or that
``needs=(True, False, ...)`` does not ask for.

Names are imported on first use. ``with tier("plain"):`` computes with the kernels that
are written as the formulas.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnncalc.functional.devices import on_any_device
from cnncalc.kernels.binding import TIER, TIERS, checked_choice

if TYPE_CHECKING:
    from cnncalc.functional.activation import *  # noqa: F403
    from cnncalc.functional.adaptive import *  # noqa: F403
    from cnncalc.functional.attention import *  # noqa: F403
    from cnncalc.functional.averaging import *  # noqa: F403
    from cnncalc.functional.convolution import *  # noqa: F403
    from cnncalc.functional.dense import *  # noqa: F403
    from cnncalc.functional.interpolation import *  # noqa: F403
    from cnncalc.functional.loss import *  # noqa: F403
    from cnncalc.functional.merging import *  # noqa: F403
    from cnncalc.functional.normalisation import *  # noqa: F403
    from cnncalc.functional.pooling import *  # noqa: F403
    from cnncalc.functional.power_pooling import *  # noqa: F403
    from cnncalc.functional.recurrent import *  # noqa: F403
    from cnncalc.functional.region import *  # noqa: F403
    from cnncalc.functional.resampling import *  # noqa: F403
    from cnncalc.functional.response import *  # noqa: F403
    from cnncalc.functional.stochastic import *  # noqa: F403
    from cnncalc.functional.transposed import *  # noqa: F403
    from cnncalc.functional.unpooling import *  # noqa: F403

# A line for each family: its module, and the names that have a ``_backward`` beside them.
_FAMILIES = {
    "convolution": "conv1d conv2d conv3d",
    "transposed": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "activation": (
        "relu relu6 leaky_relu prelu elu selu gelu silu hardswish hardsigmoid sigmoid tanh "
        "softplus maxout softmax log_softmax"
    ),
    "merging": "add mul",
    "normalisation": "batch_norm layer_norm group_norm instance_norm",
    "response": "local_response_norm local_contrast_norm",
    "stochastic": "dropout drop_path",
    "loss": "cross_entropy hinge_loss mse_loss smooth_l1_loss",
    "recurrent": "rnn lstm gru",
    "pooling": "max_pool1d max_pool2d max_pool3d",
    "averaging": "avg_pool1d avg_pool2d avg_pool3d subsample",
    "power_pooling": "lp_pool1d lp_pool2d lp_pool3d",
    "adaptive": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d "
        "adaptive_max_pool2d adaptive_max_pool3d global_avg_pool global_max_pool"
    ),
    "unpooling": "max_unpool1d max_unpool2d max_unpool3d",
    "interpolation": "interpolate",
    "resampling": "zero_pad crop pixel_shuffle pixel_unshuffle channel_shuffle",
    "region": "roi_pool roi_align ps_roi_pool",
    "dense": "linear embedding",  # no module is named like a function: it would hide it
    "attention": "scaled_dot_product_attention self_attention",
}

# Names without one.
_ALONE: dict[str, str] = {
    "normalisation": "batch_norm_statistics instance_norm_statistics",
}

_HOMES = {
    **{
        name: family
        for family, names in _FAMILIES.items()
        for forward in names.split()
        for name in (forward, f"{forward}_backward")
    },
    **{name: family for family, names in _ALONE.items() for name in names.split()},
}

__all__ = ["tier", *sorted(_HOMES)]  # noqa: PLE0604  # they are strings


@contextmanager
def tier(name: str) -> Iterator[None]:
    """Compute with the kernels of this tier, "fast" (the default) or "plain", in this context."""
    checked_choice(name, "tier", TIERS)
    token = TIER.set(name)
    try:
        yield
    finally:
        TIER.reset(token)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnncalc.functional' has no attribute {name!r}")
    value = on_any_device(getattr(import_module(f"cnncalc.functional.{_HOMES[name]}"), name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
