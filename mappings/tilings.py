"""Mappings drawn by their tiles: what crosses the chip's pins is for tiles to decide, whatever passes they are made of.

Extents of a tile are drawn for each axis, then unrolled as far as the array reaches, and the rest is left to loops in
time. `MapSpace.sample` draws the other way round, passes first, and so hardly ever draws large tiles of odd extents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import ArrayShape, close
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]

_WHOLE, _ONE = 0.25, 0.25
"""Chances that a tile has all of an axis, and a single index of it."""
_LEFT_OUT = 0.2
"""Chance that an unrolled loop takes nothing."""


def tilings(shape: Shape, layer: Layer, array: ArrayShape, count: int, random: np.random.Generator) -> MappingColumn:
    """Up to `count` random mappings of a shape by their tiles; what is not legal is dropped."""
    loops = shape.loops
    factors = np.ones((count, len(loops)), dtype=np.int64)
    left = {axis: _part(layer, axis, count, random) for axis in dict.fromkeys(axis for _, axis in loops)}
    for level in SPATIAL_LEVELS:
        room = np.full(count, getattr(array, level), dtype=np.int64)
        for place in random.permutation([at for at, loop in enumerate(loops) if loop[0] == level]).tolist():
            axis = loops[place][1]
            most = -(-left[axis] // np.minimum(left[axis], room))
            taken = np.where(random.random(count) < _LEFT_OUT, 1, -(-left[axis] // most))
            factors[:, place] = taken
            room //= taken
            left[axis] = -(-left[axis] // taken)
    for place, (level, axis) in reversed(list(enumerate(loops))):
        if level in ("registers", "on_chip"):
            takes = (random.random(count) < 0.5) | (level == "on_chip") | (("on_chip", axis) not in loops)
            factors[:, place] = np.where(takes, left[axis], 1)
            left[axis] = np.where(takes, 1, left[axis])
        elif level == "off_chip" and axis in shape.off_chip[:place]:
            inside = [at for at, loop in enumerate(loops) if loop[1] == axis and at != place]
            most = np.maximum(1, -(-axis_extent(layer, axis) // np.prod(factors[:, inside], axis=1)))
            factors[:, place] = np.where(random.random(count) < 0.5, most, _cut(most, random))
    return close(MappingColumn(shape, factors), layer)


def _part(layer: Layer, axis: str, count: int, random: np.random.Generator) -> Ints:
    """Extents of tiles along an axis: all of it, one index, or it cut into nearly equal parts."""
    extent = np.full(count, axis_extent(layer, axis), dtype=np.int64)
    choice = random.random(count)
    part = np.where(choice < _WHOLE, extent, -(-extent // _cut(extent, random)))
    return np.where(choice > 1 - _ONE, 1, part)


def _cut(most: Ints, random: np.random.Generator) -> Ints:
    """Numbers of up to `most`, small ones more often."""
    return np.maximum(1, np.floor(most ** random.random(len(most)) + 1e-9)).astype(np.int64)
