"""Tiles of three sizes: full ones, those that end one axis alone, and all others, taken to be of their mean size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.returns import Walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FULL, END, REST = 0, 1, 2
"""Rows of what is told by size. The first tile is a full one; the last is of the rest, or an end if there is none."""

SIZES = 3


@borrowing_kernel
def first_end(walk: Walk, loops: int, tile: Ints, tiles: Ints, extent: Ints) -> int:
    """The innermost off-chip loop that ends with another tile than it begins with, -1 if all tiles are full."""
    current = walk.current
    for axis in range(len(extent)):
        current[axis] = tile[axis]
    for loop in range(loops - 1, -1, -1):
        axis = walk.axis_of[loop]
        inner = current[axis]
        current[axis] *= walk.times[loop]
        if tile[axis] * tiles[axis] > extent[axis] and (extent[axis] - 1) % current[axis] >= inner:
            return loop
    return -1


@inlined_kernel
def tile_sizes(tile: Ints, tiles: Ints, extent: Ints, ends: int, steps: int, sizes: Floats, shares: Floats) -> int:
    """Fill sizes: (SIZES, axes) indices of a tile of each size, and shares: (SIZES,) how many of the `steps` have it.

    tile, tiles: (axes,) extents of a full tile, and how many cover the axis. ends: the axis that tiles are the end of
    while they are full along the others, -1 if all are full. Returns the size of the last one.
    """
    shares[FULL], shares[END], shares[REST] = 1.0, 0.0, 0.0
    for axis in range(len(extent)):
        sizes[FULL, axis] = sizes[END, axis] = sizes[REST, axis] = tile[axis]
    if ends < 0:
        return FULL
    full = ending = 1
    for axis in range(len(extent)):
        fitting = tiles[axis] - (tile[axis] * tiles[axis] > extent[axis])
        full *= fitting
        if axis != ends:
            ending *= fitting
    sizes[END, ends] = extent[ends] - (tiles[ends] - 1) * tile[ends]
    shares[FULL], shares[END] = full / steps, ending / steps
    rest = steps - full - ending
    if rest == 0:
        return END
    shares[REST] = rest / steps
    for axis in range(len(extent)):
        if tile[axis] * tiles[axis] > extent[axis]:
            of_all = extent[axis] * (steps / tiles[axis])
            sizes[REST, axis] = (of_all - full * sizes[FULL, axis] - ending * sizes[END, axis]) / rest
    return REST


@borrowing_kernel
def add_steps(
    loop: int, axis: int, end_loop: int, end_axis: int, inner: int, moved: int, fewer: int, walk: Walk, tile: Ints,
    tiles: Ints, extent: Ints, steps: Ints,
) -> None:  # fmt: skip
    """Add to `steps`, (SIZES, SIZES) by their size and the next one's, the `moved` ones that a loop of `axis` follows.

    end_loop, end_axis: of `first_end`. walk: with extents of a block of each axis, the loop's own included, and how
    many they were before it. inner: indices that one iteration covers; fewer: blocks of what all cover.
    """
    current, counts = walk.current, walk.counts
    begin = through = 1  # blocks that begin with a full tile along the other axes, and those of full tiles alone
    for other in range(len(extent)):
        if other != axis and other != end_axis:
            blocks = counts[other]
            begins = blocks
            if tile[other] * tiles[other] > extent[other]:
                blocks -= 1
                if current[other] == tile[other] or (extent[other] - 1) % current[other] < tile[other]:
                    begins = blocks
            through *= blocks
            begin *= begins
    ragged = tile[axis] * tiles[axis] > extent[axis]
    ends = ragged and (extent[axis] - 1) % current[axis] >= inner
    onto = counts[axis] - fewer
    if axis == end_axis:
        to_end = through if loop == end_loop else 0
        steps[FULL, FULL] += through * onto - to_end
        steps[FULL, END] += to_end
        steps[REST, FULL] += (begin - through) * onto
        moved -= begin * onto
    elif loop > end_loop:
        steps[FULL, FULL] += through * onto * (counts[end_axis] - 1)
        steps[END, END] += through * onto
        moved -= through * onto * counts[end_axis]
    else:
        onto -= ends
        steps[FULL, FULL] += through * onto * (counts[end_axis] - 1)
        steps[END, FULL] += through * onto
        steps[REST, FULL] += (begin - through) * onto * counts[end_axis]
        moved -= begin * onto * counts[end_axis]
        if ends:
            steps[FULL, REST] += through * (counts[end_axis] - 1)
            steps[END, REST] += through
            moved -= through * counts[end_axis]
    steps[REST, REST] += moved
