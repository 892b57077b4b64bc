"""Linear layers, embeddings and rearrangements against numbers by hand and published ones."""

import pytest

from cnncalc.errors import LayerError
from cnncalc.layers.base import size_of
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes


class TestLinear:
    @pytest.mark.parametrize(
        ("options", "given", "expected"),
        [
            # 10*6 products, 6 biases.
            (
                {"features": 6},
                "10",
                Answers("6", {"weight": (6, 10), "bias": (6,)}, macs=60, flops=126),
            ),
            ({"features": 7, "bias": False}, "3", Answers("7", {"weight": (7, 3)}, {}, 21, 42)),
            # At each of 7*10 = 70 positions: 3*4 products and 4 biases.
            (
                {"features": 4, "per_position": True},
                "3@7x10",
                Answers("4@7x10", {"weight": (4, 3), "bias": (4,)}, macs=840, flops=1960),
            ),
            # For each of 5 regions: 60 and 6.
            (
                {"features": 6},
                "5*10",
                Answers("5*6", {"weight": (6, 10), "bias": (6,)}, macs=300, flops=630),
            ),
        ],
    )
    def test_by_hand(self, options, given, expected):
        assert answers(make("linear", **options), given) == expected

    @pytest.mark.parametrize(
        ("features", "given", "parameters"),
        [
            (4096, "25088", 102764544),  # VGG's fc6: 7*7*512*4096 + 4096
            (4096, "4096", 16781312),  # VGG's fc7
            (1000, "4096", 4097000),  # VGG's fc8
            (84, "120", 10164),  # LeNet-5's F6 (LeCun et al. 1998, II.B)
            (1000, "2048", 2049000),  # ResNet-50's classifier
        ],
    )
    def test_published(self, features, given, parameters):
        assert size_of(answers(make("linear", features=features), given).weights) == parameters

    def test_symbolic(self):
        n = symbol("N")
        found = answers(make("linear", features=10), "N")
        assert found.weights == {"weight": (10, n), "bias": (10,)}
        assert found.macs == 10 * n

    def test_backward(self):
        layer, inputs = make("linear", features=6), shapes("10")
        output = layer.output(inputs)
        assert layer.backward_macs(inputs, output, input_gradient=True) == 120
        assert layer.backward_macs(inputs, output, input_gradient=False) == 60

    def test_refuses_a_map(self):
        assert refusal(make("linear", features=10), "3@7x10") == Refusal(
            "a linear layer reads a vector, but its input is the map 3@7x10",
            "H009",
            "linear-on-a-map",
            "",
            "put `flatten` before it (210 features), or write `per_position: true`",
        )


class TestFlatten:
    @pytest.mark.parametrize(
        ("given", "output"),
        [
            ("3@7x10", "210"),
            ("5@9", "45"),
            ("2@4x7x10", "560"),
            ("12", "12"),
            ("1000*256@7x7", "1000*12544"),  # Mask R-CNN's box head
            ("512@7x7", "25088"),  # VGG
        ],
    )
    def test_output(self, given, output):
        assert answers(make("flatten"), given) == Answers(output)

    def test_symbolic(self):
        assert make("flatten").output(shapes("C@HxW")).channels == (
            symbol("C") * symbol("H") * symbol("W")
        )


class TestReshape:
    @pytest.mark.parametrize(
        ("shape", "given", "output"),
        [
            ("21@10", "3@7x10", "21@10"),
            ("7@3x10", "3@7x10", "7@3x10"),
            ("210", "3@7x10", "210"),
            (210, "3@7x10", "210"),  # as YAML reads a bare number
            ("2@4x7x10", "560", "2@4x7x10"),
            ("5@9", "4*45", "4*5@9"),  # regions stay
            ("1024@4x4", "16384", "1024@4x4"),  # DCGAN's first map
        ],
    )
    def test_output(self, shape, given, output):
        assert answers(make("reshape", shape=shape), given) == Answers(output)

    def test_symbolic(self):
        assert answers(make("reshape", shape="C@49"), "C@7x7").output == "C@49"

    def test_refuses_to_lose_elements(self):
        assert refusal(make("reshape", shape="3@70x2"), "3@7x10") == Refusal(
            "3@7x10 has 210 elements, but 3@70x2 has 420",
            "H010",
            "reshape-loses-elements",
            "shape",
            "a reshape keeps every element",
        )

    @pytest.mark.parametrize("shape", ["3x7x10", "3@7y10", "0", "3@"])
    def test_refuses_what_is_not_a_shape(self, shape):
        # A layer that cannot be applied is a LayerError: anything else escapes the analyses.
        with pytest.raises(LayerError) as caught:
            make("reshape", shape=shape).output(shapes("3@7x10"))
        assert caught.value.field == "shape"

    def test_refuses_regions_of_its_own(self):
        # 5*42 has the 210 elements of 3@7x10, but a reshape makes no regions; it must not
        # read the 5 and drop it.
        assert refusal(make("reshape", shape="5*210"), "3@7x10").field == "shape"


class TestPermute:
    @pytest.mark.parametrize(
        ("order", "given", "output"),
        [
            ((1, 2, 0), "3@7x10", "7@10x3"),
            ((0, 2, 1), "3@7x10", "3@10x7"),
            ((2, 1, 0), "3@7x10", "10@7x3"),
            ((1, 0), "5@9", "9@5"),
            ((3, 1, 2, 0), "2@4x7x10", "10@4x7x2"),
            ((0,), "12", "12"),
            ((1, 0), "4*5@9", "4*9@5"),
        ],
    )
    def test_output(self, order, given, output):
        assert answers(make("permute", order=order), given) == Answers(output)

    def test_symbolic(self):
        assert answers(make("permute", order=(1, 2, 0)), "C@HxW").output == "H@WxC"

    @pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (1, 2, 3), ()])
    def test_refuses_what_is_no_order(self, order):
        assert refusal(make("permute", order=order), "3@7x10") == Refusal(
            "`order` must name each axis of 3@7x10 once: 0, 1, 2 in some order",
            "H005",
            "wrong-number-of-axes",
            "order",
        )


class TestEmbedding:
    @pytest.mark.parametrize(
        ("features", "vocabulary", "given", "output"),
        [
            (3, 10, "7", "3@7"),
            (16, 100, "1", "16@1"),
            (5, 2, "4*9", "4*5@9"),
            (768, 30522, "128", "768@128"),  # BERT base's word embeddings
        ],
    )
    def test_by_hand(self, features, vocabulary, given, output):
        assert answers(make("embedding", features=features, vocabulary=vocabulary), given) == (
            Answers(output, {"weight": (vocabulary, features)})
        )

    def test_published(self):
        # BERT base: 30522*768 = 23,440,896.
        found = answers(make("embedding", features=768, vocabulary=30522), "128")
        assert size_of(found.weights) == 23440896

    def test_symbolic(self):
        assert answers(make("embedding", features=8, vocabulary=100), "T").output == "8@T"

    def test_refuses_a_map(self):
        assert refusal(make("embedding", features=3, vocabulary=10), "3@7x10") == Refusal(
            "an embedding reads a vector of token numbers, but its input is 3@7x10",
            "H009",
            "linear-on-a-map",
        )
