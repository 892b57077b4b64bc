"""Marking on a Dask cluster of two workers on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homework.grading.classroom import KEY, write_class
from tests.homework.grading.run import grade, tree

pytest.importorskip("distributed", reason="Dask is not installed: pip install cnncalc[cluster]")
pytest.importorskip("joblib", reason="joblib is not installed: pip install cnncalc[cluster]")

ROOT = Path(__file__).resolve().parents[3]

#: A cluster in a process of its own: Dask's threads and warnings are not ours to test.
CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture
def cluster(tmp_path):
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as process:
        yield process.stdout.readline().strip()
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait(60)


@pytest.mark.filterwarnings("default")  # what Dask warns of differs from version to version
def test_a_cluster_gives_what_one_machine_gives(tmp_path, cluster):
    (tmp_path / "key.yaml").write_text(KEY)
    answers = tmp_path / "answers"
    write_class(answers, 40)
    (answers / "broken.yaml").write_text("layer: {output: [1, 2")
    here = grade(tmp_path / "key.yaml", answers, "--out", tmp_path / "here")
    there = grade(
        *(tmp_path / "key.yaml", answers, "--out", tmp_path / "there"),
        *("--executor", "dask", "--address", cluster),
    )
    assert (here.exit_code, there.exit_code) == (1, 1), there.output
    assert here.stderr == there.stderr
    assert tree(tmp_path / "here") == tree(tmp_path / "there")


@pytest.mark.filterwarnings("default")
def test_an_address_where_nobody_listens(tmp_path, monkeypatch):
    monkeypatch.setattr("cnncalc.homework.grading.cluster._WAIT_SECONDS", 0.5)
    (tmp_path / "key.yaml").write_text(KEY)
    write_class(tmp_path / "answers", 1)
    result = grade(
        *(tmp_path / "key.yaml", tmp_path / "answers"),
        *("--executor", "dask", "--address", "tcp://127.0.0.1:9"),
    )
    assert result.exit_code == 2
    assert result.stderr.startswith("error: no Dask scheduler answers at `tcp://127.0.0.1:9`")
    assert result.stdout == ""


def test_without_dask(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "key.yaml").write_text(KEY)
    write_class(tmp_path / "answers", 1)
    result = grade(
        *(tmp_path / "key.yaml", tmp_path / "answers"),
        *("--executor", "dask", "--address", "tcp://127.0.0.1:9"),
    )
    assert result.exit_code == 2
    assert result.stderr == (
        'error: marking on a cluster needs Dask and joblib\nhelp: pip install "cnncalc[cluster]"\n'
    )
