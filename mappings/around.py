"""Around one mapping: the factors its loops may take, and which of the changed mappings are mappings at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn
from mappings.dataflows import ArrayShape
from mappings.distinct import distinct_rows
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from mappings.moves import layout, settle
from workloads.layer import Layer

Ints = NDArray[np.int64]

_SMALL = 16
"""Of factors up to this, every one is tried; of larger ones those that cut an extent into other numbers of parts."""
_PARTS = 12


class Around:
    """A column's only mapping, on a layer and an array, as rows of factors to change."""

    def __init__(self, column: MappingColumn, layer: Layer, array: ArrayShape) -> None:
        self.shape = column.shape
        self.plan = layout(column.shape)
        self.start: Ints = column.factors[0]
        self._layer, self._array = layer, array

    def values(self, place: int) -> Ints:
        """Factors worth trying for a loop: many small ones, those that cut into few parts, and those near its own."""
        level, axis = self.shape.loops[place]
        most = axis_extent(self._layer, axis)
        if level in SPATIAL_LEVELS:
            most = min(most, getattr(self._array, level))
        return _worth_trying(most, int(self.start[place]))

    def with_factor(self, place: int, values: Ints) -> Ints:
        """(values, loops): the mapping with one loop's factor replaced by each of the values."""
        block = np.repeat(self.start[None], len(values), axis=0)
        block[:, place] = values
        return block

    def legal(self, blocks: Sequence[Ints]) -> MappingColumn:
        """The other mappings among blocks of rows, each once: those that cover the layer within the array."""
        factors = np.vstack([self.start[None], *blocks])
        within = np.ones(len(factors), dtype=bool)
        for level, places in zip(SPATIAL_LEVELS, self.plan.spatial, strict=True):
            within &= factors[:, places].prod(axis=1) <= getattr(self._array, level)
        factors = factors[within]
        covering = settle(self.plan, self._layer, factors)
        factors, _ = distinct_rows(factors[covering])
        return MappingColumn(self.shape, factors[(factors != self.start).any(axis=1)])


@lru_cache(maxsize=4096)
def _worth_trying(most: int, own: int) -> Ints:
    near = np.array([own - 1, own + 1, -(-own // 2), 2 * own])
    return np.union1d(_useful(most), near[(near >= 1) & (near <= most)])


@lru_cache(maxsize=4096)
def _useful(most: int) -> Ints:
    parts = np.unique(np.r_[1 : _PARTS + 1, 2 ** np.arange(most.bit_length())])
    return np.unique(np.r_[1 : min(most, _SMALL) + 1, -(-most // parts[parts <= most])])
