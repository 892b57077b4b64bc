"""The checks: a student's function on many cases against the reference kernels."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cnncalc.functional import tier
from cnncalc.kernels.arguments import Array
from cnncalc.testing import cases as making
from cnncalc.testing.cases import Case
from cnncalc.testing.comparing import TOLERANCES, Fault, Tolerance, compared
from cnncalc.testing.failure import UsageError
from cnncalc.testing.mistakes import Attempt, named
from cnncalc.testing.operations.base import Given, Operation, Variety
from cnncalc.testing.report import CaseResult, Report, Smallest, hint
from cnncalc.testing.shrinking import shrunk
from cnncalc.testing.subject import Subject, subject
from cnncalc.testing.text import listed

#: Cases that are drawn.
CASES = 25

#: Seconds for one call.
TIME_LIMIT = 10.0

TIES = ("first", "all", "split", "any")


def check_forward(
    function: Callable[..., Any],
    operation: str,
    *,
    cases: int | Iterable[Mapping[str, Any]] = CASES,
    seed: int = 0,
    style: str | None = None,
    vary: Iterable[str] | None = None,
    exact: bool | None = None,
    dtype: Any = "float64",
    rtol: float | None = None,
    atol: float | None = None,
    time_limit: float = TIME_LIMIT,
    make: Callable[[Array], Any] | None = None,
    show_expected: bool = True,
    raise_on_failure: bool = True,
) -> Report:
    """Whether a function computes an operation, on drawn cases whose extents all differ.

    Args:
        function: the student's.
        operation: a name of `cnncalc.functional` ("conv2d") or of CS231n's functions
            ("conv_forward_naive").
        cases: how many to draw; or the cases themselves, each a mapping of extents and
            options, or of arrays and options.
        seed: of the cases. One seed gives the same cases everywhere.
        style: "torch" for separate arguments, "cs231n" for (x, w, b, conv_param) and
            (out, cache). Told by the names without it.
        vary: what the cases may have beyond the simplest ("stride", "padding", "oblong" ...);
            everything that the function takes without it.
        exact: whether windows have to fit exactly; CS231n's do without it.
        dtype: of the arrays, float64 or float32.
        rtol: relative tolerance of an element.
        atol: absolute tolerance, relative to the largest magnitude above 1.
        time_limit: seconds for one call.
        make: what makes the course's arrays of NumPy's, such as ``torch.tensor``.
        show_expected: whether the report shows right values.
        raise_on_failure: raise `CheckFailure`, an AssertionError; otherwise see `.passed`.

    Returns:
        The report: `.passed`, `.score`, `.results`, `.smallest`, `.mistakes`, and as text.

    Raises:
        CheckFailure: if a case fails; the message is the report.
        UsageError: if the check cannot be made as asked.

    >>> def relu(x):
    ...     return x * (x > 0)
    >>> print(check_forward(relu, "relu"))
    relu (relu, forward): all 25 cases pass.
    """
    __tracebackhide__ = True
    asked = subject(
        function,
        operation,
        backward=False,
        style=style,
        make=make,
        limit=_limit(time_limit),
        seed=seed,
    )
    ties = "any"
    report = _checked(asked, cases, seed, vary, exact, ties, dtype, (rtol, atol), show_expected)
    return report.raise_for_failure() if raise_on_failure else report


def check_backward(
    function: Callable[..., Any],
    operation: str,
    *,
    forward: Callable[..., Any] | None = None,
    cases: int | Iterable[Mapping[str, Any]] = CASES,
    seed: int = 0,
    style: str | None = None,
    vary: Iterable[str] | None = None,
    exact: bool | None = None,
    ties: str | None = None,
    dtype: Any = "float64",
    rtol: float | None = None,
    atol: float | None = None,
    time_limit: float = TIME_LIMIT,
    make: Callable[[Array], Any] | None = None,
    show_expected: bool = True,
    raise_on_failure: bool = True,
) -> Report:
    """Whether a function computes the gradients of an operation.

    In PyTorch's style the function takes the gradient of the output and then the forward
    pass' arguments; in CS231n's (dout, cache). It returns the gradients of x, w and b in
    that order. The other arguments are those of `check_forward`.

    Args:
        function: the student's.
        operation: as for `check_forward`.
        forward: the student's forward function, where the cache is made by it.
        cases: as for `check_forward`, like all that follow.
        seed: of the cases and of the gradient of the output.
        style: as for `check_forward`.
        vary: as for `check_forward`.
        exact: as for `check_forward`.
        ties: who gets the gradient of equal maxima: "first", "all", "split", or "any" to
            draw none. Without it "first", and "any" for CS231n's functions.
        dtype: as for `check_forward`.
        rtol: as for `check_forward`.
        atol: as for `check_forward`.
        time_limit: as for `check_forward`.
        make: as for `check_forward`.
        show_expected: as for `check_forward`.
        raise_on_failure: as for `check_forward`.

    Raises:
        CheckFailure, UsageError: as `check_forward` does.

    >>> def relu_backward(dout, x):
    ...     return dout * (x > 0)
    >>> check_backward(relu_backward, "relu").score
    1.0
    """
    __tracebackhide__ = True
    asked = subject(
        function,
        operation,
        backward=True,
        forward=forward,
        style=style,
        make=make,
        limit=_limit(time_limit),
        seed=seed,
    )
    if ties is None:
        ties = "any" if asked.exact else "first"
    if ties not in TIES:
        raise UsageError(f"ties: must be one of {', '.join(TIES)}, got {ties!r}")
    report = _checked(asked, cases, seed, vary, exact, ties, dtype, (rtol, atol), show_expected)
    return report.raise_for_failure() if raise_on_failure else report


def _limit(seconds: Any) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise UsageError(f"time_limit: must be a number of seconds above 0, got {seconds!r}")
    return float(seconds)


def _checked(
    asked: Subject,
    cases: int | Iterable[Mapping[str, Any]],
    seed: int,
    vary: Iterable[str] | None,
    exact: bool | None,
    ties: str,
    dtype: Any,
    tolerances: tuple[float | None, float | None],
    show_expected: bool,
) -> Report:
    operation = asked.operation
    kind = _dtype(dtype)
    usual = TOLERANCES[kind]
    rtol, atol = tolerances
    tolerance = Tolerance(
        usual.rtol if rtol is None else rtol, usual.atol if atol is None else atol
    )
    variety = Variety(
        _features(asked, vary, ties),
        asked.exact if exact is None else exact,
        ties,
    )
    like = Case(
        operation,
        {},
        seed,
        kind,
        "first" if ties == "any" else ties,
        asked.exact and operation.name == "dropout",
        asked.style.accepts,
    )
    chosen = _cases(cases, variety, like)
    with tier("plain"):
        return _report(asked, chosen, variety, tolerance, show_expected)


def _dtype(dtype: Any) -> str:
    try:
        kind = str(np.dtype(dtype).name)
    except TypeError:
        kind = repr(dtype)
    if kind not in TOLERANCES:
        raise UsageError(f"dtype: must be one of {', '.join(TOLERANCES)}, got {kind}")
    return kind


def _features(asked: Subject, vary: Iterable[str] | None, ties: str) -> tuple[str, ...]:
    """The features that cases may have: those the function can take, or some of them."""
    operation, accepts = asked.operation, asked.style.accepts
    possible = [
        one.name
        for one in operation.features
        if (not one.needs or one.needs in accepts)
        and one.direction in ("", "backward" if asked.backward else "forward")
        and (one.name != "ties" or ties != "any")
    ]
    if vary is None:
        return tuple(possible)
    wanted = [vary] if isinstance(vary, str) else list(vary)
    unknown = [name for name in wanted if name not in possible]
    if unknown:
        raise UsageError(
            f"vary: {listed(unknown)} cannot be varied here "
            f"(help: {operation.name} as this function takes it has "
            f"{', '.join(possible) or 'nothing to vary'})"
        )
    return tuple(name for name in possible if name in wanted)


def _cases(cases: Any, variety: Variety, like: Case) -> Sequence[Case]:
    if isinstance(cases, int) and not isinstance(cases, bool) and cases > 0:
        return making.drawn(cases, variety, like)
    if isinstance(cases, Iterable) and not isinstance(cases, str | Mapping):
        found = making.stated(cases, like)
        if found:
            return found
    raise UsageError(f"cases: must be a number above 0 or a list of mappings, got {cases!r}")


def _report(
    asked: Subject,
    cases: Sequence[Case],
    variety: Variety,
    tolerance: Tolerance,
    show_expected: bool,
) -> Report:
    attempts: list[Attempt] = []
    for case in cases:
        attempts.append(_attempt(asked, case, tolerance, quiet=False))
        fault = attempts[-1].fault
        if fault is not None and fault.sort == "late":
            break
    results = [_result(one) for one in attempts]
    for case in cases[len(attempts) :]:
        line = "not run, after a call that took too long"
        results.append(CaseResult(dict(case.fields), False, "not run", line, 0.0))
    failed = [one for one in attempts if one.fault is not None]
    report = {
        "function": asked.name,
        "operation": asked.operation.name,
        "direction": "backward" if asked.backward else "forward",
        "results": tuple(results),
        "show_expected": show_expected,
        "style": "cs231n" if asked.exact else "torch",
    }
    if not failed:
        return Report(**report)  # type: ignore[arg-type]
    return Report(
        **report,  # type: ignore[arg-type]
        smallest=_smallest(asked, failed, variety, tolerance),
        named=tuple(named(attempts, tolerance)),
        hint=hint(
            [one.case for one in attempts if one.fault is None], [one.case for one in failed]
        ),
    )


def _result(attempt: Attempt) -> CaseResult:
    fault = attempt.fault
    return CaseResult(
        dict(attempt.case.fields),
        fault is None,
        "" if fault is None else fault.sort,
        "" if fault is None else (fault.quiet or fault.lines)[0],
        attempt.seconds,
    )


def _attempt(asked: Subject, case: Case, tolerance: Tolerance, quiet: bool) -> Attempt:
    """Run the function on a case and compare."""
    operation, given = asked.operation, case.given
    right = operation.forward(given)
    upstream: Any = None
    if asked.backward:
        upstream = case.upstream(right["out"].shape)
        right = operation.backward(given, upstream)
    started = time.perf_counter()
    ran = asked.run(given, upstream, right, quiet)
    seconds = time.perf_counter() - started
    if ran.forward is not None and operation.name == "dropout":
        about = {**given.about, "out": ran.forward}
        given = Given(given.arrays, given.options, about)
        right = operation.backward(given, upstream)
    fault = ran.fault
    if fault is None and operation.name == "dropout" and not asked.backward:
        fault = _judged(operation, given, ran.results, right, tolerance)
        right = {}
    elif fault is None:
        for name, expected in right.items():
            fault = compared(name, ran.results.get(name), expected, tolerance)
            if fault is not None:
                break
    return Attempt(case, fault, right, dict(ran.results), given, upstream, seconds)


def _fault(asked: Subject, case: Case, tolerance: Tolerance) -> Fault | None:
    """What is wrong on a smaller case; None for one that the operation itself refuses."""
    try:
        return _attempt(asked, case, tolerance, quiet=True).fault
    except (ValueError, TypeError):
        return None


def _judged(
    operation: Operation,
    given: Given,
    results: Mapping[str, Any],
    right: Mapping[str, Array],
    tolerance: Tolerance,
) -> Fault | None:
    """A random result: its kind and shape, and then its statistics."""
    out = results.get("out")
    fault = compared("out", out, right["out"], tolerance)
    if fault is not None and fault.sort != "values":
        return fault
    reason = operation.judge(given, "out", np.asarray(out))
    if reason is None:
        return None
    return Fault("statistics", "out", (f"{reason[0].upper()}{reason[1:]}.",), detail=reason[:30])


def _smallest(
    asked: Subject, failed: Sequence[Attempt], variety: Variety, tolerance: Tolerance
) -> Smallest:
    """The smallest case of the first fault; of one that took too long no smaller is tried."""
    first = failed[0]
    case, fault = first.case, first.fault
    if fault is None:
        raise AssertionError("a failing case has a fault")
    if case.fields and fault.sort != "late":
        case, fault = shrunk(case, fault, variety, lambda one: _fault(asked, one, tolerance))
    again = case.given
    upstream = None
    if asked.backward:
        upstream = case.upstream(asked.operation.forward(again)["out"].shape)
    return Smallest(case, again, fault, asked.shown(again, upstream), upstream)
