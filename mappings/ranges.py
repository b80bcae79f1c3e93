"""From ranges along axes to ranges along dimensions, and to the words and runs of memory they select."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.distinct import distinct_rows
from workloads.layer import DIMS, Layer, Operand

Ints = NDArray[np.int64]
Ranges = dict[str, tuple[Ints, Ints]]
"""Per dimension: starts and extents, one element a tile."""


def dim_ranges(layer: Layer, axes: MappingType[str, tuple[Ints, Ints]]) -> Ranges:
    """Per dimension, the smallest range that covers a range along its (possibly flattened) axis."""
    ranges: Ranges = {}
    for axis, (start, extent) in axes.items():
        low, high = start, start + extent - 1
        whole = np.zeros(np.shape(start), dtype=bool)
        for position, dim in enumerate(axis):
            size = getattr(layer, dim)
            inner = prod(getattr(layer, later) for later in axis[position + 1 :])
            first = np.where(whole, 0, low // inner)
            last = np.where(whole, size - 1, high // inner)
            ranges[dim] = (first, last - first + 1)
            whole = whole | (first != last)
            low, high = low % inner, high % inner
    return ranges


def window_words(layer: Layer, ranges: Ranges, vertical: bool) -> Ints:
    """Distinct input rows (or columns) inside the input that the output and filter ranges touch."""
    keys, outputs = _windows(ranges, vertical)
    distinct, inverse = distinct_rows(keys.reshape(-1, 4))
    counts = _touched_number(layer, distinct, vertical)
    words: Ints = counts[inverse.reshape(outputs)]
    return words


def _windows(ranges: Ranges, vertical: bool) -> tuple[Ints, tuple[int, ...]]:
    """(..., 4): first output, outputs, first tap, taps of each tile along one side, and the shape without them."""
    outputs, taps = ("P", "R") if vertical else ("Q", "S")
    keys = np.stack([*ranges[outputs], *ranges[taps]], axis=-1)
    return keys, keys.shape[:-1]


def _touched_number(layer: Layer, keys: Ints, vertical: bool) -> Ints:
    """How many of them `_touched` finds, by key."""
    side = 0 if vertical else 1
    stride, size = layer.stride[side], layer.H if vertical else layer.W
    if layer.dilation[side] > 1:
        return np.array([len(_touched(layer, key, vertical)) for key in keys], dtype=np.int64)
    first, count, tap, taps = keys.T
    low = first * stride + tap - layer.padding[side]
    found: Ints = np.minimum(low + (count - 1) * stride + taps, size) - np.maximum(low, 0)
    apart = stride > taps
    if apart.any():  # no place is under two taps
        among = np.zeros_like(found)
        for own in range(int(taps[apart].max())):
            begin = np.maximum(0, -((low + own) // stride))
            end = np.minimum(count, -((low + own - size) // stride))
            among += np.where(own < taps, np.maximum(0, end - begin), 0)
        found = np.where(apart, among, found)
    return np.maximum(0, found)


def _touched(layer: Layer, key: Ints, vertical: bool) -> Ints:
    """Sorted input rows (or columns) that the windows of one key of `_windows` touch."""
    first, count, tap, taps_count = key.tolist()
    side = 0 if vertical else 1
    size = layer.H if vertical else layer.W
    if layer.dilation[side] == 1 and layer.stride[side] <= taps_count:  # nothing between the windows
        low = first * layer.stride[side] + tap - layer.padding[side]
        return np.arange(max(low, 0), min(low + (count - 1) * layer.stride[side] + taps_count, size))
    windows = np.arange(first, first + count)[:, None] * layer.stride[side]
    places = np.unique(windows + np.arange(tap, tap + taps_count) * layer.dilation[side] - layer.padding[side])
    return places[(places >= 0) & (places < size)]


def operand_words(layer: Layer, operand: Operand, ranges: Ranges, axes: MappingType[str, tuple[Ints, Ints]]) -> Ints:
    """Distinct words of the operand in each tile. Inputs of flattened axes are fetched by their covering ranges."""
    if operand is Operand.INPUT:
        outer: Ints = ranges["G"][1] * ranges["N"][1] * ranges["C"][1]
        return outer * window_words(layer, ranges, True) * window_words(layer, ranges, False)
    dims = "GKCRS" if operand is Operand.WEIGHT else "GNKPQ"
    words = np.ones(np.shape(ranges["G"][1]), dtype=np.int64)
    for axis, (_, extent) in axes.items():
        if axis[0] in dims:
            words = words * extent
    return words


def slid_words(
    layer: Layer, ranges: Ranges, before: Ranges, rested: NDArray[np.bool_], steady: bool = False
) -> tuple[Ints, Ints, Ints]:
    """(words, runs, span) of input tiles when the words they share with the tile in `before` are kept from it.

    They are kept when a tile's windows slide along one side: it covers the same images, channels and columns as the
    tile before it, and some of its rows, or the other way round. What moves along both sides is fetched whole, and so
    is what turns back: slides another way than the tile just before it did, unless it `rested` in between. `steady`:
    so is what moves by another step than the tile before it, or has rested.
    """
    same = np.ones(np.shape(ranges["G"][0]), dtype=bool)
    for dim in "GNC":
        same &= (ranges[dim][0] == before[dim][0]) & (ranges[dim][1] == before[dim][1])
    whole, fresh, stays, ways = ([np.empty(0)] * 2 for _ in range(4))
    for side, vertical in enumerate((True, False)):
        now, shape = _windows(ranges, vertical)
        pairs = np.concatenate([now, _windows(before, vertical)[0]], axis=-1).reshape(-1, 8)
        distinct, inverse = distinct_rows(pairs)
        found = np.empty((len(distinct), 4), dtype=np.int64)
        for index, pair in enumerate(distinct):
            rows, kept = (_touched(layer, key, vertical) for key in (pair[:4], pair[4:]))
            news = np.setdiff1d(rows, kept, assume_unique=True)
            slid = 0 < len(news) < len(rows)
            way = (side + 1) * (1 if rows[0] >= kept[0] else -1) if slid else 0
            found[index] = len(rows), len(news), np.array_equal(rows, kept), way
        whole[side], fresh[side], stays[side], ways[side] = found[inverse.reshape(-1)].reshape(*shape, 4).T
    down = same & (stays[1] > 0)
    along = same & (stays[0] > 0) & ~down
    if steady:
        onward = _same_steps(layer, ranges, before, rested)
    else:
        onward = ~_turn_back(np.where(down, ways[0], np.where(along, ways[1], 0)), rested)
    sides = (np.where(down & onward, fresh[0], whole[0]), np.where(along & onward, fresh[1], whole[1]))
    words = ranges["G"][1] * ranges["N"][1] * ranges["C"][1] * sides[0] * sides[1]
    return words, *operand_runs(layer, Operand.INPUT, ranges, sides)


def _turn_back(way: Ints, rested: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tiles slide another way than the one before them did; one that turns back has slid no way."""
    back = np.zeros(len(way), dtype=bool)
    last = 0
    for step, (now, rest) in enumerate(zip(way.tolist(), rested.tolist(), strict=True)):
        back[step] = now != 0 and not rest and last not in (0, now)
        last = 0 if back[step] else now
    return back


def _same_steps(layer: Layer, ranges: Ranges, before: Ranges, rested: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tiles move by the same step as the one before them, or come after one with which no step is compared.

    None is with the first tile's, nor with one that differed from the step before it.
    """
    moved = {dim: ranges[dim][0] - before[dim][0] for dim in "GNCPQRS"}
    sides = [
        moved[output] * stride + moved[tap] * dilation
        for output, tap, stride, dilation in zip("PQ", "RS", layer.stride, layer.dilation, strict=True)
    ]
    steps = np.column_stack([*(moved[dim] for dim in "GNC"), *sides]).tolist()
    rest = [0] * 5
    onward = np.ones(len(steps), dtype=bool)
    last: list[int] | None = None
    for place, (step, rests) in enumerate(zip(steps, rested.tolist(), strict=True)):
        compared = rest if rests else last
        onward[place] = compared is None or step == compared
        last = step if onward[place] else None
    return onward


def operand_runs(
    layer: Layer, operand: Operand, ranges: Ranges, sides: tuple[Ints, Ints] | None = None
) -> tuple[Ints, Ints]:
    """Stretches of consecutive addresses a tile is made of, and words from its first address to its last.

    Tensors are stored as in `Tensors`, last index fastest. Flattened axes count by their covering ranges; gaps that a
    stride leaves between windows within a row, or between whole rows, do not break a stretch. `sides`: input rows and
    columns, where they are not all that the ranges touch.
    """
    dims = ("NGCHW", "GKCRS", "NGKPQ")[operand]
    sizes = [getattr(layer, dim) for dim in dims]
    if operand is Operand.INPUT and sides is None:
        sides = (window_words(layer, ranges, True), window_words(layer, ranges, False))
    windows = {} if sides is None else dict(zip("HW", sides, strict=True))
    extents = [windows[dim] if dim in windows else ranges[dim][1] for dim in dims]
    runs = np.ones(np.shape(extents[0]), dtype=np.int64)
    span = np.ones(np.shape(runs), dtype=np.int64)
    broken = np.zeros(np.shape(runs), dtype=bool)
    for position in reversed(range(len(dims))):
        runs = np.where(broken, runs * extents[position], runs)
        broken = broken | (extents[position] < sizes[position])
        span = span + (extents[position] - 1) * prod(sizes[position + 1 :])
    return runs, span


def touched_words(layer: Layer, operand: Operand) -> int:
    """Words of an operand that some MAC of the layer uses: strided windows may leave gaps in the input."""
    none = np.zeros(1, dtype=np.int64)
    spans = {dim: (none, np.full(1, getattr(layer, dim), dtype=np.int64)) for dim in DIMS}
    return int(operand_words(layer, operand, dim_ranges(layer, spans), spans)[0])
