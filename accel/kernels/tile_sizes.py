"""Tiles of two sizes: full ones, and all that an axis ends in before they are, taken to be of their mean size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import inlined_kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FULL, REST = 0, 1
"""Rows of what is told of both sizes. The first tile is a full one; the last is of the rest, if there is any."""


@inlined_kernel
def tile_sizes(tile: Ints, tiles: Ints, extent: Ints, steps: int, sizes: Floats) -> int:
    """How many of the tiles of `steps` are full; fills sizes: (2, axes) indices of a full tile, and of the rest.

    tile, tiles: (axes,) extents of a full tile, and how many cover the axis.
    """
    full = 1
    for axis in range(len(extent)):
        full *= tiles[axis] - (tile[axis] * tiles[axis] > extent[axis])
        sizes[FULL, axis] = sizes[REST, axis] = tile[axis]
    if full == steps:
        return full
    each = 1.0 / (steps - full)
    for axis in range(len(extent)):
        if tile[axis] * tiles[axis] > extent[axis]:
            of_all = extent[axis] * (steps / tiles[axis])
            sizes[REST, axis] = (of_all - full * tile[axis]) * each
    return full
