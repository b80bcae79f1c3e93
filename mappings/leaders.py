"""The best mapping of every order of tiles a search has seen, as long as it comes near the best of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.mapping import Mapping

Floats = NDArray[np.float64]

_NEAR = 1.3
"""What costs more than so many times the best is not kept: estimates are hardly ever off by as much."""


class Leaders:
    """Estimates are off by about as much for mappings with the same order of tiles: of every order one is kept, since
    a search may well settle on an order that the estimate flatters.

    An order is that of the off-chip loops with more than one iteration, and where the operands are held in it.
    """

    def __init__(self) -> None:
        self._found: dict[object, tuple[float, MappingColumn]] = {}
        self._orders: dict[tuple[Shape, int], object] = {}
        self._least = np.inf

    def add(self, column: MappingColumn, values: Floats) -> None:
        """Take in the best of each order among the mappings of a column."""
        self._least = min(self._least, float(values.min()))
        near = np.flatnonzero(values <= _NEAR * self._least)
        if not len(near) or not np.isfinite(self._least):
            return
        near = near[np.argsort(values[near], kind="stable")]
        loops = len(column.shape.off_chip)
        moving = (column.factors[near, :loops] > 1) @ (1 << np.arange(loops))
        for first in np.unique(moving, return_index=True)[1].tolist():
            row = int(near[first])
            key = self._order(column, row, int(moving[first]))
            if key not in self._found or values[row] < self._found[key][0]:
                self._found[key] = float(values[row]), column.take(np.array([row]))

    @property
    def ranked(self) -> list[tuple[float, Mapping]]:
        """Best first; of equal ones that found first."""
        near = [(value, one[0]) for value, one in self._found.values() if value <= _NEAR * self._least]
        return sorted(near, key=lambda entry: entry[0])

    def _order(self, column: MappingColumn, row: int, moving: int) -> object:
        """Equal for mappings of equal orders: `moving` says which of the off-chip loops have iterations."""
        if (column.shape, moving) not in self._orders:
            mapping = column[row]
            self._orders[column.shape, moving] = mapping.name, mapping.order
        return self._orders[column.shape, moving]
