"""Input words that the tiles of a layer fetch, where windows overlap, edges are padded and dimensions share an axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import C, G, N, Nest
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.tile_windows import covered, window_sums

Ints = NDArray[np.int64]

_MEMO_ROWS = 1 << 12


@kernel
def new_memo(parts: int, rows: int) -> Ints:
    """Room to remember what `input_words` finds in so many rows, by part: tiles, regions, their sum, most at once."""
    slots = 16
    while slots < min(2 * rows, _MEMO_ROWS):
        slots *= 2
    return np.zeros((parts, slots, 4), dtype=np.int64)


@kernel
def new_room(sizes: Ints) -> Ints:
    """Room for `input_words`: seven rows for corners of tiles, then the classes of tap tiles in `window_sums`."""
    _, _, _, c, _, _, r, s = sizes
    windows = r * (r + 1) // 2 * s * (s + 1) // 2
    return np.empty((7 + min(windows, c * r * s) + 1, 6), dtype=np.int64)


@borrowing_kernel
def _along(extent: int, start: int, tile: int, region: int, size: int, span: int) -> tuple[int, int]:
    """(sum over the tiles of an axis from `start`, most in a region) of a dimension's indices that tiles cover."""
    total = most = here = 0
    for low in range(start, extent, tile):
        if (low - start) % region == 0:
            here = 0
        _, number = covered(low, min(low + tile, extent), size, span)
        here += number
        total += number
        most = max(most, here)
    return total, most


@borrowing_kernel
def _part_words(
    part: int, starts: Ints, term: int, tile: Ints, region: Ints, nest: Nest, room: Ints
) -> tuple[int, int]:
    """(sum over the tiles from `starts` on, most in a region) of what `window_sums` counts on a part's axes."""
    begin, end, one, many, low, high = room[0], room[1], room[2], room[3], room[4], room[5]
    apart = False  # regions of several tiles
    for four in range(4):
        axis = nest.parts[part, four]
        begin[four], end[four], one[four], many[four] = 0, 1, 1, 1
        if axis >= 0:
            begin[four], end[four] = starts[term, axis], nest.extent[axis]
            one[four], many[four] = tile[axis], min(region[axis], nest.extent[axis])
            apart = apart or one[four] != many[four]
    place, side = nest.places[part], nest.sides[part]
    at, classes = room[6], room[7:]
    total, most = window_sums(begin, end, one, place, side, nest, at, classes)
    if not apart:
        return total, most
    most = 0
    for low[0] in range(begin[0], end[0], many[0]):
        for low[1] in range(begin[1], end[1], many[1]):
            for low[2] in range(begin[2], end[2], many[2]):
                for low[3] in range(begin[3], end[3], many[3]):
                    for four in range(4):
                        high[four] = min(low[four] + many[four], end[four])
                    here, _ = window_sums(low, high, one, place, side, nest, at, classes)
                    most = max(most, here)
    return total, most


@borrowing_kernel
def input_words(
    starts: Ints, term: int, tile: Ints, region: Ints, nest: Nest, room: Ints, memo: Ints
) -> tuple[int, int]:
    """(input words that all tiles from `starts` on fetch once, most words in a region), padding not fetched.

    tile, region: indices of each axis in a tile, and in the tiles that are held at once. What is found from 0 on is
    kept in `memo`.
    """
    extent, dims, parts = nest.extent, nest.dims, nest.parts
    total = most = 1
    for number, dim in enumerate((G, N, C)):
        axis = dims[dim]
        if nest.alone[number] == 1:
            total *= extent[axis] - starts[term, axis]
            most *= min(region[axis], extent[axis])
        elif nest.alone[number] == 2:
            whole, held = _along(
                extent[axis], starts[term, axis], tile[axis], region[axis], nest.sizes[dim], nest.spans[dim]
            )
            total, most = total * whole, most * held
    for part in range(len(parts)):
        tiles = regions = 0
        known = True
        for four in range(4):
            axis = parts[part, four]
            if axis >= 0:
                tiles = tiles * (extent[axis] + 1) + tile[axis]
                regions = regions * (extent[axis] + 1) + min(region[axis], extent[axis])
                known = known and starts[term, axis] == 0
        slot = (tiles ^ tiles >> 12 ^ regions * 31) & (memo.shape[1] - 1)
        if known and memo[part, slot, 0] == tiles and memo[part, slot, 1] == regions:
            whole, held = memo[part, slot, 2], memo[part, slot, 3]
        else:
            whole, held = _part_words(part, starts, term, tile, region, nest, room)
            if known:
                memo[part, slot, 0], memo[part, slot, 1] = tiles, regions
                memo[part, slot, 2], memo[part, slot, 3] = whole, held
        total, most = total * whole, most * held
    return total, most
