"""Kernels compiled ahead: small networks run once, so that nothing waits for the compiler."""

from collections.abc import Iterator

from cnncalc.execution.run import Run
from cnncalc.graph import Network
from cnncalc.spec.source import loads

#: What most networks are made of.
_SPECS = (
    """
    input: 8@20x20
    layers:
      - {conv: 16, kernel: 3, pad: 1, bias: false}
      - batchnorm
      - relu
      - {maxpool: 2}
      - {conv: 32, kernel: 3, stride: 2, pad: 1}
      - relu6
      - {depthwise: 3, pad: 1}
      - {conv: 16, kernel: 1}
      - {add: [[{conv: 16, kernel: 3, pad: 1, groups: 2}], []]}
      - {concat: [[{avgpool: 3, stride: 1, pad: 1}], []]}
      - {mul: [[globalavgpool, {conv: 32, kernel: 1}, sigmoid], []]}
      - {upsample: 2}
      - {convtranspose: 8, kernel: 2, stride: 2}
      - lrn
      - globalavgpool
      - flatten
      - dropout
      - {linear: 10}
      - cross_entropy
    """,
    """
    input: 3@40x40
    layers: [{conv: 8, kernel: 7, stride: 2, pad: 3}, tanh, {adaptiveavgpool: 3}, flatten,
      {linear: 5}, softmax]
    """,
)


def warm(networks: list[Network], dtypes: tuple[str, ...], device: str) -> Iterator[str]:
    """Run each network forward and back, batch 1; yields what is about to be run."""
    for network in networks or [loads(text) for text in _SPECS]:
        for dtype in dtypes:
            for training in (False, True):
                run = Run(network, dtype=dtype, device=device, training=training)
                yield f"{network.title or network.name or 'common layers'}, {dtype}"
                run.check_memory(backward=True, keep_all=False)
                run.pass_through(backward=True)
