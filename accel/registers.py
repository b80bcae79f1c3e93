"""What the PEs' registers hold already when a tile step begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import passes
from accel.spec import PEArray
from mappings import TileSchedule, axis_relevant
from mappings.ranges import dim_ranges, input_places
from workloads import Operand

Ints = NDArray[np.int64]


def still_held(schedule: TileSchedule, held: tuple[bool, bool, bool], windows: bool, array: PEArray) -> Ints:
    """(steps,) which operands registers hold from the step before, a bit each, and `passes.STREAM` when all they do.

    `held`: operands a full pass keeps in registers. Unless registers are kept, these are either all still there, when
    the stream simply goes on, or all loaded again. `windows`: inputs are told apart by the words under them.
    """
    kept = np.zeros((schedule.steps, 3), dtype=np.bool_)
    full = np.array([schedule.mapping.pass_extent(axis) for axis in schedule.axes])
    for operand in Operand:
        relevant = [column for column, axis in enumerate(schedule.axes) if axis_relevant(axis, operand)]
        # Only a tile that one pass takes whole is in the registers when the next step begins.
        whole = np.all(schedule.extents[:, relevant] <= full[relevant], axis=1)
        if not held[operand]:
            continue
        if operand is Operand.INPUT and array.keep_registers and windows:
            first, last = _input_places(schedule, full)
            kept[1:, operand] = first[1:] == last[:-1]
            if array.skips:  # and may leave out those two passes of many
                kept[1:, operand] &= whole[1:] & whole[:-1]
        elif array.keep_registers or whole.all():
            tile = schedule.tiles[:, operand]
            kept[1:, operand] = whole[1:] & (tile[1:] == tile[:-1])
    goes_on = kept[:, list(held)].all(axis=1) & any(held)
    mask = kept.astype(np.int64) @ np.array([1, 2, 4]) if array.keep_registers else np.where(goes_on, 7, 0)
    return np.where(goes_on, mask | passes.STREAM, mask)


def _input_places(schedule: TileSchedule, full: Ints) -> tuple[Ints, Ints]:
    """First and last passes of the tiles by the words they touch: windows of other outputs and taps may lie on them."""
    starts, extents = schedule.starts, schedule.extents
    offset = (extents - 1) // full * full
    at = np.concatenate([starts, starts + offset])
    sizes = np.concatenate([np.minimum(extents, full), extents - offset])
    spans = {axis: (at[:, column], sizes[:, column]) for column, axis in enumerate(schedule.axes)}
    places = input_places(schedule.layer, dim_ranges(schedule.layer, spans))
    # Dealt to PEs in other numbers, the same words lie in other registers.
    dealt = [
        column for column, axis in enumerate(schedule.axes) if axis in "PQRS" and schedule.mapping.unrolled(axis) > 1
    ]
    keys = np.column_stack([places, sizes[:, dealt]])
    first, last = np.unique(keys, axis=0, return_inverse=True)[1].reshape(2, -1)
    return first, last
