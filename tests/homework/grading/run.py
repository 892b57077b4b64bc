"""Runs the command in this process, and looks at what it wrote."""

from hashlib import sha256
from pathlib import Path

from click.testing import CliRunner, Result

from cnncalc.cli.grade import grade as command


def grade(*arguments: object) -> Result:
    """`cnncalc grade` with the arguments given."""
    return CliRunner().invoke(command, [str(one) for one in arguments], prog_name="cnncalc grade")


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, with a digest of its bytes."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
