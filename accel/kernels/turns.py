"""The tile steps of a layer, by what each operand does after them: few groups instead of many steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel, inlined_kernel, kernel
from accel.kernels.returns import Walk
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.tile_sizes import FULL, SIZES, add_steps

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

SAME, NEXT, PLACE = range(3)
"""From one step to the next an operand keeps its tile, goes to another one in the same place of its buffer, or to one
that takes the place of those before."""


class Turns(NamedTuple):
    """Groups of steps after which the same operands change, from the innermost loop outwards.

    numbers: (groups,) how many; steps: (groups, SIZES, SIZES), by the size of their tile and of the next one. changes:
    (groups, 3) what each operand does after them. shares: (3, 3) by change and operand, in how many of these changes a
    tile comes in; that of SAME says nothing.
    """

    numbers: Ints
    steps: Ints
    changes: Ints
    shares: Floats


@kernel
def new_turns(loops: int) -> Turns:
    """Room for rows of so many off-chip loops."""
    steps = np.zeros((loops + 1, SIZES, SIZES), dtype=np.int64)
    return Turns(np.zeros(loops + 1, dtype=np.int64), steps, np.zeros((loops + 1, 3), dtype=np.int64), np.zeros((3, 3)))


@borrowing_kernel
def _change(relevant: bool, outside: bool, within: int) -> int:
    """What an operand does when a loop moves on, which lies `outside` its place or not; `within`: at the next inside.

    Tiles that share a place are all still there when the first of them comes again.
    """
    if relevant:
        return PLACE if outside else NEXT
    return PLACE if within == PLACE else SAME


@inlined_kernel
def take_turns(
    walk: Walk, loops: int, end_loop: int, tile: Ints, tiles: Ints, extent: Ints, relevant: Bools, inside: Ints,
    steps: int, numbers: Ints, turns: Turns,
) -> tuple[int, bool]:  # fmt: skip
    """Fill `turns`; returns the number of groups, and whether the first is of several steps in a row.

    walk: the off-chip loops that have more than one iteration; end_loop: by `first_end`. tile, tiles: (axes,) extents
    of a tile, and how many. inside: by operand, loops outside its place. numbers: by operand, how often a tile comes
    in. One that takes the place of others always does; of those that take turns in a place, only so many as are left.
    Iterations without work, at the ragged end of an axis that several loops share, are no steps.
    """
    axis_of, times, current, counts = walk.axis_of, walk.times, walk.current, walk.counts
    for axis in range(len(extent)):
        current[axis], counts[axis] = tile[axis], tiles[axis]
    turns.shares[:] = 0.0
    input_change = weight_change = output_change = SAME
    end_axis = axis_of[end_loop] if end_loop >= 0 else -1
    group, run = -1, 1
    for loop in range(loops - 1, -1, -1):
        axis = axis_of[loop]
        inner = current[axis]
        current[axis] *= times[loop]
        fewer = 1 if current[axis] >= extent[axis] else -(-extent[axis] // current[axis])
        outside = steps // counts[axis] * fewer
        moved = steps - outside
        # One by one: most of the time goes into this loop.
        inputs = _change(relevant[axis, INPUT], loop < inside[INPUT], input_change)
        weights = _change(relevant[axis, WEIGHT], loop < inside[WEIGHT], weight_change)
        outputs = _change(relevant[axis, OUTPUT], loop < inside[OUTPUT], output_change)
        if group < 0 or inputs != input_change or weights != weight_change or outputs != output_change:
            group += 1
            input_change, weight_change, output_change = inputs, weights, outputs
            turns.changes[group, INPUT] = inputs
            turns.changes[group, WEIGHT] = weights
            turns.changes[group, OUTPUT] = outputs
            turns.numbers[group] = 0
            for size in range(SIZES):
                for next_size in range(SIZES):
                    turns.steps[group, size, next_size] = 0
        if group == 0:
            run *= times[loop]
        turns.numbers[group] += moved
        if end_loop >= 0:
            add_steps(
                loop, axis, end_loop, end_axis, inner, moved, fewer, walk, tile, tiles, extent, turns.steps[group]
            )
        else:
            turns.steps[group, FULL, FULL] += moved
        steps, counts[axis] = outside, fewer
        turns.shares[inputs, INPUT] += moved
        turns.shares[weights, WEIGHT] += moved
        turns.shares[outputs, OUTPUT] += moved
    for operand in range(3):
        left = float(numbers[operand] - 1)
        places, others = turns.shares[PLACE, operand], turns.shares[NEXT, operand]
        turns.shares[PLACE, operand] = left / places if places > left else 1.0
        left = max(0.0, left - places)
        turns.shares[NEXT, operand] = left / others if others > left else 1.0
    return group + 1, run > 2
