"""A network as the rules see it: its figures, and who reads whom."""

from functools import cached_property

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.diagnostic import Place
from cnncalc.lint.settings import DEFAULT_SETTINGS, Settings
from cnncalc.window import Window


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
        self.ran: set[str] = set()
        self.honoured: set[Place] = set()

    def of(self, *kinds: str) -> tuple[LayerAnalysis, ...]:
        """The layers of these kinds, in running order: most rules look at a few of them only."""
        if kinds not in self._of:
            wanted = frozenset(kinds)
            self._of[kinds] = tuple([layer for layer in self.layers if layer.kind in wanted])
        return self._of[kinds]

    def windows(self, layer: LayerAnalysis) -> tuple[Window, ...]:
        """The sliding window along each axis; none for a layer that has none."""
        # Layers that are alike share one `local`: ResNet-152 has 515, of some 90 sorts.
        key = id(layer.local)
        if key not in self._windows:
            asked = layer.node.layer
            inputs = layer.local.inputs
            self._windows[key] = asked.windows(inputs) if asked is not None else ()
        return self._windows[key]

    def sources(self, layer: LayerAnalysis) -> tuple[LayerAnalysis | None, ...]:
        """The layers whose values it reads, in order; None stands for an input of the network."""
        return tuple([self._by_index.get(index) for index in layer.node.reads])

    def source(self, layer: LayerAnalysis) -> LayerAnalysis | None:
        """The layer whose value it reads, if that is a single one."""
        sources = self.sources(layer)
        return sources[0] if len(sources) == 1 else None

    def readers(self, layer: LayerAnalysis) -> tuple[LayerAnalysis, ...]:
        """The layers that read its values (not those that only take its size)."""
        return tuple(self._readers.get(layer.name, ()))

    def reader(self, layer: LayerAnalysis) -> LayerAnalysis | None:
        """The only layer that reads its values; None if there are several, or they are an output.

        What stands between the two is then theirs alone, so a pair of layers may be
        judged, and mended, together.
        """
        readers = self.readers(layer)
        return readers[0] if len(readers) == 1 and not self.is_output(layer) else None

    def is_output(self, layer: LayerAnalysis) -> bool:
        """Whether its values leave the network."""
        return layer.name in self._outputs

    @cached_property
    def _by_index(self) -> dict[int, LayerAnalysis]:
        places = {id(node): index for index, node in enumerate(self.network.nodes)}
        return {places[id(one.node)]: one for one in self.layers}

    @cached_property
    def _readers(self) -> dict[str, list[LayerAnalysis]]:
        found: dict[str, list[LayerAnalysis]] = {}
        for layer in self.layers:
            for index in dict.fromkeys(layer.node.reads):
                found.setdefault(self.network.nodes[index].name, []).append(layer)
        return found

    @cached_property
    def _outputs(self) -> frozenset[str]:
        return frozenset(self.network.nodes[index].name for index in self.network.outputs)
