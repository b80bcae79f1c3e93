"""Which operands a pass keeps in its registers, and how many words of the others stream past them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel
from accel.kernels.windows import distinct_positions, new_positions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

INPUT, WEIGHT, OUTPUT = 0, 1, 2

# Columns of the analysis of one pass shape; those of operands take three.
CYCLES, WORDS, SLICE, HELD, FILL, UNIQUE_OUTPUT = 0, 1, 4, 7, 10, 13
ANALYSIS = 14
"""CYCLES of MACs; WORDS over the port; SLICE, words the registers hold at once; HELD throughout the pass or not;
FILL, words written into the registers of one PE; UNIQUE_OUTPUT, outputs the pass works on."""


@kernel
def _window_words(extent: int, block: int, stride: int, taps: int, tap_block: int, dilation: int) -> int:
    """Words of one side of the input when outputs and taps are visited in blocks, each block fetched afresh."""
    words = 0
    for outputs in (block, extent % block):
        for window in (tap_block, taps % tap_block):
            if outputs and window:
                visits = (extent // block if outputs == block else 1) * (
                    taps // tap_block if window == tap_block else 1
                )
                words += visits * distinct_positions(outputs, stride, window, dilation)
    return words


@kernel
def _words(extent: Ints, block: Ints, operand: int, relevant: Bools, window: Ints, strides: Ints, steps: Ints) -> int:
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
def analyse(
    extent: Ints, register_axis: Ints, unroll: Ints, lanes: Ints, relevant: Bools, window: Ints, strides: Ints,
    registers: Ints, systolic: bool, mac_cycles: int, result: Ints,
) -> None:  # fmt: skip
    """Reuse analysis of one pass: which operands its registers hold, and what streams past them.

    Registers keep an operand's words over the innermost loops that fit (inside `depth`). The innermost loop outside
    them that changes the operand is its stream: along it only new words are fetched, and every loop further out
    fetches the stream again. On a systolic array only an operand that differs from PE to PE can stay: one that several
    PEs share travels past them, also in a pass of a single cycle. A MAC takes `mac_cycles`.
    """
    axes = len(extent)
    loops = len(register_axis)
    room = np.empty((6, max(axes, loops)), dtype=np.int64)
    ones, times, spatial, mine, steps, block = room[0], room[1], room[2], room[3], room[4], room[5]
    lanes_used = 1  # every lane has registers of its own
    result[CYCLES] = mac_cycles
    for axis in range(axes):
        spatial[axis] = min(unroll[axis], extent[axis])
        steps[axis] = max(1, unroll[axis] // lanes[axis])
        ones[axis] = 1
        lanes_used *= lanes[axis]
    for loop in range(loops):
        times[loop] = -(-extent[register_axis[loop]] // unroll[register_axis[loop]])
        result[CYCLES] *= times[loop]
    for operand in range(3):
        depth = loops + 1
        for axis in range(axes):
            mine[axis] = min(lanes[axis], extent[axis])
        for cut in range(loops, -1, -1):
            grown = cut == loops
            if cut < loops and times[cut] > 1:
                mine[register_axis[cut]] *= times[cut]
                grown = relevant[register_axis[cut], operand]
            if (
                grown
                and _words(mine, mine, operand, relevant, window, strides, steps) > registers[operand] * lanes_used
            ):
                break
            depth = cut
        stream = loops if depth > loops else -1
        if stream < 0:
            for loop in range(depth - 1, -1, -1):
                if times[loop] > 1 and relevant[register_axis[loop], operand]:
                    stream = loop
                    break
        # What the registers hold at once; the whole pass in the blocks that its stream brings; one PE along the stream.
        for column in (SLICE, WORDS, FILL):
            inner = min(depth if column == SLICE else max(stream, 0), loops)
            for axis in range(axes):
                block[axis] = min(lanes[axis], extent[axis]) if column == FILL else spatial[axis]
            for loop in range(inner, loops):
                axis = register_axis[loop]
                block[axis] = block[axis] * times[loop] if column == FILL else extent[axis]
            part = extent if column == WORDS else block
            moves = steps if column == FILL else ones
            result[column + operand] = _words(part, block, operand, relevant, window, strides, moves)
        for loop in range(stream):
            result[FILL + operand] *= times[loop]
            if not relevant[register_axis[loop], operand]:
                result[WORDS + operand] *= times[loop]
        result[HELD + operand] = 1 if stream < 0 else 0
        if systolic:
            for axis in range(axes):
                if unroll[axis] > 1 and not relevant[axis, operand]:
                    result[HELD + operand] = 0
        if registers[operand] == 0:
            result[FILL + operand] = 0
    result[UNIQUE_OUTPUT] = 1
    for axis in range(axes):
        if relevant[axis, OUTPUT]:
            result[UNIQUE_OUTPUT] *= extent[axis]


@kernel
def pe_extent(extent: Ints, unroll: Ints, lanes: Ints) -> Ints:
    """Indices along each axis that one PE works on in a pass of `extent` indices."""
    mine: Ints = np.minimum(lanes, extent) * -(-extent // unroll)
    return mine


@kernel
def fresh_words(
    extent: Ints, earlier: Ints, moved: Ints, relevant: Bools, window: Ints, strides: Ints, steps: Ints
) -> int:
    """Input words over `extent` indices that a pass over `earlier` indices, so many `moved` before it, did not have.

    -1 unless the windows slid on: along one side, forwards, with all else as it was. `steps` as in `_words`.
    """
    if window[0] < 0:
        return -1
    words = 1
    for axis in range(len(extent)):
        sides = axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]
        if relevant[axis, INPUT] and not sides:
            if moved[axis] != 0 or extent[axis] != earlier[axis]:
                return -1
            words *= extent[axis]
    for side in range(2):
        o, t = window[side], window[side + 2]
        other, tap = window[1 - side], window[3 - side]
        rests = moved[other] * strides[1 - side] + moved[tap] * strides[3 - side] == 0
        shift = moved[o] * strides[side] + moved[t] * strides[side + 2]
        if rests and extent[other] == earlier[other] and extent[tap] == earlier[tap] and shift >= 0:
            words *= distinct_positions(
                extent[other], strides[1 - side] * steps[other], extent[tap], strides[3 - side] * steps[tap]
            )
            return words * new_positions(
                shift, extent[o], strides[side] * steps[o], extent[t], strides[side + 2] * steps[t],
                earlier[o], earlier[t],
            )  # fmt: skip
    return -1


@kernel
def port_cycles(words: int, bits: int, port_bits: int) -> int:
    """Cycles of a port of `port_bits` a cycle for so many words."""
    return -(-words * bits // port_bits)
