"""The pre-commit hooks, installed by pre-commit itself in a scratch repository.

pre-commit clones this project, builds an environment from it, and runs the hook at
`git commit`: a bad spec stops the commit, a good one does not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.org")

BAD = "input: 3@224x224\nlayers:\n  - {conv: 96, kernel: 11, stride: 4}\n"
GOOD = BAD.replace("224x224", "227x227")
FIXABLE = """\
input: 3@8x8
layers:
  - {conv: 8, kernel: 3, pad: 1}   # the bias that batchnorm cancels
  - batchnorm
  - relu
"""


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """This project as a repository of its own, as pre-commit would clone it."""
    clone = tmp_path_factory.mktemp("project")
    for name in ("cnncalc", "specs", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, clone)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", clone)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "All")):
        assert run(*GIT, *command, cwd=clone).returncode == 0
    return clone


@pytest.fixture
def commit(project, tmp_path):
    """Commit a spec in a repository that has the hooks; gives what git said."""
    revision = run(*GIT, "rev-parse", "HEAD", cwd=project).stdout.strip()
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {project}\n    rev: {revision}\n"
        "    hooks: [{id: cnncalc-fix}, {id: cnncalc-check}]\n"
    )
    run(*GIT, "init", "-q", cwd=tmp_path)
    home = project.parent / "pre-commit-home"
    installed = run("pre-commit", "install", cwd=tmp_path, PRE_COMMIT_HOME=str(home))
    assert installed.returncode == 0, installed.stderr

    def commit(name: str, text: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        run(*GIT, "add", "-A", cwd=tmp_path)
        return run(*GIT, "commit", "-qm", "A spec", cwd=tmp_path, PRE_COMMIT_HOME=str(home))

    return commit


def test_a_bad_spec_stops_the_commit_and_a_good_one_does_not(commit, tmp_path):
    stopped = commit("specs/net.yaml", BAD)
    assert stopped.returncode == 1
    assert "F001 warning: conv1: the stride 4 does not fit 224 - 11" in stopped.stderr
    assert run(*GIT, "log", cwd=tmp_path).returncode != 0  # there is no commit
    done = commit("specs/net.yaml", GOOD)
    assert done.returncode == 0, done.stderr
    assert run(*GIT, "log", "--format=%s", cwd=tmp_path).stdout == "A spec\n"


def test_a_fixable_spec_is_fixed_and_can_be_committed_then(commit, tmp_path):
    assert commit("specs/net.yaml", FIXABLE).returncode == 1  # pre-commit: files were changed
    fixed = (tmp_path / "specs" / "net.yaml").read_text()
    assert fixed == FIXABLE.replace("pad: 1}", "pad: 1, bias: false}")
    assert commit("specs/net.yaml", fixed).returncode == 0


def test_other_yaml_is_left_alone(commit):
    assert commit("config.yaml", "a: [1, 2]\n").returncode == 0
