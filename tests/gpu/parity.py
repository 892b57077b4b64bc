"""Every function on the device against the plain tier of the processor.

``python -m tests.gpu.parity`` runs all cases where it is: on a GPU, or on Numba's simulator
with ``NUMBA_ENABLE_CUDASIM=1``, and prints a line of JSON for each. Shapes are tiny, since the
simulator runs some thousand threads a second, and no two extents of a case are alike.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from cnncalc import functional as F

#: Largest difference allowed, relative to the largest magnitude.
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}

Make = Callable[..., np.ndarray]


class Case(NamedTuple):
    """A call of a function, and with it of its ``_backward``."""

    function: str
    #: From a maker of normal numbers of a shape, the positional arguments.
    arguments: Callable[[Make], tuple[Any, ...]]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(f'{k}={v}' for k, v in self.options.items())})"


def case(function: str, arguments: Callable[[Make], tuple[Any, ...]], **options: Any) -> Case:
    return Case(function, arguments, options)


def whole(make: Make, *shape: int) -> np.ndarray:
    """Few different values, so that maxima are ties."""
    return np.round(make(*shape))


def boxes(make: Make, *shape: int) -> np.ndarray:
    """Boxes on two maps of about 7 x 9 positions, some beyond the border, one of no extent."""
    return np.array(
        [[0, 0.4, 1.2, 6.7, 4.9], [1, -3, -2, 12, 9], [1, 4, 5, 4, 5], [0, 2.5, 0.5, 7, 6.5]],
        make(1).dtype,
    )


TABLE = ((0, 2), (1,), (0, 1, 2), (2, 1))
LABELS = np.array([[1, 0], [4, 2], [3, 3]])

CASES = [
    case("conv1d", lambda a: (a(2, 4, 9), a(6, 2, 3), a(6), 2, ((2, 1),), 2, 2)),
    case("conv2d", lambda a: (a(2, 3, 5, 7), a(4, 3, 3, 2), a(4), (2, 1), ((1, 0), (0, 2)))),
    case("conv2d", lambda a: (a(1, 4, 6, 5), a(8, 1, 2, 3), None, 1, 1, (1, 2), 4)),
    case("conv2d", lambda a: (a(2, 3, 4, 5), a(8, 2, 3), a(4), (1, 2), 1), connections=TABLE),
    case("conv3d", lambda a: (a(1, 2, 3, 4, 5), a(3, 2, 2, 3, 2), a(3), (1, 2, 3), 1)),
    case("conv_transpose1d", lambda a: (a(2, 4, 5), a(4, 3, 3), a(6), 2, 1, 1, 2, 1)),
    case("conv_transpose2d", lambda a: (a(2, 3, 3, 4), a(3, 2, 3, 2), a(2), (2, 3), (1, 0))),
    case("conv_transpose2d", lambda a: (a(1, 2, 3, 2), a(2, 3, 2, 3), None, 2, 1, 1, 1, 2)),
    case("conv_transpose3d", lambda a: (a(1, 2, 2, 3, 2), a(2, 3, 2, 1, 3), a(3), (1, 2, 1))),
    case("linear", lambda a: (a(2, 3, 5), a(4, 5), a(4))),
    case("linear", lambda a: (a(3, 5), a(4, 5), None)),
    case("embedding", lambda a: (np.array([[3, 0, 3], [5, 3, 1]]), a(7, 4))),
    case("scaled_dot_product_attention", lambda a: (a(2, 3, 4), a(2, 5, 4), a(2, 5, 2))),
    case("scaled_dot_product_attention", lambda a: (a(1, 2, 3, 2),) * 3, scale=0.3),
    case(
        "self_attention",
        lambda a: (a(2, 4, 3, 1), a(12, 4), a(4, 4), a(12), a(4)),
        heads=2,
    ),
    case("relu", lambda a: (whole(a, 3, 4, 5),)),
    case("relu6", lambda a: (4 * whole(a, 3, 4, 5),)),
    case("leaky_relu", lambda a: (whole(a, 3, 7), 0.2)),
    case("prelu", lambda a: (a(2, 3, 4), a(3))),
    case("prelu", lambda a: (whole(a, 2, 3, 4), a(1))),
    case("elu", lambda a: (a(3, 7), 1.5)),
    case("selu", lambda a: (a(3, 7),)),
    case("gelu", lambda a: (2 * a(3, 7),)),
    case("gelu", lambda a: (2 * a(3, 7), "tanh")),
    case("silu", lambda a: (2 * a(3, 7),)),
    case("hardswish", lambda a: (3 * whole(a, 3, 7),)),
    case("hardsigmoid", lambda a: (3 * whole(a, 3, 7),)),
    case("sigmoid", lambda a: (2 * a(3, 7),)),
    case("tanh", lambda a: (2 * a(3, 7),)),
    case("tanh", lambda a: (2 * a(3, 7),), scale=1.7159, slope=2 / 3),
    case("softplus", lambda a: (9 * a(3, 7), 2.0, 10.0)),
    case("maxout", lambda a: (whole(a, 2, 6, 4), 3)),
    case("softmax", lambda a: (3 * a(2, 5, 3),)),
    case("softmax", lambda a: (3 * a(2, 5, 3), -1)),
    case("log_softmax", lambda a: (3 * a(2, 5, 3), 0)),
    case("add", lambda a: (a(2, 3, 4), a(2, 3, 4))),
    case("mul", lambda a: (a(2, 3, 4, 5), a(2, 3, 1, 1))),
    case("mul", lambda a: (a(2, 1, 4), a(1, 3, 4))),
    case("batch_norm", lambda a: (a(3, 2, 4, 5), a(2), 1 + a(2) ** 2, a(2), a(2))),
    case("batch_norm", lambda a: (5 + a(3, 2, 4, 5), None, None, a(2), a(2), True)),
    case("batch_norm_statistics", lambda a: (5 + a(3, 2, 7), a(2), 1 + a(2) ** 2, a(2))),
    case("layer_norm", lambda a: (a(2, 3, 4), (3, 4), a(3, 4), a(3, 4))),
    case("group_norm", lambda a: (a(2, 6, 5), 3, a(6), None)),
    case("instance_norm", lambda a: (a(2, 3, 4, 5), None, None, a(3), a(3))),
    case("instance_norm", lambda a: (a(2, 3, 7), a(3), 1 + a(3) ** 2, None, None, False)),
    case("instance_norm_statistics", lambda a: (a(2, 3, 7), a(3), 1 + a(3) ** 2)),
    case("local_response_norm", lambda a: (3 * a(2, 7, 3, 2), 5, 0.3, 0.75, 2.0)),
    case("local_response_norm", lambda a: (3 * a(1, 5, 4), 2, 0.3)),
    case("local_contrast_norm", lambda a: (a(2, 3, 4, 5), 3)),
    case("local_contrast_norm", lambda a: (a(1, 2, 7), 4), sigma=0.8),
    case("dropout", lambda a: (a(3, 5, 7), 0.4), seed=2**40 + 7, stream=2**33 + 1),
    case("dropout", lambda a: (a(3, 5), 0.4, False)),
    case("drop_path", lambda a: (a(9, 2, 3), 0.5), seed=3),
    case("cross_entropy", lambda a: (3 * a(3, 5, 2), LABELS, a(5) ** 2)),
    case("cross_entropy", lambda a: (3 * a(3, 5, 2), LABELS), ignore_index=3, label_smoothing=0.2),
    case("cross_entropy", lambda a: (3 * a(3, 5, 2), LABELS.astype(np.int32)), reduction="none"),
    case("hinge_loss", lambda a: (whole(a, 3, 5, 2), LABELS, 0.5), reduction="sum"),
    case("hinge_loss", lambda a: (a(2, 5), LABELS[1:, 0])),
    case("mse_loss", lambda a: (a(3, 7), a(3, 7))),
    case("smooth_l1_loss", lambda a: (2 * a(3, 7), a(3, 7)), beta=0.7, reduction="none"),
    case("smooth_l1_loss", lambda a: (2 * a(3, 7), a(3, 7)), reduction="sum"),
    case("rnn", lambda a: (a(2, 3, 4), a(1, 2, 5), [a(5, 3), a(5, 5), a(5), a(5)])),
    case("rnn", lambda a: (a(2, 3, 4), None, [a(5, 3), a(5, 5)]), nonlinearity="relu"),
    case(
        "lstm",
        lambda a: (a(2, 3, 4), (a(2, 2, 2), a(2, 2, 2)), [a(8, 3), a(8, 2), a(8), a(8)] * 2),
        bidirectional=True,
    ),
    case(
        "lstm",
        lambda a: (a(1, 3, 2), None, [a(8, 3), a(8, 2), a(8), a(8, 2), a(8, 2), a(8)]),
        num_layers=2,
    ),
    case("gru", lambda a: (a(2, 3, 4), a(1, 2, 2), [a(6, 3), a(6, 2), a(6), a(6)])),
    case("gru", lambda a: (a(2, 3, 3), None, [a(6, 3), a(6, 2)] * 2), bidirectional=True),
    case("max_pool1d", lambda a: (whole(a, 2, 3, 9), 3, 2, 1, 2)),
    case("max_pool2d", lambda a: (whole(a, 2, 3, 5, 7), (3, 2), (2, 1), ((1, 1), (0, 1)))),
    case("max_pool2d", lambda a: (a(1, 2, 6, 5), 2, 3, 0, 2, True, True)),
    case("max_pool3d", lambda a: (whole(a, 1, 2, 3, 4, 5), (2, 3, 2), 1, (0, 1, 1))),
    case("avg_pool1d", lambda a: (a(2, 3, 9), 4, 3, 1, True, False)),
    case("avg_pool2d", lambda a: (a(2, 3, 5, 7), (3, 2), (2, 3), ((1, 0), (1, 1)), True)),
    case("avg_pool2d", lambda a: (a(1, 2, 6, 7), 2, 1, 1, False, False), dilation=(2, 3)),
    case("avg_pool3d", lambda a: (a(1, 2, 3, 4, 5), (2, 1, 3), 2, 0, False, True, 5)),
    case("subsample", lambda a: (a(2, 3, 4, 6), a(3), a(3), 2)),
    case("lp_pool1d", lambda a: (a(2, 3, 7) ** 2 + 0.1, 3.0, 3, 2)),
    case("lp_pool2d", lambda a: (a(2, 3, 5, 6), 2, (2, 3), 2, True), padding=1),
    case("lp_pool3d", lambda a: (a(1, 2, 3, 4, 3) ** 2, 1.5, 2, 1), dilation=(1, 2, 1)),
    case("adaptive_avg_pool1d", lambda a: (a(2, 3, 7), 4)),
    case("adaptive_avg_pool2d", lambda a: (a(2, 3, 5, 7), (3, 5))),
    case("adaptive_avg_pool3d", lambda a: (a(1, 2, 3, 4, 5), (2, None, 7))),
    case("adaptive_max_pool1d", lambda a: (whole(a, 2, 3, 7), 4)),
    case("adaptive_max_pool2d", lambda a: (whole(a, 2, 3, 5, 7), (3, 4))),
    case("adaptive_max_pool3d", lambda a: (a(1, 2, 3, 4, 5), (2, 3, 2))),
    case("global_avg_pool", lambda a: (a(2, 3, 4, 5),)),
    case("global_max_pool", lambda a: (whole(a, 2, 3, 4, 5),)),
    case("max_unpool1d", lambda a: (a(1, 2, 3), np.array([[[1, 4, 4], [5, 0, 2]]]), 2)),
    case("max_unpool2d", lambda a: (a(1, 1, 2, 2), np.array([[[[7, 2], [8, 2]]]]), 2, 1)),
    case("max_unpool3d", lambda a: (a(1, 1, 1, 1, 2), np.array([[[[[7, 12]]]]]), 2)),
    case("interpolate", lambda a: (a(2, 3, 4, 5), (7, 3))),
    case("interpolate", lambda a: (a(2, 3, 2, 3), None, 2, "nails")),
    case("interpolate", lambda a: (a(2, 3, 5), 8, None, "linear", True)),
    case("interpolate", lambda a: (a(2, 3, 4, 5), None, (1.5, 0.7), "bilinear")),
    case("interpolate", lambda a: (a(1, 2, 3, 2, 4), (5, 3, 2), None, "trilinear")),
    case("interpolate", lambda a: (a(1, 2, 4, 5), (7, 3), None, "bicubic")),
    case("zero_pad", lambda a: (a(2, 3, 4, 5), ((1, 0), (2, 3)), (1, 2))),
    case("crop", lambda a: (a(2, 3, 5, 7), (2, 4))),
    case("crop", lambda a: (a(2, 3, 5, 7), (2, 4), (1, 3))),
    case("pixel_shuffle", lambda a: (a(2, 8, 2, 3), 2)),
    case("pixel_shuffle", lambda a: (a(1, 6, 4), 3)),
    case("pixel_unshuffle", lambda a: (a(2, 3, 4, 6), 2)),
    case("channel_shuffle", lambda a: (a(2, 6, 4), 3)),
    case("roi_pool", lambda a: (whole(a, 2, 3, 7, 9), boxes(a), (3, 2), 0.9)),
    case("roi_pool", lambda a: (a(2, 2, 7, 9), [boxes(a)[:1, 1:], boxes(a)[1:, 1:]], 2)),
    case("roi_align", lambda a: (a(2, 3, 7, 9), boxes(a), (3, 2), 0.9)),
    case("roi_align", lambda a: (a(2, 3, 7, 9), boxes(a), 2, 0.5, 2, True)),
    case("ps_roi_pool", lambda a: (a(2, 12, 7, 9), boxes(a), (3, 2), 0.9)),
]


#: Extents of real layers, too many for the simulator: some hundred blocks each.
LARGE = [
    case("conv2d", lambda a: (a(2, 64, 56, 55), a(96, 64, 3, 3), a(96), 1, 1)),
    case("conv2d", lambda a: (a(2, 96, 28, 27), a(96, 1, 3, 3), None, 2, 1, 1, 96)),
    case("conv_transpose2d", lambda a: (a(2, 32, 28, 27), a(32, 24, 4, 4), a(24), 2, 1)),
    case("conv3d", lambda a: (a(1, 8, 10, 28, 30), a(12, 8, 3, 3, 3), a(12), (1, 2, 2), 1)),
    case("linear", lambda a: (a(32, 1000), a(500, 1000), a(500))),
    case("embedding", lambda a: (np.arange(3000) % 97, a(1000, 64))),
    case(
        "scaled_dot_product_attention", lambda a: (a(16, 197, 64), a(16, 190, 64), a(16, 190, 48))
    ),
    case("relu", lambda a: (a(8, 64, 112, 111),)),
    case("gelu", lambda a: (a(8, 64, 112, 111),)),
    case("softmax", lambda a: (a(32, 1000),)),
    case("batch_norm", lambda a: (3 + a(8, 64, 56, 55), None, None, a(64), a(64), True)),
    case("layer_norm", lambda a: (a(4, 197, 384), 384, a(384), a(384))),
    case("local_response_norm", lambda a: (a(4, 96, 27, 26), 5)),
    case("dropout", lambda a: (a(8, 64, 56, 55), 0.5), seed=9),
    case("cross_entropy", lambda a: (a(256, 1000), np.arange(256) * 3)),
    case("lstm", lambda a: (a(8, 64, 30), None, [a(512, 64), a(512, 128), a(512), a(512)])),
    case("max_pool2d", lambda a: (a(8, 64, 112, 111), 3, 2, 1)),
    case("avg_pool2d", lambda a: (a(8, 64, 56, 55), 3, 2, 1)),
    case("adaptive_avg_pool2d", lambda a: (a(8, 64, 56, 55), 7)),
    case("interpolate", lambda a: (a(4, 32, 56, 55), None, 2.0, "bilinear")),
    case("roi_align", lambda a: (a(2, 64, 50, 68), boxes(a), 7, 1.0)),
]

#: Where numbers end: none of it is the business of Python's arithmetic, on the simulator.
ENDS = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e4, -1e4, 88.8, -104.0, 1e-40, 710.0, 1.0])


def ends(make: Make, *shape: int) -> np.ndarray:
    return np.resize(ENDS, shape).astype(make(1).dtype)


SPECIAL = [
    *[
        case(name, lambda a: (ends(a, 3, 4, 5),))
        for name in (
            *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "hardswish"),
            *("hardsigmoid", "sigmoid", "tanh", "softplus", "softmax", "log_softmax"),
        )
    ],
    case("gelu", lambda a: (ends(a, 3, 4, 5), "tanh")),
    case("maxout", lambda a: (ends(a, 2, 6, 5), 3)),
    case("max_pool2d", lambda a: (ends(a, 2, 3, 5, 7), 2, 1, 1, 1, False, True)),
    case("adaptive_max_pool2d", lambda a: (ends(a, 2, 3, 5, 7), 3, True)),
    case("avg_pool2d", lambda a: (ends(a, 2, 3, 5, 7), 2)),
    case("dropout", lambda a: (ends(a, 7, 9), 0.5)),
    case("batch_norm", lambda a: (ends(a, 2, 3, 5), a(3), a(3), a(3), a(3))),
    case("batch_norm", lambda a: (0 * a(2, 3, 5), None, None, a(3), a(3), True, 0.1, 0.0)),
    case("conv2d", lambda a: (ends(a, 1, 2, 5, 7), a(3, 2, 2, 3), a(3), 1, 1)),
    case("cross_entropy", lambda a: (ends(a, 4, 5), np.arange(4)), reduction="none"),
    case("lp_pool1d", lambda a: (a(2, 3, 9), 2.5, 2)),
    case("mse_loss", lambda a: (ends(a, 3, 7), a(3, 7)), reduction="none"),
]


def maker(seed: int, dtype: str) -> Make:
    rng = np.random.default_rng(seed)
    return lambda *shape: rng.standard_normal(shape).astype(dtype)


def gradients(output: Any, make: Make) -> Any:
    """Gradients of what a function returned: a number for a number, none for positions."""
    if isinstance(output, tuple):
        made = tuple(gradients(each, make) for each in output if each.dtype.kind == "f")
        return made if len(made) > 1 else made[0]
    return make(*output.shape) if output.ndim else 0.7


def arrays(result: Any) -> Iterator[Any]:
    """All arrays of a result, and None for what there is none of."""
    if isinstance(result, tuple | list):
        for each in result:
            yield from arrays(each)
    else:
        yield result


def on_host(array: Any) -> np.ndarray | None:
    return array.copy_to_host() if hasattr(array, "copy_to_host") else array


def difference(found: Any, wanted: Any) -> float:
    """The largest, relative to the largest magnitude; infinite if it cannot be compared."""
    if found is None or wanted is None:
        return 0.0 if found is wanted else np.inf
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        return np.inf
    if found.dtype.kind != "f":
        return 0.0 if np.array_equal(found, wanted) else np.inf
    finite = np.isfinite(wanted)
    if not np.array_equal(np.isfinite(found), finite) or not np.array_equal(
        found[~finite], wanted[~finite], equal_nan=True
    ):
        return np.inf
    error = np.abs(found[finite].astype(np.float64) - wanted[finite]).max(initial=0)
    scale = np.abs(wanted[finite]).max(initial=0)
    return float(error / scale if scale else error)


def run(one: Case, dtype: str, seed: int) -> dict[str, float]:
    """The largest difference of a case, forward and backward; raises if there is an error."""
    make = maker(seed, dtype)
    given = one.arguments(make)
    found: dict[str, float] = {}
    results: dict[str, Any] = {}
    for suffix in ("", "_backward"):
        name = one.function + suffix
        if name not in F.__all__:
            continue
        call = given if not suffix else (gradients(results[""], make), *given)
        with F.tier("plain"):
            results[suffix] = getattr(F, name)(*call, **one.options)
            on_device = getattr(F, name)(*call, **one.options, device="cuda")
        pairs = zip(arrays(on_device), arrays(results[suffix]), strict=True)
        errors = [difference(on_host(got), wanted) for got, wanted in pairs]
        found[suffix or "forward"] = max(errors)
    return found


def outcomes(cases: list[Case], slack: float = 1) -> Iterator[dict[str, Any]]:
    """What became of each case in each type: its differences, or what it raised.

    Long sums and many steps may differ by `slack` times as much as short ones.
    """
    for seed, one in enumerate(cases):
        for dtype, allowed in TOLERANCE.items():
            line: dict[str, Any] = {"case": str(one), "seed": seed, "dtype": dtype}
            try:
                errors = run(one, dtype, seed)
                line |= {"errors": errors, "passed": max(errors.values()) <= slack * allowed}
            except Exception as error:  # each case says what went wrong with it
                line |= {"passed": False, "raised": f"{type(error).__name__}: {error}"}
            yield line


def main() -> None:
    for line in outcomes(CASES):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
