"""What a forward pass holds: hand-worked networks, and a plain simulation of random ones."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses import local, memory
from tests.spec.marking import layers


def held(text: str) -> memory.Memory:
    network = cnncalc.loads(text)
    return memory.fold(network, local.fold(network)[0])


def image(*lines: str) -> memory.Memory:
    """Memory of layers over a 3@8x8 image: 192 elements."""
    return held(layers(*lines))


def test_a_chain_holds_two_neighbours_at_a_time():
    """192, then 4*64 = 256, then 2*64 = 128: input with the first, first with the second."""
    found = image("{conv: 4, kernel: 1}", "{conv: 2, kernel: 1}")
    assert found.activations == 192 + 256 + 128
    assert found.peak == max(192 + 256, 256 + 128)


def test_layers_that_work_in_place_add_nothing():
    found = image("{conv: 4, kernel: 1}", "relu", "dropout", "flatten", "{linear: 10}", "softmax")
    assert found.activations == 192 + 256 + 10
    assert found.peak == 192 + 256


def test_nothing_works_in_place_on_what_is_still_read():
    """The sum still reads the convolution's 256: the activation needs a buffer of its own."""
    found = image("{conv: 4, kernel: 1, name: c}", "{add: [[relu], c]}")
    # conv beside relu's copy and the sum of both; the image is gone by then.
    assert found.peak == 3 * 256
    # The course-notes figure counts no activation function, in place or not.
    assert found.activations == 192 + 256 + 256


def test_an_input_may_be_overwritten_when_nobody_else_reads_it():
    assert image("relu", "tanh").peak == 192


def test_an_output_of_the_network_is_kept_to_the_end():
    text = layers("{conv: 4, kernel: 1, name: a}", "{conv: 2, kernel: 1}", "{conv: 2, kernel: 1}")
    assert held(text).peak == 192 + 256
    # a is kept: 256 beside 128 and 128.
    assert held(text + "\noutputs: [a, conv2]").peak == 256 + 128 + 128


def test_an_output_is_not_overwritten_in_place():
    text = layers("{conv: 4, kernel: 1, name: a}", "relu") + "\noutputs: [a, relu1]"
    assert held(text).peak == 256 + 256


def test_a_skip_connection_is_kept_until_it_is_read():
    """U-Net: the encoder's 8@8x8 = 512 waits for the decoder."""
    found = held(
        """
input: 1@8x8
layers:
  - {conv: 8, kernel: 3, pad: 1, name: skip}
  - {maxpool: 2}
  - {conv: 16, kernel: 3, pad: 1}
  - {convtranspose: 8, kernel: 2, stride: 2, name: up}
  - concat: [up, skip]
"""
    )
    assert found.activations == 64 + 512 + 128 + 256 + 512 + 1024
    # skip 512 + up 512 + concat 1024
    assert found.peak == 2048


def test_a_size_keeps_nothing_alive():
    """`like` needs the shape of the 256 elements, not the elements: they are gone before."""
    like = image(
        "{conv: 4, kernel: 1, name: a}",
        "{conv: 1, kernel: 1}",
        "{conv: 1, kernel: 1}",
        "{upsample: , like: a}",
    )
    assert like.peak == 192 + 256


def test_an_unread_layer_is_freed_at_once():
    text = layers("{conv: 4, kernel: 1, name: dead}", "{conv: 2, kernel: 1, from: input}")
    assert held(text + "\noutputs: conv1").peak == 192 + 256


def test_several_inputs_are_all_there_at_the_start():
    found = held("input: {a: 100, b: 50}\nlayers: [{linear: 3}, {linear: 3, from: b}]")
    assert found.activations == 150 + 3 + 3
    assert found.peak == 153


def test_regions_count():
    """Ten boxes of 3@2x2 are 120 elements."""
    found = image("{roipool: 2, regions: 10}")
    assert found.activations == 192 + 120


def test_vgg16_is_the_figure_of_the_course_notes():
    """CS231n: 15.2 M values (its own sum rounds); the exact sum is 15,237,608."""
    assert cnncalc.analyze(cnncalc.load("vgg16")).totals.activations == 15237608


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "vgg16", "lenet5"])
def test_totals_in_bytes(name):
    """float32: four bytes each; training keeps at least a gradient and a momentum for each."""
    totals = cnncalc.analyze(cnncalc.load(name)).totals
    assert totals.activation_bytes == 4 * totals.activations
    assert totals.parameter_bytes == 4 * totals.parameters
    assert totals.training_bytes > 4 * 2 * totals.parameters
    assert 0 < totals.peak_bytes <= totals.activation_bytes


# Against a plain simulation


@st.composite
def random_networks(draw):
    """Convolutions of random widths that read any earlier layer, and sums of two of them."""
    lines, widths = ["input: 3@2x2", "layers:"], {"input": 3}
    reads = {}
    for number in range(draw(st.integers(1, 8))):
        name = f"n{number}"
        sources = draw(st.lists(st.sampled_from(sorted(widths)), min_size=1, max_size=3))
        if len(sources) == 1:
            widths[name] = draw(st.integers(1, 9))
            lines.append(
                f"  - {{conv: {widths[name]}, kernel: 1, from: {sources[0]}, name: {name}}}"
            )
        else:
            widths[name] = sum(widths[source] for source in sources)
            lines.append(f"  - {{concat: [{', '.join(sources)}], name: {name}}}")
        reads[name] = set(sources)
    outputs = draw(st.lists(st.sampled_from(sorted(reads)), min_size=1, max_size=2, unique=True))
    lines.append(f"outputs: [{', '.join(outputs)}]")
    return "\n".join(lines), {name: 4 * width for name, width in widths.items()}, reads, outputs


@settings(deadline=None)  # machines differ in speed
@given(random_networks())
def test_peak_of_random_networks(drawn):
    text, elements, reads, outputs = drawn
    order = list(elements)  # insertion order is running order
    peak = elements["input"]
    for step, running in enumerate(order[1:], start=1):
        # Alive while a layer runs: its own output, and whatever it or a later layer reads.
        needed = {running, *outputs}.union(*(reads[later] for later in order[step:]))
        alive = {name for name in order[: step + 1] if name in needed}
        peak = max(peak, sum(elements[name] for name in alive))
    found = held(text)
    assert found.peak == peak
    assert found.activations == sum(elements.values())


# Symbolic inputs


def test_a_symbolic_chain():
    found = held("input: C@HxW\nlayers: [{conv: 2*C, kernel: 1}, relu, {conv: C, kernel: 1}]")
    C, H, W = sorted(found.peak.free_symbols, key=str)
    assert (found.activations - 4 * C * H * W).expand() == 0
    assert (found.peak - 3 * C * H * W).expand() == 0


def test_a_deep_symbolic_network_does_not_take_minutes():
    """ResNet-18 over any image: the peak is the largest of some sixty expressions."""
    text = cnncalc.load("resnet18").text.replace("3@224x224", "3@HxW")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("expect"))
    for claim in ("64@112x112", "64@56x56", "128@28x28", "256@14x14", "512@7x7"):
        text = text.replace(f", expect: {claim}", "")
    started = time.perf_counter()
    totals = cnncalc.analyze(cnncalc.loads(text)).totals
    assert totals.parameters == 11689512
    assert time.perf_counter() - started < 60  # it was minutes, doubling with each layer
