"""What a mapping's tiles need of the buffers, and whether they have it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import (
    ACCUMULATOR_BITS,
    CODED_HERE_INPUT,
    CODED_HERE_WEIGHT,
    DATA_BITS,
    DATA_TILES,
    FITS,
    HELD_INPUT,
    HELD_OUTPUT,
    HELD_WEIGHT,
    INPUT_STAYS,
    NEED_DATA,
    NEED_SUMS,
    NEED_WEIGHT,
    OUTPUT_STAYS,
    RESERVED_BITS,
    STORED_INPUT,
    STORED_WEIGHT,
    WEIGHT_CAPACITY,
    WEIGHT_TILES,
)
from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@borrowing_kernel
def _held_bits(words: int, word_bits: int, coded: int, whole: int) -> int:
    """Bits that hold so many words of a tensor of `whole`, which takes `coded` bits in the buffer, -1 if not coded."""
    return words * word_bits if coded < 0 else -(-words * coded // whole)


@inlined_kernel
def tile_room(held: Ints, bits: Ints, limits: Ints, partial: bool, taken: bool, out: Floats) -> bool:
    """Fill the columns FITS, HELD and NEED of a row; the first is the answer.

    held: words kept by operand, double buffers counted once. bits: of a word of input, weight, partial sum and output.
    partial: the outputs are partial sums when they come and go. taken: one pass takes the weights whole into
    registers, so they leave their place at once.
    """
    need = limits[RESERVED_BITS]
    if not limits[INPUT_STAYS]:
        inputs = _held_bits(held[INPUT], bits[0], limits[CODED_HERE_INPUT], limits[STORED_INPUT])
        need += inputs * limits[DATA_TILES]
    outputs = held[OUTPUT] * (bits[2] if partial else bits[3]) * limits[DATA_TILES]
    apart = limits[ACCUMULATOR_BITS] > 0
    if not apart and (partial or not limits[OUTPUT_STAYS]):
        need += outputs
    weights = _held_bits(held[WEIGHT], bits[1], limits[CODED_HERE_WEIGHT], limits[STORED_WEIGHT])
    weights *= 1 if taken else limits[WEIGHT_TILES]
    fits = need <= limits[DATA_BITS] and weights <= limits[WEIGHT_CAPACITY]
    fits = fits and (not apart or outputs <= limits[ACCUMULATOR_BITS])
    out[FITS] = 1.0 if fits else 0.0
    out[HELD_INPUT], out[HELD_WEIGHT], out[HELD_OUTPUT] = held[INPUT], held[WEIGHT], held[OUTPUT]
    out[NEED_DATA], out[NEED_WEIGHT] = need, weights
    out[NEED_SUMS] = outputs if apart else 0
    return bool(fits)
