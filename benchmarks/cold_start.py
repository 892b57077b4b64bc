"""How long a whole process takes, cold, against torchinfo on the same network, in one run.

    python benchmarks/cold_start.py [--rounds N]

Prints medians of interleaved runs, peak memory, and the ratios. torchinfo needs
``pip install torch==2.13.0 torchinfo``; without it only our own figures are printed.
The first line is what Python itself takes.
"""

import argparse
import importlib.util
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESNET50 = str(ROOT / "specs" / "resnet50.yaml")

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import click, yaml": [sys.executable, "-c", "import click, yaml"],
    "from pydantic import BaseModel": [sys.executable, "-c", "from pydantic import BaseModel"],
    "cnncalc report --format json": [
        *(sys.executable, "-m", "cnncalc", "report", RESNET50, "--format", "json"),
    ],
    "cnncalc check": [sys.executable, "-m", "cnncalc", "check", RESNET50],
    "torchinfo": [sys.executable, str(ROOT / "benchmarks" / "torchinfo_resnet50.py")],
}
OURS, THEIRS = "cnncalc report --format json", "torchinfo"
PARAMETERS = "25557032"


def run(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak megabytes, and the output of a command."""
    # The peak of a child: /proc and wait4 agree, and wait4 needs no polling.
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = _wait(process.pid)
        process.returncode = status
    if status != 0:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 1e3, output


def _wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
    import os

    return os.wait4(pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    have_peer = all(importlib.util.find_spec(name) for name in ("torch", "torchinfo"))
    names = [name for name in COMMANDS if name != THEIRS or have_peer]
    for name in (OURS, THEIRS):
        if name in names and PARAMETERS not in run(COMMANDS[name])[2].replace(",", ""):
            raise SystemExit(f"{name} does not print {PARAMETERS} parameters")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    megabytes: dict[str, float] = {}
    for _ in range(rounds):
        for name in names:
            taken, peak, _ = run(COMMANDS[name])
            seconds[name].append(taken)
            megabytes[name] = max(megabytes.get(name, 0.0), peak)
    print(f"Python {platform.python_version()}, {platform.machine()}, {rounds} interleaved rounds")
    print(f"{'whole process, cold':<34}{'median s':>10}{'min s':>8}{'peak MB':>9}")
    for name in names:
        times = seconds[name]
        print(
            f"{name:<34}{statistics.median(times):>10.3f}{min(times):>8.3f}{megabytes[name]:>9.1f}"
        )
    if have_peer:
        faster = statistics.median(seconds[THEIRS]) / statistics.median(seconds[OURS])
        lighter = megabytes[THEIRS] / megabytes[OURS]
        print(f"against torchinfo: {faster:.1f} times faster, {lighter:.1f} times lighter")
    else:
        print("torchinfo is not installed: no comparison")


if __name__ == "__main__":
    main()
