"""Receptive fields of small networks, by hand and by following every tap of every window.

The published fields of whole networks are in tests/test_receptive_fields.py. Here the oracle
is brute force: the set of input positions that a unit reads, on an unbounded input.
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses.receptive_field import Axis, ReceptiveField


def fields(text: str) -> dict[str, ReceptiveField | None]:
    analysis = cnncalc.analyze(cnncalc.loads(text))
    return {one.name: one.receptive_field for one in analysis.layers}


def last(*lines: str, image: str = "1@64") -> ReceptiveField:
    """The field of the last of these layers."""
    text = "\n".join([f"input: {image}", "layers:", *(f"  - {line}" for line in lines)])
    return list(fields(text).values())[-1]


def one_axis(*lines: str) -> tuple:
    """Size, stride, start and centre along the one axis."""
    (axis,) = last(*lines).axes
    return axis.size, axis.stride, axis.start, axis.center


# By hand


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        # size, stride, start, centre
        (["relu"], (1, 1, 0, 0)),
        (["{conv: 1, kernel: 3}"], (3, 1, 0, 1)),
        (["{conv: 1, kernel: 3, pad: 1}"], (3, 1, -1, 0)),
        (["{conv: 1, kernel: 4}"], (4, 1, 0, Fraction(3, 2))),
        # Dilation 2 spreads 3 taps over 5 positions.
        (["{conv: 1, kernel: 3, dilation: 2, pad: 2}"], (5, 1, -2, 0)),
        # Two 3-wide windows see 5, three see 7: the VGG argument.
        (["{conv: 1, kernel: 3, repeat: 2}"], (5, 1, 0, 2)),
        (["{conv: 1, kernel: 3, repeat: 3}"], (7, 1, 0, 3)),
        # 1 + (3-1)*1 = 3, then + (2-1)*2 = 5; strides multiply: 2*2.
        (["{conv: 1, kernel: 3, stride: 2}", "{maxpool: 2}"], (5, 4, 0, 2)),
        # start = -3 (stem) - 1*2 (pool), size = 7 + 2*2: ResNet's stem.
        (
            ["{conv: 1, kernel: 7, stride: 2, pad: 3}", "{maxpool: 3, stride: 2, pad: 1}"],
            (11, 4, -5, 0),
        ),
        # TensorFlow's same padding of 64 at stride 2: one position, after.
        (["{conv: 1, kernel: 3, stride: 2, pad: same}"], (3, 2, 0, 1)),
        (["{zeropad: 2}", "{conv: 1, kernel: 3}"], (3, 1, -2, -1)),
        (["{crop: 60}"], (1, 1, 2, 2)),
        (["{crop: 60, offset: 1}"], (1, 1, 1, 1)),
        # A nearest-neighbour upsampling halves the stride.
        (["{maxpool: 2}", "{upsample: 2}"], (2, 1, 0, Fraction(1, 2))),
        (["globalavgpool"], (64, 0, 0, Fraction(63, 2))),
        (["{conv: 1, kernel: 3, pad: 1}", "globalavgpool"], (66, 0, -1, Fraction(63, 2))),
        (["{adaptiveavgpool: 8}"], (8, 8, 0, Fraction(7, 2))),
        (["{conv: 1, kernel: 3}", "flatten", "{linear: 2}"], (64, 0, 0, Fraction(63, 2))),
        (["batchnorm", "{lrn: 5}", "dropout", "sigmoid"], (1, 1, 0, 0)),
        (["{localcontrastnorm: 9}"], (9, 1, -4, 0)),
    ],
)
def test_chains(lines, wanted):
    assert one_axis(*lines) == wanted


def test_each_axis_has_its_own():
    field = last(
        "{conv: 1, kernel: [3, 5], stride: [2, 1], pad: [1, [0, 2]]}",
        "{maxpool: [1, 2], stride: [1, 3]}",
        image="1@32x40",
    )
    # Height: 3 wide, stride 2, from -1. Width: 5 + 1*(2-1), stride 1*3, from 0.
    assert field.axes == (Axis(3, 2, -1), Axis(6, 3, 0))
    assert [axis.center for axis in field.axes] == [0, Fraction(5, 2)]
    assert field.aligned


def test_three_dimensions():
    field = last("{conv: 1, kernel: [1, 2, 3]}", image="1@4x5x6")
    assert field.axes == (Axis(1, 1, 0), Axis(2, 1, 0), Axis(3, 1, 0))


def test_branches_give_the_union():
    """A 3-wide padded path and a 5-wide padded one have one centre; the wider holds both."""
    field = last("{concat: [[{conv: 1, kernel: 3, pad: 1}], [{conv: 1, kernel: 5, pad: 2}], []]}")
    assert field == ReceptiveField((Axis(5, 1, -2),), aligned=True)


def test_branches_with_different_centres_are_misaligned():
    """0..2 and -1..1 together are -1..2."""
    field = last(
        "{concat: [[{conv: 1, kernel: 3}], [{conv: 1, kernel: 3, pad: 1}, {crop: 62, offset: 0}]]}"
    )
    assert (field.axes, field.aligned) == ((Axis(4, 1, -1),), False)
    # Both paths are kept, with their centres 1 and 0.
    assert [path[0].center for path in field.paths] == [1, 0]


def test_branches_with_different_strides_are_misaligned():
    field = last("{concat: [[{maxpool: 2}], [{crop: 32, offset: 0}]]}")
    assert not field.aligned


def test_misaligned_stays_misaligned():
    field = last(
        "{concat: [[{maxpool: 2}], [{crop: 32, offset: 0}]]}", "{conv: 1, kernel: 3}", "relu"
    )
    assert not field.aligned


def test_a_path_that_sees_everything_has_no_centre_to_differ():
    """Squeeze and excitation: the gate sees all, the map keeps its centre."""
    field = last("{conv: 1, kernel: 3, pad: 1, name: c}", "{mul: [[], [globalavgpool, sigmoid]]}")
    assert field.aligned
    assert field.axes == (Axis(66, 1, -1),)


def test_a_field_belongs_to_the_first_input_it_depends_on():
    found = fields(
        """
input: {a: 1@32, b: 1@16x8}
layers:
  - {conv: 1, kernel: 3, from: b, name: only_b}
  - {conv: 1, kernel: 5, from: a, name: only_a}
  - {flatten: , name: flat}
  - {flatten: , from: only_b, name: flat_b}
  - {concat: [flat, flat_b], name: both}
"""
    )
    assert [axis.size for axis in found["only_b"].axes] == [3, 3]
    assert [axis.size for axis in found["only_a"].axes] == [5]
    assert [axis.size for axis in found["both"].axes] == [32]


def test_a_vector_has_a_field_without_axes():
    (field,) = fields("input: 10\nlayers: [{linear: 3}]").values()
    assert field == ReceptiveField(())


def test_symbolic_inputs_have_numeric_windows():
    (axis, _) = last("{conv: 3, kernel: 3, pad: 1}", "{maxpool: 2}", image="C@HxW").axes
    assert (axis.size, axis.stride, axis.start) == (4, 2, -1)


def test_as_json():
    field = last("{conv: 1, kernel: [3, 4], pad: [1, 0]}", image="1@8x8")
    assert field.to_dict() == {
        "size": [3, 4],
        "stride": [1, 1],
        "start": [-1, 0],
        "center": [0, 1.5],
        "aligned": True,
    }
    assert all(type(n) is int for key in ("size", "stride", "start") for n in field.to_dict()[key])


# Brute force


class Step:
    """A sliding window, and the input positions that an output position touches."""

    def __init__(self, kernel, stride, pad, dilation, pool):
        self.kernel, self.stride, self.pad = kernel, stride, pad
        self.dilation, self.pool = dilation, pool

    def touches(self, position: int) -> set[int]:
        first = position * self.stride - self.pad
        return {first + tap * self.dilation for tap in range(self.kernel)}

    def options(self) -> str:
        return f"stride: {self.stride}, pad: {self.pad}, dilation: {self.dilation}"


@st.composite
def steps(draw, most_stride=3):
    kernel = draw(st.integers(1, 4))
    pool = draw(st.booleans())
    return Step(
        kernel,
        draw(st.integers(1, most_stride)),
        draw(st.integers(0, kernel - 1)),
        draw(st.integers(1, 2)),
        pool,
    )


def reached(chain, position: int) -> set[int]:
    """The input positions that an output position of a chain of windows depends on."""
    positions = {position}
    for step in reversed(chain):
        positions = set().union(*(step.touches(one) for one in positions))
    return positions


def measured(chain) -> tuple[int, int, int]:
    """Size, stride and start of a chain, from the positions of its units 0 and 1."""
    zero, one = reached(chain, 0), reached(chain, 1)
    return max(zero) - min(zero) + 1, min(one) - min(zero), min(zero)


@settings(deadline=None)  # machines differ in speed
@given(st.lists(steps(), min_size=1, max_size=4))
def test_random_chains_in_one_dimension(chain):
    lines = [
        f"{{maxpool: {step.kernel}, {step.options()}}}"
        if step.pool
        else f"{{conv: 1, kernel: {step.kernel}, {step.options()}}}"
        for step in chain
    ]
    field = last(*lines, image="1@3000")
    (axis,) = field.axes
    assert (axis.size, axis.stride, axis.start) == measured(chain)
    assert axis.center == Fraction(min(reached(chain, 0)) + max(reached(chain, 0)), 2)
    assert field.aligned


@settings(deadline=None)  # machines differ in speed
@given(st.lists(st.tuples(steps(), steps()), min_size=1, max_size=3))
def test_random_chains_in_two_dimensions(chain):
    lines = []
    for down, across in chain:
        kernel = f"[{down.kernel}, {across.kernel}]"
        options = ", ".join(
            f"{name}: [{getattr(down, name)}, {getattr(across, name)}]"
            for name in ("stride", "pad", "dilation")
        )
        kind = f"maxpool: {kernel}" if down.pool else f"conv: 1, kernel: {kernel}"
        lines.append(f"{{{kind}, {options}}}")
    field = last(*lines, image="1@1500x1500")
    for axis, direction in zip(field.axes, (0, 1), strict=True):
        alone = [pair[direction] for pair in chain]
        assert (axis.size, axis.stride, axis.start) == measured(alone)


EXTENT = 4000


@st.composite
def random_graphs(draw):
    """Nodes with the paths that lead to them: windows over one node, or joins of two."""
    paths, extents = {"input": [[]]}, {"input": EXTENT}
    lines = []
    for number in range(draw(st.integers(1, 5))):
        name = f"n{number}"
        names = sorted(paths)
        if number and draw(st.booleans()):
            a, b = draw(st.sampled_from(names)), draw(st.sampled_from(names))
            paths[name] = paths[a] + paths[b]
            extents[name] = min(extents[a], extents[b])
            # The first positions of both: the fields of the units stay as they are.
            lines += [
                f"{{crop: {extents[name]}, offset: 0, from: {one}, name: {name}_{side}}}"
                for one, side in ((a, "a"), (b, "b"))
            ]
            lines.append(f"{{concat: [{name}_a, {name}_b], name: {name}}}")
        else:
            step, source = draw(steps(2)), draw(st.sampled_from(names))
            paths[name] = [[*path, step] for path in paths[source]]
            span = step.dilation * (step.kernel - 1) + 1
            extents[name] = (extents[source] + 2 * step.pad - span) // step.stride + 1
            lines.append(
                f"{{conv: 1, kernel: {step.kernel}, {step.options()}, "
                f"from: {source}, name: {name}}}"
            )
    return lines, paths


@settings(deadline=None)  # machines differ in speed
@given(random_graphs())
def test_random_graphs(drawn):
    """The union of all paths; aligned when they agree in stride and centre."""
    lines, paths = drawn
    text = "\n".join([f"input: 1@{EXTENT}", "layers:", *(f"  - {line}" for line in lines)])
    found = fields(text)
    for name, ways in paths.items():
        if name == "input":
            continue
        field = found[name]
        (axis,) = field.axes
        zeros = [reached(way, 0) for way in ways]
        strides = {measured(way)[1] for way in ways}
        start, end = min(map(min, zeros)), max(map(max, zeros))
        if len(strides) == 1:  # else the paths drift apart, and no unit is like the next
            assert (axis.stride, axis.start, axis.size) == (strides.pop(), start, end - start + 1)
        centres = {
            (measured(way)[1], min(zero) + max(zero)) for way, zero in zip(ways, zeros, strict=True)
        }
        assert field.aligned == (len(centres) == 1)


def test_symbolic_strides_before_a_transposed_convolution_are_followed():
    """An adaptive pool of a symbolic map has a symbolic stride; nothing crashes behind it."""
    layers = "[{adaptiveavgpool: 3}, {convtranspose: 4, kernel: 3, stride: 2}]"
    analysis = cnncalc.analyze(cnncalc.loads(f"input: C@HxW\nlayers: {layers}"))
    assert str(analysis.layers[-1].receptive_field.axes[0].stride) == "H/6"
    # With numbers, 9 rows: unit 0 of the transposed layer reads the first third only.
    analysis = cnncalc.analyze(cnncalc.loads(f"input: 1@9x9\nlayers: {layers}"))
    assert analysis.layers[-1].receptive_field.axes[0].unit(1) == (0, 2)


def test_a_symbolic_stride_that_meets_a_number_is_no_crash():
    """A gate of one position is stretched over all; three that are added mean that H is 3."""
    for size, merge in ((1, "mul"), (3, "add")):
        text = (
            f"input: 8@HxW\nlayers: [{{relu: , name: a}}, {{adaptiveavgpool: {size}}}, "
            f"{{{merge}: [[], a]}}]"
        )
        field = cnncalc.analyze(cnncalc.loads(text)).layers[-1].receptive_field
        assert [axis.stride for axis in field.axes] == [1, 1]


def test_the_period_of_fields_that_differ_is_stated():
    """Doubled, then 3 wide: units see two inputs each, starting at every other one."""
    text = "input: 1@9\nlayers: [relu, {upsample: 2}, {conv: 1, kernel: 3}]"
    relu, _, conv = cnncalc.analyze(cnncalc.loads(text)).layers
    assert conv.receptive_field.details()["period"] == [2]
    assert [conv.receptive_field.axes[0].unit(unit) for unit in range(4)] == [
        *((0, 1), (0, 1), (1, 2), (1, 2)),
    ]
    assert relu.receptive_field.details() == {"period": [1], "paths": []}
