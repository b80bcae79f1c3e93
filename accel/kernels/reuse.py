"""Which operands a pass keeps in its registers, and how many words of the others stream past them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import BLOCKED, MAC_CYCLES, REGISTERS, SYSTOLIC, TILE_MULTICAST
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.pe_windows import block_words, different_pes, pe_window_words
from accel.kernels.windows import distinct_positions, new_positions

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

    `window` names the axes of P, Q, R, S where overlapping windows share words, or -1; `steps`, as from `_own_steps`,
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
def _own_steps(unroll: Ints, lanes: Ints, window: Ints, machine: Ints, steps: Ints) -> None:
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
    _own_steps(unroll, lanes, window, machine, steps)
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
def _pe_extent(extent: Ints, unroll: Ints, lanes: Ints) -> Ints:
    """Indices along each axis that one PE works on in a pass of `extent` indices."""
    mine: Ints = np.minimum(lanes, extent) * -(-extent // unroll)
    return mine


@borrowing_kernel
def _fresh_words(
    extent: Ints, earlier: Ints, moved: Ints, relevant: Bools, window: Ints, strides: Ints, steps: Ints
) -> tuple[int, int]:
    """Input words over `extent` indices that a pass over `earlier` indices, so many `moved` before it, did not have.

    -1 unless the windows moved along one side, with all else as it was. The second is the way they slid, 1 down and 2
    across, negative backwards, 0 if nothing or all of it is fresh. `steps` as in `_words`.
    """
    words = 1
    for axis in range(len(extent)):
        sides = axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]
        if relevant[axis, INPUT] and not sides:
            if moved[axis] != 0 or extent[axis] != earlier[axis]:
                return -1, 0
            words *= extent[axis]
    count, fresh, rests, shifts = (0, 0), (0, 0), (False, False), (0, 0)
    for side in range(2):
        o, t = window[side], window[side + 2]
        step, tap_step = strides[side] * steps[o], strides[side + 2] * steps[t]
        shift = moved[o] * strides[side] + moved[t] * strides[side + 2]
        here = distinct_positions(extent[o], step, extent[t], tap_step)
        new = new_positions(shift, extent[o], step, extent[t], tap_step, earlier[o], earlier[t])
        same = new == 0 and here == distinct_positions(earlier[o], step, earlier[t], tap_step)
        count, fresh, rests, shifts = (count[1], here), (fresh[1], new), (rests[1], same), (shifts[1], shift)
    if rests[1]:
        way = 0 if fresh[0] == 0 or fresh[0] == count[0] else 1 if shifts[0] >= 0 else -1
        return words * fresh[0] * count[1], way
    if rests[0]:
        way = 0 if fresh[1] == 0 or fresh[1] == count[1] else 2 if shifts[1] >= 0 else -2
        return words * count[0] * fresh[1], way
    return -1, 0


@kernel
def _fresh_words_by_pe(
    extent: Ints, earlier: Ints, moved: Ints, unroll: Ints, lanes: Ints, relevant: Bools, window: Ints, strides: Ints,
    machine: Ints, steps: Ints,
) -> int:  # fmt: skip
    """As `_fresh_words`, where PEs share what they need only when it is the same for all.

    -1 also where the outputs or taps of PEs are not the same number for all of them in both passes.
    """
    own, before = extent.copy(), earlier.copy()
    different = 1
    for side in range(2):
        o, t = window[side], window[side + 2]
        output_pes, tap_pes = max(1, unroll[o] // lanes[o]), max(1, unroll[t] // lanes[t])
        for axis, pes in ((o, output_pes), (t, tap_pes)):
            if pes > 1 and (extent[axis] != earlier[axis] or (extent[axis] > pes and extent[axis] % pes != 0)):
                return -1
            own[axis], before[axis] = -(-extent[axis] // pes), -(-earlier[axis] // pes)
        different *= different_pes(
            extent[o], output_pes, machine[BLOCKED + side] != 0, strides[side],
            extent[t], tap_pes, machine[BLOCKED + side + 2] != 0, strides[side + 2],
        )  # fmt: skip
    words, _ = _fresh_words(own, before, moved, relevant, window, strides, steps)
    return words if words < 0 else words * different


@kernel
def slid_words(
    extent: Ints, earlier: Ints, moved: Ints, unroll: Ints, lanes: Ints, relevant: Bools, window: Ints, strides: Ints,
    machine: Ints,
) -> tuple[int, int, int]:  # fmt: skip
    """(input words, those of a PE) that registers lack after a pass over `earlier` indices, `moved` before this one.

    -1 twice unless the windows moved along one side, with all else as it was. The third is the way they slid in a PE,
    1 down and 2 across, negative backwards; 0 if they did not, or a PE has none or all of their words.
    """
    if window[0] < 0:
        return -1, -1, 0
    steps = np.empty(len(extent), dtype=np.int64)
    _own_steps(unroll, lanes, window, machine, steps)
    if machine[TILE_MULTICAST] != 0:
        words = _fresh_words_by_pe(extent, earlier, moved, unroll, lanes, relevant, window, strides, machine, steps)
    else:
        words, _ = _fresh_words(extent, earlier, moved, relevant, window, strides, np.ones_like(steps))
    own, before = _pe_extent(extent, unroll, lanes), _pe_extent(earlier, unroll, lanes)
    fill, way = _fresh_words(own, before, moved, relevant, window, strides, steps)
    return (words, fill, way) if words >= 0 and fill >= 0 else (-1, -1, 0)


@kernel
def turns_back(way: int, before: int) -> bool:
    """Whether windows that slide this way slid another way just before: registers then load them whole."""
    return way != 0 and before != 0 and way != before


RESTS = 1
"""The number of the step of windows that do not move."""
_PRIME = 1_000_003


@borrowing_kernel
def step_number(moved: Ints, relevant: Bools, window: Ints, strides: Ints) -> int:
    """Another number for every step that inputs take through their tensor, RESTS for none, never 0.

    Steps of an output and of taps that lead to the same input are the same.
    """
    number = 0
    for side in range(2):
        number = number * _PRIME + moved[window[side]] * strides[side] + moved[window[side + 2]] * strides[side + 2]
    for axis in range(len(moved)):
        if relevant[axis, INPUT] and not (
            axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3]
        ):
            number = number * _PRIME + moved[axis]
    return RESTS + (number & (1 << 56) - 1)


@kernel
def steady_step(step: int, before: int, loaded: bool) -> tuple[bool, int]:
    """(whether words under the window before stay, the step to compare the next one with: 0 if with none)."""
    if before == 0 or step == before:
        return True, step
    return False, 0 if loaded else RESTS


@kernel
def port_cycles(words: int, bits: int, port_bits: int) -> int:
    """Cycles of a port of `port_bits` a cycle for so many words."""
    return -(-words * bits // port_bits)
