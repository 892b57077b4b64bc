"""Whole networks at small inputs against PyTorch, forward and all gradients."""

import re
from pathlib import Path

import pytest

from tests.execution.test_parity import compared

SPECS = Path(__file__).resolve().parents[2] / "specs"

#: A U-Net of two levels: transposed convolutions, skips by name, padding by the kernel's half.
UNET = """
input: 1@24x32
blocks:
  double:
    parameters: {width: }
    layers:
      - {conv: width, kernel: 3, pad: 1}
      - relu
      - {conv: width, kernel: 3, pad: 1}
      - batchnorm
      - relu
layers:
  - {double: {width: 4}, name: enc1}
  - {maxpool: 2}
  - {double: {width: 8}, name: enc2}
  - {maxpool: 2}
  - {double: {width: 16}}
  - {convtranspose: 8, kernel: 2, stride: 2, name: up2}
  - {concat: [up2, enc2]}
  - {double: {width: 8}}
  - {convtranspose: 4, kernel: 2, stride: 2, name: up1}
  - {concat: [up1, enc1]}
  - {double: {width: 4}}
  - {conv: 3, kernel: 1}
  - {cross_entropy: }
"""


def packaged(name: str, extent: int) -> str:
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    return re.sub(r"^(input: \d+@)\d+x\d+", rf"\g<1>{extent}x{extent}", text, flags=re.M)


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize(
    ("name", "extent"),
    [
        ("lenet5", 32),
        ("squeezenet1_0", 64),
        ("resnet18", 64),
        ("mobilenet_v2", 64),
        ("googlenet_noaux", 64),
        ("cifar_resnet20", 32),
    ],
)
def test_packaged_networks(name, extent, training):
    compared(packaged(name, extent), training=training)


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_a_unet(training):
    compared(UNET, training=training)


def test_a_resnet_in_float32():
    compared(packaged("resnet18", 64), dtype="float32")
