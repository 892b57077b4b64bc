"""A network as the rules see it: its figures, and who reads whom.

What several rules need is found once for all of them, in time linear in the layers.
Rules look at the kinds they judge only (`of`), and at layers that are alike once (`alike`).
"""

from collections.abc import Callable
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.diagnostic import Place
from cnncalc.graph import Node
from cnncalc.lint.settings import DEFAULT_SETTINGS, Settings
from cnncalc.window import Window

_T = TypeVar("_T")


class Subject:
    """What is being checked.

    Attributes:
        layers: the layers that have figures, in running order.
        whole: whether nothing is wrong with the network, so that all layers have figures.
        ran: codes and names of the rules that have judged it.
        honoured: places of the `ignore` entries that silenced a finding.
    """

    def __init__(
        self, analysis: Analysis, settings: Settings = DEFAULT_SETTINGS, *, whole: bool = True
    ) -> None:
        self.analysis = analysis
        self.network = analysis.network
        self.settings = settings
        self.layers = analysis.layers
        self.whole = whole and len(self.layers) == len(self.network.layers)
        self._of: dict[tuple[str, ...], tuple[LayerAnalysis, ...]] = {}
        self._windows: dict[int, tuple[Window, ...]] = {}
        self._found: dict[Callable[[Subject], Any], Any] = {}
        self.ran: set[str] = set()
        self.honoured: set[Place] = set()

    def of(self, *kinds: str) -> tuple[LayerAnalysis, ...]:
        """The layers of these kinds, in running order: most rules look at a few of them only."""
        if kinds not in self._of:
            present = [found for kind in kinds if (found := self._by_kind.get(kind))]
            places = present[0] if len(present) == 1 else sorted(chain(*present))
            self._of[kinds] = tuple([self.layers[place] for place in places])
        return self._of[kinds]

    def once(self, ask: Callable[["Subject"], _T]) -> _T:
        """What a function says of this network; the first rule that asks has it computed."""
        if ask not in self._found:
            self._found[ask] = ask(self)
        found: _T = self._found[ask]
        return found

    @cached_property
    def alike(self) -> tuple[LayerAnalysis, ...]:
        """One layer of each sort: the others share its `local`, so their options and input.

        ResNet-152 has 515 layers of some 90 sorts.
        """
        found: dict[int, LayerAnalysis] = {}
        for layer in self.layers:
            found.setdefault(id(layer.local), layer)
        return tuple(found.values())

    def windows(self, layer: LayerAnalysis) -> tuple[Window, ...]:
        """The sliding window along each axis; none for a layer that has none."""
        key = id(layer.local)
        if key not in self._windows:
            asked = layer.node.layer
            self._windows[key] = asked.windows(layer.local.inputs) if asked is not None else ()
        return self._windows[key]

    def sources(self, layer: LayerAnalysis) -> tuple[LayerAnalysis | None, ...]:
        """The layers whose values it reads, in order; None stands for an input of the network."""
        figures = self._figures
        return tuple([figures.get(name) for name in layer.inputs[: len(layer.node.reads)]])

    def source(self, layer: LayerAnalysis) -> LayerAnalysis | None:
        """The layer whose value it reads, if that is a single one."""
        inputs = layer.inputs
        if len(inputs) == 1 or len(layer.node.reads) == 1:
            return self._figures.get(inputs[0])
        return None

    def readers(self, layer: LayerAnalysis | Node) -> tuple[LayerAnalysis, ...]:
        """The layers that read its values (not those that only take its size)."""
        return self._readers.get(layer.name, ())

    def reader(self, layer: LayerAnalysis) -> LayerAnalysis | None:
        """The only layer that reads its values; None if there are several, or they are an output.

        What stands between the two is then theirs alone, so a pair of layers may be
        judged, and mended, together.
        """
        return self._only_reader.get(layer.name)

    def is_output(self, layer: LayerAnalysis) -> bool:
        """Whether its values leave the network."""
        return layer.name in self._outputs

    @cached_property
    def outputs(self) -> tuple[LayerAnalysis, ...]:
        """The layers whose values leave the network, in running order."""
        return tuple([layer for layer in self.layers if layer.name in self._outputs])

    @cached_property
    def shared(self) -> frozenset[str]:
        """The layers whose weights others use too, and these."""
        nodes = self.network.nodes
        sharing = [
            (node.name, nodes[node.shares].name) for node in nodes if node.shares is not None
        ]
        return frozenset(chain(*sharing))

    @cached_property
    def _by_kind(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, layer in enumerate(self.layers):
            if layer.kind in found:
                found[layer.kind].append(place)
            else:
                found[layer.kind] = [place]
        return found

    @cached_property
    def _figures(self) -> dict[str, LayerAnalysis]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _readers(self) -> dict[str, tuple[LayerAnalysis, ...]]:
        found: dict[str, list[LayerAnalysis]] = {}
        for layer in self.layers:
            names = layer.inputs
            if len(names) > 1:
                names = tuple(dict.fromkeys(names[: len(layer.node.reads)]))
            for name in names:
                if name in found:
                    found[name].append(layer)
                else:
                    found[name] = [layer]
        return {name: tuple(readers) for name, readers in found.items()}

    @cached_property
    def _only_reader(self) -> dict[str, LayerAnalysis]:
        outputs = self._outputs
        return {
            name: readers[0]
            for name, readers in self._readers.items()
            if len(readers) == 1 and name not in outputs
        }

    @cached_property
    def _outputs(self) -> frozenset[str]:
        return frozenset(self.network.nodes[index].name for index in self.network.outputs)
