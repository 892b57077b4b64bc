"""A whole network on the device: the executor's own path, to the same figures."""

import pytest

import cnncalc
from tests.gpu import parity

SPEC = """
input: 2@6x7
layers:
  - {conv: 4, kernel: 3, pad: 1, bias: false}
  - batchnorm
  - relu
  - {maxpool: 2, stride: 2}
  - add:
      - [{conv: 4, kernel: 3, pad: 1}, relu]
      - []
  - concat:
      - [{conv: 2, kernel: 1}]
      - []
  - {dropout: 0.5}
  - {avgpool: 2, stride: 1}
  - flatten
  - {linear: 3}
  - softmax
"""


@pytest.mark.parametrize("training", [False, True])
def test_a_network_runs_to_the_same_figures(training: bool) -> None:
    net = cnncalc.loads(SPEC)
    here, there = (
        cnncalc.run(net, device=device, batch=2, backward=True, loss="random", training=training)
        for device in ("cpu", "cuda")
    )
    for part in ("outputs", "activations", "gradients"):
        wanted, found = getattr(here, part), getattr(there, part)
        assert list(found) == list(wanted)
        for name, value in wanted.items():
            assert parity.difference(found[name], value) < 5e-6, name
