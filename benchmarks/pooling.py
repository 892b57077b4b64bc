"""Pools against PyTorch, at the sizes of the networks that made them known.

python benchmarks/pooling.py [--threads 1 3] [--batch 1 16] [--dtype float32]

Both sides run in turn, on the same arrays and threads and with the same allocator settings
(it starts itself again with those); the ratio is PyTorch's median over ours, and more than 1
means that ours is faster. Results are compared before anything is timed. The gradient of the
maximum is computed from what the forward pass kept, on both sides; "recomputed" finds it again.
"""

import argparse
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator

from allocator import same_for_both

if __name__ == "__main__":
    same_for_both()

import numba
import numpy as np
import torch

from cnncalc import functional as F  # noqa: N812

#: Channels, extent, window, stride and padding; and the layer that has them.
LAYERS = [
    (64, 112, 3, 2, 1, "ResNet stem"),
    (64, 224, 2, 2, 0, "VGG pool1"),
    (256, 56, 2, 2, 0, "VGG pool3"),
    (96, 55, 3, 2, 0, "AlexNet pool1"),
    (192, 56, 3, 2, 1, "GoogLeNet pool2"),
    (480, 14, 3, 1, 1, "GoogLeNet inception 4a"),
    (512, 14, 2, 2, 0, "VGG pool5"),
]
Pair = tuple[str, Callable[[], object], Callable[[], object]]

aten = torch.ops.aten


def pairs(batch: int, dtype: type, rng: np.random.Generator) -> Iterator[Pair]:
    """Every comparison: its name, ours and PyTorch's."""
    for channels, extent, k, s, p, where in LAYERS:
        x = rng.standard_normal((batch, channels, extent, extent), np.float32).astype(dtype)
        a = torch.from_numpy(x)
        _, kept = F.max_pool2d(x, k, s, p, return_indices="compact")
        b, indices = aten.max_pool2d_with_indices(a, [k, k], [s, s], [p, p])
        y = rng.standard_normal(tuple(b.shape), np.float32).astype(dtype)
        g = torch.from_numpy(y)
        steps = ([k, k], [s, s], [p, p])

        def max_back(g=g, a=a, steps=steps, indices=indices):
            return aten.max_pool2d_with_indices_backward(g, a, *steps, [1, 1], False, indices)

        yield (
            f"max forward, {where}",
            lambda x=x, k=k, s=s, p=p: F.max_pool2d(x, k, s, p),
            lambda a=a, k=k, s=s, p=p: torch.max_pool2d(a, k, s, p),
        )
        yield (
            f"max forward kept, {where}",
            lambda x=x, k=k, s=s, p=p: F.max_pool2d(x, k, s, p, return_indices="compact")[0],
            lambda a=a, steps=steps: aten.max_pool2d_with_indices(a, *steps)[0],
        )
        yield (
            f"max backward, {where}",
            lambda x=x, y=y, k=k, s=s, p=p, c=kept: F.max_pool2d_backward(y, x, k, s, p, indices=c)[
                0
            ],
            max_back,
        )
        yield (
            f"max backward recomputed, {where}",
            lambda x=x, y=y, k=k, s=s, p=p: F.max_pool2d_backward(y, x, k, s, p)[0],
            max_back,
        )
        yield (
            f"avg forward, {where}",
            lambda x=x, k=k, s=s, p=p: F.avg_pool2d(x, k, s, p),
            lambda a=a, steps=steps: aten.avg_pool2d(a, *steps),
        )
        yield (
            f"avg backward, {where}",
            lambda x=x, y=y, k=k, s=s, p=p: F.avg_pool2d_backward(y, x, k, s, p)[0],
            lambda g=g, a=a, steps=steps: aten.avg_pool2d_backward(g, a, *steps, False, True, None),
        )
    x = rng.standard_normal((batch, 2048, 7, 7), np.float32).astype(dtype)
    a = torch.from_numpy(x)
    yield (
        "global avg forward, ResNet-50",
        lambda: F.global_avg_pool(x),
        lambda: torch.nn.functional.adaptive_avg_pool2d(a, 1),
    )


def compare(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> float:
    """PyTorch's median time over ours, the two in turn; results first."""
    got, wanted = np.asarray(ours()), np.asarray(theirs())
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for function, taken in zip((ours, theirs), times, strict=True):
            function()  # the other side's traces leave the caches
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    mine, other = map(statistics.median, times)
    return other / mine


def main() -> None:
    """Print a line for each comparison, and the mean of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--repeats", type=int, default=11)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores;", end=" ")
    print(f"PyTorch {torch.__version__}, Numba {numba.__version__}, {options.dtype}")
    for batch in options.batch:
        for threads in options.threads:
            numba.set_num_threads(threads)
            F.max_pool2d(np.zeros((4, 16, 64, 64)), 2)  # Numba's threads start before PyTorch's
            torch.set_num_threads(threads)
            kinds: dict[str, list[float]] = {}
            rng = np.random.default_rng(0)
            print(f"\nbatch {batch}, {threads} thread{'s' * (threads > 1)}")
            for name, ours, theirs in pairs(batch, np.dtype(options.dtype).type, rng):
                ratio = compare(ours, theirs, options.repeats)
                kinds.setdefault(name.partition(",")[0], []).append(ratio)
                print(f"  {ratio:6.2f}  {name}", flush=True)
            for kind, ratios in kinds.items():
                mean = math.exp(statistics.fmean(map(math.log, ratios)))
                print(f"  {mean:6.2f}  geometric mean of {kind}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
