"""Everything that only a GPU can show, in one call: ``python tests/gpu/on_gpu.py``.

Every function forward and backward against the processor's plain tier, at tiny extents, at
those of real layers, and where numbers end; the same bits twice; memory shared with other
libraries; the kernels' cache on disk; a whole network. Prints a table, and exits with 1 if
anything differs. Nothing is downloaded; PyTorch and CuPy are tried where they are installed.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

if not hasattr(np, "row_stack"):
    np.row_stack = np.vstack  # numba-cuda looks for it, and NumPy 2.5 dropped it
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from cnncalc import functional as F  # noqa: E402
from cnncalc.kernels.cpu import compiling  # noqa: E402
from tests.gpu import parity  # noqa: E402


def main() -> int:
    from numba import cuda

    from cnncalc.kernels.cuda.launching import SIMULATED, require

    if SIMULATED:
        print("NUMBA_ENABLE_CUDASIM is set: this script is for a GPU")
        return 2
    require()
    device = cuda.get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else device.name
    print(f"{name}, compute capability {device.compute_capability}, {versions()}")
    failed = 0
    for title, cases, slack in (
        ("tiny extents", parity.CASES, 1),
        ("where numbers end", parity.SPECIAL, 1),
        ("extents of real layers", parity.LARGE, 10),
    ):
        failed += compared(title, cases, slack)
    for check in CHECKS:
        failed += not passes(check)
    print("FAILED" if failed else "passed", f"({failed} failures)")
    return int(failed > 0)


def versions() -> str:
    from importlib import metadata

    wanted = ("numba", "numba-cuda", "numpy", "torch")
    found = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return ", ".join(f"{each} {found.get(each, 'not installed')}" for each in wanted)


def compared(title: str, cases: list[parity.Case], slack: float) -> int:
    """Print the worst difference of each case; the number of those that are too large."""
    print(f"\n== {title} ==")
    started, lines = time.perf_counter(), list(parity.outcomes(cases, slack))
    failed = [line for line in lines if not line["passed"]]
    for line in lines:
        if "errors" in line:
            shown = "  ".join(f"{key} {error:.1e}" for key, error in line["errors"].items())
        else:
            shown = line["raised"].replace("\n", " ")[:300]
        mark = "ok  " if line["passed"] else "FAIL"
        print(f"{mark} {line['dtype']:8} {line['case']:60} {shown}")
    print(f"{len(lines) - len(failed)} of {len(lines)} in {time.perf_counter() - started:.0f} s")
    return len(failed)


def passes(check: Callable[[], Iterator[str]]) -> bool:
    """Run a check, print what it says, and whether it got to its end."""
    print(f"\n== {' '.join((check.__doc__ or '').split())} ==")
    try:
        for line in check():
            print(line)
    except Exception as error:
        print(f"FAIL {type(error).__name__}: {error}")
        return False
    return True


def same_bits() -> Iterator[str]:
    """Two runs give the same bits."""
    for seed, one in enumerate(parity.LARGE):
        given = one.arguments(parity.maker(seed, "float32"))
        first, second = (
            [parity.on_host(each) for each in parity.arrays(both(one, given))] for _ in range(2)
        )
        for a, b in zip(first, second, strict=True):
            assert a is b or a.tobytes() == b.tobytes(), str(one)
    yield f"{len(parity.LARGE)} cases"


def both(one: parity.Case, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """A case forward and backward on the device."""
    output = getattr(F, one.function)(*given, **one.options, device="cuda")
    grad = parity.gradients(output, parity.maker(5, "float32"))
    backward = getattr(F, f"{one.function}_backward")
    return output, backward(grad, *given, **one.options, device="cuda")


def same_mask() -> Iterator[str]:
    """The dropout mask is the processor's, bit for bit."""
    x = np.ones((64, 1001), np.float32)
    for seed, stream in ((0, 0), (7, 2**40), (2**64 - 1, 2**63)):
        options: dict[str, Any] = {"p": 0.3, "seed": seed, "stream": stream}
        there = F.dropout(x, device="cuda", **options).copy_to_host()
        assert there.tobytes() == F.dropout(x, **options).tobytes()
    yield "3 seeds"


def shared_memory() -> Iterator[str]:
    """Other libraries' arrays are taken without a copy, and inputs are never changed."""
    from numba import cuda

    from cnncalc.kernels.cuda.arrays import adopted

    host = parity.maker(0, "float32")(2, 3, 5, 7)
    owners: list[Any] = [cuda.to_device(host)]
    try:
        import torch

        if torch.cuda.is_available():
            owners += [torch.tensor(host, device="cuda")]
    except ImportError:
        yield "PyTorch is not installed"
    try:
        import cupy

        owners += [cupy.asarray(host)]
    except ImportError:
        yield "CuPy is not installed"
    for owner in owners:
        pointer = owner.__cuda_array_interface__["data"][0]
        assert adopted(owner, "x").__cuda_array_interface__["data"][0] == pointer
        y = F.relu(owner, device="cuda")
        np.testing.assert_array_equal(y.copy_to_host(), np.maximum(host, 0))
        kind = type(owner).__module__.partition(".")[0]
        if kind != "numba":
            turned = owner.transpose(1, 2)[:, :, ::2] if kind == "torch" else owner[:, ::-1, ::2]
            wanted = host.swapaxes(1, 2)[:, :, ::2] if kind == "torch" else host[:, ::-1, ::2]
            np.testing.assert_array_equal(
                F.leaky_relu(turned, 1.0, device="cuda").copy_to_host(), wanted
            )
        if kind == "torch":
            back = torch.as_tensor(y, device="cuda")
            assert back.data_ptr() == y.__cuda_array_interface__["data"][0]
        yield f"{kind}: shared"
    for one in parity.LARGE[:6]:
        given = one.arguments(parity.maker(1, "float32"))
        before = [each.tobytes() for each in given if isinstance(each, np.ndarray)]
        there = [cuda.to_device(x) if isinstance(x, np.ndarray) else x for x in given]
        both(one, tuple(there))
        after = [x.copy_to_host().tobytes() for x in there if hasattr(x, "copy_to_host")]
        assert before == after, str(one)
    yield "inputs unchanged"


def too_large() -> Iterator[str]:
    """What does not fit is refused, and small things still work."""
    x = np.ones((1, 1, 1 << 16), np.float32)
    try:
        F.zero_pad(x, ((0, 2**31 - 1),), (0, 2**9), device="cuda")
    except ValueError as error:
        yield str(error)
    else:
        raise AssertionError("more than a terabyte was allocated")
    assert F.relu(x, device="cuda").shape == x.shape


def cached_on_disk() -> Iterator[str]:
    """A second process compiles nothing."""
    code = (
        "import numpy as np\n"
        "if not hasattr(np, 'row_stack'): np.row_stack = np.vstack\n"
        "import time\n"
        "from cnncalc import functional as F\n"
        "from cnncalc.kernels.cpu import compiling\n"
        "from tests.gpu import parity\n"
        "started = time.perf_counter()\n"
        "with compiling.reporting(compiling.to_standard_error):\n"
        "    for one in parity.LARGE[:6]:\n"
        "        given = one.arguments(parity.maker(0, 'float32'))\n"
        "        getattr(F, one.function)(*given, **one.options, device='cuda')\n"
        "print(f'{time.perf_counter() - started:.2f} s')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    compiled = [line for line in done.stderr.splitlines() if line.startswith("compiling")]
    assert not compiled, compiled
    yield f"6 functions, from their first call: {done.stdout.strip()}"


def timed() -> Iterator[str]:
    """Milliseconds of a call, arrays on the device (forward, forward and backward)."""
    from numba import cuda

    from cnncalc.kernels.cuda.arrays import brought

    for seed, one in enumerate(parity.LARGE):
        given = brought(one.arguments(parity.maker(seed, "float32")), "x")
        forward = getattr(F, one.function)
        shown = []
        for call in (
            lambda f=forward, g=given, o=one: f(*g, **o.options, device="cuda"),
            lambda g=given, o=one: both(o, g),
        ):
            call()
            cuda.synchronize()
            started = time.perf_counter()
            for _ in range(5):
                call()
            cuda.synchronize()
            shown.append(f"{(time.perf_counter() - started) / 5 * 1e3:9.2f}")
        yield f"{one!s:60} {shown[0]} {shown[1]}"


def whole_network() -> Iterator[str]:
    """A network forward and backward, the same on both devices."""
    import cnncalc

    net = cnncalc.load(str(ROOT / "specs" / "resnet50.yaml"))
    # In float32 a ReLU's input may lie on either side of 0, according to its rounding.
    for dtype, allowed in (("float64", 1e-9), ("float32", 5e-3)):
        here, there = (
            cnncalc.run(
                net, device=device, backward=True, loss="random", dtype=dtype, activations=False
            )
            for device in ("cpu", "cuda")
        )
        for part in ("outputs", "gradients"):
            wanted, found = getattr(here, part), getattr(there, part)
            assert set(wanted) == set(found)
            worst = max(parity.difference(found[key], wanted[key]) for key in wanted)
            yield f"resnet50, {dtype}: {len(wanted)} {part}, largest difference {worst:.1e}"
            assert worst < allowed, part


CHECKS = (same_bits, same_mask, shared_memory, too_large, cached_on_disk, timed, whole_network)

if __name__ == "__main__":
    with compiling.reporting(lambda name, types: None):
        sys.exit(main())
