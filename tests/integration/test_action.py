"""The GitHub action: its steps are run as a runner would run them, in bash."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

BAD = "input: 3@224x224\nlayers:\n  - {conv: 96, kernel: 11, stride: 4}\n"


class Runner:
    """As much of a runner as a composite action needs: inputs, `if`, `env`, bash steps."""

    def __init__(self, workspace: Path, temporary: Path, **inputs: str) -> None:
        defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        assert inputs.keys() <= defaults.keys()
        self.values = {f"inputs.{name}": one for name, one in {**defaults, **inputs}.items()}
        self.values["github.action_path"] = str(ROOT)
        self.workspace, self.temporary = workspace, temporary

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run the steps up to the first that fails; gives the last one run."""
        done = None
        for step in ACTION["runs"]["steps"]:
            if "if" in step and not self.holds(step["if"]):
                continue
            assert step["shell"] == "bash"
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace,
                env={
                    **os.environ,
                    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                    "RUNNER_TEMP": str(self.temporary),
                    **{name: self.value(text) for name, text in step["env"].items()},
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            if done.returncode:
                break
        assert done is not None
        return done

    def value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.values[found[1]], text)

    def holds(self, condition: str) -> bool:
        found = re.fullmatch(r"\$\{\{ (\S+) != '' \}\}", condition)
        assert found, condition
        return self.values[found[1]] != ""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """The runner's folder: what the first step installs is there for all tests."""
    return tmp_path_factory.mktemp("runner")


def test_no_step_puts_an_input_into_its_script():
    """An input in a script would be code; in the environment it is data."""
    assert all("${{" not in step["run"] for step in ACTION["runs"]["steps"])


def test_findings_are_annotated_and_fail_the_step(tmp_path, temporary):
    (tmp_path / "net.yaml").write_text(BAD)
    done = Runner(tmp_path, temporary).run()
    assert done.returncode == 1
    assert done.stdout.startswith("::warning title=F001 floor-drops-pixels,file=net.yaml,line=3,")


def test_options_sarif_and_several_paths(tmp_path, temporary):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.yaml").write_text(BAD)
    done = Runner(
        tmp_path, temporary, paths="a\nb", arguments="--fail-on error", sarif="out.sarif"
    ).run()
    assert (done.returncode, done.stdout.count("::warning")) == (0, 2)
    results = json.loads((tmp_path / "out.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["F001", "F001"]
