"""Layers with several inputs: shapes and costs by hand, and why they refuse."""

import pytest

from cnncalc.errors import LayerError
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

MAP = "3@7x10"


class TestAdd:
    @pytest.mark.parametrize(
        ("given", "output", "flops"),
        [
            ((MAP, MAP), MAP, 210),  # one sum per element
            ((MAP, MAP, MAP), MAP, 420),  # two
            (("12", "12"), "12", 12),
            ((MAP,), MAP, 0),
            (("4*5@9", "4*5@9"), "4*5@9", 180),
            (("256@56x56", "256@56x56"), "256@56x56", 802816),  # ResNet's conv2_x
        ],
    )
    def test_by_hand(self, given, output, flops):
        assert answers(make("add"), *given) == Answers(output, flops=flops)

    def test_symbolic(self):
        c, h, w = symbol("C"), symbol("H"), symbol("W")
        assert answers(make("add"), "C@HxW", "C@HxW").flops == c * h * w

    @pytest.mark.parametrize(
        ("other", "help"),
        [
            (
                "6@7x10",
                "a 1x1 convolution with 3 filters on the shortcut makes the channels equal",
            ),
            ("3@4x5", "the same stride and padding on both paths make the extents equal"),
            ("6@4x5", "a 1x1 convolution with 3 filters and the stride of the other path"),
            ("10", "flatten or pool one of them"),
            ("3@10", "flatten or pool one of them"),
        ],
    )
    def test_refuses_different_shapes(self, other, help):
        assert refusal(make("add"), MAP, other) == Refusal(
            f"cannot add 3@7x10 (from `input`) and {other} (from `input`): "
            "every extent must be equal",
            "H012",
            "branches-do-not-match",
            "",
            help,
        )

    def test_refuses_different_regions(self):
        assert refusal(make("add"), "2*3@7x10", "5*3@7x10").message == (
            "cannot add 2*3@7x10 (from `input`) and 5*3@7x10 (from `input`): "
            "every extent must be equal"
        )

    def test_refuses_extents_that_must_differ(self):
        assert refusal(make("add"), "C@HxW", "C@HxW", "3@4").code == "H012"

    def test_the_message_names_the_inputs(self):
        with pytest.raises(LayerError) as caught:
            make("add").output(shapes(MAP, MAP, "6@7x10"))
        assert caught.value.describe(("conv1", "conv2", "conv3")) == (
            "cannot add 3@7x10 (from `conv1`) and 6@7x10 (from `conv3`): every extent must be equal"
        )


class TestMul:
    @pytest.mark.parametrize(
        ("given", "output", "flops"),
        [
            ((MAP, MAP), MAP, 210),
            ((MAP, "3@1x1"), MAP, 210),  # squeeze and excitation: a factor per map
            (("3@1x1", MAP), MAP, 210),
            ((MAP, "1@7x10"), MAP, 210),  # a spatial mask
            (("3@7x1", "1@1x10"), MAP, 210),  # both stretch
            ((MAP, MAP, "3@1x1"), MAP, 420),
            (("12", "12"), "12", 12),
            (("4*5@9", "5@1"), "4*5@9", 180),
        ],
    )
    def test_by_hand(self, given, output, flops):
        assert answers(make("mul"), *given) == Answers(output, flops=flops)

    def test_published_se(self):
        # SE-ResNet-50's first block: 256 factors on 256@56x56 (Hu et al. 2018).
        found = answers(make("mul"), "256@56x56", "256@1x1")
        assert found == Answers("256@56x56", flops=802816)

    def test_symbolic(self):
        assert answers(make("mul"), "C@HxW", "C@1x1").output == "C@HxW"

    @pytest.mark.parametrize("other", ["6@7x10", "3@7x2", "3", "3@1", "2*3@7x10"])
    def test_refuses_what_does_not_stretch(self, other):
        given = "5*3@7x10" if other.startswith("2*") else MAP
        assert refusal(make("mul"), given, other) == Refusal(
            f"cannot multiply {given} (from `input`) and {other} (from `input`): "
            "extents must be equal, or 1",
            "H012",
            "branches-do-not-match",
            "",
            "a global pool gives C@1x1, which stretches over C@HxW",
        )


class TestConcat:
    @pytest.mark.parametrize(
        ("given", "output"),
        [
            ((MAP, "5@7x10"), "8@7x10"),
            ((MAP, "5@7x10", "1@7x10"), "9@7x10"),
            (("12", "30"), "42"),
            ((MAP,), MAP),
            (("4*5@9", "4*2@9"), "4*7@9"),
            (("2@4x7x10", "3@4x7x10"), "5@4x7x10"),
        ],
    )
    def test_by_hand(self, given, output):
        assert answers(make("concat"), *given) == Answers(output)

    def test_published_inception(self):
        # GoogLeNet's inception (3a): 64 + 128 + 32 + 32 = 256 maps (Szegedy et al., table 1).
        given = ("64@28x28", "128@28x28", "32@28x28", "32@28x28")
        assert answers(make("concat"), *given).output == "256@28x28"

    def test_symbolic(self):
        output = make("concat").output(shapes("C@HxW", "32@HxW"))
        assert output.channels == symbol("C") + 32
        assert str(output) == "(C + 32)@HxW"

    @pytest.mark.parametrize("other", ["3@7x9", "3", "3@7", "2*3@7x10"])
    def test_refuses_different_positions(self, other):
        assert refusal(make("concat"), MAP, other) == Refusal(
            f"cannot concatenate 3@7x10 (from `input`) and {other} (from `input`): "
            "the spatial extents must be equal",
            "H012",
            "branches-do-not-match",
            "",
            "crop, pad or pool one of them; only the channels may differ",
        )
