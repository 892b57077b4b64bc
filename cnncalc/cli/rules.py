"""`cnncalc rules`: the lint rules, one by one or as a list."""

import click

from cnncalc.cli.common import UNREADABLE, write, write_json
from cnncalc.diagnostic import nearest
from cnncalc.lint.rule import Rule
from cnncalc.lint.settings import PROFILES


@click.command()
@click.argument("codes", nargs=-1, metavar="[RULES]...")
@click.option("--profile", type=click.Choice(PROFILES), help="Only those that are on in it.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["plain", "json", "markdown"]),
    default="plain",
    help="A table or text, a JSON object, or Markdown.",
)
def rules(codes: tuple[str, ...], profile: str | None, style: str) -> None:
    """List the lint rules, or explain some: by code, name, or the letter of a family.

    \b
    cnncalc rules
    cnncalc rules F001
    cnncalc rules floor-drops-pixels O
    """
    chosen = [one for one in _chosen(codes) if profile is None or profile in one.profiles]
    if style == "json":
        from cnncalc.report.rules import document

        write_json(document(chosen))
    elif style == "markdown":
        from cnncalc.report.rules import page

        write("\n".join(map(page, chosen)))
    elif codes:
        from cnncalc.report.rules import explained

        write("\n".join(map(explained, chosen)))
    else:
        from cnncalc.report.rules import listed

        write(listed(chosen))


def _chosen(codes: tuple[str, ...]) -> list[type[Rule]]:
    from cnncalc.lint.registry import rules as every
    from cnncalc.lint.selection import known, names

    for code in codes:
        if not known(code):
            from cnncalc.spec.document import printable

            help = nearest(code, names()) or "`cnncalc rules` lists them"
            if code[:1] in "YSGHC" and code[1:].isdigit():
                help = "errors of a spec are explained in docs/diagnostics.md"
            click.echo(f"no rule is called `{printable(code)}`: {help}", err=True)
            raise SystemExit(UNREADABLE)
    if not codes:
        return [*every()]
    return [
        rule
        for rule in every()
        if any(code in ("ALL", rule.name) or rule.code.startswith(code) for code in codes)
    ]
