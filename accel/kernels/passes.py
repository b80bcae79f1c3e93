"""What the passes of one tile cost on the PE array: cycles, words over each port, register fills."""

from __future__ import annotations

import numpy as np

from accel.kernels.options import kernel
from accel.kernels.windows import distinct_positions

INPUT, WEIGHT, OUTPUT = 0, 1, 2

# Columns of the result of `tile_cost`.
COMPUTE, MAC, PORT, PASSES = 0, 1, 2, 3
READ_INPUT, READ_WEIGHT, READ_PSUM, WRITE_PSUM, WRITE_OUTPUT = 4, 5, 6, 7, 8
FILL_INPUT, FILL_WEIGHT, FILL_OUTPUT = 9, 10, 11
COUNTS = 12

# Fields of the machine vector.
(
    ROWS,
    COLUMNS,
    SYSTOLIC,
    OVERLAP_PASSES,
    WINDOW_REUSE,
    ACCUMULATION_LATENCY,
    REGISTERS,
    DOUBLE_BUFFERED,
    PORT_BITS,
    WORD_BITS,
) = (0, 1, 2, 3, 4, 5, 6, 9, 12, 16)
MACHINE_FIELDS = 20
"""REGISTERS and DOUBLE_BUFFERED take three fields (input, weight, output), PORT_BITS and WORD_BITS a fourth: input,
weight, partial sums in (words: partial sums), outputs out (words: finished outputs)."""

# Columns of the analysis of one pass shape.
_CYCLES, _WORDS, _SLICE, _HELD, _FILL, _UNIQUE_OUTPUT = 0, 1, 4, 7, 10, 13
_ANALYSIS = 14


@kernel
def _window_words(extent, block, stride, taps, tap_block, dilation):  # type: ignore[no-untyped-def]
    """Words of one side of the input when outputs and taps are visited in blocks, each block fetched afresh."""
    words = 0
    for outputs in (block, extent % block):
        for window in (tap_block, taps % tap_block):
            if outputs and window:
                visits = (extent // block if outputs == block else 1) * (taps // tap_block if window == tap_block else 1)
                words += visits * distinct_positions(outputs, stride, window, dilation)
    return words


@kernel
def _words(extent, block, operand, relevant, window, strides, steps):  # type: ignore[no-untyped-def]
    """Words of an operand over `extent` indices per axis, windows fetched in blocks of `block` indices.

    `window` names the axes of P, Q, R, S where overlapping windows share words, or -1; `steps` widen the strides
    (a PE that owns every u-th output sees a stride u times as long).
    """
    words = 1
    windowed = operand == INPUT and window[0] >= 0
    for axis in range(len(extent)):
        if not relevant[axis, operand]:
            continue
        if windowed and (axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]):
            continue
        words *= extent[axis]
    if windowed:
        for side in range(2):
            o, t = window[side], window[side + 2]
            words *= _window_words(
                extent[o], block[o], strides[side] * steps[o], extent[t], block[t], strides[side + 2] * steps[t]
            )
    return words


@kernel
def _analyse(extent, register_axis, unroll, lanes, relevant, window, strides, registers, result):  # type: ignore[no-untyped-def]
    """Reuse analysis of one pass: which operands its registers hold, and what streams past them.

    Registers keep an operand's words over the innermost loops that fit (inside `depth`). The innermost loop outside
    them that changes the operand is its stream: along it only new words are fetched, and every loop further out
    fetches the stream again.
    """
    axes = len(extent)
    loops = len(register_axis)
    ones = np.ones(axes, dtype=np.int64)
    times = np.ones(loops, dtype=np.int64)
    spatial = np.empty(axes, dtype=np.int64)
    mine = np.empty(axes, dtype=np.int64)
    steps = np.empty(axes, dtype=np.int64)
    block = np.empty(axes, dtype=np.int64)
    result[_CYCLES] = 1
    for axis in range(axes):
        spatial[axis] = min(unroll[axis], extent[axis])
        steps[axis] = max(1, unroll[axis] // lanes[axis])
    for loop in range(loops):
        times[loop] = -(-extent[register_axis[loop]] // unroll[register_axis[loop]])
        result[_CYCLES] *= times[loop]
    for operand in range(3):
        fill = 0
        depth = loops + 1
        for cut in range(loops, -1, -1):
            for axis in range(axes):
                mine[axis] = min(lanes[axis], extent[axis])
            for loop in range(cut, loops):
                mine[register_axis[loop]] *= times[loop]
            kept = _words(mine, mine, operand, relevant, window, strides, steps)
            if kept > registers[operand]:
                break
            fill = kept
            depth = cut
        stream = loops if depth > loops else -1
        if stream < 0:
            for loop in range(depth - 1, -1, -1):
                if times[loop] > 1 and relevant[register_axis[loop], operand]:
                    stream = loop
                    break
        block[:] = spatial
        for loop in range(min(depth, loops), loops):
            block[register_axis[loop]] = extent[register_axis[loop]]
        result[_SLICE + operand] = _words(block, block, operand, relevant, window, strides, ones)
        for loop in range(max(stream, 0), loops):
            block[register_axis[loop]] = extent[register_axis[loop]]
        total = _words(extent, block, operand, relevant, window, strides, ones)
        fill = max(fill, 1)
        for loop in range(stream):
            fill *= times[loop]
            if not relevant[register_axis[loop], operand]:
                total *= times[loop]
        if 0 <= stream < loops:
            fill *= times[stream]
        result[_WORDS + operand] = total
        result[_HELD + operand] = 1 if stream < 0 else 0
        result[_FILL + operand] = fill if registers[operand] > 0 else 0
    result[_UNIQUE_OUTPUT] = _words(extent, extent, OUTPUT, relevant, window, strides, ones)


@kernel
def held_operands(extent, register_axis, unroll, lanes, relevant, window, strides, registers):  # type: ignore[no-untyped-def]
    """(3,) 1 for every operand that a pass of this extent keeps in registers throughout."""
    result = np.zeros(_ANALYSIS, dtype=np.int64)
    _analyse(extent, register_axis, unroll, lanes, relevant, window, strides, registers, result)
    return result[_HELD : _HELD + 3]


@kernel
def _cycles(words: int, bits: int, port_bits: int) -> int:
    return -(-words * bits // port_bits)


@kernel
def tile_cost(  # type: ignore[no-untyped-def]
    extent, loop_axis, loop_factor, loop_block, pass_extent, register_axis, unroll, lanes,
    relevant, reduced, window, strides, machine, accumulates, finishes, continued, continues, returns, result,
):  # fmt: skip
    """Walk the on-chip loops of one tile and add up what its passes cost.

    extent, pass_extent, unroll, lanes: (axes,) indices of the tile, of a full pass, over PEs and lanes, over lanes.
    loop_axis, loop_factor, loop_block: (loops,) the on-chip loops, outermost first. register_axis: register loops.
    relevant: (axes, 3) and reduced: (axes,) booleans. window: the axes of P, Q, R, S or -1; strides: stride and
    dilation, (vertical, horizontal) each. machine: see MACHINE_FIELDS. accumulates: outputs of the tile already hold
    partial sums; finishes: they are complete after it. continued, continues: what the registers hold was there before
    the tile, and stays after it. returns: outputs come back to the buffer over several passes.
    result: (COUNTS,) sums, words not bits.
    """
    axes = len(extent)
    loops = len(loop_axis)
    result[:] = 0
    ports = machine[PORT_BITS : PORT_BITS + 4]
    bits = machine[WORD_BITS : WORD_BITS + 4]
    systolic = machine[SYSTOLIC] != 0
    known = np.zeros(1 << axes, dtype=np.bool_)
    analyses = np.empty((1 << axes, _ANALYSIS), dtype=np.int64)
    shape = np.empty(axes, dtype=np.int64)
    start = np.empty(axes, dtype=np.int64)
    index = np.zeros(loops, dtype=np.int64)
    before = np.full(loops, -1, dtype=np.int64)
    first_pass = True
    resident = 0  # output words the registers hold across passes
    complete = False  # whether those are finished
    while True:
        start[:] = 0
        for loop in range(loops):
            start[loop_axis[loop]] += index[loop] * loop_block[loop]
        real = True
        for axis in range(axes):
            real = real and start[axis] < extent[axis]
        if real:
            ragged = 0
            adds = accumulates
            ends = finishes
            for axis in range(axes):
                shape[axis] = min(pass_extent[axis], extent[axis] - start[axis])
                if shape[axis] < pass_extent[axis]:
                    ragged |= 1 << axis
                if reduced[axis]:
                    adds = adds or start[axis] > 0
                    ends = ends and start[axis] + shape[axis] == extent[axis]
            one = analyses[ragged]
            if not known[ragged]:
                _analyse(
                    shape, register_axis, unroll, lanes, relevant, window, strides,
                    machine[REGISTERS : REGISTERS + 3], one,
                )  # fmt: skip
                known[ragged] = True
            serial = fill = drain = hidden = 0
            pace = one[_CYCLES]
            for operand in range(3):
                changed = first_pass and not continued
                for loop in range(loops):
                    if index[loop] != before[loop] and relevant[loop_axis[loop], operand] and not first_pass:
                        changed = True
                held = one[_HELD + operand] != 0
                words = one[_WORDS + operand] if changed or not held else 0
                if changed or not held:
                    result[FILL_INPUT + operand] += one[_FILL + operand]
                if operand != OUTPUT:
                    result[READ_INPUT + operand] += words
                    loading = _cycles(words, bits[operand], ports[operand])
                    if held:
                        if systolic and words > 0:
                            loading = max(loading, machine[ROWS])
                        if machine[DOUBLE_BUFFERED + operand] != 0:
                            hidden = max(hidden, loading)
                        else:
                            serial += loading
                    else:
                        lead = 0
                        if not systolic:
                            lead = max(0, _cycles(one[_SLICE + operand], bits[operand], ports[operand]) - 1)
                            fill = max(fill, lead)
                        pace = max(pace, loading - lead)
                    continue
                unique = one[_UNIQUE_OUTPUT]
                if held:
                    read = words if adds else 0
                    stored = resident if changed else 0
                    done = stored if complete else 0
                    resident = one[_WORDS + OUTPUT]
                    complete = ends
                else:
                    read = words if adds else words - unique
                    stored = words
                    done = unique if ends else 0
                result[READ_PSUM] += read
                result[WRITE_PSUM] += stored - done
                result[WRITE_OUTPUT] += done
                reading = _cycles(read, bits[2], ports[2])
                writing = _cycles(1, (stored - done) * bits[2] + done * bits[3], ports[3])
                if held and machine[DOUBLE_BUFFERED + OUTPUT] != 0:
                    hidden = max(hidden, max(reading, writing))
                elif held:
                    serial += reading + writing
                else:
                    lead = 0
                    if not systolic:
                        lead = max(0, _cycles(one[_SLICE + OUTPUT], bits[2], ports[3]) - 1)
                        drain = lead
                        if read > 0:
                            fill = max(fill, lead)
                    pace = max(pace, max(reading, writing) - lead)
            skew = 0
            if systolic and not (first_pass and continued) and (first_pass or machine[OVERLAP_PASSES] == 0):
                skew = machine[ROWS] + machine[COLUMNS] - 2
            latency = machine[ACCUMULATION_LATENCY] if returns else 0
            cycles = max(serial + fill + pace + drain + skew, hidden) + latency
            result[COMPUTE] += cycles
            result[MAC] += one[_CYCLES]
            result[PORT] += cycles - one[_CYCLES] - skew - latency
            result[PASSES] += 1
            first_pass = False
            before[:] = index
        loop = loops - 1
        while loop >= 0:
            index[loop] += 1
            if index[loop] < loop_factor[loop]:
                break
            index[loop] = 0
            loop -= 1
        if loop < 0:
            break
    if resident > 0 and not continues:
        done = resident if complete else 0
        result[WRITE_PSUM] += resident - done
        result[WRITE_OUTPUT] += done
        if machine[DOUBLE_BUFFERED + OUTPUT] == 0:
            writing = _cycles(1, (resident - done) * bits[2] + done * bits[3], ports[3])
            result[COMPUTE] += writing
            result[PORT] += writing
