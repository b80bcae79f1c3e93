"""Cycles and effectual MACs of PEs that skip zeros, counted on the real operands, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accel.alike import Alike
from accel.assignment import EPOCH, LANE, PE, Assignment
from accel.kernels import sparse
from accel.kernels.epochs import finish_times, gather_epochs
from workloads import InputError, Layer

Ints = NDArray[np.int64]
Words = NDArray[np.integer]
Counters = NDArray[np.signedinteger]

MOST_COUNTERS = 1 << 27
"""Passes times multipliers; a GiB of counters."""

COUNTERS_AT_ONCE = 1 << 21
"""About as many as a processor's caches hold."""

_TASKS = 16
"""Parts in which epochs are gathered; more than there are cores."""

Skip = Literal["none", "input", "weight", "both"]
"""Zeros of which operand cost no cycle."""
Barrier = Literal["pass", "window", "chunk"]
"""Where lanes, and PEs in lockstep, wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """`cycles`, `effectual` (where counted): (epochs, PEs); `issued`: (epochs,) whether anything happens in the epoch.

    `outputs`: the accumulators (N, G*K, P, Q) where values were asked for. `halo`: (epochs,) partial sums on the
    busiest link between neighbours at the end of an epoch, where asked for. `free`: the cycles with a front end that
    costs nothing, where one costs something. Where columns are not single PEs: `loads`, cycles of each PE in all;
    `copies`, how many PEs each of them stands for, of `pes`.
    """

    cycles: Ints
    effectual: Ints | None
    issued: NDArray[np.bool_]
    outputs: Ints | None = None
    halo: Ints | None = None
    free: Ints | None = None
    loads: Ints | None = None
    copies: Ints | None = None
    pes: int = 0

    @property
    def imbalance(self) -> float:
        """Work of the busiest PE over that of the average one."""
        totals = self.cycles.sum(axis=0) if self.loads is None else self.loads
        if self.copies is None:
            return float(totals.max() * len(totals) / max(1, totals.sum()))
        return float(totals.max() * self.pes / max(1, (totals * self.copies).sum()))

    def together(self, groups: Ints) -> Work:
        """The same work of groups of PEs that take as long as their slowest, `groups` as `match_work` takes them."""
        if len(groups) == self.cycles.shape[1] + 1:  # each is a PE
            return self
        none = np.zeros((0, 0), dtype=np.int64)
        cycles, free, loads = _gathered(self.cycles, none, 1, 1, groups)
        if self.free is not None:
            free, _, _ = _gathered(self.free, none, 1, 1, groups)
        return replace(self, cycles=cycles, free=None if self.free is None else free, loads=loads)


def match_work(
    layer: Layer, place: Assignment, skip: Skip = "both", *, width: int = 1, chunk: int = 0, least: int = 0,
    scan: int = 0, barrier: Barrier = "pass", groups: Ints | None = None, effectual: bool = True, values: bool = False,
    kinds: Alike | None = None,
) -> Work:  # fmt: skip
    """PEs that match the inputs of an output with its weights.

    A PE's share of one output's reduction within an epoch is taken tap by tap, in chunks of `chunk` channels (0: all of
    it at once): each costs `useful / width` cycles rounded up, at least `least`, and its front end looks through `scan`
    positions a cycle (0: all). Lanes of the mapping work through their own shares and wait for the slowest at the
    barrier, and so do the PEs of a group; cycles are then those of groups. `groups`: the first PE of each, and the end
    of the last; None: each PE is one.
    `effectual` asks for the MACs without a zero, `values` for the outputs. With `kinds` the cycles are those of one PE
    of each kind; others are walked only for their values.
    """
    words, weights = operands(layer)
    filters = weights.reshape(len(weights), -1)
    own = [units(labels, place.lanes) for labels in (place.pixels, place.filters)]
    place = place if kinds is None else kinds.place
    position, bounds, lengths, chunk_labels, chunk_ranks = _chunks(layer, place.taps, chunk, place.lanes)
    masks = int(bounds[-1])
    inputs = np.zeros((layer.G, layer.N * layer.P * layer.Q, masks), dtype=np.uint64)
    sparse.pack_windows(
        words, layer.G, (layer.P, layer.Q), (layer.R, layer.S), layer.stride, layer.dilation, layer.padding[:2],
        position, inputs,
    )  # fmt: skip
    packed = np.zeros((len(filters), masks), dtype=np.uint64)
    # Values lie in the order of their bits, without what fills mask words up.
    order = np.argsort(position)[np.count_nonzero(position < 0) :]
    slot = np.zeros(len(position), dtype=np.int64)
    slot[order] = np.arange(len(order))
    row = np.zeros((len(filters), len(order) if values else 0), dtype=operand_type(weights) if values else np.int32)
    sparse.pack_rows(filters, position, packed, slot, row)
    padded, origin, offset, step = _addresses(layer, words, values)
    pixel_labels, filter_labels = units(place.pixels, place.lanes), units(place.filters, place.lanes)
    pixels, chosen = (np.flatnonzero(labels[:, 0] >= 0) for labels in own)
    counting = (pixels, chosen) if kinds is None else (kinds.pixels, kinds.filters)
    pixel_counts, filter_counts = _marked(len(own[0]), counting[0]), _marked(len(own[1]), counting[1])
    if not values:
        pixels, chosen = counting
    pixel_ranks, chunk_parts, parts = np.zeros(len(pixel_labels), dtype=np.int64), 1, 1
    if barrier != "pass":
        pixel_ranks[counting[0]] = _ranks(pixel_labels[counting[0]])
        chunk_parts = int(chunk_ranks.max()) + 1 if barrier == "chunk" else 1
        parts = (int(pixel_ranks.max()) + 1) * chunk_parts
    require_counters(place.epochs * parts * place.pes * place.lanes, layer)
    groups = np.arange(place.pes + 1) if groups is None else groups
    style = np.array([skip in ("input", "both"), skip in ("weight", "both"), width, least, scan], dtype=np.int64)
    outputs = np.zeros((len(filters), inputs.shape[1] if values else 0), dtype=np.int64)
    # Epochs are counted by pixel, filter and chunk; a block of the pixels' is walked at a time.
    (starts, pixel_epoch), (middles, filter_epoch), (ends, chunk_epoch) = (
        _epochs(labels) for labels in (pixel_labels, filter_labels, chunk_labels)
    )
    inner = len(middles) * len(ends)
    filter_labels[:, EPOCH] = filter_epoch * len(ends) * parts
    chunk_labels[:, EPOCH] = chunk_epoch * parts + (chunk_ranks if chunk_parts > 1 else 0)
    # Cells are PEs' own: those that only do what others do are apart from them.
    filter_cells = _cells_of(own[1], chosen)
    # Counters are most of the memory, and much of the time goes to moving them: they are as narrow as is safe.
    counter = np.int32 if layer.macs * max(1, least) < 1 << 31 else np.int64
    block = max(1, COUNTERS_AT_ONCE // (inner * parts * place.pes * place.lanes))
    done: list[tuple[Ints, Ints, Ints, Ints, NDArray[np.bool_]]] = []
    for first in range(0, len(starts), block):
        within = np.minimum(block, len(starts) - first) * inner
        mine = pixels[(pixel_epoch[pixels] >= first) & (pixel_epoch[pixels] < first + block)]
        pixel_labels[mine, EPOCH] = (pixel_epoch[mine] - first) * inner * parts + pixel_ranks[mine] * chunk_parts
        cycles = np.zeros((within * parts, place.pes * place.lanes), dtype=counter)
        excess = np.zeros(cycles.shape if least or scan else (0, 0), dtype=counter)
        met = np.zeros(cycles.shape if effectual else (0, 0), dtype=counter)
        issues = np.zeros(within * parts, dtype=np.bool_)
        sparse.match_work(
            inputs, packed, layer.K, bounds, lengths, chunk_labels, *_cells_of(own[0], mine), pixel_labels,
            pixel_counts, *filter_cells, filter_labels, filter_counts, style, cycles, excess, met, issues, padded,
            origin, step, np.cumsum(lengths) - lengths, offset[order], row, outputs,
        )  # fmt: skip
        if effectual:
            met = met.reshape(within, parts, place.pes, place.lanes).sum(axis=(1, 3), dtype=np.int64)
        issued: NDArray[np.bool_] = np.logical_or.reduce(issues.reshape(within, parts), axis=1)
        done.append((*_gathered(cycles, excess, parts, place.lanes, groups), met, issued))
    sequence = np.argsort((starts[:, None, None] + middles[:, None] + ends).reshape(-1))
    grouped, free, loads, found, begun = zip(*done, strict=True)
    work = Work(
        np.concatenate(grouped)[sequence],
        np.concatenate(found)[sequence] if effectual else None,
        np.concatenate(begun)[sequence],
        free=np.concatenate(free)[sequence] if least or scan else None,
        loads=np.sum(loads, axis=0),
    )
    return replace(work, outputs=shaped(outputs, layer)) if values else work


def shaped(outputs: Ints, layer: Layer) -> Ints:
    """(filters, pixels) to (N, G*K, P, Q)."""
    planes = outputs.reshape(layer.G * layer.K, layer.N, layer.P, layer.Q)
    return np.ascontiguousarray(planes.transpose(1, 0, 2, 3))


def operand_type(words: Words) -> type[np.signedinteger]:
    """The narrower of two types that holds all words: kernels are compiled for both, and are faster on one."""
    info = np.iinfo(np.int32)
    return np.int32 if words.size == 0 or (words.min() >= info.min and words.max() <= info.max) else np.int64


def require_counters(count: int, layer: Layer) -> None:
    """Raise InputError when counting the cycles of every multiplier in every part of a pass takes too much memory."""
    if count > MOST_COUNTERS:
        raise InputError(
            f"{count} passes times multipliers: too many to skip zeros in, use longer passes (more work in registers)",
            source=f"layer {layer.name}",
        )


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
    """(indices sorted by label, where each distinct label begins and the last ends); negative labels are left out."""
    order = np.lexsort((labels[:, 1], labels[:, 0]))
    order = order[np.searchsorted(labels[order, 0], 0) :]
    changes = (labels[order[1:]] != labels[order[:-1]]).any(axis=1)
    return order, np.r_[0, np.flatnonzero(changes) + 1, len(order)]


def _cells_of(labels: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """As `cells`, of some of the indices."""
    order, bounds = cells(labels[chosen])
    return chosen[order], bounds


def _ranks(labels: Ints) -> Ints:
    """Place of each index among those of its label."""
    order, bounds = cells(labels)
    ranks = np.zeros(len(labels), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(bounds[:-1], np.diff(bounds))
    return ranks


def _epochs(labels: Ints) -> tuple[Ints, Ints]:
    """(distinct epochs, number of each index's among them or < 0 without one)."""
    found, number = np.unique(labels[:, EPOCH], return_inverse=True)
    lost = int(found[0] < 0)
    return found[lost:], number - lost


def _marked(count: int, chosen: Ints) -> NDArray[np.bool_]:
    """(count,) whether an index is among the chosen."""
    marks = np.zeros(count, dtype=np.bool_)
    marks[chosen] = True
    return marks


def _chunks(layer: Layer, taps: Ints, chunk: int, lanes: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """(bit of each tap, first mask word of each chunk and past the last, positions of each, its labels, its rank).

    Taps that no PE takes have no bit (-1). Memories hold the channels of a place next to each other, so positions run
    through these first. A chunk lies within a tap; its rank is its number among the chunks of its labels.
    """
    labels = units(taps, lanes)
    c, r, s = np.indices((layer.C, layer.R, layer.S)).reshape(3, -1)
    tap = r * layer.S + s
    order = np.lexsort((c, tap, labels[:, 1], labels[:, 0]))
    order = order[np.searchsorted(labels[order, 0], 0) :]
    key = np.column_stack([labels, tap * (chunk > 0)])[order]
    bounds = np.r_[0, np.flatnonzero((key[1:] != key[:-1]).any(axis=1)) + 1, len(order)]
    starts = np.array([start for first, last in pairwise(bounds) for start in range(first, last, chunk or last)])
    lengths = np.diff([*starts, len(order)])
    words = np.r_[0, np.cumsum(-(-lengths // 64))]
    position = np.full(len(labels), -1, dtype=np.int64)
    position[order] = np.repeat(words[:-1] * 64 - starts, lengths) + np.arange(len(order))
    chunk_labels = labels[order[starts]]
    return position, words, lengths, chunk_labels, _ranks(chunk_labels)


def _addresses(layer: Layer, words: Words, values: bool) -> tuple[Words, Ints, Ints, int]:
    """(padded words, flat; where each pixel's window begins; how far each tap is from there; words of a group)."""
    top, left, bottom, right = layer.padding
    height, width = layer.H + top + bottom, layer.W + left + right
    padded = np.pad(words, ((0, 0), (0, 0), (top, bottom), (left, right))) if values else words[:0]
    n, p, q = np.indices((layer.N, layer.P, layer.Q)).reshape(3, -1)
    c, r, s = np.indices((layer.C, layer.R, layer.S)).reshape(3, -1)
    origin = (n * layer.G * layer.C * height + p * layer.stride[0]) * width + q * layer.stride[1]
    offset = (c * height + r * layer.dilation[0]) * width + s * layer.dilation[1]
    return padded.reshape(-1).astype(operand_type(words)), origin, offset, layer.C * height * width


def collect(place: Assignment, cycles: Ints, effectual: Ints, issued: NDArray[np.bool_]) -> Work:
    """Lanes of a PE wait for their slowest; epochs that ragged tiles leave out are dropped."""
    present = place.present
    if len(present) < len(cycles):
        cycles, effectual, issued = cycles[present], effectual[present], issued[present]
    shape = (len(cycles), place.pes, -1)
    return Work(cycles.reshape(shape).max(axis=2), effectual.reshape(shape).sum(axis=2), issued)


def _gathered(cycles: Counters, excess: Counters, parts: int, lanes: int, groups: Ints) -> tuple[Ints, Ints, Ints]:
    """(cycles of groups, the same without the excess, cycles of each PE in all); see `gather_epochs`."""
    pes = cycles.shape[1] // lanes
    shape = (len(cycles) // parts, len(groups) - 1)
    grouped, free, loads = (np.zeros(size, dtype=np.int64) for size in (shape, shape, (_TASKS, pes)))
    gather_epochs(cycles, excess, parts, lanes, groups, grouped, free, loads)
    return grouped, free, loads.sum(axis=0)
