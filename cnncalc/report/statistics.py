"""How often each rule found something: what `check --statistics` prints."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cnncalc.diagnostic import Diagnostic


def statistics(found: Iterable[Diagnostic]) -> Iterator[str]:
    """A line for each code: how many findings, whether they can be fixed, the name."""
    results = list(found)
    counts = Counter((one.code, one.name, one.severity) for one in results)
    fixable = Counter(one.code for one in results if one.fixable)
    widest = len(f"{max(counts.values(), default=0):,}")
    for (code, name, severity), number in sorted(
        counts.items(), key=lambda item: (-item[1], item[0])
    ):
        mark = "*" if fixable[code] else " "
        yield f"{number:>{widest},}  {code}  [{mark}]  {severity:<7}  {name}"
    if fixable:
        yield "[*] can be fixed: --fix, or --unsafe-fixes"
