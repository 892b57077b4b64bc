"""Runs as sheets: layer by layer, and what was checked, compared or probed."""

import math
from collections.abc import Sequence
from typing import Any

from cnncalc.execution.comparison import Compared
from cnncalc.execution.gradient_check import Checked
from cnncalc.execution.measuring import Measured
from cnncalc.execution.plan import Plan
from cnncalc.execution.probe import Probe
from cnncalc.execution.statistics import Statistics
from cnncalc.notation import approximate, format_bytes, format_shape
from cnncalc.report.sheets import Sheet
from cnncalc.report.summary import heading
from cnncalc.spec.document import printable

_NAME = 40

#: Errors of differences below this are rounding, which no two machines do alike.
_NOTHING = 1e-6


def number(value: float) -> str:
    """Four digits, in at most nine characters.

    >>> number(0.123456), number(12345678.0), number(0), number(-1.5e-12)
    ('0.1235', '1.235e+07', '0', '-1.5e-12')
    """
    if value == 0:
        return "0"
    if math.isfinite(value) and 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    text = f"{value:.3e}" if math.isfinite(value) else str(value)
    mantissa, e, exponent = text.partition("e")
    return mantissa.rstrip("0").rstrip(".") + e + exponent if e else text


def milliseconds(seconds: float) -> str:
    """Three digits, or all before the point.

    >>> milliseconds(0.0123456), milliseconds(1.2345)
    ('12.3', '1,234')
    """
    value = seconds * 1e3
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def title(plan: Plan) -> str:
    """The network, and how it was run."""
    setting = plan.setting
    mode = "training" if setting.training else "evaluation"
    return (
        f"{heading(plan.analysis, 'maps')}, batch {setting.batch}, {setting.dtype}, "
        f"{mode}, {setting.device}"
    )


def _label(name: str, kind: str) -> str:
    shown = printable(name, _NAME)
    return shown if name.startswith(kind) or kind in name else f"{shown} ({kind})"


def _output(measured: Measured) -> str:
    figures = measured.place.figures
    return "1" if figures is None else format_shape(figures.output)


def layers_sheet(
    plan: Plan,
    layers: Sequence[Measured],
    facts: Sequence[tuple[str, str]],
    *,
    backward: bool,
    times: bool,
) -> Sheet:
    """What each layer gave, and how fast."""
    clock = ("ms", "GFLOP/s") if times else ()
    if backward:
        columns = ("layer", "output", "std", "grad std", *clock, *(("back ms",) if times else ()))
    else:
        columns = ("layer", "output", "mean", "std", "zeros", *clock)
    rows = []
    for one in layers:
        out = one.output
        cells = [_label(one.place.name, one.place.kind), _output(one)]
        if backward:
            grad = "" if one.gradient is None else number(one.gradient.deviation)
            cells += [number(out.deviation), grad]
        else:
            share = f"{100 * out.zeros / out.size:.3g}%" if out.zeros else ""
            cells += [number(out.mean), number(out.deviation), share]
        if times:
            rate = one.rate
            cells += [milliseconds(one.seconds), "" if rate is None else f"{rate:.3g}"]
            if backward:
                cells.append(milliseconds(one.backward_seconds) if one.gradient else "")
        rows.append(tuple(cells))
    raw = (
        ("layer", "kind", "output", "mean", "std", "min", "max", "zeros", "seconds", "flops",
         "gradient_std", "backward_seconds", "backward_flops"),
        [_raw(one, times) for one in layers],
    )  # fmt: skip
    return Sheet(title(plan), columns, 2, rows, facts, raw)


def _raw(one: Measured, times: bool) -> tuple[Any, ...]:
    out = one.output
    return (
        printable(one.place.name, 200),
        one.place.kind,
        _output(one),
        out.mean,
        out.deviation,
        out.least,
        out.most,
        out.zeros,
        one.seconds if times else "",
        one.flops,
        "" if one.gradient is None else one.gradient.deviation,
        one.backward_seconds if times else "",
        one.backward_flops,
    )


def time_facts(layers: Sequence[Measured], *, backward: bool) -> list[tuple[str, str]]:
    """Time and achieved arithmetic of the passes."""
    found = [("forward", _rate(sum(m.seconds for m in layers), sum(m.flops for m in layers)))]
    if backward:
        seconds = sum(m.backward_seconds for m in layers)
        found.append(("backward", _rate(seconds, sum(m.backward_flops for m in layers))))
    return found


def _rate(seconds: float, flops: int) -> str:
    if not seconds:
        return "no time at all"
    per_second = approximate(round(flops / seconds))
    return f"{milliseconds(seconds)} ms, {approximate(flops)} FLOPs, {per_second}FLOP/s"


def gradient_facts(gradients: dict[str, Statistics]) -> list[tuple[str, str]]:
    """The largest gradient there is, and those that are 0 altogether."""
    if not gradients:
        return []
    name = max(gradients, key=lambda one: gradients[one].norm)
    found = [("gradients", f"{len(gradients)}, the largest norm {number(gradients[name].norm)} of "
                           f"{printable(name)}")]  # fmt: skip
    silent = [one for one, has in gradients.items() if has.norm == 0]
    if silent:
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        found.append(("zero", f"the gradient of {printable(silent[0])}{more}"))
    return found


def wrong_facts(layers: Sequence[Measured]) -> list[tuple[str, str]]:
    """Where NaN or infinities begin."""
    for one in layers:
        if one.output.wrong:
            where = printable(one.place.name)
            return [("not finite", f"{one.output.wrong:,} values of {where}, and what follows")]
    return []


def memory_fact(total: int) -> tuple[str, str]:
    """What the run was estimated to need."""
    return ("memory", f"{format_bytes(total)} estimated")


def checks_sheet(plan: Plan, checks: Sequence[Checked]) -> Sheet:
    """Gradients against central differences."""
    rows = [
        (
            printable(one.name, _NAME),
            "x".join(map(str, one.shape)),
            str(one.elements),
            str(one.kinks) if one.kinks else "",
            "" if one.worst is None else _error(one.error),
            "ok" if one.passed else "WRONG",
        )
        for one in checks
    ]
    wrong = [one for one in checks if not one.passed]
    facts = [
        ("checked", f"{sum(one.elements for one in checks)} elements of {len(checks)} tensors"),
        ("kinks", f"{sum(one.kinks for one in checks)} elements, not counted"),
    ]
    worst = max(checks, key=lambda one: one.error, default=None)
    if worst is not None and worst.worst is not None and worst.error >= _NOTHING:
        at, ours, quotient = worst.worst
        facts.append(
            ("largest error", f"{worst.error:.1e} of {printable(worst.name)} at {_place(at)}: "
             f"gradient {ours:.6g}, difference {quotient:.6g}")
        )  # fmt: skip
    says = f"{len(wrong)} of {len(checks)} tensors are wrong" if wrong else "all agree"
    facts.append(("verdict", says))
    raw = (
        ("tensor", "shape", "elements", "kinks", "error", "passed"),
        [
            (printable(c.name, 200), "x".join(map(str, c.shape)), c.elements, c.kinks, c.error,
             c.passed)
            for c in checks
        ],
    )  # fmt: skip
    columns = ("tensor", "shape", "checked", "kinks", "error", "")
    return Sheet(f"{title(plan)}: gradient check", columns, 2, rows, facts, raw)


def _error(value: float) -> str:
    return f"{value:.1e}" if value >= _NOTHING else "<1e-6"


def _place(at: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, at)) + "]"


def comparison_sheet(plan: Plan, found: Sequence[Compared], tolerance: float) -> Sheet:
    """Our arrays against someone else's."""
    rows = []
    for one in found:
        other = "" if one.shape == one.other_shape else "x".join(map(str, one.other_shape))
        rows.append(
            (
                printable(one.name, _NAME),
                "x".join(map(str, one.shape)),
                other,
                "" if math.isinf(one.difference) else f"{one.difference:.1e}",
                "ok" if one.same else "DIFFERS",
            )
        )
    facts = [("compared", f"{len(found)} arrays, {tolerance:g} of the largest value allowed")]
    first = next((one for one in found if not one.same), None)
    if first is None:
        facts.append(("verdict", "all agree"))
    else:
        wrong = sum(not one.same for one in found)
        facts.append(("verdict", f"{wrong} of {len(found)} arrays differ"))
        if first.at is not None:
            where = f"{printable(first.name)}{_place(first.at)}"
            values = f"{first.ours:.6g} here, {first.theirs:.6g} there"
            facts.append(("first", f"{where}: {values}"))
        else:
            shapes = f"{first.shape} here, {first.other_shape} there"
            facts.append(("first", f"{printable(first.name)}: shape {shapes}"))
        if first.hint:
            facts.append(("hint", first.hint))
    raw = (
        ("array", "shape", "other_shape", "difference", "same"),
        [
            (printable(c.name, 200), "x".join(map(str, c.shape)),
             "x".join(map(str, c.other_shape)), c.difference, c.same)
            for c in found
        ],
    )  # fmt: skip
    columns = ("array", "shape", "other shape", "difference", "")
    return Sheet(f"{title(plan)}: comparison", columns, 3, rows, facts, raw)


def probe_sheet(plan: Plan, probe: Probe) -> Sheet:
    """Signals and gradients, layer by layer."""
    rows, raw = [], []
    for one in probe.layers:
        grad = one.gradient
        dead = "" if not one.dead or not one.dead[0] else f"{one.dead[0]}/{one.dead[1]}"
        rows.append(
            (
                _label(one.name, one.kind),
                number(one.activation.mean),
                number(one.activation.deviation),
                dead,
                "" if grad is None else number(grad.mean),
                "" if grad is None else number(grad.deviation),
                "" if grad is None else number(grad.norm),
            )
        )
        raw.append(
            (
                printable(one.name, 200),
                one.kind,
                one.activation.mean,
                one.activation.deviation,
                one.dead[0] if one.dead else "",
                *(("", "", "") if grad is None else (grad.mean, grad.deviation, grad.norm)),
            )
        )
    facts = [("PROBLEM" if bad else "fine", text) for bad, text in probe.verdicts]
    columns = ("layer", "mean", "std", "dead", "grad mean", "grad std", "grad norm")
    names = ("layer", "kind", "mean", "std", "dead", "grad_mean", "grad_std", "grad_norm")
    return Sheet(f"{title(plan)}: probe", columns, 1, rows, facts, (names, raw))
