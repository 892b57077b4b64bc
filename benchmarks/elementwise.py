"""Element-wise operations, normalisations and softmax against PyTorch, at the sizes of ResNet-50.

python benchmarks/elementwise.py [--threads 3] [--batch 1 8] [--dtype float32] [--only relu]

Both sides run in turn, on the same arrays and threads and with the same allocator settings
(it starts itself again with those); the ratio is PyTorch's median over ours, and more than 1
means that ours is faster. Results are compared before anything is timed.
"""

import argparse
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

MAPS = [(64, 112, 112), (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]
Pair = tuple[str, Callable[[], object], Callable[[], object]]

aten = torch.ops.aten


def flat(value: object) -> list[np.ndarray]:
    """The arrays of a result, whichever side made it."""
    if isinstance(value, torch.Tensor):
        return [value.numpy()]
    if isinstance(value, np.ndarray):
        return [value]
    return [array for each in value for array in flat(each)]


def pairs(batch: int, dtype: type, rng: np.random.Generator) -> Iterator[Pair]:
    """Every comparison: its name, ours and PyTorch's."""
    for channels, height, width in MAPS:
        shape = (batch, channels, height, width)
        x, y = (rng.standard_normal(shape, np.float32).astype(dtype) for _ in range(2))
        mean, bias = (rng.standard_normal(channels).astype(dtype) for _ in range(2))
        var, weight = (rng.random(channels).astype(dtype) + 1 for _ in range(2))
        gate = rng.random((batch, channels, 1, 1)).astype(dtype)
        a, b, g = map(torch.from_numpy, (x, y, gate))
        stats = [torch.from_numpy(each) for each in (mean, var, weight, bias)]
        yield from element_wise(f"{channels}@{height}x{width}", x, y, gate, a, b, g)
        yield from batch_norms(
            f"{channels}@{height}x{width}", x, y, (mean, var, weight, bias), a, b, stats
        )
    for shape in ((batch, 1000), (batch, 21, 128, 128)):
        x = rng.standard_normal(shape).astype(dtype)
        a = torch.from_numpy(x)
        place = "x".join(map(str, shape[1:]))
        yield f"softmax {place}", lambda x=x: F.softmax(x), lambda a=a: torch.softmax(a, 1)
        yield (
            f"log_softmax {place}",
            lambda x=x: F.log_softmax(x),
            lambda a=a: torch.log_softmax(a, 1),
        )


def element_wise(place: str, x, y, gate, a, b, g) -> Iterator[Pair]:
    """Activations, and what joins branches."""
    nn = torch.nn.functional
    for name in ("relu", "relu6", "hardswish", "sigmoid", "silu", "tanh"):
        ours, theirs = getattr(F, name), getattr(nn if hasattr(nn, name) else torch, name)
        yield f"{name} {place}", lambda f=ours: f(x), lambda f=theirs: f(a)
    yield (
        f"relu backward {place}",
        lambda: F.relu_backward(y, x),
        lambda: aten.threshold_backward(b, a, 0),
    )
    yield (
        f"silu backward {place}",
        lambda: F.silu_backward(y, x),
        lambda: aten.silu_backward(b, a),
    )
    yield f"add {place}", lambda: F.add(x, y), lambda: torch.add(a, b)
    yield f"mul {place}", lambda: F.mul(x, y), lambda: torch.mul(a, b)
    yield f"gate {place}", lambda: F.mul(x, gate), lambda: torch.mul(a, g)


def batch_norms(place: str, x, y, given, a, b, stats) -> Iterator[Pair]:
    """Batch normalisation: evaluation, training, and backward from what training saved."""
    mean, var, weight, bias = given
    tail = (0.1, 1e-5)
    yield (
        f"batch_norm eval {place}",
        lambda: F.batch_norm(x, mean, var, weight, bias),
        lambda: torch.nn.functional.batch_norm(a, *stats),
    )
    _, _, w, c = stats
    yield (
        f"batch_norm train {place}",
        lambda: F.batch_norm(x, None, None, weight, bias, True),
        lambda: torch.native_batch_norm(a, w, c, None, None, True, *tail)[0],
    )
    found = F.batch_norm_statistics(x, None, None, weight, bias)
    _, *saved = torch.native_batch_norm(a, w, c, None, None, True, *tail)
    yield (
        f"batch_norm backward {place}",
        lambda: F.batch_norm_backward(
            y, x, None, None, weight, bias, True, saved=(found.mean, found.variance)
        ),
        lambda: aten.native_batch_norm_backward(
            b, a, w, None, None, *saved, True, 1e-5, [True] * 3
        ),
    )


def medians(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each, the two in turn, for at least 40 rounds and half a second."""
    taken: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + 0.5
    while len(taken[0]) < 40 or (time.perf_counter() < end and len(taken[0]) < 400):
        for times, work in zip(taken, (ours, theirs), strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--only", default="", help="operations whose name starts so")
    options = parser.parse_args()
    dtype = getattr(np, options.dtype)
    numba.set_num_threads(options.threads)
    F.relu(np.zeros(1 << 16, dtype))  # Numba's threads first: started later, they slow PyTorch's
    torch.set_num_threads(options.threads)
    print(
        f"Python {platform.python_version()}, numba {numba.__version__}, torch {torch.__version__}"
    )
    print(f"{platform.machine()}, {options.threads} threads, {options.dtype}, medians")
    print(f"{'operation':<36}{'batch':>6}{'ours us':>10}{'torch us':>10}{'ratio':>8}")
    ratios: dict[str, list[float]] = {}
    for batch in options.batch:
        for name, ours, theirs in pairs(batch, dtype, np.random.default_rng(0)):
            if not name.startswith(options.only):
                continue
            for one, other in zip(flat(ours()), flat(theirs()), strict=True):
                scale = np.abs(other).max()
                assert np.abs(one - other).max() <= 2e-4 * scale, name
            mine, its = medians(ours, theirs)
            ratios.setdefault(name.rpartition(" ")[0], []).append(its / mine)
            print(f"{name:<36}{batch:>6}{mine * 1e6:>10.1f}{its * 1e6:>10.1f}{its / mine:>8.2f}")
    print("geometric means")
    for name, found in ratios.items():
        print(f"{name:<36}{statistics.geometric_mean(found):>34.2f}")


if __name__ == "__main__":
    main()
