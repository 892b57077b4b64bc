"""Pools as their formulas say: one loop nest for each, forward beside backward."""

from cnncalc.kernels.cpu.plain.pooling_max import (
    adaptive_max,
    max_pool,
    max_pool_backward,
    positions,
    scatter,
    unpool,
    unpool_backward,
)
from cnncalc.kernels.cpu.plain.pooling_sum import (
    adaptive_avg,
    adaptive_avg_backward,
    affine,
    affine_backward,
    avg_pool,
    avg_pool_backward,
    lp_pool,
    lp_pool_backward,
)

__all__ = [
    "adaptive_avg",
    "adaptive_avg_backward",
    "adaptive_max",
    "affine",
    "affine_backward",
    "avg_pool",
    "avg_pool_backward",
    "lp_pool",
    "lp_pool_backward",
    "max_pool",
    "max_pool_backward",
    "positions",
    "scatter",
    "unpool",
    "unpool_backward",
]
