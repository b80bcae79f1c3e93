"""Mappings drawn by their tiles: what crosses the chip's pins is for tiles to decide, whatever passes they are made of.

Extents of a tile are drawn for each axis, then unrolled as far as the array reaches, and the rest is left to loops in
time. `MapSpace.sample` draws the other way round, passes first, and so hardly ever draws large tiles of odd extents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import ArrayShape, close
from mappings.distinct import distinct_rows
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]

_WHOLE, _ONE = 0.5, 0.2
"""Chances that a tile has all of an axis, and a single index of it."""
_STEPS = 2
"""So many tiles more or fewer along an axis are a step."""
_LEFT_OUT = 0.2
"""Chance that an unrolled loop takes nothing."""


def tilings(shape: Shape, layer: Layer, array: ArrayShape, count: int, random: np.random.Generator) -> MappingColumn:
    """Up to `count` random mappings of a shape by their tiles; what is not legal is dropped."""
    extents = {
        axis: _part(layer, array, axis, count, random) for axis in dict.fromkeys(axis for _, axis in shape.loops)
    }
    return _filled(shape, layer, array, extents, count, random)


def retiled(
    column: MappingColumn, layer: Layer, array: ArrayShape, count: int, random: np.random.Generator
) -> MappingColumn:
    """The column's only mapping with two axes cut into a few tiles more or fewer, in up to `count` ways, each once."""
    inside: dict[str, int] = {}
    for place, (level, axis) in enumerate(column.shape.loops):
        inside[axis] = inside.get(axis, 1) * (int(column.factors[0, place]) if level != "off_chip" else 1)
    axes = [axis for axis in inside if axis_extent(layer, axis) > 1]
    chosen = np.argsort(random.random((count, len(axes))), axis=1)[:, :2]
    extents = {axis: np.full(count, min(axis_extent(layer, axis), tile)) for axis, tile in inside.items()}
    for place, axis in enumerate(axes):
        extent = axis_extent(layer, axis)
        parts = -(-extent // extents[axis]) + random.integers(-_STEPS, _STEPS + 1, count)
        cut = -(-extent // np.clip(parts, 1, extent))
        extents[axis] = np.where((chosen == place).any(axis=1), cut, extents[axis])
    found = _filled(column.shape, layer, array, extents, count, random)
    return MappingColumn(column.shape, distinct_rows(found.factors)[0]) if len(found) else found


def _filled(
    shape: Shape, layer: Layer, array: ArrayShape, left: dict[str, Ints], count: int, random: np.random.Generator
) -> MappingColumn:
    """`count` mappings of tiles of so many indices of each axis: unrolled first, and what is `left` in time."""
    loops = shape.loops
    factors = np.ones((count, len(loops)), dtype=np.int64)
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
            factors[:, place] = np.where(random.random(count) < 0.5, most, cuts(most, random))
    return close(MappingColumn(shape, factors), layer)


def _part(layer: Layer, array: ArrayShape, axis: str, count: int, random: np.random.Generator) -> Ints:
    """Extents of tiles along an axis: all of it, one index, or it cut into nearly equal parts.

    A flattened axis is there to fill the array: its tiles have as many indices as a side of it at least.
    """
    extent = np.full(count, axis_extent(layer, axis), dtype=np.int64)
    flattened = len(axis) > 1
    most = np.maximum(1, extent // max(array.rows, array.columns)) if flattened else extent
    choice = random.random(count)
    part = np.where(choice < _WHOLE, extent, -(-extent // cuts(most, random)))
    return part if flattened else np.where(choice > 1 - _ONE, 1, part)


def cuts(most: Ints, random: np.random.Generator) -> Ints:
    """Numbers of up to `most`, small ones more often, and half of them powers of two: most extents are multiples."""
    found = np.maximum(1, np.floor(most ** random.random(len(most)) + 1e-9)).astype(np.int64)
    return np.where(random.random(len(most)) < 0.5, 1 << np.log2(found).astype(np.int64), found)
