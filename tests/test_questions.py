"""Real exam and homework questions, answered by the calculator as the file says.

Every entry of tests/data/questions.yaml is either put to the calculator (its givens
become a layer or a network, and what cnncalc computes is compared with the file's
`answer`) or stands in `OUT_OF_REACH` with the reason. Where the published key is
wrong, our answer must differ from it too.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sympy

from tests.questions import convolutions, layers, networks, symbols, values
from tests.questions.building import BY_ID, QUESTIONS, Question

Answer = Callable[[Question], Any]

#: How the questions of a topic are answered, unless one has its own way below.
BY_TOPIC: dict[str, Answer] = {
    "arch_table": networks.layer_volume,
    "batchnorm": layers.batchnorm_parameters,
    "conv_params": convolutions.conv_parameters,
    "conv_shape": convolutions.conv_shape,
    "conv_values": values.conv_values,
    "fc_params": layers.linear_parameters,
    "flatten": layers.flattened,
    "grouped": convolutions.grouped_parameters,
    "padding": layers.same_padding,
    "pool_params": layers.pool_and_parameters,
    "pool_shape": layers.pool_shape,
    "pool_values": values.max_pooled,
    "receptive_field": layers.receptive_field,
    "separable": convolutions.separable_parameters,
    "tconv_shape": layers.transposed_side,
    "tconv_values": values.transposed_values,
}

#: Questions that ask for more than their topic's usual figure, or give it otherwise.
BY_QUESTION: dict[str, Answer] = {
    # conv_shape
    "seed-7x7-k3-s3-strict": convolutions.conv_strict_fit,
    "seed-7x7-k3-s3-floor": convolutions.conv_floor_and_quotient,
    "seed-shrink-32": convolutions.conv_repeated_sides,
    "seed-32x32xm": convolutions.conv_same_symbolic_filters,
    "seed-demo-shape": convolutions.conv_shape_and_parameters,
    "seed-fcn-half": convolutions.conv_half_resolution,
    "seed-zfnet-conv1": convolutions.conv_zfnet,
    "leyaa-10-k3s2p1": convolutions.conv_batch_shape,
    "eecs182-shapes": convolutions.conv_batch_shapes_of_settings,
    # conv_params
    "seed-1x1-64-32": convolutions.conv_one_by_one,
    "seed-1x1-as-fc": convolutions.conv_one_by_one_as_linear,
    "seed-filter-depth": symbols.filter_weights,
    "js-conv3d-164": convolutions.conv_3d,
    "sm-140": convolutions.conv_then_pool,
    "cs231n-noshare-badkey": convolutions.conv_parameters_not_per_position,
    # padding and inverse
    "seed-same-pad-357": layers.same_padding_of_kernels,
    "seed-pad-formula": symbols.same_padding_of_odd_kernel,
    "dlai-pad2": layers.padded,
    "seed-f5s2-padfit": layers.fitting_paddings_of_sizes,
    "gaviki-pad": layers.same_padding,
    "seed-resnet-depths": networks.blocks_per_stage,
    # flatten, pool_shape, tconv_shape, receptive_field
    "mnist-k7s3": layers.conv_then_flatten,
    "seed-pool-overlap": layers.pool_sides_of_settings,
    "so-tconv-sizes": layers.transposed_sides_of_settings,
    "eva-vgg16-rf": networks.vgg16_receptive_fields,
    # rnn_params
    "eva-torchlstm": layers.lstm_parameters,
    "rnn-120": layers.keras_rnn_parameters,
    # macs
    "seed-smallfilters-numeric": layers.macs_of_small_filters,
    "dlai-inception-bottleneck": layers.macs_of_bottleneck,
    "thop-37": layers.counts_of_thop,
    "coen140-p1": networks.volumes_and_macs,
    "aylwin-864": layers.macs_at_output,
    "fastai-mults": layers.macs_from_parameters,
    # symbolic
    "seed-conv-summary-weights": symbols.conv_weights_and_biases,
    "seed-conv-summary-size": symbols.conv_width,
    "seed-49C2": symbols.stack_parameters,
    "seed-27C2": symbols.stack_parameters,
    "seed-49HWC2": symbols.stack_macs,
    "seed-27HWC2": symbols.stack_macs,
    "seed-1d-sum-upper-limit": networks.products_per_output,
    "seed-fc-formula": symbols.linear_parameters,
    "seed-conv-formula": symbols.conv_parameters,
    "nyu-dil-formula": symbols.conv_height,
    "hse-rf-stack": symbols.stacked_field,
    "columbia-rf-stack": symbols.stacked_field_and_value,
    "so-cs231n-rf-l": symbols.stacked_field,
    # arch_table
    "seed-keras-layer-table": networks.keras_layer_table,
    "seed-lenet-shapes": networks.lenet_sides,
    "seed-alexnet-norm-params": networks.lrn_row,
    "dlai-39-chain": networks.chain_of_givens,
    "dnn-saq1": networks.volumes,
    "scribd-224-chain": networks.volumes_and_parameters,
    "eecs498-alexnet-conv1": layers.memory_and_costs,
    "cs480-shapes": networks.volumes,
    "convnetjs-cifar": networks.convnetjs_parameters,
    "notes-conv3-8-bn": networks.parameters_by_layer,
    "ub-conv5-8-student": networks.map_shapes_and_parameters,
    # arch_total
    "seed-keras-mnist-cnn": networks.keras_total,
    "seed-alexnet-total": networks.alexnet_total,
    "seed-alexnet-60M": networks.alexnet_total,
    "seed-matlab-net": networks.matlab_total,
    "seed-resnet-fc": networks.final_linear,
    "vgg19-total": networks.zoo_total,
    "resnet50-total": networks.zoo_total,
    "cs480-params": networks.cs480_total,
    "mathgpt-64": networks.sides_flatten_and_total,
    # counting
    "seed-arch-pattern": networks.pattern_depth,
    "seed-alexnet-units": networks.alexnet_units,
    "seed-photocells-400": layers.flattened_square,
    "seed-googlenet-depth": networks.googlenet_depth,
    # detection_head
    "seed-multi-object-numbers": layers.numbers_of_boxes,
    "seed-yolo-head": layers.yolo_outputs,
    "seed-yolo-numeric": layers.yolo_outputs_of_settings,
    "seed-rcnn-boxes": layers.numbers_of_regions,
    "seed-maskrcnn-28": layers.mask_outputs,
    # conv_values, pool_values, tconv_values, unpool
    "seed-conv-definition": values.both_definitions,
    "seed-conv1d-matrix": values.conv_formulas,
    "cse163-values": values.conv_values,
    "sm-relu-pool": values.conv_relu_pooled,
    "seed-tconv1d-matrix": values.transposed_formulas,
    "seed-checkerboard": values.overlaps,
    "seed-unpool-nn": values.upsampled("nearest"),
    "seed-unpool-nails": values.upsampled("nails"),
    # activation, dropout
    "seed-leaky-relu": values.leaky_relu_values,
    "seed-softmax": values.softmax_values,
    "seed-dropout-expect": values.dropout_expectation,
    "seed-dropout-numeric": values.dropout_numbers,
    # backward, update_rule
    "seed-dW-symbolic": values.weight_gradient_formulas,
    "seed-dW-numeric": values.conv_gradients,
    "soln-sigmoid-backward": values.conv_gradients,
    "smart-dw2": values.second_weight_gradient,
    "cv-maxpool-grad": values.pool_gradient_of_channels,
    "nemo-maxpool-tie": values.pool_gradient_to_first,
    "seed-perceptron-update": values.perceptron_step,
}

#: Topics, and single questions, that the calculator of today cannot answer, with the reason.
OUT_OF_REACH: dict[str, str] = {
    "seed-dropout-masks": "2**n subsets of the inputs: no layer counts them",
    "seed-xo-grid-garbled": "about an image that is not rectangular: no array holds it",
    "seed-pose-14": "adds up a list of joints: reasoning, no layer",
    "seed-3d-box": "counts the letters of (x,y,z,w,h,l,r,p,y): reasoning, no layer",
}


def _way(question: Question) -> Answer | None:
    return BY_QUESTION.get(question["id"]) or BY_TOPIC.get(question["topic"])


def _listed(question: Question) -> bool:
    return question["id"] in OUT_OF_REACH or question["topic"] in OUT_OF_REACH


ANSWERED = [question for question in QUESTIONS if _way(question) is not None]


@pytest.mark.parametrize("question", ANSWERED, ids=lambda question: question["id"])
def test_question_is_answered_as_the_file_says(question: Question):
    way = _way(question)
    assert way is not None

    answer = way(question)

    tolerance = question.get("tolerance_rel")
    assert _agree(answer, question["answer"], tolerance), f"{answer} is not {question['answer']}"
    if question["key_status"] == "wrong_key":
        assert _differ(answer, question["published_answer"])


def _agree(ours: Any, expected: Any, tolerance: float | None = None) -> bool:
    """Whether answers are equal; fractions to the digits that the file prints, or its tolerance."""
    if isinstance(expected, Mapping):
        return ours.keys() == expected.keys() and all(
            _agree(ours[key], value, tolerance) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(ours) == len(expected) and all(
            _agree(one, other, tolerance) for one, other in zip(ours, expected, strict=True)
        )
    if isinstance(expected, str) and isinstance(ours, sympy.Expr):
        return sympy.simplify(ours - symbols.parsed(expected)) == 0
    if isinstance(expected, float) and tolerance is not None:
        return math.isclose(ours, expected, rel_tol=tolerance)
    if isinstance(expected, float):
        return round(ours, len(str(expected).partition(".")[2])) == expected
    return type(ours) is type(expected) and ours == expected


def _differ(ours: Any, published: Any) -> bool:
    """Whether the published key contradicts ours; it may give a part of the answer only."""
    if isinstance(published, Mapping):
        return any(not _agree(ours[key], value) for key, value in published.items())
    return not _agree(ours, published)


def test_every_question_is_answered_or_listed_with_a_reason():
    answered = {question["id"] for question in ANSWERED}
    listed = {question["id"] for question in QUESTIONS if _listed(question)}

    assert len(BY_ID) == len(QUESTIONS)
    assert answered | listed == BY_ID.keys()
    assert not answered & listed


def test_no_entry_of_the_tables_is_stale():
    topics = {question["topic"] for question in QUESTIONS}

    assert BY_QUESTION.keys() <= BY_ID.keys()
    assert BY_TOPIC.keys() <= topics
    assert OUT_OF_REACH.keys() <= BY_ID.keys() | topics
    assert all(OUT_OF_REACH.values())


def test_every_wrong_key_within_reach_is_compared():
    """The published answer of a wrong key is there to differ from."""
    wrong = [question for question in ANSWERED if question["key_status"] == "wrong_key"]

    assert wrong
    assert all(question["published_answer"] != question["answer"] for question in wrong)
