"""What the figures of a symbolic network take for granted: that every window fits in."""

from cnncalc.analyses.analysis import Analysis


def assumptions(analysis: Analysis) -> list[tuple[str, str]]:
    """Conditions on the symbols, each with the first layer that needs it.

    A window of span k on a symbolic extent n with p of padding exists only where
    ``n + p >= k``. Conditions that hold for every positive size are left out.
    """
    found: dict[str, str] = {}
    for one in analysis.layers:
        layer = one.node.layer
        if layer is None or not layer.fits or not one.local.inputs[0].symbolic:
            continue
        windows = layer.windows(one.local.inputs)
        for n, window in zip(one.local.inputs[0].spatial, windows, strict=True):
            if isinstance(n, int) or window.same:
                continue
            least = window.span - window.before - window.after
            if (n - least).is_nonnegative is not True:
                found.setdefault(f"{n} >= {least}", one.name)
    return list(found.items())
