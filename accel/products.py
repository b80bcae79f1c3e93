"""Sums of the products of nonzeros, in the places of the outputs they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.kernels import outer
from accel.sparse_work import operand_type, operands, shaped
from workloads import Layer

Ints = NDArray[np.int64]
Words = NDArray[np.integer]

LISTED_AT_ONCE = 1 << 24
"""Inputs whose products are computed at a time; 128 MiB of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Nonzero inputs by channel and tap, or phase: `where`, `words` (rows, room), the first `lengths` (rows,) of each.

    `where` is the place of the sum that an input adds to.
    """

    where: NDArray[np.int32]
    words: Words
    lengths: Ints

    @classmethod
    def empty(cls, rows: int, room: int, words: Words) -> Listed:
        """Room for some of these words."""
        found = np.empty((rows, room), dtype=operand_type(words) if rows else np.int32)
        return cls(np.empty((rows, room), np.int32), found, np.zeros(rows, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of every filter in planes of `shape` (images, rows, columns); before the outputs lies a `margin`.

    weights: (G*K, C * taps), zero where no PE takes them. list_of_tap: which of a channel's lists a tap meets; shifts:
    how far before an input's place its product belongs. filters: those that are walked.
    """

    sums: Ints
    shape: tuple[int, int, int]
    margin: tuple[int, int]
    weights: Words
    list_of_tap: Ints
    shifts: Ints
    filters: Ints

    @classmethod
    def of_windows(cls, layer: Layer, filters: Ints, walked: NDArray[np.bool_]) -> Sums:
        """Inputs are listed by tap and output; walked: (C*R*S,) whether PEs take a tap at all."""
        taps = layer.R * layer.S
        shape = (layer.N, layer.P, layer.Q)
        return cls._of(layer, filters, walked, shape, (0, 0), np.arange(taps), np.zeros(taps, np.int64))

    @classmethod
    def of_planes(cls, layer: Layer, filters: Ints, walked: NDArray[np.bool_]) -> Sums:
        """Inputs are listed by phase and place; products may fall beside the outputs."""
        lists = np.zeros(layer.R * layer.S, dtype=np.int64)
        margin, size, reach = [0, 0], [0, 0], [lists, lists]
        for side, tap in enumerate(np.divmod(np.arange(len(lists)), layer.S)):
            stride = layer.stride[side]
            first = tap * layer.dilation[side]
            lists = lists * stride + first % stride
            reach[side] = first // stride
            margin[side] = int(reach[side].max())
            last = ((layer.H, layer.W)[side] - 1 + layer.padding[side]) // stride
            size[side] = margin[side] + max((layer.P, layer.Q)[side], last + 1)
        shifts = reach[0] * size[1] + reach[1]
        return cls._of(layer, filters, walked, (layer.N, size[0], size[1]), (margin[0], margin[1]), lists, shifts)

    @classmethod
    def _of(
        cls, layer: Layer, filters: Ints, walked: NDArray[np.bool_], shape: tuple[int, int, int],
        margin: tuple[int, int], list_of_tap: Ints, shifts: Ints,
    ) -> Sums:  # fmt: skip
        weights = operands(layer)[1].reshape(layer.G * layer.K, -1)
        if not walked.all():
            weights = np.where(walked, weights, 0).astype(weights.dtype)
        sums = np.zeros((len(weights), prod(shape)), dtype=np.int64)
        return cls(sums, shape, margin, weights, list_of_tap, shifts, filters)

    def places(self, layer: Layer) -> Ints:
        """(N, H, W) place of the sum that an input of a plane adds to through the first tap of its phase."""
        n, h, w = np.ogrid[: layer.N, : layer.H, : layer.W]
        row = self.margin[0] + (h + layer.padding[0]) // layer.stride[0]
        column = self.margin[1] + (w + layer.padding[1]) // layer.stride[1]
        return np.ascontiguousarray((n * self.shape[1] + row) * self.shape[2] + column)

    def outputs(self, layer: Layer) -> Ints:
        """(N, G*K, P, Q): what fell beside them is dropped."""
        planes = self.sums.reshape(len(self.sums), *self.shape)
        rows, columns = (slice(m, m + size) for m, size in zip(self.margin, (layer.P, layer.Q), strict=True))
        return shaped(planes[:, :, rows, columns], layer)


def find_nonzeros(
    find: Callable[[int, Ints, Listed], None], met: Ints, words: Words, room: int, layer: Layer, sums: Sums | None
) -> None:
    """Count into met (channels, two of lists, cells); with `sums`, add the products of what was found to them.

    `find` takes the first of some channels, their part of met, and where to list what it finds: with sums, of each list
    no more than `room` words.
    """
    lists = prod(met.shape[1:3])
    block = len(met) if sums is None else max(1, LISTED_AT_ONCE // (lists * room))
    for first in range(0, len(met), block):
        part = met[first : first + block]
        listed = Listed.empty(0 if sums is None else len(part) * lists, room, words)
        find(first, part, listed)
        if sums is not None:
            outer.add_products(
                first, lists, listed.where, listed.words, listed.lengths, sums.weights, layer.K, sums.list_of_tap,
                sums.shifts, sums.filters, sums.sums,
            )  # fmt: skip
