"""What is asked, computed from what is given: the key is never typed.

- case         what a question's givens amount to, for one of its parts
- asks         every quantity that can be asked, and which module computes it
- figures      shapes and counts of layers and networks
- inverse      pad, stride, kernel ...: any value that satisfies
- arrays       values and gradients
- formulas     arithmetic over numbers, symbols and earlier parts
"""

from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.compute import check, right

__all__ = ["ASKS", "Case", "check", "right"]
