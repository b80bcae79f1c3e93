"""Reads a layer's real operands from an .npz file."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.layer import Layer, Tensors

NAMES = ("input", "weight")


def load_tensors(path: Path, layer: Layer, where: str) -> Tensors:
    """The integer arrays `input` in (N, G*C, H, W), or (G*C, H, W) for one, and `weight` of the file.

    Raises InputError, its source `where` and its text naming the file, when the file is no .npz archive of exactly
    these two integer arrays, holds pickled objects (which are not unpickled), or a value is wider than `layer.bits`.
    That the shapes fit the layer is for `Layer.with_tensors` to say.
    """
    arrays = _read(path, where)
    if set(arrays) != set(NAMES):
        problem = (
            f'tensors = "{path}" holds {", ".join(sorted(arrays)) or "nothing"}: needs the arrays input and weight'
        )
        raise InputError(problem, source=where)
    for name, bits in (("input", layer.bits.input), ("weight", layer.bits.weight)):
        _check(arrays[name], name, bits, path, where)
    given = arrays["input"]
    return Tensors(given[None] if given.ndim == 3 else given, arrays["weight"])


def _read(path: Path, where: str) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f'tensors = "{path}" is a single array: needs an .npz archive', source=where)
            # A member that is no array comes as its bytes: as an array they are text, and refused as such.
            return {name: np.asarray(archive[name]) for name in archive.files}
    except InputError:
        raise
    except OSError as error:
        reason = error.strerror or "not an .npz archive"
        raise InputError(f'tensors = "{path}" cannot be read: {reason}', source=where) from None
    except (ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        problem = f'tensors = "{path}" is damaged or holds pickled objects ({error}): needs an .npz of integer arrays'
        raise InputError(problem, source=where) from None


def _check(array: NDArray[Any], name: str, bits: int | None, path: Path, where: str) -> None:
    if array.dtype.kind not in "iu":
        problem = f'tensors = "{path}": {name} has dtype {array.dtype}: needs integers'
        raise InputError(problem, source=where)
    if bits is None or not array.size:
        return
    low, high = int(array.min()), int(array.max())
    # Signed and unsigned words are both of the width: activations after a ReLU are often unsigned.
    if low < -(1 << (bits - 1)) or high >= 1 << bits:
        problem = f'tensors = "{path}": {name} holds values from {low} to {high}, beyond bits.{name} = {bits}'
        raise InputError(f"{problem}: needs more bits or smaller values", source=where)
