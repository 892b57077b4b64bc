"""Region layers: fixed-size maps cut from one map, one per box."""

from cnncalc.errors import LayerError
from cnncalc.layers.base import Inputs, Layer, layer, needs_map, per_axis
from cnncalc.layers.fields import Count, PerAxis, Positive
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class RoiLayer(Layer):
    """What region layers share: from one map, `regions` maps of a fixed size.

    A shape then reads ``1000*256@7x7``, and every later cost counts each region.
    """

    main = "size"
    sees = "all"

    size: PerAxis
    regions: Count
    scale: Positive = 1.0

    def output(self, inputs: Inputs) -> Shape:
        needs_map(inputs[0], "a region layer")
        size = per_axis(self.size, inputs[0].rank, "size")
        return Shape(inputs[0].channels, size, inputs[0].regions * self.regions)


@layer
class RoiPool(RoiLayer):
    """Max pool of each region of interest to a fixed grid.

    `scale` maps image coordinates to the map's (1/16 for VGG-16's conv5).
    FLOPs: not counted, they depend on the boxes. No parameters, 0 MACs.

    Source: Girshick 2015 (Fast R-CNN), section 2.1.
    """

    kind = "roipool"
    saves = ("indices",)


@layer
class RoiAlign(RoiLayer):
    """Bilinear samples of each region of interest, averaged to a fixed grid.

    FLOPs: 8 per sample (four products, three sums, one to average), `samples`
    squared per output cell. No parameters, 0 MACs.

    Source: He et al. 2017 (Mask R-CNN), section 3.
    """

    kind = "roialign"

    samples: Count = 2

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * 8 * self.samples**output.rank


@layer
class PsRoiPool(RoiLayer):
    """Position-sensitive region pool: each cell of the grid reads its own group of maps.

    Output: ``C/(size_h*size_w)`` maps per region. FLOPs: not counted, they depend
    on the boxes. No parameters, 0 MACs.

    Source: Dai et al. 2016 (R-FCN), section 2.
    """

    kind = "psroipool"

    def output(self, inputs: Inputs) -> Shape:
        pooled = RoiLayer.output(self, inputs)
        cells = pooled.positions
        if isinstance(pooled.channels, int) and pooled.channels % cells:
            raise LayerError(
                f"{pooled.channels} maps are not a multiple of the {cells} cells of the grid",
                help=f"the layer before needs {cells} maps for each output channel",
                field="size",
                code="H003",
                name="groups-do-not-divide",
            )
        return pooled._replace(channels=pooled.channels // cells)
