"""Bit masks of nonzero words, 64 to a mask word, lowest bit first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Masks = NDArray[np.uint64]
Words = NDArray[np.integer]


@kernel
def compress(words: Words, mask: Masks, values: Words) -> None:
    """Set the bits of the nonzero words in `mask` (all zero before) and gather these words in `values`."""
    found = 0
    for position in range(len(words)):
        if words[position] != 0:
            mask[position >> 6] |= np.uint64(1) << np.uint64(position & 63)
            values[found] = words[position]
            found += 1


@kernel
def expand(mask: Masks, values: Words, words: Words) -> None:
    """Scatter `values` to the places of the set bits; `words` is all zero before."""
    found = 0
    for position in range(len(words)):
        if (mask[position >> 6] >> np.uint64(position & 63)) & np.uint64(1):
            words[position] = values[found]
            found += 1
