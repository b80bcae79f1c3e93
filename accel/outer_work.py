"""PEs that multiply nonzero inputs with whole columns or planes of nonzero weights: cycles and products by epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.assignment import Assignment
from accel.input_plane import InputPlane, numbered
from accel.kernels import outer
from accel.kernels.banks import banked_work
from accel.kernels.csc import count_entries
from accel.products import Listed, Sums, find_nonzeros
from accel.sparse_work import Skip, Work, cells, collect, operands, units
from workloads import InputError, Layer

Ints = NDArray[np.int64]
Words = NDArray[np.integer]


def column_work(
    layer: Layer, place: Assignment, skip: Skip = "both", *, width: int = 1, least: int = 0,
    run_bits: int | None = None, values: bool = False,
) -> Work:  # fmt: skip
    """PEs that take one input at a time and walk its column of weights, `width` of them a cycle, at least `least`.

    With `run_bits`, columns are stored with relative indices: entries that only bridge a long run cost what others do.
    `values` asks for the outputs: each input times its column, added to the sums of the PEs that hold it.
    """
    words, weights = operands(layer)
    labels, column_labels = units(place.pixels, 1), units(place.taps, 1)
    order, bounds = cells(labels)
    met = np.zeros((layer.G * layer.C, layer.R, layer.S, len(bounds) - 1), dtype=np.int64)
    cell = numbered(order, bounds, len(labels))
    filters = _Filters.of(layer, place)
    columns = weights.reshape(len(weights), -1)
    sums = Sums.of_windows(layer, filters.order, column_labels[:, 0] >= 0) if values else None

    def find(first: int, part: Ints, listed: Listed) -> None:
        outer.find_in_windows(
            words, first, (layer.P, layer.Q), (layer.R, layer.S), layer.stride, layer.dilation, layer.padding[:2], cell,
            part, listed.where, listed.words, listed.lengths,
        )  # fmt: skip

    find_nonzeros(find, met, words, layer.N * layer.P * layer.Q, layer, sums)
    inputs = _by_cell(met, layer.G)
    taken = inputs if _skips(skip, "input") else np.broadcast_to(np.diff(bounds)[None, :, None], inputs.shape)
    found = filters.count(columns)
    stored = columns if _skips(skip, "weight") else np.ones_like(columns)
    entries = filters.count(stored, None if run_bits is None else (1 << run_bits) - 1)
    vectors = np.maximum(-(-entries // width), least)
    work = _outer(place, inputs, taken, found, vectors, filters, labels[order[bounds[:-1]]], column_labels)
    return work if sums is None else replace(work, outputs=sums.outputs(layer))


def plane_work(
    layer: Layer,
    place: Assignment,
    skip: Skip = "both",
    *,
    inputs: int = 4,
    weights: int = 4,
    banks: int = 0,
    bank_queue: int = 0,
    halo: bool = False,
    values: bool = False,
) -> Work:
    """PEs that multiply `inputs` input words with `weights` weights of one channel each cycle, in every combination.

    A PE owns the inputs beneath its outputs, and sends what it adds to its neighbours' outputs there. Of a strided
    layer only words of the same phase meet. Effectual counts are products, those beside the output plane included.
    Accumulators lie in `banks` that take a product a cycle each (0: any number of products), from queues in which
    `bank_queue` products can wait. `halo` asks for the sums that PEs send to their neighbours too, `values` for the
    outputs: every product that lies in the output plane, on whichever PE it was made.
    """
    words, kernels = operands(layer)
    plane = InputPlane.of(layer, place)
    rows = (np.arange(layer.H) + layer.padding[0]) % layer.stride[0]
    columns = (np.arange(layer.W) + layer.padding[1]) % layer.stride[1]

    by_channel = place.taps.reshape(layer.C, -1, 3)
    if (by_channel != by_channel[:, :1]).any():
        raise InputError("R or S is split: a PE takes all taps of a channel at once", source=f"layer {layer.name}")
    column_labels = units(np.repeat(by_channel[:, 0], prod(layer.stride), axis=0), 1)
    c, r, s = np.indices((layer.C, layer.R, layer.S)).reshape(3, -1)
    phase = [tap * layer.dilation[side] % layer.stride[side] for side, tap in enumerate((r, s))]
    column = (c * layer.stride[0] + phase[0]) * layer.stride[1] + phase[1]
    filters = _Filters.of(layer, place)
    flat = kernels.reshape(len(kernels), -1)
    given = words if _skips(skip, "input") else np.ones_like(words)
    stored = flat if _skips(skip, "weight") else np.ones_like(flat)
    vectors = -(-_merged(filters.count(stored), column, len(column_labels)) // weights)
    sums = Sums.of_planes(layer, filters.order, place.taps[:, 0] >= 0) if values else None

    def count(present: Words, added: Sums | None) -> Ints:
        met = np.zeros((layer.G * layer.C, *layer.stride, len(plane.labels)), dtype=np.int64)
        where = np.zeros(plane.cell.shape, np.int64) if added is None else added.places(layer)

        def find(first: int, part: Ints, listed: Listed) -> None:
            outer.find_in_planes(
                present, first, rows, columns, plane.cell, part, where, listed.where, listed.words, listed.lengths
            )

        room = layer.N * -(-layer.H // layer.stride[0]) * -(-layer.W // layer.stride[1])
        find_nonzeros(find, met, present, room, layer, added)
        return _by_cell(met, layer.G)

    present = count(words, sums)
    taken = present if _skips(skip, "input") else count(given, None)
    work = _outer(
        place, present, -(-taken // inputs), _merged(filters.count(flat), column, len(column_labels)),
        vectors, filters, plane.labels, column_labels,
    )  # fmt: skip
    if sums is not None:
        work = replace(work, outputs=sums.outputs(layer))
    if halo:
        borders = plane.borders(layer, place)
        work = replace(work, halo=_halo(place, work, borders, plane.labels, filters, column_labels))
    if not banks:
        return work
    cycles = np.zeros((place.epochs, place.pes), dtype=np.int64)
    banked_work(
        *_places(layer, given, plane.cell, rows, columns, len(plane.labels)),
        *filters.taps(layer, stored, column, len(column_labels)),
        plane.boxes, filters.group,
        np.array([inputs, weights, banks, layer.P, layer.Q, layer.N, bank_queue], dtype=np.int64),
        plane.labels, filters.labels, column_labels, cells(column_labels)[0], cycles,
    )  # fmt: skip
    return replace(work, cycles=collect(place, cycles, cycles, np.zeros(place.epochs, dtype=np.bool_)).cycles)


def _halo(place: Assignment, work: Work, borders: Ints, labels: Ints, filters: _Filters, column_labels: Ints) -> Ints:
    """(epochs,) partial sums on the busiest link between PEs at the end of an epoch; `borders`: of one filter."""
    sent = np.zeros((place.epochs, place.pes), dtype=np.int64)
    counts = np.diff(filters.bounds)
    for label in np.unique(column_labels, axis=0):
        at = labels[:, None] + filters.labels + label
        np.add.at(sent, (at[..., 0], at[..., 1]), borders[:, None] * counts)
    present = place.present
    most: Ints = (sent[present] if len(present) < len(sent) else sent).max(axis=1)
    return np.where(work.issued, most, 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Filters:
    """Filters sorted into cells of one group, epoch and PE: `order` and `bounds`; `group` and `labels` by cell."""

    order: Ints
    bounds: Ints
    group: Ints
    labels: Ints

    @classmethod
    def of(cls, layer: Layer, place: Assignment) -> _Filters:
        labels = units(place.filters, 1)
        group = np.arange(len(labels)) // layer.K
        order, bounds = cells(np.column_stack([labels[:, 0], labels[:, 1] * layer.G + group]))
        return cls(order, bounds, group[order[bounds[:-1]]], labels[order[bounds[:-1]]])

    def count(self, matrix: Words, longest: int | None = None) -> Ints:
        """(cells, columns of the matrix): nonzeros, and what bridges runs of more than `longest` zeros between them."""
        entries = np.zeros((2, len(self.group), matrix.shape[1]), dtype=np.int64)
        count_entries(matrix, self.order, self.bounds, -1 if longest is None else longest, entries[0], entries[1])
        return np.ascontiguousarray(entries[0])

    def taps(self, layer: Layer, matrix: Words, column: Ints, columns: int) -> tuple[Ints, Ints]:
        """(taps, bounds) for `banked_work`, filter by filter."""
        size = (len(self.group), columns)
        cells_of = numbered(self.order, self.bounds, len(matrix))
        filters, tap = np.nonzero((matrix != 0) & (cells_of >= 0)[:, None])
        cell = cells_of[filters]
        _, r, s = np.unravel_index(tap, (layer.C, layer.R, layer.S))
        first = np.minimum.reduceat(self.order, self.bounds[:-1])
        row, column_of = (at * step // far for at, step, far in zip((r, s), layer.dilation, layer.stride, strict=True))
        found = np.column_stack([filters - first[cell], row, column_of])
        return _bounded(found, cell * size[1] + column[tap], size)


def _skips(skip: Skip, operand: str) -> bool:
    return skip in (operand, "both")


def _by_cell(met: Ints, groups: int) -> Ints:
    """(G*C, ..., cells) to (G, cells, columns)."""
    return np.ascontiguousarray(met.reshape(groups, -1, met.shape[-1]).transpose(0, 2, 1))


def _merged(counts: Ints, column: Ints, columns: int) -> Ints:
    """(cells, taps) added up to (cells, columns)."""
    merged = np.zeros((columns, len(counts)), dtype=np.int64)
    np.add.at(merged, column, counts.T)
    return np.ascontiguousarray(merged.T)


def _outer(
    place: Assignment, inputs: Ints, input_units: Ints, weights: Ints, weight_units: Ints, filters: _Filters,
    input_labels: Ints, column_labels: Ints,
) -> Work:  # fmt: skip
    cycles = np.zeros((place.epochs, place.pes), dtype=np.int64)
    products = np.zeros_like(cycles)
    issued = np.zeros(place.epochs, dtype=np.bool_)
    changes = (column_labels[1:] != column_labels[:-1]).any(axis=1)
    runs = np.r_[0, np.flatnonzero(changes) + 1, len(column_labels)]
    outer.outer_work(
        inputs, np.ascontiguousarray(input_units), weights, weight_units, filters.group, input_labels, filters.labels,
        column_labels, runs, cycles, products, issued,
    )  # fmt: skip
    return collect(place, cycles, products, issued)


def _bounded(rows: Ints, key: Ints, shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """(rows sorted by key, (*shape, 2) first row and past the last of each key)."""
    ends = np.cumsum(np.bincount(key, minlength=prod(shape)))
    bounds = np.stack([np.r_[0, ends[:-1]], ends], axis=-1)
    return np.ascontiguousarray(rows[np.argsort(key, kind="stable")], dtype=np.int64), bounds.reshape(*shape, 2)


def _places(
    layer: Layer, given: Words, cell: Ints, row_phase: Ints, column_phase: Ints, count: int
) -> tuple[Ints, Ints]:
    """(places, bounds) for `banked_work`, row by row."""
    n, channel, h, w = np.nonzero((given != 0) & (cell >= 0)[:, None])
    size = (layer.G, count, layer.C * prod(layer.stride))
    column = (channel % layer.C * layer.stride[0] + row_phase[h]) * layer.stride[1] + column_phase[w]
    row, left = (h + layer.padding[0]) // layer.stride[0], (w + layer.padding[1]) // layer.stride[1]
    found = np.column_stack([n, row, left])
    return _bounded(found, (channel // layer.C * count + cell[n, h, w]) * size[2] + column, size)
