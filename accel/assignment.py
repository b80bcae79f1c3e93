"""Which synchronisation epoch, PE and lane of a mapping each index of a layer belongs to."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mappings import Mapping, axis_extent
from workloads import InputError, Layer

Ints = NDArray[np.int64]

Distribution = Literal["interleaved", "blocked", "balanced", "bricks"]
"""How indices of an unrolled axis are dealt to PEs: index mod PEs, in even runs of neighbours, dense with sparse, or
brick by brick."""

EPOCH, PE, LANE = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """A pass of the mapping is an epoch; a point of the loop nest belongs to the sums of what its three indices add.

    pixels (N*P*Q, 3), filters (G*K, 3), taps (C*R*S, 3): epoch, PE, lane. Numbers of epochs run in the order of the
    passes, up to `epochs`; those that ragged tiles leave out are never met (`present`). Indices that no iteration
    reaches are -1 in all columns: nothing is done with them.
    """

    pixels: Ints
    filters: Ints
    taps: Ints
    epochs: int
    pes: int
    lanes: int

    @property
    def present(self) -> Ints:
        """Epochs that have work, in order."""
        parts = [np.unique(labels[labels[:, EPOCH] >= 0, EPOCH]) for labels in (self.pixels, self.filters, self.taps)]
        sums: Ints = (parts[0][:, None, None] + parts[1][:, None] + parts[2]).reshape(-1)
        return np.sort(sums)


def assign(
    layer: Layer,
    mapping: Mapping,
    distribution: Table[str, Distribution] | None = None,
    loads: Table[str, Ints] | None = None,
) -> Assignment:
    """The assignment of a mapping; axes not in `distribution` are interleaved.

    `loads[axis]`, by index of the axis, is the work that "balanced" evens out, or the number of the brick that the
    index belongs to. Raises InputError when it is missing.
    """
    distribution, loads = distribution or {}, loads or {}
    found = {}
    for axis in mapping.axes():
        how = distribution.get(axis, "interleaved")
        if how in ("balanced", "bricks") and axis not in loads:
            raise InputError(f'distribution of {axis} = "{how}": needs the work of each index', source=mapping.name)
        found[axis] = axis_labels(mapping, axis, axis_extent(layer, axis), how, loads.get(axis))

    def total(dims: str) -> Ints:
        sizes = [getattr(layer, dim) for dim in dims]
        index = dict(zip(dims, np.indices(sizes).reshape(len(dims), -1), strict=True))
        labels = np.zeros((prod(sizes), 3), dtype=np.int64)
        lost = np.zeros(len(labels), dtype=np.bool_)
        for axis, table in found.items():
            if axis[0] in dims:
                flat = np.zeros(len(labels), dtype=np.int64)
                for dim in axis:
                    flat = flat * getattr(layer, dim) + index[dim]
                labels += table[flat]
                lost |= table[flat, EPOCH] < 0
        labels[lost] = -1
        return labels

    return Assignment(
        total("NPQ"),
        total("GK"),
        total("CRS"),
        prod(loop.factor for loop in (*mapping.off_chip, *mapping.on_chip)),
        prod(loop.factor for loop in (*mapping.rows, *mapping.columns)),
        prod(loop.factor for loop in mapping.lanes),
    )


def axis_labels(
    mapping: Mapping, axis: str, extent: int, distribution: Distribution = "interleaved", loads: Ints | None = None
) -> Ints:
    """(extent, 3): what each index of an axis adds to the numbers of its epoch, PE and lane; -1 beyond the loops."""
    index = np.arange(extent)
    labels = np.zeros((extent, 3), dtype=np.int64)
    loops = (*mapping.off_chip, *mapping.on_chip)
    blocks = (*mapping.blocks("off_chip"), *mapping.blocks("on_chip"))
    outer = extent
    for number, (loop, block) in enumerate(zip(loops, blocks, strict=True)):
        if loop.axis == axis:
            labels[:, EPOCH] += index % outer // block * prod(later.factor for later in loops[number + 1 :])
            outer = block
    unrolled = mapping.unrolled(axis)
    full = mapping.pass_extent(axis)
    within = index % full
    if distribution == "blocked":
        size = np.minimum(full, extent - (index - within))
        unit = within * unrolled // np.maximum(size, unrolled)
    elif distribution == "bricks" and loads is not None:
        shared = index // full
        _, brick = np.unique(shared * (loads.max() + 1) + loads, return_inverse=True)
        first = np.full(shared[-1] + 1, extent, dtype=np.int64)
        np.minimum.at(first, shared, brick)
        unit = (brick - first[shared]) % unrolled
    else:
        if distribution == "balanced" and loads is not None:
            within = balanced_order(loads, index // full)
        unit = within % unrolled
        if distribution == "balanced":  # dense and sparse ones in turn: the way back every other round
            unit = np.where(within // unrolled % 2 == 1, unrolled - 1 - unit, unit)
    inner = unrolled
    for column, spatial in ((PE, (*mapping.rows, *mapping.columns)), (LANE, mapping.lanes)):
        for number, loop in enumerate(spatial):
            if loop.axis == axis:
                inner //= loop.factor
                step = prod(later.factor for later in spatial[number + 1 :])
                labels[:, column] += unit // inner % loop.factor * step
    labels[full * prod(loop.factor for loop in loops if loop.axis == axis) :] = -1
    return labels


def brick_numbers(layer: Layer, axis: str, brick: int) -> Ints:
    """Brick of each index of an axis over C (and R, S): so many neighbouring channels of a tap, tap by tap."""
    sizes = [getattr(layer, dim) for dim in axis]
    index: dict[str, Ints] = dict(zip(axis, np.indices(sizes).reshape(len(axis), -1), strict=True))
    tap = np.zeros_like(index["C"])
    for dim in axis:
        if dim != "C":
            tap = tap + index[dim] * (layer.S if dim == "R" else 1)
    return tap * -(-layer.C // brick) + index["C"] // brick


def balanced_order(loads: Ints, block: Ints) -> Ints:
    """Rank of each index within its block, the heaviest first."""
    order = np.lexsort((-loads, block))
    rank = np.empty(len(order), dtype=np.int64)
    starts = np.searchsorted(block[order], block[order])
    rank[order] = np.arange(len(order)) - starts
    return rank
