"""Closed-form cost of many mappings of one layer: traffic off chip, words held, and what the passes of all tiles add up to."""

from __future__ import annotations

import numpy as np
from numba import prange

from accel.kernels.options import kernel, parallel_kernel
from accel.kernels.passes import COUNTS, INPUT, OUTPUT, WEIGHT, held_operands, tile_cost
from accel.kernels.windows import touched_positions

# Columns of the result, after the COUNTS of the passes.
STEPS, HELD_INPUT, HELD_WEIGHT, HELD_OUTPUT = COUNTS, COUNTS + 1, COUNTS + 2, COUNTS + 3
LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE_PSUM, STORE_OUTPUT = range(COUNTS + 4, COUNTS + 9)
LOADS_INPUT, LOADS_WEIGHT, STORES = range(COUNTS + 9, COUNTS + 12)
WEIGHT_TAKEN = COUNTS + 12
RUNS_INPUT, RUNS_WEIGHT, RUNS_OUTPUT = range(COUNTS + 13, COUNTS + 16)
ESTIMATES = COUNTS + 16

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


@kernel
def _side(extent, tile, stride, taps, tap_tile, dilation, padding, size):  # type: ignore[no-untyped-def]
    """Input rows (or columns) fetched over all tiles of outputs and taps."""
    total = 0
    for first in range(0, extent, tile):
        for tap in range(0, taps, tap_tile):
            total += touched_positions(
                first, min(tile, extent - first), stride, tap, min(tap_tile, taps - tap), dilation, padding, size
            )
    return total


@kernel
def _input_words(tile, sizes, strides, padding, height, width):  # type: ignore[no-untyped-def]
    """Words of all distinct input tiles; `tile` is the extent along each dimension, or 0 where it is flattened.

    Flattened (N, P, Q): tile[Q] indices of the flat axis at a time; flattened (C, R, S): tile[S], each tile then
    fetched with its whole filter window.
    """
    channels = 0
    if tile[C] > 0:
        channels = sizes[C]
        taps = (tile[R], tile[S])
    else:
        window = sizes[R] * sizes[S]
        for first in range(0, sizes[C] * window, tile[S]):
            last = min(first + tile[S], sizes[C] * window) - 1
            channels += last // window - first // window + 1
        taps = (sizes[R], sizes[S])
    if tile[N] > 0:
        rows = _side(sizes[P], tile[P], strides[0], sizes[R], taps[0], strides[2], padding[0], height)
        columns = _side(sizes[Q], tile[Q], strides[1], sizes[S], taps[1], strides[3], padding[1], width)
        return sizes[G] * sizes[N] * channels * rows * columns
    image = sizes[P] * sizes[Q]
    words = 0
    for first in range(0, sizes[N] * image, tile[Q]):
        last = min(first + tile[Q], sizes[N] * image) - 1
        images = last // image - first // image + 1
        p, pe, q, qe = 0, sizes[P], 0, sizes[Q]
        if images == 1:
            p = first % image // sizes[Q]
            pe = last % image // sizes[Q] - p + 1
            if pe == 1:
                q = first % sizes[Q]
                qe = last % sizes[Q] - q + 1
        rows = touched_positions(p, pe, strides[0], 0, sizes[R], strides[2], padding[0], height)
        columns = touched_positions(q, qe, strides[1], 0, sizes[S], strides[3], padding[1], width)
        words += images * rows * columns
    return sizes[G] * channels * words


@kernel
def _repeats(operand, depth, loop_axis, counts, relevant):  # type: ignore[no-untyped-def]
    """How often each tile of an operand is fetched: iterations of the other loops outside one that changes the tile."""
    inner = -1
    for loop in range(depth):
        if counts[loop] > 1 and relevant[loop_axis[loop], operand]:
            inner = loop
    repeats = 1
    for loop in range(inner):
        if not relevant[loop_axis[loop], operand]:
            repeats *= counts[loop]
    return repeats


@kernel
def _held_words(operand, depth, loop_axis, loop_block, loop_factor, tile, extent, relevant):  # type: ignore[no-untyped-def]
    """Indices of a product of axes kept in a buffer: a tile, times the loops inside the operand's hold."""
    words = 1
    for axis in range(len(tile)):
        if not relevant[axis, operand]:
            continue
        kept = tile[axis]
        for loop in range(depth, len(loop_axis)):
            if loop_axis[loop] == axis:
                kept = max(kept, loop_block[loop] * loop_factor[loop])
        words *= min(kept, extent[axis])
    return words


@kernel
def _runs(extents, sizes):  # type: ignore[no-untyped-def]
    """Stretches of consecutive addresses in a box of a tensor of four dimensions, the last one fastest."""
    runs = 1
    for position in range(3):
        for inner in range(position + 1, 4):
            if extents[inner] < sizes[inner]:
                runs *= extents[position]
                break
    return runs


@parallel_kernel
def estimate_columns(  # type: ignore[no-untyped-def]
    factors, levels, loop_axes, hold, extent, dims, sizes, strides, padding, height, width,
    relevant, reduced, window, machine, result,
):  # fmt: skip
    """Cost every row of `factors`; see ESTIMATES for the columns of `result`.

    levels: first loop of off_chip, on_chip, registers, rows, columns, lanes and the end; loop_axes: axis of each loop.
    dims: (8,) axis of each dimension. The tile classes are full and ragged tiles, the first, middle and last of a
    reduction; latencies inside them come from `tile_cost`, so they are those of the simulation.
    """
    for row in prange(len(factors)):
        _estimate(
            factors[row], levels, loop_axes, hold, extent, dims, sizes, strides, padding, height, width,
            relevant, reduced, window, machine, result[row],
        )  # fmt: skip


@kernel
def _estimate(  # type: ignore[no-untyped-def]
    factors, levels, loop_axes, hold, extent, dims, sizes, strides, padding, height, width,
    relevant, reduced, window, machine, result,
):  # fmt: skip
    axes = len(extent)
    off, on, registers, rows, lane_start, end = levels[0], levels[1], levels[2], levels[3], levels[5], levels[6]
    lanes = np.ones(axes, dtype=np.int64)
    unroll = np.ones(axes, dtype=np.int64)
    for loop in range(rows, end):
        unroll[loop_axes[loop]] *= factors[loop]
    for loop in range(lane_start, end):
        lanes[loop_axes[loop]] *= factors[loop]
    block = np.empty(end, dtype=np.int64)
    grown = unroll.copy()
    pass_extent = unroll.copy()
    tile = unroll.copy()
    for loop in range(rows - 1, -1, -1):
        block[loop] = grown[loop_axes[loop]]
        grown[loop_axes[loop]] *= factors[loop]
        if loop >= registers:
            pass_extent[loop_axes[loop]] = grown[loop_axes[loop]]
        if loop >= on:
            tile[loop_axes[loop]] = grown[loop_axes[loop]]
    for axis in range(axes):
        tile[axis] = min(tile[axis], extent[axis])
    result[:] = 0
    counts = factors[off:on]
    off_axes = loop_axes[off:on]
    tiles = np.empty(axes, dtype=np.int64)
    steps = 1
    for axis in range(axes):
        tiles[axis] = -(-extent[axis] // tile[axis])
        steps *= tiles[axis]
    result[STEPS] = steps

    # Off-chip traffic.
    by_dim = np.zeros(8, dtype=np.int64)
    for dim in range(8):
        alone = True
        for other in range(dim + 1, 8):
            alone = alone and dims[other] != dims[dim]
        if alone:
            by_dim[dim] = tile[dims[dim]]
    if dims[N] != dims[Q] and dims[N] != dims[P]:
        by_dim[N] = tile[dims[N]]
    repeats = _repeats(INPUT, hold[INPUT], off_axes, counts, relevant)
    result[LOAD_INPUT] = repeats * _input_words(by_dim, sizes, strides, padding, height, width)
    weights = 1
    outputs = 1
    distinct = np.ones(3, dtype=np.int64)
    for axis in range(axes):
        for operand in range(3):
            if relevant[axis, operand]:
                distinct[operand] *= tiles[axis]
        if relevant[axis, WEIGHT]:
            weights *= extent[axis]
        if relevant[axis, OUTPUT]:
            outputs *= extent[axis]
    result[LOADS_INPUT] = repeats * distinct[INPUT]
    repeats = _repeats(WEIGHT, hold[WEIGHT], off_axes, counts, relevant)
    result[LOAD_WEIGHT] = repeats * weights
    result[LOADS_WEIGHT] = repeats * distinct[WEIGHT]
    repeats = _repeats(OUTPUT, hold[OUTPUT], off_axes, counts, relevant)
    result[LOAD_PSUM] = (repeats - 1) * outputs
    result[STORE_PSUM] = (repeats - 1) * outputs
    result[STORE_OUTPUT] = outputs
    result[STORES] = repeats * distinct[OUTPUT]

    # Words held at once; a flattened input tile is covered whole.
    result[HELD_WEIGHT] = _held_words(WEIGHT, hold[WEIGHT], off_axes, block[off:on], counts, tile, extent, relevant)
    result[HELD_OUTPUT] = _held_words(OUTPUT, hold[OUTPUT], off_axes, block[off:on], counts, tile, extent, relevant)
    n, p, q = by_dim[N], by_dim[P], by_dim[Q]
    channels, r, s = by_dim[C], by_dim[R], by_dim[S]
    if n == 0:
        image = sizes[P] * sizes[Q]
        n = min(sizes[N], (q - 2) // image + 2) if q > 1 else 1
        p = sizes[P] if n > 1 else min(sizes[P], (q - 2) // sizes[Q] + 2) if q > 1 else 1
        q = sizes[Q] if p > 1 else q
    if channels == 0:
        channels = min(sizes[C], (s - 2) // (sizes[R] * sizes[S]) + 2) if s > 1 else 1
        r, s = sizes[R], sizes[S]
    high = min(height, (p - 1) * strides[0] + (r - 1) * strides[2] + 1)
    wide = min(width, (q - 1) * strides[1] + (s - 1) * strides[3] + 1)
    result[HELD_INPUT] = by_dim[G] * n * channels * high * wide
    groups = by_dim[G]
    result[RUNS_INPUT] = _runs((n, groups * channels, high, wide), (sizes[N], sizes[G] * sizes[C], height, width))
    filters = groups * by_dim[K]
    result[RUNS_WEIGHT] = _runs((filters, channels, r, s), (sizes[G] * sizes[K], sizes[C], sizes[R], sizes[S]))
    result[RUNS_OUTPUT] = _runs((n, filters, p, q), (sizes[N], sizes[G] * sizes[K], sizes[P], sizes[Q]))

    # Passes of every class of tile.
    held = held_operands(
        np.minimum(pass_extent, tile), loop_axes[registers:rows], unroll, lanes, relevant, window, strides, machine[6:9]
    )
    whole = np.ones(3, dtype=np.bool_)
    for loop in range(on, registers):
        for operand in range(3):
            if factors[loop] > 1 and relevant[loop_axes[loop], operand]:
                whole[operand] = False
    result[WEIGHT_TAKEN] = 1 if held[WEIGHT] and whole[WEIGHT] else 0
    chain = 1
    if held.any():
        going = True
        for operand in range(3):
            going = going and (held[operand] == 0 or whole[operand])
        for loop in range(on - 1, off - 1, -1):
            for operand in range(3):
                if held[operand] and relevant[loop_axes[loop], operand] and factors[loop] > 1:
                    going = False
            if not going:
                break
            chain *= factors[loop]
    reductions = 1
    returns = False
    for axis in range(axes):
        if reduced[axis]:
            reductions *= tiles[axis]
            returns = returns or pass_extent[axis] < extent[axis]
    shape = np.empty(axes, dtype=np.int64)
    costs = np.zeros(COUNTS, dtype=np.int64)
    for mask in range(1 << axes):
        many = 1
        for axis in range(axes):
            rest = extent[axis] - (tiles[axis] - 1) * tile[axis]
            if mask >> axis & 1:
                shape[axis] = rest
                if reduced[axis] or rest == tile[axis]:
                    many = 0
            else:
                shape[axis] = tile[axis]
                if not reduced[axis]:
                    many *= tiles[axis] if rest == tile[axis] else tiles[axis] - 1
        if many == 0:
            continue
        for stage in range(3):  # middle, first, last of the reduction
            number = many * (reductions - 2 if stage == 0 else 1)
            if number <= 0 or (reductions == 1 and stage == 1):
                continue
            for axis in range(axes):
                if reduced[axis]:
                    last = stage == 2
                    shape[axis] = extent[axis] - (tiles[axis] - 1) * tile[axis] if last else tile[axis]
            adds, ends = stage != 1 and reductions > 1, stage == 2
            heads = -(-number // chain)
            for link in range(3):
                share = heads if link == 0 else (min(heads, number - heads) if link == 1 else number - 2 * heads)
                if share <= 0:
                    continue
                tile_cost(
                    shape, loop_axes[on:registers], factors[on:registers], block[on:registers], pass_extent,
                    loop_axes[registers:rows], unroll, lanes, relevant, reduced, window, strides, machine,
                    adds, ends, link > 0, chain > 1 and link != 1, returns, costs,
                )  # fmt: skip
                result[:COUNTS] += share * costs
