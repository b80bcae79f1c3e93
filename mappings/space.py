"""The map space of a layer: which mappings there are, and how to draw them and step between them.

A column of candidates has one shape. What `close` leaves out is illegal, or equal to a mapping with smaller factors;
which shapes there are, and why no others need be looked at, says `mappings.orders`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import DATAFLOWS, ArrayShape, candidates, close
from mappings.exchanges import exchanges
from mappings.footprint import Fits, Footprints, anything_fits
from mappings.holding import held, held_elsewhere
from mappings.mapping import SPATIAL_LEVELS, axis_extent
from mappings.moves import step
from mappings.neighbours import neighbours, respread
from mappings.orders import general_shapes, random_shape, reordered, widened
from mappings.tilings import cuts, retiled, tilings
from workloads.layer import Layer

Ints = NDArray[np.int64]

_TILINGS = 16
"""Tilings drawn for each pass drawn: what a pass costs takes longer to find than what a tiling does."""
_HELD = 0.5
"""Chance that another order is the same one with an operand held elsewhere."""


@dataclass(frozen=True)
class MapSpace:
    """The mappings of a layer on an array that fit its buffers.

    fits: whether footprints fit, a column of them at a time. dataflows: only mappings of these families, whatever
    their factors; None: all splits of the eight dimensions over every level, the named dataflows among them.
    """

    layer: Layer
    array: ArrayShape
    fits: Fits = anything_fits
    dataflows: tuple[str, ...] | None = None
    _footprints: Footprints = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_footprints", Footprints(self.layer))

    @cached_property
    def candidates(self) -> list[MappingColumn]:
        """Every candidate of the named dataflows, whether it fits or not; a column a shape."""
        names = DATAFLOWS if self.dataflows is None else self.dataflows
        return [column for name in names for column in candidates(name, self.layer, self.array)]

    def seeds(self) -> list[MappingColumn]:
        """The candidates that fit: where a search starts, and what it is never worse than."""
        return [fitting for column in self.candidates if len(fitting := self.fitting(column))]

    def shapes(self) -> Iterator[Shape]:
        """Every shape of the space."""
        if self.dataflows is None:
            yield from general_shapes(self.layer)
        else:
            yield from self._named

    def shape(self, random: np.random.Generator) -> Shape | None:
        """Any of the shapes; None if there is none."""
        if self.dataflows is None:
            return random_shape(self.layer, random)
        return self._named[int(random.integers(len(self._named)))] if self._named else None

    def fitting(self, column: MappingColumn) -> MappingColumn:
        """Those of a closed column that fit the buffers."""
        return column.take(self.fits(self._footprints.of(column))) if len(column) else column

    def sample(self, shape: Shape, count: int, random: np.random.Generator, tilings: int = _TILINGS) -> MappingColumn:
        """Up to `count` random mappings of a shape, `tilings` to each pass drawn; what is not legal is dropped."""
        passes = max(1, count // tilings)
        factors = np.ones((passes, len(shape.loops)), dtype=np.int64)
        for level in SPATIAL_LEVELS:
            self._spread(shape, level, getattr(self.array, level), factors, random)
        self._draw(shape, "registers", factors, random)
        factors = np.repeat(factors, tilings, axis=0)
        self._draw(shape, "on_chip", factors, random)
        self._draw(shape, "off_chip", factors, random)
        return close(MappingColumn(shape, factors), self.layer)

    def tilings(self, shape: Shape, count: int, random: np.random.Generator) -> MappingColumn:
        """Up to `count` random mappings of a shape, drawn by their tiles; what is not legal is dropped."""
        return tilings(shape, self.layer, self.array, count, random)

    def retiled(self, column: MappingColumn, count: int, random: np.random.Generator) -> MappingColumn:
        """The column's only mapping with tiles of other extents along two axes, up to `count` times."""
        return retiled(column, self.layer, self.array, count, random)

    def mutate(self, column: MappingColumn, random: np.random.Generator, in_time: bool = False) -> MappingColumn:
        """Each mapping some steps away, within the array; what is not legal is dropped. `in_time`: of loops in time."""
        return step(column, self.layer, self.array, random, in_time)

    def neighbours(self, column: MappingColumn) -> MappingColumn:
        """All mappings next to the column's only one."""
        return neighbours(column, self.layer, self.array)

    def exchanges(self, column: MappingColumn) -> MappingColumn:
        """The column's only mapping with room exchanged between two axes."""
        return exchanges(column, self.layer, self.array)

    def held(self, column: MappingColumn, most: int, random: np.random.Generator) -> list[MappingColumn]:
        """The column's only mapping, about `most` times, with operands held elsewhere and tiles of other extents."""
        elsewhere = list(held(column))
        return [near for one in elsewhere for near in (one, self.retiled(one, most // len(elsewhere), random))]

    def respread(self, column: MappingColumn, most: int, random: np.random.Generator) -> list[MappingColumn]:
        """The column's only mapping, about `most` times, unrolled in other ways, of its shape or of others.

        What an axis is unrolled further, or less, a loop of it in time makes up for: tiles are about as large.
        """
        shapes = [column.shape, *self._others(column.shape)]
        return [
            respread(_moved(column, shape), self.layer, self.array, most // len(shapes), random) for shape in shapes
        ]

    def reorder(self, column: MappingColumn, random: np.random.Generator) -> MappingColumn:
        """The same factors in another shape: other loops where the space has them, or operands held elsewhere."""
        if self.dataflows is None:
            wide = column if column.shape.name == "any" else _moved(column, widened(column.shape, self.layer))
            shape = wide.shape
            for _ in range(1 + int(random.integers(3))):
                shape = reordered(shape, random)
            return close(_moved(wide, shape), self.layer)
        others = self._others(column.shape)
        if not others or random.random() < _HELD:
            turning = np.any(column.factors[:, : len(column.shape.off_chip)] > 1, axis=0)
            return MappingColumn(held_elsewhere(column.shape, turning, random), column.factors)
        return close(_moved(column, others[int(random.integers(len(others)))]), self.layer)

    @cached_property
    def _named(self) -> list[Shape]:
        return list(dict.fromkeys(column.shape for column in self.candidates))

    def _others(self, shape: Shape) -> list[Shape]:
        """The other shapes of a named dataflow."""
        if self.dataflows is None:
            return []
        return [other for other in self._named if other.name == shape.name and other != shape]

    def _draw(self, shape: Shape, level: str, factors: Ints, random: np.random.Generator) -> None:
        """Temporal factors of a level: one, all that is left, or a cut of it into nearly equal parts."""
        count, loops = len(factors), shape.loops
        for position, (own, axis) in reversed(list(enumerate(loops))):
            if own != level or (own == "off_chip" and axis not in shape.off_chip[:position]):
                continue  # the outermost off-chip loops are for `close` to find
            inner = np.prod(factors[:, [i for i, loop in enumerate(loops) if loop[1] == axis]], axis=1)
            most = np.maximum(1, -(-axis_extent(self.layer, axis) // inner))
            cut = cuts(most, random)
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


def _moved(column: MappingColumn, shape: Shape) -> MappingColumn:
    """Factors by level and axis in the order of another shape; what it does not have is dropped, what is new is 1."""
    factors = np.ones((len(column), len(shape.loops)), dtype=np.int64)
    places: dict[tuple[str, str], list[int]] = {}
    for place, loop in enumerate(column.shape.loops):
        places.setdefault(loop, []).append(place)
    for place, loop in enumerate(shape.loops):
        if places.get(loop):
            factors[:, place] = column.factors[:, places[loop].pop(0)]
    return MappingColumn(shape, factors)
