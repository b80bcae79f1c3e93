"""From accumulators of one scale to integers of another, by integer multipliers and a shift.

After Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
CVPR 2018, section 2.2: the ratio of the scales is `multiplier * 2**-shift`, rounding is to nearest (ties up).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workloads.execute.quantised import Quantised, largest_integer, scale_for
from workloads.operands import dtype_for

MULTIPLIER_BITS = 31
"""Width of a multiplier when the accumulators leave room for it in 64 bits, as in the paper."""
PRODUCT_BITS = 62
"""Accumulator times multiplier, plus the rounding half, must stay in int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """Positive ratios as `multiplier * 2**-shift`; arrays that broadcast against the accumulators."""

    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]

    @classmethod
    def of(cls, real: ArrayLike, largest: int) -> Ratio:
        """Multipliers as wide as accumulators up to `largest` allow, at most MULTIPLIER_BITS.

        The relative error is at most 2**-width: with 16-bit operands and 43-bit accumulators still 2**-19. Ratios below
        2**-31 lose relative precision, at no more than 2**-63 of absolute error.
        """
        width = min(MULTIPLIER_BITS, PRODUCT_BITS - max(1, int(largest)).bit_length())
        fraction, exponent = np.frexp(np.asarray(real, np.float64))
        # A ratio so small that the shift would leave 64 bits has a narrower multiplier, one of 2**width no shift left.
        shift = np.clip(width - exponent, 0, PRODUCT_BITS).astype(np.int64)
        return cls(np.rint(np.ldexp(fraction, exponent + shift)).astype(np.int64), shift)

    def apply(self, accumulators: NDArray[np.int64]) -> NDArray[np.int64]:
        """`round(accumulators * multiplier / 2**shift)`, ties up, exactly."""
        half = np.where(self.shift > 0, np.int64(1) << np.maximum(self.shift - 1, 0), 0)
        return np.asarray((accumulators * self.multiplier + half) >> self.shift, np.int64)


def magnitude(accumulators: NDArray[np.int64]) -> int:
    """The largest |accumulator|."""
    if accumulators.size == 0:
        return 0
    return max(int(accumulators.max()), -int(accumulators.min()))


def requantise(accumulators: NDArray[np.int64], scales: ArrayLike, bits: int) -> Quantised:
    """Accumulators worth `scales` each (broadcast) on the grid their own largest magnitude asks for.

    This calibrates the output scale from the data at hand: no value is clipped.
    """
    worth = np.asarray(scales, np.float64)
    return requantise_to(accumulators, worth, scale_for(_largest_real(accumulators, worth), bits), bits)


def requantise_to(accumulators: NDArray[np.int64], scales: ArrayLike, scale: float, bits: int) -> Quantised:
    """Accumulators worth `scales` each on the grid of `scale`, saturated to `bits`."""
    limit = largest_integer(bits)
    ratio = Ratio.of(np.asarray(scales, np.float64) / scale, magnitude(accumulators))
    values = np.clip(ratio.apply(accumulators), -limit, limit).astype(dtype_for(bits))
    return Quantised(values, scale, bits)


def narrowed(tensor: Quantised, bits: int) -> Quantised:
    """The tensor in at most `bits`; unchanged when it already is."""
    if tensor.bits <= bits:
        return tensor
    return requantise(tensor.values.astype(np.int64), tensor.scale, bits)


def _largest_real(accumulators: NDArray[np.int64], scales: NDArray[np.float64]) -> float:
    if accumulators.size == 0:
        return 0.0
    if scales.ndim == 0:
        return magnitude(accumulators) * float(scales)
    over = tuple(
        axis
        for axis in range(accumulators.ndim)
        if axis < accumulators.ndim - scales.ndim or scales.shape[axis - accumulators.ndim] == 1
    )
    largest = np.maximum(accumulators.max(axis=over, keepdims=True), -accumulators.min(axis=over, keepdims=True))
    return float(np.max(largest * scales))
