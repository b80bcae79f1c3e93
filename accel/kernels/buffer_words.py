"""Words between DRAM and the buffers: what the buffers keep of each operand, and how much of it comes in how often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import Nest
from accel.kernels.input_tiles import input_words
from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.returns import Walk, blocks_from, stays, volume
from accel.kernels.reuse import INPUT

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TILE = 3
"""Row of `region` and `regions` after one for each operand: what one iteration of all off-chip loops covers of each
axis, and how many of these there are; the others: the same of the loops outside the operand's place in its buffer."""


@borrowing_kernel
def held_words(
    factor: Ints, loop_axes: Ints, hold: Ints, on: int, off: int, walk: Walk, nest: Nest, region: Ints, regions: Ints,
    inside: Ints, room: Ints, memo: Ints, held: Ints,
) -> int:  # fmt: skip
    """Fill by operand `held`, words kept at once, and where: `region`, `regions` and `inside`; returns input words.

    These are the words all tiles fetch once. factor, loop_axes: of each loop, off-chip ones before `on`; hold: loops
    outside an operand's place. `off` of the off-chip loops have more than one iteration, `inside` of those lie outside
    the place; its row of `region` is only filled if it is not that of the tile.
    """
    extent, relevant = nest.extent, nest.relevant
    axes = len(extent)
    touched = 0
    for operand in range(3):
        inside[operand] = off
        if hold[operand] < on:
            inside[operand] = 0
            for loop in range(hold[operand]):
                inside[operand] += factor[loop] > 1
            for axis in range(axes):
                region[operand, axis], regions[operand, axis] = region[TILE, axis], regions[TILE, axis]
            for loop in range(hold[operand], on):
                if factor[loop] > 1:
                    axis = loop_axes[loop]
                    region[operand, axis] = min(region[operand, axis] * factor[loop], extent[axis])
                    regions[operand, axis] = -(-extent[axis] // region[operand, axis])
        kept = region[TILE if inside[operand] == off else operand]
        if operand == INPUT:
            touched, held[INPUT] = input_words(walk.starts, 0, region[TILE], kept, nest, room, memo)
        else:
            held[operand] = 1
            for axis in range(axes):
                held[operand] *= kept[axis] if relevant[axis, operand] else 1
    return touched


@inlined_kernel
def loaded_words(
    touched: int, off: int, walk: Walk, nest: Nest, region: Ints, regions: Ints, inside: Ints, uses: Bools, whole: Ints,
    room: Ints, memo: Ints, numbers: Ints, loaded: Ints,
) -> None:  # fmt: skip
    """Fill by operand `numbers`, transfers, and `loaded`, their words, after `held_words`.

    Outputs count once for each time their place is filled. touched: what `held_words` returned; whole: words of each
    tensor; uses[:, operand]: the axes that select its block.
    """
    extent = nest.extent
    tile, tiles = region[TILE], regions[TILE]
    for operand in range(3):
        row = TILE if inside[operand] == off else operand
        terms = stays(walk, 0, inside[operand], region[row], regions[row], extent, uses, operand)
        words = touched if operand == INPUT else whole[operand]
        numbers[operand] = walk.weights[0] * blocks_from(extent, walk.starts, 0, tile, tiles, uses, operand)
        loaded[operand] = walk.weights[0] * words
        for term in range(1, terms):
            numbers[operand] += walk.weights[term] * blocks_from(extent, walk.starts, term, tile, tiles, uses, operand)
            if operand == INPUT:
                words, _ = input_words(walk.starts, term, tile, region[row], nest, room, memo)
            else:
                words = volume(extent, walk.starts, term, nest.relevant, operand)
            loaded[operand] += walk.weights[term] * words
