"""What the passes of a mapping add up to, as far as its register loops and unrolling alone decide it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel
from accel.kernels.passes import (
    ACCUMULATION_LATENCY,
    COLUMNS,
    DOUBLE_BUFFERED,
    MAC_CYCLES,
    OVERLAP_PASSES,
    PORT_BITS,
    REGISTERS,
    ROWS,
    SYSTOLIC,
    WORD_BITS,
)
from accel.kernels.reuse import ANALYSIS, CYCLES, FILL, HELD, OUTPUT, SLICE, UNIQUE_OUTPUT, WORDS, analyse, port_cycles

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
TOTALS = 22

# Fields of the zeros vector: share of MACs that take a cycle; shares of the words of an operand that cross its port
# (two fields, input and weight); passes that PEs may run ahead of each other.
ISSUED, KEPT, SLACK = 0, 1, 3
ZEROS = 4


@kernel
def skipping_cycles(cycles: int, pes: int, zeros: Floats) -> float:
    """Expected cycles of the busiest of `pes` PEs, each issuing `cycles` MACs independently with the share ISSUED.

    Their work is taken to be normal: the greatest of n lies sqrt(2 ln n) deviations above the mean. Queues average it
    over the passes a PE may run ahead.
    """
    share = zeros[ISSUED]
    if share >= 1.0:
        return float(cycles)
    deviation = np.sqrt(2.0 * np.log(pes) * cycles * share * (1.0 - share) / (zeros[SLACK] + 1.0))
    return float(min(cycles, cycles * share + deviation))


@kernel
def pass_totals(
    extent: Ints, pass_extent: Ints, register_axis: Ints, unroll: Ints, lanes: Ints, relevant: Bools, reduced: Bools,
    window: Ints, strides: Ints, machine: Ints, zeros: Floats, totals: Floats,
) -> None:  # fmt: skip
    """Sum over every pass of the layer, by class: full and ragged passes, the first, middle and last of a reduction."""
    axes = len(extent)
    totals[:] = 0
    registers = machine[REGISTERS : REGISTERS + 3]
    ports = machine[PORT_BITS : PORT_BITS + 4]
    bits = machine[WORD_BITS : WORD_BITS + 4]
    systolic = machine[SYSTOLIC] != 0
    mac_cycles = machine[MAC_CYCLES]
    skew = machine[ROWS] + machine[COLUMNS] - 2 if systolic and machine[OVERLAP_PASSES] == 0 else 0
    blocks = np.empty(axes, dtype=np.int64)
    kinds = np.empty(axes, dtype=np.int64)  # classes of blocks along each axis
    index = np.zeros(axes, dtype=np.int64)
    shape = np.empty(axes, dtype=np.int64)
    others = np.ones(3)  # passes that share a block of an operand
    returns = False
    for axis in range(axes):
        blocks[axis] = -(-extent[axis] // pass_extent[axis])
        last_differs = blocks[axis] * pass_extent[axis] != extent[axis]
        if reduced[axis]:
            kinds[axis] = min(blocks[axis], 3)
            returns = returns or blocks[axis] > 1
        else:
            kinds[axis] = 2 if last_differs and blocks[axis] > 1 else 1
        for operand in range(3):
            if not relevant[axis, operand]:
                others[operand] *= blocks[axis]
    one = np.zeros(ANALYSIS, dtype=np.int64)
    # What stays in registers is decided by full passes: a ragged one plays the same roles in fewer cycles.
    analyse(
        pass_extent, register_axis, unroll, lanes, relevant, window, strides, registers, systolic, mac_cycles, one
    )  # fmt: skip
    keeps = one[HELD : HELD + 3].copy()
    for operand in range(3):
        totals[HELD_FLAG + operand] = keeps[operand]
    analysed = pass_extent.copy()  # the shape `one` is of
    # Reduced axes move fastest: the first and the middle of a reduction have one shape, analysed once.
    order = np.concatenate((np.flatnonzero(~reduced), np.flatnonzero(reduced)))
    while True:
        number = 1.0
        first = last = True
        for axis in range(axes):
            final = index[axis] == kinds[axis] - 1 and (reduced[axis] or kinds[axis] == 2 or blocks[axis] == 1)
            shape[axis] = min(pass_extent[axis], extent[axis])
            if final:
                shape[axis] = extent[axis] - (blocks[axis] - 1) * pass_extent[axis]
            elif reduced[axis]:
                number *= blocks[axis] - 2 if kinds[axis] == 3 and index[axis] == 1 else 1
            else:
                number *= blocks[axis] - 1 if kinds[axis] == 2 else blocks[axis]
            if reduced[axis]:
                first = first and index[axis] == 0
                last = last and final
        if number > 0:
            if (shape != analysed).any():
                analyse(
                    shape, register_axis, unroll, lanes, relevant, window, strides, registers, systolic, mac_cycles, one
                )  # fmt: skip
                analysed[:] = shape
            fill = drain = 0
            pes = 1
            for axis in range(axes):
                pes *= max(1, min(unroll[axis], shape[axis]) // lanes[axis])
            useful = skipping_cycles(one[CYCLES], pes, zeros)
            pace = useful
            for operand in range(3):
                held = keeps[operand] != 0
                totals[(HELD_FILLS if held else STREAM_FILLS) + operand] += (
                    number / (others[operand] if held else 1.0) * one[FILL + operand]
                )
                if held:
                    continue
                words = one[WORDS + operand]
                lead = 0
                if operand != OUTPUT:
                    totals[STREAM_INPUT + operand] += number * words
                    loading = port_cycles(words, bits[operand], ports[operand]) * zeros[KEPT + operand]
                    if not systolic:
                        lead = max(0, port_cycles(one[SLICE + operand], bits[operand], ports[operand]) - 1)
                        fill = max(fill, lead)
                else:
                    done = one[UNIQUE_OUTPUT] if last else 0
                    read = words - one[UNIQUE_OUTPUT] if first else words
                    totals[STREAM_PSUM] += number * read
                    totals[STREAM_PSUM_OUT] += number * (words - done)
                    totals[STREAM_OUTPUT] += number * done
                    loading = 1.0 * max(
                        port_cycles(read, bits[2], ports[2]),
                        port_cycles(1, (words - done) * bits[2] + done * bits[3], ports[3]),
                    )
                    if not systolic:
                        lead = max(0, port_cycles(one[SLICE + OUTPUT], bits[2], ports[3]) - 1)
                        drain = lead
                        if read > 0:
                            fill = max(fill, lead)
                pace = max(pace, loading - lead)
            base = fill + pace + drain
            totals[MAC] += number * useful
            totals[DENSE_MAC] += number * one[CYCLES]
            totals[PASSES] += number
            totals[BASE] += number * (base + (machine[ACCUMULATION_LATENCY] if returns else 0))
            for operand in range(3):
                if keeps[operand] == 0:
                    continue
                share = number / others[operand]
                words = one[WORDS + operand]
                if operand != OUTPUT:
                    loading = port_cycles(words, bits[operand], ports[operand]) * zeros[KEPT + operand]
                    if systolic:
                        loading = max(loading, float(machine[ROWS]))
                    if machine[DOUBLE_BUFFERED + operand] != 0:
                        loading = max(0.0, loading - base - skew)
                    totals[LOAD_CYCLES + operand] += share * loading
                elif machine[DOUBLE_BUFFERED + OUTPUT] == 0:
                    totals[LOAD_CYCLES + OUTPUT] += share * port_cycles(words, bits[3], ports[3])
                    totals[PSUM_CYCLES] += share * (
                        port_cycles(words, bits[2], ports[2]) + port_cycles(words, bits[2], ports[3])
                    )
        place = axes - 1
        while place >= 0:
            axis = order[place]
            index[axis] += 1
            if index[axis] < kinds[axis]:
                break
            index[axis] = 0
            place -= 1
        if place < 0:
            break
