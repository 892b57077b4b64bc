"""The operations that courses ask for: their cases, right values and usual mistakes.

An operation is imported when it is first asked for.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from cnncalc.testing.failure import UsageError

if TYPE_CHECKING:
    from cnncalc.testing.operations.base import Operation

# The module and the names it makes, a line for each family.
_FAMILIES = {
    "convolution": "conv1d conv2d conv3d",
    "transposed": "conv_transpose1d conv_transpose2d conv_transpose3d",
    "max_pooling": "max_pool1d max_pool2d max_pool3d",
    "averaging": "avg_pool1d avg_pool2d avg_pool3d global_avg_pool",
    "dense": "linear affine",
    "activation": "relu leaky_relu elu selu sigmoid tanh softplus silu gelu",
    "softmax": "softmax log_softmax",
    "normalisation": "batch_norm layer_norm group_norm instance_norm",
    "cs231n_normalisation": "batchnorm spatial_batchnorm layernorm spatial_groupnorm",
    "loss": "cross_entropy hinge_loss mse_loss",
    "stochastic": "dropout",
}

_HOMES = {name: family for family, names in _FAMILIES.items() for name in names.split()}

#: Names of operations, as `check_forward` takes them.
NAMES = tuple(_HOMES)


@cache
def operation(name: str) -> "Operation":
    """The operation of this name.

    Raises:
        UsageError: if there is none.
    """
    if name not in _HOMES:
        raise UsageError(f"operation: must be one of {', '.join(NAMES)}, got {name!r}")
    module = import_module(f"cnncalc.testing.operations.{_HOMES[name]}")
    made: Operation = module.make(name)
    return made
