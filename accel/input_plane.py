"""Which PE of a planar-tiled mapping owns which inputs, and which outputs its products can belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.assignment import EPOCH, PE, Assignment
from accel.sparse_work import cells, units
from workloads import Layer

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class InputPlane:
    """A PE owns the inputs beneath its outputs; inputs of one PE and epoch are a cell.

    cell: (N, H, W) number of each place's cell, -1 beneath outputs of no PE; labels: (cells, 2) epoch and PE, as in
    `sparse_work.units`; boxes: (cells, 4) first row and column of the outputs the cell's inputs can reach, and how many
    of each; images: (cells,).
    """

    cell: Ints
    labels: Ints
    boxes: Ints
    images: Ints

    @classmethod
    def of(cls, layer: Layer, place: Assignment) -> InputPlane:
        above = [np.arange(size) * outputs // size for size, outputs in ((layer.H, layer.P), (layer.W, layer.Q))]
        plane = place.pixels.reshape(layer.N, layer.P, layer.Q, 3)[:, above[0]][:, :, above[1]]
        labels = units(plane.reshape(-1, 3), 1)
        order, bounds = cells(labels)
        shape = (layer.N, layer.H, layer.W)
        n, h, w = np.indices(shape).reshape(3, -1)
        (top, height), (left, width) = (_reach(layer, side, at, order, bounds) for side, at in enumerate((h, w)))
        images = np.maximum.reduceat(n[order], bounds[:-1]) - np.minimum.reduceat(n[order], bounds[:-1]) + 1
        return cls(
            numbered(order, bounds, len(labels)).reshape(shape),
            labels[order[bounds[:-1]]],
            np.ascontiguousarray(np.column_stack([top, left, height, width])),
            images,
        )

    def borders(self, layer: Layer, place: Assignment) -> Ints:
        """(cells,) sums of one filter on the busiest of a PE's four links to its neighbours, at an epoch's end.

        Rows beyond the PE's own outputs go up or down over their whole width. Columns beyond them go to the sides
        after that: each PE then has, added to its own, what those above and below it had for its rows. What is meant
        for a PE further away is added to, and sent on, on the way.
        """
        reached = place.pixels[:, EPOCH] >= 0
        _, p, q = np.indices((layer.N, layer.P, layer.Q)).reshape(3, -1)[:, reached]
        at = place.pixels[reached, EPOCH], place.pixels[reached, PE]
        mine = self.labels[:, 0], self.labels[:, 1]
        sides = []
        for side, index in enumerate((p, q)):
            first = np.full((place.epochs, place.pes), np.iinfo(np.int64).max)
            last = np.zeros((place.epochs, place.pes), dtype=np.int64)
            np.minimum.at(first, at, index)
            np.maximum.at(last, at, index)
            low, count = self.boxes[:, side], self.boxes[:, 2 + side]
            beyond = np.maximum(first[mine] - low, low + count - 1 - last[mine])
            sides.append((np.maximum(0, beyond), last[mine] - first[mine] + 1))
        (rows, height), (columns, _) = sides
        busiest: Ints = self.images * np.maximum(rows * self.boxes[:, 3], columns * height)
        return busiest


def numbered(order: Ints, bounds: Ints, count: int) -> Ints:
    """Cell of each of so many indices, -1 for one that is in none."""
    cell = np.full(count, -1, dtype=np.int64)
    cell[order] = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    return cell


def _reach(layer: Layer, side: int, at: Ints, order: Ints, bounds: Ints) -> tuple[Ints, Ints]:
    """(first, number) of the output rows or columns that the inputs of each cell can add to."""
    low = np.minimum.reduceat(at[order], bounds[:-1]) + layer.padding[side]
    high = np.maximum.reduceat(at[order], bounds[:-1]) + layer.padding[side]
    span = ((layer.R, layer.S)[side] - 1) * layer.dilation[side]
    first = np.maximum(0, -(-(low - span) // layer.stride[side]))
    last = np.minimum((layer.P, layer.Q)[side] - 1, high // layer.stride[side])
    return first, np.maximum(1, last - first + 1)
