"""What the passes of a mapping add up to, as far as its register loops and unrolling alone decide it."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import (
    ACCUMULATION_LATENCY,
    DOUBLE_BUFFERED,
    OVERLAP_PASSES,
    PORT_BITS,
    SYSTOLIC,
    WORD_BITS,
)
from accel.kernels.options import kernel
from accel.kernels.reuse import (
    ANALYSIS,
    CYCLES,
    FILL,
    HELD,
    OUTPUT,
    SLICE,
    UNIQUE_OUTPUT,
    WORDS,
    analyse,
    new_analysis_room,
    port_cycles,
)
from accel.kernels.skipped_cycles import expected_cycles
from accel.kernels.zero_fields import DENSE, KEPT, STYLE

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Columns of the totals. What streams is counted in every pass; what is held, once for each distinct block: how often
# a block comes back into the registers is for the loops outside to say.
MAC, BASE, PASSES = 0, 1, 2
STREAM_INPUT, STREAM_WEIGHT, STREAM_PSUM, STREAM_PSUM_OUT, STREAM_OUTPUT = 3, 4, 5, 6, 7
LOAD_CYCLES = 8  # three columns; of OUTPUT: storing finished outputs
PSUM_CYCLES = 11  # one partial-sum round trip of all held outputs
STREAM_FILLS, HELD_FILLS = 12, 15  # three columns each
HELD_FLAG = 18  # three columns: whether a full pass holds the operand
DENSE_MAC = 21  # cycles of the MACs with no zero skipped
SKEW = 22  # cycles from the first PE's work to the last one's
LOADS, SKEWED_LOAD_CYCLES = 23, 25  # of inputs and weights: held blocks, and their cycles if each came beside a skew
TOTALS = 27


@kernel
def pass_totals(
    extent: Ints, pass_extent: Ints, register_axis: Ints, unroll: Ints, lanes: Ints, near: Ints, relevant: Bools,
    reduced: Bools, window: Ints, strides: Ints, dims: Ints, sizes: Ints, spans: Ints, machine: Ints,
    rows: int, columns: int, zeros: Floats, totals: Floats, ragged_share: Floats,
) -> None:  # fmt: skip
    """Sum over every pass of the layer, by class: full and ragged passes, the first, middle and last of a reduction.

    rows, columns: those that operands travel through, which `machine` may not know. near: (axes,) indices over PEs in
    lockstep; zeros: see `zero_fields`; dims, sizes, spans: see `estimate_layout.Nest`. Fills ragged_share (axes,) with
    how long a pass at the ragged end of an axis takes, loads of what is held apart, as a share of a full one.
    """
    axes = len(extent)
    totals[:] = 0
    ports = machine[PORT_BITS : PORT_BITS + 4]
    bits = machine[WORD_BITS : WORD_BITS + 4]
    systolic = machine[SYSTOLIC] != 0
    totals[SKEW] = rows + columns - 2 if systolic else 0
    skew = totals[SKEW] if machine[OVERLAP_PASSES] == 0 else 0.0
    room = np.empty((3, axes), dtype=np.int64)
    blocks, shape, ragged = room[0], room[1], room[2]
    ends = 0  # `ragged` are the axes that end in a smaller block
    others = np.ones(3)  # passes that share a block of an operand
    returns = False
    for axis in range(axes):
        blocks[axis] = -(-extent[axis] // pass_extent[axis])
        returns = returns or (reduced[axis] and blocks[axis] > 1)
        if blocks[axis] > 1 and blocks[axis] * pass_extent[axis] != extent[axis]:
            ragged[ends] = axis
            ends += 1
        for operand in range(3):
            others[operand] *= 1 if relevant[axis, operand] else blocks[axis]
    ragged_share[:] = 1.0
    whole = 1.0
    one = np.zeros(ANALYSIS, dtype=np.int64)
    analysing = new_analysis_room(axes, len(register_axis))
    # What stays in registers is decided by full passes: a ragged one plays the same roles in fewer cycles.
    analyse(pass_extent, register_axis, unroll, lanes, relevant, window, strides, machine, analysing, one)
    for operand in range(3):
        totals[HELD_FLAG + operand] = one[HELD + operand]
    held_output = one[HELD + OUTPUT] != 0
    latency = machine[ACCUMULATION_LATENCY] if returns else 0
    for mask in range(1 << ends):
        number = chains = 1  # passes of this shape, and those of them that begin a reduction if any does
        begins = finishes = True
        analysed = mask == 0
        for axis in range(axes):
            shape[axis] = min(pass_extent[axis], extent[axis])
            analysed = analysed and shape[axis] == pass_extent[axis]
        for axis in range(axes):
            here = blocks[axis]
            for end in range(ends):
                if ragged[end] == axis and mask >> end & 1:
                    shape[axis] = extent[axis] - (here - 1) * pass_extent[axis]
                    here = 1
                    begins = begins and not reduced[axis]
                elif ragged[end] == axis:
                    here -= 1
                    finishes = finishes and not reduced[axis]
            number *= here
            chains *= 1 if reduced[axis] else here
        if not analysed:
            analyse(shape, register_axis, unroll, lanes, relevant, window, strides, machine, analysing, one)
        useful, sending = float(one[CYCLES]), 0.0
        if zeros[STYLE] != DENSE:
            useful, sending = expected_cycles(
                shape, blocks, unroll, lanes, near, relevant, reduced, dims, sizes, spans, strides, zeros
            )
        totals[MAC] += number * useful
        totals[DENSE_MAC] += number * one[CYCLES]
        totals[PASSES] += number
        fill = 0
        beside = machine[DOUBLE_BUFFERED + OUTPUT] != 0
        pace = max(useful, sending) if beside else useful + sending
        for operand in range(3):
            if totals[HELD_FLAG + operand] > 0:
                totals[HELD_FILLS + operand] += number / others[operand] * one[FILL + operand]
                continue
            totals[STREAM_FILLS + operand] += number * one[FILL + operand]
            if operand != OUTPUT:
                words = one[WORDS + operand]
                totals[STREAM_INPUT + operand] += number * words
                lead = 0
                if not systolic:
                    lead = max(0, port_cycles(one[SLICE + operand], bits[operand], ports[operand]) - 1)
                    fill = max(fill, lead)
                crossing = ceil(words * zeros[KEPT + operand])
                pace = max(pace, 1.0 * port_cycles(crossing, bits[operand], ports[operand]) - lead)
        words = one[WORDS + OUTPUT]
        drain = 0
        if not (held_output or systolic):
            drain = max(0, port_cycles(one[SLICE + OUTPUT], bits[2], ports[3]) - 1)
        # Passes that begin a reduction, those that finish one, and the others; all at once if that makes no difference.
        apart = returns and not held_output
        heads = chains if begins and apart else 0
        tails = chains if finishes and apart else 0
        for part in range(3 if apart else 1):
            passes = number - heads - tails if part == 0 else heads if part == 1 else tails
            if passes == 0:
                continue
            base = fill + pace
            if not held_output:
                done = one[UNIQUE_OUTPUT] if part == 2 or not apart else 0
                read = words - one[UNIQUE_OUTPUT] if part == 1 or not apart else words
                totals[STREAM_PSUM] += passes * read
                totals[STREAM_PSUM_OUT] += passes * (words - done)
                totals[STREAM_OUTPUT] += passes * done
                moving = max(
                    port_cycles(read, bits[2], ports[2]),
                    port_cycles(1, (words - done) * bits[2] + done * bits[3], ports[3]),
                )
                base = (max(fill, drain) if read > 0 else fill) + max(pace, 1.0 * (moving - drain)) + drain
            totals[BASE] += passes * (base + latency)
            if mask == 0:
                whole = base + latency
            for end in range(ends):
                if mask == 1 << end and whole > 0:
                    ragged_share[ragged[end]] = (base + latency) / whole
            for operand in range(2):
                if totals[HELD_FLAG + operand] > 0:
                    crossing = ceil(one[WORDS + operand] * zeros[KEPT + operand])
                    loading = float(port_cycles(crossing, bits[operand], ports[operand]))
                    if systolic:
                        loading = max(loading, float(rows))
                    share, late = passes / others[operand], loading
                    if machine[DOUBLE_BUFFERED + operand] != 0:
                        late = max(0.0, loading - base - totals[SKEW])
                        loading = max(0.0, loading - base - skew)
                    totals[LOADS + operand] += share
                    totals[LOAD_CYCLES + operand] += share * loading
                    totals[SKEWED_LOAD_CYCLES + operand] += share * late
        if held_output:
            share = number / others[OUTPUT]
            hidden = base + skew if beside else 0.0
            totals[LOAD_CYCLES + OUTPUT] += share * max(0.0, port_cycles(words, bits[3], ports[3]) - hidden)
            back, again = port_cycles(words, bits[2], ports[3]), port_cycles(words, bits[2], ports[2])
            totals[PSUM_CYCLES] += share * max(0.0, max(back, again) - hidden if beside else 1.0 * (back + again))
