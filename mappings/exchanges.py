"""What lies around a mapping when two axes exchange room: tiles of the same size in another proportion.

A step between single loops cannot get there where an axis is cut by several loops: a tile that holds more of one axis
fits only when all loops of another give way together.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mappings.around import Around
from mappings.column import MappingColumn, Shape
from mappings.dataflows import ArrayShape
from mappings.mapping import axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]

_SHARES = (1, 2)
"""What another axis gives, in multiples of what one takes: registers that overflow leave more to the buffers."""


def exchanges(column: MappingColumn, layer: Layer, array: ArrayShape) -> MappingColumn:
    """A column's only mapping with one loop inside its tile changed and another axis cut, or grown, by as much.

    The other axis gives from its loops one after another, those over the array first or those in time first; it grows
    in any one of them. What does not cover the layer within the array is left out.
    """
    around = Around(column, layer, array)
    start, shape = around.start, column.shape
    blocks = []
    for place in around.plan.given.tolist():
        level, axis = shape.loops[place]
        if level == "off_chip":
            continue
        values = around.values(place)
        block = around.with_factor(place, values)
        ratio = values / start[place]
        more, less = values > start[place], values < start[place]
        for other, loops in _inside(shape):
            inside = int(start[list(loops)].prod())
            if other != axis and inside > 1 and more.any():
                for order, share in product((loops, loops[::-1]), _SHARES):
                    blocks.append(_given(block[more], order, share * ratio[more]))
            if other != axis and inside < axis_extent(layer, other) and less.any():
                for grown in loops:
                    taken = block[less]
                    taken[:, grown] = np.rint(start[grown] / ratio[less])
                    blocks.append(taken)
    return around.legal(blocks)


def _given(block: Ints, order: tuple[int, ...], ratio: NDArray[np.float64]) -> Ints:
    """The block with the loops of an axis cut, in order, until their product is smaller by the ratio."""
    left, cut = ratio.copy(), block.copy()
    for place in order:
        cut[:, place] = np.maximum(1, np.ceil(block[:, place] / left - 1e-9)).astype(np.int64)
        left = np.maximum(1.0, left * cut[:, place] / block[:, place])
    return cut


@lru_cache(maxsize=4096)
def _inside(shape: Shape) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Axes, and the places of their loops inside a tile, those in time first."""
    found: dict[str, list[int]] = {}
    for place, (level, axis) in enumerate(shape.loops):
        if level != "off_chip":
            found.setdefault(axis, []).append(place)
    return tuple((axis, tuple(places)) for axis, places in found.items())
