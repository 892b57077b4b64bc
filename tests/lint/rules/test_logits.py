"""Logits, softmax and losses: what may stand between them."""

import math

import pytest
import torch
from torch.nn import functional as F

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

ON_LOGITS = "A001"
DOUBLED = "A002"
BEFORE_LOSS = "A003"
OF_ONE = "A004"
BETWEEN = "A013"

CLASSES = "{linear: 10}"


def mended(code: str, text: str, *, unsafe: bool = False) -> str:
    return fix(text, settings=Settings(select=(code,)), unsafe=unsafe).text


# A001 activation-on-logits


def test_relu_before_softmax():
    assert_finds(
        ON_LOGITS,
        spec("32", CLASSES, "«relu»", "softmax"),
        "relu1: on the logits of linear1: every score below 0 becomes 0 and gets no gradient",
        help="remove it: softmax1 takes any numbers",
    )


@pytest.mark.parametrize(
    ("activation", "spread", "most"),
    [
        # One class at the upper end, nine at the lower: e^d / (e^d + 9).
        ("sigmoid", 1, math.e / (math.e + 9)),
        ("tanh", 2, math.e**2 / (math.e**2 + 9)),
        ("relu6", 6, math.e**6 / (math.e**6 + 9)),
    ],
)
def test_the_largest_probability_is_said(activation, spread, most):
    (one,) = found(ON_LOGITS, spec("32", CLASSES, activation, "softmax"))
    assert one.message.endswith(
        f"they differ by {spread} at most, so no probability of 10 exceeds {most:.3f}"
    )
    highest = torch.full((10,), -99.0)
    highest[3] = 99.0
    squashed = getattr(F, activation)(highest)
    assert torch.softmax(squashed, 0).max().item() == pytest.approx(most, abs=1e-4)


@pytest.mark.parametrize(
    "lines",
    [
        (CLASSES, "relu", "softmax"),
        (CLASSES, "batchnorm", "relu", "softmax"),
        (CLASSES, "relu", "{dropout: 0.5}", "logsoftmax"),
        (CLASSES, "relu", "cross_entropy"),
        (CLASSES, "tanh", "softmax", "cross_entropy"),
        (CLASSES, "relu", "softmax", "{reshape: 10@1x1}"),
    ],
)
def test_other_ends(lines):
    assert len(found(ON_LOGITS, spec("32", *lines))) == 1


@pytest.mark.parametrize(
    "lines",
    [
        (CLASSES, "softmax"),
        (CLASSES, "{leakyrelu: 0.1}", "softmax"),  # every order of the scores is kept
        (CLASSES, "{tanh: , scale: 10}", "softmax"),  # clipped on purpose
        (CLASSES, "relu", "{linear: 10}", "softmax"),
        (CLASSES, "sigmoid", "cross_entropy"),  # A003's
        (CLASSES, "relu", "softmax", "mul: [[], [sigmoid]]"),  # attention within a network
        (CLASSES, "relu", "softmax", *["dropout"] * 9),  # no end in sight
        (CLASSES, "sigmoid", "l2"),
        (CLASSES, "relu"),  # the task is not said: features, perhaps
    ],
)
def test_what_is_not_meant(lines):
    assert_clean(ON_LOGITS, spec("32", *lines))


def test_squeezenet_and_network_in_network_average_first():
    lines = ["{conv: 10, kernel: 1}", "relu", "globalavgpool", "flatten", "softmax"]
    assert_clean(ON_LOGITS, spec("32@8x8", *lines))


def test_the_last_relu_of_a_classifier():
    text = spec("32", "{linear: 16}", "relu", CLASSES, "«relu»") + "\ntask: classification\n"
    assert_finds(
        ON_LOGITS,
        text,
        "relu2: on the logits of linear2: every score below 0 becomes 0 and gets no gradient",
        help="remove it: class scores are any numbers",
    )
    assert_clean(ON_LOGITS, text.replace("classification", "regression").translate(_NO_MARKS))
    assert_clean(ON_LOGITS, text.replace("relu»", "tanh»").translate(_NO_MARKS))


_NO_MARKS = str.maketrans("", "", "«»")


def test_removing_it_has_to_be_asked_for():
    text = spec("32", CLASSES, "relu", "softmax") + "\n"
    assert mended(ON_LOGITS, text) == text
    assert mended(ON_LOGITS, text, unsafe=True) == text.replace("  - relu\n", "")


def test_symbolic_classes():
    (one,) = found(ON_LOGITS, "input: K@HxW\nlayers: [{depthwise: 1}, sigmoid, softmax]")
    assert one.message.endswith("they differ by 1 at most")


# A002 doubled-softmax


def test_softmax_twice():
    """e / (e + 9) = 0.2320"""
    assert_finds(
        DOUBLED,
        spec("32", CLASSES, "«softmax»", "softmax"),
        "softmax1: softmax2 applies a softmax again, so no probability of 10 exceeds 0.232",
    )
    certain = F.one_hot(torch.tensor(3), 10).double()
    assert torch.softmax(certain, 0).max().item() == pytest.approx(0.232, abs=1e-3)


@pytest.mark.parametrize("second", ["softmax", "logsoftmax"])
def test_after_logsoftmax_the_second_changes_nothing(second):
    text = spec("32", CLASSES, "logsoftmax", second) + "\n"
    (one,) = found(DOUBLED, text)
    assert one.message.endswith("applies a softmax again, which changes nothing after logsoftmax")
    assert mended(DOUBLED, text) == text.replace("  - logsoftmax\n", "", 1)
    x = torch.randn(4, 10, dtype=torch.float64)
    function = {"softmax": torch.softmax, "logsoftmax": torch.log_softmax}[second]
    torch.testing.assert_close(function(torch.log_softmax(x, 1), 1), function(x, 1))


def test_twice_over_an_unknown_number_of_classes():
    (one,) = found(DOUBLED, spec("K", "softmax", "softmax"))
    assert one.message.endswith("which makes all probabilities nearly equal")


def test_over_other_values_it_is_no_doubling():
    """Over the channels of each position first, over all after it."""
    assert_clean(DOUBLED, spec("8@4x4", "{conv: 10, kernel: 1}", "softmax", "flatten", "softmax"))
    lines = ["{conv: 10, kernel: 4}", "softmax", "flatten", "softmax"]
    assert found(DOUBLED, spec("8@4x4", *lines))


def test_one_softmax_read_twice():
    assert_clean(DOUBLED, spec("32", CLASSES, "softmax", "add: [[softmax], []]"))


# A003 probabilities-before-loss


@pytest.mark.parametrize("activation", ["softmax", "logsoftmax", "sigmoid", "hardsigmoid"])
def test_before_cross_entropy(activation):
    assert_finds(
        BEFORE_LOSS,
        spec("32", CLASSES, f"«{activation}»", "cross_entropy"),
        f"{activation}1: goes into cross_entropy1, which applies a softmax itself",
        help=f"let cross_entropy1 read the scores, before {activation}1",
    )


def test_logsoftmax_may_go_safely():
    text = spec("32", CLASSES, "logsoftmax", "{cross_entropy: 0.1}") + "\n"
    assert mended(BEFORE_LOSS, text) == text.replace("  - logsoftmax\n", "")
    x, label = torch.randn(4, 10, dtype=torch.float64), torch.tensor([1, 2, 3, 9])
    torch.testing.assert_close(
        F.cross_entropy(torch.log_softmax(x, 1), label, label_smoothing=0.1),
        F.cross_entropy(x, label, label_smoothing=0.1),
    )


def test_softmax_may_go_if_asked():
    text = spec("32", CLASSES, "softmax", "cross_entropy") + "\n"
    assert mended(BEFORE_LOSS, text) == text
    assert mended(BEFORE_LOSS, text, unsafe=True) == text.replace("  - softmax\n", "")


def test_the_loss_of_probabilities_stays_high():
    """Sure of the right class of 10: -log(e / (e + 9)) = 1.461, never near 0."""
    sure = torch.full((1, 10), -99.0)
    sure[0, 3] = 99.0
    loss = F.cross_entropy(torch.softmax(sure, 1), torch.tensor([3])).item()
    assert loss == pytest.approx(-math.log(math.e / (math.e + 9)), abs=1e-5)


def test_a_softmax_that_is_an_output_too():
    text = """\
input: 32
outputs: [probabilities, loss]
layers:
  - {linear: 10}
  - {softmax: , name: probabilities}
  - {cross_entropy: , name: loss}
"""
    (one,) = found(BEFORE_LOSS, text)
    assert (one.place.line, one.fix) == (5, None)


def test_hinge():
    assert_finds(
        BEFORE_LOSS,
        spec("32", CLASSES, "«softmax»", "hinge"),
        "softmax1: goes into hinge1, whose margin of 1 probabilities cannot reach",
    )
    assert_clean(BEFORE_LOSS, spec("32", CLASSES, "softmax", "{hinge: 0.5}"))


@pytest.mark.parametrize(
    "lines",
    [
        (CLASSES, "cross_entropy"),
        (CLASSES, "softmax", "l2"),  # the Brier score
        (CLASSES, "logsoftmax", "hinge"),  # differences of scores stay what they are
        (CLASSES, "relu", "cross_entropy"),  # A001's
        ("{linear: 1}", "sigmoid", "l2"),
    ],
)
def test_losses_of_what_they_take(lines):
    assert_clean(BEFORE_LOSS, spec("32", *lines))


def test_probabilities_flattened():
    assert found(
        BEFORE_LOSS, spec("8@4x4", "{conv: 10, kernel: 4}", "softmax", "flatten", "cross_entropy")
    )
    assert_clean(
        BEFORE_LOSS, spec("8@4x4", "{conv: 10, kernel: 1}", "softmax", "flatten", "cross_entropy")
    )


# A004 softmax-of-one


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("softmax", "the softmax of one channel is always 1"),
        ("logsoftmax", "the log of the softmax of one channel is always 0"),
        ("cross_entropy", "with a single class the loss is always 0"),
        ("hinge", "with a single class the loss is always 0"),
    ],
)
def test_of_one(kind, what):
    assert_finds(OF_ONE, spec("32", "{linear: 1}", f"«{kind}»"), f"{kind}1: {what}")
    assert_clean(OF_ONE, spec("32", "{linear: 2}", kind))


def test_a_map_of_one_channel():
    (one,) = found(OF_ONE, spec("32@7x10", "{conv: 1, kernel: 1}", "softmax"))
    assert "a softmax over positions wants them as channels" in one.help
    assert torch.softmax(torch.randn(2, 1, 7, 10), 1).unique().tolist() == [1]


def test_it_is_said_once_for_softmax_and_loss():
    text = spec("32", "{linear: 1}", "softmax", "cross_entropy")
    assert len(found(OF_ONE, text)) == 1
    assert_clean(BEFORE_LOSS, text)
    assert_clean(DOUBLED, spec("32", "{linear: 1}", "softmax", "softmax"))


def test_a_sigmoid_if_asked():
    text = spec("32", "{linear: 1}", "softmax") + "\n"
    assert mended(OF_ONE, text) == text
    assert mended(OF_ONE, text, unsafe=True) == text.replace("softmax", "sigmoid")


def test_symbolic_channels():
    assert_clean(OF_ONE, spec("C@HxW", "softmax"))


# A013 softmax-between-layers


def test_as_a_hidden_activation():
    assert_finds(
        BETWEEN,
        spec("32", "{linear: 16}", "«softmax»", "{dropout: 0.5}", CLASSES),
        "softmax1: the 16 values that linear2 reads compete for a sum of 1",
    )


@pytest.mark.parametrize(
    "text",
    [
        spec("32", CLASSES, "softmax"),
        spec("32", "mul: [[{linear: 32}, softmax], []]", CLASSES),  # attention
        # distribution focal loss reads the expected value off a softmax, by a convolution
        spec("16@8x8", "softmax", "{conv: 1, kernel: 1, bias: false}"),
        spec("32", "{linear: 16}", "softmax", "{dropout: 0.5}", "batchnorm", CLASSES),
    ],
)
def test_softmax_for_a_purpose(text):
    assert_clean(BETWEEN, text)
