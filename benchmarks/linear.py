"""Linear layers and their gradients against PyTorch: the ratio of median times, theirs to ours.

python benchmarks/linear.py [--threads 1] [--batch 1 8 16] [--dtype float32 float64]
    [--seconds 0.5] [--only NAME ...]

Both run in this process, in turns, on the same arrays, as often as fits into --seconds, and
with the same allocator settings (it starts itself again with those). The largest errors
against float64 are compared first: ours must be at most twice PyTorch's.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from allocator import same_for_both

#: Inputs and outputs of the layers, and where they come from.
LAYERS = {
    "vgg16 fc6": (25088, 4096),
    "vgg16 fc7": (4096, 4096),
    "vgg16 fc8": (4096, 1000),
    "resnet50 fc": (2048, 1000),
    "resnet18 fc": (512, 1000),
    "lenet5 fc": (400, 120),
    "transformer up": (768, 3072),
    "transformer down": (3072, 768),
}

Pass = tuple[str, Callable[[], Any], Callable[[], Any], Callable[[], Any]]


def passes(features: int, outputs: int, batch: int, dtype: str) -> Iterator[Pass]:
    """Each pass: PyTorch's way, ours, and the result in float64."""
    import numpy as np
    import torch

    from cnncalc import functional as F  # noqa: N812

    rng = np.random.default_rng(0)
    shapes = (batch, features), (outputs, features), (outputs,), (batch, outputs)
    x, weight, bias, grad = (rng.standard_normal(s, np.float32).astype(dtype) for s in shapes)
    tx, tw, tb, tg = map(torch.from_numpy, (x, weight, bias, grad))
    yield (
        "forward",
        lambda: torch.nn.functional.linear(tx, tw, tb),
        lambda: F.linear(x, weight, bias),
        lambda: torch.nn.functional.linear(tx.double(), tw.double(), tb.double()),
    )
    yield (
        "input gradient",
        lambda: tg.mm(tw),
        lambda: F.linear_backward(grad, x, weight, bias, needs=(True, False, False))[0],
        lambda: tg.double().mm(tw.double()),
    )
    yield (
        "weight gradient",
        lambda: tg.t().mm(tx),
        lambda: F.linear_backward(grad, x, weight, bias, needs=(False, True, False))[1],
        lambda: tg.double().t().mm(tx.double()),
    )


def medians(
    theirs: Callable[[], Any], ours: Callable[[], Any], seconds: float
) -> tuple[float, float]:
    """Median times of both, in turns, after two calls each to warm up."""
    for work in (theirs, ours, theirs, ours):
        work()
    taken: tuple[list[float], list[float]] = ([], [])
    until = time.perf_counter() + seconds
    while len(taken[0]) < 5 or time.perf_counter() < until:
        for work, times in zip((theirs, ours), taken, strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


def compare(given: argparse.Namespace) -> None:
    """Print a line for every pass of every layer, then the geometric means."""
    import numpy as np

    print(f"{'':8}{'layer':18}{'batch':>6}  {'pass':16}", end="")
    print(f"{'PyTorch':>12}{'cnncalc':>12}{'ratio':>7}{'error':>7}")
    for dtype in given.dtype:
        for batch in given.batch:
            ratios: dict[str, list[float]] = {}
            for layer, (features, outputs) in LAYERS.items():
                if given.only and not any(name in layer for name in given.only):
                    continue
                for name, theirs, ours, exact in passes(features, outputs, batch, dtype):
                    reference = exact().numpy()
                    errors = [
                        np.abs(got - reference).max() / np.abs(reference).max()
                        for got in (theirs().numpy(), ours())
                    ]
                    if dtype == "float32":
                        assert errors[1] <= 2 * errors[0], (layer, batch, name, errors)
                    else:
                        assert errors[1] < 1e-12, (layer, batch, name, errors)
                    times = medians(theirs, ours, given.seconds)
                    ratio = times[0] / times[1]
                    ratios.setdefault(name, []).append(ratio)
                    columns = "".join(f"{t * 1e6:9.0f} us" for t in times)
                    error = errors[1] / errors[0] if dtype == "float32" else 0.0
                    print(f"{dtype:8}{layer:18}{batch:6}  {name:16}{columns}", end="")
                    print(f"{ratio:7.2f}{error:7.2f}", flush=True)
            for name, found in ratios.items():
                mean = statistics.geometric_mean(found)
                print(f"{dtype}, batch {batch}, {name}: {mean:.2f}, least {min(found):.2f}")


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--dtype", nargs="+", default=["float32", "float64"])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", nargs="+")
    given = parser.parse_args()
    os.environ["NUMBA_NUM_THREADS"] = str(given.threads)
    same_for_both()

    import numba
    import numpy as np
    import torch

    # Numba's first launch of its threads sets the number of OpenMP threads, PyTorch's too:
    # so it comes before PyTorch is told.
    @numba.njit(parallel=True)
    def launch(numbers: Any) -> None:
        for i in numba.prange(len(numbers)):
            numbers[i] = i

    launch(np.zeros(64))
    torch.set_num_threads(given.threads)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {given.threads} threads")
    print(f"PyTorch {torch.__version__}, Numba {numba.__version__}, {numba.threading_layer()}")
    compare(given)


if __name__ == "__main__":
    main()
