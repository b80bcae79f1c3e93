"""Canonical prefix codes, bit by bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]


@kernel
def write_codes(ranks: Ints, lengths: Ints, codes: Ints, bits: Bits) -> None:
    """Write the code of each rank, highest bit first."""
    place = 0
    for rank in ranks:
        for shift in range(lengths[rank] - 1, -1, -1):
            bits[place] = (codes[rank] >> shift) & 1
            place += 1


@kernel
def read_codes(bits: Bits, codes_of_length: Ints, ranks: Ints) -> None:
    """Fill `ranks` from the bits; codes_of_length[n] codes have n bits, and ranks ascend with the codes."""
    place = 0
    for word in range(len(ranks)):
        code = np.int64(0)
        first = np.int64(0)
        before = np.int64(0)
        for length in range(1, len(codes_of_length)):
            code |= np.int64(bits[place])
            place += 1
            count = codes_of_length[length]
            if code - first < count:
                ranks[word] = before + code - first
                break
            before += count
            first = (first + count) << 1
            code <<= 1
