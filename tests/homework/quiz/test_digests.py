"""The givens of given seeds, frozen: a seed must give the same sheet in every later version.

If one of these fails, the change gives students other numbers: raise `drawing.GENERATOR`
and run this file as a script for the new digests.
"""

import hashlib
import json

import pytest
import yaml

from cnncalc.homework.quiz.drawing import GENERATOR
from cnncalc.homework.quiz.generation import Generator, Settings
from cnncalc.homework.quiz.reading import shipped
from cnncalc.homework.roster import Student

DIGESTS = {
    "conv-chain": "b0534f41900a",
    "conv-output": "bcfb5fa888e1",
    "conv-rectangle": "fb752f847284",
    "conv-fit": "c1493d20f752",
    "pool-ceil": "3e3a3f4099ec",
    "pool-output": "d03d1906828a",
    "dilated-output": "414dfc42ea81",
    "transposed-output": "2ca933924b35",
    "same-padding": "7d608002826e",
    "find-input": "f95874f48dfb",
    "find-kernel": "3113066dc573",
    "find-stride": "6ac96adfcd46",
    "conv-parameters": "ebfaec9bb8d4",
    "conv-parameters-choice": "597720604d89",
    "grouped-parameters": "d16f0c8abfc8",
    "separable-parameters": "cc06a2cc1ab2",
    "linear-parameters": "8e3f51225d08",
    "batchnorm-parameters": "8bf7acc6538d",
    "lstm-parameters": "00c55986f8b2",
    "conv-macs": "87631debbe42",
    "linear-macs": "b1098d284c57",
    "conv-flops": "850713761ab5",
    "memory": "2e73bff8b4d5",
    "parameter-memory": "932c1435541b",
    "receptive-field": "66822819990e",
    "receptive-field-dilated": "15da5ccb923d",
    "network-table": "f0c6d03324c8",
    "residual-block": "0ba1db55cdff",
    "symbolic-macs": "0841991c4bf6",
    "symbolic-parameters": "12ee50e2e117",
    "conv-channels-values": "59ee155baec3",
    "conv1d-values": "ec37796458b7",
    "conv2d-values": "7cd0132ec469",
    "transposed-values": "f18d6751e5ec",
    "pool-values": "93d08e80c7eb",
    "softmax-values": "286221755cc0",
    "hinge-loss": "01229069e39f",
    "conv-gradients": "373c9e984af3",
    "linear-gradients": "099cf641c47b",
    "relu-gradient": "36ebe768c7b9",
    "stride-gradients": "c763e5f66781",
    "maxpool-gradient": "c3fa2534ca9f",
    "maxpool-gradient-ties": "e2ada337428d",
    "dropout-expectation": "c736b373c8c8",
    "anchor-boxes": "d45ee6affbba",
    "yolo-head": "01058d3d9af4",
}


def without_words(value):
    """A question without what may be worded better at any time."""
    if isinstance(value, dict):
        return {
            key: without_words(one) for key, one in value.items() if key not in ("text", "title")
        }
    return value


def digest(template):
    """Of the givens of two students at every level."""
    found = []
    for level in template.levels:
        generator = Generator(Settings([template], "w3", level))
        for student in ("ana", "Zo\u00eb \u4e2d"):
            key = yaml.safe_load(generator.quiz(Student(student)).key)
            found.append([without_words(one) for one in key["questions"]])
    text = json.dumps([GENERATOR, found], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12]


@pytest.mark.parametrize("template", shipped(), ids=lambda one: one.id)
def test_a_seed_gives_the_same_givens_as_ever(template):
    assert digest(template) == DIGESTS[template.id]


if __name__ == "__main__":
    for one in shipped():
        print(f'    "{one.id}": "{digest(one)}",')  # noqa: T201
