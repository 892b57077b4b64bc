"""The keys of the shipped templates against arithmetic from what their texts say.

The text of a question names every number drawn, so the numbers are taken from a draw whose
text is that of the question; arrays are taken from the question. The formulas are those of a
textbook, written out again here.
"""

import math
from itertools import product

import numpy as np
import pytest

from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.filling import fill
from cnncalc.homework.quiz.generation import MOST_ATTEMPTS, Generator, Settings
from cnncalc.homework.quiz.reading import shipped
from cnncalc.homework.quiz.values import drawn
from cnncalc.homework.roster import Student

TEMPLATES = {one.id: one for one in shipped()}
STUDENTS = ("a", "b")


class V(dict):
    __getattr__ = dict.__getitem__


def drawings(id, **conventions):
    """The accepted draws of a template: values and right answers, for each level and student."""
    template = TEMPLATES[id]
    for level, variant in template.variants.items():
        settings = Settings([template], "answers", level, conventions=conventions)
        generator = Generator(settings)
        for student in STUDENTS:
            one = generator.quiz(Student(student))
            (question,) = one.sheet.questions
            said = variant.question.get("text")
            for attempt in range(MOST_ATTEMPTS):
                values = drawn(variant, Draw("answers", student, id, 1, attempt))
                if fill(said.value, said.place, values).rstrip() == question.text.rstrip():
                    break
            else:
                raise AssertionError(f"no draw of {id} has the text {question.text}")
            arrays = {
                name: np.array(array, float) for name, array in question.givens.arrays.items()
            }
            rights = {part: right.value for (_, part), right in one.rights.items()}
            yield V(values, **arrays), rights


def extent(n, k, s=1, p=0):
    return math.floor((n + 2 * p - k) / s) + 1


def conv(c, f, k):
    return (k * k * c + 1) * f


def square(c, n):
    return (c, n, n)


def chain(v):
    n1 = extent(v.n, v.k1, v.s1)
    n2 = extent(n1, v.k2, v.s2)
    n3 = extent(n2, v.k3)
    return {"first": square(v.f1, n1), "second": square(v.f2, n2), "third": square(v.f3, n3)}


def fits(v):
    return {
        "fits": (v.n + 2 * v.p - v.k) % v.s == 0,
        "positions": extent(v.n, v.k, v.s, v.p),
    }


def rounding(v):
    quotient = (v.n - v.k) / v.s
    return {"down": math.floor(quotient) + 1, "up": math.ceil(quotient) + 1}


def dilated(v):
    span = v.d * (v.k - 1) + 1
    out = v.n + 2 * v.p - span + 1
    return {"span": span, "output": square(v.f, out), "parameters": conv(v.c, v.f, v.k)}


def transposed(v):
    out = (v.n - 1) * v.s - 2 * v.p + v.k + v.o
    return {"output": square(v.f, out), "parameters": conv(v.c, v.f, v.k)}


def grouped(v):
    weights = v.g * (v.k * v.k * v.a * v.b)
    return {"parameters": weights, "macs": weights * v.n * v.n}


def separable(v):
    depthwise = v.k * v.k * v.c
    return {
        "depthwise": depthwise,
        "both": depthwise + v.c * v.f,
        "full": v.k * v.k * v.c * v.f,
    }


def fully_connected(v):
    inputs = v.c * (v.n // 2) ** 2
    return {"inputs": inputs, "first": (inputs + 1) * v.u, "second": (v.u + 1) * v.o}


def normalised(v):
    return {"norm": 2 * v.f, "statistics": 2 * v.f, "both": v.k * v.k * v.c * v.f + 2 * v.f}


def conv_macs(v):
    out = extent(v.n, v.k, v.s)
    return {"output": square(v.f, out), "macs": v.k * v.k * v.c * v.f * out * out}


def two_layers(v):
    out = v.n - 2
    return {"conv": 9 * v.c * v.f * out * out, "fc": v.f * out * out * v.u}


def operations(v):
    outputs = v.f * (v.n - v.k + 1) ** 2
    macs = v.k * v.k * v.c * outputs
    return {"macs": macs, "flops": 2 * macs + outputs}


def stack(v):
    pool = v.k1 + (v.k2 - 1) * v.s1
    return {"pool": pool, "last": pool + (v.k3 - 1) * v.s1 * v.s2, "jump": v.s1 * v.s2}


def dilated_stack(v):
    second = 1 + (v.k - 1) * (1 + v.d2)
    return {"second": second, "third": second + (v.k - 1) * v.d3}


def bottleneck(v):
    weights = v.c * v.w + 9 * v.w * v.w + v.w * v.c
    return {"parameters": weights, "macs": weights * v.n * v.n}


def softmax(v):
    total = sum(math.exp(x) for x in v.x)
    values = np.array([math.exp(x) / total for x in v.x])
    return {"values": values, "dx": values - (np.arange(v.n) == v.t)}


def forward(x, w, b):
    """Cross-correlation of (C, H, W) with (C, k, k), by loops."""
    x, w = (a.reshape((1,) * (3 - a.ndim) + a.shape) for a in (x, w))
    kh, kw = w.shape[1:]
    rows, columns = x.shape[1] - kh + 1, x.shape[2] - kw + 1
    out = np.empty((rows, columns))
    for i, j in product(range(rows), range(columns)):
        out[i, j] = b + np.sum(x[:, i : i + kh, j : j + kw] * w)
    return out


def gradients(v):
    dw, dx = np.zeros_like(v.w), np.zeros_like(v.x)
    k = v.w.shape[0]
    for i, j in product(*map(range, v.dy.shape)):
        dw += v.dy[i, j] * v.x[i : i + k, j : j + k]
        dx[i : i + k, j : j + k] += v.dy[i, j] * v.w
    return {"dw": dw, "db": v.dy.sum(), "dx": dx}


def strided(v):
    dw, dx = np.zeros(3), np.zeros(7)
    for i in range(3):
        dw += v.dy[i] * v.x[2 * i : 2 * i + 3]
        dx[2 * i : 2 * i + 3] += v.dy[i] * v.w
    return {"dw": dw, "dx": dx}


def spread(v):
    out = np.zeros((len(v.x) - 1) * 2 + 3)
    for place, x in enumerate(v.x):
        out[2 * place : 2 * place + 3] += x * v.w
    return {"values": out}


def windows(x):
    return {
        (i, j): [(2 * i + a, 2 * j + b) for a in range(2) for b in range(2)]
        for i, j in product(range(x.shape[0] // 2), range(x.shape[1] // 2))
    }


def pooled(v):
    cells = windows(v.x)
    most, mean = (np.empty((v.x.shape[0] // 2, v.x.shape[1] // 2)) for _ in range(2))
    for place, window in cells.items():
        most[place] = max(v.x[at] for at in window)
        mean[place] = sum(v.x[at] for at in window) / 4
    return {"max": most, "mean": mean}


def routed(v):
    dx = np.zeros_like(v.x)
    for place, window in windows(v.x).items():
        first = max(window, key=lambda at: v.x[at])  # of equal ones the first
        dx[first] += v.dy[place]
    return {"dx": dx}


def loss(v):
    return {"loss": sum(max(0, other - v.right + 1) for other in (v.first, v.second))}


ANSWERS = {
    "conv-output": lambda v: {"output": square(v.f, extent(v.n, v.k, v.s, v.p))},
    "conv-rectangle": lambda v: {
        "height": extent(v.h, v.kh, v.sh), "width": extent(v.w, v.kw, v.sw)
    },
    "conv-chain": chain,
    "conv-fit": fits,
    "pool-output": lambda v: {"output": square(v.c, extent(v.n, v.k, v.s)), "parameters": 0},
    "pool-ceil": rounding,
    "dilated-output": dilated,
    "transposed-output": transposed,
    "same-padding": lambda v: {"pad": ((v.k - 1) // 2,)},
    "conv-parameters": lambda v: {
        "weights": v.k * v.k * v.c * v.f, "parameters": conv(v.c, v.f, v.k)
    },
    "grouped-parameters": grouped,
    "separable-parameters": separable,
    "linear-parameters": fully_connected,
    "batchnorm-parameters": normalised,
    "lstm-parameters": lambda v: {"parameters": 4 * (v.h * (v.i + v.h) + v.h)},
    "conv-macs": conv_macs,
    "linear-macs": two_layers,
    "conv-flops": operations,
    "memory": lambda v: {"values": v.n * v.n * v.f, "bytes": v.n * v.n * v.f * 4 * v.b},
    "parameter-memory": lambda v: {
        "parameters": (v.i + 1) * v.o, "memory": (v.i + 1) * v.o * v.bytes / 1e6
    },
    "receptive-field": stack,
    "receptive-field-dilated": dilated_stack,
    "residual-block": bottleneck,
    "hinge-loss": loss,
    "softmax-values": softmax,
    "conv1d-values": lambda v: {
        "values": np.array([v.x[i : i + 3] @ v.w for i in range(0, v.n - 2, v.s)])
    },
    "conv2d-values": lambda v: {"values": forward(v.x, v.w, float(v.b[0]))},
    "conv-channels-values": lambda v: {"values": forward(v.x, v.w[0], float(v.b[0]))},
    "transposed-values": spread,
    "pool-values": pooled,
    "conv-gradients": gradients,
    "stride-gradients": strided,
    "linear-gradients": lambda v: {"dw": np.outer(v.dy, v.x), "dx": v.w.T @ v.dy},
    "relu-gradient": lambda v: {"values": np.maximum(v.x, 0), "dx": v.dy * (v.x > 0)},
    "maxpool-gradient": routed,
    "maxpool-gradient-ties": routed,
    "dropout-expectation": lambda v: {"mean": v.x * (1 - v.r), "scaled": v.x / (1 - v.r)},
    "anchor-boxes": lambda v: {"boxes": (v.n // v.t) ** 2 * v.A, "maps": v.A * (4 + v.C)},
    "yolo-head": lambda v: {"depth": 5 * v.B + v.C, "total": v.S**2 * (5 * v.B + v.C)},
}  # fmt: skip

#: The answer is a letter, any value that satisfies is right, or it is a formula or table: below.
OTHERS = {
    "find-kernel", "find-stride", "find-input", "symbolic-parameters", "symbolic-macs",
    "network-table", "conv-parameters-choice",
}  # fmt: skip


def test_every_template_is_here():
    assert ANSWERS.keys() | OTHERS == TEMPLATES.keys()


def check(rights, expected):
    assert rights.keys() == expected.keys()
    for part, value in expected.items():
        if isinstance(value, float | np.floating | np.ndarray):
            found = np.squeeze(np.asarray(rights[part], float))
            np.testing.assert_allclose(found, np.squeeze(value), rtol=1e-12, atol=1e-12)
        else:
            assert rights[part] == value


@pytest.mark.parametrize("id", ANSWERS)
def test_keys_are_what_the_text_asks_for(id):
    for values, rights in drawings(id):
        check(rights, ANSWERS[id](values))


#: What a teacher may state for a whole sheet; the texts say enough not to depend on it.
ELSEWHERE = {
    "fit": "ceil", "bias": "false", "operations": "flops", "unit": "MiB", "bytes": "8",
    "kernel": "convolution", "tie": "split", "index": "1", "batchnorm": "4", "lstm_biases": "2",
}  # fmt: skip


@pytest.mark.parametrize("id", ANSWERS)
def test_the_texts_say_all_that_conventions_could_change(id):
    for values, rights in drawings(id, **ELSEWHERE):
        check(rights, ANSWERS[id](values))


@pytest.mark.parametrize("id", ANSWERS)
def test_another_layout_turns_shapes_and_nothing_else(id):
    for values, rights in drawings(id, layout="HWC"):
        expected = {
            part: (*value[1:], value[0]) if isinstance(value, tuple) and part != "pad" else value
            for part, value in ANSWERS[id](values).items()
        }
        check(rights, expected)


def test_inverse_questions_have_the_drawn_value_among_the_solutions():
    for values, rights in drawings("find-kernel"):
        expected = {k for k in range(1, 12) if extent(values.n, k, values.s, values.p) == values.m}
        assert values.k in expected
        assert set(rights["kernel"]) == expected
    for values, rights in drawings("find-stride"):
        expected = {s for s in range(1, 5) if extent(values.n, values.k, s) == values.m}
        assert expected <= set(rights["stride"])
        assert values.s in rights["stride"]
    for values, rights in drawings("find-input"):
        expected = {n for n in range(1, 401) if extent(n, values.k, values.s, values.p) == values.m}
        assert values.n in expected
        assert set(rights["input"]) == expected


def test_the_right_choice_is_the_right_number():
    generator = Generator(Settings([TEMPLATES["conv-parameters-choice"]], "answers"))
    for student in STUDENTS:
        one = generator.quiz(Student(student))
        (question,) = one.sheet.questions
        conv1 = question.givens.network.build().layers[0].layer
        channels = question.givens.network.build().inputs["input"].channels
        choices = question.parts[0].options["choices"]
        chosen = choices["abcde".index(one.rights["q1", "parameters"].value)]
        assert chosen == conv(channels, conv1.filters, conv1.kernel)


def test_symbolic_answers_have_the_value_of_the_numbers_put_in():
    for values, rights in drawings("symbolic-parameters"):
        first = values.k**2 * values.r
        assert _at(rights["first"], C=7) == first * 49
        assert _at(rights["both"], C=7) == (first + values.r * values.m) * 49
    for values, rights in drawings("symbolic-macs"):
        expected = values.k**2 * 3 * values.f * 10 * 11
        assert _at(rights["macs"], C=3, H=10, W=11) == expected


def _at(expression, **names):
    return expression.subs({one: names[one.name] for one in expression.free_symbols})


def test_a_table_has_the_figures_of_each_layer():
    for v, rights in drawings("network-table"):
        side = v.n - v.k + 1
        half = side // 2
        last = (half - 2) // 2
        expected = {
            "conv1": ((v.f1, side, side), conv(v.c, v.f1, v.k)),
            "pool1": ((v.f1, half, half), 0),
            "conv2": ((v.f2, half - 2, half - 2), conv(v.f1, v.f2, 3)),
            "pool2": ((v.f2, last, last), 0),
            "fc1": ((v.u,), (v.f2 * last * last + 1) * v.u),
            "fc2": ((v.o,), (v.u + 1) * v.o),
        }
        for row, (shape, parameters) in expected.items():
            output = rights["table"][row, "output"].value
            assert output == shape
            assert rights["table"][row, "parameters"].value == parameters
        assert rights["total"] == sum(parameters for _, parameters in expected.values())
