"""Closed-form cost of many mappings of one layer: traffic off chip, words held, passes, latency and energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import inner
from accel.kernels.dram import transfer_cycles
from accel.kernels.inner import pass_totals
from accel.kernels.options import kernel
from accel.kernels.passes import COLUMNS, OVERLAP_PASSES, ROWS, SYSTOLIC, WORD_BITS
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.windows import touched_positions

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Box = tuple[int, int, int, int]

# Columns of the result; counts of words are whole numbers.
FITS, LATENCY, ENERGY, DRAM_BITS, COMPUTE, MAC, PASSES, STEPS = range(8)
READ_INPUT, READ_WEIGHT, READ_PSUM, WRITE_PSUM, WRITE_OUTPUT = range(8, 13)
LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE_PSUM, STORE_OUTPUT = range(13, 18)
HELD_INPUT, HELD_WEIGHT, HELD_OUTPUT = range(18, 21)
ESTIMATES = 21

# Fields of the limits vector.
(
    DATA_TILES, WEIGHT_TILES, DATA_BITS, WEIGHT_BITS, ACCUMULATOR_BITS, RESERVED_BITS, INPUT_STAYS, OUTPUT_STAYS,
    LAYER_SETUP, TILE_SETUP, DRAM_LATENCY, MACS,
) = range(12)  # fmt: skip
LIMITS = 12

# Fields of the price vector, picojoules: one constant, then per word, per bit or per cycle.
(
    PJ_LAYER, PJ_FILL, PJ_BUS, PJ_DATA_READ, PJ_DATA_WRITE, PJ_PSUM_READ, PJ_PSUM_WRITE, PJ_WEIGHT_READ,
    PJ_WEIGHT_WRITE, PJ_DRAM_READ, PJ_DRAM_WRITE, PJ_CYCLE,
) = (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)  # fmt: skip
PRICES = 14
"""PJ_FILL takes three fields, one an operand."""

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


@kernel
def _side(extent: int, tile: int, stride: int, taps: int, tap_tile: int, dilation: int, padding: int, size: int) -> int:
    """Input rows (or columns) fetched over all tiles of outputs and taps."""
    total = 0
    for first in range(0, extent, tile):
        for tap in range(0, taps, tap_tile):
            total += touched_positions(
                first, min(tile, extent - first), stride, tap, min(tap_tile, taps - tap), dilation, padding, size
            )
    return total


@kernel
def _flat_pixels(tile: int, sizes: Ints, strides: Ints, padding: Ints, height: int, width: int) -> int:
    """Rows times columns times images fetched when `tile` indices of flattened (N, P, Q) make a tile."""
    image = sizes[P] * sizes[Q]
    words = 0
    for first in range(0, sizes[N] * image, tile):
        last = min(first + tile, sizes[N] * image) - 1
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
    return words


@kernel
def _flat_channels(tile: int, sizes: Ints) -> int:
    """Channels fetched when `tile` indices of flattened (C, R, S) make a tile, each with its whole window."""
    window = sizes[R] * sizes[S]
    channels = 0
    for first in range(0, sizes[C] * window, tile):
        last = min(first + tile, sizes[C] * window) - 1
        channels += last // window - first // window + 1
    return channels


@kernel
def _runs(extents: Box, sizes: Box) -> int:
    """Stretches of consecutive addresses in a box of a tensor of four dimensions, the last one fastest."""
    runs = 1
    for position in range(3):
        for later in range(position + 1, 4):
            if extents[later] < sizes[later]:
                runs *= extents[position]
                break
    return runs


@kernel
def estimate_rows(
    factors: Ints, levels: Ints, loop_axes: Ints, hold: Ints, extent: Ints, dims: Ints, sizes: Ints, strides: Ints,
    padding: Ints, height: int, width: int, relevant: Bools, reduced: Bools, window: Ints, machine: Ints,
    timing: Ints, limits: Ints, prices: Floats, result: Floats, first_row: int, last_row: int,
) -> None:  # fmt: skip
    """Cost rows first_row..last_row-1 of `factors`; see ESTIMATES for the columns of `result`.

    levels: first loop of off_chip, on_chip, registers, rows, columns, lanes and the end; loop_axes: axis of each loop;
    dims: (8,) axis of each dimension, flattened ones all of NPQ or all of CRS. What depends on the pass alone is kept
    from row to row, so columns should change it seldom.
    """
    axes = len(extent)
    on, registers, spatial, lane_start, end = levels[1], levels[2], levels[3], levels[5], levels[6]
    flat_pixels, flat_taps = dims[N] == dims[Q], dims[C] == dims[S]
    bits = machine[WORD_BITS : WORD_BITS + 4]  # input, weight, partial sum, output
    totals = np.zeros(inner.TOTALS)
    lanes = np.ones(axes, dtype=np.int64)
    unroll = np.ones(axes, dtype=np.int64)
    pass_extent = np.ones(axes, dtype=np.int64)
    tile = np.ones(axes, dtype=np.int64)
    tiles = np.ones(axes, dtype=np.int64)
    grown = np.ones(axes, dtype=np.int64)
    block = np.ones(end, dtype=np.int64)
    repeats = np.ones(3, dtype=np.int64)
    returning = np.ones(3)
    held = np.ones(3, dtype=np.int64)
    distinct = np.ones(3, dtype=np.int64)
    rows_by_tile = np.full(sizes[P] + 1, -1, dtype=np.int64)
    columns_by_tile = np.full(sizes[Q] + 1, -1, dtype=np.int64)
    pixels_by_tile = np.full(sizes[N] * sizes[P] * sizes[Q] + 1 if flat_pixels else 1, -1, dtype=np.int64)
    channels_by_tile = np.full(sizes[C] * sizes[R] * sizes[S] + 1 if flat_taps else 1, -1, dtype=np.int64)
    whole = np.ones(3, dtype=np.int64)
    used_lanes = 1
    for axis in range(axes):
        for operand in range(3):
            if relevant[axis, operand]:
                whole[operand] *= extent[axis]
    for row in range(first_row, last_row):
        factor = factors[row]
        out = result[row]
        fresh = row == first_row
        for loop in range(registers, end):
            fresh = fresh or factor[loop] != factors[row - 1, loop]
        if fresh:
            unroll[:] = 1
            lanes[:] = 1
            for loop in range(spatial, end):
                unroll[loop_axes[loop]] *= factor[loop]
            for loop in range(lane_start, end):
                lanes[loop_axes[loop]] *= factor[loop]
            used_lanes = 1
            for axis in range(axes):
                used_lanes *= lanes[axis]
            pass_extent[:] = unroll
            for loop in range(registers, spatial):
                pass_extent[loop_axes[loop]] *= factor[loop]
            pass_totals(
                extent, pass_extent, loop_axes[registers:spatial], unroll, lanes, relevant, reduced, window, strides,
                machine, totals,
            )  # fmt: skip

        # Tiles, and how often each comes back.
        tile[:] = pass_extent
        for loop in range(on, registers):
            tile[loop_axes[loop]] *= factor[loop]
        grown[:] = tile
        steps = 1
        distinct[:] = 1
        for axis in range(axes):
            tile[axis] = min(tile[axis], extent[axis])
            tiles[axis] = -(-extent[axis] // tile[axis])
            steps *= tiles[axis]
            for operand in range(3):
                if relevant[axis, operand]:
                    distinct[operand] *= tiles[axis]
        for loop in range(on - 1, -1, -1):
            block[loop] = grown[loop_axes[loop]]
            grown[loop_axes[loop]] *= factor[loop]
        for operand in range(3):
            last = -1
            for loop in range(hold[operand]):
                if factor[loop] > 1 and relevant[loop_axes[loop], operand]:
                    last = loop
            repeats[operand] = 1
            for loop in range(last):
                if not relevant[loop_axes[loop], operand]:
                    repeats[operand] *= factor[loop]
            held[operand] = 1
            for axis in range(axes):
                if relevant[axis, operand]:
                    held[operand] *= tile[axis]
            # Loops inside the operand's hold keep their tiles too: whole tiles, so ragged ones count as full.
            for loop in range(hold[operand], on):
                if factor[loop] > 1 and relevant[loop_axes[loop], operand]:
                    axis = loop_axes[loop]
                    before = min(block[loop], extent[axis])
                    held[operand] = held[operand] // before * min(block[loop] * factor[loop], extent[axis])

        # The input: rows and columns are found once for every size of tile.
        n, p, q = tile[dims[N]], tile[dims[P]], tile[dims[Q]]
        c, r, s = tile[dims[C]], tile[dims[R]], tile[dims[S]]
        if flat_taps:
            flat = s
            if channels_by_tile[flat] < 0:
                channels_by_tile[flat] = _flat_channels(flat, sizes)
            channels = channels_by_tile[flat]
            c = min(sizes[C], (flat - 2) // (sizes[R] * sizes[S]) + 2) if flat > 1 else 1
            r, s = sizes[R], sizes[S]
        else:
            channels = sizes[C]
        if flat_pixels:
            flat = q
            if pixels_by_tile[flat] < 0:
                pixels_by_tile[flat] = _flat_pixels(flat, sizes, strides, padding, height, width)
            pixels = pixels_by_tile[flat]
            n = min(sizes[N], (flat - 2) // (sizes[P] * sizes[Q]) + 2) if flat > 1 else 1
            p = sizes[P] if n > 1 else min(sizes[P], (flat - 2) // sizes[Q] + 2) if flat > 1 else 1
            q = sizes[Q] if p > 1 else flat
        else:
            if r == sizes[R]:
                if rows_by_tile[p] < 0:
                    rows_by_tile[p] = _side(sizes[P], p, strides[0], sizes[R], r, strides[2], padding[0], height)
                high = rows_by_tile[p]
            else:
                high = _side(sizes[P], p, strides[0], sizes[R], r, strides[2], padding[0], height)
            if s == sizes[S]:
                if columns_by_tile[q] < 0:
                    columns_by_tile[q] = _side(sizes[Q], q, strides[1], sizes[S], s, strides[3], padding[1], width)
                wide = columns_by_tile[q]
            else:
                wide = _side(sizes[Q], q, strides[1], sizes[S], s, strides[3], padding[1], width)
            pixels = sizes[N] * high * wide
        box_rows = min(height, (p - 1) * strides[0] + (r - 1) * strides[2] + 1)
        box_columns = min(width, (q - 1) * strides[1] + (s - 1) * strides[3] + 1)
        g, k = tile[dims[G]], tile[dims[K]]
        held[INPUT] = g * n * c * box_rows * box_columns
        load_input = repeats[INPUT] * sizes[G] * channels * pixels
        load_weight = repeats[WEIGHT] * whole[WEIGHT]
        back = (repeats[OUTPUT] - 1) * whole[OUTPUT]

        # How often held operands come back into the registers: at every tile step, unless the stream just goes on.
        chain = 1
        going = False
        for operand in range(3):
            going = going or totals[inner.HELD_FLAG + operand] > 0
        for operand in range(3):
            returning[operand] = 1.0
            inside = False
            for loop in range(registers - 1, on - 1, -1):
                if factor[loop] == 1:
                    continue
                if relevant[loop_axes[loop], operand]:
                    inside = True
                elif inside:
                    returning[operand] *= factor[loop]
            returning[operand] *= steps // distinct[operand]
            if inside and totals[inner.HELD_FLAG + operand] > 0:
                going = False
            if operand == WEIGHT:
                weight_taken = not inside and totals[inner.HELD_FLAG + WEIGHT] > 0
        if going:
            for loop in range(on - 1, -1, -1):
                for operand in range(3):
                    stays_put = factor[loop] == 1 or not relevant[loop_axes[loop], operand]
                    going = going and (stays_put or totals[inner.HELD_FLAG + operand] == 0)
                if not going:
                    break
                chain *= factor[loop]
        compute = totals[inner.BASE]
        for operand in range(3):
            if totals[inner.HELD_FLAG + operand] > 0:
                returning[operand] /= chain
            compute += totals[inner.LOAD_CYCLES + operand] * (returning[operand] if operand != OUTPUT else 1.0)
        stays = returning[OUTPUT] - 1.0
        compute += stays * totals[inner.PSUM_CYCLES]
        if machine[SYSTOLIC] != 0:
            continued = steps - steps / chain
            skewed = steps - continued if machine[OVERLAP_PASSES] != 0 else totals[inner.PASSES] - continued
            compute += skewed * (machine[ROWS] + machine[COLUMNS] - 2)
        read_input = totals[inner.STREAM_INPUT] + totals[inner.HELD_WORDS] * returning[INPUT]
        read_weight = totals[inner.STREAM_WEIGHT] + totals[inner.HELD_WORDS + 1] * returning[WEIGHT]
        read_psum = totals[inner.STREAM_PSUM] + totals[inner.HELD_WORDS + 2] * stays
        write_psum = totals[inner.STREAM_PSUM_OUT] + totals[inner.HELD_WORDS + 2] * stays
        write_output = totals[inner.STREAM_OUTPUT] + totals[inner.HELD_WORDS + 2]

        # Bits, and whether the tiles fit.
        partial = write_psum > 0
        in_bits = 0 if limits[INPUT_STAYS] else load_input * bits[0]
        out_bits = 0 if limits[OUTPUT_STAYS] else whole[OUTPUT] * bits[3]
        weight_bits = load_weight * bits[1]
        back_bits = back * bits[2]
        need = limits[RESERVED_BITS]
        if not limits[INPUT_STAYS]:
            need += held[INPUT] * bits[0] * limits[DATA_TILES]
        outputs = held[OUTPUT] * (bits[2] if partial else bits[3]) * limits[DATA_TILES]
        fits = True
        if limits[ACCUMULATOR_BITS] > 0:
            fits = outputs <= limits[ACCUMULATOR_BITS]
        elif partial or not limits[OUTPUT_STAYS]:
            need += outputs
        kept_weights = held[WEIGHT] * bits[1] * (1 if weight_taken else limits[WEIGHT_TILES])
        fits = fits and need <= limits[DATA_BITS] and kept_weights <= limits[WEIGHT_BITS]

        # Transfers of mean size stand for all of a kind.
        groups_filters = g * k
        number = repeats[INPUT] * distinct[INPUT]
        runs = _runs((n, g * c, box_rows, box_columns), (sizes[N], sizes[G] * sizes[C], height, width))
        mean = -(-in_bits // number)
        bus_data = number * transfer_cycles(mean, runs, mean, 0, timing)
        loads = number
        number = repeats[WEIGHT] * distinct[WEIGHT]
        runs = _runs((groups_filters, c, r, s), (sizes[G] * sizes[K], sizes[C], sizes[R], sizes[S]))
        mean = -(-weight_bits // number)
        bus_weight = number * transfer_cycles(mean, runs, mean, 0, timing)
        number = repeats[OUTPUT] * distinct[OUTPUT]
        runs = _runs((n, groups_filters, p, q), (sizes[N], sizes[G] * sizes[K], sizes[P], sizes[Q]))
        mean = -(-(out_bits + back_bits) // number)
        bus_data_out = number * transfer_cycles(mean, runs, mean, 0, timing)
        mean = -(-back_bits // number)
        bus_data_out += number * transfer_cycles(mean, runs, mean, 0, timing)
        setup = limits[LAYER_SETUP] + steps * limits[TILE_SETUP]
        bus = float(bus_data + bus_weight + bus_data_out)
        if limits[DATA_TILES] == 2 and limits[WEIGHT_TILES] == 2:
            lead = (bus_data + bus_weight) / steps + limits[DRAM_LATENCY]
            latency = setup + lead + max(compute, bus) + bus_data_out / steps
        else:
            alone = compute
            if limits[DATA_TILES] == 1:
                alone += bus_data + bus_data_out + (loads + number) * limits[DRAM_LATENCY]
            if limits[WEIGHT_TILES] == 1:
                alone += bus_weight
            latency = setup + max(alone, bus)

        busy = limits[MACS] / totals[inner.MAC] / used_lanes
        pj = prices[PJ_LAYER] + latency * prices[PJ_CYCLE]
        for operand in range(3):
            fills = totals[inner.STREAM_FILLS + operand] + totals[inner.HELD_FILLS + operand] * returning[operand]
            pj += fills * busy * prices[PJ_FILL + operand]
        sums = write_psum * bits[2] + write_output * bits[3]
        reads = read_input * bits[0]
        pj += (reads + read_weight * bits[1] + read_psum * bits[2] + sums) * prices[PJ_BUS]
        pj += (reads + out_bits + back_bits) * prices[PJ_DATA_READ] + (in_bits + back_bits) * prices[PJ_DATA_WRITE]
        pj += read_psum * bits[2] * prices[PJ_PSUM_READ] + sums * prices[PJ_PSUM_WRITE]
        pj += read_weight * bits[1] * prices[PJ_WEIGHT_READ] + weight_bits * prices[PJ_WEIGHT_WRITE]
        pj += (in_bits + back_bits + weight_bits) * prices[PJ_DRAM_READ]
        pj += (out_bits + back_bits) * prices[PJ_DRAM_WRITE]

        out[FITS] = 1.0 if fits else 0.0
        out[LATENCY] = latency
        out[ENERGY] = pj
        out[DRAM_BITS] = in_bits + weight_bits + out_bits + 2 * back_bits
        out[COMPUTE] = compute
        out[MAC] = totals[inner.MAC]
        out[PASSES] = totals[inner.PASSES]
        out[STEPS] = steps
        out[READ_INPUT] = read_input
        out[READ_WEIGHT] = read_weight
        out[READ_PSUM] = read_psum
        out[WRITE_PSUM] = write_psum
        out[WRITE_OUTPUT] = write_output
        out[LOAD_INPUT] = load_input
        out[LOAD_WEIGHT] = load_weight
        out[LOAD_PSUM] = back
        out[STORE_PSUM] = back
        out[STORE_OUTPUT] = whole[OUTPUT]
        out[HELD_INPUT] = held[INPUT]
        out[HELD_WEIGHT] = held[WEIGHT]
        out[HELD_OUTPUT] = held[OUTPUT]
