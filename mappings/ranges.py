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
    outputs, taps = ("P", "R") if vertical else ("Q", "S")
    side = 0 if vertical else 1
    size = layer.H if vertical else layer.W
    keys = np.stack([*ranges[outputs], *ranges[taps]], axis=-1)
    distinct, inverse = distinct_rows(keys.reshape(-1, 4))
    counts = np.empty(len(distinct), dtype=np.int64)
    for index, (first, count, tap, taps_count) in enumerate(distinct):
        windows = np.arange(first, first + count)[:, None] * layer.stride[side]
        touched = windows + np.arange(tap, tap + taps_count) * layer.dilation[side] - layer.padding[side]
        inside = touched[(touched >= 0) & (touched < size)]
        counts[index] = len(np.unique(inside))
    words: Ints = counts[inverse.reshape(keys.shape[:-1])]
    return words


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


def operand_runs(layer: Layer, operand: Operand, ranges: Ranges) -> tuple[Ints, Ints]:
    """Stretches of consecutive addresses a tile is made of, and words from its first address to its last.

    Tensors are stored as in `Tensors`, last index fastest. Flattened axes count by their covering ranges; gaps that a
    stride leaves between windows within a row, or between whole rows, do not break a stretch.
    """
    dims = ("NGCHW", "GKCRS", "NGKPQ")[operand]
    sizes = [getattr(layer, dim) for dim in dims]
    windows = {"H": True, "W": False}
    extents = [window_words(layer, ranges, windows[dim]) if dim in windows else ranges[dim][1] for dim in dims]
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
