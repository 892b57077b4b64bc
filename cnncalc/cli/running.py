"""What `cnncalc run` does once its options are read: prepare, run, print."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from cnncalc.analyses.analysis import analyze
from cnncalc.cli.common import CLEAN, FINDINGS, wants_color, write, write_json
from cnncalc.errors import RunError
from cnncalc.execution import reading
from cnncalc.execution.comparison import GRADIENTS, TOLERANCES, compare
from cnncalc.execution.executor import Observer
from cnncalc.execution.gradient_check import check_gradients
from cnncalc.execution.measuring import Meter
from cnncalc.execution.probe import probe
from cnncalc.execution.run import Run
from cnncalc.execution.statistics import statistics
from cnncalc.execution.tensors import tensors
from cnncalc.execution.warming import warm
from cnncalc.execution.weights import load_arrays, save_arrays
from cnncalc.graph import Network
from cnncalc.kernels.binding import chosen_device
from cnncalc.kernels.cpu import compiling, threads
from cnncalc.layers.loss import Loss
from cnncalc.report import run as report
from cnncalc.report import run_json, sheets
from cnncalc.report.sheets import Sheet


def perform(network: Network | None, options: dict[str, Any]) -> int:
    """Run a network as the options say, or only compile; the exit code.

    Raises:
        RunError, DeviceError, SpecError: if it cannot be run.
    """
    with _threads(options["threads"]), compiling.reporting(_Said().compiling):
        if options["warm"]:
            return _warm(network, options)
        assert network is not None
        return _run(network, options)


def _warm(network: Network | None, options: dict[str, Any]) -> int:
    dtypes = (options["dtype"],) if options["dtype"] else ("float32", "float64")
    networks = [] if network is None else [network]
    with _reported(0) as said:
        for doing in warm(networks, dtypes, chosen_device(options["device"])):
            said.advance(doing)
    return CLEAN


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    if count is None:
        yield
        return
    if count > threads.most():
        raise click.UsageError(f"--threads {count}: this machine has {threads.most()}")
    with threads.using(count):
        yield


class _Said:
    """Where progress and compilations are told: a bar on a terminal, else lines."""

    def __init__(self, bar: Any = None) -> None:
        self.bar = bar

    def compiling(self, name: str, types: str) -> None:
        text = f"compiling {name}{' for ' * bool(types)}{types}"
        if self.bar is None:
            click.echo(text, err=True)
        else:
            self.bar.say(text)

    def advance(self, doing: str) -> None:
        if self.bar is not None:
            self.bar.advance(doing)

    def observer(self) -> Observer:
        class Told(Observer):
            def begins(_, place: Any, backward: bool) -> None:  # noqa: N805
                self.advance(f"{place.name}{' (back)' * backward}")

        return Told()


@contextmanager
def _reported(steps: int) -> Iterator[_Said]:
    """Compilations and progress on standard error while this lasts."""
    with ExitStack() as stack:
        said = _Said()
        if sys.stderr.isatty() and steps:
            from cnncalc.report.sheets_terminal import progress

            said = _Said(stack.enter_context(progress(sys.stderr, steps)))
        stack.enter_context(compiling.reporting(said.compiling))
        yield said


def _prepared(network: Network, options: dict[str, Any]) -> Run:
    """The run that the options ask for."""
    check, probing = options["check_gradients"], options["probe"]
    given: dict[str, Any] | None = None
    beside: dict[str, Any] = {}
    if options["source"]:
        given, beside = reading.read_input(options["source"], network)
    target = beside.get("target")
    if options["target"]:
        target = reading.read_target(options["target"])
    init, weights = options["init"], options["weights"]
    if init.endswith(".npz"):
        if weights:
            raise click.UsageError("--init and --weights both name a file of weights")
        init, weights = "he", init
    arrays = None
    if weights:
        arrays = reading.read_weights(weights, tensors(analyze(network)), network)
    loss = options["loss"] or ("random" if check else "sum")
    if probing and not options["loss"]:
        loss = _probed_loss(network)
    return Run(
        network,
        given,
        device=chosen_device(options["device"]),
        loss=loss,
        target=target,
        weights=arrays,
        init=init,
        batch=options["batch"],
        dtype="float64" if check else options["dtype"],
        seed=options["seed"],
        training=probing if options["training"] is None else options["training"],
        boxes=beside.get("boxes"),
        algorithm=options["algorithm"],
    )


def _probed_loss(network: Network) -> str:
    """The loss that a fresh network is probed with: its own, or the cross-entropy."""
    own = any(isinstance(network.nodes[index].layer, Loss) for index in network.outputs)
    return "sum" if own else "cross_entropy"


def _run(network: Network, options: dict[str, Any]) -> int:
    """Run, print, and say how it went."""
    try:
        prepared = _prepared(network, options)
    except TypeError as error:  # an array of the wrong kind in a file
        raise RunError(str(error)) from error
    check = options["check_gradients"]
    theirs = None
    if options["compare"]:
        theirs = load_arrays(options["compare"])
    backward = options["backward"] or options["probe"] or check
    if theirs is not None and any(name.startswith(GRADIENTS) for name in theirs):
        backward = True
    keep_all = check or bool(options["save"]) or theirs is not None
    prepared.check_memory(backward=backward, keep_all=keep_all, limit=options["memory_limit"])
    places = len(prepared.plan.places)
    steps = places * (1 + backward)
    if check:
        steps = len(prepared.wanted) + len(network.inputs)
    with _reported(steps) as said:
        if check:
            return _check(prepared, options, said)
        if options["probe"]:
            return _probe(prepared, options, said)
        return _measure(prepared, options, said, backward, theirs)


def _check(prepared: Run, options: dict[str, Any], said: _Said) -> int:
    found = check_gradients(prepared, options["elements"] or 10, said.advance)
    _print(
        options,
        lambda: report.checks_sheet(prepared.plan, found),
        lambda: {**_head(prepared), "checks": run_json.checks_json(found)},
    )
    return CLEAN if all(one.passed for one in found) else FINDINGS


def _probe(prepared: Run, options: dict[str, Any], said: _Said) -> int:
    found = probe(prepared, said.observer())
    _print(
        options,
        lambda: report.probe_sheet(prepared.plan, found),
        lambda: {**_head(prepared), "probe": run_json.probe_json(found)},
    )
    return CLEAN


def _measure(
    prepared: Run, options: dict[str, Any], said: _Said, backward: bool, theirs: Any
) -> int:
    plan = prepared.plan
    meter = Meter(plan, prepared.moves, said.observer())
    meter.steady = options["times"] and theirs is None
    keep = prepared.named(bool(options["save"]) or theirs is not None)
    result = prepared.pass_through(backward=backward, keep=keep, observer=meter)
    if options["save"]:
        _save(options["save"], result)
    if theirs is not None:
        return _compare(prepared, options, result, theirs)
    layers = [meter.layers[place.index] for place in plan.places]
    gradients = {name: statistics(one) for name, one in result.gradients.items()}
    times = options["times"]
    facts = [
        *([("loss", f"{report.number(result.loss)} ({_loss_name(options)})")] if backward else []),
        *report.gradient_facts(gradients),
        *(report.time_facts(layers, backward=backward) if times else []),
        *report.wrong_facts(layers),
    ]
    _print(
        options,
        lambda: report.layers_sheet(plan, layers, facts, backward=backward, times=times),
        lambda: {
            **_head(prepared),
            "loss": run_json.finite(result.loss) if backward else None,
            "layers": run_json.layers_json(layers, times=times),
            "gradients": run_json.gradients_json(gradients),
        },
    )
    return CLEAN


def _loss_name(options: dict[str, Any]) -> str:
    name = options["loss"] or "sum"
    return {"sum": "sum of the outputs", "mean": "mean of the outputs"}.get(name, name)


def _save(path: str, result: Any) -> None:
    gradients = {GRADIENTS + name: value for name, value in result.gradients.items()}
    save_arrays(path, {**result.weights, **result.activations, **gradients})


def _compare(prepared: Run, options: dict[str, Any], result: Any, theirs: Any) -> int:
    tolerance = options["tolerance"]
    if tolerance is None:
        tolerance = TOLERANCES[prepared.plan.setting.dtype]
    gradients = {GRADIENTS + name: value for name, value in result.gradients.items()}
    ours = {**result.activations, **gradients}
    found = compare(ours, theirs, tolerance, ignored=list(prepared.wanted))
    _print(
        options,
        lambda: report.comparison_sheet(prepared.plan, found, tolerance),
        lambda: {
            **_head(prepared),
            "tolerance": tolerance,
            "comparison": run_json.comparison_json(found),
        },
    )
    return CLEAN if all(one.same for one in found) else FINDINGS


def _head(prepared: Run) -> dict[str, Any]:
    return run_json.head(prepared.plan, threads.used())


def _print(
    options: dict[str, Any],
    sheet: Callable[[], Sheet],
    document: Callable[[], dict[str, Any]],
) -> None:
    style = options["style"] or ("rich" if sys.stdout.isatty() else "plain")
    if style == "json":
        write_json(document())
        return
    if style == "rich":
        from cnncalc.report.sheets_terminal import print_sheet

        print_sheet(sheet(), colored=wants_color(options["color"], sys.stdout))
        return
    renders = {
        "plain": sheets.plain,
        "markdown": sheets.markdown,
        "csv": sheets.comma_separated,
    }
    write(renders[style](sheet()))
