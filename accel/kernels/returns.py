"""How often each block of an operand comes in from the memory outside, without walking the loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel, kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Walk(NamedTuple):
    """The loops of a row that have more than one iteration, off-chip ones first, and what `stays` finds of them.

    axis_of, times: axis and iterations of each. weights, starts: of each term. current, counts: room for a number an
    axis.
    """

    axis_of: Ints
    times: Ints
    weights: Ints
    starts: Ints
    current: Ints
    counts: Ints


@kernel
def new_walk(loops: int, axes: int) -> Walk:
    """Room for rows of so many loops."""
    return Walk(
        np.zeros(loops + 1, dtype=np.int64),
        np.ones(loops + 1, dtype=np.int64),
        np.zeros(loops + 1, dtype=np.int64),
        np.zeros((loops + 1, axes), dtype=np.int64),
        np.ones(axes, dtype=np.int64),
        np.ones(axes, dtype=np.int64),
    )


@borrowing_kernel
def stays(walk: Walk, first: int, last: int, region: Ints, regions: Ints, extent: Ints, uses: Bools, which: int) -> int:
    """How often each block of an operand comes in under the loops `first`..`last - 1`, as a sum of few terms.

    region: (axes,) what one iteration of all these loops covers, `regions` in all, no more than the extent;
    uses[:, which]: the axes that select the block. A loop that does not select it brings the block back in every
    iteration, if another block was there in between: if a selecting loop inside it has more than one iteration left. At
    the ragged end of an axis that two loops share it may have only one. So the number of comings of a block at
    (i, ...) is the sum of weights[term] over the terms whose starts[term, axis] <= i for every selecting axis. Returns
    the number of terms; the first covers all blocks, from starts[0] on, which is 0.
    """
    axis_of, times, weights, starts, current, counts = walk
    axes = len(extent)
    for axis in range(axes):
        current[axis] = region[axis]
        counts[axis] = 1 if uses[axis, which] else regions[axis]
    loop = last - 1
    while loop >= first and not uses[axis_of[loop], which]:  # the block just stays
        moved = axis_of[loop]
        current[moved] = min(current[moved] * times[loop], extent[moved])
        counts[moved] = -(-extent[moved] // current[moved])
        loop -= 1
    comings = 1
    for axis in range(axes):
        comings *= counts[axis]
    weights[0] = comings
    terms = 1
    while loop >= first and comings > 1:
        moved = axis_of[loop]
        if uses[moved, which]:
            current[moved] *= times[loop]
        else:
            for axis in range(axes):
                starts[terms, axis] = 0
                if uses[axis, which] and current[axis] > region[axis]:
                    if current[axis] >= extent[axis]:
                        return terms
                    final = (extent[axis] - 1) // current[axis] * current[axis]
                    starts[terms, axis] = final
                    if extent[axis] - final > region[axis]:
                        return terms
            current[moved] = min(current[moved] * times[loop], extent[moved])
            others = comings // counts[moved]
            counts[moved] = -(-extent[moved] // current[moved])
            weights[terms] = others * counts[moved] - comings
            comings = others * counts[moved]
            terms += 1
        loop -= 1
    return terms


@borrowing_kernel
def volume(extent: Ints, starts: Ints, term: int, relevant: Bools, operand: int) -> int:
    """Words of a weight or output from `starts` on."""
    words = 1
    for axis in range(len(extent)):
        if relevant[axis, operand]:
            words *= extent[axis] - starts[term, axis]
    return words


@borrowing_kernel
def blocks_from(
    extent: Ints, starts: Ints, term: int, block: Ints, blocks: Ints, uses: Bools, which: int
) -> int:  # fmt: skip
    """Of the `blocks` along each axis that selects them, those from `starts` on."""
    number = 1
    for axis in range(len(extent)):
        if uses[axis, which]:
            before = starts[term, axis] // block[axis] if starts[term, axis] > 0 else 0
            number *= blocks[axis] - before
    return number
