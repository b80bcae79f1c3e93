"""How long the array computes in a tile step, by the size of the tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import inlined_kernel
from accel.kernels.tile_sizes import FULL, REST

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@inlined_kernel
def step_cycles(
    tile: Ints, tiles: Ints, extent: Ints, unroll: Ints, reduced: Bools, share: float, mean: float, filled: float,
    computing: Floats, ending: Floats,
) -> None:  # fmt: skip
    """Fill computing: (2,) cycles of a step of a full tile, and of the rest; ending: of one that ends a reduction.

    share: of full tiles. mean: cycles of a step on the mean, but for those in which the array is `filled`, the same for
    any tile. Along an axis they are as many as unrolled blocks cover the tile.
    """
    computing[FULL] = computing[REST] = ending[FULL] = ending[REST] = filled + mean
    if share == 1.0:
        return
    full, last, ends = mean, mean, False
    for axis in range(len(extent)):
        if tile[axis] * tiles[axis] > extent[axis]:
            others = tiles[axis] - 1
            each = np.ceil(tile[axis] / unroll[axis])
            final = np.ceil((extent[axis] - others * tile[axis]) / unroll[axis])
            of_one = tiles[axis] / (others * each + final)
            full *= each * of_one
            if reduced[axis]:
                last *= final * of_one
                ends = True
    computing[FULL] = filled + full
    computing[REST] = max(0.0, filled + (mean - share * full) / (1.0 - share))
    for size in range(2):
        ending[size] = filled + last if ends else computing[size]
