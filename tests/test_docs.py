"""Proves that the pages under docs/ say what the program does.

Every complete spec in them loads and analyses, every command prints what is shown
below it, every Python example runs; the page of the layers is the one generated
from the code; diagnostics, JSON keys, limits, commands and options are documented
as they are in the code, none missing and none too many; and no link leads nowhere.

How the pages mark their examples, in the words after the three backticks:

    yaml           a complete spec; under `# NAME.yaml` it is also a file of the page
    yaml wrong     a complete spec with an error
    yaml fragment  layers alone, as they would stand under `layers:`
    console        `$ command`, then all it prints, on both streams; with `json` next
                   and nothing printed, the JSON below is its output, laid out anew
    python         with `>>>`, run from top to bottom of the page
"""

import ast
import doctest
import importlib.util
import io
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tokenize
from dataclasses import fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml
from click.testing import CliRunner

import cnncalc
from cnncalc.cli import COMMANDS, main
from cnncalc.lint import registry
from cnncalc.lint.engine import lint
from cnncalc.spec.claims import CLAIMABLE
from cnncalc.spec.items import COMMON

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = tuple(sorted(DOCS.glob("*.md")))
TERMINAL = {"NO_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}


class Example(NamedTuple):
    """A fenced block: where it stands, what it is marked as, and the heading it is under."""

    page: Path
    line: int
    kind: str
    text: str
    heading: str

    def __str__(self) -> str:
        return f"{self.page.stem}-{self.line}"


def examples(page: Path) -> list[Example]:
    found: list[Example] = []
    heading, opened = "", None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None and line.startswith("#"):
            heading = line.lstrip("#").strip()
        if line.startswith("```"):
            if opened is None:
                opened, lines = (number, line.removeprefix("```").strip()), []
            else:
                text = "".join(one + "\n" for one in lines)
                found.append(Example(page, opened[0] + 1, opened[1], text, heading))
                opened = None
        elif opened is not None:
            lines.append(line)
    assert opened is None, f"{page.name}:{opened}: a block is not closed"
    return found


EXAMPLES = [example for page in PAGES for example in examples(page)]


def of_kind(*kinds: str, pages: tuple[Path, ...] = PAGES) -> list[Example]:
    return [one for one in EXAMPLES if one.kind in kinds and one.page in pages]


DIAGNOSTICS = DOCS / "diagnostics.md"
ELSEWHERE = tuple(page for page in PAGES if page != DIAGNOSTICS)


@pytest.fixture
def page_folder(tmp_path, monkeypatch):
    """The current folder, holding the specs that a page defines."""

    def enter(page: Path) -> Path:
        for example in EXAMPLES:
            # Question and answer files are no specs: their blocks are of the kind `yml`.
            named = re.match(r"# (\S+\.yaml)\n", example.text)
            if example.page == page and example.kind.startswith(("yaml", "yml")) and named:
                (tmp_path / named[1]).write_text(example.text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        for name, value in TERMINAL.items():
            monkeypatch.setenv(name, value)
        return tmp_path

    return enter


def test_the_kinds_of_examples_are_known():
    known = {"yaml", "yaml wrong", "yaml fragment", "console", "json", "python", "text", "sh"}
    known |= {"toml", "yml"}
    assert {example.kind for example in EXAMPLES} <= known


# Specs


@pytest.mark.parametrize("example", of_kind("yaml", pages=ELSEWHERE), ids=str)
def test_complete_specs_are_sound(example):
    network = cnncalc.loads(example.text)
    cnncalc.analyze(network)
    assert [found for found in lint(network) if found.severity == "error"] == []


@pytest.mark.parametrize("example", of_kind("yaml wrong"), ids=str)
def test_wrong_specs_are_wrong(example):
    assert any(found.severity == "error" for found in diagnosed(example.text))


@pytest.mark.parametrize("example", of_kind("yaml fragment"), ids=str)
def test_fragments_are_lists_of_layers(example):
    """Names and shapes depend on what is left out; the syntax does not."""
    layers = "".join(f"  {line}\n" for line in example.text.splitlines())
    found = diagnosed(f"input: 64@64x64\nlayers:\n{layers}")
    assert [one for one in found if one.code[0] in "YS"] == []


def diagnosed(text: str) -> list[cnncalc.Diagnostic]:
    try:
        return lint(cnncalc.loads(text))
    except cnncalc.SpecError as error:
        return list(error.diagnostics)


# Configuration


def test_configuration_files_are_right(tmp_path):
    from cnncalc.lint.configuration import OWN_FILE, READERS, read

    text = page_text("linting.md")
    shown = [one.text for one in of_kind("toml") if one.text.startswith(f"# {OWN_FILE}\n")]
    assert shown
    for configuration in shown:
        (tmp_path / OWN_FILE).write_text(configuration, encoding="utf-8")
        assert read(str(tmp_path / OWN_FILE)).problems == ()
    assert [key for key in READERS if f"| `{key}` |" not in text] == []


def test_what_other_programs_are_told_exists():
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    for example in of_kind("yml"):
        document = yaml.safe_load(example.text)
        for repository in document.get("repos", ()):
            assert {hook["id"] for hook in repository["hooks"]} <= hooks
        for step in document.get("steps", ()):
            if "cnncalc" in step["uses"]:
                assert step["with"].keys() <= action["inputs"].keys()


# Commands


def transcript(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (found[-1][0][:-1] + line.removeprefix("> ").strip(), "")
        else:
            assert found, f"a console block starts with `$ `, not {line!r}"
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def printed(command: str, folder: Path) -> str:
    """What a command prints; through a shell only where it needs one."""
    words = shlex.split(command)
    if words[0] == "cnncalc" and not re.search(r"[|;&$`]|\s[<>]|>>", unquoted(command)):
        done = CliRunner().invoke(main, words[1:], prog_name="cnncalc", env=TERMINAL)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return without_progress(done.output)
    shim = folder / ".bin" / "cnncalc"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cnncalc "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(shim.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.run(
        ["bash", "-c", command],
        check=False,
        cwd=folder,
        env={**os.environ, **TERMINAL, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    # CSV files end their lines as RFC 4180 has it, which a page does not show.
    return without_progress(process.stdout.decode().replace("\r\n", "\n"))


def without_progress(output: str) -> str:
    """What is printed whether or not the kernels have been compiled before."""
    return re.sub(r"^compiling .*\n", "", output, flags=re.MULTILINE)


def unquoted(command: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", command)


@pytest.mark.parametrize("example", of_kind("console"), ids=str)
def test_commands_print_what_is_shown(example, page_folder):
    folder = page_folder(example.page)
    following = EXAMPLES[EXAMPLES.index(example) + 1 :][:1]
    commands = transcript(example.text)
    for command, shown in commands:
        output = printed(command, folder)
        as_json = not shown and following and following[0].kind == "json"
        if as_json and (command, shown) == commands[-1]:
            # Equal as text once both are laid out alike: the order of the keys counts.
            assert json.dumps(json.loads(output)) == json.dumps(json.loads(following[0].text))
        else:
            assert output == shown, command


def test_every_json_block_is_some_command_s_output():
    for position, example in enumerate(EXAMPLES):
        if example.kind == "json":
            before = EXAMPLES[position - 1]
            assert (before.page, before.kind) == (example.page, "console"), str(example)
            assert transcript(before.text)[-1][1] == "", str(example)


@pytest.mark.parametrize("example", of_kind("console"), ids=str)
def test_commands_fit_80_columns_where_they_are_tables(example):
    lines = example.text.splitlines()
    rules = [line for line in lines if set(line) == {"-"}]
    assert all(len(line) <= 80 for line in rules)


# Python


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_examples_run(page, page_folder):
    blocks = [one for one in of_kind("python") if one.page == page]
    page_folder(page)
    names: dict[str, object] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report = io.StringIO()
    for block in blocks:
        parsed = doctest.DocTestParser().get_doctest(
            block.text, names, page.name, str(page), block.line - 1
        )
        assert parsed.examples, f"{block}: an example without >>>"
        runner.run(parsed, out=report.write, clear_globs=False)
        names = parsed.globs
    assert runner.failures == 0, report.getvalue()


# Generated and cross-checked


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_fresh():
    made = dict(generator().pages())
    for name, text in made.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, "run python docs/generate.py"
    rules = {f"rules/{path.name}" for path in (DOCS / "rules").iterdir()}
    assert rules == {name for name in made if name.startswith("rules/")}


CODE = re.compile(r"[A-Z]\d{3}")


@cache
def emitted() -> dict[str, set[str]]:
    """Every code in the source, with the names beside it; rules have pages of their own."""
    found: dict[str, set[str]] = {}
    ruled = {rule.code for rule in registry.rules()}
    for path in (ROOT / "cnncalc").rglob("*.py"):
        with path.open("rb") as file:
            tokens = [
                one for one in tokenize.tokenize(file.readline) if one.type == tokenize.STRING
            ]
        for token, following in pairwise(tokens):
            code = token.string.strip("\"'")
            if CODE.fullmatch(code) and code not in ruled:
                name = ast.literal_eval(following.string)
                found.setdefault(ast.literal_eval(token.string), set()).add(name)
    return found


def documented() -> dict[str, str]:
    """The sections of docs/diagnostics.md, by code."""
    text = DIAGNOSTICS.read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    return {section[:4]: section for section in sections}


def test_every_diagnostic_is_documented_and_exists():
    assert documented().keys() == emitted().keys()


def test_diagnostics_go_by_the_names_in_the_source():
    for code, section in documented().items():
        title = section.partition("\n")[0]
        names = set(re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", title))
        assert names == emitted()[code], title


def test_diagnostics_have_the_severity_of_the_source():
    for code, section in documented().items():
        stated = re.search(r"^(Error|Warning|Note)\b", section, flags=re.MULTILINE)
        assert stated is not None, code
        assert stated[1] == "Error", code


#: A defect of a rule or of the program, or a plugin, cannot be shown by a spec:
#: tests/lint/test_engine.py, tests/cli/test_check.py and tests/test_plugins.py make them.
UNSHOWN = {"L003", "L005", "L006"}


@pytest.mark.parametrize("code", sorted(documented().keys() - UNSHOWN))
def test_each_diagnostic_has_an_example_that_triggers_it(code):
    """The commands among them are run by `test_commands_print_what_is_shown`."""
    found = [one for one in EXAMPLES if one.page == DIAGNOSTICS and one.heading[:4] == code]
    shown = [one for one in found if one.kind != "yml"]  # a question file is for the commands
    assert shown, f"{code} has no example"
    for example in shown:
        if example.kind == "yaml":
            assert {found.code for found in diagnosed(example.text)} == {code}, str(example)
        else:
            assert example.kind == "console"
            assert f"{code} " in example.text, str(example)


JSON_SECTIONS = {
    "report": ["report", "tiny.yaml", "--format", "json"],
    "check": ["check", "unfit.yaml", "--format", "json"],
    "calc": ["calc", "conv", "3@224x224", "--filters", "8", "--kernel", "11", "--stride", "4",
             "--format", "json"],
    "rules": ["rules", "F001", "--format", "json"],
    "zoo": ["zoo", "lenet5_modern", "--format", "json"],
}  # fmt: skip


def keys_of(value: object, prefix: str = "") -> set[str]:
    """The keys of a JSON document: ``totals.macs``, ``layers[].name``."""
    if isinstance(value, list):
        return set().union(*(keys_of(item, prefix + "[]") for item in value if item != {}))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, inner in value.items():
        path = f"{prefix}.{key}" if prefix else key
        found |= {path, *keys_of(inner, path)}
    return found


@pytest.mark.parametrize("command", JSON_SECTIONS)
def test_json_keys_are_documented(command, page_folder):
    page = DOCS / "json.md"
    page_folder(page)
    output = CliRunner().invoke(main, JSON_SECTIONS[command], env=TERMINAL).stdout
    actual = keys_of(json.loads(output))
    section = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = next(one for one in section if one.startswith(f"{command}\n"))
    table = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    optional = set(re.findall(r"^\| `([^`]+)` \| [^|]* \| only ", text, flags=re.MULTILINE))
    opaque = {key for key in actual if re.match(r"(weights|input|networks\[\]\.input)\.", key)}
    assert set(table) - optional == actual - opaque - optional
    assert len(table) == len(set(table))


def page_text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_command_and_option_is_documented():
    text = page_text("commands.md")
    sections = {one.partition("\n")[0]: one for one in re.split(r"^## ", text, flags=re.M)[1:]}
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        options = [
            option
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        ]
        own = DOCS / f"{name}.md"  # the larger commands have a page of their own
        text = sections[name] + sections["Common"] + (page_text(own.name) if own.exists() else "")
        missing = [one for one in options if f"`{one}" not in text]
        assert missing == [], name


def test_options_that_are_documented_exist():
    context = click.Context(main)
    known = {"--help", "--version"}
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        known |= {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):  # the options of its commands, such as `calc conv`
            for one in command.list_commands(context):
                inner = command.get_command(context, one)
                known |= {option for parameter in inner.params for option in parameter.opts}
    text = page_text("commands.md")
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert set(re.findall(r"`(--[a-z-]+)", outside)) <= known


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("spec-language.md", COMMON),
        ("spec-language.md", CLAIMABLE),
        ("spec-language.md", [field.name for field in fields(cnncalc.Limits)]),
        ("python.md", cnncalc.__all__),
        ("python.md", cnncalc.Totals._fields),
        ("python.md", cnncalc.LayerAnalysis._fields),
        ("python.md", cnncalc.Diagnostic._fields),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_name_is_documented(page, words):
    text = page_text(page)
    assert [word for word in words if f"`{word}" not in text] == []


# Links


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    found: set[str] = set()
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for title in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", title.lower().replace("`", ""))
        anchor = plain.strip().replace(" ", "-")
        assert anchor not in found, f"{page.name}: two headings give #{anchor}"
        found.add(anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`(?!\])", "", text)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_the_index_lists_every_page():
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", page_text("index.md")))
    assert listed == {page.name for page in DOCS.glob("*.md")} - {"index.md"}
