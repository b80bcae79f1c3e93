"""Which operands a pass keeps in its registers, and how many words of the others stream past them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import BLOCKED, MAC_CYCLES, REGISTERS, SYSTOLIC, TILE_MULTICAST
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.pe_windows import block_words, pe_window_words

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

INPUT, WEIGHT, OUTPUT = 0, 1, 2

# Columns of the analysis of one pass shape; those of operands take three.
CYCLES, WORDS, SLICE, HELD, FILL, UNIQUE_OUTPUT = 0, 1, 4, 7, 10, 13
ANALYSIS = 14
"""CYCLES of MACs; WORDS over the port; SLICE, words the registers hold at once; HELD throughout the pass or not;
FILL, words written into the registers of one PE; UNIQUE_OUTPUT, outputs the pass works on."""


@borrowing_kernel
def _words(extent: Ints, block: Ints, operand: int, relevant: Bools, window: Ints, strides: Ints, steps: Ints) -> int:
    """Words of an operand over `extent` indices per axis, windows fetched in blocks of `block` indices.

    `window` names the axes of P, Q, R, S where overlapping windows share words, or -1; `steps`, as from `own_steps`,
    widen the strides (a PE that owns every u-th output sees a stride u times as long).
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
            words *= block_words(
                extent[o], block[o], strides[side] * steps[o], extent[t], block[t], strides[side + 2] * steps[t]
            )
    return words


@borrowing_kernel
def _words_by_pe(
    extent: Ints, block: Ints, own_block: Ints, unroll: Ints, lanes: Ints, relevant: Bools, window: Ints, strides: Ints,
    machine: Ints, whole: bool,
) -> int:  # fmt: skip
    """As `_words` of inputs, where PEs share what they need only when it is the same for all.

    own_block: indices of a PE in a block. Of the `whole` pass, or of the first block. A PE has several lanes where
    narrow operands divide its only multiplier.
    """
    words = 1
    for axis in range(len(extent)):
        if relevant[axis, INPUT] and not (
            axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]
        ):
            words *= extent[axis] if whole else block[axis]
    for side in range(2):
        o, t = window[side], window[side + 2]
        words *= pe_window_words(
            extent[o], max(1, unroll[o] // lanes[o]), machine[BLOCKED + side] != 0, own_block[o], strides[side],
            extent[t], max(1, unroll[t] // lanes[t]), machine[BLOCKED + side + 2] != 0, own_block[t], strides[side + 2],
            whole,
        )  # fmt: skip
    return words


@borrowing_kernel
def own_steps(unroll: Ints, lanes: Ints, window: Ints, machine: Ints, steps: Ints) -> None:
    """Fill `steps`: how far apart the indices of one PE lie along each axis."""
    for axis in range(len(unroll)):
        steps[axis] = max(1, unroll[axis] // lanes[axis])
    for side in range(4):
        if window[side] >= 0 and machine[BLOCKED + side] != 0:
            steps[window[side]] = 1


@kernel
def new_analysis_room(axes: int, register_loops: int) -> Ints:
    """Room for `analyse`."""
    return np.empty((6, max(axes, register_loops)), dtype=np.int64)


@borrowing_kernel
def analyse(
    extent: Ints, register_axis: Ints, unroll: Ints, lanes: Ints, relevant: Bools, window: Ints, strides: Ints,
    machine: Ints, room: Ints, result: Ints,
) -> None:  # fmt: skip
    """Reuse analysis of one pass: which operands its registers hold, and what streams past them.

    Registers keep an operand's words over the innermost loops that fit (inside `depth`). The innermost loop outside
    them that changes the operand is its stream: along it only new words are fetched, and every loop further out
    fetches the stream again. On a systolic array only an operand that differs from PE to PE can stay: one that several
    PEs share travels past them, also in a pass of a single cycle.
    """
    axes = len(extent)
    loops = len(register_axis)
    ones, times, spatial, mine, steps, block = room[0], room[1], room[2], room[3], room[4], room[5]
    lanes_used = 1  # every lane has registers of its own
    result[CYCLES] = machine[MAC_CYCLES]
    for axis in range(axes):
        spatial[axis] = min(unroll[axis], extent[axis])
        ones[axis] = 1
        lanes_used *= lanes[axis]
    own_steps(unroll, lanes, window, machine, steps)
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
                and _words(mine, mine, operand, relevant, window, strides, steps)
                > machine[REGISTERS + operand] * lanes_used
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
            if column != FILL and operand == INPUT and window[0] >= 0 and machine[TILE_MULTICAST] != 0:
                for loop in range(loops):
                    axis = register_axis[loop]
                    mine[axis] = min(lanes[axis], extent[axis]) * (times[loop] if loop >= inner else 1)
                result[column] = _words_by_pe(
                    extent, block, mine, unroll, lanes, relevant, window, strides, machine, column == WORDS
                )
                continue
            part = extent if column == WORDS else block
            moves = steps if column == FILL else ones
            result[column + operand] = _words(part, block, operand, relevant, window, strides, moves)
        for loop in range(stream):
            result[FILL + operand] *= times[loop]
            if not relevant[register_axis[loop], operand]:
                result[WORDS + operand] *= times[loop]
        result[HELD + operand] = 1 if stream < 0 else 0
        if machine[SYSTOLIC] != 0:
            for axis in range(axes):
                if unroll[axis] > 1 and not relevant[axis, operand]:
                    result[HELD + operand] = 0
        if machine[REGISTERS + operand] == 0:
            result[FILL + operand] = 0
    result[UNIQUE_OUTPUT] = 1
    for axis in range(axes):
        if relevant[axis, OUTPUT]:
            result[UNIQUE_OUTPUT] *= extent[axis]


@kernel
def port_cycles(words: int, bits: int, port_bits: int) -> int:
    """Cycles of a port of `port_bits` a cycle for so many words."""
    return -(-words * bits // port_bits)
