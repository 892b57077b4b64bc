"""How long parsing and analysing take inside a process, and how that grows with the network.

python benchmarks/in_process.py [--layers 100000]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cnncalc
from cnncalc.analyses import local, memory, receptive_field

SPECS = Path(__file__).resolve().parent.parent / "specs"


def median_seconds(work: Callable[[], object], rounds: int) -> float:
    """Median time of `rounds` calls after one to warm up."""
    work()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def report(text: str) -> cnncalc.Totals:
    """Everything `cnncalc report` computes."""
    return cnncalc.analyze(cnncalc.loads(text)).totals


def chain(layers: int) -> str:
    """The text of a spec with that many layers, convolutions and activations in turn."""
    lines = [
        f"  - {{conv: {8 + index % 7}, kernel: 3, pad: 1}}" if index % 2 == 0 else "  - relu"
        for index in range(layers)
    ]
    return "\n".join(["input: 3@32x32", "layers:", *lines]) + "\n"


def share_of_fields_and_memory(name: str) -> None:
    """What receptive fields and memory add to reading a spec, its shapes and costs."""
    text = (SPECS / f"{name}.yaml").read_text()
    network = cnncalc.loads(text)
    figures, _ = local.fold(network)
    base = median_seconds(lambda: local.fold(cnncalc.loads(text)), 20)
    more = median_seconds(
        lambda: (receptive_field.fold(network, figures), memory.fold(network, figures)), 20
    )
    print(f"{name + ': fields and memory add':<40}{more / base:9.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", type=int, default=100_000)
    layers = parser.parse_args().layers
    print(f"Python {platform.python_version()}, {platform.machine()}; parse and analyse, medians")
    for name in ("alexnet", "vgg16", "resnet50", "resnet152", "densenet201"):
        text = (SPECS / f"{name}.yaml").read_text()
        print(f"{name:<28}{median_seconds(lambda text=text: report(text), 20) * 1e3:9.1f} ms")
    for name in ("resnet152", "densenet201"):
        share_of_fields_and_memory(name)
    tenth, whole = chain(layers // 10), chain(layers)
    small = median_seconds(lambda: report(tenth), 3)
    large = median_seconds(lambda: report(whole), 1)
    print(f"{f'chain of {layers // 10:,} layers':<28}{small:9.2f} s")
    print(f"{f'chain of {layers:,} layers':<28}{large:9.2f} s ({large / small:.1f} times as long)")


if __name__ == "__main__":
    main()
