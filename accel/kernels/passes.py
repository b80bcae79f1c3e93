"""What the passes of one tile cost on the PE array: cycles, words over each port, register fills."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import (
    ACCUMULATION_LATENCY,
    COLUMNS,
    DOUBLE_BUFFERED,
    KEEP_REGISTERS,
    LINKS,
    OVERLAP_PASSES,
    PORT_BITS,
    ROWS,
    STEADY_WINDOWS,
    SYSTOLIC,
    WORD_BITS,
)
from accel.kernels.links import PLACE, SHAPE, SLID_BY, SLID_FROM, new_links, note_taken, words_off_links
from accel.kernels.options import kernel
from accel.kernels.reuse import (
    ANALYSIS,
    CYCLES,
    FILL,
    HELD,
    INPUT,
    OUTPUT,
    SLICE,
    UNIQUE_OUTPUT,
    WORDS,
    analyse,
    new_analysis_room,
    port_cycles,
)
from accel.kernels.slides import RESTS, slid_words, steady_step, step_number, turns_back

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Columns of the result of `tile_cost`.
COMPUTE, MAC, PORT, PASSES = 0, 1, 2, 3
READ_INPUT, READ_WEIGHT, READ_PSUM, WRITE_PSUM, WRITE_OUTPUT = 4, 5, 6, 7, 8
FILL_INPUT, FILL_WEIGHT, FILL_OUTPUT = 9, 10, 11
COUNTS = 12

# Columns of the log of `walk_passes`: cycles of a pass before and after its pace (with what the tile's end adds), how
# many of those no port causes, and the pace of the ports alone.
EXTRA, WAITING, PORT_PACE = 0, 1, 2
LOGGED = 3

STREAM = 8
"""Bit of `continued` beside one for each operand (INPUT lowest): all that registers hold goes on as it was."""

WAYS = 8
"""The result of `tile_cost` is a bit for each operand and so many times the way in which windows slid last."""


@kernel
def tile_cost(
    extent: Ints, loop_axis: Ints, loop_factor: Ints, loop_block: Ints, pass_extent: Ints, register_axis: Ints,
    unroll: Ints, lanes: Ints, relevant: Bools, reduced: Bools, window: Ints, strides: Ints, machine: Ints,
    places: Ints, accumulates: bool, finishes: bool, before: Ints, way: int, continued: int, continues: int,
    returns: bool, result: Ints,
) -> int:  # fmt: skip
    """Walk the on-chip loops of one tile and add up what its passes cost.

    extent, pass_extent, unroll, lanes: (axes,) indices of the tile, of a full pass, over PEs and lanes, over lanes.
    loop_axis, loop_factor, loop_block: (loops,) the on-chip loops, outermost first. register_axis: register loops.
    relevant: (axes, 3) and reduced: (axes,) booleans. window: the axes of P, Q, R, S or -1; strides: stride and
    dilation, (vertical, horizontal) each. machine: see `array_fields`. places: (rows, columns, axes) the index of each
    PE along each axis, none without LINKS. accumulates: outputs of the tile already hold partial sums; finishes: they
    are complete after it. before: rows PLACE, seen from this tile, and SHAPE of the last pass that had operands, of
    which registers may hold inputs, no shape if of none, and with LINKS SLID_BY and SLID_FROM; on return those of this
    tile. way: in which windows slid to it, as `slid_words` says, or with STEADY_WINDOWS their last step, as
    `steady_step` does. continued, continues: operands the registers hold already before the tile, and still after it, a
    bit each, and STREAM. returns: outputs come back to the buffer over several passes. result: (COUNTS,) sums, words
    not bits.
    Returns which operands (one bit each, INPUT lowest) the registers hold throughout a full pass, and the last way of
    windows: see WAYS.
    """
    return int(
        walk_passes(
            extent, loop_axis, loop_factor, loop_block, pass_extent, register_axis, unroll, lanes, relevant, reduced,
            window, strides, machine, places, accumulates, finishes, before, way, continued, continues, returns, result,
            np.ones((2, 2), dtype=np.int64), np.empty(0, dtype=np.bool_), np.empty((0, LOGGED), dtype=np.int64),
        )
    )  # fmt: skip


@kernel
def walk_passes(
    extent: Ints, loop_axis: Ints, loop_factor: Ints, loop_block: Ints, pass_extent: Ints, register_axis: Ints,
    unroll: Ints, lanes: Ints, relevant: Bools, reduced: Bools, window: Ints, strides: Ints, machine: Ints,
    places: Ints, accumulates: bool, finishes: bool, before: Ints, way: int, continued: int, continues: int,
    returns: bool, result: Ints, kept: Ints, issued: Bools, log: Ints,
) -> int:  # fmt: skip
    """As `tile_cost`, for an array that skips zeros.

    kept: (2, 2) of inputs and weights, words that cross a port and words there are. issued: (passes,) whether a pass
    has operands at all (no entries: all have); one that has none only finishes outputs. log: (passes, LOGGED) is filled
    when it has rows.
    """
    axes = len(extent)
    loops = len(loop_axis)
    result[:] = 0
    ports = machine[PORT_BITS : PORT_BITS + 4]
    bits = machine[WORD_BITS : WORD_BITS + 4]
    systolic = machine[SYSTOLIC] != 0
    known = np.zeros(1 << axes, dtype=np.bool_)
    analyses = np.empty((1 << axes, ANALYSIS), dtype=np.int64)
    shape = np.empty(axes, dtype=np.int64)
    start = np.empty(axes, dtype=np.int64)
    index = np.zeros(loops, dtype=np.int64)
    latest = np.full(loops, -1, dtype=np.int64)
    fed = np.full(loops, -1, dtype=np.int64)  # indices of the last pass with operands
    slides = machine[KEEP_REGISTERS] != 0
    linked = machine[LINKS] != 0 and window[0] >= 0
    for part in range(4):  # what the lanes of a PE take together is not told apart
        linked = linked and lanes[window[part]] == 1
    links = new_links(places, unroll, lanes, window, machine)
    # What stays in registers is decided by full passes: a ragged one plays the same roles in fewer cycles.
    room = new_analysis_room(axes, len(register_axis))
    analyse(pass_extent, register_axis, unroll, lanes, relevant, window, strides, machine, room, analyses[0])
    known[0] = True
    keeps = analyses[0, HELD : HELD + 3]
    first_pass = True
    first_fed = True
    number = 0
    resident = 0  # output words the registers hold across passes
    complete = False  # whether those are finished
    last = 0  # cycles of the pass before, with its skew
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
                analyse(shape, register_axis, unroll, lanes, relevant, window, strides, machine, room, one)
                known[ragged] = True
            serial = fill = drain = hidden = 0
            feeds = len(issued) == 0 or issued[number]
            pace = 0
            for operand in range(3):
                held = keeps[operand] != 0
                if not feeds and (operand != OUTPUT or not (held or ends)):
                    continue
                first = first_pass if operand == OUTPUT else first_fed
                changed = first and not (held and continued >> operand & 1)
                for loop in range(loops):
                    earlier = latest[loop] if operand == OUTPUT else fed[loop]
                    if index[loop] != earlier and relevant[loop_axis[loop], operand] and not first:
                        changed = True
                words = one[WORDS + operand] if changed or not held else 0
                filled = one[FILL + operand] if changed or not held else 0
                if operand == INPUT and held and slides:
                    slid, slid_fill, turned = -1, -1, 0
                    if changed and before[SHAPE, 0] > 0:
                        moved = start - before[PLACE]
                        slid, slid_fill, turned = slid_words(
                            shape, before[SHAPE], moved, unroll, lanes, relevant, window, strides, machine
                        )
                    if machine[STEADY_WINDOWS] != 0 and window[0] >= 0:
                        step, stays = 0, False
                        if before[SHAPE, 0] > 0:
                            step = step_number(start - before[PLACE], relevant, window, strides) if changed else RESTS
                            stays, step = steady_step(step, way, changed)
                        slid, turned = slid if stays else -1, step
                    elif turns_back(turned, way):
                        slid, turned = -1, 0
                    if slid >= 0:
                        words, filled = slid, slid_fill
                    way = turned
                    if linked:
                        note_taken(slid >= 0, not changed, start, shape, before, unroll, window, strides, links)
                        words = words_off_links(
                            words, shape, before, unroll, relevant, window, strides, machine, links
                        )  # fmt: skip
                if operand != OUTPUT:
                    words = -(-words * kept[operand, 0] // kept[operand, 1])
                    filled = -(-filled * kept[operand, 0] // kept[operand, 1])
                result[FILL_INPUT + operand] += filled
                if operand != OUTPUT:
                    result[READ_INPUT + operand] += words
                    loading = port_cycles(words, bits[operand], ports[operand])
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
                            lead = max(0, port_cycles(one[SLICE + operand], bits[operand], ports[operand]) - 1)
                            fill = max(fill, lead)
                        pace = max(pace, loading - lead)
                    continue
                unique = one[UNIQUE_OUTPUT]
                if held:
                    read = words if adds else 0
                    stored = resident if changed else 0
                    done = stored if complete else 0
                    resident = one[WORDS + OUTPUT]
                    complete = ends
                else:
                    read = words if adds else words - unique
                    stored = words
                    done = unique if ends else 0
                result[READ_PSUM] += read
                result[WRITE_PSUM] += stored - done
                result[WRITE_OUTPUT] += done
                reading = port_cycles(read, bits[2], ports[2])
                writing = port_cycles(1, (stored - done) * bits[2] + done * bits[3], ports[3])
                if held and machine[DOUBLE_BUFFERED + OUTPUT] != 0:
                    hidden = max(hidden, max(reading, writing))
                elif held:
                    serial += reading + writing
                else:
                    lead = 0
                    if not systolic:
                        lead = max(0, port_cycles(one[SLICE + OUTPUT], bits[2], ports[3]) - 1)
                        drain = lead
                        if read > 0:
                            fill = max(fill, lead)
                    pace = max(pace, max(reading, writing) - lead)
            skew = 0
            if systolic and not (first_pass and continued & STREAM) and (first_pass or machine[OVERLAP_PASSES] == 0):
                skew = machine[ROWS] + machine[COLUMNS] - 2
            latency = machine[ACCUMULATION_LATENCY] if returns and feeds else 0
            extra = serial + fill + drain + skew
            pace = max(pace, hidden - extra)
            if len(log) > 0:
                log[number, EXTRA] = extra + latency
                log[number, WAITING] = skew + latency
                log[number, PORT_PACE] = pace
            cycles = extra + max(one[CYCLES], pace) + latency
            last = cycles if skew or not systolic else cycles + machine[ROWS] + machine[COLUMNS] - 2
            result[COMPUTE] += cycles
            result[MAC] += one[CYCLES]
            result[PORT] += cycles - one[CYCLES] - skew - latency
            result[PASSES] += 1
            first_pass = False
            for loop in range(loops):
                latest[loop] = index[loop]
            if feeds:
                first_fed = False
                for loop in range(loops):
                    fed[loop] = index[loop]
                for axis in range(axes):
                    before[PLACE, axis], before[SHAPE, axis] = start[axis], shape[axis]
                    if linked:
                        before[SLID_BY, axis], before[SLID_FROM, axis] = links.taken[0, axis], links.taken[1, axis]
            number += 1
        loop = loops - 1
        while loop >= 0:
            index[loop] += 1
            if index[loop] < loop_factor[loop]:
                break
            index[loop] = 0
            loop -= 1
        if loop < 0:
            break
    if resident > 0 and not continues >> OUTPUT & 1:
        done = resident if complete else 0
        result[WRITE_PSUM] += resident - done
        result[WRITE_OUTPUT] += done
        writing = port_cycles(1, (resident - done) * bits[2] + done * bits[3], ports[3])
        if machine[DOUBLE_BUFFERED + OUTPUT] != 0:
            # The next tile's first pass hides it, taken to be as long as this one's last with all of its skew.
            writing = max(0, writing - last)
        result[COMPUTE] += writing
        result[PORT] += writing
        if len(log) > 0:
            log[number - 1, EXTRA] += writing
    return int(keeps[0] | keeps[1] << 1 | keeps[2] << 2) + WAYS * way
