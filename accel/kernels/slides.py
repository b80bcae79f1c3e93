"""What registers keep of the inputs under a window from one pass to the next, and what slides in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.array_fields import BLOCKED, TILE_MULTICAST
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.pe_windows import different_pes
from accel.kernels.reuse import INPUT, own_steps
from accel.kernels.windows import slid_positions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RESTS = 1
"""The number of the step of windows that do not move."""
_PRIME = 1_000_003


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
        here, new, same = slid_positions(shift, extent[o], step, extent[t], tap_step, earlier[o], earlier[t])
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
    own_steps(unroll, lanes, window, machine, steps)
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
