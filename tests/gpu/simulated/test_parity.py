"""Every function on the simulated device, forward and backward, against the processor's."""

import pytest

from cnncalc import functional as F
from tests.gpu import parity


def test_every_function_has_a_case() -> None:
    tried = {one.function for one in parity.CASES}
    assert tried == {
        name for name in F.__all__ if not name.endswith("_backward") and name != "tier"
    }


@pytest.mark.parametrize("dtype", parity.TOLERANCE)
@pytest.mark.parametrize(("seed", "one"), list(enumerate(parity.CASES)), ids=str)
def test_the_device_agrees_with_the_processor(seed: int, one: parity.Case, dtype: str) -> None:
    errors = parity.run(one, dtype, seed)
    assert len(errors) == 1 + (f"{one.function}_backward" in F.__all__)
    assert max(errors.values()) <= parity.TOLERANCE[dtype], errors
