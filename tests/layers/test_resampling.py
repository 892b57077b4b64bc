"""Layers that move, add or drop positions: shapes and costs worked out by hand and published.

None has weights or multiplies; only interpolation costs anything.
"""

import pytest

from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

MAP = "3@7x10"


def wrong_length(option, listed=3):
    return Refusal(
        f"`{option}` lists {listed} values, but the input has 2 spatial axes",
        "H005",
        "wrong-number-of-axes",
        option,
        "write one value for all axes, or 2",
    )


def vector(what):
    return Refusal(
        f"{what} slides over spatial axes, but its input 10 is a vector",
        "H006",
        "not-a-map",
        "",
        "place it before `flatten`, or `reshape` the vector into a map",
    )


class TestUpsample:
    @pytest.mark.parametrize(
        ("options", "given", "output", "flops"),
        [
            ({"scale": 2}, MAP, "3@14x20", 0),  # nearest copies
            ({"scale": (3, 1)}, MAP, "3@21x10", 0),
            ({"scale": 2, "mode": "nails"}, MAP, "3@14x20", 0),
            # 3*14*20 = 840 outputs of 2*2 neighbours, 2 operations each.
            ({"scale": 2, "mode": "bilinear"}, MAP, "3@14x20", 6720),
            # 3*10*9 = 270 outputs of 4*4 neighbours: 270*32.
            ({"size": (10, 9), "mode": "bicubic"}, MAP, "3@10x9", 8640),
            ({"size": 28}, MAP, "3@28x28", 0),
            # Linear: 3*30 = 90 outputs of 2 neighbours.
            ({"scale": 3, "mode": "bilinear"}, "3@10", "3@30", 360),
            # Trilinear: 2*8*14*20 = 4,480 outputs of 8 neighbours.
            ({"scale": 2, "mode": "bilinear"}, "2@4x7x10", "2@8x14x20", 71680),
            ({"scale": 2, "mode": "bilinear"}, f"5*{MAP}", "5*3@14x20", 33600),
            # 210 outputs of 8.
            ({"scale": 1, "mode": "bilinear", "align_corners": True}, MAP, MAP, 1680),
        ],
    )
    def test_output(self, options, given, output, flops):
        assert answers(make("upsample", **options), given) == Answers(output, flops=flops)

    def test_like_another_layer(self):
        assert answers(make("upsample", like="enc1"), MAP, "64@15x21") == Answers("3@15x21")

    def test_published_fpn(self):
        # FPN doubles the coarser map (Lin et al. 2017, section 3).
        assert answers(make("upsample", scale=2), "256@7x7").output == "256@14x14"

    def test_symbolic(self):
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        found = answers(make("upsample", scale=2, mode="bilinear"), "C@HxW")
        assert found.output == "C@2*Hx2*W"
        assert found.flops == 32 * c * h * w  # 4*C*H*W outputs of 8 operations

    def test_refuses_a_vector(self):
        assert refusal(make("upsample", scale=2), "10") == vector("upsampling")

    @pytest.mark.parametrize(
        ("options", "number"),
        [
            ({}, 0),
            ({"scale": 2, "size": 14}, 2),
            ({"scale": 2, "size": 14, "like": "enc1"}, 3),
        ],
    )
    def test_takes_one_of_scale_size_and_like(self, options, number):
        assert refusal(make("upsample", **options), MAP) == Refusal(
            f"upsampling takes one of `scale`, `size` and `like`, got {number}",
            "S007",
            "missing-argument",
            "",
            "write {upsample: 2}, {upsample: , size: 28} or {upsample: , like: NAME}",
        )

    @pytest.mark.parametrize("option", ["scale", "size"])
    def test_refuses_a_list_of_the_wrong_length(self, option):
        assert refusal(make("upsample", **{option: (2, 2, 2)}), MAP) == wrong_length(option)

    @pytest.mark.parametrize(("other", "axes"), [("10", 0), ("3@10", 1), ("3@2x7x10", 3)])
    def test_refuses_a_layer_of_another_rank(self, other, axes):
        # In `crop`'s words.
        assert refusal(make("upsample", like="enc1"), MAP, other) == Refusal(
            f"`like` has {axes} spatial {'axis' if axes == 1 else 'axes'}, the input 3@7x10 has 2",
            "H005",
            "wrong-number-of-axes",
            "like",
        )


class TestZeroPad:
    @pytest.mark.parametrize(
        ("options", "given", "output"),
        [
            ({"pad": 1}, MAP, "3@9x12"),
            ({"pad": (1, 2)}, MAP, "3@9x14"),
            ({"pad": ((0, 1), (2, 3))}, MAP, "3@8x15"),
            ({"pad": 3}, "3@10", "3@16"),
            ({"pad": (1, 2, 3)}, "2@4x7x10", "2@6x11x16"),
            ({"channels": (1, 2)}, MAP, "6@7x10"),
            ({"pad": 1, "channels": (0, 5)}, f"4*{MAP}", "4*8@9x12"),
            ({}, MAP, MAP),
            ({"channels": (2, 2)}, "10", "14"),
        ],
    )
    def test_output(self, options, given, output):
        assert answers(make("zeropad", **options), given) == Answers(output)

    def test_published(self):
        # Keras' ResNet50: conv1_pad takes 224x224 to 230x230. CIFAR ResNets' option A takes 16
        # maps to 32, half of the new ones on either side.
        assert answers(make("zeropad", pad=3), "3@224x224").output == "3@230x230"
        assert answers(make("zeropad", channels=(8, 8)), "16@16x16").output == "32@16x16"

    def test_symbolic(self):
        assert answers(make("zeropad", pad=1), "C@HxW").output == "C@(H + 2)x(W + 2)"

    def test_refuses_a_vector(self):
        assert refusal(make("zeropad", pad=1), "10") == vector("zero padding")

    def test_refuses_a_list_of_the_wrong_length(self):
        assert refusal(make("zeropad", pad=(1, 1, 1)), MAP) == wrong_length("pad")


class TestCrop:
    @pytest.mark.parametrize(
        ("options", "given", "output"),
        [
            ({"size": 5}, MAP, "3@5x5"),
            ({"size": (7, 2)}, MAP, "3@7x2"),
            ({"size": (4, 6), "offset": (3, 4)}, MAP, "3@4x6"),
            ({"size": 2, "offset": 5}, MAP, "3@2x2"),
            ({"size": 10}, "3@10", "3@10"),
            ({"size": (1, 2, 3)}, "2@4x7x10", "2@1x2x3"),
        ],
    )
    def test_output(self, options, given, output):
        assert answers(make("crop", **options), given) == Answers(output)

    def test_like_another_layer(self):
        assert answers(make("crop", like="up1"), MAP, "64@5x6") == Answers("3@5x6")

    def test_published_unet(self):
        # Ronneberger et al. 2015, figure 1: 64x64 is cropped to 56x56, 568x568 to 392x392.
        assert answers(make("crop", size=56), "512@64x64").output == "512@56x56"
        assert answers(make("crop", like="up4"), "64@568x568", "64@392x392").output == "64@392x392"

    @pytest.mark.parametrize(
        ("options", "starts"),
        # Centred: (7-4)//2 = 1, (10-6)//2 = 2; else where the offset says.
        [({}, (1, 2)), ({"offset": 1}, (1, 1)), ({"offset": (3, 4)}, (3, 4))],
    )
    def test_where_it_starts(self, options, starts):
        layer, inputs = make("crop", size=(4, 6), **options), shapes(MAP)
        reach = layer.reach(inputs, layer.output(inputs))
        assert tuple(axis.start for axis in reach) == starts

    def test_symbolic(self):
        assert answers(make("crop", size=5), "C@HxW").output == "C@5x5"

    def test_refuses_a_vector(self):
        assert refusal(make("crop", size=5), "10") == vector("cropping")

    @pytest.mark.parametrize("options", [{}, {"size": 5, "like": "up1"}])
    def test_takes_a_size_or_like(self, options):
        assert refusal(make("crop", **options), MAP) == Refusal(
            "a crop takes either a size or `like`",
            "S007",
            "missing-argument",
            "",
            "write {crop: 56} or {crop: , like: NAME}",
        )

    def test_refuses_a_layer_of_another_rank(self):
        assert refusal(make("crop", like="up1"), MAP, "3@10") == Refusal(
            "`like` has 1 spatial axis, the input 3@7x10 has 2",
            "H005",
            "wrong-number-of-axes",
            "like",
        )

    def test_refuses_to_grow(self):
        assert refusal(make("crop", size=(7, 11)), MAP) == Refusal(
            "cannot crop the width of 3@7x10 to 11",
            "H011",
            "crop-larger-than-input",
            "size",
            "a crop keeps a part of its input",
        )

    def test_refuses_a_part_that_sticks_out(self):
        # 3 + 5 > 7.
        assert refusal(make("crop", size=5, offset=3), MAP) == Refusal(
            "cannot crop the height of 3@7x10 to 5 from offset 3",
            "H011",
            "crop-larger-than-input",
            "size",
            "a crop keeps a part of its input",
        )

    def test_refuses_to_grow_like_another_layer(self):
        assert refusal(make("crop", like="up1"), MAP, "1@8x8").field == "like"

    def test_refuses_a_list_of_the_wrong_length(self):
        assert refusal(make("crop", size=(1, 1, 1)), MAP) == wrong_length("size")
        assert refusal(make("crop", size=1, offset=(1, 1, 1)), MAP) == wrong_length("offset")


class TestPixelShuffle:
    @pytest.mark.parametrize(
        ("factor", "given", "output"),
        [
            (2, "12@7x10", "3@14x20"),  # 12 / 4
            (3, "18@7x10", "2@21x30"),  # 18 / 9
            (1, MAP, MAP),
            (2, "6@10", "3@20"),  # 1-D: 6 / 2
            (2, "16@4x7x10", "2@8x14x20"),  # 3-D: 16 / 8
        ],
    )
    def test_output(self, factor, given, output):
        assert answers(make("pixelshuffle", factor=factor), given) == Answers(output)

    def test_published_espcn(self):
        # Shi et al. 2016: C*r*r maps of HxW make a C@rHxrW image, here r = 3 and C = 1.
        assert answers(make("pixelshuffle", factor=3), "9@85x85").output == "1@255x255"

    def test_symbolic(self):
        assert answers(make("pixelshuffle", factor=2), "12@HxW").output == "3@2*Hx2*W"

    def test_refuses_a_vector(self):
        assert refusal(make("pixelshuffle", factor=2), "10") == vector("a pixel shuffle")

    def test_refuses_channels_that_do_not_divide(self):
        assert refusal(make("pixelshuffle", factor=2), "6@7x10") == Refusal(
            "a pixel shuffle by 2 needs a multiple of 4 channels, got 6",
            "H003",
            "groups-do-not-divide",
            "factor",
        )


class TestChannelShuffle:
    @pytest.mark.parametrize(
        ("groups", "given"), [(3, "6@7x10"), (1, MAP), (2, "10"), (4, "8@4x7x10")]
    )
    def test_output(self, groups, given):
        assert answers(make("channelshuffle", groups=groups), given) == Answers(given)

    def test_published_shufflenet(self):
        # ShuffleNet, g = 3: stage 2 has 240 maps of 28x28.
        assert answers(make("channelshuffle", groups=3), "240@28x28").output == "240@28x28"

    def test_refuses_groups_that_do_not_divide(self):
        assert refusal(make("channelshuffle", groups=4), "6@7x10") == Refusal(
            "4 groups do not divide the 6 channels", "H003", "groups-do-not-divide", "groups"
        )


class TestSlice:
    @pytest.mark.parametrize(
        ("start", "stop", "given", "output"),
        [
            (0, 2, "5@7x10", "2@7x10"),
            (2, 5, "5@7x10", "3@7x10"),
            (4, 5, "5@7x10", "1@7x10"),
            (3, 9, "10", "6"),
            (0, 2, "4*5@7x10", "4*2@7x10"),
        ],
    )
    def test_output(self, start, stop, given, output):
        assert answers(make("slice", channels=(start, stop)), given) == Answers(output)

    def test_published_shufflenet_v2(self):
        # ShuffleNet V2 x1.0 splits the 116 maps of stage 2 in two.
        assert answers(make("slice", channels=(0, 58)), "116@28x28").output == "58@28x28"

    def test_symbolic(self):
        half = symbol("C")
        layer = make("slice", channels=(half, 2 * half))
        assert answers(layer, "C@HxW").output == "C@HxW"

    @pytest.mark.parametrize(("start", "stop"), [(2, 2), (3, 2), (0, 6)])
    def test_refuses_what_is_not_a_part(self, start, stop):
        assert refusal(make("slice", channels=(start, stop)), "5@7x10") == Refusal(
            f"channels [{start}, {stop}] are not a part of the 5 channels",
            "H011",
            "crop-larger-than-input",
            "channels",
            "0 <= start < stop <= 5",
        )


class TestSplit:
    @pytest.mark.parametrize(
        ("parts", "part", "given", "output"),
        [
            (2, 0, "6@7x10", "3@7x10"),
            (3, 2, "6@7x10", "2@7x10"),
            ((1, 2, 3), 0, "6@7x10", "1@7x10"),
            ((1, 2, 3), 2, "6@7x10", "3@7x10"),
            ((4, 6), 1, "10", "6"),
            (1, 0, "2*6@7x10", "2*6@7x10"),
        ],
    )
    def test_output(self, parts, part, given, output):
        assert answers(make("split", parts=parts, part=part), given) == Answers(output)

    def test_published_shufflenet_v2(self):
        assert answers(make("split", parts=2, part=1), "116@28x28").output == "58@28x28"

    def test_symbolic(self):
        assert answers(make("split", parts=(24, 72), part=1), "C@HxW").output == "72@HxW"

    @pytest.mark.parametrize("parts", [2, (1, 5)])
    def test_refuses_a_part_that_does_not_exist(self, parts):
        assert refusal(make("split", parts=parts, part=2), "6@7x10") == Refusal(
            "part 2 does not exist: there are 2, counted from 0",
            "H011",
            "crop-larger-than-input",
            "part",
        )

    def test_refuses_sizes_that_do_not_add_up(self):
        assert refusal(make("split", parts=(1, 2)), "6@7x10") == Refusal(
            "parts of 1 + 2 = 3 channels do not make up the 6 channels of the input",
            "H003",
            "groups-do-not-divide",
            "parts",
        )

    def test_refuses_parts_that_do_not_divide(self):
        assert refusal(make("split", parts=4), "6@7x10") == Refusal(
            "4 equal parts do not divide the 6 channels", "H003", "groups-do-not-divide", "parts"
        )
