"""Which of several solutions people would choose, and why.

Convolutions: an odd kernel, which has a centre, padded by half, (k-1)/2, moved by 1
or 2, not dilated. Pools: windows side by side, without padding. Transposed
convolutions: a kernel that is a multiple of the stride, so that every output pixel
gets as many contributions (Odena, Dumoulin and Olah, Distill 2016). Everywhere: no
pixel lost or skipped, an exact fit, the smallest.
"""

from typing import TYPE_CHECKING, Any

from cnncalc.analyses.solving.problem import Problem

if TYPE_CHECKING:
    from cnncalc.analyses.solving.layer import Solution


def key(problem: Problem, one: "Solution") -> tuple[int, ...]:
    """Sorts solutions by convention."""
    values = one.values
    kernel, stride, pad, dilation = (
        _first(problem.option(name, values)) for name in ("kernel", "stride", "pad", "dilation")
    )
    added = _first(problem.option("output_padding", values) or 0)
    span = dilation * (kernel - 1) + 1
    habits: tuple[int, ...]
    if problem.takes("output_padding"):
        habits = (added > 0, dilation > 1, kernel % stride, 2 * pad != span - stride, kernel == 1)
    elif problem.takes("ceil"):
        habits = (_loses(one, stride > span), dilation > 1, kernel != stride, pad > 0, kernel == 1)
    else:
        habits = (
            *(_loses(one, stride > span), dilation > 1, kernel % 2 == 0, kernel == 1),
            *(0 if 2 * pad == span - 1 else 1 if pad == 0 else 2, stride > 2),
        )
    filters = values.get("filters", 0) * (-1 if problem.target.at_most else 1)
    smallest = (kernel, stride, dilation, pad, added, filters, values.get("input", 0))
    return (*map(int, habits), int(not one.exact), *smallest)


def reasons(problem: Problem, one: "Solution", *, alone: bool = False) -> tuple[str, ...]:
    """What is conventional about a solution, of what was asked; `alone` if it is the only one."""
    values = one.values
    kernel, stride, pad, dilation = (
        _first(problem.option(name, values)) for name in ("kernel", "stride", "pad", "dilation")
    )
    span = dilation * (kernel - 1) + 1
    found: list[str] = []
    if problem.takes("output_padding"):
        if "kernel" in values and kernel % stride == 0 and stride > 1:
            found.append(f"kernel {kernel}: a multiple of the stride, so that overlaps are even")
        if "pad" in values and 2 * pad == span - stride:
            found.append(f"pad {pad}: (kernel - stride)/2, the output is stride*input")
        if values.get("output_padding") == 0:
            found.append("output padding 0: nothing is added after")
    elif problem.takes("ceil"):
        if "kernel" in values and kernel == stride:
            found.append(f"kernel {kernel}: the stride, windows lie side by side")
        if values.get("pad") == 0:
            found.append("pad 0: pools are seldom padded")
    else:
        if "kernel" in values and kernel % 2 and kernel > 1:
            found.append(f"kernel {kernel}: odd, so that it has a centre")
        if "pad" in values and 2 * pad == span - 1:
            found.append(f"pad {pad}: (k-1)/2, half the window")
        elif values.get("pad") == 0:
            found.append("pad 0: none")
    if "stride" in values and stride <= 2:
        does = "doubles" if problem.takes("output_padding") else "halves"
        found.append(f"stride {stride}: " + ("keeps the scale" if stride == 1 else f"{does} it"))
    if values.get("dilation") == 1:
        found.append("dilation 1: no gaps")
    if "filters" in values and problem.target.at_most:
        found.append(f"filters {values['filters']}: the most that the parameters allow")
    if "input" in values and not problem.target.fits and one.lying and one.exact:
        found.append(f"input {values['input']}: fits exactly")
    return tuple(found) if found or alone else ("the first is the smallest",)


def _loses(one: "Solution", skips: bool) -> bool:
    """Whether some pixels have no influence."""
    return skips or any(lying.unread_pixels for lying in one.lying)


def _first(value: Any) -> int:
    """A number to sort by: the first axis, and of a padding the part before."""
    while isinstance(value, tuple):
        value = value[0]
    return value if isinstance(value, int) else 0
