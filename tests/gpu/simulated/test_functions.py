"""The functions' own checks and conversions, where arrays lie on a device."""

import numpy as np
import pytest

from cnncalc import functional as F
from cnncalc.kernels import binding
from cnncalc.kernels.cuda.arrays import DeviceArray, on_device
from tests.functional.comparing import awkward_layouts, normal, refusal, same_bits
from tests.gpu.simulated.test_arrays import Foreign

X, W, B = normal(0, (2, 3, 4, 5), (4, 3, 2, 3), (4,))


def test_results_stay_on_the_device_and_go_into_the_next_function() -> None:
    y = F.conv2d(X, W, B, device="cuda")
    z = F.max_pool2d(F.relu(y, device="cuda"), 2, device="cuda")
    assert isinstance(z, DeviceArray)
    with F.tier("plain"):
        wanted = F.max_pool2d(F.relu(F.conv2d(X, W, B)), 2)
    np.testing.assert_allclose(z.copy_to_host(), wanted, rtol=1e-13)
    mixed = F.conv2d_backward(np.ones(y.shape), on_device(X), W, Foreign(B), device="cuda")
    here = F.conv2d_backward(np.ones(y.shape), X, W, B)
    for there, wanted in zip(mixed, here, strict=True):
        np.testing.assert_allclose(there.copy_to_host(), wanted, rtol=1e-12)


def test_an_array_on_a_device_is_for_that_device() -> None:
    message = 'input: lies on a CUDA device, so device must be "cuda"'
    for array in (on_device(X), Foreign(X)):
        with refusal(TypeError, message):
            F.relu(array)
    with refusal(ValueError, 'device: must be "cpu" or "cuda", got \'gpu\''):
        F.relu(X, device="gpu")


def test_the_device_of_a_call_ends_with_it() -> None:
    with refusal(TypeError, "input: must be float32 or float64, got int64"):
        F.relu(np.arange(3), device="cuda")
    assert binding.DEVICE.get() == "cpu"


def test_arrays_on_a_device_are_checked_like_others() -> None:
    there = on_device(X)
    with refusal(ValueError, "input: must have 3 axes (N, C, L), got shape (2, 3, 4, 5)"):
        F.max_pool1d(there, 2, device="cuda")
    with refusal(TypeError, "weight: must be float64 like the input, got float32"):
        F.conv2d(there, W.astype(np.float32), device="cuda")
    with refusal(ValueError, "input: every extent must be at least 1, got shape (0, 3)"):
        F.relu(Foreign(np.zeros((0, 3))), device="cuda")
    with refusal(TypeError, "input: must be float32 or float64, got float16"):
        F.relu(Foreign(X.astype(np.float16)), device="cuda")
    swapped = X.astype(X.dtype.newbyteorder())
    with refusal(
        TypeError,
        "input: must be float32 or float64, got float64 of the other byte order "
        "(use .astype('float64'))",
    ):
        F.relu(Foreign(swapped), device="cuda")


def test_labels_tokens_and_indices_may_lie_on_the_device() -> None:
    scores, labels = X[0, :, :, 0], np.array([1, 3, 0])
    loss = F.cross_entropy(scores, labels)
    for target in (labels, on_device(labels), Foreign(labels.astype(np.int32))):
        found = F.cross_entropy(scores, target, device="cuda")
        np.testing.assert_allclose(float(found), float(loss), rtol=1e-14)
        (there,) = F.cross_entropy_backward(found, scores, target, device="cuda")
        (here,) = F.cross_entropy_backward(loss, scores, labels)
        np.testing.assert_allclose(there.copy_to_host(), here, rtol=1e-12)
    with refusal(ValueError, "target: must lie between 0 and 3, got 4"):
        F.cross_entropy(scores, on_device(np.array([1, 4, 0])), device="cuda")
    with refusal(TypeError, "target: must be an array of integers, got float64"):
        F.cross_entropy(scores, on_device(np.zeros(3)), device="cuda")
    tokens = np.array([2, 0, 3])
    same_bits(
        F.embedding(on_device(tokens), B[:, None], device="cuda").copy_to_host(), B[tokens, None]
    )
    with refusal(ValueError, "input: must lie between 0 and 3, got -1"):
        F.embedding(on_device(np.array([2, -1])), B[:, None], device="cuda")
    y, found = F.max_pool2d(X, 2, return_indices=True, device="cuda")
    assert isinstance(found, DeviceArray)
    (kept,) = F.max_pool2d_backward(y, X, 2, indices=found, device="cuda")
    (again,) = F.max_pool2d_backward(y, X, 2, device="cuda")
    same_bits(kept.copy_to_host(), again.copy_to_host())
    back = F.max_unpool2d(y, found, 2, output_size=(4, 5), device="cuda")
    same_bits(back.copy_to_host(), kept.copy_to_host())
    with refusal(ValueError, "indices: must lie between 0 and 3, got 17"):
        F.max_unpool2d(y[:, :, :1, :1], on_device(np.full((2, 3, 1, 1), 17)), 2, device="cuda")


def test_taps_found_by_the_processor_serve_the_device() -> None:
    y, taps = F.max_pool2d(X, (2, 3), 1, 1, return_indices="compact")
    wanted = F.max_pool2d_backward(y, X, (2, 3), 1, 1, indices=taps)[0]
    found = F.max_pool2d_backward(y, X, (2, 3), 1, 1, indices=taps, device="cuda")[0]
    np.testing.assert_allclose(found.copy_to_host(), wanted, rtol=1e-14)


def test_any_layout_is_read_and_none_is_changed() -> None:
    wanted = F.avg_pool2d(X, 2, device="cuda").copy_to_host()
    for array in awkward_layouts(X):
        same_bits(F.avg_pool2d(array, 2, device="cuda").copy_to_host(), wanted)
        if array.flags.aligned:
            there = Foreign(array)
            same_bits(F.avg_pool2d(there, 2, device="cuda").copy_to_host(), wanted)
        np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (2**64 - 1, 2**63), (7, 2**40)])
def test_the_dropout_mask_is_the_processors(seed: int, stream: int) -> None:
    ones = np.ones((3, 7), np.float32)
    there = F.dropout(ones, 0.3, seed=seed, stream=stream, device="cuda")
    same_bits(there.copy_to_host(), F.dropout(ones, 0.3, seed=seed, stream=stream))
    words = (binding.kernel("stochastic", each).words(seed, stream, 9) for each in ("cuda", "cpu"))
    same_bits(next(words).copy_to_host(), next(words))


def test_both_tiers_of_a_device_are_looked_up() -> None:
    assert binding.kernel("merging", "cuda", "fast").add is not None
    with refusal(LookupError, "no kernels for 'nothing' on 'cuda' in the tier 'fast'"):
        binding.kernel("nothing", "cuda", "fast")
    assert binding.chosen_device("auto") == "cuda"
