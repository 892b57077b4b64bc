"""How long `cnncalc check` takes over 1,000 specs, in one process and in two.

    python benchmarks/check_many.py [--specs N] [--rounds N]

The specs are the shipped networks over and over, each with another first line, in a folder
of its own. Every process is held to two processors, where the system allows it.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_specs(folder: Path, number: int) -> None:
    shipped = sorted((ROOT / "specs").glob("*.yaml"))
    for position, path in enumerate(islice(cycle(shipped), number)):
        text = f"# number {position}\n{path.read_text('utf-8')}"
        (folder / f"{position:04}_{path.name}").write_text(text, encoding="utf-8")


def check(folder: Path, jobs: int) -> tuple[float, int]:
    """Seconds of a whole process, and how many files it checked."""
    command = [sys.executable, "-m", "cnncalc", "check", str(folder), "--isolated"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--jobs", str(jobs), "--format", "json"],
        check=True,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    return time.perf_counter() - started, json.loads(done.stdout)["files"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--specs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    held = ""
    if hasattr(os, "sched_setaffinity"):
        two = sorted(os.sched_getaffinity(0))[:2]
        os.sched_setaffinity(0, two)
        held = f", held to {len(two)} processors"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_specs(folder, given.specs)
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(given.rounds):
            for jobs, times in seconds.items():
                taken, files = check(folder, jobs)
                assert files == given.specs
                times.append(taken)
    print(f"Python {platform.python_version()}, {platform.machine()}{held}")
    print(f"{given.specs} specs, medians (least) of {given.rounds} interleaved rounds")
    for jobs, times in seconds.items():
        print(f"  --jobs {jobs}: {statistics.median(times):.2f} s ({min(times):.2f})")


if __name__ == "__main__":
    main()
