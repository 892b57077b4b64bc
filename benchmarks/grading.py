"""How long `cnncalc grade` takes over a class: 1,000 papers of 20 questions, 5 with arrays.

    python benchmarks/grading.py [--papers N] [--rounds N] [--processors N] [--keep DIR]

Every paper is a folder: answers in YAML, arrays inline and in a .npz beside them. Three
answers in ten are wrong: some by a usual mistake, some at random, so that each has to be
diagnosed; no two papers are the same. The points of every paper are compared with what was
planted. Every process is held to two processors, where the system allows it; a round is a
whole run, from an empty folder of results to the last page of feedback.
"""

import argparse
import csv
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


class Item(NamedTuple):
    """A question in YAML, its right answer, and what students with a usual mistake have."""

    id: str
    yaml: str
    right: Any
    mistakes: tuple[Any, ...]


def conv_items() -> list[Item]:
    """Twelve questions on single layers; the figures are worked out here, not by cnncalc."""
    made = []
    settings = [
        (32, 3, 10, 5, 1, 2),
        (227, 3, 96, 11, 4, 0),
        (28, 6, 16, 5, 1, 0),
        (56, 64, 128, 3, 2, 1),
    ]
    for number, (n, c, f, k, s, p) in enumerate(settings, start=1):
        out = (n + 2 * p - k) // s + 1
        given = (
            f"input: {c}@{n}x{n}\n    layers: [{{conv: {f}, kernel: {k}, stride: {s}, pad: {p}}}]"
        )
        weights = k * k * c * f
        wrong_side = (n + p - k) // s + 1
        made += [
            Item(f"size{number}", f"{given}\n    ask: output", f"{f}@{out}x{out}",
                 (f"{f}@{out + 1}x{out + 1}", f"{f}@{wrong_side + 3}x{wrong_side + 3}")),
            Item(f"count{number}", f"{given}\n    ask: parameters", weights + f,
                 (weights, weights + 1)),
            Item(f"macs{number}", f"{given}\n    ask: macs", weights * out * out,
                 (2 * weights * out * out, weights * out * out + f)),
        ]  # fmt: skip
    return made


def other_items() -> list[Item]:
    layers = "[{conv: 8, kernel: 3}, {maxpool: 2, stride: 2}, {conv: 16, kernel: 5}]"
    stack = f"input: 3@64x64\n    layers: {layers}"
    # 3, then 3 + 1*1 = 4 at a jump of 2, then 4 + 4*2 = 12.
    return [
        Item("field", f"{stack}\n    ask: receptive_field", 12, (9, 11)),
        Item("yolo", "numbers: {B: 2, C: 20}\n    ask: formula\n    formula: 7*7*(5*B + C)",
             1470, (7 * 7 * 5 * 22, 7 * 7 * 25)),
        Item("vgg", "network: vgg19\n    ask: parameters", 143667240, (143667241, 19)),
    ]  # fmt: skip


def array_items(seed: int = 1) -> tuple[list[Item], dict[str, np.ndarray]]:
    """Five questions answered by arrays: a convolution and its three gradients, and a pool."""
    draw = np.random.default_rng(seed)
    x = draw.integers(-3, 4, (3, 8, 9)).astype(float)
    w = draw.integers(-2, 3, (4, 3, 3, 3)).astype(float)
    dy = draw.integers(-2, 3, (4, 6, 7)).astype(float)
    y = np.zeros((4, 6, 7))
    dw, dx = np.zeros_like(w), np.zeros_like(x)
    for f in range(4):
        for i in range(6):
            for j in range(7):
                window = (slice(None), slice(i, i + 3), slice(j, j + 3))
                y[f, i, j] = (x[window] * w[f]).sum()
                dw[f] += dy[f, i, j] * x[window]
                dx[window] += dy[f, i, j] * w[f]
    pooled = y.reshape(4, 3, 2, 7)[..., :6].reshape(4, 3, 2, 3, 2).max(axis=(2, 4))
    given = "arrays: {x: x.npy, w: w.npy, b: [0, 0, 0, 0]%s}\n    input: 3@8x9\n    layers: [%s]"
    conv = given % (", dy: dy.npy", "{conv: 4, kernel: 3}")
    pool = given % ("", "{conv: 4, kernel: 3}, {maxpool: 2, stride: 2}")
    gradient = f"{conv}\n    ask: gradient\n    upstream: dy\n    of: "
    items = [
        Item("y", f"{conv}\n    ask: values", y, (y + 1, y[:, ::-1])),
        Item("dw", f"{gradient}conv1.weight", dw, (2 * dw, dw[:, :, ::-1])),
        Item("dx", f"{gradient}x", dx, (2 * dx, dx + 1)),
        Item("db", f"{gradient}conv1.bias", dy.sum(axis=(1, 2)),
             (dy.mean(axis=(1, 2)), dy.sum(axis=(1, 2)) + 1)),
        Item("pool", f"{pool}\n    ask: values", pooled, (pooled + 1, pooled * 2)),
    ]  # fmt: skip
    return items, {"x": x, "w": w, "dy": dy}


def write_key(folder: Path, items: list[Item], arrays: dict[str, np.ndarray]) -> Path:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    questions = "".join(f"  - id: {item.id}\n    {item.yaml}\n" for item in items)
    path = folder / "key.yaml"
    path.write_text(f"title: A class\nquestions:\n{questions}", encoding="utf-8")
    return path


def write_paper(folder: Path, items: list[Item], draw: random.Random) -> int:
    """A paper of one student; the points that it deserves."""
    folder.mkdir(parents=True)
    lines, arrays, points = [], {}, 0
    for item in items:
        value, wrong = item.right, draw.random() < 0.3
        if wrong:
            value = draw.choice(item.mistakes) if draw.random() < 0.7 else other(item, draw)
        points += not wrong
        if isinstance(value, np.ndarray) and value.ndim > 1 and draw.random() < 0.5:
            arrays[item.id] = value
            value = f"arrays.npz:{item.id}"
        elif isinstance(value, np.ndarray):
            value = value.tolist()
        lines.append(f"{item.id}: {value}\n")
    (folder / "answers.yaml").write_text("".join(lines), encoding="utf-8")
    if arrays:
        np.savez(folder / "arrays.npz", **arrays)
    return points


def other(item: Item, draw: random.Random) -> Any:
    """A wrong answer that comes from nothing."""
    if isinstance(item.right, np.ndarray):
        return item.right + draw.randint(3, 99) + 0.5
    if isinstance(item.right, int):
        return item.right + draw.randint(10**6, 10**9) * 7919
    return f"{draw.randint(300, 999)}@{draw.randint(300, 999)}x{draw.randint(300, 999)}"


def grade(key: Path, answers: Path, out: Path, jobs: int) -> float:
    """Seconds of a whole process."""
    command = [sys.executable, "-m", "cnncalc", "grade", str(key), str(answers)]
    started = time.perf_counter()
    subprocess.run(
        [*command, "--out", str(out), "--jobs", str(jobs)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    return time.perf_counter() - started


def right_points(out: Path, planted: dict[str, int]) -> None:
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        got = {row["student"]: float(row["points"]) for row in csv.DictReader(file)}
    differ = {one: (got.get(one), planted[one]) for one in planted if got.get(one) != planted[one]}
    assert not differ, f"{len(differ)} papers, such as {next(iter(differ.items()))}"


def hold(processors: int) -> str:
    if not hasattr(os, "sched_setaffinity"):
        return ""
    some = sorted(os.sched_getaffinity(0))[:processors]
    os.sched_setaffinity(0, some)
    return f", held to {len(some)} processors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--papers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the class there")
    given = parser.parse_args()
    held = hold(given.processors)
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        with_arrays, arrays = array_items()
        items = [*conv_items(), *other_items(), *with_arrays]
        assert len(items) == 20
        key = write_key(folder, items, arrays)
        draw = random.Random(1)
        planted = {
            f"s{number:04}": write_paper(folder / "answers" / f"s{number:04}", items, draw)
            for number in range(given.papers)
        }
        times: list[float] = []
        for _ in range(given.rounds):
            shutil.rmtree(folder / "out", ignore_errors=True)
            times.append(grade(key, folder / "answers", folder / "out", given.processors))
            right_points(folder / "out", planted)
        again = grade(key, folder / "answers", folder / "out", given.processors)
    print(f"Python {platform.python_version()}, {platform.machine()}{held}")
    print(f"{given.papers} papers of {len(items)} questions, median (least) of {given.rounds}")
    print(f"  marked:          {statistics.median(times):.2f} s ({min(times):.2f})")
    print(f"  marked already:  {again:.2f} s")


if __name__ == "__main__":
    main()
