"""Pools and unpools give the outputs and costs worked out by hand and published.

The input is 3@7x10 unless said otherwise. Of the pools only `subsample` has weights.
"""

import pytest

from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

MAP = "3@7x10"

#: The windows of every sliding pool: options, output, outputs in all, taps of one window.
WINDOWS = {
    # H 7-3+1 = 5, W 10-3+1 = 8.
    "stride 1": ({"kernel": 3, "stride": 1}, "3@5x8", 120, 9),
    # H (7+0-2)//2+1 = 3, W (10+2-3)//2+1 = 5.
    "stride 2": (
        {"kernel": (2, 3), "stride": 2, "pad": ((0, 0), (1, 1))},
        "3@3x5",
        45,
        6,
    ),
    # The stride is the kernel: H (7-3)//3+1 = 2, W (10-3)//3+1 = 3.
    "stride 3 by default": ({"kernel": 3}, "3@2x3", 18, 9),
    # Rounded up: H 4/3 -> 2, +1 = 3; W 7/3 -> 3, +1 = 4.
    "stride 3 with ceil": ({"kernel": 3, "ceil": True}, "3@3x4", 36, 9),
    # H 6/4 -> 2, +1 = 3, but the third would start at 8, behind the 7 rows: 2.
    # W 9/4 -> 3, +1 = 4, but the fourth would start at 12, behind the 10 columns: 3.
    "ceil drops a window that starts behind the input": (
        {"kernel": 1, "stride": 4, "ceil": True},
        "3@2x3",
        18,
        1,
    ),
    # Span 5: H (7-5)//2+1 = 2, W (10-5)//2+1 = 3.
    "dilated": ({"kernel": 3, "stride": 2, "dilation": 2}, "3@2x3", 18, 9),
    # ceil(7/2) = 4, ceil(10/2) = 5.
    "same": ({"kernel": 3, "stride": 2, "pad": "same"}, "3@4x5", 60, 9),
}

#: FLOPs per output, from the taps.
STEPS = {
    "maxpool": lambda taps: taps - 1,  # comparisons
    "avgpool": lambda taps: taps,  # taps - 1 additions, one division
    "lppool": lambda taps: 2 * taps,  # taps powers, taps - 1 additions, one root
    "subsample": lambda taps: taps + 1,  # taps - 1 additions, one product, one sum
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("window", WINDOWS)
def test_sliding_pools(kind, window):
    options, output, outputs, taps = WINDOWS[window]
    weights = {"coefficient": (3,), "bias": (3,)} if kind == "subsample" else {}
    assert answers(make(kind, **options), MAP) == Answers(
        output, weights, flops=outputs * STEPS[kind](taps)
    )


@pytest.mark.parametrize(
    ("kind", "flops"),
    # 3@5x8 = 120 outputs of 3x3 windows, and 3@3x5 = 45 of 2x2: the same in plain numbers.
    [
        ("maxpool", (960, 135)),  # 120*8, 45*3
        ("avgpool", (1080, 180)),  # 120*9, 45*4
        ("lppool", (2160, 360)),  # 120*18, 45*8
        ("subsample", (1200, 225)),  # 120*10, 45*5
    ],
)
def test_sliding_pools_in_plain_numbers(kind, flops):
    assert answers(make(kind, kernel=3, stride=1), MAP).flops == flops[0]
    assert answers(make(kind, kernel=2), MAP).flops == flops[1]


@pytest.mark.parametrize("kind", STEPS)
def test_one_and_three_dimensions(kind):
    assert answers(make(kind, kernel=4, stride=3), "3@10").output == "3@3"  # (10-4)/3+1
    # (4-1)//1+1 = 4, (7-2)//2+1 = 3, (10-3)//3+1 = 3.
    layer = make(kind, kernel=(1, 2, 3))
    assert answers(layer, "2@4x7x10").output == "2@4x3x3"


def test_options_that_change_no_figure():
    plain = answers(make("avgpool", kernel=3, stride=2, pad=1), MAP)
    assert (
        answers(make("avgpool", kernel=3, stride=2, pad=1, count_include_pad=False), MAP) == plain
    )
    assert answers(make("lppool", kernel=3, norm=1.0), MAP) == answers(
        make("lppool", kernel=3), MAP
    )


def test_regions():
    assert answers(make("maxpool", kernel=2), f"5*{MAP}") == Answers("5*3@3x5", flops=5 * 135)


def test_symbolic():
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    layer = make("maxpool", kernel=2)
    inputs = shapes("C@HxW")
    output = layer.output(inputs)
    flops = layer.flops(inputs, output)
    # Three comparisons for each of C*floor(H/2)*floor(W/2) outputs.
    assert flops.subs({c: 3, h: 7, w: 10}) == 3 * 3 * 3 * 5
    assert output.spatial[0].subs({h: 224}) == 112


@pytest.mark.parametrize(
    ("kind", "options", "given", "output"),
    [
        # AlexNet's overlapping pools (Krizhevsky et al. 2012, section 3.4).
        ("maxpool", {"kernel": 3, "stride": 2}, "96@55x55", "96@27x27"),
        ("maxpool", {"kernel": 3, "stride": 2}, "256@13x13", "256@6x6"),
        # GoogLeNet (Szegedy et al. 2015, table 1): 112 to 56 and 56 to 28, which takes ceil.
        ("maxpool", {"kernel": 3, "stride": 2, "ceil": True}, "64@112x112", "64@56x56"),
        ("maxpool", {"kernel": 3, "stride": 2, "ceil": True}, "192@56x56", "192@28x28"),
        # ResNet's pool.
        ("maxpool", {"kernel": 3, "stride": 2, "pad": 1}, "64@112x112", "64@56x56"),
        # DenseNet's transition.
        ("avgpool", {"kernel": 2}, "128@56x56", "128@28x28"),
    ],
)
def test_published(kind, options, given, output):
    assert answers(make(kind, **options), given).output == output


def test_published_lenet():
    # LeCun et al. 1998, II.B: S2 has 12 trainable parameters and 5,880 connections
    # (6*14*14 units, 4 inputs and a bias each), S4 has 32 and 2,000.
    s2 = answers(make("subsample", kernel=2), "6@28x28")
    assert s2 == Answers("6@14x14", {"coefficient": (6,), "bias": (6,)}, flops=5880)
    s4 = answers(make("subsample", kernel=2), "16@10x10")
    assert s4 == Answers("16@5x5", {"coefficient": (16,), "bias": (16,)}, flops=2000)


@pytest.mark.parametrize("kind", STEPS)
class TestSlidingPoolsRefuse:
    def test_a_vector(self, kind):
        assert refusal(make(kind, kernel=2), "10") == Refusal(
            "pooling slides over spatial axes, but its input 10 is a vector",
            "H006",
            "not-a-map",
            "",
            "place it before `flatten`, or `reshape` the vector into a map",
        )

    def test_a_window_larger_than_the_input(self, kind):
        assert refusal(make(kind, kernel=9), MAP) == Refusal(
            "the pooling window spans 9, but the height of its input 3@7x10 is only 7",
            "H002",
            "window-larger-than-input",
            "kernel",
            "the input needs at least 9, or the padding 2 more in all, or the window at most 7",
        )

    def test_a_window_of_padding(self, kind):
        assert refusal(make(kind, kernel=2, pad=((1, 1), (0, 2))), MAP) == Refusal(
            "padding 2 is not smaller than the window 2: some windows would see padding only",
            "H008",
            "window-of-padding",
            "pad",
            "at most 1",
        )

    @pytest.mark.parametrize("option", ["kernel", "stride", "dilation", "pad"])
    def test_a_list_of_the_wrong_length(self, kind, option):
        layer = make(kind, **{"kernel": 2, option: (1, 1, 1)})
        assert refusal(layer, MAP) == Refusal(
            f"`{option}` lists 3 values, but the input has 2 spatial axes",
            "H005",
            "wrong-number-of-axes",
            option,
            "write one value for all axes, or 2",
        )


@pytest.mark.parametrize(
    ("given", "output", "average", "maximum"),
    [
        (MAP, "3@1x1", 210, 207),  # 3*70 elements; 69 comparisons for each of 3 maps
        ("5@10", "5@1", 50, 45),
        ("2@4x7x10", "2@1x1x1", 560, 558),
        (f"4*{MAP}", "4*3@1x1", 840, 828),
    ],
)
def test_global_pools(given, output, average, maximum):
    assert answers(make("globalavgpool"), given) == Answers(output, flops=average)
    assert answers(make("globalmaxpool"), given) == Answers(output, flops=maximum)


def test_symbolic_global_pools():
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    assert answers(make("globalavgpool"), "C@HxW").flops == c * h * w
    assert (answers(make("globalmaxpool"), "C@HxW").flops - (c * h * w - c)).expand() == 0


def test_published_global_pool():
    # ResNet and GoogLeNet end in a global average.
    assert answers(make("globalavgpool"), "2048@7x7").output == "2048@1x1"


@pytest.mark.parametrize("kind", ["globalavgpool", "globalmaxpool"])
def test_global_pools_refuse_a_vector(kind):
    assert refusal(make(kind), "10") == Refusal(
        "a global pool slides over spatial axes, but its input 10 is a vector",
        "H006",
        "not-a-map",
        "",
        "place it before `flatten`, or `reshape` the vector into a map",
    )


@pytest.mark.parametrize(
    ("size", "given", "output", "average", "maximum"),
    [
        # One window of 7*10 = 70.
        (1, MAP, "3@1x1", 210, 207),
        # Rows [0,4) and [3,7): 8; columns in five pairs: 10. 80 positions read, 10 outputs.
        ((2, 5), MAP, "3@2x5", 240, 210),
        # Rows [0,3) [2,5) [4,7): 9; columns [0,3) [2,5) [5,8) [7,10): 12. 108 read, 12 outputs.
        ((3, 4), MAP, "3@3x4", 324, 288),
        # Larger than the input: rows 1+2+2+2+2+2+2+1 = 14, columns 10. 140 read, 80 outputs.
        ((8, 10), MAP, "3@8x10", 420, 180),
        # [0,4) [3,7) [6,10): 12 read, 3 outputs, 5 maps.
        (3, "5@10", "5@3", 60, 45),
    ],
)
def test_adaptive_pools(size, given, output, average, maximum):
    assert answers(make("adaptiveavgpool", size=size), given) == Answers(output, flops=average)
    assert answers(make("adaptivemaxpool", size=size), given) == Answers(output, flops=maximum)


def test_symbolic_adaptive_pools():
    # To 1x1 every position is read once, as a global pool does.
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    assert (answers(make("adaptiveavgpool", size=1), "C@HxW").flops - c * h * w).expand() == 0
    flops = answers(make("adaptiveavgpool", size=(3, 4)), "C@HxW").flops
    assert flops.subs({c: 3, h: 7, w: 10}) == 324


def test_published_adaptive_pool():
    # torchvision's VGG and AlexNet pool to 7x7 and 6x6 before the classifier.
    assert answers(make("adaptiveavgpool", size=7), "512@7x7").output == "512@7x7"
    assert answers(make("adaptiveavgpool", size=6), "256@6x6").output == "256@6x6"


def _adaptive_windows(n, size):
    """Output i reads floor(i*n/size) up to ceil((i+1)*n/size)."""
    return [range(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]


ADAPTIVE = [(n, size) for n in range(1, 25) for size in range(1, 25)]


def test_adaptive_windows_are_counted_as_enumerated():
    for n, size in ADAPTIVE:
        layer, inputs = make("adaptiveavgpool", size=size), shapes(f"1@{n}")
        read = sum(map(len, _adaptive_windows(n, size)))
        assert layer.flops(inputs, layer.output(inputs)) == read, (n, size)


def test_adaptive_windows_reach_as_far_as_enumerated():
    wrong = []
    for n, size in ADAPTIVE:
        layer, inputs = make("adaptivemaxpool", size=size), shapes(f"1@{n}")
        (reach,) = layer.reach(inputs, layer.output(inputs))
        largest = max(map(len, _adaptive_windows(n, size)))
        if (reach.stride * size, reach.start, reach.size) != (n, 0, largest):
            wrong.append(f"{n} to {size}: {reach}, largest window {largest}")
    assert wrong == []


@pytest.mark.parametrize("kind", ["adaptiveavgpool", "adaptivemaxpool"])
class TestAdaptivePoolsRefuse:
    def test_a_vector(self, kind):
        assert refusal(make(kind, size=2), "10") == Refusal(
            "an adaptive pool slides over spatial axes, but its input 10 is a vector",
            "H006",
            "not-a-map",
            "",
            "place it before `flatten`, or `reshape` the vector into a map",
        )

    def test_a_list_of_the_wrong_length(self, kind):
        assert refusal(make(kind, size=(2, 2)), "3@10") == Refusal(
            "`size` lists 2 values, but the input has 1 spatial axis",
            "H005",
            "wrong-number-of-axes",
            "size",
            "write one value for all axes, or 1",
        )


class TestMaxUnpool:
    @pytest.mark.parametrize(
        ("options", "output"),
        [
            # (n-1)*stride + kernel: H 6+2, W 9+2.
            ({"kernel": 2, "stride": 1}, "3@8x11"),
            # H 12+3 = 15, W 18+3 = 21; padding 1 takes 2.
            ({"kernel": 3, "stride": 2}, "3@15x21"),
            ({"kernel": 3, "stride": 2, "pad": 1}, "3@13x19"),
            # The stride is the kernel.
            ({"kernel": 3}, "3@21x30"),
            ({"kernel": (2, 3)}, "3@14x30"),
            # A size chosen among those that pool to the input.
            ({"kernel": 2, "size": (15, 21)}, "3@15x21"),
        ],
    )
    def test_output(self, options, output):
        assert answers(make("maxunpool", **options), MAP) == Answers(output)

    def test_the_size_of_the_pool_named(self):
        assert answers(make("maxunpool", kernel=2, indices="pool1"), MAP, "3@15x20") == Answers(
            "3@15x20"
        )

    def test_published_segnet(self):
        # SegNet's decoder doubles: 11x15 to 22x30 (360x480 pooled five times, then back).
        found = answers(make("maxunpool", kernel=2, indices="pool5"), "512@11x15", "512@22x30")
        assert found.output == "512@22x30"

    def test_symbolic(self):
        assert answers(make("maxunpool", kernel=2), "C@HxW").output == "C@2*Hx2*W"

    def test_refuses_a_vector(self):
        assert refusal(make("maxunpool", kernel=2), "10").message == (
            "unpooling slides over spatial axes, but its input 10 is a vector"
        )

    def test_refuses_padding_that_leaves_nothing(self):
        # 0*1 - 2 + 2 = 0.
        assert refusal(make("maxunpool", kernel=2, stride=1, pad=1), "3@1") == Refusal(
            "the padding crops the unpooled map away: 0 positions are left",
            "H002",
            "window-larger-than-input",
            "pad",
        )

    @pytest.mark.parametrize("option", ["kernel", "stride", "pad", "size"])
    def test_refuses_a_list_of_the_wrong_length(self, option):
        layer = make("maxunpool", **{"kernel": 2, option: (1, 1, 1)})
        assert refusal(layer, MAP) == Refusal(
            f"`{option}` lists 3 values, but the input has 2 spatial axes",
            "H005",
            "wrong-number-of-axes",
            option,
            "write one value for all axes, or 2",
        )

    def test_refuses_indices_of_another_rank(self):
        # A map cannot take the extents of a vector or a sequence.
        for other in ("10", "3@10", "3@2x7x10"):
            assert refusal(make("maxunpool", kernel=2, indices="pool1"), MAP, other).code == "H005"
