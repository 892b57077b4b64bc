"""Inverse questions, against every window laid down one by one.

`lay` and `spread` know nothing of cnncalc's formulas: they put windows (or, for a
transposed convolution, kernels) on a row of positions until none fits any more.
"""

from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses.solving import layer as layers
from cnncalc.analyses.solving import network as networks
from cnncalc.analyses.solving import stack as stacks
from cnncalc.analyses.solving.layer import Answer
from cnncalc.analyses.solving.problem import Range, SolveError
from cnncalc.analyses.solving.reading import read_problem, read_range, read_stack
from tests.questions.building import BY_ID


class Laid(NamedTuple):
    """Windows on a row: how many, whether they end with the row, real positions beyond them."""

    windows: int
    exact: bool
    lost: int
    unread: int = 0


def lay(n: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1, *, ceil=False):
    """Windows from the left, as long as they fit; with `ceil`, one more that starts in the map."""
    row = ["pad"] * pad + ["pixel"] * n + ["pad"] * pad
    offsets = [dilation * tap for tap in range(kernel)]
    starts = []
    start = 0
    while start + offsets[-1] < len(row):
        starts.append(start)
        start += stride
    end = starts[-1] + offsets[-1] + 1 if starts else 0
    exact = end == len(row)
    over = start + offsets[-1] + 1 - len(row)
    if ceil and not exact and over < stride and start < pad + n:
        starts.append(start)
        end = len(row)
    if not starts:
        return Laid(0, False, 0)
    return Laid(len(starts), exact, row[end:].count("pixel"), len(row[end:]))


def spread(n: int, kernel: int, stride: int, pad: int, dilation: int, added: int) -> int:
    """Length of a transposed convolution: each input adds a kernel, then the padding is cropped."""
    touched = {i * stride + dilation * tap for i in range(n) for tap in range(kernel)}
    return max(touched) + 1 + added - 2 * pad


def found(answer: Answer) -> list[dict[str, int]]:
    return [one.values for one in answer.solutions]


def ask(kind: str, size: str, /, *, ranges=(), **wanted) -> Answer:
    """A question as the command line asks it; options by name, what is wanted by name."""
    targets = ("output", "fits", "parameters", "at_most", "receptive_field")
    given = {name: wanted.pop(name) for name in targets if name in wanted}
    options = {name: str(value) for name, value in wanted.items()}
    return layers.solve(read_problem(kind, size, options, ranges=ranges, **given))


def as_set(values):
    return {tuple(sorted(one.items())) for one in values}


# One layer


@pytest.mark.parametrize("output", [1, 7, 16, 30])
@pytest.mark.parametrize("fits", [False, True])
def test_all_of_a_convolution_unknown(output: int, fits: bool) -> None:
    answer = ask(
        "conv", "?", kernel="?", stride="?", pad="?", dilation="?", output=str(output), fits=fits,
        ranges=["kernel=1:5", "stride=1:3", "pad=0:3", "dilation=1:2", "input=20:40"],
    )  # fmt: skip
    expected = []
    for n, k, s, p, d in product(range(20, 41), range(1, 6), (1, 2, 3), range(4), (1, 2)):
        laid = lay(n, k, s, p, d)
        if laid.windows == output and (laid.exact or not fits):
            expected.append({"kernel": k, "stride": s, "pad": p, "dilation": d, "input": n})
    assert as_set(found(answer)) == as_set(expected)
    assert len(answer.solutions) == len(expected)
    for one in answer.solutions:
        v = one.values
        laid = lay(v["input"], v["kernel"], v["stride"], v["pad"], v["dilation"])
        assert (one.output, one.exact) == ((output,), laid.exact)
        assert one.lying[0].unread_pixels == laid.lost


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("kind", ["maxpool", "avgpool", "lppool", "subsample"])
def test_pools(kind: str, ceil: bool) -> None:
    answer = ask(
        kind, "?", kernel="?", stride="?", pad="?", ceil=str(ceil).lower(), output="9",
        ranges=["kernel=1:5", "stride=1:4", "input=8:40"],
    )  # fmt: skip
    expected = [
        {"kernel": k, "stride": s, "pad": p, "input": n}
        for n, k, s in product(range(8, 41), range(1, 6), range(1, 5))
        for p in range(k)  # a window of padding alone is none
        if lay(n, k, s, p, ceil=ceil).windows == 9
    ]
    assert as_set(found(answer)) == as_set(expected)


def test_a_pool_s_stride_follows_its_unknown_kernel() -> None:
    assert found(ask("maxpool", "64@56x48", kernel="?", output="64@28x24")) == [{"kernel": 2}]


@pytest.mark.parametrize(("size", "output"), [(7, 13), (7, 14), (16, 32), (4, 4)])
def test_transposed_convolutions(size: int, output: int) -> None:
    answer = ask(
        "convtranspose", str(size), kernel="?", stride="?", pad="?", dilation="?",
        output_padding="?", output=str(output),
        ranges=["kernel=1:6", "stride=1:3", "pad=0:4", "dilation=1:2"],
    )  # fmt: skip
    expected = [
        {"kernel": k, "stride": s, "pad": p, "dilation": d, "output_padding": more}
        for k, s, p, d in product(range(1, 7), range(1, 4), range(5), (1, 2))
        for more in range(max(s, d))  # what PyTorch allows
        if spread(size, k, s, p, d, more) == output
    ]
    assert as_set(found(answer)) == as_set(expected)


def test_axes_that_differ_must_agree_on_one_kernel() -> None:
    answer = ask("conv", "3@20x31", kernel="?", pad="?", stride=3, output="2@7x10",
                 ranges=["kernel=1:9", "pad=0:4"])  # fmt: skip
    expected = [
        {"kernel": k, "pad": p}
        for k, p in product(range(1, 10), range(5))
        if (lay(20, k, 3, p).windows, lay(31, k, 3, p).windows) == (7, 10)
    ]
    assert expected
    assert as_set(found(answer)) == as_set(expected)


def test_one_axis_unknown() -> None:
    # (h - 3)/2 + 1 = 10: h from 21, exactly, to 22.
    assert found(ask("conv", "3@?x9", filters=4, kernel=3, stride=2, output="4@10x4")) == [
        {"input": 21},
        {"input": 22},
    ]


def test_asymmetric_kernel_and_padding() -> None:
    # 3x5 keeps 7x10 with padding 1 and 2.
    answer = ask("conv", "3@7x10", filters=2, kernel="3x5", pad="1x2", stride="?", output="same")
    assert found(answer) == [{"stride": 1}]


def test_same_padding() -> None:
    # TensorFlow's: ceil(n/2) = 16 for 31 and 32, exact when the padding is added in full.
    answer = ask("conv", "?", kernel=3, stride=2, pad="same", output="16")
    assert sorted(one["input"] for one in found(answer)) == [31, 32]


def test_input_sizes_of_alexnet_s_first_layer() -> None:
    answer = ask("conv", "?", kernel=11, stride=4, fits=True, ranges=["input=200:256"])
    # n - 11 a multiple of 4: n = 4k + 3.
    assert [one["input"] for one in found(answer)] == [n for n in range(200, 257) if n % 4 == 3]
    by_size = {one.values["input"]: one.output for one in answer.solutions}
    assert by_size[227] == (55,)


@pytest.mark.parametrize("size", [32, 31])
def test_course_notes_padding_that_fits(size: int) -> None:
    question = BY_ID["seed-f5s2-padfit"]
    answer = ask("conv", str(size), kernel=5, stride=2, pad="?", fits=True)
    assert sorted(one["pad"] for one in found(answer)) == question["answer"][str(size)]


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_course_notes_padding_that_keeps_the_size(kernel: int) -> None:
    question = BY_ID["seed-same-pad-357"]
    answer = ask("conv", "32", kernel=kernel, pad="?", output="same")
    assert found(answer) == [{"pad": question["answer"][str(kernel)]}]
    assert answer.reasons == (f"pad {(kernel - 1) // 2}: (k-1)/2, half the window",)


@pytest.mark.parametrize("name", ["dlai-same-k5", "gaviki-pad"])
def test_quizzes_padding_that_keeps_the_size(name: str) -> None:
    question = BY_ID[name]
    sizes = question["givens"]
    answer = ask("conv", str(sizes["n"]), kernel=sizes["k"], pad="?", output="same")
    assert found(answer) == [{"pad": question["answer"]}]


def test_course_notes_depth_of_cifar_resnets() -> None:
    # 6n + 2 layers: a stack of n pairs of 3x3 in each of three stages has 6n of them, which see
    # 1 + 2*6n positions when none has a stride.
    question = BY_ID["seed-resnet-depths"]
    for depth, blocks in zip(question["givens"]["depths"], question["answer"], strict=True):
        field = 1 + 2 * (depth - 2)
        answer = stacks.solve(read_stack(DEFAULTS, field, ranges=["layers=1:2000"]))
        assert answer.solutions[0].values["layers"] == 6 * blocks


# Parameters


def test_filters_for_a_number_of_parameters() -> None:
    # 10 filters of 5*5*3 weights and a bias: the course notes' 760.
    assert found(ask("conv", "3@32x32", filters="?", kernel=5, parameters=760)) == [{"filters": 10}]


def test_filters_within_a_budget() -> None:
    # 76 a filter: 13 are 988, 14 would be 1064.
    answer = ask("conv", "3@32x32", filters="?", kernel=5, parameters=1000, at_most=True)
    assert found(answer) == [{"filters": 13}]
    assert answer.solutions[0].parameters == 988


def test_kernel_and_filters_for_parameters() -> None:
    answer = ask("conv", "4@32x32", filters="?", kernel="?", groups=2, bias="false", parameters=576,
                 ranges=["kernel=1:9", "filters=1:300"])  # fmt: skip
    # filters * 4/2 * k*k = 576 with an even number of filters.
    expected = [
        {"kernel": k, "filters": f}
        for k, f in product(range(1, 10), range(2, 301, 2))
        if f * 2 * k * k == 576
    ]
    assert as_set(found(answer)) == as_set(expected)


def test_channels_of_a_whole_output_are_the_filters() -> None:
    answer = ask("conv", "3@32x32", filters="?", kernel=5, pad="?", output="10@32x32")
    assert found(answer) == [{"pad": 2, "filters": 10}]
    assert answer.solutions[0].parameters == 760


def test_parameters_that_cannot_be_met_name_the_nearest() -> None:
    answer = ask("conv", "3@32x32", filters="?", kernel=5, parameters=1000)
    assert answer.solutions == ()
    assert answer.nearest is not None
    assert (answer.nearest.values, answer.nearest.parameters) == ({"filters": 13}, 988)


def test_separable_and_depthwise() -> None:
    # 16*9 weights of the depthwise part, then 16 + 1 a filter: 144 + 17*8 = 280.
    wanted = {"filters": "?", "kernel": 3, "parameters": 280}
    assert found(ask("separableconv", "16@9x9", **wanted)) == [{"filters": 8}]
    # (k*k + 1) * 16 = 160.
    assert found(ask("depthwise", "16@9x9", kernel="?", parameters=160)) == [{"kernel": 3}]


# What comes first, and what is nearest


@pytest.mark.parametrize(
    ("kind", "size", "wanted", "first"),
    [
        ("conv", "32", {"kernel": "?", "pad": "?", "output": "same"}, {"kernel": 3, "pad": 1}),
        # 3x3 with padding 1 halves, and drops one row of padding; 1x1 would skip pixels.
        ("conv", "32", {"kernel": "?", "stride": "?", "pad": "?", "output": "16"},
         {"kernel": 3, "stride": 2, "pad": 1}),
        ("conv", "31", {"kernel": 5, "stride": 2, "pad": "?", "fits": True}, {"pad": 2}),
        ("conv", "33", {"kernel": "?", "dilation": "?", "pad": 0, "output": "29"},
         {"kernel": 5, "dilation": 1}),
        ("maxpool", "32", {"kernel": "?", "stride": "?", "pad": "?", "output": "16"},
         {"kernel": 2, "stride": 2, "pad": 0}),
        # DCGAN's 4, 2, 1 where the kernel must be larger than the stride.
        ("convtranspose", "4", {"kernel": "?", "stride": 2, "pad": "?", "output_padding": "?",
         "output": "8", "ranges": ["kernel=3:5"]}, {"kernel": 4, "pad": 1, "output_padding": 0}),
    ],
)  # fmt: skip
def test_the_conventional_solution_comes_first(kind, size, wanted, first) -> None:
    answer = ask(kind, size, **wanted)
    assert found(answer)[0] == first
    assert answer.reasons
    assert len({tuple(one.items()) for one in found(answer)}) == len(found(answer))


def test_no_padding_fits_an_even_size() -> None:
    answer = ask("conv", "32", kernel=5, stride=2, pad="?", fits=True)
    assert answer.note == "27 + 2*pad is odd for every pad, and the stride 2 is even"
    assert answer.nearest is not None
    # One position of padding is left over, no pixel: (32 + 4 - 5) = 31 = 2*15 + 1.
    assert (answer.nearest.values, answer.nearest.output) == ({"pad": 2}, (16,))
    for way in answer.instead:
        pads = way.value if way.option == "pad" else (way.solution.values["pad"],) * 2
        n = way.value if way.option == "input" else 32
        k = way.value if way.option == "kernel" else 5
        s = way.value if way.option == "stride" else 2
        assert (n + sum(pads) - k) % s == 0, way
    assert {way.option for way in answer.instead} == {"input", "kernel", "stride", "pad"}
    # The nearest inputs below and above.
    assert [way.value for way in answer.instead if way.option == "input"] == [31, 33]


def test_a_window_that_is_never_small_enough_is_said_so() -> None:
    answer = ask("conv", "3@4", kernel=7, filters="?", parameters=22)
    assert answer.solutions == ()
    assert answer.note == (
        "the convolution window spans 7, but the length of its input 3@4 is only 4"
    )


def test_a_large_question_without_solution_ends() -> None:
    answer = ask("conv", "?", kernel="?", stride="?", pad="?", dilation="?", output="1000")
    assert (answer.solutions, answer.nearest, answer.instead) == ((), None, ())


def test_receptive_field_of_one_layer() -> None:
    answer = ask("conv", "64", kernel="?", dilation="?", receptive_field=9)
    # dilation*(kernel - 1) = 8
    assert found(answer) == [
        {"kernel": 9, "dilation": 1},
        {"kernel": 3, "dilation": 4},
        {"kernel": 5, "dilation": 2},
    ]


# Questions that cannot be asked


@pytest.mark.parametrize(
    ("kind", "size", "wanted", "message"),
    [
        ("conv", "32", {"kernel": 5, "pad": 1, "output": "28"}, "nothing is unknown"),
        ("conv", "32", {"kernel": 5, "pad": "?"}, "nothing is wanted"),
        ("conv", "32", {"pad": "?", "fits": True}, "the kernel is missing"),
        ("conv", "3@32x32", {"kernel": 5, "stride": 2, "filters": "?", "parameters": 760,
         "output": "16"}, "the givens contradict each other: they give 14"),
        ("conv", "3@32x32", {"kernel": 5, "stride": 2, "filters": "?", "parameters": 760,
         "fits": True},
         "the givens contradict each other: they give 14, which does not fit exactly"),
        ("conv", "3@32x32", {"kernel": 5, "filters": 10, "pad": "?", "parameters": 700,
         "output": "32"}, "the givens contradict each other: there are 760 parameters, not 700"),
        ("conv", "32", {"kernel": 5, "pad": "?", "output": "32", "receptive_field": 7},
         "the givens contradict each other: the kernel spans 5, not 7"),
        ("conv", "3@9x9", {"kernel": 5, "filters": 4, "pad": "?", "output": "5@9x9"},
         "the givens contradict each other: 4 filters make 4 channels, not 5"),
        ("maxpool", "3@9x9", {"kernel": "?", "output": "5@3x3"},
         "the givens contradict each other: a maxpool makes 3 channels of 3, not 5"),
        ("conv", "32", {"kernel": 5, "filters": "?", "output": "28"},
         "nothing that is wanted depends on the filters"),
        ("conv", "3@32x32", {"kernel": "?", "stride": "?", "filters": 1, "parameters": 10},
         "nothing that is wanted depends on the stride"),
        ("conv", "32", {"kernel": 5, "filters": "?", "parameters": 76},
         "parameters depend on the channels of the input, which a bare number leaves out"),
        ("conv", "3@32x32", {"kernel": "?", "parameters": 76}, "parameters depend on the filters"),
        ("convtranspose", "8", {"kernel": "?", "fits": True},
         "every input fits a convtranspose, which never rounds down"),
        ("conv", "32", {"kernel": 5, "pad": "?x2", "fits": True}, "--pad cannot be '?x2'"),
        ("conv", "32", {"kernel": "3x3", "pad": "?", "fits": True},
         "--kernel 3x3 has 2 values, the input 1 spatial axis"),
        ("conv", "32", {"kernel": 0, "pad": "?", "fits": True},
         "--kernel must be at least 1, got 0"),
        ("conv", "32", {"kernel": "five", "pad": "?", "fits": True},
         "--kernel is a whole number, got 'five'"),
        ("conv", "32", {"kernel": "9" * 30, "pad": "?", "fits": True},
         f"--kernel is a whole number, got '{'9' * 30}'"),
        ("conv", "32", {"kernel": 5, "pad": "?", "bias": "no", "fits": True},
         "--bias is true or false, got 'no'"),
        ("conv", "?@32", {"kernel": 5, "pad": "?", "fits": True},
         "the channels of the input cannot be unknown"),
        ("conv", "3x32x32", {"kernel": 5, "pad": "?", "fits": True},
         "'3x32x32' does not say which extent is the channels"),
        ("conv", "3@" + "x".join("9" * 40), {"kernel": 5, "pad": "?", "fits": True},
         "more than 7 spatial axes"),
        ("conv", "\x1b[31m", {"kernel": 5, "pad": "?", "fits": True},
         "an input size is a whole number, got '\\\\x1b[31m'"),
        ("conv", "32", {"kernel": 5, "pad": "?", "output": "?"}, "the output cannot be unknown: "
         "that is what `cnncalc calc` works out"),
        ("conv", "3@32", {"kernel": 5, "pad": "?", "output": "3@9x9"},
         "the output 3@9x9 has 2 spatial axes, the input 1 spatial axis"),
        ("conv", "32", {"kernel": 5, "pad": "?", "fits": True, "at_most": True},
         "--at-most without --parameters"),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_asked(kind, size, wanted, message) -> None:
    with pytest.raises(SolveError) as caught:
        ask(kind, size, **wanted)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (["pad=0:"], "the range '0:' is not bounded"),
        (["pad=:4"], "the range ':4' is not bounded"),
        (["pad=4"], "the range '4' is not bounded"),
        (["4:1"], "the range '4:1' is empty"),
        (["stride=1:2"], "a range for the stride, which is not unknown"),
        (["strid=1:2"], "'strid' has no range"),
        (["pad=-1:4"], "a range's start is a whole number, got '-1'"),
        (["pad=0:99999999"], "the ranges hold about 100,000,000 combinations of options, more than "
         "the 50,000 that are tried"),
    ],
)  # fmt: skip
def test_ranges_that_cannot_be_tried(ranges, message) -> None:
    with pytest.raises(SolveError) as caught:
        ask("conv", "31", kernel=5, stride=2, pad="?", fits=True, ranges=ranges)
    assert str(caught.value) == message


def test_a_range_needs_a_name_where_two_are_unknown() -> None:
    with pytest.raises(SolveError, match="does not say of what"):
        ask("conv", "31", kernel="?", pad="?", fits=True, ranges=["1:4"])


def test_too_many_combinations_without_an_output() -> None:
    with pytest.raises(SolveError, match=r"more than the 100,000 that are tried"):
        ask("conv", "?", kernel="?", stride="?", pad="?", dilation="?", fits=True)


# Stacks

DEFAULTS = {"layers": "?", "kernel": "3", "stride": "1", "dilation": "1"}


def field_by_steps(layers: int, kernel: int, dilation: int, stride: int, growth: int) -> int:
    """The recurrence of Araujo et al., layer by layer."""
    size, jump = 1, 1
    for _ in range(layers):
        size += jump * dilation * (kernel - 1)
        jump *= stride
        dilation *= growth
    return size


@pytest.mark.parametrize(("field", "layers"), [(31, 15), (32, 16), (7, 3), (3, 1), (1, 1)])
def test_number_of_3x3_layers(field: int, layers: int) -> None:
    answer = stacks.solve(read_stack(DEFAULTS, field))
    assert [one.values for one in answer.solutions] == [{"layers": layers}]
    assert answer.solutions[0].field == 1 + 2 * layers


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3),
       st.integers(1, 2))  # fmt: skip
def test_stacks_are_the_smallest(field, kernel, dilation, stride, growth) -> None:
    given_ = {"layers": "?", "kernel": str(kernel), "stride": str(stride),
              "dilation": str(dilation)}  # fmt: skip
    answer = stacks.solve(read_stack(given_, field, growth=growth, ranges=["layers=1:50"]))
    fields = [field_by_steps(n, kernel, dilation, stride, growth) for n in range(1, 51)]
    reach = [n for n, seen in enumerate(fields, start=1) if seen >= field]
    assert [one.values["layers"] for one in answer.solutions] == reach[:1]


def test_wavenet_s_doubling_dilation() -> None:
    # van den Oord et al. 2016: dilations 1 to 512 with kernel 2 see 1024 samples.
    given_ = {**DEFAULTS, "kernel": "2"}
    answer = stacks.solve(read_stack(given_, 1024, growth=2))
    assert [one.values for one in answer.solutions] == [{"layers": 10}]


def test_exact_fields_only() -> None:
    answer = stacks.solve(read_stack(DEFAULTS, 32, exact=True))
    assert answer.solutions == ()
    assert answer.nearest is not None
    assert answer.nearest.values == {"layers": 16}


def test_layers_and_kernel_unknown_list_the_3x3_first() -> None:
    answer = stacks.solve(read_stack({**DEFAULTS, "kernel": "?"}, 31, exact=True))
    # layers*(k-1) = 30 with k up to 11.
    assert [(one.values["layers"], one.values["kernel"]) for one in answer.solutions] == [
        (15, 3), (5, 7), (3, 11), (30, 2), (10, 4), (6, 6),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({**DEFAULTS, "layers": "3"}, "nothing is unknown"),
        ({**DEFAULTS, "layers": "100", "stride": "2", "kernel": "?"}, "larger than any input"),
        ({**DEFAULTS, "kernel": "0"}, "--kernel must be at least 1, got 0"),
    ],
)
def test_stacks_that_cannot_be_asked_for(given_, message) -> None:
    with pytest.raises(SolveError, match=message):
        stacks.solve(read_stack(given_, 31))


# Whole networks


def sizes_of(name: str, first: int, last: int) -> dict[str, tuple[int, ...]]:
    return networks.solve(cnncalc.load(name), Range(first, last)).sizes


def test_alexnet() -> None:
    # (n - 11)/4, then twice (m - 3)/2, 5x5 and 3x3 keeping the size, and again (m - 3)/2:
    # the last map has d = (n - 35)/32 + 1 positions, so n = 35 + 32k; 227 = 35 + 6*32.
    expected = tuple(range(67, 400, 32))
    found_ = sizes_of("alexnet_227", 67, 400)
    assert found_["exact"] == expected
    assert 227 in expected
    # Nothing but valid windows and padding that is read: what does not fit loses pixels.
    assert found_["no-loss"] == expected


def test_resnet50() -> None:
    # Every halving takes n to (n + 1)/2 and needs an odd n: n - 1 is divided by 2 five times.
    found_ = sizes_of("resnet50", 1, 300)
    assert found_["exact"] == tuple(range(1, 301, 32))
    assert found_["no-loss"] == found_["works"] == tuple(range(1, 301))


def test_vgg16() -> None:
    # Five 2x2 pools over convolutions that keep the size.
    assert sizes_of("vgg16", 200, 260)["exact"] == (224, 256)
    assert sizes_of("vgg16", 20, 70)["works"] == tuple(range(32, 71))


UNET = """
input: 1@572x572
blocks:
  double:
    parameters: {width: }
    layers: [{conv: width, kernel: 3}, relu, {conv: width, kernel: 3}, relu]
layers:
  - {double: 2, name: e1}
  - {maxpool: 2}
  - {double: 2, name: e2}
  - {maxpool: 2}
  - {double: 2, name: e3}
  - {maxpool: 2}
  - {double: 2, name: e4}
  - {maxpool: 2}
  - {double: 2}
  - {convtranspose: 2, kernel: 2, stride: 2, name: u4}
  - {crop: , like: u4, from: e4}
  - {concat: [u4, crop1]}
"""


def test_the_u_net_paper_s_tiles() -> None:
    # Ronneberger et al.: every pool must find an even size. Each level takes 4 off, then halves:
    # n - 4, (n - 4)/2 - 4, ... are even, so that n = 12 modulo 16, as 572 is.
    answer = networks.solve(cnncalc.loads(UNET), Range(540, 600))
    assert answer.sizes["exact"] == (540, 556, 572, 588)
    assert answer.patterns["exact"].period == 16
    assert answer.own is not None
    assert (answer.own.size, answer.own.level) == (572, 0)


def test_a_concat_that_works_for_some_sizes_only() -> None:
    spec = """
input: 1@8x8
layers:
  - {conv: 4, kernel: 3, pad: 1, name: a}
  - {maxpool: 2}
  - {maxpool: 2}
  - {convtranspose: 4, kernel: 4, stride: 4, name: up}
  - {concat: [a, up]}
"""
    answer = networks.solve(cnncalc.loads(spec), Range(1, 40))
    assert answer.sizes["works"] == tuple(range(4, 41, 4))
    assert answer.patterns["works"][:2] == ((4,), 4)


def test_neighbours_where_no_size_fits() -> None:
    answer = networks.solve(cnncalc.load("vgg16"), Range(225, 240))
    assert answer.sizes["exact"] == ()
    assert answer.neighbours["exact"] == (224, 256)


def test_one_axis_alone() -> None:
    spec = "input: 3@8x8\nlayers: [{maxpool: 2}]"
    answer = networks.solve(cnncalc.loads(spec), Range(5, 9), "width")
    assert (answer.axes, answer.sizes["exact"]) == (("width",), (6, 8))


def test_layers_whose_weights_depend_on_the_size() -> None:
    assert networks.solve(cnncalc.load("alexnet_227"), Range(227, 300)).resized == ("fc6",)
    assert networks.solve(cnncalc.load("resnet50"), Range(227, 300)).resized == ()


chains = st.lists(
    st.tuples(
        st.booleans(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1), st.booleans()
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(chains)
def test_chains_against_windows_laid_one_by_one(chain) -> None:
    lines = []
    for pool, kernel, stride, pad, ceil in chain:
        options = f"stride: {stride}, pad: {min(pad, kernel - 1)}"
        lines.append(
            f"  - {{maxpool: {kernel}, {options}, ceil: {str(ceil).lower()}}}"
            if pool
            else f"  - {{conv: 2, kernel: {kernel}, {options}}}"
        )
    text = "input: 1@20\nlayers:\n" + "\n".join(lines)
    expected: dict[str, list[int]] = {"exact": [], "no-loss": [], "works": []}
    for size in range(1, 61):
        n, exact, lossless = size, True, True
        for pool, kernel, stride, pad, ceil in chain:
            laid = lay(n, kernel, stride, min(pad, kernel - 1), ceil=pool and ceil)
            n = laid.windows
            if n == 0:
                break
            exact &= laid.exact
            # Windows further apart than wide skip as many positions between each other.
            skipped = laid.unread <= max(stride - kernel, 0)
            lossless &= laid.lost == 0 or skipped
        else:
            expected["works"].append(size)
            expected["no-loss"] += [size] * lossless
            expected["exact"] += [size] * exact
    answer = networks.solve(cnncalc.loads(text), Range(1, 60))
    assert answer.sizes["works"] == tuple(expected["works"])
    assert answer.sizes["exact"] == tuple(expected["exact"])
    assert answer.sizes["no-loss"] == tuple(expected["no-loss"])
    for need, pattern in answer.patterns.items():
        for size in range(pattern.first[0], 61):
            repeats = any((size - first) % pattern.period == 0 for first in pattern.first)
            assert repeats == (size in expected[need])


@pytest.mark.parametrize(
    ("text", "axis", "message"),
    [
        ("input: 10\nlayers: [relu]", None, "the input 10 has no spatial size to look for"),
        ("input: C@HxW\nlayers: [relu]", None, "the input C@HxW is symbolic"),
        ("input: 3@8x8\nlayers: [relu]", "depth", "the input 3@8x8 has no depth"),
    ],
)
def test_networks_without_a_size_to_vary(text, axis, message) -> None:
    with pytest.raises(SolveError) as caught:
        networks.solve(cnncalc.loads(text), Range(1, 10), axis)
    assert str(caught.value) == message


def test_axes_that_differ_need_a_range() -> None:
    network = cnncalc.loads("input: 3@8x9\nlayers: [{maxpool: 2}]")
    with pytest.raises(SolveError, match="the input's axes differ"):
        networks.default_range(network)
    answer = networks.solve(network, Range(5, 8))
    assert (answer.own, answer.sizes["exact"]) == (None, (6, 8))


def test_a_range_of_sizes_is_bounded() -> None:
    with pytest.raises(SolveError, match="narrow") as caught:
        raise_help(lambda: networks.solve(cnncalc.load("resnet50"), read_range("1:999999999")))
    assert "999,999,999 sizes of 175 layers" in str(caught.value)


def raise_help(work) -> None:
    """Raise a refusal with its help in the message."""
    try:
        work()
    except SolveError as error:
        raise SolveError(f"{error}; {error.help}") from None
