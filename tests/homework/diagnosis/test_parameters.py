"""Parameters counted wrong: in one layer, in a whole network, layer by layer."""

import pytest

from tests.homework.diagnosis.asking import CONV, found, text, wrong

#: conv 5*5*3*8 + 8 = 608, conv 3*3*8*16 + 16 = 1168, linear 9*9*16*30 + 30 = 38910.
NETWORK = """
input: 3@64x64
layers:
  [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 16, kernel: 3}, {maxpool: 3}, flatten, {linear: 30}]
"""
TOTAL = 608 + 1168 + 38910


def test_the_sentence_names_the_questions_own_numbers():
    assert text(CONV + "ask: parameters", 750) == "This is the count without the 10 biases."
    assert text(CONV + "ask: parameters", 751) == (
        "This is the count with a single bias for the whole layer."
    )


@pytest.mark.parametrize(
    ("mistake", "answer"),
    [
        ("forgot_bias", TOTAL - 8 - 16 - 30),
        ("one_bias_only", TOTAL - 7 - 15 - 29),
        ("forgot_input_depth", (5 * 5 * 8 + 8) + (3 * 3 * 16 + 16) + 38910),
        ("counted_pool_params", TOTAL + 2 * 2 * 8 + 3 * 3 * 16),
        ("fc_forgot_flatten_channels", TOTAL - 38910 + 9 * 9 * 30 + 30),
        ("fc_forgot_pool", TOTAL - 38910 + 28 * 28 * 16 * 30 + 30),
    ],
)
def test_a_total_with_one_mistake_in_every_layer(mistake, answer):
    assert found(NETWORK + "ask: parameters", answer) == [mistake]


def test_the_sentence_of_a_total_says_that_it_is_made_in_every_layer():
    answer = TOTAL - 8 - 16 - 30
    assert text(NETWORK + "ask: parameters", answer) == (
        "In every layer: the biases are not counted."
    )


def test_a_total_with_a_mistake_in_one_layer_names_the_layer():
    assert text(NETWORK + "ask: parameters", TOTAL - 16) == (
        "In `conv2`: this is the count without the 16 biases."
    )


def test_packaged_networks_without_their_biases():
    # VGG-16: 138,357,544 parameters, of which 4224 biases of convolutions, 9192 of the others.
    assert found("network: vgg16\nask: parameters", 138357544 - 4224 - 9192) == ["forgot_bias"]


def test_a_list_is_explained_by_the_mistake_in_every_wrong_value():
    question = NETWORK + "ask: parameters\nof: [conv1, conv2, linear1]"
    assert found(question, (600, 1152, 38880)) == ["forgot_bias"]
    assert found(question, (600, 1168, 38880)) == ["forgot_bias"]
    assert found(question, (600, 1153, 38880)) == []
    assert found(question, (608, 1168, 38910)) == []


def test_a_table_is_explained_by_the_mistake_in_every_wrong_cell():
    question = NETWORK + "ask: table\nrows: [conv1, conv2]\ncolumns: [output, parameters]"
    cells = {
        ("conv1", "output"): (8, 60, 60),
        ("conv1", "parameters"): 600,
        ("conv2", "parameters"): 1152,
    }
    assert found(question, cells) == ["forgot_bias"]
    rows = {"conv1": {"output": (8, 60, 60), "parameters": 208}, "conv2": {"parameters": 160}}
    assert found(question, rows) == ["forgot_input_depth"]


def test_weights_are_asked_without_biases():
    question = CONV + "ask: weights"
    assert found(question, 250) == ["forgot_input_depth"]
    assert "forgot_bias" not in wrong(question)


def test_biases_alone():
    question = CONV + "ask: biases"
    assert found(question, 1) == ["one_bias_only"]
    assert found(question, 3) == ["swapped_cin_cout_bias"]
    assert found(question, 30) == ["bias_per_input_channel"]


def test_a_separable_convolution_as_two_layers():
    # Depthwise 9*16 + 16 = 160, 1x1 16*32 + 32 = 544.
    question = """
    input: 16@8x8
    layers: [{depthwise: 3, pad: 1}, {conv: 32, kernel: 1}]
    ask: parameters
    """
    assert found(question, 160) == ["pointwise_forgotten"]
    assert found(question, 9 * 32 + 544) == ["depthwise_per_output"]


def test_running_statistics_either_way():
    layers = "input: 16@8x8\nlayers: [batchnorm]\nask: parameters\n"
    assert found(layers, 64) == ["bn_2c_vs_4c"]
    assert found(layers + "conventions: {batchnorm: 4}", 32) == ["bn_2c_vs_4c"]


def test_bias_vectors_of_an_lstm_either_way():
    # 4*(20*(10 + 20)) = 2400 weights, 80 biases to a vector.
    layers = "input: 10@3\nlayers: [{lstm: 20}]\nask: parameters\n"
    assert found(layers, 2560) == ["lstm_two_biases"]
    assert found(layers + "conventions: {lstm_biases: 2}", 2480) == ["lstm_two_biases"]


def test_a_published_total_that_shares_no_weights():
    """AlexNet's second convolution as people have copied it: times 27*27 positions."""
    question = """
    input: 96@27x27
    layers: [{conv: 256, kernel: 5, pad: 2}]
    ask: parameters
    """
    assert found(question, 448084224) == ["used_output_spatial_size"]


def test_symbols():
    from sympy import Symbol

    c = Symbol("C", integer=True, positive=True)
    question = "symbols: [C]\ninput: C@32x32\nlayers: [{conv: C, kernel: 3}]\nask: parameters"
    assert found(question, 9 * c**2) == ["forgot_bias"]
    assert found(question, c * (9 * c + 1)) == []


def test_a_choice_is_diagnosed_by_the_value_of_its_option():
    question = """
    input: 3@300x300
    layers: [flatten, {linear: 100}]
    ask: parameters
    choices: [9000001, 9000100, 27000001, 27000100]
    """
    assert found(question, "c") == ["one_bias_only"]
    assert found(question, "b") == ["fc_forgot_flatten_channels"]
    assert found(question, "d") == []


def test_a_mistake_that_cannot_be_made_has_no_value():
    plain = wrong("input: 3@8x8\nlayers: [{conv: 4, kernel: 3, bias: false}]\nask: parameters")
    assert not plain.keys() & {"forgot_bias", "one_bias_only", "ignored_groups"}
