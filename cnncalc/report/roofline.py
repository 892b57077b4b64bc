"""A network on a device, layer by layer."""

from collections.abc import Sequence
from typing import Any

from cnncalc.analyses.analysis import Analysis
from cnncalc.analyses.memory import Setting
from cnncalc.analyses.roofline import Bound, Device
from cnncalc.notation import Layout, approximate, format_bytes
from cnncalc.report.summary import heading
from cnncalc.report.text import escape_markdown
from cnncalc.spec.document import printable

COLUMNS = ("layer", "FLOPs", "moved", "FLOP/B", "at least", "bound by")


def rows(bounds: Sequence[Bound]) -> list[tuple[str, ...]]:
    """The cells of the layers that do something."""
    return [
        (
            printable(bound.name, 30),
            approximate(bound.flops),
            format_bytes(bound.bytes),
            f"{bound.intensity:.1f}",
            duration(bound.seconds),
            bound.limit,
        )
        for bound in bounds
        if bound.limit != "none"
    ]


def duration(seconds: float) -> str:
    """A time in three digits.

    >>> duration(0.00123), duration(4.56e-7)
    ('1.23 ms', '0.456 us')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def lines(bounds: Sequence[Bound], device: Device, setting: Setting) -> list[str]:
    """What stands below the table."""
    total = sum(bound.seconds for bound in bounds)
    ridge = device.peak[setting.dtype] / device.bandwidth
    memory = [bound for bound in bounds if bound.limit == "memory"]
    share = sum(bound.seconds for bound in memory) / total if total else 0.0
    return [
        f"at least {duration(total)} for a forward pass of batch {setting.batch}, "
        f"{setting.batch / total:,.0f} images/s"
        if total
        else "nothing to compute",
        f"{len(memory)} layers wait for memory, {share:.0%} of the time; the ridge lies at "
        f"{ridge:.1f} FLOP/B",
        f"{device.name}, {setting.dtype}: {approximate(int(device.peak[setting.dtype]))}FLOP/s, "
        f"{format_bytes(int(device.bandwidth))}/s ({device.source})",
    ]


def plain(
    analysis: Analysis, bounds: Sequence[Bound], device: Device, setting: Setting, layout: Layout
) -> str:
    """Aligned columns."""
    table = [COLUMNS, *rows(bounds)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    text = [
        "  ".join(
            cell.rjust(width) if 0 < column < 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    rule = "-" * max(map(len, text))
    body = [heading(analysis, layout), "", text[0], rule, *text[1:], rule]
    return "\n".join([*body, *lines(bounds, device, setting)]) + "\n"


def markdown(
    analysis: Analysis, bounds: Sequence[Bound], device: Device, setting: Setting, layout: Layout
) -> str:
    """A Markdown table."""
    body = [
        f"### {escape_markdown(heading(analysis, layout))}",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|:--|--:|--:|--:|--:|:--|",
        *("| " + " | ".join(map(escape_markdown, row)) + " |" for row in rows(bounds)),
        "",
        *(f"- {escape_markdown(line)}" for line in lines(bounds, device, setting)),
    ]
    return "\n".join(body) + "\n"


def to_json(bounds: Sequence[Bound], device: Device, setting: Setting) -> dict[str, Any]:
    """For scripts: seconds and bytes."""
    return {
        "schema": "cnncalc.roofline/1",
        "device": device.name,
        "source": device.source,
        "dtype": setting.dtype,
        "batch": setting.batch,
        "peak_flops": device.peak[setting.dtype],
        "bandwidth": device.bandwidth,
        "seconds": sum(bound.seconds for bound in bounds),
        "layers": [bound._asdict() for bound in bounds],
    }
