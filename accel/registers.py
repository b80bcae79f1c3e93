"""What the PEs' registers hold already when a tile step begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.encode import Geometry, Nest
from accel.kernels import array_fields, passes
from accel.kernels.slides import slid_words
from accel.spec import PEArray
from mappings import TileSchedule, axis_relevant
from mappings.distinct import distinct_rows
from workloads import Operand

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def still_held(schedule: TileSchedule, held: tuple[bool, bool, bool], slid: Bools, array: PEArray) -> Ints:
    """(steps,) which operands registers hold from the step before, a bit each, and `passes.STREAM` when all they do.

    `held`: operands a full pass keeps in registers. Unless registers are kept, these are either all still there, when
    the stream simply goes on, or all loaded again. `slid`: steps whose first pass has all its inputs from the one
    before.
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
    kept[:, Operand.INPUT] |= slid
    goes_on = kept[:, list(held)].all(axis=1) & any(held)
    mask = kept.astype(np.int64) @ np.array([1, 2, 4]) if array.keep_registers else np.where(goes_on, 7, 0)
    return np.where(goes_on, mask | passes.STREAM, mask)


def passes_before(schedule: TileSchedule, nest: Nest, geometry: Geometry, machine: Ints) -> tuple[Ints, Bools]:
    """((steps, 2, axes), (steps,)): the last pass before a tile as `tile_cost` takes it, and whether it has all inputs.

    Of passes that all have work. Where the windows of the tile's first pass do not slide on from the pass before, its
    shape is left out, so that such tiles are alike; but not with STEADY_WINDOWS, where the steps decide in turn what
    stays and no tile is said to have all inputs, nor with LINKS.
    """
    starts, extents, full = schedule.starts, schedule.extents, nest.pass_extent
    before = np.zeros((schedule.steps, 2, len(full)), dtype=np.int64)
    slid = np.zeros(schedule.steps, dtype=np.bool_)
    last = (extents - 1) // full * full
    shape, place, then = np.minimum(extents, full)[1:], (starts + last)[:-1] - starts[1:], (extents - last)[:-1]
    if machine[array_fields.STEADY_WINDOWS]:
        before[1:] = np.stack([place, then], axis=1)
        return before, slid
    distinct, inverse = distinct_rows(np.column_stack([shape, place, then]))
    same = nest.unroll, nest.lanes, geometry.relevant, geometry.window, geometry.strides, machine
    words = [slid_words(now, then, -there, *same)[:2] for now, there, then in distinct.reshape(-1, 3, len(full))]
    fresh = np.array(words, dtype=np.int64).reshape(-1, 2)[inverse]
    known = (fresh >= 0)[:, :1, None] | (machine[array_fields.LINKS] != 0)
    before[1:] = np.where(known, np.stack([place, then], axis=1), 0)
    slid[1:] = (fresh == 0).all(axis=1)
    return before, slid
