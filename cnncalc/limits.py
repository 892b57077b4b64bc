"""The bounds that keep every input harmless, each with a way to raise it.

Python: ``load(path, limits=Limits(layers=5_000_000))``. Command line:
``--limit layers=5000000``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much a spec may ask for before it is refused.

    Attributes:
        file_bytes: size of a spec file.
        depth: nesting of lists and mappings, of branches and of block calls.
        layers: layers after blocks and `repeat` are expanded.
        nodes: YAML values after aliases are expanded.
        digits: decimal digits of any number, written or computed.
        expression: characters of one arithmetic expression.
        rank: axes of a tensor, channels included.
    """

    file_bytes: int = 64 * 2**20
    depth: int = 100
    layers: int = 1_000_000
    nodes: int = 20_000_000
    digits: int = 18
    expression: int = 500
    rank: int = 8


DEFAULT_LIMITS = Limits()
