"""The map space of a layer: which shapes of loop nest there are, and how to draw and change factors within them.

Orders are reduced to those that can differ. Off chip and on chip, two loops next to each other may change places when
the same operands depend on both: what is fetched, and how often, stays the same. So N, P, Q move together, and C, R, S;
G, on which all operands depend, goes outermost, where it repeats nothing. Six orders of three classes remain at each
level. In the registers, Q is innermost of its class so that windows slide along a row. A column of candidates has one
shape; what `close` leaves out is illegal, or equal to a mapping with smaller factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import DATAFLOWS, ArrayShape, candidates, close
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]

_PIXELS, _FILTERS, _VOLUME = ("N", "P", "Q"), ("K",), ("C", "R", "S")
_FLAT = (("NPQ",), ("K",), ("CRS",))
_TILINGS = 16
"""Tilings drawn for each pass drawn: what a pass costs takes longer to find than what a tiling does."""
_SPREAD = ("G", "K", "C", "P", "Q", "R", "S")
"""Dimensions worth unrolling: images are few, and as good in time."""


@dataclass(frozen=True, slots=True)
class MapSpace:
    """The mappings of a layer on an array: within a named dataflow, or over every dataflow and all general shapes."""

    layer: Layer
    array: ArrayShape
    dataflows: tuple[str, ...]
    general: bool = False

    @classmethod
    def anything(cls, layer: Layer, array: ArrayShape) -> MapSpace:
        """All splits of the eight dimensions over every level, the named dataflows among them."""
        return cls(layer, array, tuple(DATAFLOWS), general=True)

    def seeds(self) -> list[MappingColumn]:
        """Every candidate of the named dataflows: where a search starts, and what it is never worse than."""
        return [column for name in self.dataflows for column in candidates(name, self.layer, self.array)]

    def shapes(self) -> list[Shape]:
        """The general shapes, reduced as the module says; empty for a space of named dataflows."""
        return _general_shapes() if self.general else []

    def sample(self, shape: Shape, count: int, random: np.random.Generator, tilings: int = _TILINGS) -> MappingColumn:
        """Up to `count` random mappings of a shape, `tilings` to each pass drawn; illegal draws are dropped."""
        passes = max(1, count // tilings)
        factors = np.ones((passes, len(shape.loops)), dtype=np.int64)
        limits = {"rows": self.array.rows, "columns": self.array.columns, "lanes": self.array.lanes}
        for level in SPATIAL_LEVELS:
            self._spread(shape, level, limits[level], factors, random)
        self._draw(shape, "registers", factors, random)
        factors = np.repeat(factors, tilings, axis=0)
        self._draw(shape, "on_chip", factors, random)
        return close(MappingColumn(shape, factors), self.layer)

    def mutate(self, column: MappingColumn, random: np.random.Generator) -> MappingColumn:
        """Each mapping with one or two of its factors changed; those that became illegal are dropped."""
        factors = column.factors.copy()
        rows = np.arange(len(factors))
        for _ in range(2):
            position = random.integers(0, factors.shape[1], len(factors))
            old = factors[rows, position]
            step = random.integers(0, 6, len(factors))
            moves = [old + 1, old - 1, old * 2, -(-old // 2), np.ones_like(old), self._whole(column.shape, position)]
            again = random.random(len(factors)) < 0.7
            changed = np.maximum(1, np.choose(step, moves))
            factors[rows, position] = np.where(again, changed, old)
        return close(self._within(MappingColumn(column.shape, _reset(column.shape, factors))), self.layer)

    def _draw(self, shape: Shape, level: str, factors: Ints, random: np.random.Generator) -> None:
        """Temporal factors of a level: one, all that is left, or a cut of it into nearly equal parts."""
        count = len(factors)
        for position, (own, axis) in enumerate(shape.loops):
            if own != level:
                continue
            inner = np.prod(factors[:, [i for i, loop in enumerate(shape.loops) if loop[1] == axis]], axis=1)
            most = np.maximum(1, -(-axis_extent(self.layer, axis) // inner))
            cut = np.maximum(1, np.floor(most ** random.random(count) + 1e-9)).astype(np.int64)
            chosen = random.integers(0, 3, count)
            factors[:, position] = np.where(chosen == 0, 1, np.where(chosen == 1, most, -(-most // cut)))

    def _spread(self, shape: Shape, level: str, limit: int, factors: Ints, random: np.random.Generator) -> None:
        """Fill one spatial axis of the array: a random dimension first, then others into what is left."""
        places = [position for position, loop in enumerate(shape.loops) if loop[0] == level]
        if not places:
            return
        left = np.full(len(factors), limit, dtype=np.int64)
        extents = np.array([axis_extent(self.layer, shape.loops[place][1]) for place in places])
        for choice in np.argsort(random.random((len(factors), len(places))), axis=1).T[:3]:
            most = np.minimum(extents[choice], left)
            parts = -(-extents[choice] // most)
            even = -(-extents[choice] // parts)
            taken = np.where(random.random(len(factors)) < 0.5, most, even)
            factors[np.arange(len(factors)), np.array(places)[choice]] = taken
            left //= taken

    def _whole(self, shape: Shape, position: Ints) -> Ints:
        extents = np.array([axis_extent(self.layer, axis) for _, axis in shape.loops], dtype=np.int64)
        return extents[position]

    def _within(self, column: MappingColumn) -> MappingColumn:
        """Those that do not unroll further than the array reaches."""
        fits = np.ones(len(column), dtype=bool)
        for level, limit in zip(SPATIAL_LEVELS, (self.array.rows, self.array.columns, self.array.lanes), strict=True):
            places = [position for position, loop in enumerate(column.shape.loops) if loop[0] == level]
            fits &= np.prod(column.factors[:, places].astype(np.float64), axis=1) <= limit
        return column.take(fits)


def exhaustive(space: MapSpace, shape: Shape, most: int = 2_000_000) -> MappingColumn | None:
    """Every legal mapping of a shape, all factors of every loop tried; None when they are more than `most`."""
    choices = []
    outermost: set[str] = set()
    for level, axis in shape.loops:
        extent = axis_extent(space.layer, axis)
        if level == "off_chip" and axis not in outermost:
            outermost.add(axis)
            choices.append(np.ones(1, dtype=np.int64))
        elif level in SPATIAL_LEVELS:
            choices.append(np.arange(1, min(extent, getattr(space.array, level)) + 1))
        else:
            choices.append(np.arange(1, extent + 1))
    if np.prod([float(len(choice)) for choice in choices]) > most:
        return None
    mesh = np.meshgrid(*choices, indexing="ij")
    factors = np.stack([part.reshape(-1) for part in mesh], axis=-1).astype(np.int64)
    return close(space._within(MappingColumn(shape, factors)), space.layer)


def _reset(shape: Shape, factors: Ints) -> Ints:
    """Outermost off-chip factors back to 1, for `close` to find anew."""
    seen: set[str] = set()
    for position, (level, axis) in enumerate(shape.loops):
        if level == "off_chip" and axis not in seen:
            seen.add(axis)
            factors[:, position] = 1
    return factors


def _general_shapes() -> list[Shape]:
    """Reduced orders at each level; partial sums may wait in the buffer while a reduction runs outside other loops."""
    found = []
    for classes in ((_PIXELS, _FILTERS, _VOLUME), _FLAT):
        spread = _SPREAD if classes is not _FLAT else ("G", "NPQ", "K", "CRS")
        for off, on, inner in product(permutations(classes), permutations(classes), permutations(classes)):
            off_chip = ("G", *(axis for group in off for axis in group))
            reduction = off.index(classes[2])
            before = 1 + sum(len(group) for group in off[:reduction])
            holds = {None} if reduction == 2 else {None, before}
            for hold in sorted(holds, key=str):
                found.append(
                    Shape(
                        "any",
                        off_chip=off_chip,
                        on_chip=tuple(axis for group in on for axis in group),
                        registers=tuple(axis for group in inner for axis in group),
                        rows=spread,
                        columns=spread,
                        lanes=spread[1:4],
                        hold=(None, None, hold),
                    )
                )
    return found
