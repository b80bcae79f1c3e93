"""Words between the buffers and the registers: what full passes hold comes in as often as its block returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import inner
from accel.kernels.array_fields import BLOCKED, TILE_MULTICAST
from accel.kernels.estimate_layout import Nest
from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.pe_windows import pe_window_words
from accel.kernels.returns import Walk, blocks_from, stays, volume
from accel.kernels.reuse import INPUT
from accel.kernels.windows import distinct_positions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@borrowing_kernel
def register_inputs(
    extent: Ints, starts: Ints, term: int, block: Ints, spatial: Ints, relevant: Bools, window: Ints, strides: Ints,
    machine: Ints,
) -> int:  # fmt: skip
    """Input words that all blocks from `starts` on put into registers, overlapping windows of a block counted once.

    spatial: the rows of `_group_totals`, of which the first two are the indices over PEs and lanes, and over lanes.
    """
    words = 1
    for axis in range(len(extent)):
        windowed = window[0] >= 0 and (axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3])
        if relevant[axis, 0] and not windowed:
            words *= extent[axis] - starts[term, axis]
    if window[0] < 0:
        return words
    apart = machine[TILE_MULTICAST] != 0
    for side in range(2):
        o, t = window[side], window[side + 2]
        outputs, taps = extent[o] - starts[term, o], extent[t] - starts[term, t]
        total = 0
        for ragged_outputs in range(2):
            size = outputs % block[o] if ragged_outputs else block[o]
            number = 1 if ragged_outputs else outputs // block[o]
            for ragged_taps in range(2):
                reach = taps % block[t] if ragged_taps else block[t]
                times = number * (1 if ragged_taps else taps // block[t])
                if size > 0 and reach > 0 and times > 0:
                    if apart:
                        total += times * pe_window_words(
                            size, max(1, spatial[0, o] // spatial[1, o]), machine[BLOCKED + side] != 0, size,
                            strides[side], reach, max(1, spatial[0, t] // spatial[1, t]),
                            machine[BLOCKED + side + 2] != 0, reach, strides[side + 2], True,
                        )  # fmt: skip
                    else:
                        total += times * distinct_positions(size, strides[side], reach, strides[side + 2])
        words *= total
    return words


@inlined_kernel
def register_traffic(
    walk: Walk, off: int, active: int, tile: Ints, tiles: Ints, whole_pass: Ints, blocks: Ints, spatial: Ints,
    nest: Nest, machine: Ints, uses: Bools, totals: Floats, whole: Ints, distinct_inputs: int, entered: Floats,
) -> int:  # fmt: skip
    """Fill `entered`, words by operand that come into registers, 0 where they hold none; returns streams of passes.

    What registers hold comes in again at every tile step, unless no on-chip loop changes any of it: the stream of
    passes then just goes on. off, active: where the walk's on-chip loops begin and end. tile, whole_pass: indices of
    each axis in a tile and a pass, `tiles` and `blocks` of them. uses[:, 3]: the axes of all that registers hold.
    """
    extent, relevant = nest.extent, nest.relevant
    axes = len(extent)
    going = False
    for operand in range(3):
        going = going or totals[inner.HELD_FLAG + operand] > 0
    for loop in range(off, active):
        going = going and not uses[walk.axis_of[loop], 3]
    streams = 1
    for axis in range(axes):
        streams *= tiles[axis]
    terms = 0
    if going:
        terms = stays(walk, 0, off, tile, tiles, extent, uses, 3)
        streams = 0
        for term in range(terms):
            streams += walk.weights[term] * blocks_from(extent, walk.starts, term, tile, tiles, uses, 3)
    for operand in range(3):
        entered[operand] = 0.0
        if totals[inner.HELD_FLAG + operand] == 0:
            continue
        if not going:
            terms = stays(walk, off, active, whole_pass, blocks, extent, uses, operand)
        for term in range(terms):
            if operand == INPUT and term == 0:
                words = distinct_inputs
            elif operand == INPUT:
                words = register_inputs(
                    extent, walk.starts, term, whole_pass, spatial, relevant, nest.window, nest.strides, machine
                )
            else:
                words = volume(extent, walk.starts, term, relevant, operand) if term > 0 else whole[operand]
            if going:
                for axis in range(axes):
                    if uses[axis, 3] and not relevant[axis, operand]:
                        words *= tiles[axis] - (walk.starts[term, axis] // tile[axis] if term > 0 else 0)
            entered[operand] += float(walk.weights[term] * words)
    return streams
