"""The pytest plugin: its fixture, marker, reports and Gradescope file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STUDENT = """
import numpy as np

def relu(x):
    return np.maximum(x, 0)

def relu_backward(dout, x):
    return dout

def leaky_relu(x, negative_slope):
    return np.where(x > 0, x, 0.01 * x)
"""

TESTS = """
import pytest
import student

@pytest.mark.cnncalc(points=2)
def test_relu(cnncheck):
    assert cnncheck.forward(student.relu, "relu").score == 1

@pytest.mark.cnncalc(points=4, cases=10)
def test_relu_backward(cnncheck):
    cnncheck.backward(student.relu_backward, "relu")

@pytest.mark.cnncalc(points=3, number="2.1", visibility="after_due_date")
def test_leaky_relu(cnncheck):
    cnncheck.forward(student.leaky_relu, "leaky_relu", cases=8)

@pytest.mark.cnncalc(points=1)
def test_that_crashes():
    raise RuntimeError("not a check")

def test_gradient(cnncheck):
    assert cnncheck.gradient(lambda x: (x**2).sum(), [1.0, 2.0], lambda x: 2 * x)
    assert cnncheck.rel_error([1.0], [1.0]) == 0
"""


def run(folder, *arguments, files=None):
    """A run of pytest of its own, with the plugin and nothing else."""
    for name, text in (files or {"student.py": STUDENT, "test_student.py": TESTS}).items():
        (folder / name).write_text(text)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "cnncalc.testing.plugin", "--strict-markers",
         "-W", "error", "--rootdir", str(folder), *arguments],
        capture_output=True, text=True, check=False, cwd=folder, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graded")
    code, text = run(folder, "--cnncalc-gradescope", "results.json")
    return code, text, json.loads((folder / "results.json").read_text())


def test_a_failed_check_shows_its_report_and_no_traceback(graded):
    code, text, _ = graded
    assert code == 1
    assert "3 failed, 2 passed" in text
    assert "Likely mistake: In dx, the derivative is left out: this is the upstream" in text
    assert "def relu_backward" not in text
    assert "checking.py" not in text
    assert "test_student.py:11: test_relu_backward" in text


def test_other_failures_look_as_ever(graded):
    assert "RuntimeError: not a check" in graded[1]
    assert 'raise RuntimeError("not a check")' in graded[1]


def test_points_are_written_for_gradescope(graded):
    """2 of 2; none of 4, as dx is wrong in every case; a part of 3; none of 1."""
    tests = {one["name"]: one for one in graded[2]["tests"]}
    assert set(tests) == {"test_relu", "test_relu_backward", "test_leaky_relu", "test_that_crashes"}
    assert (tests["test_relu"]["score"], tests["test_relu"]["status"]) == (2, "passed")
    assert tests["test_relu_backward"]["score"] == 0
    assert 0 < tests["test_leaky_relu"]["score"] < 3
    assert tests["test_leaky_relu"]["number"] == "2.1"
    assert tests["test_leaky_relu"]["visibility"] == "after_due_date"
    assert "Likely mistake: negative_slope is ignored" in tests["test_leaky_relu"]["output"]
    assert tests["test_that_crashes"]["score"] == 0
    assert sum(one["max_score"] for one in tests.values()) == 10


def test_several_processes_write_one_file(tmp_path):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    arguments = ("-p", "xdist", "-n", "2", "--cnncalc-gradescope", "results.json")
    run(tmp_path, *arguments)
    tests = json.loads((tmp_path / "results.json").read_text())["tests"]
    assert {one["name"]: one["max_score"] for one in tests} == {
        "test_relu": 2,
        "test_relu_backward": 4,
        "test_leaky_relu": 3,
        "test_that_crashes": 1,
    }
    assert [one.name for one in tmp_path.iterdir() if "results" in one.name] == ["results.json"]


def test_a_file_that_cannot_be_imported_scores_nothing(tmp_path):
    files = {"student.py": "import nothing_of_that_name", "test_student.py": TESTS}
    code, _ = run(tmp_path, "--cnncalc-gradescope", "results.json", files=files)
    found = json.loads((tmp_path / "results.json").read_text())
    assert code == 2
    assert found["score"] == 0
    assert found["tests"] == []
    assert "nothing_of_that_name" in found["output"]


def test_options_of_the_command_line(tmp_path):
    test = """
def test_relu(cnncheck):
    seen = []
    def relu(x):
        seen.append(x)
        return x * (x > 0)
    assert len(cnncheck.forward(relu, "relu").results) == 3
    print(seen[1].tobytes().hex()[:32])
    cnncheck.forward(lambda x: 3 * x, "relu")
"""
    shown = []
    for seed in ("1", "1", "2"):
        arguments = ("--cnncalc-cases", "3", "--cnncalc-hide-expected", "--cnncalc-seed", seed)
        code, text = run(tmp_path, *arguments, files={"test_one.py": test})
        assert code == 1
        assert "3 of 3 cases fail" in text
        assert "expected  " not in text
        shown.append(text.partition("Captured stdout call")[2].splitlines()[1])
    assert shown[0] == shown[1] != shown[2]


def test_the_hidden_values_stay_hidden_whatever_a_test_asks(tmp_path):
    test = """
def test_relu(cnncheck):
    cnncheck.forward(lambda x: 3 * x, "relu", show_expected=True)
"""
    _, text = run(tmp_path, "--cnncalc-hide-expected", files={"test_one.py": test})
    assert "got  " in text
    assert "expected  " not in text


def test_a_wrong_marker_says_what_it_takes(tmp_path):
    test = """
import pytest

@pytest.mark.cnncalc(size=3)
def test_relu(cnncheck):
    pass
"""
    code, text = run(tmp_path, files={"test_one.py": test})
    assert code != 0
    assert "the marker cnncalc takes no size (help: it takes cases, seed" in text


def test_the_plugin_loads_nothing_heavy():
    code = (
        "import pytest, sys; before = set(sys.modules); import cnncalc.testing.plugin\n"
        "print(sorted({name for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    loaded = set(eval(done.stdout))
    assert {name for name in loaded if "." not in name} == {"cnncalc"}
    assert loaded <= {"cnncalc", "cnncalc.testing", "cnncalc.testing.plugin"}


def test_a_run_without_checks_imports_no_numpy(tmp_path):
    test = """
import sys

def test_nothing():
    assert "numpy" not in sys.modules
    assert "cnncalc.testing.checking" not in sys.modules
"""
    code, text = run(tmp_path, files={"test_one.py": test})
    assert code == 0, text
