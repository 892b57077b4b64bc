"""Region layers multiply what follows: outputs and costs worked out by hand and published."""

import pytest

from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal

MAP = "18@7x10"


@pytest.mark.parametrize("kind", ["roipool", "roialign"])
@pytest.mark.parametrize(
    ("size", "regions", "given", "output", "elements"),
    [
        (2, 5, MAP, "5*18@2x2", 360),  # 5*18*4
        ((3, 4), 1, MAP, "18@3x4", 216),  # one region: an ordinary map
        ((2, 3), 7, f"2*{MAP}", "14*18@2x3", 1512),  # regions of regions: 14*18*6
    ],
)
def test_region_pools(kind, size, regions, given, output, elements):
    # `roialign` takes 2*2 samples of 8 operations per output; `roipool` counts none.
    flops = 32 * elements if kind == "roialign" else 0
    assert answers(make(kind, size=size, regions=regions), given) == Answers(output, flops=flops)


@pytest.mark.parametrize(
    ("samples", "flops"),
    # 5*18*4 = 360 outputs of 8*samples*samples.
    [(1, 2880), (2, 11520), (3, 25920)],
)
def test_samples_of_roialign(samples, flops):
    assert answers(make("roialign", size=2, regions=5, samples=samples), MAP).flops == flops


@pytest.mark.parametrize(
    ("size", "regions", "output"),
    [
        (3, 5, "5*2@3x3"),  # 18 / 9
        ((2, 3), 4, "4*3@2x3"),  # 18 / 6
        (1, 7, "7*18@1x1"),
    ],
)
def test_position_sensitive_pool(size, regions, output):
    assert answers(make("psroipool", size=size, regions=regions, scale=1 / 16), MAP) == Answers(
        output
    )


@pytest.mark.parametrize(
    ("kind", "size", "given", "regions", "output"),
    [
        # Fast R-CNN on VGG-16: 7x7 of 512 maps; Mask R-CNN's box head: 7x7 of 256.
        ("roipool", 7, "512@37x50", 2000, "2000*512@7x7"),
        ("roialign", 7, "256@200x304", 1000, "1000*256@7x7"),
        # R-FCN: k*k*(C+1) = 9*21 = 189 maps for 20 classes and background.
        ("psroipool", 3, "189@38x63", 300, "300*21@3x3"),
    ],
)
def test_published(kind, size, given, regions, output):
    assert answers(make(kind, size=size, regions=regions), given).output == output


def test_symbolic():
    c = symbol("C")
    found = answers(make("roialign", size=7, regions=3), "C@HxW")
    assert found.output == "3*C@7x7"
    assert found.flops == 3 * c * 49 * 32


@pytest.mark.parametrize("kind", ["roipool", "roialign", "psroipool"])
class TestRegionLayersRefuse:
    def test_a_vector(self, kind):
        assert refusal(make(kind, size=7, regions=5), "10") == Refusal(
            "a region layer slides over spatial axes, but its input 10 is a vector",
            "H006",
            "not-a-map",
            "",
            "place it before `flatten`, or `reshape` the vector into a map",
        )

    def test_a_list_of_the_wrong_length(self, kind):
        assert refusal(make(kind, size=(1, 2, 3), regions=5), MAP) == Refusal(
            "`size` lists 3 values, but the input has 2 spatial axes",
            "H005",
            "wrong-number-of-axes",
            "size",
            "write one value for all axes, or 2",
        )


def test_position_sensitive_pool_refuses_channels_that_do_not_divide():
    assert refusal(make("psroipool", size=(2, 5), regions=3), MAP) == Refusal(
        "18 maps are not a multiple of the 10 cells of the grid",
        "H003",
        "groups-do-not-divide",
        "size",
        "the layer before needs 10 maps for each output channel",
    )
