"""Whole networks against PyTorch: seconds forward, and forward and back, and peak memory.

python benchmarks/networks.py [--networks resnet50 vgg16 mobilenet_v2 unet] [--batch 1 8]
    [--threads 1] [--rounds 7] [--memory] [--algorithm exact] [--profile]

Both sides have the same weights, threads and allocator settings (it starts itself again with
those) and run in turns; the ratio is PyTorch's median over ours, and more than 1 means that
ours is faster. Outputs are compared before anything is timed, and gradients of weights where
no dropout draws masks of its own. Forward is inference: PyTorch
without a tape. Forward and back is a step of training but for the update: the gradients of
every parameter, of the cross-entropy. PyTorch is given each value's last reader, so that it
frees memory as soon as we do, and its ReLUs work in place. --memory runs each side in a
process of its own and compares what that adds to the process at its largest, in place of times.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from allocator import same_for_both

SPECS = Path(__file__).resolve().parents[1] / "specs"

#: Ronneberger, Fischer and Brox (2015), with padded convolutions and half the maps.
UNET = """
name: U-Net
input: 1@256x256
blocks:
  double:
    parameters: {width: }
    layers:
      - {conv: width, kernel: 3, pad: 1}
      - relu
      - {conv: width, kernel: 3, pad: 1}
      - relu
layers:
  - {double: {width: 32}, name: enc1}
  - {maxpool: 2}
  - {double: {width: 64}, name: enc2}
  - {maxpool: 2}
  - {double: {width: 128}, name: enc3}
  - {maxpool: 2}
  - {double: {width: 256}, name: enc4}
  - {maxpool: 2}
  - {double: {width: 512}}
  - {convtranspose: 256, kernel: 2, stride: 2, name: up4}
  - {concat: [up4, enc4]}
  - {double: {width: 256}}
  - {convtranspose: 128, kernel: 2, stride: 2, name: up3}
  - {concat: [up3, enc3]}
  - {double: {width: 128}}
  - {convtranspose: 64, kernel: 2, stride: 2, name: up2}
  - {concat: [up2, enc2]}
  - {double: {width: 64}}
  - {convtranspose: 32, kernel: 2, stride: 2, name: up1}
  - {concat: [up1, enc1]}
  - {double: {width: 32}}
  - {conv: 2, kernel: 1}
"""


def network(name: str) -> Any:
    """A network of `specs`, or the U-Net above; without a softmax, which the loss has."""
    import cnncalc

    text = UNET if name == "unet" else (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() not in ("- softmax",)]
    return cnncalc.loads("\n".join(lines))


class Ours:
    """A network on the executor."""

    def __init__(self, name: str, batch: int, training: bool, algorithm: str) -> None:
        from cnncalc.execution.executor import Executor
        from cnncalc.execution.run import Run

        self.run = Run(
            network(name), batch=batch, training=training, loss="cross_entropy",
            algorithm=algorithm,
        )  # fmt: skip
        self.executor = Executor
        self.tensors, self.inputs = self.run.tensors, self.run.inputs
        plan = self.run.plan
        (self.output,) = plan.outputs.values()
        # The loss is run only where it is differentiated.
        (self.loss,) = plan.losses
        self.inference = plan._replace(places=plan.places[:-1], losses=())

    def forward(self) -> Any:
        """The output."""
        one = self.executor(self.inference, self.tensors)
        one.forward(self.inputs)
        return one.values[self.output]

    def step(self, observer: Any = None) -> dict[str, Any]:
        """The gradient of every parameter."""
        one = self.executor(self.run.plan, self.tensors, observer)
        one.forward(self.inputs, save=True)
        _, start = self.run.start(one.values)
        return one.backward(start, of_inputs=False)[0]


class Theirs:
    """The same network in PyTorch, from the options of its layers."""

    def __init__(self, ours: Ours, training: bool) -> None:
        import torch

        self.torch, self.training = torch, training
        places = ours.run.plan.places
        self.network = ours.run.analysis.network
        self.last = {read: i for i, place in enumerate(places) for read in place.reads}
        self.output, self.places = ours.output, places[:-1]
        self.tensors = {
            name: torch.tensor(value, requires_grad="running_" not in name)
            for name, value in ours.tensors.items()
        }
        self.inputs = [torch.tensor(value) for value in ours.inputs]
        self.target = torch.tensor(places[-1].operation.step.extra)
        self.calls = [self.call(place) for place in self.places]

    def call(self, place: Any) -> Any:
        """A layer as a function of its inputs."""
        F = self.torch.nn.functional  # noqa: N806
        layer, training = place.operation.step.layer, self.training
        t = {own: self.tensors[name] for own, name in place.weights.items()}
        bias = t.get("bias")
        pad = getattr(layer, "pad", 0)
        if place.kind == "conv":
            return lambda x: F.conv2d(x, t["weight"], bias, layer.stride, pad, 1, layer.groups)
        if place.kind == "depthwise":
            return lambda x: F.conv2d(x, t["weight"], bias, layer.stride, pad, 1, len(t["weight"]))
        if place.kind == "batchnorm":
            mean, variance = t["running_mean"], t["running_var"]
            return lambda x: F.batch_norm(
                x, mean, variance, t["weight"], bias, training, layer.momentum, layer.eps
            )
        return {
            "convtranspose": lambda x: F.conv_transpose2d(x, t["weight"], bias, layer.stride, pad),
            "linear": lambda x: F.linear(x, t["weight"], bias),
            "relu": lambda x: F.relu(x, inplace=True),
            "relu6": lambda x: F.relu6(x, inplace=True),
            "maxpool": lambda x: F.max_pool2d(x, layer.kernel, layer.stride, pad),
            "globalavgpool": lambda x: F.adaptive_avg_pool2d(x, 1),
            "flatten": lambda x: x.flatten(1),
            "dropout": lambda x: F.dropout(x, layer.p, training),
            "add": lambda *xs: sum(xs[1:], xs[0]),
            "concat": lambda *xs: self.torch.cat(xs, 1),
        }[place.kind]

    def whole(self) -> Any:
        """The output; every value goes when its last reader has it."""
        values = dict(enumerate(self.inputs))
        for i, (place, call) in enumerate(zip(self.places, self.calls, strict=True)):
            inputs = [values[read] for read in place.reads]
            for read in set(place.reads):
                if self.last[read] == i:
                    del values[read]
            values[place.index] = call(*inputs)
            del inputs
        return values[self.output]

    def forward(self) -> Any:
        """The output, without a tape."""
        with self.torch.inference_mode():
            return self.whole().numpy()

    def step(self) -> dict[str, Any]:
        """The gradient of every parameter."""
        loss = self.torch.nn.functional.cross_entropy(self.whole(), self.target)
        names = [name for name, value in self.tensors.items() if value.requires_grad]
        found = self.torch.autograd.grad(loss, [self.tensors[name] for name in names])
        return dict(zip(names, (each.numpy() for each in found), strict=True))


def same(ours: Any, theirs: Any, name: str, bound: float) -> None:
    """Stop if two arrays differ."""
    import numpy as np

    error = float(np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-30))
    if not error < bound:
        sys.exit(f"{name}: differs by {error:.2g}")


def compare(name: str, batch: int, given: argparse.Namespace) -> list[float]:
    """Times of one network, and the ratios."""
    row = []
    for what, training in (("forward", False), ("step", True)):
        ours = Ours(name, batch, training, given.algorithm)
        theirs = Theirs(ours, training)
        if what == "forward":
            same(ours.forward(), theirs.forward(), name, 1e-3)
        elif not any(place.kind == "dropout" for place in theirs.places):
            ours_found, theirs_found = ours.step(), theirs.step()
            # Batch normalisation of small batches magnifies rounding.
            for tensor, value in ours_found.items():
                if tensor.endswith("weight"):
                    same(value, theirs_found[tensor], f"{name} {tensor}", 5e-2)
            del ours_found, theirs_found
        a, b = getattr(theirs, what), getattr(ours, what)
        a(), b()
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(given.rounds):
            for call, found in zip((a, b), times, strict=True):
                begun = time.perf_counter()
                call()
                found.append(time.perf_counter() - begun)
        row += [*(1e3 * statistics.median(each) for each in times)]
        row.append(row[-2] / row[-1])
        row.append(min(times[0]) / min(times[1]))
    return row


def profile(name: str, batch: int, given: argparse.Namespace) -> None:
    """Where the time of both goes, by kinds of layers and by operators."""
    from collections import Counter

    import torch

    from cnncalc.execution.executor import Observer

    class Sums(Observer):
        def __init__(self) -> None:
            self.times: Counter[str] = Counter()

        def forward(self, place: Any, value: Any, seconds: float) -> None:
            self.times[f"{place.kind} forward"] += seconds

        def backward(self, place: Any, grad: Any, seconds: float) -> None:
            self.times[f"{place.kind} backward"] += seconds

    ours = Ours(name, batch, True, given.algorithm)
    theirs = Theirs(ours, True)
    ours.step(), theirs.step()
    rounds = [Sums() for _ in range(3)]
    for sums in rounds:
        begun = time.perf_counter()
        ours.step(sums)
        sums.times["whole"] = time.perf_counter() - begun
        sums.times["beside layers"] = 2 * sums.times["whole"] - sum(sums.times.values())
    kinds = {k: statistics.median(sums.times[k] for sums in rounds) for k in rounds[0].times}
    for kind, seconds in sorted(kinds.items(), key=lambda each: -each[1]):
        print(f"{kind:28}{1e3 * seconds:9.2f} ms")
    with torch.profiler.profile(record_shapes=False) as found:
        theirs.step()
    print(found.key_averages().table(sort_by="self_cpu_time_total", row_limit=16))


def peak(name: str, batch: int, side: str, what: str, given: argparse.Namespace) -> int:
    """The bytes that some runs add to a process, weights and input not counted."""
    ours = Ours(name, batch, what == "step", given.algorithm)
    if side == "theirs":
        one: Any = Theirs(ours, what == "step")
        Warm = Theirs  # noqa: N806
    else:
        one, Warm = ours, Ours  # noqa: N806
    assert Warm
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    for _ in range(3):
        getattr(one, what)()
    return status("VmHWM") - before


def status(field: str) -> int:
    """A figure of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def apart(name: str, batch: int, side: str, what: str, given: argparse.Namespace) -> int:
    """The same in a process of its own; ours with the machine code at hand."""
    command = [sys.executable, __file__, "--networks", name, "--batch", str(batch)]
    command += ["--threads", str(given.threads), "--algorithm", given.algorithm]
    command += ["--peak", side, what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(json.loads(done.stdout.splitlines()[-1]))


def start(threads: int) -> None:
    """Have both libraries use so many threads."""
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
    torch.set_num_threads(threads)


def described() -> str:
    """The machine and what runs on it."""
    import numba
    import numpy as np
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} CPUs, load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, Numba {numba.__version__}, NumPy {np.__version__}"
    )


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["resnet50", "vgg16", "mobilenet_v2", "unet"]
    parser.add_argument("--networks", nargs="+", default=names)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--algorithm", choices=["exact", "fast"], default="exact")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    same_for_both(NUMBA_NUM_THREADS=str(given.threads))
    start(given.threads)
    if given.peak:
        print(json.dumps(peak(given.networks[0], given.batch[0], *given.peak, given)))
        return
    print(described())
    threads = f"{given.threads} thread{'s' * (given.threads > 1)}"
    print(f"{threads}, {'bytes' if given.memory else 'milliseconds'}: PyTorch, cnncalc, ratio")
    for name in given.networks:
        for batch in given.batch:
            title = f"{name:14}batch {batch}"
            if given.profile:
                print(title)
                profile(name, batch, given)
            elif given.memory:
                for what in ("forward", "step"):
                    theirs, ours = (apart(name, batch, s, what, given) for s in ("theirs", "ours"))
                    figures = f"{theirs / 1e6:9.1f} MB{ours / 1e6:9.1f} MB"
                    print(f"{title} {what:8}{figures}{theirs / ours:7.2f}", flush=True)
            else:
                row = compare(name, batch, given)
                for what, part in (("forward", row[:4]), ("step", row[4:])):
                    figures = f"{part[0]:9.1f}{part[1]:9.1f}{part[2]:7.2f}"
                    load = f"(of least {part[3]:.2f}, load {os.getloadavg()[0]:.1f})"
                    print(f"{title} {what:8}{figures}   {load}", flush=True)


if __name__ == "__main__":
    main()
