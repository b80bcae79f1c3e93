"""What the PEs' registers hold already when a tile step begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.encode import Geometry, Nest
from accel.kernels import passes
from accel.kernels.reuse import slid_words
from accel.spec import PEArray
from mappings import TileSchedule, axis_relevant
from mappings.distinct import distinct_rows
from workloads import Operand

Ints = NDArray[np.int64]


def still_held(schedule: TileSchedule, held: tuple[bool, bool, bool], slid: Ints, array: PEArray) -> Ints:
    """(steps,) which operands registers hold from the step before, a bit each, and `passes.STREAM` when all they do.

    `held`: operands a full pass keeps in registers. Unless registers are kept, these are either all still there, when
    the stream simply goes on, or all loaded again. `slid`: as from `slides`.
    """
    kept = np.zeros((schedule.steps, 3), dtype=np.bool_)
    full = np.array([schedule.mapping.pass_extent(axis) for axis in schedule.axes])
    for operand in Operand:
        relevant = [column for column, axis in enumerate(schedule.axes) if axis_relevant(axis, operand)]
        # Only a tile that one pass takes whole is in the registers when the next step begins.
        whole = np.all(schedule.extents[:, relevant] <= full[relevant], axis=1)
        if held[operand] and (array.keep_registers or whole.all()):
            tile = schedule.tiles[:, operand]
            kept[1:, operand] = whole[1:] & (tile[1:] == tile[:-1])
    kept[:, Operand.INPUT] |= held[Operand.INPUT] & (slid[:, :2] == 0).all(axis=1)
    goes_on = kept[:, list(held)].all(axis=1) & any(held)
    mask = kept.astype(np.int64) @ np.array([1, 2, 4]) if array.keep_registers else np.where(goes_on, 7, 0)
    return np.where(goes_on, mask | passes.STREAM, mask)


def slides(
    schedule: TileSchedule, nest: Nest, geometry: Geometry, machine: Ints, array: PEArray, held: bool
) -> Ints:  # fmt: skip
    """(steps, 3) of the first pass of a tile: input words to load, those of a PE, and the way its windows slid.

    All as `slid_words` tells of it and the last pass of the tile before, where a full pass has inputs `held` in
    registers and these are kept; else no windows slide. An array that skips may have left those passes out: what it
    keeps is told only of tiles that one pass takes whole, by `still_held`.
    """
    found = np.full((schedule.steps, 3), -1, dtype=np.int64)
    found[:, 2] = 0
    if not (held and array.keep_registers) or array.skips or geometry.window[0] < 0:
        return found
    starts, extents, full = schedule.starts, schedule.extents, nest.pass_extent
    last = (extents - 1) // full * full
    first_shape, last_shape = np.minimum(extents, full), extents - last
    moved = starts[1:] - (starts + last)[:-1]
    distinct, inverse = distinct_rows(np.column_stack([first_shape[1:], last_shape[:-1], moved]))
    told = [
        slid_words(
            now, before, by, nest.unroll, nest.lanes, geometry.relevant, geometry.window, geometry.strides, machine
        )
        for now, before, by in distinct.reshape(-1, 3, len(full))
    ]
    found[1:] = np.array(told, dtype=np.int64).reshape(-1, 3)[inverse]
    return found
