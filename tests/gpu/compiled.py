"""``python -m tests.gpu.compiled FILE``: kernels compiled for a GPU that need not be there.

FILE lists modules, functions and types. Each becomes PTX for compute capability 8.0; what the
compiler refuses is printed, and the exit code is then 1.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numba.cuda.dispatcher
import numpy as np
from numba import cuda, types
from numba.np import numpy_support

CAPABILITY = (8, 0)


class Device:
    """What the compiler asks of a device where a kernel calls another function."""

    compute_capability = CAPABILITY


def typed(text: str) -> Any:
    kind, _, rest = text.partition(" ")
    if kind == "tuple":
        return types.UniTuple(types.int64, int(rest))
    scalar = types.boolean if kind == "boolean" else numpy_support.from_dtype(np.dtype(kind))
    return types.Array(scalar, int(rest), "C") if rest else scalar


def main(path: str) -> int:
    numba.cuda.dispatcher.get_current_device = lambda: Device
    refused, compiled = 0, 0
    for module, name, arguments in json.loads(Path(path).read_text()):
        kernel = getattr(importlib.import_module(module), name)
        try:
            ptx, _ = cuda.compile(
                kernel.py_func,
                tuple(map(typed, arguments)),
                device=False,
                abi="numba",
                cc=CAPABILITY,
                output="ptx",
            )
        except Exception as error:  # each kernel says what is wrong with it
            print(f"{module}.{name}({', '.join(arguments)}): {str(error)[-500:]}")
            refused += 1
        else:
            compiled += ".entry" in ptx
    print(f"{compiled} compiled, {refused} refused")
    return int(refused > 0 or compiled == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
