"""Cycles and effectual MACs of PEs that skip zeros, counted on the real operands, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accel.assignment import EPOCH, LANE, PE, Assignment
from accel.kernels import sparse
from accel.kernels.epochs import finish_times
from workloads import InputError, Layer

Ints = NDArray[np.int64]
Words = NDArray[np.integer]

Skip = Literal["none", "input", "weight", "both"]
"""Zeros of which operand cost no cycle."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """`cycles`, `effectual`: (epochs, PEs); `issued`: (epochs,) whether anything happens in the epoch at all.

    `outputs`: the accumulators (N, G*K, P, Q) where values were asked for. `halo`: (epochs,) partial sums on the
    busiest link between neighbours at the end of an epoch, where asked for.
    """

    cycles: Ints
    effectual: Ints
    issued: NDArray[np.bool_]
    outputs: Ints | None = None
    halo: Ints | None = None

    @property
    def imbalance(self) -> float:
        """Work of the busiest PE over that of the average one."""
        totals = self.cycles.sum(axis=0)
        return float(totals.max() * len(totals) / max(1, totals.sum()))


def match_work(
    layer: Layer, place: Assignment, skip: Skip = "both", *, width: int = 1, chunk: int = 0, least: int = 0,
    scan: int = 0, values: bool = False,
) -> Work:  # fmt: skip
    """PEs that match the inputs of an output with its weights.

    A PE's share of one output's reduction within an epoch is taken in chunks of `chunk` positions (0: whole): each
    costs `useful / width` cycles rounded up, at least `least`, and its front end looks through `scan` positions a cycle
    (0: all). Lanes of the mapping work through their own shares and wait for the slowest at the epoch's end.
    `values` asks for the outputs too.
    """
    words, weights = operands(layer)
    taps, filters = prod((layer.C, layer.R, layer.S)), weights.reshape(len(weights), -1)
    position, bounds, lengths, chunk_labels = _chunks(place.taps, chunk, place.lanes)
    masks = int(bounds[-1])
    inputs = np.zeros((layer.G, layer.N * layer.P * layer.Q, masks), dtype=np.uint64)
    sparse.pack_windows(
        words, layer.G, (layer.P, layer.Q), (layer.R, layer.S), layer.stride, layer.dilation, layer.padding[:2],
        position, inputs,
    )  # fmt: skip
    packed = np.zeros((len(filters), masks), dtype=np.uint64)
    row = np.zeros((len(filters), masks * 64 if values else 0), dtype=np.int64)
    sparse.pack_rows(filters, position, packed, row)
    padded, origin, offset, step = _addresses(layer, words, values)
    offsets = np.zeros(masks * 64, dtype=np.int64)
    offsets[position] = offset[:taps]
    pixel_labels, filter_labels = units(place.pixels, place.lanes), units(place.filters, place.lanes)
    cycles = np.zeros((place.epochs, place.pes * place.lanes), dtype=np.int64)
    effectual = np.zeros_like(cycles)
    issued = np.zeros(place.epochs, dtype=np.bool_)
    outputs = np.zeros((len(filters), inputs.shape[1] if values else 0), dtype=np.int64)
    style = np.array([skip in ("input", "both"), skip in ("weight", "both"), width, least, scan], dtype=np.int64)
    sparse.match_work(
        inputs, packed, layer.K, bounds, lengths, chunk_labels, *cells(pixel_labels), pixel_labels,
        *cells(filter_labels), filter_labels, style, cycles, effectual, issued, padded, origin, step, offsets, row,
        outputs,
    )  # fmt: skip
    work = collect(place, cycles, effectual, issued)
    if not values:
        return work
    shaped = outputs.reshape(layer.G * layer.K, layer.N, layer.P, layer.Q).transpose(1, 0, 2, 3)
    return replace(work, outputs=np.ascontiguousarray(shaped))


def schedule_epochs(work: Work, slack: int = 0, issue_cycles: int = 1) -> Ints:
    """(epochs,) cycle in which the slowest PE is through with an epoch and all before it; the last one is the total.

    slack 0: PEs start every epoch together. Else each has a queue of so many epochs and runs ahead of the others.
    Starting an epoch takes `issue_cycles`; an epoch in which nothing is issued costs nothing.
    """
    finished = np.zeros(len(work.cycles), dtype=np.int64)
    finish_times(work.cycles, work.issued, slack, issue_cycles, finished)
    return finished


def operands(layer: Layer) -> tuple[Words, Words]:
    """(input, weight) of a layer; raises InputError when it has no tensors."""
    if layer.tensors is None:
        raise InputError("no tensors to count zeros in: draw operands first", source=f"layer {layer.name}")
    return layer.tensors.input, layer.tensors.weight


def units(labels: Ints, lanes: int) -> Ints:
    """(indices, 2): epoch, and unit: the lane of a PE, or the PE itself when its lanes work as one."""
    lane = labels[:, LANE] if lanes > 1 else 0
    return np.column_stack([labels[:, EPOCH], labels[:, PE] * lanes + lane])


def cells(labels: Ints) -> tuple[Ints, Ints]:
    """(indices sorted by label, where each distinct label begins and the last ends)."""
    order = np.lexsort((labels[:, 1], labels[:, 0]))
    changes = (labels[order[1:]] != labels[order[:-1]]).any(axis=1)
    return order, np.r_[0, np.flatnonzero(changes) + 1, len(order)]


def _chunks(taps: Ints, chunk: int, lanes: int) -> tuple[Ints, Ints, Ints, Ints]:
    """(bit of each tap, first mask word of each chunk and past the last, positions of each, its labels)."""
    labels = units(taps, lanes)
    order, bounds = cells(labels)
    starts = [start for first, last in pairwise(bounds) for start in range(first, last, chunk or last)]
    lengths = np.diff([*starts, len(order)])
    words = np.r_[0, np.cumsum(-(-lengths // 64))]
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.repeat(words[:-1] * 64 - np.array(starts), lengths) + np.arange(len(order))
    return position, words, lengths, labels[order[starts]]


def _addresses(layer: Layer, words: Words, values: bool) -> tuple[Words, Ints, Ints, int]:
    """(padded words, flat; where each pixel's window begins; how far each tap is from there; words of a group)."""
    top, left, bottom, right = layer.padding
    height, width = layer.H + top + bottom, layer.W + left + right
    padded = np.pad(words, ((0, 0), (0, 0), (top, bottom), (left, right))) if values else words[:0]
    n, p, q = np.indices((layer.N, layer.P, layer.Q)).reshape(3, -1)
    c, r, s = np.indices((layer.C, layer.R, layer.S)).reshape(3, -1)
    origin = (n * layer.G * layer.C * height + p * layer.stride[0]) * width + q * layer.stride[1]
    offset = (c * height + r * layer.dilation[0]) * width + s * layer.dilation[1]
    return padded.reshape(-1).astype(np.int64), origin, offset, layer.C * height * width


def collect(place: Assignment, cycles: Ints, effectual: Ints, issued: NDArray[np.bool_]) -> Work:
    """Lanes of a PE wait for their slowest; epochs that ragged tiles leave out are dropped."""
    present = place.present
    if len(present) < len(cycles):
        cycles, effectual, issued = cycles[present], effectual[present], issued[present]
    shape = (len(cycles), place.pes, -1)
    return Work(cycles.reshape(shape).max(axis=2), effectual.reshape(shape).sum(axis=2), issued)
