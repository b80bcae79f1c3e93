"""What lies around a mapping: every change of one factor, alone or with another factor; every other unrolling."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.around import Around
from mappings.column import MappingColumn
from mappings.dataflows import ArrayShape
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from mappings.moves import Layout, layout, settle
from workloads.layer import Layer

Ints = NDArray[np.int64]

_TILES = (1, 2, 3, 4)
"""Factors that a loop off chip takes when another loop changes: what fits beside it may be more or less."""
_MOST = 20_000
"""Ways to fill an array that are looked through."""


def neighbours(column: MappingColumn, layer: Layer, array: ArrayShape) -> MappingColumn:
    """All neighbours of a column's only mapping, each once, that cover the layer within the array.

    Each factor takes other values: alone; with a factor of the same axis or level that keeps their product; with
    another number of tiles.
    """
    around = Around(column, layer, array)
    start, loops = around.start, column.shape.loops
    off_chip = [place for place in around.plan.given.tolist() if loops[place][0] == "off_chip"]
    blocks = []
    for place in around.plan.given.tolist():
        values = around.values(place)
        values = values[values != start[place]]
        block = around.with_factor(place, values)
        blocks.append(block)
        if loops[place][0] != "off_chip":
            for outside, factor in product(off_chip, _TILES):
                tiles = block.copy()
                tiles[:, outside] = factor
                blocks.append(tiles)
        for partner in _partners(around.plan, place):
            for scaled in _scaled(start[place], start[partner], values):
                traded = block.copy()
                traded[:, partner] = scaled
                blocks.append(traded[scaled != start[partner]])
    return around.legal(blocks)


def respread(
    column: MappingColumn, layer: Layer, array: ArrayShape, most: int, random: np.random.Generator
) -> MappingColumn:
    """A column's only mapping unrolled in all other ways that fill the array, `most` of them drawn if there are more.

    Tiles stay about as large as they are. Half of them take another number of tiles, too: what fits beside another
    unrolling may be more or less.
    """
    plan = layout(column.shape)
    loops = column.shape.loops
    choices = [
        _fillings(tuple(axis_extent(layer, loops[place][1]) for place in places), getattr(array, level))
        for level, places in zip(SPATIAL_LEVELS, plan.spatial, strict=True)
    ]
    number = int(np.prod([len(found) for found in choices]))
    index = np.arange(number) if number <= most else random.integers(0, number, most)
    factors = np.repeat(column.factors, len(index), axis=0)
    for places, found in zip(plan.spatial, choices, strict=True):
        factors[:, places] = found[index % len(found)]
        index = index // len(found)
    _keep_tiles(column, factors, random)
    outside = [place for place in plan.given.tolist() if loops[place][0] == "off_chip"]
    if outside:
        place = np.array(outside)[random.integers(0, len(outside), len(factors))]
        rows = np.flatnonzero(random.random(len(factors)) < 0.5)
        factors[rows, place[rows]] = random.integers(1, _TILES[-1] + 1, len(rows))
    legal = settle(plan, layer, factors)
    return MappingColumn(column.shape, factors[legal])


def _keep_tiles(column: MappingColumn, factors: Ints, random: np.random.Generator) -> None:
    """Where an axis is unrolled further, or less, let its largest loop in time inside the tile make up for it."""
    start, loops = column.factors[0], column.shape.loops
    for axis in dict.fromkeys(axis for _, axis in loops):
        mine = [place for place, (level, name) in enumerate(loops) if name == axis and level != "off_chip"]
        spatial = [place for place in mine if loops[place][0] in SPATIAL_LEVELS]
        in_time = [place for place in mine if loops[place][0] not in SPATIAL_LEVELS]
        if spatial and in_time:
            largest = max(in_time, key=lambda place: start[place])
            exact = start[largest] * start[spatial].prod() / factors[:, spatial].prod(axis=1)
            factors[:, largest] = np.maximum(1, np.floor(exact + random.random(len(factors))))


@lru_cache(maxsize=4096)
def _fillings(extents: tuple[int, ...], limit: int) -> Ints:
    """(fillings, loops): factors that cut extents into different numbers of parts and fill over half of the limit."""
    found: list[tuple[int, ...]] = [()]
    for extent in extents:
        options = {-(-extent // -(-extent // factor)) for factor in range(1, min(extent, limit) + 1)}
        found = [(*chosen, option) for chosen in found for option in sorted(options) if option * prod(chosen) <= limit][
            :_MOST
        ]
    fullest = max(prod(chosen) for chosen in found)
    full = [chosen for chosen in found if 2 * prod(chosen) > fullest]
    return np.array(full, dtype=np.int64).reshape(len(full), len(extents))


def _partners(plan: Layout, place: int) -> list[int]:
    """Loops to trade with: of the same axis, and of the same level."""
    return sorted({int(other) for kind in (0, 1) for other in plan.partners[kind, place, : plan.choices[kind, place]]})


def _scaled(own: int, partner: int, values: Ints) -> tuple[Ints, Ints]:
    """The partner's factors that keep the product, at most and at least."""
    both = int(own) * int(partner)
    return np.maximum(1, both // values), -(-both // values)
