"""Convolutions and their gradients against PyTorch: the ratio of median times, theirs to ours.

python benchmarks/convolution.py [--set layers|special|onednn] [--batch 1 16] [--threads 1]
    [--dtype float32 float64] [--algorithm exact] [--seconds 0.5] [--only NAME ...]

Both run in this process, in turns, on the same arrays, as often as fits into --seconds; results
are compared first; with the same allocator settings (it starts itself again with those).
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allocator import same_for_both

SHAPES = Path(__file__).parent / "data" / "onednn_conv_shapes.json"


@dataclass(frozen=True)
class Layer:
    """A convolution, transposed or not; extents are (rows, columns)."""

    name: str
    channels: int
    filters: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    transposed: bool = False


def square(name: str, c: int, n: int, f: int, k: int, s: int, p: int, **more: Any) -> Layer:
    """A layer on square maps."""
    return Layer(name, c, f, (n, n), (k, k), (s, s), (p, p), **more)


LAYERS = [
    square("alex1", 3, 227, 96, 11, 4, 0),
    square("alex2", 96, 27, 256, 5, 1, 2),
    square("vgg1_2", 64, 224, 64, 3, 1, 1),
    square("vgg3_1", 128, 56, 256, 3, 1, 1),
    square("res28", 128, 28, 128, 3, 1, 1),
    square("res14", 256, 14, 256, 3, 1, 1),
    square("res7", 512, 7, 512, 3, 1, 1),
    square("res1x1", 64, 56, 256, 1, 1, 0),
    square("stem7x7", 3, 224, 64, 7, 2, 3),
]

SPECIAL = [
    square("depthwise 56", 128, 56, 128, 3, 1, 1, groups=128),
    square("depthwise 112 /2", 64, 112, 64, 3, 2, 1, groups=64),
    square("depthwise 5x5 14", 240, 14, 240, 5, 1, 2, groups=240),
    square("depthwise 7", 960, 7, 960, 3, 1, 1, groups=960),
    square("grouped 32x4 56", 128, 56, 128, 3, 1, 1, groups=32),
    square("grouped 32x8 28", 256, 28, 256, 3, 1, 1, groups=32),
    square("grouped 32x16 14", 512, 14, 512, 3, 1, 1, groups=32),
    square("grouped 2 27", 96, 27, 256, 5, 1, 2, groups=2),
    square("dilated 2 28", 256, 28, 256, 3, 1, 2, dilation=(2, 2)),
    square("dilated 4 14", 512, 14, 512, 3, 1, 4, dilation=(4, 4)),
    square("transposed 4x4 /2", 128, 16, 64, 4, 2, 1, transposed=True),
    square("transposed 2x2 /2", 256, 28, 128, 2, 2, 0, transposed=True),
    square("transposed 3x3 /2", 64, 32, 64, 3, 2, 1, transposed=True),
]


def published() -> list[Layer]:
    """The convolutions of oneDNN's own benchmarks, once each; odd padding is part of the map."""
    found = {}
    for group, entries in json.loads(SHAPES.read_text())["files"].items():
        for e in entries:
            padding, size = (e["ph"], e["pw"]), (e["ih"], e["iw"])
            if not e["symmetric_pad_floor_formula_holds"]:
                ends = max(0, e["pad_bottom"]), max(0, e["pad_right"])
                size = (size[0] + padding[0] + ends[0], size[1] + padding[1] + ends[1])
                padding = (0, 0)
            found[e["raw"]] = Layer(
                f"{group} {e['name'] or e['raw']}",
                e["ic"],
                e["oc"],
                size,
                (e["kh"], e["kw"]),
                (e["sh"], e["sw"]),
                padding,
                (e["dilation_h"], e["dilation_w"]),
                e["g"],
            )
    return list(found.values())


def passes(
    layer: Layer, batch: int, dtype: str, algorithm: str, torch: Any
) -> Iterator[tuple[str, float, Callable[[], Any], Callable[[], Any]]]:
    """Each pass with its multiply-adds, PyTorch's way and ours."""
    import numpy as np

    from cnncalc.kernels.binding import kernel

    kernels = kernel("convolution")
    rng = np.random.default_rng(0)

    def random(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(dtype)

    x = random(batch, layer.channels, *layer.size)
    pads = tuple((p, p) for p in layer.padding)
    options = layer.stride, pads, layer.dilation, layer.groups
    functional = torch.nn.functional
    if layer.transposed:
        weight = random(layer.channels, layer.filters // layer.groups, *layer.kernel)
        theirs = lambda: functional.conv_transpose2d(  # noqa: E731
            tx, tw, None, layer.stride, layer.padding, 0, layer.groups, layer.dilation
        )
    else:
        weight = random(layer.filters, layer.channels // layer.groups, *layer.kernel)
        theirs = lambda: functional.conv2d(  # noqa: E731
            tx, tw, None, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    tx, tw = torch.from_numpy(x), torch.from_numpy(weight)
    shape = tuple(theirs().shape)
    grad = random(*shape)
    tg = torch.from_numpy(grad)
    each = x.size if layer.transposed else grad.size
    macs = each * weight[0].size

    def back(which: int) -> Callable[[], Any]:
        wanted = [which == 0, which == 1, False]
        fixed = layer.stride, layer.padding, layer.dilation, layer.transposed, [0, 0], layer.groups
        backward = torch.ops.aten.convolution_backward
        return lambda: backward(tg, tx, tw, None, *fixed, wanted)[which]

    if layer.transposed:
        names = "transposed_forward", "transposed_input_gradient", "transposed_weight_gradient"
        ours_forward = x, weight, None, shape
    else:
        names = "forward", "input_gradient", "weight_gradient"
        ours_forward = x, weight, None
    forward, input_gradient, weight_gradient = (getattr(kernels, name) for name in names)
    yield "forward", macs, theirs, lambda: forward(*ours_forward, *options, algorithm)
    ours = lambda: input_gradient(grad, weight, x.shape, *options, algorithm)  # noqa: E731
    yield "input gradient", macs, back(0), ours
    ours = lambda: weight_gradient(grad, x, weight.shape, *options, algorithm)  # noqa: E731
    yield "weight gradient", macs, back(1), ours


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


def compare(layers: list[Layer], batch: int, dtype: str, given: argparse.Namespace) -> None:
    """Print a line for every pass of every layer, then the geometric means."""
    import numpy as np
    import torch

    tolerance = {"exact": {"float32": 1e-4, "float64": 1e-11}, "fast": {"float32": 1e-3}}
    ratios = defaultdict(list)
    print(f"\n{dtype}, batch {batch}, {given.threads} threads, algorithm {given.algorithm}")
    print(f"{'layer':42}{'pass':16}{'PyTorch':>18}{'cnncalc':>18}{'ratio':>8}")
    for layer in layers:
        for name, macs, theirs, ours in passes(layer, batch, dtype, given.algorithm, torch):
            expected, got = theirs().numpy(), ours()
            error = np.abs(got - expected).max() / np.abs(expected).max()
            assert error < tolerance[given.algorithm].get(dtype, 1e-10), (layer, name, error)
            times = medians(theirs, ours, given.seconds)
            ratio = times[0] / times[1]
            ratios[name].append((ratio, layer.name))
            columns = "".join(f"{t * 1e6:9.0f} us {2e-9 * macs / t:3.0f} G" for t in times)
            print(f"{layer.name[:41]:42}{name:16}{columns}{ratio:8.2f}", flush=True)
    for name, found in ratios.items():
        mean = statistics.geometric_mean([ratio for ratio, _ in found])
        least, where = min(found)
        print(f"{name:16} geometric mean {mean:.2f}, least {least:.2f} ({where})")


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=["layers", "special", "onednn"], default="layers")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", nargs="+", default=["float32"])
    parser.add_argument("--algorithm", choices=["exact", "fast"], default="exact")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", nargs="+")
    given = parser.parse_args()

    same_for_both(NUMBA_NUM_THREADS=str(given.threads))
    import numba
    import numpy as np
    import torch

    from cnncalc.kernels.cpu.fast.vectors import BITS

    # Numba's first launch of its threads sets the number of OpenMP threads, PyTorch's too:
    # so it comes before PyTorch is told.
    @numba.njit(parallel=True)
    def launch(numbers: Any) -> None:
        for i in numba.prange(len(numbers)):
            numbers[i] = i

    launch(np.zeros(64))
    torch.set_num_threads(given.threads)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, vectors of {BITS} bits, {processor()}")
    versions = f"PyTorch {torch.__version__}, Numba {numba.__version__}, NumPy {np.__version__}"
    print(f"Python {platform.python_version()}, {versions}, {numba.threading_layer()}")
    layers = {"layers": LAYERS, "special": SPECIAL, "onednn": published()}[given.set]
    if given.only:
        layers = [layer for layer in layers if any(name in layer.name for name in given.only)]
    if not layers:
        sys.exit("no such layer")
    for dtype in given.dtype:
        for batch in given.batch:
            compare(layers, batch, dtype, given)


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
