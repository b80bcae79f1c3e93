"""Rows of a column put together that are alike in their last factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]

_PRIME = 1_000_003


@kernel
def equal_rows(factors: Ints, first: int) -> tuple[Ints, Ints]:
    """(order, group): the rows ordered so that those equal from loop `first` on follow one another, and in this order
    the number of each one's group. Groups come as their first rows do."""
    rows, loops = factors.shape
    slots = 16
    while slots < 2 * rows:
        slots *= 2
    table = np.full(slots, -1, dtype=np.int64)
    own = np.empty(rows, dtype=np.int64)
    leader = np.empty(rows, dtype=np.int64)
    size = np.zeros(rows + 1, dtype=np.int64)
    groups = 0
    for row in range(rows):
        known = row > 0 and _alike(factors, row, row - 1, first, loops)
        if known:
            own[row] = own[row - 1]
        else:
            mixed = 0
            for loop in range(first, loops):
                mixed = mixed * _PRIME + factors[row, loop]
            slot = (mixed ^ mixed >> 31) & (slots - 1)
            while table[slot] >= 0 and not _alike(factors, row, leader[table[slot]], first, loops):
                slot = (slot + 1) & (slots - 1)
            if table[slot] < 0:
                table[slot] = groups
                leader[groups] = row
                groups += 1
            own[row] = table[slot]
        size[own[row] + 1] += 1
    for group in range(groups):
        size[group + 1] += size[group]
    order = np.empty(rows, dtype=np.int64)
    group = np.empty(rows, dtype=np.int64)
    for row in range(rows):
        place = size[own[row]]
        order[place] = row
        group[place] = own[row]
        size[own[row]] += 1
    return order, group


@kernel
def _alike(factors: Ints, row: int, other: int, first: int, loops: int) -> bool:
    for loop in range(first, loops):
        if factors[row, loop] != factors[other, loop]:
            return False
    return True
