"""Rules and layers of other packages: one that is installed for real, and broken ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "house-style"
version = "1.0"

[project.entry-points."cnncalc.rules"]
house = "house_style:RULES"

[project.entry-points."cnncalc.layers"]
ghostconv = "house_style:GhostConv"
"""

MODULE = '''\
"""A house style."""

from cnncalc.layers.base import Layer, layer
from cnncalc.layers.fields import Positive
from cnncalc.lint.rule import Rule


@layer
class GhostConv(Layer):
    """Half of the filters by a 1x1 convolution, the others by a cheap 3x3 depthwise one."""

    kind = "ghostconv"
    main = "filters"
    filters: Positive

    def output(self, inputs):
        return inputs[0]._replace(channels=self.filters)

    def weights(self, inputs):
        half = self.filters // 2
        return {"primary": (half, inputs[0].channels, 1, 1), "cheap": (half, 1, 3, 3)}


class OddFilters(Rule):
    """A layer has an odd number of filters.

    What it does: reports it.

    Why it matters: the house says so.

    Bad:
        input: 3@8x8
        layers: [{ghostconv: 7}]

    Good:
        input: 3@8x8
        layers: [{ghostconv: 8}]

    Source: the house.
    """

    code = "HOUSE001"
    name = "odd-filters"
    severity = "warning"

    def check(self, subject):
        for layer in subject.layers:
            if layer.output.channels % 2:
                filters = layer.output.channels
                yield self.at(subject, layer, f"{filters} filters", "make it even", "filters")


RULES = [OddFilters]
'''

SPEC = "input: 3@8x8\nlayers:\n  - {ghostconv: 16}\n  - {conv: 7, kernel: 3}\n"


def cnncalc(*arguments: str, site: Path, input: str = "") -> subprocess.CompletedProcess[str]:
    """The command, with the packages in a folder installed."""
    return subprocess.run(
        [sys.executable, "-m", "cnncalc", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])},
        input=input,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that pip has installed the house style into."""
    project, site = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("site")
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "house_style.py").write_text(MODULE)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--target", str(site), str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return site


def test_an_installed_rule_runs_and_an_installed_layer_is_known(installed):
    done = cnncalc("check", "-", "--format", "concise", site=installed, input=SPEC)
    assert done.stdout == "<stdin>:4:12: HOUSE001 warning: conv1: 7 filters\n"
    assert done.returncode == 1


def test_an_installed_layer_counts(installed):
    """8*3*1*1 + 8*1*3*3 = 24 + 72 = 96 parameters."""
    done = cnncalc("report", "-", "--format", "json", site=installed, input=SPEC)
    layers = json.loads(done.stdout)["layers"]
    assert (layers[0]["kind"], layers[0]["parameters"]) == ("ghostconv", 96)


def test_an_installed_layer_is_in_the_schema_and_explained(installed):
    assert "ghostconv" in cnncalc("schema", "--kinds", site=installed).stdout
    assert "cheap 3x3 depthwise" in cnncalc("schema", "ghostconv", site=installed).stdout
    assert '"ghostconv"' in cnncalc("schema", site=installed).stdout


def test_an_installed_rule_is_listed_selected_and_ignored(installed):
    assert "HOUSE001" in cnncalc("rules", site=installed).stdout
    assert "the house says so" in cnncalc("rules", "odd-filters", site=installed).stdout
    silent = SPEC.replace("kernel: 3}", "kernel: 3, ignore: {HOUSE001: seven dwarfs}}")
    assert cnncalc("check", "-", site=installed, input=silent).returncode == 0
    assert cnncalc("check", "-", "--ignore", "HOUSE", site=installed, input=SPEC).returncode == 0


# Broken ones


def plugin(folder: Path, group: str, name: str, target: str, module: str) -> Path:
    """A package with one entry point, laid out as pip does."""
    (folder / "theirs.py").write_text(module)
    information = folder / "theirs-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[cnncalc.{group}]\n{name} = {target}\n")
    return folder


RULE = "from cnncalc.lint.rule import Rule\nclass R(Rule):\n    "


@pytest.mark.parametrize(
    ("group", "target", "module", "reason"),
    [
        ("rules", "theirs:R", "import nothing_like_it", "ModuleNotFoundError: No module named"),
        ("rules", "theirs:R", "", "AttributeError: module 'theirs' has no attribute 'R'"),
        ("rules", "theirs:R", "R = 3", "3 is no subclass of cnncalc.lint.rule.Rule"),
        ("rules", "theirs:R", f"{RULE}code = 'X001'", "R has no `name`"),
        (
            "rules",
            "theirs:R",
            f"{RULE}code, name, severity = 'x1', 'a-b', 'note'",
            "the code 'x1' is not letters and three digits",
        ),
        (
            "rules",
            "theirs:R",
            f"{RULE}code, name, severity = 'F001', 'a-b', 'note'",
            "a rule is called 'F001' already",
        ),
        (
            "rules",
            "theirs:R",
            f"{RULE}code, name, severity = 'X001', 'a-b', 'fatal'",
            "X001: the severity is one of error, warning, note",
        ),
        ("layers", "theirs:C", "C = 3", "it is no subclass of cnncalc.layers.base.Layer"),
        (
            "layers",
            "theirs:C",
            "from cnncalc.layers.base import Layer\nclass C(Layer): kind = 'other'",
            "its class calls itself `other`",
        ),
        ("layers", "theirs:C", "raise SystemError('boo')", "SystemError: boo"),
    ],
)
def test_a_broken_plugin_is_named_and_the_files_are_checked(
    tmp_path, group, target, module, reason
):
    site = plugin(tmp_path, group, "thing", target, module)
    spec = "input: 3@224x224\nlayers: [{conv: 96, kernel: 11, stride: 4}]"
    done = cnncalc("check", "-", "--format", "concise", site=site, input=spec)
    assert done.returncode == 2
    first, second = done.stdout.splitlines()
    assert first.startswith(
        f"<plugins>:1:1: L006 error: the plugin `thing` ({target}) is left out: "
    )
    assert reason in first
    assert "F001" in second
    assert done.stderr == ""


def test_a_plugin_cannot_take_the_name_of_a_kind(tmp_path):
    module = "from cnncalc.layers.base import Layer\nclass C(Layer): kind = 'conv'"
    site = plugin(tmp_path, "layers", "conv", "theirs:C", module)
    done = cnncalc("check", "lenet5", "--format", "concise", site=site)
    assert "`conv` is a kind already" in done.stdout


def test_other_commands_go_on_without_a_broken_plugin(tmp_path):
    site = plugin(tmp_path, "layers", "thing", "theirs:C", "import nothing_like_it")
    assert cnncalc("report", "lenet5", site=site).returncode == 0
