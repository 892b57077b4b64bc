"""Convolutions give the outputs, weights and costs worked out by hand and published.

The input is 3@7x10 unless said otherwise: three extents that cannot be swapped
unnoticed. A window of span s (dilation*(kernel-1) + 1) over n positions with
padding p in all gives floor((n + p - s)/stride) + 1 outputs.
"""

import pytest

from cnncalc.layers.base import size_of
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

MAP = "3@7x10"


class TestConv:
    def test_stride_1(self):
        # H 7-3+1 = 5, W 10-3+1 = 8. 6*5*8 = 240 outputs of 3*3*3 = 27 products: 6,480 MACs.
        # FLOPs 2*6480 + 240 biases.
        assert answers(make("conv", filters=6, kernel=3), MAP) == Answers(
            "6@5x8", {"weight": (6, 3, 3, 3), "bias": (6,)}, macs=6480, flops=13200
        )

    def test_stride_2_with_an_oblong_kernel_and_no_bias(self):
        # H (7+2-3)/2+1 = 4, W (10+2-4)/2+1 = 5. 4*4*5 = 80 outputs of 3*3*4 = 36: 2,880.
        layer = make("conv", filters=4, kernel=(3, 4), stride=2, pad=1, bias=False)
        assert answers(layer, MAP) == Answers(
            "4@4x5", {"weight": (4, 3, 3, 4)}, macs=2880, flops=5760
        )

    def test_stride_3_by_2_dilated_grouped_and_padded_on_one_side(self):
        # Span 3. H 7+2+1-3 = 7, 7//3+1 = 3; W 10+0+3-3 = 10, 10//2+1 = 6.
        # 6*3*6 = 108 outputs of (3/3)*2*2 = 4: 432; FLOPs 864 + 108.
        layer = make(
            "conv", filters=6, kernel=2, stride=(3, 2), dilation=2, pad=((2, 1), (0, 3)), groups=3
        )
        assert answers(layer, MAP) == Answers(
            "6@3x6", {"weight": (6, 1, 2, 2), "bias": (6,)}, macs=432, flops=972
        )

    def test_same_padding_with_stride_3(self):
        # H ceil(7/3) = 3, W ceil(10/3) = 4. 24 outputs of 75: 1,800; FLOPs 3600 + 24.
        layer = make("conv", filters=2, kernel=5, stride=3, pad="same")
        assert answers(layer, MAP) == Answers(
            "2@3x4", {"weight": (2, 3, 5, 5), "bias": (2,)}, macs=1800, flops=3624
        )

    def test_one_dimension(self):
        # (10-4)/3+1 = 3. 15 outputs of 3*4 = 12: 180; FLOPs 360 + 15.
        assert answers(make("conv", filters=5, kernel=4, stride=3), "3@10") == Answers(
            "5@3", {"weight": (5, 3, 4), "bias": (5,)}, macs=180, flops=375
        )

    def test_three_dimensions(self):
        # D 4, H (7-2)//2+1 = 3, W (10-3)//3+1 = 3. 3*36 = 108 outputs of 2*1*2*3 = 12: 1,296.
        layer = make("conv", filters=3, kernel=(1, 2, 3), stride=(1, 2, 3))
        assert answers(layer, "2@4x7x10") == Answers(
            "3@4x3x3", {"weight": (3, 2, 1, 2, 3), "bias": (3,)}, macs=1296, flops=2700
        )

    def test_four_dimensions(self):
        # 2*(2*3*4*5) = 240 outputs of 1*2**4 = 16: 3,840; FLOPs 7680 + 240.
        assert answers(make("conv", filters=2, kernel=2), "1@3x4x5x6") == Answers(
            "2@2x3x4x5", {"weight": (2, 1, 2, 2, 2, 2), "bias": (2,)}, macs=3840, flops=7920
        )

    def test_every_region_costs(self):
        # Ten times the stride-1 case; the weights are shared.
        assert answers(make("conv", filters=6, kernel=3), f"10*{MAP}") == Answers(
            "10*6@5x8", {"weight": (6, 3, 3, 3), "bias": (6,)}, macs=64800, flops=132000
        )

    def test_connections_count_only_what_is_connected(self):
        # 1+2+2+3 = 8 kernels of 3*3: 72 weights, each used at 5*8 = 40 positions: 2,880.
        # FLOPs 5760 + 4*40 biases.
        layer = make("conv", filters=4, kernel=3, connections=((0,), (0, 1), (1, 2), (0, 1, 2)))
        assert answers(layer, MAP) == Answers(
            "4@5x8", {"weight": (8, 3, 3), "bias": (4,)}, macs=2880, flops=5920
        )

    def test_symbolic_same_convolution(self):
        # 3x3, C to C, same extents: C*H*W outputs of 9*C products.
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        layer = make("conv", filters=c, kernel=3, pad=1)
        found = answers(layer, "C@HxW")
        assert found.output == "C@HxW"
        assert found.weights == {"weight": (c, c, 3, 3), "bias": (c,)}
        assert found.macs == 9 * c**2 * h * w
        assert (found.flops - (18 * c**2 * h * w + c * h * w)).expand() == 0

    def test_symbolic_stride(self):
        layer = make("conv", filters=96, kernel=11, stride=4)
        (inputs,) = [shapes("3@HxW")]
        output = layer.output(inputs)
        height = output.spatial[0]
        for extent, expected in ((227, 55), (224, 54), (11, 1), (15, 2)):  # floor((H-11)/4) + 1
            assert height.subs({symbol("H"): extent}) == expected

    def test_symbolic_same_with_stride(self):
        layer = make("conv", filters=8, kernel=7, stride=2, pad="same")
        height = layer.output(shapes("3@HxW")).spatial[0]
        for extent, expected in ((224, 112), (225, 113), (1, 1), (2, 1)):  # ceil(H/2)
            assert height.subs({symbol("H"): extent}) == expected

    @pytest.mark.parametrize(
        ("options", "given", "output", "parameters"),
        [
            # CS231n: ten 5x5x3 filters with padding 2: 10*(5*5*3 + 1) = 760.
            ({"filters": 10, "kernel": 5, "pad": 2}, "3@32x32", "10@32x32", 760),
            # AlexNet's conv1 (CS231n): 96*11*11*3 + 96 = 34,944.
            ({"filters": 96, "kernel": 11, "stride": 4}, "3@227x227", "96@55x55", 34944),
            # AlexNet's conv2 in two groups: 256*48*25 + 256 = 307,456.
            ({"filters": 256, "kernel": 5, "pad": 2, "groups": 2}, "96@27x27", "256@27x27", 307456),
            # VGG's conv1_2: 64*64*9 + 64 = 36,928.
            ({"filters": 64, "kernel": 3, "pad": 1}, "64@224x224", "64@224x224", 36928),
            # LeNet-5's C1 has 156 trainable parameters, C5 48,120 (LeCun et al. 1998, II.B).
            ({"filters": 6, "kernel": 5}, "1@32x32", "6@28x28", 156),
            ({"filters": 120, "kernel": 5}, "16@5x5", "120@1x1", 48120),
            # ResNet's stem: 64*3*49 = 9,408.
            (
                {"filters": 64, "kernel": 7, "stride": 2, "pad": 3, "bias": False},
                "3@224x224",
                "64@112x112",
                9408,
            ),
        ],
    )
    def test_published(self, options, given, output, parameters):
        found = answers(make("conv", **options), given)
        assert (found.output, size_of(found.weights)) == (output, parameters)

    def test_lenet_connections(self):
        # LeCun et al. 1998: C1 has 122,304 connections, biases among them; C3 has 1,516
        # parameters and 151,600 connections.
        c1 = answers(make("conv", filters=6, kernel=5), "1@32x32")
        assert c1.macs + 6 * 28 * 28 == 122304
        # Table I: 6 filters read 3 neighbouring maps, 9 read 4, the last reads all 6.
        three = [(i, (i + 1) % 6, (i + 2) % 6) for i in range(6)]
        four = [(i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)]
        apart = [(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)]
        table = (*three, *four, *apart, (0, 1, 2, 3, 4, 5))
        c3 = answers(make("conv", filters=16, kernel=5, connections=table), "6@14x14")
        assert c3.output == "16@10x10"
        assert size_of(c3.weights) == 1516
        assert c3.macs + 16 * 10 * 10 == 151600

    def test_alexnet_conv1_macs(self):
        # 290,400 neurons of 363 products: 105,415,200 (CS231n: 55*55*96 neurons, 11*11*3 weights).
        found = answers(make("conv", filters=96, kernel=11, stride=4), "3@227x227")
        assert found.macs == 105415200

    def test_backward(self):
        # Forward 6,480: once for the weights' gradient, once more for the input's.
        layer, inputs = make("conv", filters=6, kernel=3), shapes(MAP)
        output = layer.output(inputs)
        assert layer.backward_macs(inputs, output, input_gradient=True) == 12960
        assert layer.backward_macs(inputs, output, input_gradient=False) == 6480


class TestConvRefuses:
    def test_a_vector(self):
        assert refusal(make("conv", filters=6, kernel=3), "4096") == Refusal(
            "convolution slides over spatial axes, but its input 4096 is a vector",
            "H006",
            "not-a-map",
            "",
            "place it before `flatten`, or `reshape` the vector into a map",
        )

    def test_a_window_larger_than_the_input(self):
        assert refusal(make("conv", filters=6, kernel=(3, 11)), MAP) == Refusal(
            "the convolution window spans 11, but the width of its input 3@7x10 is only 10",
            "H002",
            "window-larger-than-input",
            "kernel",
            "the input needs at least 11, or the padding 1 more in all, or the window at most 10",
        )

    def test_a_dilated_window_larger_than_the_padded_input(self):
        # Span 5*(3-1)+1 = 11; 7+1+1 = 9, two short.
        assert refusal(make("conv", filters=6, kernel=3, dilation=5, pad=1), MAP) == Refusal(
            "the convolution window spans 11 (dilation 5), but the height of its input 3@7x10 "
            "is only 9 (7 and padding 1 + 1)",
            "H002",
            "window-larger-than-input",
            "kernel",
            "the input needs at least 9, or the padding 2 more in all, or the window at most 9",
        )

    @pytest.mark.parametrize(
        ("given", "kernel", "axis"),
        [
            ("3@4", 5, "length of its input 3@4"),
            ("3@4x9x9", 5, "depth of its input 3@4x9x9"),
            ("3@9x4x9", 5, "height of its input 3@9x4x9"),
            ("3@9x9x9x4", 5, "axis 4 of its input 3@9x9x9x4"),
        ],
    )
    def test_the_axis_at_fault_is_named(self, given, kernel, axis):
        message = refusal(make("conv", filters=6, kernel=kernel), given).message
        assert message == f"the convolution window spans 5, but the {axis} is only 4"

    def test_groups_that_do_not_divide_the_channels(self):
        assert refusal(make("conv", filters=8, kernel=1, groups=4), "6@7x10") == Refusal(
            "4 groups do not divide the 6 input channels",
            "H003",
            "groups-do-not-divide",
            "groups",
            "groups that divide both 6 and 8: 1, 2",
        )

    def test_groups_that_do_not_divide_the_filters(self):
        assert refusal(make("conv", filters=9, kernel=1, groups=2), "6@7x10") == Refusal(
            "2 groups do not divide the 9 filters",
            "H003",
            "groups-do-not-divide",
            "groups",
            "groups that divide both 6 and 9: 1, 3",
        )

    def test_many_common_divisors_are_cut_short(self):
        # Divisors of 60: 1 2 3 4 5 6 10 12 15 20 30 60.
        found = refusal(make("conv", filters=60, kernel=1, groups=7), "60@7x10")
        assert found.help == "groups that divide 60: 1, 2, 3, 4, 5, 6, ..."

    @pytest.mark.parametrize(
        ("option", "value", "listed"),
        [
            ("kernel", (3, 3, 3), "3 values"),
            ("stride", (1,), "1 value"),
            ("dilation", (1, 1, 1, 1), "4 values"),
            ("pad", ((1, 1), (1, 1), (1, 1)), "3 values"),
        ],
    )
    def test_a_list_of_the_wrong_length(self, option, value, listed):
        layer = make("conv", **{"filters": 6, "kernel": 3, option: value})
        assert refusal(layer, MAP) == Refusal(
            f"`{option}` lists {listed}, but the input has 2 spatial axes",
            "H005",
            "wrong-number-of-axes",
            option,
            "write one value for all axes, or 2",
        )

    def test_a_list_of_the_wrong_length_for_a_sequence(self):
        assert refusal(make("conv", filters=6, kernel=(3, 3)), "3@10").message == (
            "`kernel` lists 2 values, but the input has 1 spatial axis"
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"filters": 1, "connections": ((0,),), "groups": 3},
                "`connections` and `groups` cannot be combined: the table says it all",
            ),
            (
                {"filters": 3, "connections": ((0,), (1,))},
                "`connections` has 2 rows, but there are 3 filters",
            ),
            (
                {"filters": 2, "connections": ((0,), ())},
                "row 1 of `connections` is empty: every filter reads some map",
            ),
            (
                {"filters": 2, "connections": ((0,), (2, 1, 2))},
                "row 1 of `connections` names an input map twice",
            ),
            (
                {"filters": 2, "connections": ((0,), (1, 3))},
                "row 1 of `connections` reads map 3, but the input has 3 maps, counted from 0",
            ),
        ],
    )
    def test_wrong_connections(self, options, message):
        assert refusal(make("conv", kernel=3, **options), MAP) == Refusal(
            message, "H004", "wrong-connections", "connections"
        )


class TestDepthwise:
    def test_stride_1(self):
        # 3*5*8 = 120 outputs of 9: 1,080; FLOPs 2160 + 120.
        assert answers(make("depthwise", kernel=3), MAP) == Answers(
            "3@5x8", {"weight": (3, 1, 3, 3), "bias": (3,)}, macs=1080, flops=2280
        )

    def test_stride_2_with_a_multiplier(self):
        # 3*2 = 6 filters, H (9-3)/2+1 = 4, W (12-4)/2+1 = 5: 120 outputs of 12: 1,440.
        layer = make("depthwise", kernel=(3, 4), stride=2, pad=1, multiplier=2, bias=False)
        assert answers(layer, MAP) == Answers(
            "6@4x5", {"weight": (6, 1, 3, 4)}, macs=1440, flops=2880
        )

    def test_stride_3_same(self):
        # ceil(7/3) = 3, ceil(10/3) = 4: 36 outputs of 25: 900; FLOPs 1800 + 36.
        layer = make("depthwise", kernel=5, stride=3, pad="same")
        assert answers(layer, MAP) == Answers(
            "3@3x4", {"weight": (3, 1, 5, 5), "bias": (3,)}, macs=900, flops=1836
        )

    def test_symbolic(self):
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        found = answers(make("depthwise", kernel=3, pad=1, multiplier=2, bias=False), "C@HxW")
        assert found.weights == {"weight": (2 * c, 1, 3, 3)}
        assert found.macs == 18 * c * h * w

    def test_published_mobilenet(self):
        # Keras' summary of MobileNet: conv_dw_1 has 288 parameters (32*9, no bias).
        found = answers(make("depthwise", kernel=3, pad="same", bias=False), "32@112x112")
        assert (found.output, size_of(found.weights)) == ("32@112x112", 288)

    def test_refuses_a_vector(self):
        assert refusal(make("depthwise", kernel=3), "10").message == (
            "depthwise convolution slides over spatial axes, but its input 10 is a vector"
        )

    def test_refuses_a_window_larger_than_the_input(self):
        assert refusal(make("depthwise", kernel=8), MAP) == Refusal(
            "the depthwise convolution window spans 8, but the height of its input 3@7x10 "
            "is only 7",
            "H002",
            "window-larger-than-input",
            "kernel",
            "the input needs at least 8, or the padding 1 more in all, or the window at most 7",
        )

    def test_refuses_a_list_of_the_wrong_length(self):
        assert refusal(make("depthwise", kernel=3, stride=(1, 2, 3)), MAP).message == (
            "`stride` lists 3 values, but the input has 2 spatial axes"
        )


class TestSeparableConv:
    def test_stride_1(self):
        # 5*8 = 40 positions of 3*9 + 6*3 = 45: 1,800; FLOPs 3600 + 240 biases.
        assert answers(make("separableconv", filters=6, kernel=3), MAP) == Answers(
            "6@5x8",
            {"depthwise": (3, 1, 3, 3), "pointwise": (6, 3, 1, 1), "bias": (6,)},
            macs=1800,
            flops=3840,
        )

    def test_stride_2_with_a_multiplier(self):
        # 4*5 = 20 positions of 6*12 + 5*6 = 102: 2,040.
        layer = make(
            "separableconv", filters=5, kernel=(3, 4), stride=2, pad=1, multiplier=2, bias=False
        )
        assert answers(layer, MAP) == Answers(
            "5@4x5",
            {"depthwise": (6, 1, 3, 4), "pointwise": (5, 6, 1, 1)},
            macs=2040,
            flops=4080,
        )

    def test_stride_3_same(self):
        # 3*4 = 12 positions of 3*25 + 4*3 = 87: 1,044; FLOPs 2088 + 48.
        layer = make("separableconv", filters=4, kernel=5, stride=3, pad="same")
        assert answers(layer, MAP) == Answers(
            "4@3x4",
            {"depthwise": (3, 1, 5, 5), "pointwise": (4, 3, 1, 1), "bias": (4,)},
            macs=1044,
            flops=2136,
        )

    def test_one_dimension(self):
        # (10-4)/2+1 = 4 positions of 3*4 + 2*3 = 18: 72; FLOPs 144 + 8.
        assert answers(make("separableconv", filters=2, kernel=4, stride=2), "3@10") == Answers(
            "2@4",
            {"depthwise": (3, 1, 4), "pointwise": (2, 3, 1), "bias": (2,)},
            macs=72,
            flops=152,
        )

    def test_symbolic(self):
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        found = answers(make("separableconv", filters=c, kernel=3, pad=1, bias=False), "C@HxW")
        assert (found.macs - h * w * (9 * c + c**2)).expand() == 0

    def test_published_xception(self):
        # Keras' summary of Xception: block2_sepconv1 has 8,768 parameters (64*9 + 64*128).
        layer = make("separableconv", filters=128, kernel=3, pad="same", bias=False)
        found = answers(layer, "64@147x147")
        assert (found.output, size_of(found.weights)) == ("128@147x147", 8768)

    def test_backward(self):
        # Forward 40*27 = 1,080 and 40*18 = 720. The 1x1 convolution always needs its input's
        # gradient, the depthwise one only if something trainable lies before.
        layer, inputs = make("separableconv", filters=6, kernel=3), shapes(MAP)
        output = layer.output(inputs)
        assert layer.backward_macs(inputs, output, input_gradient=True) == 3600
        assert layer.backward_macs(inputs, output, input_gradient=False) == 1080 + 2 * 720

    def test_refuses_a_vector(self):
        assert refusal(make("separableconv", filters=2, kernel=3), "10").message == (
            "separable convolution slides over spatial axes, but its input 10 is a vector"
        )

    def test_refuses_a_window_larger_than_the_input(self):
        assert refusal(make("separableconv", filters=2, kernel=8), MAP).message == (
            "the separable convolution window spans 8, but the height of its input 3@7x10 is only 7"
        )

    def test_refuses_a_list_of_the_wrong_length(self):
        assert refusal(make("separableconv", filters=2, kernel=(3,)), MAP).message == (
            "`kernel` lists 1 value, but the input has 2 spatial axes"
        )


class TestConvTranspose:
    def test_stride_1(self):
        # H 6+3 = 9, W 9+3 = 12. 7*10 = 70 positions of 3*6*9 = 162: 11,340.
        # FLOPs 22680 + 6*9*12 = 648 biases.
        assert answers(make("convtranspose", filters=6, kernel=3), MAP) == Answers(
            "6@9x12", {"weight": (3, 6, 3, 3), "bias": (6,)}, macs=11340, flops=23328
        )

    def test_stride_2_with_output_padding(self):
        # H 6*2-2+3+1 = 14, W 9*2-2+4 = 20. 70 positions of 3*4*12 = 144: 10,080.
        layer = make(
            "convtranspose",
            filters=4,
            kernel=(3, 4),
            stride=2,
            pad=1,
            output_padding=(1, 0),
            bias=False,
        )
        assert answers(layer, MAP) == Answers(
            "4@14x20", {"weight": (3, 4, 3, 4)}, macs=10080, flops=20160
        )

    def test_stride_3_dilated_grouped_and_padded_on_one_side(self):
        # Span 3. H 6*3-1+3 = 20, W 9*3-2+3 = 28. 70 positions of 3*2*4 = 24: 1,680.
        # FLOPs 3360 + 6*20*28 = 3360.
        layer = make(
            "convtranspose",
            filters=6,
            kernel=2,
            stride=3,
            dilation=2,
            pad=((1, 0), (0, 2)),
            groups=3,
        )
        assert answers(layer, MAP) == Answers(
            "6@20x28", {"weight": (3, 2, 2, 2), "bias": (6,)}, macs=1680, flops=6720
        )

    def test_same_multiplies_by_the_stride(self):
        # 7*3 = 21, 10*3 = 30. 70 positions of 3*2*25 = 150: 10,500; FLOPs 21000 + 1260.
        layer = make("convtranspose", filters=2, kernel=5, stride=3, pad="same")
        assert answers(layer, MAP) == Answers(
            "2@21x30", {"weight": (3, 2, 5, 5), "bias": (2,)}, macs=10500, flops=22260
        )

    def test_same_with_a_kernel_shorter_than_the_stride(self):
        # Again 21 and 30. 70 positions of 3*1*4 = 12: 840; FLOPs 1680 + 630.
        layer = make("convtranspose", filters=1, kernel=2, stride=3, pad="same")
        assert answers(layer, MAP) == Answers(
            "1@21x30", {"weight": (3, 1, 2, 2), "bias": (1,)}, macs=840, flops=2310
        )

    def test_one_dimension(self):
        # 9*2+4 = 22. 10 positions of 3*5*4 = 60: 600; FLOPs 1200 + 110.
        assert answers(make("convtranspose", filters=5, kernel=4, stride=2), "3@10") == Answers(
            "5@22", {"weight": (3, 5, 4), "bias": (5,)}, macs=600, flops=1310
        )

    def test_symbolic(self):
        # U-Net's up-convolution: 2x2, stride 2, C to C/2 maps, here C to 5: C*H*W*5*4.
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        found = answers(make("convtranspose", filters=5, kernel=2, stride=2), "C@HxW")
        assert found.output == "5@2*Hx2*W"
        assert found.weights == {"weight": (c, 5, 2, 2), "bias": (5,)}
        assert found.macs == 20 * c * h * w

    @pytest.mark.parametrize(
        ("kernel", "stride", "pad", "more", "given", "output"),
        [
            # Dumoulin and Visin 2016: the transposes of the convolutions of figures 2.1 to 2.7.
            (3, 1, 0, 0, "1@2x2", "1@4x4"),  # figure 4.1, i = 4
            (4, 1, 2, 0, "1@6x6", "1@5x5"),  # figure 4.2, i = 5
            (3, 1, 1, 0, "1@5x5", "1@5x5"),  # figure 4.3, half padding
            (3, 1, 2, 0, "1@7x7", "1@5x5"),  # figure 4.4, full padding
            (3, 2, 0, 0, "1@2x2", "1@5x5"),  # figure 4.5
            (3, 2, 1, 0, "1@3x3", "1@5x5"),  # figure 4.6
            (3, 2, 1, 1, "1@3x3", "1@6x6"),  # figure 4.7, a = 1
        ],
    )
    def test_published_arithmetic(self, kernel, stride, pad, more, given, output):
        layer = make(
            "convtranspose", filters=1, kernel=kernel, stride=stride, pad=pad, output_padding=more
        )
        assert answers(layer, given).output == output

    def test_published_dcgan(self):
        # The first two layers of PyTorch's DCGAN example, ngf = 64.
        first = make("convtranspose", filters=512, kernel=4, bias=False)
        second = make("convtranspose", filters=256, kernel=4, stride=2, pad=1, bias=False)
        assert answers(first, "100@1x1").output == "512@4x4"
        assert size_of(answers(first, "100@1x1").weights) == 819200  # 100*512*16
        assert answers(second, "512@4x4").output == "256@8x8"

    def test_refuses_a_vector(self):
        assert refusal(make("convtranspose", filters=2, kernel=3), "10").message == (
            "transposed convolution slides over spatial axes, but its input 10 is a vector"
        )

    def test_refuses_groups_that_do_not_divide(self):
        layer = make("convtranspose", filters=4, kernel=3, groups=2)
        assert refusal(layer, MAP) == Refusal(
            "2 groups do not divide the 3 input channels",
            "H003",
            "groups-do-not-divide",
            "groups",
            "groups that divide both 3 and 4: 1",
        )

    def test_refuses_output_padding_of_a_stride_or_more(self):
        layer = make("convtranspose", filters=4, kernel=3, stride=2, output_padding=2)
        assert refusal(layer, MAP) == Refusal(
            "`output_padding` 2 must be smaller than 2, the larger of stride and dilation",
            "H007",
            "output-padding-too-large",
            "output_padding",
            "it only chooses among the sizes that the stride makes ambiguous",
        )

    def test_refuses_padding_that_leaves_nothing(self):
        # H (7-1)*1 - 8 + 1 = -1.
        layer = make("convtranspose", filters=4, kernel=1, pad=4)
        assert refusal(layer, MAP) == Refusal(
            "padding 4 + 4 crops away the whole height of the output: -1 is left",
            "H002",
            "window-larger-than-input",
            "pad",
            "padding of a transposed convolution makes the output smaller",
        )

    @pytest.mark.parametrize("option", ["kernel", "stride", "dilation", "pad", "output_padding"])
    def test_refuses_a_list_of_the_wrong_length(self, option):
        layer = make("convtranspose", **{"filters": 4, "kernel": 3, option: (1, 1, 1)})
        assert refusal(layer, MAP) == Refusal(
            f"`{option}` lists 3 values, but the input has 2 spatial axes",
            "H005",
            "wrong-number-of-axes",
            option,
            "write one value for all axes, or 2",
        )


class TestAnchorHead:
    def test_stride_1(self):
        # 9*2 = 18 maps; 18*70 = 1,260 outputs of 3: 3,780; FLOPs 7560 + 1260.
        assert answers(make("anchorhead", anchors=9, values=2), MAP) == Answers(
            "18@7x10", {"weight": (18, 3, 1, 1), "bias": (18,)}, macs=3780, flops=8820
        )

    def test_stride_2(self):
        # H (9-3)/2+1 = 4, W (12-3)//2+1 = 5. 15*20 = 300 outputs of 27: 8,100.
        layer = make("anchorhead", anchors=3, values=5, kernel=3, stride=2, pad=1)
        assert answers(layer, MAP) == Answers(
            "15@4x5", {"weight": (15, 3, 3, 3), "bias": (15,)}, macs=8100, flops=16500
        )

    def test_stride_3_dilated(self):
        # Span 3: H 4//3+1 = 2, W 7//3+1 = 3. 48 outputs of 12: 576.
        layer = make("anchorhead", anchors=2, values=4, kernel=2, stride=3, dilation=2, bias=False)
        assert answers(layer, MAP) == Answers(
            "8@2x3", {"weight": (8, 3, 2, 2)}, macs=576, flops=1152
        )

    def test_published_faster_rcnn(self):
        # Faster R-CNN's VGG-16 proposals: 512-d to 2*9 scores and 4*9 coordinates
        # (Ren et al. 2015, section 3.1): 512*18 + 18 and 512*36 + 36 parameters.
        scores = answers(make("anchorhead", anchors=9, values=2), "512@38x50")
        boxes = answers(make("anchorhead", anchors=9, values=4), "512@38x50")
        assert (scores.output, size_of(scores.weights)) == ("18@38x50", 9234)
        assert (boxes.output, size_of(boxes.weights)) == ("36@38x50", 18468)

    def test_refuses_what_conv_refuses(self):
        assert refusal(make("anchorhead", anchors=9, values=2), "10").code == "H006"
        assert refusal(make("anchorhead", anchors=9, values=2, kernel=8), MAP).message == (
            "the convolution window spans 8, but the height of its input 3@7x10 is only 7"
        )
        assert refusal(make("anchorhead", anchors=9, values=2, stride=(1,)), MAP).message == (
            "`stride` lists 1 value, but the input has 2 spatial axes"
        )
