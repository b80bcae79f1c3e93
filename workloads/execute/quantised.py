"""A tensor as integers and a scale, symmetric around zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workloads.errors import InputError
from workloads.operands import dtype_for

CHUNK_WORDS = 1 << 20
"""Words quantised at a time: the float64 copy of VGG-16's largest weight would otherwise take 800 MB."""


def largest_integer(bits: int) -> int:
    """2^(bits-1) - 1: the range is symmetric, the most negative code is not used. Raises InputError below 2 bits."""
    if not 2 <= bits <= 32:
        raise InputError(f"bits = {bits}: quantised values need between 2 and 32")
    return (1 << (bits - 1)) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """`values * scale` is the real tensor; |values| <= 2^(bits-1) - 1."""

    values: NDArray[np.signedinteger]
    scale: float
    bits: int

    @property
    def real(self) -> NDArray[np.float64]:
        """The tensor the integers stand for."""
        return np.asarray(self.values * np.float64(self.scale))


def scale_for(largest: float, bits: int) -> float:
    """The scale that puts `largest` on the largest integer; 1 for a tensor of zeros."""
    return largest / largest_integer(bits) if largest > 0.0 else 1.0


def require_finite(real: ArrayLike, source: str) -> None:
    """Raises InputError naming `source` for NaN or infinity."""
    if not np.all(np.isfinite(real)):
        raise InputError("holds NaN or infinity: needs finite numbers", source=source)


def quantise(real: NDArray[np.floating], bits: int, *, source: str = "tensor to quantise") -> Quantised:
    """One scale for the tensor, from its largest magnitude; ties to even.

    Raises InputError naming `source` for NaN or infinity.
    """
    largest = float(np.max(np.abs(real), initial=0.0))
    require_finite(largest, source)
    scale = scale_for(largest, bits)
    return Quantised(np.rint(real / scale).astype(dtype_for(bits)), scale, bits)


def quantise_by_channel(
    real: NDArray[np.floating], bits: int, least: NDArray[np.float64] | None = None, *, source: str = "weights"
) -> tuple[NDArray[np.signedinteger], NDArray[np.float64]]:
    """Integers, and one scale for each index of axis 0, from its largest magnitude but not below `least`.

    An index of nothing but zeros without a `least` takes the largest scale of the others. Raises InputError naming
    `source` for NaN or infinity.
    """
    count = real.shape[0]
    flat = real.reshape(count, -1)
    values = np.empty(flat.shape, dtype_for(bits))
    scales = np.empty(count)
    step = max(1, CHUNK_WORDS // max(1, flat.shape[1]))
    for start in range(0, count, step):
        part = flat[start : start + step].astype(np.float64)
        largest = np.max(np.abs(part), axis=1, initial=0.0)
        require_finite(largest, source)
        scale = largest / largest_integer(bits)
        if least is not None:
            scale = np.maximum(scale, least[start : start + step])
        scales[start : start + step] = scale
        part /= np.where(scale > 0.0, scale, 1.0)[:, None]
        values[start : start + step] = np.rint(part)
    scales[scales == 0.0] = scales.max(initial=0.0) or 1.0
    return values.reshape(real.shape), scales
