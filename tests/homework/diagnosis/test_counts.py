"""Operations and memory counted wrong."""

from fractions import Fraction

from tests.homework.diagnosis.asking import CONV, found, wrong

#: 25*3*10*1024 = 768,000 MACs, 10*1024 bias additions.
MACS = 768000


def test_flops_are_the_macs_doubled_and_the_biases():
    question = CONV + "ask: flops"  # 1,536,000 + 10,240
    assert found(question, MACS) == ["flops_as_macs"]
    assert found(question, 2 * 256000 + 10240) == ["macs_forgot_input_depth"]


def test_operations_as_the_sheet_has_them():
    assert found(CONV + "ask: operations", 2 * MACS) == ["flops_as_macs"]
    question = "conventions: {operations: flops}\n" + CONV + "ask: operations"
    assert found(question, MACS) == ["flops_as_macs"]


def test_macs_of_a_network():
    # 25*3*8*28*28 = 470,400 and 8*28*28*10 = 62,720.
    question = "input: 3@32x32\nlayers: [{conv: 8, kernel: 5}, flatten, {linear: 10}]\nask: macs"
    assert found(question, 2 * 533120) == ["flops_as_macs"]
    assert found(question, 470400 + 10 * 62720) == []
    assert found(question, 25 * 3 * 8 * 32 * 32 + 62720) == ["macs_used_input_size"]


def test_macs_of_a_batch():
    question = "batch: 4\n" + CONV + "ask: macs"
    assert found(question, 4 * 256000) == ["macs_forgot_input_depth"]


def test_macs_of_a_transposed_convolution_are_counted_at_its_input():
    # 16 inputs * 3 * 5 * 9 = 2160; at the 81 outputs it would be 10,935.
    question = "input: 3@4x4\nlayers: [{convtranspose: 5, kernel: 3, stride: 2}]\nask: macs"
    assert found(question, 81 * 135) == ["macs_used_input_size"]


def test_a_digit_is_missed_only_where_nothing_else_fits():
    assert found(CONV + "ask: macs", 76800) == ["macs_forgot_filters"]
    assert found(CONV + "ask: macs", 78000) == ["digit_grouping_slip"]


def test_units_of_memory():
    question = "conventions: {unit: MB}\nnetwork: vgg16\nask: memory\n"  # 60.950432
    assert found(question, Fraction("58.13")) == ["mb_vs_mib"]
    assert found(question, Fraction("60.95")) == []


def test_activations_with_the_relus_counted():
    # 12 + 8*2*2 = 44 values, 76 with the ReLU's.
    question = "input: 3@2x2\nlayers: [{conv: 8, kernel: 1}, relu, flatten]\nask: activations"
    assert found(question, 76) == ["activations_plus_relu"]


def test_memory_of_parameters_has_no_batch_to_forget():
    question = "batch: 8\n" + CONV + "ask: memory\nof: parameters"
    assert found(question, 760) == ["forgot_4_bytes"]
    assert wrong(question)["memory_forgot_batch"] == 4 * 760
