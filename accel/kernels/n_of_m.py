"""Groups of M words with at most N nonzeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]
Words = NDArray[np.integer]


@kernel
def find_violation(lines: Words, m: int, n: int) -> tuple[int, int, int]:
    """(line, group, nonzeros) of the first group with more than n nonzeros; line -1 when there is none."""
    for line in range(lines.shape[0]):
        for start in range(0, lines.shape[1], m):
            nonzeros = 0
            for place in range(start, min(start + m, lines.shape[1])):
                nonzeros += lines[line, place] != 0
            if nonzeros > n:
                return line, start // m, nonzeros
    return -1, 0, 0


@kernel
def gather_slots(lines: Words, m: int, values: Words, places: Ints) -> None:
    """Fill the slots (lines, groups, n), all zero before, in the order of the places."""
    for line in range(lines.shape[0]):
        for group in range(values.shape[1]):
            slot = 0
            for place in range(min(m, lines.shape[1] - group * m)):
                word = lines[line, group * m + place]
                if word != 0:
                    values[line, group, slot] = word
                    places[line, group, slot] = place
                    slot += 1


@kernel
def scatter_slots(values: Words, places: Ints, m: int, lines: Words) -> None:
    """Write the slots to lines that are all zero before; an empty slot holds a zero value and writes nothing."""
    for line, group, slot in np.ndindex(values.shape):
        if values[line, group, slot] != 0:
            lines[line, group * m + places[line, group, slot]] = values[line, group, slot]
