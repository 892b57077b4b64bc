"""`cnncalc run`: a network computed, forward and back."""

from typing import Any, NoReturn

import click

from cnncalc.cli.common import (
    UNREADABLE,
    color_option,
    exit_with,
    limit_option,
    load_or_exit,
)
from cnncalc.cli.report import Amount
from cnncalc.errors import DeviceError, RunError, SpecError

#: As in cnncalc.execution.run, which takes longer to import than `--help` may.
_LOSSES = ("sum", "mean", "random", "cross_entropy", "hinge", "l2", "smooth_l1")


@click.command()
@click.argument("spec", required=False)
@click.option(
    "--input",
    "source",
    metavar="FILE",
    help="The input: .npy, .npz with arrays by name, or a picture (with Pillow); drawn from the "
    "seed unless given.",
)
@click.option("--batch", type=click.IntRange(1, 2**31 - 1), help="Examples to draw (default: 1).")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Default: float32, for --check-gradients float64.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), default=0, help="Of all that is drawn (default 0)."
)
@click.option(
    "--weights", metavar="FILE", help="A .npz with every parameter by name, such as conv1.weight."
)
@click.option(
    "--init",
    default="he",
    metavar="RULE",
    help="How weights are drawn: he, xavier or lecun, with -uniform if not normal; "
    "constant:VALUE, zeros; or a .npz (default: he).",
)
@click.option(
    "--train/--eval",
    "training",
    default=None,
    help="Dropout and batch statistics as in training, or as in evaluation (default; --probe "
    "trains).",
)
@click.option("--backward", is_flag=True, help="Also the gradients of all parameters and inputs.")
@click.option(
    "--loss",
    type=click.Choice(_LOSSES),
    help="What is differentiated: sum, mean or a random sum of the outputs, or a loss put behind "
    "them (default: sum; random for --check-gradients, cross_entropy for --probe).",
)
@click.option(
    "--target",
    metavar="FILE",
    help="For a loss: a .npy, .npz, or labels such as 3,1,4; drawn unless given.",
)
@click.option(
    "--algorithm",
    type=click.Choice(["exact", "fast"]),
    default="exact",
    help="fast allows Winograd's convolution.",
)
@click.option("--check-gradients", is_flag=True, help="Against central differences, in float64.")
@click.option(
    "--elements",
    type=click.IntRange(1, 10**6),
    help="Elements of each tensor that --check-gradients tries (default: 10).",
)
@click.option(
    "--compare",
    metavar="FILE",
    help="Against a .npz of arrays by layer (gradients/NAME for gradients); the first difference "
    "is shown.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1e9),
    help="What --compare lets pass, relative to the largest value (default: 1e-4, float64 1e-9).",
)
@click.option("--save", metavar="FILE", help="Write inputs, weights, outputs, gradients: a .npz.")
@click.option("--probe", is_flag=True, help="Gradient flow at initialisation, layer by layer.")
@click.option(
    "--warm", is_flag=True, help="Only compile the kernels of SPEC, or of the common layers."
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda", "auto"]),
    default="cpu",
    help="auto: cuda where it can be used (default: cpu).",
)
@click.option("--threads", type=click.IntRange(min=1), help="Default: all there are.")
@click.option(
    "--memory",
    "memory_limit",
    type=Amount(),
    help="What the run may take, such as 8GiB; what is free unless given.",
)
@click.option("--times/--no-times", default=True, help="Whether to show times.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["rich", "plain", "json", "markdown", "csv"]),
    help="rich on a terminal and plain in a pipe by default.",
)
@color_option
@limit_option
def run(spec: str | None, **options: Any) -> None:
    """Run a network on the reference kernels: forward, and with --backward back.

    A table of what each layer gives, how long it takes and how fast that is.
    What is not given (input, weights, targets, boxes) is drawn from the seed.

    \b
    cnncalc run lenet5_modern --batch 16 --backward
    cnncalc run net.yaml --input cat.png --weights net.npz
    cnncalc run net.yaml --check-gradients
    cnncalc run cifar_plain56 --probe --batch 8
    """
    _check_modes(spec, options)
    network = load_or_exit(spec, options["limits"], options["color"]) if spec else None
    from cnncalc.cli import running

    try:
        raise SystemExit(running.perform(network, options))
    except SpecError as error:
        exit_with(error.diagnostics, network.text if network else None, options["color"])
    except RunError as error:
        _fail(error.message, error.help)
    except DeviceError as error:
        _fail(str(error), "--device cpu runs anywhere")


def _check_modes(spec: str | None, options: dict[str, Any]) -> None:
    """Refuse options that have nothing to say to each other."""
    if spec is None and not options["warm"]:
        raise click.UsageError("give a SPEC")
    modes = [name for name in ("check_gradients", "compare", "probe", "warm") if options[name]]
    if len(modes) > 1:
        first, second = ("--" + name.replace("_", "-") for name in modes[:2])
        raise click.UsageError(f"{first} and {second} are different runs: give one of them")
    if options["save"] and (options["probe"] or options["check_gradients"] or options["warm"]):
        raise click.UsageError("--save writes what a plain run gives: leave the others out")
    if options["check_gradients"] and options["dtype"] == "float32":
        raise click.UsageError("--check-gradients needs float64: differences lose their digits")
    if options["elements"] and not options["check_gradients"]:
        raise click.UsageError("--elements belongs to --check-gradients")
    if options["tolerance"] is not None and not options["compare"]:
        raise click.UsageError("--tolerance belongs to --compare")


def _fail(message: str, help: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    if help:
        click.echo(f"help: {help}", err=True)
    raise SystemExit(UNREADABLE)
