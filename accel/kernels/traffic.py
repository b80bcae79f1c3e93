"""Exact words between a memory and the one inside it, without walking the loops: how often each block returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel
from accel.kernels.windows import distinct_positions, touched_positions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Dimensions in the order of `sizes`, `spans` and `dims`.
G, N, K, C, P, Q, R, S = range(8)

_MEMO_ROWS = 1 << 12


@kernel
def new_memo(parts: int, rows: int) -> Ints:
    """Room to remember what `input_words` finds in so many rows, by part: tiles, regions, their sum, most at once."""
    slots = 16
    while slots < min(2 * rows, _MEMO_ROWS):
        slots *= 2
    return np.zeros((parts, slots, 4), dtype=np.int64)


@kernel
def stays(
    axis_of: Ints, times: Ints, last: int, first: int, region: Ints, regions: Ints, extent: Ints, uses: Bools,
    which: int, current: Ints, counts: Ints, weights: Ints, starts: Ints,
) -> int:  # fmt: skip
    """How often each block of an operand comes in under the loops `first`..`last - 1`, as a sum of few terms.

    axis_of, times: the loops of more than one iteration. region: (axes,) what one iteration of all these loops covers,
    `regions` in all, no more than the extent; uses[:, which]: the axes that select the block. A loop that does not
    select it brings the block back in every iteration, if another block was there in between: if a selecting loop
    inside it has more than one iteration left. At the ragged end of an axis that two loops share it may have only one.
    So the number of comings of a block at (i, ...) is the sum of weights[term] over the terms whose
    starts[term, axis] <= i for every selecting axis. Returns the number of terms; the first covers all blocks, from
    starts[0] on, which is 0. `current` and `counts` are room for a number an axis.
    """
    axes = len(extent)
    for axis in range(axes):
        current[axis] = region[axis]
        counts[axis] = 1 if uses[axis, which] else regions[axis]
    loop = last - 1
    while loop >= first and not uses[axis_of[loop], which]:  # the block just stays
        moved = axis_of[loop]
        current[moved] = min(current[moved] * times[loop], extent[moved])
        counts[moved] = -(-extent[moved] // current[moved])
        loop -= 1
    comings = 1
    for axis in range(axes):
        comings *= counts[axis]
    weights[0] = comings
    terms = 1
    while loop >= first and comings > 1:
        moved = axis_of[loop]
        if uses[moved, which]:
            current[moved] *= times[loop]
        else:
            for axis in range(axes):
                starts[terms, axis] = 0
                if uses[axis, which] and current[axis] > region[axis]:
                    if current[axis] >= extent[axis]:
                        return terms
                    final = (extent[axis] - 1) // current[axis] * current[axis]
                    starts[terms, axis] = final
                    if extent[axis] - final > region[axis]:
                        return terms
            current[moved] = min(current[moved] * times[loop], extent[moved])
            others = comings // counts[moved]
            counts[moved] = -(-extent[moved] // current[moved])
            weights[terms] = others * counts[moved] - comings
            comings = others * counts[moved]
            terms += 1
        loop -= 1
    return terms


@kernel
def volume(extent: Ints, starts: Ints, term: int, relevant: Bools, operand: int) -> int:
    """Words of a weight or output from `starts` on."""
    words = 1
    for axis in range(len(extent)):
        if relevant[axis, operand]:
            words *= extent[axis] - starts[term, axis]
    return words


@kernel
def blocks_from(
    extent: Ints, starts: Ints, term: int, block: Ints, blocks: Ints, uses: Bools, which: int
) -> int:  # fmt: skip
    """Of the `blocks` along each axis that selects them, those from `starts` on."""
    number = 1
    for axis in range(len(extent)):
        if uses[axis, which]:
            before = starts[term, axis] // block[axis] if starts[term, axis] > 0 else 0
            number *= blocks[axis] - before
    return number


@kernel
def register_inputs(
    extent: Ints, starts: Ints, term: int, block: Ints, relevant: Bools, window: Ints, strides: Ints
) -> int:
    """Input words that all blocks from `starts` on put into registers, overlapping windows of a block counted once."""
    words = 1
    for axis in range(len(extent)):
        windowed = window[0] >= 0 and (axis == window[0] or axis == window[1] or axis == window[2] or axis == window[3])
        if relevant[axis, 0] and not windowed:
            words *= extent[axis] - starts[term, axis]
    if window[0] < 0:
        return words
    for side in range(2):
        o, t = window[side], window[side + 2]
        outputs, taps = extent[o] - starts[term, o], extent[t] - starts[term, t]
        total = 0
        for ragged_outputs in range(2):
            size = outputs % block[o] if ragged_outputs else block[o]
            number = 1 if ragged_outputs else outputs // block[o]
            for ragged_taps in range(2):
                reach = taps % block[t] if ragged_taps else block[t]
                times = number * (1 if ragged_taps else taps // block[t])
                if size > 0 and reach > 0 and times > 0:
                    total += times * distinct_positions(size, strides[side], reach, strides[side + 2])
        words *= total
    return words


@kernel
def first_index(low: int, high: int, size: int, span: int) -> int:
    """Where low..high of an axis begins along one of its dimensions; an index of that covers `span` of the axis."""
    return 0 if low // (size * span) != high // (size * span) else low // span % size


@kernel
def reach(low: int, high: int, size: int, span: int) -> int:
    """How many indices of a dimension the range low..high of its axis covers, at least."""
    return size if low // (size * span) != high // (size * span) else high // span - low // span + 1


@kernel
def along(extent: int, start: int, tile: int, region: int, size: int, span: int) -> tuple[int, int]:
    """(sum over the tiles of an axis from `start`, most in a region) of a dimension's indices that tiles cover."""
    total = most = here = 0
    for low in range(start, extent, tile):
        if (low - start) % region == 0:
            here = 0
        here += reach(low, min(low + tile, extent) - 1, size, span)
        total += reach(low, min(low + tile, extent) - 1, size, span)
        most = max(most, here)
    return total, most


@kernel
def window_sums(
    low: Ints, high: Ints, tile: Ints, place: Ints, vertical: bool, horizontal: bool, sizes: Ints, spans: Ints,
    strides: Ints, padding: Ints, height: int, width: int, classes: Ints,
) -> tuple[int, int]:  # fmt: skip
    """(sum, most) over tiles of images x channels x rows (if `vertical`) x columns (if `horizontal`) they touch.

    low, high, tile: of up to two axes of outputs and two of taps, absent ones 0, 1, 1. place[dim]: which of the four
    has the dimension, or -1. Tiles of taps that look alike are counted in `classes` first.
    """
    found = 0
    for third in range(low[2], high[2], tile[2]):
        for fourth in range(low[3], high[3], tile[3]):
            begin_c = third if place[C] == 2 else fourth
            end_c = min(third + tile[2], high[2]) - 1 if place[C] == 2 else min(fourth + tile[3], high[3]) - 1
            channels = reach(begin_c, end_c, sizes[C], spans[C]) if place[C] >= 2 else 1
            begin_r = third if place[R] == 2 else fourth
            end_r = min(third + tile[2], high[2]) - 1 if place[R] == 2 else min(fourth + tile[3], high[3]) - 1
            begin_s = third if place[S] == 2 else fourth
            end_s = min(third + tile[2], high[2]) - 1 if place[S] == 2 else min(fourth + tile[3], high[3]) - 1
            r = first_index(begin_r, end_r, sizes[R], spans[R]) if vertical else 0
            taps_r = reach(begin_r, end_r, sizes[R], spans[R]) if vertical else 0
            s = first_index(begin_s, end_s, sizes[S], spans[S]) if horizontal else 0
            taps_s = reach(begin_s, end_s, sizes[S], spans[S]) if horizontal else 0
            at = 0
            while at < found and not (
                classes[at, 0] == r and classes[at, 1] == taps_r and classes[at, 2] == s and classes[at, 3] == taps_s
            ):
                at += 1
            if at == found:
                classes[at, 0], classes[at, 1], classes[at, 2], classes[at, 3] = r, taps_r, s, taps_s
                classes[at, 4] = classes[at, 5] = 0
                found += 1
            classes[at, 4] += channels
            classes[at, 5] = max(classes[at, 5], channels)
    total = most = 0
    for one in range(low[0], high[0], tile[0]):
        for two in range(low[1], high[1], tile[1]):
            last_one, last_two = min(one + tile[0], high[0]) - 1, min(two + tile[1], high[1]) - 1
            images = 1
            if place[N] == 0 or place[N] == 1:
                begin, end = (one, last_one) if place[N] == 0 else (two, last_two)
                images = reach(begin, end, sizes[N], spans[N])
            p = rows_out = q = columns_out = 0
            if vertical:
                begin, end = (one, last_one) if place[P] == 0 else (two, last_two)
                p, rows_out = first_index(begin, end, sizes[P], spans[P]), reach(begin, end, sizes[P], spans[P])
            if horizontal:
                begin, end = (one, last_one) if place[Q] == 0 else (two, last_two)
                q, columns_out = first_index(begin, end, sizes[Q], spans[Q]), reach(begin, end, sizes[Q], spans[Q])
            for at in range(found):
                words = images
                if vertical:
                    words *= touched_positions(
                        p, rows_out, strides[0], classes[at, 0], classes[at, 1], strides[2], padding[0], height
                    )
                if horizontal:
                    words *= touched_positions(
                        q, columns_out, strides[1], classes[at, 2], classes[at, 3], strides[3], padding[1], width
                    )
                total += words * classes[at, 4]
                most = max(most, words * classes[at, 5])
    return total, most


@kernel
def region_sums(
    begin: Ints, end: Ints, tile: Ints, region: Ints, place: Ints, sides: Ints, sizes: Ints, spans: Ints,
    strides: Ints, padding: Ints, height: int, width: int, classes: Ints,
) -> tuple[int, int]:  # fmt: skip
    """As `window_sums`, the most over regions of several tiles."""
    vertical, horizontal = sides[0] != 0, sides[1] != 0
    total, most = window_sums(
        begin, end, tile, place, vertical, horizontal, sizes, spans, strides, padding, height, width, classes
    )
    if (region[0] == tile[0] and region[1] == tile[1]) and (region[2] == tile[2] and region[3] == tile[3]):
        return total, most
    most = 0
    low, high = np.empty(4, dtype=np.int64), np.empty(4, dtype=np.int64)
    for low[0] in range(begin[0], end[0], region[0]):
        for low[1] in range(begin[1], end[1], region[1]):
            for low[2] in range(begin[2], end[2], region[2]):
                for low[3] in range(begin[3], end[3], region[3]):
                    for four in range(4):
                        high[four] = min(low[four] + region[four], end[four])
                    here, _ = window_sums(
                        low, high, tile, place, vertical, horizontal, sizes, spans, strides, padding, height, width,
                        classes,
                    )  # fmt: skip
                    most = max(most, here)
    return total, most


@kernel
def _count_part(
    part: int, starts: Ints, term: int, tile: Ints, region: Ints, extent: Ints, parts: Ints, places: Ints, sides: Ints,
    sizes: Ints, spans: Ints, strides: Ints, padding: Ints, height: int, width: int, classes: Ints,
) -> tuple[int, int]:  # fmt: skip
    """`region_sums` of one part of `input_words`."""
    begin, end = np.zeros(4, dtype=np.int64), np.ones(4, dtype=np.int64)
    one, many = np.ones(4, dtype=np.int64), np.ones(4, dtype=np.int64)
    for four in range(4):
        axis = parts[part, four]
        if axis >= 0:
            begin[four], end[four] = starts[term, axis], extent[axis]
            one[four], many[four] = tile[axis], min(region[axis], extent[axis])
    return region_sums(
        begin, end, one, many, places[part], sides[part], sizes, spans, strides, padding, height, width, classes
    )


@kernel
def input_words(
    starts: Ints, term: int, tile: Ints, region: Ints, extent: Ints, dims: Ints, alone: Ints, parts: Ints,
    places: Ints, sides: Ints, sizes: Ints, spans: Ints, strides: Ints, padding: Ints, height: int, width: int,
    classes: Ints, memo: Ints,
) -> tuple[int, int]:  # fmt: skip
    """(input words that all tiles from `starts` on fetch once, most words in a region), padding not fetched.

    alone: of G, N and C, whether a part counts them (0), they have an axis of their own (1), or share one (2).
    parts: (parts, 4) axes of outputs and of taps, -1 for none: rows apart from columns unless an axis has both; places
    and sides as `window_sums` takes them. What is found from 0 on is kept in `memo`.
    """
    total = most = 1
    for number, dim in enumerate((G, N, C)):
        axis = dims[dim]
        if alone[number] == 1:
            total *= extent[axis] - starts[term, axis]
            most *= min(region[axis], extent[axis])
        elif alone[number] == 2:
            whole, held = along(
                extent[axis], starts[term, axis], tile[axis], region[axis], sizes[dim], spans[dim]
            )  # fmt: skip
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
            whole, held = _count_part(
                part, starts, term, tile, region, extent, parts, places, sides, sizes, spans, strides, padding, height,
                width, classes,
            )  # fmt: skip
            if known:
                memo[part, slot, 0], memo[part, slot, 1] = tiles, regions
                memo[part, slot, 2], memo[part, slot, 3] = whole, held
        total, most = total * whole, most * held
    return total, most
