"""What the mappings of a column keep in the buffers: the question a search puts to whoever knows the buffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.distinct import distinct_rows
from mappings.mapping import axis_extent
from mappings.ranges import dim_ranges, window_words
from workloads.layer import DIMS, REDUCED, RELEVANT, Layer, Operand

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """One element, or row, a mapping.

    `words`: (mappings, 3), of inputs, weights and outputs kept at once; equal to the schedule's `held_words`, but for
    inputs of flattened axes, of which the first tile counts (later ones may lie across one image or channel more), and
    of an input hold, of which one tile counts. So never more than the schedule's.
    `unfinished`: whether partial sums come back to the buffer, because a pass leaves a reduction undone.
    `one_weight_pass`: whether a tile's weights are all of one pass.
    """

    words: Ints
    unfinished: Bools
    one_weight_pass: Bools


Fits = Callable[[Footprint], Bools]
"""Whether the buffers may hold each footprint. What it refuses is never costed; the cost has the last word."""


def anything_fits(footprint: Footprint) -> Bools:
    """Buffers without end."""
    return np.ones(len(footprint.words), dtype=bool)


class Footprints:
    """Footprints of a layer's mappings; sizes of input tiles are remembered."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        # One more than the rows, or the columns, by extents of outputs and taps; 0: not known yet.
        self._sides: dict[tuple[str, bool, bool], Ints] = {}

    def of(self, column: MappingColumn) -> Footprint:
        """The footprints of the mappings of a closed column."""
        layer, count = self._layer, len(column)
        factors = np.ascontiguousarray(column.factors.T)
        ones = np.ones(count, dtype=np.int64)
        tile = dict.fromkeys(DIMS, ones)
        weights = outputs = ones
        unfinished, repeated = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        for axis, inside, weight_hold, output_hold, reducing, repeating in _plan(column.shape):
            extent = axis_extent(layer, axis)
            one_tile = prod((factors[place] for place in inside), start=ones)
            for place in reducing:
                unfinished |= factors[place] > 1
            for place in repeating:
                repeated |= factors[place] > 1
            if weight_hold is not None:
                weights = weights * np.minimum(prod((factors[place] for place in weight_hold), start=one_tile), extent)
            if output_hold is not None:
                outputs = outputs * np.minimum(prod((factors[place] for place in output_hold), start=one_tile), extent)
            one_tile = np.minimum(one_tile, extent)
            if len(axis) == 1:
                tile[axis] = one_tile
            else:
                for dim, extents in zip(axis, self._covered(axis, one_tile), strict=True):
                    tile[dim] = extents
        inputs = tile["G"] * tile["N"] * tile["C"]
        shared = frozenset("".join(axis for _, axis in column.shape.loops if len(axis) > 1))
        inputs = inputs * self._side("PR", tile["P"], tile["R"], shared)
        inputs = inputs * self._side("QS", tile["Q"], tile["S"], shared)
        return Footprint(np.column_stack([inputs, weights, outputs]), unfinished, ~repeated)

    def _covered(self, axis: str, extents: Ints) -> list[Ints]:
        """By dimension of a flattened axis, the range that the first tile lies across."""
        distinct, inverse = np.unique(extents, return_inverse=True)
        found = dim_ranges(self._layer, {axis: (np.zeros_like(distinct), distinct)})
        return [found[dim][1][inverse] for dim in axis]

    def _side(self, dims: str, outputs: Ints, taps: Ints, shared: frozenset[str]) -> Ints:
        """The most input rows (PR), or columns (QS), that a tile of so many outputs and taps touches.

        Of dimensions that share an axis only the first tile counts: the others do not begin at multiples of its extent.
        """
        alone = (dims[0] not in shared, dims[1] not in shared)
        if (dims, *alone) not in self._sides:
            self._sides[dims, *alone] = np.zeros([getattr(self._layer, dim) + 1 for dim in dims], np.int64)
        table = self._sides[dims, *alone]
        found: Ints = table[outputs, taps]
        unknown = found == 0
        if unknown.any():
            pairs, _ = distinct_rows(np.column_stack([outputs[unknown], taps[unknown]]))
            table[tuple(pairs.T)] = 1 + self._most(dims, pairs.tolist(), alone)
            found = table[outputs, taps]
        return found - 1

    def _most(self, dims: str, pairs: list[list[int]], alone: tuple[bool, bool]) -> Ints:
        """Of pairs of outputs and taps, the most that a tile touches."""
        layer = self._layer
        whole, window = (getattr(layer, dim) for dim in dims)
        tiles, groups = [], []
        for output, tap in pairs:
            starts = [_telling(extent, block) for extent, block in ((whole, output), (window, tap))]
            firsts, leads = (some if by_itself else some[:1] for some, by_itself in zip(starts, alone, strict=True))
            first, lead = np.repeat(firsts, len(leads)), np.tile(leads, len(firsts))
            groups.append(len(first))
            tiles.append((first, np.minimum(output, whole - first), lead, np.minimum(tap, window - lead)))
        first, size, lead, reach = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
        words = window_words(layer, {dims[0]: (first, size), dims[1]: (lead, reach)}, dims == "PR")
        most: Ints = np.maximum.reduceat(words, np.cumsum([0, *groups[:-1]]))
        return most


def _telling(extent: int, block: int) -> Ints:
    """Starts of tiles that differ by more than their place: some at either end, where padding is, and the middle."""
    starts = np.arange(0, extent, block, dtype=np.int64)
    if len(starts) <= 8:
        return starts
    middle = len(starts) // 2
    return np.unique(np.r_[starts[:3], starts[middle - 1 : middle + 1], starts[-3:]])


@lru_cache(maxsize=4096)
def _plan(shape: Shape) -> tuple[tuple[str, list[int], list[int] | None, list[int] | None, list[int], list[int]], ...]:
    """By axis the places of loops: inside a tile; off chip inside the hold of weights and of outputs, None where the
    operand does not depend on the axis; that leave a reduction undone; that take other weights from pass to pass."""
    depths = [len(shape.off_chip) if depth is None else depth for depth in shape.hold]
    found = []
    for axis in dict.fromkeys(axis for _, axis in shape.loops):
        mine = [(place, level) for place, (level, name) in enumerate(shape.loops) if name == axis]
        holds = [
            [place for place, level in mine if level == "off_chip" and place >= depths[operand]]
            if set(axis) & RELEVANT[operand]
            else None
            for operand in (Operand.WEIGHT, Operand.OUTPUT)
        ]
        reducing = [place for place, level in mine if level in ("off_chip", "on_chip") and REDUCED & set(axis)]
        repeating = [place for place, level in mine if level == "on_chip" and set(axis) & RELEVANT[Operand.WEIGHT]]
        inside = [place for place, level in mine if level != "off_chip"]
        found.append((axis, inside, holds[0], holds[1], reducing, repeating))
    return tuple(found)
