"""Inputs, targets and weights from files: arrays, and pictures by Pillow."""

from typing import Any

import numpy as np

from cnncalc.errors import RunError
from cnncalc.execution.comparison import GRADIENTS
from cnncalc.execution.tensors import Tensor
from cnncalc.execution.weights import load_arrays
from cnncalc.graph import Network
from cnncalc.kernels.arguments import Array
from cnncalc.notation import Shape

#: Suffixes that Pillow is asked to read.
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

#: Names in a ``.npz`` of inputs that are something else.
_BESIDE = ("target", "boxes")


def read_input(path: str, network: Network) -> tuple[dict[str, Array], dict[str, Array]]:
    """The inputs of a network by name, and what the file has for its losses and boxes.

    A ``.npy``, or a picture, is for a network with one input; a ``.npz`` has arrays by name.
    A single example gets its axis.

    Raises:
        RunError: if the file cannot be read, or an array is for no input.
    """
    names = list(network.inputs)
    if path.lower().endswith(PICTURES):
        if len(names) > 1:
            raise RunError(
                f"`{path}` is one picture, the network has {len(names)} inputs", "a .npz has all"
            )
        return {names[0]: _picture(path, network.inputs[names[0]])}, {}
    arrays = load_arrays(path)
    beside = {name: arrays.pop(name) for name in _BESIDE if name in arrays and name not in names}
    if len(names) == 1 and len(arrays) == 1 and set(arrays) & {"", "arr_0", "x"}:
        arrays = {names[0]: next(iter(arrays.values()))}
    if "" in arrays:
        raise RunError(
            f"`{path}` has one array, the network has {len(names)} inputs",
            f"a .npz with {', '.join(names)}",
        )
    # What --save wrote has the rest of a run as well.
    if len(arrays) > len(names) and set(names) <= arrays.keys():
        arrays = {name: arrays[name] for name in names}
    known = network.inputs
    return {name: _batched(value, known.get(name)) for name, value in arrays.items()}, beside


def _batched(value: Array, shape: Shape | None) -> Array:
    if shape is not None and value.shape == (shape.channels, *shape.spatial):
        return value[None]
    return value


def read_target(text: str) -> Any:
    """Labels ``3,1,4``, or the arrays of a file."""
    words = text.replace(",", " ").split()
    if words and all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        return np.array([int(word) for word in words])
    arrays = load_arrays(text)
    return arrays.get("", arrays)


def read_weights(path: str, wanted: dict[str, Tensor], network: Network) -> dict[str, Array]:
    """The tensors in a file; what --save wrote beside them is left out."""
    arrays = load_arrays(path)
    if "" in arrays:
        raise RunError(f"`{path}` has one array without a name", "a .npz with layer.weight, ...")
    others = {node.name for node in network.nodes}
    return {
        name: value
        for name, value in arrays.items()
        if name in wanted or not (name in others or name.startswith(GRADIENTS))
    }


def _picture(path: str, shape: Shape) -> Array:
    """A picture as (1, C, H, W) of values from 0 to 1, resized to fit."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise RunError(
            "reading a picture needs Pillow", "pip install 'cnncalc[pictures]'"
        ) from None
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    if shape.rank != 2 or shape.channels not in modes:
        raise RunError(f"a picture cannot be the input {shape}", "pictures are 1, 3 or 4 maps")
    try:
        with Image.open(path) as opened:
            height, width = shape.spatial
            made = opened.convert(modes[shape.channels]).resize(
                (width, height), Image.Resampling.BILINEAR
            )
    except UnidentifiedImageError:
        raise RunError(f"`{path}` is no picture that Pillow can read") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RunError(f"`{path}` cannot be read: {error}") from None
    pixels = np.asarray(made, np.float32).reshape(height, width, -1) / np.float32(255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]
