"""How long the inverse questions take.

python benchmarks/solve.py [--rounds N]

A thousand input sizes of whole networks inside a process, and single questions cold,
as a whole process. The answers are checked first.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cnncalc
from cnncalc.analyses.solving.network import solve
from cnncalc.analyses.solving.problem import Range

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = ("alexnet_227", "vgg16", "resnet50", "resnet152", "googlenet", "densenet121")
QUESTIONS = {
    "padding of one layer": ["conv", "31", "--kernel", "5", "--stride", "2", "--pad", "?",
                             "--fits"],
    "five unknowns": ["conv", "?", "--kernel", "?", "--stride", "?", "--pad", "?",
                      "--dilation", "?", "--output", "16"],
    "depth of a stack": ["stack", "--kernel", "3", "--receptive-field", "31"],
    "resnet50, 57 sizes": ["network", "resnet50", "--range", "200:256"],
    "resnet50, 1,000 sizes": ["network", "resnet50", "--range", "1:1000"],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    # 32k + 1: every halving of ResNet-50 needs an odd size.
    assert solve(cnncalc.load("resnet50"), Range(200, 300)).sizes["exact"] == (225, 257, 289)
    print(f"Python {platform.python_version()}, {platform.machine()}, {rounds} rounds, medians")
    for name in NETWORKS:
        network = cnncalc.load(name)
        taken = []
        for _ in range(rounds):
            started = time.perf_counter()
            solve(network, Range(1, 1000))
            taken.append(time.perf_counter() - started)
        print(f"{f'1,000 sizes of {name}, in process':<42}{statistics.median(taken):8.3f} s")
    for title, arguments in QUESTIONS.items():
        taken = []
        for _ in range(rounds):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "cnncalc", "solve", *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
            )
            taken.append(time.perf_counter() - started)
        print(f"{f'{title}, cold':<42}{statistics.median(taken):8.3f} s")


if __name__ == "__main__":
    main()
