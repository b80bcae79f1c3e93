"""Every pass of a mapping: the block of the loop nest it computes."""

from __future__ import annotations

import numpy as np

from mappings.mapping import Mapping, axis_extent
from mappings.ranges import Ints
from workloads.layer import Layer


def pass_blocks(layer: Layer, mapping: Mapping) -> tuple[Ints, Ints]:
    """(starts, extents), each (passes, axes), in the order in which the loops run them, empty ones left out."""
    axes = mapping.axes()
    loops = (*mapping.off_chip, *mapping.on_chip)
    blocks = (*mapping.blocks("off_chip"), *mapping.blocks("on_chip"))
    limits = np.array([axis_extent(layer, axis) for axis in axes], dtype=np.int64)
    starts = np.zeros((1, len(axes)), dtype=np.int64)
    for loop, block in zip(loops, blocks, strict=True):
        column = axes.index(loop.axis)
        steps = np.arange(loop.factor, dtype=np.int64) * block
        starts = np.repeat(starts, loop.factor, axis=0)
        starts[:, column] += np.tile(steps, len(starts) // loop.factor)
        starts = starts[starts[:, column] < limits[column]]
    full = np.array([mapping.pass_extent(axis) for axis in axes], dtype=np.int64)
    return starts, np.minimum(full, limits - starts)
