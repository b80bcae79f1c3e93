"""The tile schedule: what each off-chip iteration of a mapping moves and computes, in words, on any machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mappings.mapping import Mapping, axis_extent, axis_relevant
from mappings.ranges import Ints, dim_ranges, operand_runs, operand_words, slid_words
from workloads.errors import InputError
from workloads.layer import REDUCED, Layer, Operand

MAX_STEPS = 4_000_000
"""More tile steps than this are refused: such a mapping has tiles of a few words."""


@dataclass(frozen=True, slots=True, eq=False)
class TileSchedule:
    """Integer columns, one row a tile step, in the order of the off-chip loops.

    `starts`, `extents`: (steps, axes), the tile's place along each axis of `axes`.
    `load_words`, `load_runs`, `load_spans`: (steps, 3), words fetched before the step, the stretches of memory they lie
    in, and the words from the first address to the last; the OUTPUT column is partial sums coming back.
    `store_words`, `store_runs`, `store_spans`: (steps,), the same of outputs leaving after the step.
    `stays`: (steps, 3), which stay in its buffer an operand's tile belongs to, counted from 0. `store_final`: (steps,),
    whether the outputs that leave are finished. `accumulates`: (steps,), whether the step adds to partial sums of an
    earlier step. `held_words`: (3,), the most words of each operand that must be in a buffer at once.
    `tiles`: (steps, 3), which tile of each operand the step works on; `tile_words`: (steps, 3), its words.
    """

    layer: Layer
    mapping: Mapping
    axes: tuple[str, ...]
    starts: Ints
    extents: Ints
    load_words: Ints
    load_runs: Ints
    load_spans: Ints
    store_words: Ints
    store_runs: Ints
    store_spans: Ints
    stays: Ints
    store_final: NDArray[np.bool_]
    accumulates: NDArray[np.bool_]
    held_words: Ints
    tiles: Ints
    tile_words: Ints

    @property
    def steps(self) -> int:
        return len(self.starts)


def schedule(layer: Layer, mapping: Mapping, *, halo_reuse: bool = False, steady_windows: bool = False) -> TileSchedule:
    """Walk the off-chip loops of a legal mapping.

    `halo_reuse`: inputs that overlapping windows share with the input tile fetched just before are not fetched again
    when the tile slides along one side; with `steady_windows` only while it moves by the same step each time (see
    `slid_words`). Raises InputError when the mapping does not fit.
    """
    mapping.check(layer)
    axes = mapping.axes()
    indices, starts = _walk(layer, mapping, axes)
    limits = np.array([axis_extent(layer, axis) for axis in axes], dtype=np.int64)
    tile = np.array([mapping.tile_extent(axis) for axis in axes], dtype=np.int64)
    extents = np.minimum(tile, limits - starts)
    spans = {axis: (starts[:, column], extents[:, column]) for column, axis in enumerate(axes)}
    ranges = dim_ranges(layer, spans)
    steps = len(starts)
    load_words = np.zeros((steps, 3), dtype=np.int64)
    load_runs = np.zeros((steps, 3), dtype=np.int64)
    load_spans = np.zeros((steps, 3), dtype=np.int64)
    stays = np.zeros((steps, 3), dtype=np.int64)
    held = np.zeros(3, dtype=np.int64)
    tiles = np.zeros((steps, 3), dtype=np.int64)
    tile_words = np.zeros((steps, 3), dtype=np.int64)
    store_words = store_runs = store_spans = np.zeros(steps, dtype=np.int64)
    final = accumulates = np.zeros(steps, dtype=bool)
    for operand in Operand:
        words = operand_words(layer, operand, ranges, spans)
        runs, span = operand_runs(layer, operand, ranges)
        visits = _visits(mapping, indices, operand)
        tiles[:, operand], tile_words[:, operand] = visits.tile, words
        stays[:, operand] = visits.stay
        held[operand] = np.bincount(visits.stay[visits.first], weights=words[visits.first]).max()
        loaded = visits.first
        if operand is Operand.OUTPUT:
            revisit = _revisited(visits.tile)
            loaded = visits.first & revisit
            store_words = np.where(visits.last, words, 0)
            store_runs = np.where(visits.last, runs, 0)
            store_spans = np.where(visits.last, span, 0)
            final = visits.last & ~_revisited(visits.tile[::-1])[::-1]
            reduced = [column for column, axis in enumerate(axes) if set(axis) & REDUCED]
            accumulates = np.asarray((starts[:, reduced] > 0).any(axis=1))
        if operand is Operand.INPUT and halo_reuse:
            fetched = np.flatnonzero(loaded)
            now, before = (
                {dim: (start[at], extent[at]) for dim, (start, extent) in ranges.items()}
                for at in (fetched[1:], fetched[:-1])
            )
            words, runs, span = words.copy(), runs.copy(), span.copy()
            words[fetched[1:]], runs[fetched[1:]], span[fetched[1:]] = slid_words(
                layer, now, before, np.diff(fetched) > 1, steady_windows
            )
        loaded = loaded & (words > 0)  # a tile of nothing but padding moves nothing
        load_words[:, operand] = np.where(loaded, words, 0)
        load_runs[:, operand] = np.where(loaded, runs, 0)
        load_spans[:, operand] = np.where(loaded, span, 0)
    return TileSchedule(
        layer, mapping, axes, starts, extents, load_words, load_runs, load_spans,
        store_words, store_runs, store_spans, stays, final, accumulates, held, tiles, tile_words,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Visits:
    """Per step: the operand's tile, the stay in the buffer it belongs to, first and last use within the stay."""

    tile: Ints
    stay: Ints
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]


def _walk(layer: Layer, mapping: Mapping, axes: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Loop indices (steps, loops) and axis starts (steps, axes) of every tile that has work."""
    factors = [loop.factor for loop in mapping.off_chip]
    total = int(np.prod(factors, dtype=np.float64)) if factors else 1
    if total > MAX_STEPS:
        raise InputError(
            f"{total} tile steps for layer {layer.name}: use larger tiles", source=f"mapping {mapping.name}"
        )
    grid = np.indices(factors, dtype=np.int64).reshape(len(factors), -1).T if factors else np.zeros((1, 0), np.int64)
    starts = np.zeros((len(grid), len(axes)), dtype=np.int64)
    for column, (loop, block) in enumerate(zip(mapping.off_chip, mapping.blocks("off_chip"), strict=True)):
        starts[:, axes.index(loop.axis)] += grid[:, column] * block
    limits = np.array([axis_extent(layer, axis) for axis in axes], dtype=np.int64)
    real = (starts < limits).all(axis=1)
    return grid[real], starts[real]


def _visits(mapping: Mapping, indices: Ints, operand: Operand) -> _Visits:
    loops = mapping.off_chip
    relevant = [axis_relevant(loop.axis, operand) for loop in loops]
    depth = mapping.hold_depth(operand)
    outside = [column for column in range(depth) if relevant[column]]
    inside = [column for column in range(depth, len(loops)) if relevant[column]]
    region = _number(indices, outside, loops)
    within = _number(indices, inside, loops)
    changed = np.ones(len(indices), dtype=bool)
    changed[1:] = region[1:] != region[:-1]
    stay = np.cumsum(changed) - 1
    span = int(within.max()) + 1
    key = stay * span + within
    first = np.zeros(len(indices), dtype=bool)
    first[np.unique(key, return_index=True)[1]] = True
    last = np.zeros(len(indices), dtype=bool)
    last[len(key) - 1 - np.unique(key[::-1], return_index=True)[1]] = True
    return _Visits(region * span + within, stay, first, last)


def _number(indices: Ints, columns: list[int], loops: tuple[object, ...]) -> Ints:
    """One number per row for the chosen loop indices."""
    number = np.zeros(len(indices), dtype=np.int64)
    for column in columns:
        number = number * (int(indices[:, column].max()) + 1) + indices[:, column]
    return number


def _revisited(tile: Ints) -> NDArray[np.bool_]:
    """Whether the same tile has appeared before, in an earlier element."""
    seen = np.ones(len(tile), dtype=bool)
    seen[np.unique(tile, return_index=True)[1]] = False
    return seen
