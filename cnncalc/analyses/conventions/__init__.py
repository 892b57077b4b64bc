"""The same network as other tools count it, and why their figures differ.

Each tool's rules stand in a file of their own, read from that tool's source; what
they are applied to is in `modules.py`: the `torch.nn` modules that a spec's layers
would be. `compare` puts all of them beside our own figures.
"""

from cnncalc.analyses.conventions.base import Convention, Term, Unknown
from cnncalc.analyses.conventions.comparison import compare

__all__ = ["Convention", "Term", "Unknown", "compare"]
