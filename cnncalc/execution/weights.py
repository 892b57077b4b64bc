"""Arrays in files: ``.npy`` and ``.npz``, headers checked before anything is read. No pickle."""

import contextlib
import lzma
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from cnncalc.diagnostic import nearest
from cnncalc.errors import RunError
from cnncalc.execution.tensors import Tensor
from cnncalc.kernels.arguments import Array

#: Bytes of one file of arrays, decompressed.
MOST_BYTES = 2**36

#: NumPy's bounds of an array.
_MOST_AXES, _MOST_EXTENT = 64, 2**63 - 1

#: What damaged members of an archive raise.
_CORRUPT = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def load_arrays(path: str, most: int = MOST_BYTES) -> dict[str, Array]:
    """The arrays of a ``.npz`` by name, or the one of a ``.npy`` under the name "".

    Raises:
        RunError: if it cannot be read, holds objects, or more than `most` bytes.
    """
    try:
        with open(path, "rb") as file:
            if file.read(6) == npy.MAGIC_PREFIX:
                file.seek(0)
                size = os.fstat(file.fileno()).st_size
                return {"": _read(file, f"`{path}`", size, most)}
        if not zipfile.is_zipfile(path):
            raise RunError(f"`{path}` is neither a .npy nor a .npz file", "numpy.savez writes one")
        return dict(_members(path, most))
    except OSError as error:
        raise RunError(f"`{path}` cannot be read: {error.strerror or error}") from None


def _members(path: str, most: int) -> Iterator[tuple[str, Array]]:
    left = most
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                what = f"`{entry.filename}` in `{path}`"
                if entry.flag_bits & 1:
                    raise RunError(f"{what} is encrypted")
                with archive.open(entry) as file:
                    array = _read(file, what, entry.file_size, left)
                left -= array.nbytes
                yield entry.filename.removesuffix(".npy"), array
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise RunError(f"`{path}` is damaged: {error}") from None


def _read(file: IO[bytes], what: str, size: int, most: int) -> Array:
    """One array, once its header says how large it is and that the file holds as much."""
    try:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise RunError(f"{what} has the unknown format version {version[0]}.{version[1]}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if len(shape) > _MOST_AXES or not all(map(_is_extent, shape)):
            raise ValueError("it has a shape that no array has")
    except RunError:
        raise
    except (ValueError, EOFError, OverflowError, tokenize.TokenError, *_CORRUPT) as error:
        said = str(error.args[0] if error.args else "").partition("\n")[0][:200]
        raise RunError(f"{what} is no array: {said or 'it is cut short'}") from None
    if dtype.hasobject or dtype.kind not in "fiub":
        raise RunError(f"{what} has the type {dtype}", "arrays of numbers can be read")
    wanted = dtype.itemsize
    for extent in shape:
        wanted *= int(extent)
    if wanted > most:
        raise RunError(f"{what} takes {wanted:,} bytes, more than the limit of {most:,}")
    # A compressed member can lie about its size; reading stops at what the header says.
    if wanted > size:
        raise RunError(f"{what} is cut short: its header asks for {wanted:,} bytes")
    try:
        data = file.read(wanted)
    except _CORRUPT as error:
        raise RunError(f"{what} is damaged: {error}") from None
    if len(data) != wanted:
        raise RunError(f"{what} is cut short: {len(data):,} of {wanted:,} bytes")
    flat = np.frombuffer(data, dtype)
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return array.astype(dtype.newbyteorder("="), order="C", copy=not dtype.isnative or fortran)


def _is_extent(extent: Any) -> bool:
    return type(extent) is int and 0 <= extent <= _MOST_EXTENT


def save_arrays(path: str, arrays: Mapping[str, Array]) -> None:
    """Write a ``.npz``, whole or not at all.

    Raises:
        RunError: if it cannot be written.
    """
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(".npz", ".cnncalc-", target.parent or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **dict(arrays))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise RunError(f"`{path}` cannot be written: {error.strerror or error}") from None


def fitted(given: Mapping[str, Any], wanted: Mapping[str, Tensor], dtype: Any) -> dict[str, Array]:
    """Tensors for a network from arrays that someone gives.

    Buffers may be missing.

    Raises:
        RunError: for a name or shape that the network does not have, or one that is missing.
        TypeError: for what is no array of numbers.
    """
    found: dict[str, Array] = {}
    for name, value in given.items():
        if name not in wanted:
            help = nearest(name, wanted) or f"the network has {len(wanted)} tensors"
            raise RunError(f"weights: the network has no `{name[:100]}`", help)
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"weights: {name} must be an array of numbers, got {array.dtype}")
        if array.shape != wanted[name].shape:
            raise RunError(
                f"weights: {name} must have shape {wanted[name].shape}, got shape {array.shape}"
            )
        found[name] = np.ascontiguousarray(array, dtype)
    missing = [name for name, one in wanted.items() if one.trained and name not in found]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RunError(f"weights: `{missing[0]}`{more} missing", "one array for every parameter")
    return found
