"""Every mapping next to another one: all changes of one factor, alone or traded for another of its axis or level."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn
from mappings.dataflows import ArrayShape
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from mappings.moves import Layout, layout, settle
from workloads.layer import Layer

Ints = NDArray[np.int64]

_SMALL = 16
"""Of factors up to this, every one is tried; of larger ones those that cut an extent into other numbers of parts."""
_PARTS = 12


def neighbours(column: MappingColumn, layer: Layer, array: ArrayShape) -> MappingColumn:
    """All neighbours of a column's only mapping, each once, that cover the layer within the array."""
    plan = layout(column.shape)
    start = column.factors[0]
    rows = [start]
    for place in plan.given.tolist():
        level, axis = column.shape.loops[place]
        most = axis_extent(layer, axis)
        if level in SPATIAL_LEVELS:
            most = min(most, getattr(array, level))
        values = _values(most, int(start[place]))
        values = values[values != start[place]]
        block = np.repeat(start[None], len(values), axis=0)
        block[:, place] = values
        rows.append(block)
        for partner in _partners(plan, place):
            for scaled in _scaled(start[place], start[partner], values):
                traded = block.copy()
                traded[:, partner] = scaled
                rows.append(traded[scaled != start[partner]])
    factors = np.vstack(rows)
    within = np.ones(len(factors), dtype=bool)
    for level, places in zip(SPATIAL_LEVELS, plan.spatial, strict=True):
        within &= factors[:, places].prod(axis=1) <= getattr(array, level)
    factors = factors[within]
    legal = settle(plan, layer, factors)
    factors = np.unique(factors[legal], axis=0)
    return MappingColumn(column.shape, factors[(factors != start).any(axis=1)])


def _partners(plan: Layout, place: int) -> list[int]:
    """Loops to trade with: of the same axis, and of the same level."""
    return sorted({int(other) for kind in (0, 1) for other in plan.partners[kind, place, : plan.choices[kind, place]]})


def _scaled(own: int, partner: int, values: Ints) -> tuple[Ints, Ints]:
    """The partner's factors that keep the product, at most and at least."""
    product = int(own) * int(partner)
    return np.maximum(1, product // values), -(-product // values)


@lru_cache(maxsize=4096)
def _useful(most: int) -> Ints:
    parts = np.unique(np.r_[1 : _PARTS + 1, 2 ** np.arange(most.bit_length())])
    return np.unique(np.r_[1 : min(most, _SMALL) + 1, -(-most // parts[parts <= most])])


def _values(most: int, own: int) -> Ints:
    near = np.array([own - 1, own + 1, -(-own // 2), 2 * own])
    return np.union1d(_useful(most), near[(near >= 1) & (near <= most)])
