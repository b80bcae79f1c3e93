"""How long the array computes in a tile step, by the size of the tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import inlined_kernel
from accel.kernels.tile_sizes import END, FULL, REST

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

OTHER = 3
"""Place of the cycles of a step that are of no one operand, behind those of the operands."""


@inlined_kernel
def step_cycles(
    tile: Ints, tiles: Ints, extent: Ints, whole_pass: Ints, ragged_share: Floats, relevant: Bools, ends: int,
    shares: Floats, parts: Floats, filled: float, computing: Floats,
) -> None:  # fmt: skip
    """Fill computing: (SIZES,) cycles of a step.

    ends, shares: as of `tile_sizes`. whole_pass: (axes,) indices of a full pass; ragged_share: of `pass_totals`. parts:
    (2, 4), given in the first row cycles of a step on the mean in which registers are loaded with inputs, with
    weights, with sums and emptied of outputs, and of all else; filled: those in which the array is filled, the same for
    any tile.
    """
    mean = parts[0, 0] + parts[0, 1] + parts[0, 2] + parts[0, 3]
    if ends < 0:
        computing[FULL] = filled + mean
        return
    for part in range(4):
        parts[END, part] = parts[FULL, part]
    for axis in range(len(extent)):
        final = extent[axis] - (tiles[axis] - 1) * tile[axis]
        if final == tile[axis]:
            continue
        passes = -(-tile[axis] // whole_pass[axis])
        whole = final // whole_pass[axis]
        ragged = final > whole * whole_pass[axis]
        for part in range(4):
            if parts[FULL, part] == 0:
                continue
            # An operand is loaded in as many passes as it has; what is held comes in as many words.
            each, last = float(passes), float(whole + ragged)
            if part == OTHER:
                last = whole + ragged * ragged_share[axis]
            elif relevant[axis, part]:
                each, last = float(tile[axis]), float(final)
            of_one = tiles[axis] / ((tiles[axis] - 1) * each + last)
            parts[FULL, part] *= each * of_one
            parts[END, part] *= (last if axis == ends else each) * of_one
    full = parts[FULL, 0] + parts[FULL, 1] + parts[FULL, 2] + parts[FULL, 3]
    end = parts[END, 0] + parts[END, 1] + parts[END, 2] + parts[END, 3]
    computing[FULL], computing[END] = filled + full, filled + end
    left = mean - shares[FULL] * full - shares[END] * end
    computing[REST] = max(0.0, filled + left / shares[REST]) if shares[REST] > 0 else 0.0
