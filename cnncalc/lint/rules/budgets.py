"""Budgets that the configuration sets, and what goes over them."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.analyses.memory import DTYPES, FLOAT32_BYTES, Setting, in_bytes, largest_batch
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import in_place
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import approximate, count
from cnncalc.window import Extent

#: Contributors that a message names.
_NAMED = 3


class _Budget(Rule):
    """What budgets share: a total, a limit, and the layers that add most to the total."""

    severity = "error"

    def over(
        self,
        subject: Subject,
        total: Any,
        limit: int | None,
        unit: str,
        figure: Callable[[LayerAnalysis], Extent],
    ) -> Iterator[Diagnostic]:
        if limit is None or not isinstance(total, int) or total <= limit or not subject.layers:
            return
        parts = sorted(subject.layers, key=figure, reverse=True)[:_NAMED]
        named = ", ".join(f"{one.name} {approximate(figure(one))}" for one in parts if figure(one))
        yield self.at(
            subject,
            parts[0],
            f"the network has {count(total)} {unit}, {count(total - limit)} over the budget of "
            f"{count(limit)}",
            f"most of them are here: {named}",
        )


class OverParameterBudget(_Budget):
    """The network has more parameters than the configuration allows.

    What it does: compares the trainable parameters with `max-parameters`.

    Why it matters: whoever set the budget has to load and store them.

    Bad:
        input: 100
        layers:
          - «{linear: 100}»
          - relu
          - {linear: 10}

    Good:
        input: 100
        layers:
          - {linear: 50}
          - relu
          - {linear: 10}

    Source: the configuration of the project.
    """

    code = "B001"
    name = "over-parameter-budget"
    example_settings: ClassVar[dict[str, object]] = {"max_parameters": 10_000}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        limit = subject.settings.max_parameters
        if limit is not None:
            total = subject.analysis.totals.parameters
            yield from self.over(subject, total, limit, "parameters", lambda one: one.parameters)


class OverMacBudget(_Budget):
    """The network takes more multiply-accumulates than the configuration allows.

    What it does: compares the MACs of a forward pass, batch 1, with `max-macs`.

    Why it matters: on a given device they bound the time of an answer from below.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - «{conv: 16, kernel: 3, pad: 1}»
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Source: the configuration of the project.
    """

    code = "B002"
    name = "over-mac-budget"
    example_settings: ClassVar[dict[str, object]] = {"max_macs": 2_000_000}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        limit = subject.settings.max_macs
        if limit is not None:
            total = subject.analysis.totals.macs
            yield from self.over(subject, total, limit, "MACs", lambda one: one.macs)


class OverActivationBudget(_Budget):
    """The network holds more activations than the configuration allows.

    What it does: compares the bytes of the input and all outputs, in-place layers left out,
    float32 and batch 1, with `max-activation-bytes`.

    Why it matters: training keeps most of them for the backward pass.

    Bad:
        input: 3@32x32
        layers:
          - «{conv: 16, kernel: 3, pad: 1}»
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 2, stride: 2}
          - relu

    Source: the configuration of the project; CS231n, "Convolutional networks", computational
    considerations.
    """

    code = "B003"
    name = "over-activation-budget"
    example_settings: ClassVar[dict[str, object]] = {"max_activation_bytes": 60_000}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        limit = subject.settings.max_activation_bytes
        if limit is not None:
            total = subject.analysis.totals.activation_bytes
            yield from self.over(subject, total, limit, "bytes of activations", _activation_bytes)


def _activation_bytes(layer: LayerAnalysis) -> Extent:
    return 0 if in_place(layer) else FLOAT32_BYTES * layer.local.elements


class OverDeviceMemory(Rule):
    """A forward pass needs more memory than the device has.

    What it does: compares the parameters and the peak of the activations, in the configured
    type and batch, with `memory`. Workspaces of a framework come on top.

    Why it matters: the network does not run there.

    Bad:
        input: 3@32x32
        layers:
          - «{conv: 16, kernel: 3, pad: 1}»
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 2, stride: 2}
          - relu

    Source: Chen et al. 2016, "Training deep nets with sublinear memory cost", section 3, on
    what has to live at once.
    """

    code = "B004"
    name = "over-device-memory"
    severity = "error"
    example_settings: ClassVar[dict[str, object]] = {"memory": 65_536}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        asked, analysis = subject.settings, subject.analysis
        if asked.memory is None or asked.dtype not in DTYPES or not subject.layers:
            return
        setting = Setting(asked.batch, asked.dtype)  # type: ignore[arg-type]
        parameters = analysis.totals.parameters
        held = in_bytes(analysis.memory, parameters, setting)
        needed = held.parameters + held.peak
        if not isinstance(needed, int) or needed <= asked.memory:
            return
        fits = largest_batch(analysis.memory, parameters, asked.memory, setting).forward
        largest = max(subject.layers, key=lambda one: one.local.elements)
        yield self.at(
            subject,
            largest,
            f"a forward pass of {asked.batch} in {asked.dtype} needs {count(needed)} bytes, "
            f"{count(held.peak)} of them activations at their peak; the device has "
            f"{count(asked.memory)}",
            f"a batch of {fits} fits" if fits else _smaller(asked.dtype),
        )


def _smaller(dtype: str) -> str:
    types = ", ".join(name for name, size in DTYPES.items() if size < DTYPES[dtype])
    return "not even a batch of 1 fits: smaller maps early on" + (types and f", or {types}")
