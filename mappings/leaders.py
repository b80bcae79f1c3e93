"""The best mapping of every order of tiles a search has seen, as long as it comes near the best of all."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn
from mappings.mapping import Mapping

Floats = NDArray[np.float64]

_NEAR = 1.3
"""What costs more than so many times the best is not kept: estimates are hardly ever off by as much."""

_FEW = 16
"""Up to so many tiles their number matters too: what waits for what is then not evened out over many."""


def tiles_alike(mapping: Mapping) -> tuple[object, int]:
    """Equal for mappings that an estimate is off by about as much for: the order of tiles, and how many if few."""
    tiles = prod(loop.factor for loop in mapping.off_chip)
    return mapping.order, tiles if tiles <= _FEW else 0


class Leaders:
    """Of mappings whose tiles are alike one is kept, since a search may well settle on some that the estimate flatters.

    So the best of every order: that of the off-chip loops with more than one iteration, and where the operands are held
    in it.
    """

    def __init__(self) -> None:
        self._found: dict[object, tuple[float, MappingColumn]] = {}
        self._kinds: dict[tuple[object, ...], object] = {}
        self._least = np.inf
        self._polished: set[tuple[object, bytes]] = set()

    def add(self, column: MappingColumn, values: Floats) -> None:
        """Take in the best of each order among the mappings of a column."""
        self._least = min(self._least, float(values.min()))
        near = np.flatnonzero(values <= _NEAR * self._least)
        if not len(near) or not np.isfinite(self._least):
            return
        near = near[np.argsort(values[near], kind="stable")]
        loops = len(column.shape.off_chip)
        off_chip = column.factors[near, :loops]
        tiles = off_chip.prod(axis=1)
        kind = np.where(tiles <= _FEW, tiles, 0) << loops | (off_chip > 1) @ (1 << np.arange(loops))
        for first in np.unique(kind, return_index=True)[1].tolist():
            row = int(near[first])
            key = self._key(column, row, int(kind[first]))
            if key not in self._found or values[row] < self._found[key][0]:
                self._found[key] = float(values[row]), column.take(np.array([row]))

    def unpolished(self) -> MappingColumn | None:
        """The best that has not been asked for."""
        for key, (_, column) in sorted(self._found.items(), key=lambda entry: entry[1][0]):
            one = (key, column.factors.tobytes())
            if one not in self._polished:
                self._polished.add(one)
                return column
        return None

    @property
    def ranked(self) -> list[tuple[float, Mapping]]:
        """Best first; of equal ones that found first."""
        near = [(value, one[0]) for value, one in self._found.values() if value <= _NEAR * self._least]
        return sorted(near, key=lambda entry: entry[0])

    def _key(self, column: MappingColumn, row: int, kind: int) -> object:
        """Equal for mappings of one dataflow whose tiles are alike.

        `kind` says which are among those with the same off-chip loops and hold.
        """
        shape = column.shape
        among = (shape.name, shape.off_chip, shape.hold, kind)
        if among not in self._kinds:
            self._kinds[among] = shape.name, tiles_alike(column[row])
        return self._kinds[among]
