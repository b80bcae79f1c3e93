"""Real inputs for a network, from a NumPy file or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.errors import InputError
from workloads.missing import lack
from workloads.network import Network

SUFFIXES = (".npy", ".png")
WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L")
"""Pillow's names for pictures of more than eight bits a channel."""


def read_input(path: str | Path, network: Network) -> dict[str, NDArray[np.float64]]:
    """The network's one input from a file, keyed by the input's name.

    `.npy` holds an array in the input's shape, with or without its batch axis. `.png` is a picture of exactly the
    input's height and width (it is never resized): RGB, or grey where the input has one channel (a colour picture
    becomes its ITU-R 601 luma, a grey one three equal channels, transparency is dropped), in the input's own axis
    order, channels first or last. Its values are the raw 0..255, neither scaled nor shifted: a network that wants them
    normalised takes a `.npy`. One image serves every place of a batch.

    Raises InputError naming the file and both shapes when they differ, or for a file that cannot be read.
    """
    path = Path(path)
    if len(network.inputs) != 1:
        raise InputError(
            f"network {network.name} has {len(network.inputs)} inputs: a file can feed only a network with one",
            source=path,
        )
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("is not a kind of input that can be read: needs a .npy or .png file", source=path)
    if wrong := lack(path):
        raise InputError(f"{wrong}: needs a .npy or .png file", source=path)
    name, shape = next(iter(network.inputs.items()))
    given = _read_array(path) if path.suffix.lower() == ".npy" else _read_picture(path, shape)
    fitted = fit(given, shape)
    if fitted is None:
        raise InputError(f'has shape {given.shape}: input "{name}" of {network.name} needs {shape}', source=path)
    return {name: finite(fitted, path)}


def fit(given: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The array in `shape`, batch first; one without batch axis serves the whole batch. None when it does not fit."""
    if given.shape == shape:
        return given
    return np.broadcast_to(given, shape) if given.shape == shape[1:] else None


def finite(given: NDArray[Any], source: str | Path) -> NDArray[np.float64]:
    """The array as float64, what is too small for a float32 as 0.

    Raises InputError when it does not hold real numbers within the range of a float32.
    """
    if given.dtype.kind not in "biuf":
        raise InputError(f"has dtype {given.dtype}: needs real numbers", source=source)
    if not np.all(np.isfinite(given)):
        raise InputError("holds NaN or infinity: needs finite numbers", source=source)
    real = given.astype(np.float64)
    limits = np.finfo(np.float32)
    if np.max(np.abs(real), initial=0.0) > limits.max:
        raise InputError(f"holds magnitudes beyond {limits.max:.2g}: needs smaller numbers", source=source)
    return np.where(np.abs(real) < limits.tiny, 0.0, real)


def _read_array(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise InputError(
            f"not a NumPy array file of numbers ({error}): needs one written by numpy.save", source=path
        ) from error
    if not isinstance(array, np.ndarray):
        raise InputError("holds several arrays: needs one written by numpy.save", source=path)
    return array


def _read_picture(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    channels_last = len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)
    channels = shape[3 if channels_last else 1] if len(shape) == 4 else 0
    if channels not in (1, 3):
        raise InputError(
            f"a picture cannot feed an input of shape {shape}: needs a .npy file in that shape", source=path
        )
    pixels = _pixels(path, "L" if channels == 1 else "RGB")
    height, width = shape[1:3] if channels_last else shape[2:4]
    if pixels.shape[:2] != (height, width):
        raise InputError(
            f"picture is {pixels.shape[0]} x {pixels.shape[1]} (height x width): input of shape {shape} "
            f"needs {height} x {width}, resize it first",
            source=path,
        )
    pixels = pixels.reshape(height, width, channels)
    return pixels if channels_last else pixels.transpose(2, 0, 1)


def _pixels(path: Path, mode: str) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if picture.mode in WIDE_MODES:
                raise InputError(f"picture has mode {picture.mode}: needs eight bits a channel", source=path)
            return np.asarray(picture.convert(mode), np.uint8)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a readable picture ({error}): needs a whole .png file", source=path) from error
