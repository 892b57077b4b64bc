"""The options of `check` that say which rules run, with what: the configuration file's keys."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from typing import Any, TypeVar

import click

from cnncalc.analyses.memory import DTYPES
from cnncalc.diagnostic import SEVERITIES
from cnncalc.lint import configuration
from cnncalc.lint.configuration import Configuration, SettingError
from cnncalc.lint.settings import PROFILES, Settings

_F = TypeVar("_F", bound=Callable[..., Any])


class _Setting(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
    """A value read as the configuration file's is."""

    def __init__(self, name: str, read: Callable[[Any], Any], split: bool = False) -> None:
        self.name = name
        self.read = read
        self.split = split

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value)
        given = [one.strip() for one in text.split(",") if one.strip()] if self.split else text
        try:
            return self.read(given)
        except SettingError as error:
            self.fail(f"{error}: {error.help}", param, ctx)


_RULES = _Setting("RULES", configuration.selectors, split=True)
_COUNT = _Setting("N", configuration.count)
_BYTES = _Setting("BYTES", configuration.size)

_OPTIONS = (
    click.option("--config", "config", metavar="FILE", help="Configuration file to use."),
    click.option("--isolated", is_flag=True, help="Use no configuration file."),
    click.option("--profile", type=click.Choice(PROFILES), help="Rules that are on: see `rules`."),
    click.option("--select", type=_RULES, multiple=True, help="Run only these rules."),
    click.option("--extend-select", type=_RULES, multiple=True, help="Run these rules as well."),
    click.option("--ignore", type=_RULES, multiple=True, help="Do not run these rules."),
    click.option("--max-parameters", type=_COUNT, help="Budget, such as 25.6M."),
    click.option("--max-macs", type=_COUNT, help="Budget of a forward pass, such as 4.1G."),
    click.option("--max-activation-bytes", type=_BYTES, help="Budget (float32), such as 64MiB."),
    click.option(
        "--device",
        type=_Setting("NAME", configuration.device),
        help="Device for the profile deploy: h100, or PEAK,BANDWIDTH.",
    ),
    click.option("--dtype", type=click.Choice([*DTYPES]), help="Type on that device."),
    click.option("--batch", type=click.IntRange(1), help="Examples at a time on that device."),
    click.option("--memory", type=_BYTES, help="Memory of that device, such as 8GiB."),
    click.option(
        "--object-size", type=click.IntRange(1), help="Pixels of the objects to recognise."
    ),
    click.option(
        "--fail-on",
        type=click.Choice([*SEVERITIES, "never"]),
        help="Least severity that makes the exit code 1 (default: warning).",
    ),
    click.option(
        "--level",
        type=click.Choice(SEVERITIES),
        help="Least severity that is shown (default: warning).",
    ),
    click.option(
        "--baseline", metavar="FILE", help="Findings listed in FILE are known: not shown."
    ),
)


_SELECTORS = ("select", "extend_select", "ignore")

_NAMES = (
    "config", "isolated", "profile", "select", "extend_select", "ignore", "max_parameters",
    "max_macs", "max_activation_bytes", "device", "dtype", "batch", "memory", "object_size",
    "fail_on", "level", "baseline",
)  # fmt: skip


def configuration_options(command: _F) -> _F:
    """Add the options of the configuration, and pass what it comes to as `configuration`."""

    @wraps(command)
    def gathered(**options: Any) -> Any:
        given = {name: options.pop(name) for name in _NAMES}
        return command(configuration=resolve(given), **options)

    wrapped: Any = gathered
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def resolve(given: dict[str, Any]) -> Configuration:
    """The configuration file's settings, and over them what the command line says."""
    path = given.pop("config")
    if path is None and not given.pop("isolated"):
        path = configuration.find()
    base = configuration.read(path) if path else Configuration()
    for name in _SELECTORS:
        given[name] = tuple(rule for rules in given[name] for rule in rules) or None
    given = {name: value for name, value in given.items() if value is not None}
    for _, message, help in configuration.conflicts(
        Settings(
            **{name: given[name] for name in given.keys() & {"select", "extend_select", "ignore"}}
        )
    ):
        raise click.UsageError(f"{message}: {help}")
    settings = {field.name for field in fields(Settings)} & given.keys()
    changed = replace(base.settings, **{name: given.pop(name) for name in settings})
    given.pop("isolated", None)
    return replace(base, settings=changed, **given)
