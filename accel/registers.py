"""What the PEs' registers hold already when a tile step begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import passes
from mappings import TileSchedule, axis_relevant
from mappings.ranges import dim_ranges, input_places
from workloads import Operand

Ints = NDArray[np.int64]


def still_held(schedule: TileSchedule, held: tuple[bool, bool, bool], keep_registers: bool) -> Ints:
    """(steps,) which operands registers hold from the step before, a bit each, and `passes.STREAM` when all they do.

    `held`: operands a full pass keeps in registers. Unless registers are kept, these are either all still there, when
    the stream simply goes on, or all loaded again.
    """
    kept = np.zeros((schedule.steps, 3), dtype=np.bool_)
    full = np.array([schedule.mapping.pass_extent(axis) for axis in schedule.axes])
    for operand in Operand:
        relevant = [column for column, axis in enumerate(schedule.axes) if axis_relevant(axis, operand)]
        # Only a tile that one pass takes whole is in the registers when the next step begins.
        whole = np.all(schedule.extents[:, relevant] <= full[relevant], axis=1)
        if held[operand] and (keep_registers or whole.all()):
            slides = operand is Operand.INPUT and keep_registers
            tile = _input_places(schedule) if slides else schedule.tiles[:, operand]
            kept[1:, operand] = whole[1:] & (tile[1:] == tile[:-1])
    goes_on = kept[:, list(held)].all(axis=1) & any(held)
    mask = kept.astype(np.int64) @ np.array([1, 2, 4]) if keep_registers else np.where(goes_on, 7, 0)
    return np.where(goes_on, mask | passes.STREAM, mask)


def _input_places(schedule: TileSchedule) -> Ints:
    """Tiles by the words they touch: windows of other outputs and taps may lie on the same ones."""
    spans = {
        axis: (schedule.starts[:, column], schedule.extents[:, column]) for column, axis in enumerate(schedule.axes)
    }
    return input_places(schedule.layer, dim_ranges(schedule.layer, spans))
