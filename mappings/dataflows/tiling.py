"""Candidate factors: ways to split an extent, and orders to put the off-chip loops in."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn
from mappings.mapping import LEVELS, TEMPORAL_LEVELS, axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]

ONE: Ints = np.ones(1, dtype=np.int64)

_PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


def splits(extent: int, block: int = 1, most: int | None = None, choices: int = 8) -> Ints:
    """Iteration counts over blocks that cut an extent into nearly equal parts, the whole first, at most `most`."""
    whole = -(-extent // block)
    counts = {-(-whole // parts) for parts in _PARTS if parts <= whole} | {1}
    if most is not None:
        counts = {count for count in counts if count <= most} | {min(whole, most)}
    ordered = sorted(counts, reverse=True)
    if len(ordered) > choices:
        picked = np.unique(np.linspace(0, len(ordered) - 1, choices).round().astype(int))
        ordered = [ordered[index] for index in picked]
    return np.array(ordered, dtype=np.int64)


def unrollings(extent: int, most: int, bypass: bool) -> Ints:
    """How far to unroll an extent over one side of the array: all of it, and what cuts the extent into equal parts.

    `bypass`: no further than the extent goes, what is left of the side costs nothing.
    """
    most = min(most, extent) if bypass else most
    even = -(-extent // -(-extent // most))
    return np.array([most] if even in (most, extent) else [most, even], dtype=np.int64)


def orders(*axes: str) -> list[tuple[str, ...]]:
    """Every order of the axes. Loops of a single iteration make some of them equal; the cost does not mind."""
    return list(permutations(axes))


def close(column: MappingColumn, layer: Layer) -> MappingColumn:
    """Set the outermost off-chip loop of every axis to the iterations it needs; drop rows with loops left empty."""
    loops = column.shape.loops
    factors = column.factors.copy()
    legal = np.ones(len(factors), dtype=bool)
    outermost: dict[str, int] = {}
    for position, (level, axis) in enumerate(loops):
        if level == "off_chip":
            outermost.setdefault(axis, position)
    for axis in dict.fromkeys(axis for _, axis in loops):
        extent = axis_extent(layer, axis)
        block = np.ones(len(factors), dtype=np.int64)
        inside_out = sorted(
            (position for position, (_, name) in enumerate(loops) if name == axis),
            key=lambda position: (-_depth(loops[position][0]), -position),
        )
        for position in inside_out:
            if position == outermost.get(axis):
                factors[:, position] = -(-extent // block)
            elif loops[position][0] in TEMPORAL_LEVELS:
                legal &= (factors[:, position] - 1) * block < extent
            block = block * factors[:, position]
        legal &= block >= extent
    return MappingColumn(column.shape, factors[legal])


def _depth(level: str) -> int:
    return LEVELS.index(level)
