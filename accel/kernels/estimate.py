"""Closed-form cost of many mappings of one layer: traffic at both levels, what the buffers hold, latency and energy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accel.kernels import inner, traffic
from accel.kernels.dram import mean_transfer, per_unit
from accel.kernels.inner import pass_totals
from accel.kernels.options import kernel
from accel.kernels.overlap import LOAD_INPUT, LOAD_PSUM, LOAD_WEIGHT, STORE, layer_cycles
from accel.kernels.passes import COLUMNS, OVERLAP_PASSES, ROWS, SYSTOLIC, WORD_BITS
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.traffic import blocks_from, input_words, register_inputs, stays, volume

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Columns of the result; counts of words and bits are whole numbers.
FITS, LATENCY, ENERGY, DRAM_BITS, COMPUTE, MAC, PASSES, STEPS = range(8)
READ_INPUT, READ_WEIGHT, READ_PSUM, WRITE_PSUM, WRITE_OUTPUT = range(8, 13)
INPUT_BITS, WEIGHT_BITS, PSUM_BITS, OUTPUT_BITS = range(13, 17)
"""Across the DRAM pins; PSUM_BITS each way."""
FILL_INPUT, FILL_WEIGHT, FILL_OUTPUT = range(17, 20)
NEED_DATA, NEED_WEIGHT, NEED_SUMS = range(20, 23)
"""Bits that must be in the data buffer, the weight buffer and the accumulator memory at once."""
BUS, OPENED, HOPS = range(23, 26)
"""Cycles of the DMA, DRAM rows opened, partial sums handed from PE to PE."""
HELD_INPUT, HELD_WEIGHT, HELD_OUTPUT = range(26, 29)
"""Words kept in the buffers at once, double buffers counted once."""
LOADED_INPUT, LOADED_WEIGHT = range(29, 31)
"""Words over the DMA."""
ESTIMATES = 31

# Fields of the limits vector; coded bits are of the whole tensor, -1 for one stored word by word.
(
    DATA_TILES, WEIGHT_TILES, DATA_BITS, WEIGHT_CAPACITY, ACCUMULATOR_BITS, RESERVED_BITS, INPUT_STAYS, OUTPUT_STAYS,
    LAYER_SETUP, TILE_SETUP, DRAM_LATENCY, TURNAROUND, MACS, CODED_INPUT, CODED_WEIGHT, CODED_OUTPUT, CODED_HERE_INPUT,
    STORED_INPUT, STORED_WEIGHT, STORED_OUTPUT, CODED_HERE_WEIGHT, CODEC_RATE,
) = range(22)  # fmt: skip
LIMITS = 24
"""STORED: words of the whole tensors. CODED_HERE: the same, as the buffers hold them. CODEC_RATE: words a cycle, three
fields."""

# Fields of the price vector, picojoules: one constant, then per word, per bit or per cycle.
(
    PJ_LAYER, PJ_FILL, PJ_BUS, PJ_DATA_READ, PJ_DATA_WRITE, PJ_PSUM_READ, PJ_PSUM_WRITE, PJ_WEIGHT_READ,
    PJ_WEIGHT_WRITE, PJ_DRAM_READ, PJ_DRAM_WRITE, PJ_CYCLE, PJ_HOP, PJ_ROW,
) = (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)  # fmt: skip
PRICES = 16
"""PJ_FILL takes three fields, one an operand."""

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


class Column(NamedTuple):
    """Many mappings of one shape: `factors` (rows, loops); `order`, `group`: rows of equal passes one after another;
    `levels`: first loop of off_chip, on_chip, registers, rows, columns, lanes and the end; `axes`: of each loop;
    `hold`: by operand, loops outside its place in the buffer."""

    factors: Ints
    order: Ints
    group: Ints
    levels: Ints
    axes: Ints
    hold: Ints


class Nest(NamedTuple):
    """The layer: `extent` by axis; `dims`: axis of each dimension; `spans`: indices of its axis that one index of a
    dimension covers; `alone`, `parts`, `places`, `sides`: see `traffic.input_words`; the rest as in `passes`."""

    extent: Ints
    dims: Ints
    sizes: Ints
    spans: Ints
    alone: Ints
    parts: Ints
    places: Ints
    sides: Ints
    strides: Ints
    padding: Ints
    height: int
    width: int
    relevant: Bools
    reduced: Bools
    window: Ints


class Chip(NamedTuple):
    """The accelerator, and what is known of the layer on it."""

    machine: Ints
    timing: Ints
    zeros: Floats
    limits: Ints
    prices: Floats


@kernel
def _coded(words: int, coded: int, whole: int) -> int:
    """Coded bits in proportion to the words that move."""
    return words // whole * coded + words % whole * coded // whole


@kernel
def _transfer(
    bits: float, number: float, words: float, extents: tuple[int, int, int, int, int],
    sizes: tuple[int, int, int, int, int], word_bits: int, coded: bool, codec_rate: int, timing: Floats,
) -> tuple[float, float]:  # fmt: skip
    """(cycles, DRAM rows) of one of `number` transfers of mean size, a box of a tensor whose last index is fastest."""
    if bits <= 0:
        return 0.0, 0.0
    mean = np.ceil(bits / number)
    if coded:
        return mean_transfer(mean, 1.0, mean, np.ceil(words / number / codec_rate), timing)
    a, b, c, d, e = extents
    runs = 1  # stretches of consecutive addresses: what lies outside the innermost side that is cut
    if e < sizes[4]:
        runs = a * b * c * d
    elif d < sizes[3]:
        runs = a * b * c
    elif c < sizes[2]:
        runs = a * b
    elif b < sizes[1]:
        runs = a
    span = ((((a - 1) * sizes[1] + b - 1) * sizes[2] + c - 1) * sizes[3] + d - 1) * sizes[4] + e
    return mean_transfer(mean, float(runs), float(span * word_bits), 0.0, timing)


@kernel
def estimate_rows(
    column: Column, nest: Nest, chip: Chip, fitting_only: bool, result: Floats, first: int, last: int
) -> None:
    """Cost rows first..last-1 of the column's order; see ESTIMATES for the columns of `result`, zeros before.

    What depends on the pass alone is found once for a group of rows. `fitting_only`: of mappings that do not fit, only
    FITS, STEPS, HELD and NEED are found.
    """
    factors, order, group, levels, loop_axes, hold = column
    extent, relevant, reduced, dims, sizes = nest.extent, nest.relevant, nest.reduced, nest.dims, nest.sizes
    machine, limits, prices, zeros, timing = chip.machine, chip.limits, chip.prices, chip.zeros, per_unit(chip.timing)
    spans, strides, padding, window, height, width = (
        nest.spans, nest.strides, nest.padding, nest.window, nest.height, nest.width,
    )  # fmt: skip
    alone, parts, places, sides = nest.alone, nest.parts, nest.places, nest.sides
    axes = len(extent)
    on, registers, spatial, lane_start, end = levels[1], levels[2], levels[3], levels[5], levels[6]
    bits = machine[WORD_BITS : WORD_BITS + 4]  # input, weight, partial sum, output
    totals = np.zeros(inner.TOTALS)
    lanes = np.ones(axes, dtype=np.int64)
    unroll = np.ones(axes, dtype=np.int64)
    full = np.ones(axes, dtype=np.int64)
    whole_pass = np.ones(axes, dtype=np.int64)
    # What lies inside all off-chip loops, and inside those outside an operand's place in the buffer; how many of each.
    region = np.ones((2, axes), dtype=np.int64)
    regions = np.ones((2, axes), dtype=np.int64)
    tile, tiles = region[0], regions[0]
    axis_of = np.zeros(registers + 1, dtype=np.int64)  # of the loops that have more than one iteration
    times = np.ones(registers + 1, dtype=np.int64)
    inside = np.zeros(3, dtype=np.int64)  # how many of those lie outside an operand's place
    blocks = np.ones(axes, dtype=np.int64)  # passes along each axis
    current = np.ones(axes, dtype=np.int64)
    counts = np.ones(axes, dtype=np.int64)
    weights = np.zeros(end + 1, dtype=np.int64)
    starts = np.zeros((end + 1, axes), dtype=np.int64)
    uses = np.zeros((axes, 4), dtype=np.bool_)  # by operand, and by any operand the registers hold
    # One by one: a copy of slices takes seconds to compile, for a message that never shows.
    for axis in range(axes):
        for operand in range(3):
            uses[axis, operand] = relevant[axis, operand]
    whole = np.ones(3, dtype=np.int64)
    whole_box = (sizes[N], sizes[G], sizes[C], height, width)
    numbers = np.zeros(3, dtype=np.int64)  # of transfers
    loaded = np.zeros(3, dtype=np.int64)
    held = np.ones(3, dtype=np.int64)
    entered = np.zeros(3)
    moves, cycles, outer = np.zeros(4), np.zeros(4), np.ones(on + 1)
    taps = sizes[R] * (sizes[R] + 1) // 2 * sizes[S] * (sizes[S] + 1) // 2
    classes = np.empty((min(taps, sizes[C] * sizes[R] * sizes[S]) + 1, 6), dtype=np.int64)
    memo = traffic.new_memo(len(nest.parts), last - first)
    used_lanes = hops = 1
    distinct_inputs = 0
    any_held = False
    for axis in range(axes):
        for operand in range(3):
            if relevant[axis, operand]:
                whole[operand] *= extent[axis]
    for place in range(first, last):
        factor = factors[order[place]]
        out = result[order[place]]
        if place == first or group[place] != group[place - 1]:
            unroll[:] = 1
            lanes[:] = 1
            hops = used_lanes = 1
            for loop in range(spatial, end):
                unroll[loop_axes[loop]] *= factor[loop]
                if loop >= lane_start:
                    lanes[loop_axes[loop]] *= factor[loop]
                    used_lanes *= factor[loop]
                elif reduced[loop_axes[loop]]:
                    hops *= factor[loop]
            for axis in range(axes):
                full[axis] = unroll[axis]
            for loop in range(registers, spatial):
                full[loop_axes[loop]] *= factor[loop]
            pass_totals(
                extent, full, loop_axes[registers:spatial], unroll, lanes, relevant, reduced, window,
                strides, machine, zeros, totals,
            )  # fmt: skip
            any_held = False
            for operand in range(3):
                any_held = any_held or totals[inner.HELD_FLAG + operand] > 0
            for axis in range(axes):
                whole_pass[axis] = min(full[axis], extent[axis])
                blocks[axis] = -(-extent[axis] // whole_pass[axis])
                uses[axis, 3] = False
                for operand in range(3):
                    if totals[inner.HELD_FLAG + operand] > 0 and relevant[axis, operand]:
                        uses[axis, 3] = True
            distinct_inputs = register_inputs(extent, starts, 0, whole_pass, relevant, window, strides)

        # Tiles.
        active = 0
        for loop in range(on):
            axis_of[active], times[active] = loop_axes[loop], factor[loop]
            active += factor[loop] > 1
        off = active
        for loop in range(on, registers):
            axis_of[active], times[active] = loop_axes[loop], factor[loop]
            active += factor[loop] > 1
        for axis in range(axes):
            tile[axis], tiles[axis] = whole_pass[axis], blocks[axis]
        partial = weight_inside = False
        for loop in range(active):
            partial = partial or reduced[axis_of[loop]]
        for loop in range(off, active):
            axis = axis_of[loop]
            weight_inside = weight_inside or relevant[axis, WEIGHT]
            tile[axis] = min(tile[axis] * times[loop], extent[axis])
            tiles[axis] = -(-extent[axis] // tile[axis])
        steps = 1
        for axis in range(axes):
            steps *= tiles[axis]

        # What the buffers hold, and the input words that every tile fetches once.
        touched = 0
        for operand in range(3):
            inside[operand] = off
            if hold[operand] < on:
                _grow(factor, loop_axes, hold[operand], on, extent, region, regions)
                inside[operand] = 0
                for loop in range(hold[operand]):
                    inside[operand] += factor[loop] > 1
            kept = region[0 if inside[operand] == off else 1]
            if operand == INPUT:
                touched, held[INPUT] = input_words(
                    starts, 0, tile, kept, extent, dims, alone, parts, places, sides,
                    sizes, spans, strides, padding, height, width, classes, memo,
                )  # fmt: skip
            else:
                words = 1
                for axis in range(axes):
                    words *= kept[axis] if relevant[axis, operand] else 1
                held[operand] = words

        # Whether the tiles fit.
        need = limits[RESERVED_BITS]
        if not limits[INPUT_STAYS]:
            kept_inputs = held[INPUT] * bits[0]
            if limits[CODED_HERE_INPUT] >= 0:
                kept_inputs = -(-held[INPUT] * limits[CODED_HERE_INPUT] // limits[STORED_INPUT])
            need += kept_inputs * limits[DATA_TILES]
        outputs = held[OUTPUT] * (bits[2] if partial else bits[3]) * limits[DATA_TILES]
        apart = limits[ACCUMULATOR_BITS] > 0
        if not apart and (partial or not limits[OUTPUT_STAYS]):
            need += outputs
        kept_weights = held[WEIGHT] * bits[1]
        if limits[CODED_HERE_WEIGHT] >= 0:
            kept_weights = -(-held[WEIGHT] * limits[CODED_HERE_WEIGHT] // limits[STORED_WEIGHT])
        # Weights that one pass takes whole into registers leave their place at once.
        weight_taken = totals[inner.HELD_FLAG + WEIGHT] > 0 and not weight_inside
        kept_weights *= 1 if weight_taken else limits[WEIGHT_TILES]
        fits = need <= limits[DATA_BITS] and kept_weights <= limits[WEIGHT_CAPACITY]
        fits = fits and (not apart or outputs <= limits[ACCUMULATOR_BITS])
        out[FITS] = 1.0 if fits else 0.0
        out[STEPS] = steps
        out[HELD_INPUT], out[HELD_WEIGHT], out[HELD_OUTPUT] = held[INPUT], held[WEIGHT], held[OUTPUT]
        out[NEED_DATA] = need
        out[NEED_WEIGHT] = kept_weights
        out[NEED_SUMS] = outputs if apart else 0
        if fitting_only and not fits:
            continue

        # Between DRAM and buffers.
        for operand in range(3):
            if hold[operand] < on:
                _grow(factor, loop_axes, hold[operand], on, extent, region, regions)
            which = 0 if inside[operand] == off else 1
            terms = stays(
                axis_of, times, inside[operand], 0, region[which], regions[which], extent, uses, operand, current,
                counts, weights, starts,
            )  # fmt: skip
            words = touched if operand == INPUT else whole[operand]
            numbers[operand] = weights[0] * blocks_from(extent, starts, 0, tile, tiles, uses, operand)
            loaded[operand] = weights[0] * words
            for term in range(1, terms):
                numbers[operand] += weights[term] * blocks_from(extent, starts, term, tile, tiles, uses, operand)
                if operand == INPUT:
                    words, _ = input_words(
                        starts, term, tile, region[which], extent, dims, alone, parts, places, sides,
                        sizes, spans, strides, padding, height, width, classes, memo,
                    )  # fmt: skip
                else:
                    words = volume(extent, starts, term, relevant, operand)
                loaded[operand] += weights[term] * words
        back = loaded[OUTPUT] - whole[OUTPUT]

        # Between buffers and registers. What they hold comes in again at every step, unless the stream just goes on.
        going = any_held
        for loop in range(off, active):
            going = going and not uses[axis_of[loop], 3]
        chains = steps
        terms = 0
        if going:
            terms = stays(axis_of, times, off, 0, tile, tiles, extent, uses, 3, current, counts, weights, starts)
            chains = 0
            for term in range(terms):
                chains += weights[term] * blocks_from(extent, starts, term, tile, tiles, uses, 3)
        for operand in range(3):
            entered[operand] = 0.0
            if totals[inner.HELD_FLAG + operand] == 0:
                continue
            if not going:
                terms = stays(
                    axis_of, times, active, off, whole_pass, blocks, extent, uses, operand, current, counts, weights,
                    starts,
                )  # fmt: skip
            for term in range(terms):
                if operand == INPUT and term == 0:
                    words = distinct_inputs
                elif operand == INPUT:
                    words = register_inputs(extent, starts, term, whole_pass, relevant, window, strides)
                else:
                    words = volume(extent, starts, term, relevant, operand) if term > 0 else whole[operand]
                if going:
                    for axis in range(axes):
                        if uses[axis, 3] and not relevant[axis, operand]:
                            words *= tiles[axis] - (starts[term, axis] // tile[axis] if term > 0 else 0)
                entered[operand] += float(weights[term] * words)
        returns_input = entered[INPUT] / distinct_inputs
        returns_weight = entered[WEIGHT] / whole[WEIGHT]
        returns_output = entered[OUTPUT] / whole[OUTPUT]
        sums_back = entered[OUTPUT] - whole[OUTPUT] if entered[OUTPUT] > 0 else 0.0
        compute = totals[inner.BASE]
        compute += totals[inner.LOAD_CYCLES] * returns_input + totals[inner.LOAD_CYCLES + 1] * returns_weight
        if entered[OUTPUT] > 0:
            compute += totals[inner.LOAD_CYCLES + OUTPUT] + totals[inner.PSUM_CYCLES] * (returns_output - 1.0)
        if machine[SYSTOLIC] != 0:
            skewed = chains if machine[OVERLAP_PASSES] != 0 else totals[inner.PASSES] - (steps - chains)
            compute += skewed * (machine[ROWS] + machine[COLUMNS] - 2)
        read_input = (totals[inner.STREAM_INPUT] + entered[INPUT]) * zeros[inner.KEPT]
        read_weight = (totals[inner.STREAM_WEIGHT] + entered[WEIGHT]) * zeros[inner.KEPT + 1]
        read_psum = totals[inner.STREAM_PSUM] + sums_back
        write_psum = totals[inner.STREAM_PSUM_OUT] + sums_back
        write_output = totals[inner.STREAM_OUTPUT] + (whole[OUTPUT] if entered[OUTPUT] > 0 else 0)

        # Bits across the pins.
        in_bits = out_bits = 0
        if not limits[INPUT_STAYS]:
            in_bits = loaded[INPUT] * bits[0]
            if limits[CODED_INPUT] >= 0:
                in_bits = _coded(loaded[INPUT], limits[CODED_INPUT], limits[STORED_INPUT])
        if not limits[OUTPUT_STAYS]:
            out_bits = whole[OUTPUT] * bits[3] if limits[CODED_OUTPUT] < 0 else limits[CODED_OUTPUT]
        weight_bits = loaded[WEIGHT] * bits[1]
        if limits[CODED_WEIGHT] >= 0:
            weight_bits = _coded(loaded[WEIGHT], limits[CODED_WEIGHT], limits[STORED_WEIGHT])
        back_bits = back * bits[2]
        # Transfers of mean size stand for all of a kind.
        g, k, n, c = (
            _cover(tile, dims, sizes, spans, G),
            _cover(tile, dims, sizes, spans, K),
            _cover(tile, dims, sizes, spans, N),
            _cover(tile, dims, sizes, spans, C),
        )
        p, q, r, s = (
            _cover(tile, dims, sizes, spans, P),
            _cover(tile, dims, sizes, spans, Q),
            _cover(tile, dims, sizes, spans, R),
            _cover(tile, dims, sizes, spans, S),
        )
        high = min(height, (p - 1) * strides[0] + (r - 1) * strides[2] + 1)
        wide = min(width, (q - 1) * strides[1] + (s - 1) * strides[3] + 1)
        returning = numbers[OUTPUT] - numbers[OUTPUT] * whole[OUTPUT] // loaded[OUTPUT] if back > 0 else 0
        moves[LOAD_INPUT] = numbers[INPUT] if in_bits > 0 else 0
        moves[LOAD_WEIGHT] = numbers[WEIGHT]
        moves[LOAD_PSUM] = returning
        moves[STORE] = numbers[OUTPUT] if out_bits > 0 else returning
        cycles[LOAD_INPUT], rows_input = _transfer(
            in_bits, numbers[INPUT], loaded[INPUT], (n, g, c, high, wide), whole_box, bits[0],
            limits[CODED_INPUT] >= 0, limits[CODEC_RATE], timing,
        )  # fmt: skip
        cycles[LOAD_WEIGHT], rows_weight = _transfer(
            weight_bits, numbers[WEIGHT], loaded[WEIGHT], (g, k, c, r, s),
            (sizes[G], sizes[K], sizes[C], sizes[R], sizes[S]), bits[1], limits[CODED_WEIGHT] >= 0,
            limits[CODEC_RATE + 1], timing,
        )  # fmt: skip
        box, all_outputs = (n, g, k, p, q), (sizes[N], sizes[G], sizes[K], sizes[P], sizes[Q])
        cycles[LOAD_PSUM], rows_psum = _transfer(
            back_bits, max(1, returning), back, box, all_outputs, bits[2], False, 1, timing
        )
        finals = numbers[OUTPUT] - returning
        storing, rows_output = _transfer(
            out_bits,
            finals,
            whole[OUTPUT],
            box,
            all_outputs,
            bits[3],
            limits[CODED_OUTPUT] >= 0,
            limits[CODEC_RATE + 2],
            timing,
        )
        stored = cycles[LOAD_PSUM] * returning + storing * finals
        cycles[STORE] = stored / moves[STORE] if moves[STORE] > 0 else 0.0
        bus = moves[LOAD_INPUT] * cycles[LOAD_INPUT] + moves[LOAD_WEIGHT] * cycles[LOAD_WEIGHT]
        bus += returning * cycles[LOAD_PSUM] + stored
        opened = moves[LOAD_INPUT] * rows_input + moves[LOAD_WEIGHT] * rows_weight
        opened += 2.0 * returning * rows_psum + finals * rows_output
        latency = limits[LAYER_SETUP] + layer_cycles(
            times, axis_of, off, relevant, steps, compute / steps, moves, cycles, outer, limits[DATA_TILES],
            limits[WEIGHT_TILES], limits[DRAM_LATENCY], limits[TILE_SETUP], limits[TURNAROUND],
        )  # fmt: skip
        latency = max(latency, max(compute, bus))

        busy = limits[MACS] / totals[inner.DENSE_MAC] / used_lanes
        handed = (write_psum + write_output) * (min(hops, machine[ROWS] * machine[COLUMNS]) - 1)
        pj = prices[PJ_LAYER] + latency * prices[PJ_CYCLE] + handed * prices[PJ_HOP] + opened * prices[PJ_ROW]
        for operand in range(3):
            again = returns_input if operand == INPUT else returns_weight if operand == WEIGHT else returns_output
            fills = totals[inner.STREAM_FILLS + operand] + totals[inner.HELD_FILLS + operand] * again
            if operand != OUTPUT:
                fills *= zeros[inner.KEPT + operand]
            out[FILL_INPUT + operand] = fills * busy
            pj += fills * busy * prices[PJ_FILL + operand]
        sums = write_psum * bits[2] + write_output * bits[3]
        reads = read_input * bits[0]
        pj += (reads + read_weight * bits[1] + read_psum * bits[2] + sums) * prices[PJ_BUS]
        here_input = 0 if limits[INPUT_STAYS] else loaded[INPUT] * bits[0]
        if limits[CODED_HERE_INPUT] >= 0 and not limits[INPUT_STAYS]:
            here_input = _coded(loaded[INPUT], limits[CODED_HERE_INPUT], limits[STORED_INPUT])
        here_weight = loaded[WEIGHT] * bits[1]
        if limits[CODED_HERE_WEIGHT] >= 0:
            here_weight = _coded(loaded[WEIGHT], limits[CODED_HERE_WEIGHT], limits[STORED_WEIGHT])
        here_output = 0 if limits[OUTPUT_STAYS] else whole[OUTPUT] * bits[3]
        pj += (reads + here_output + back_bits) * prices[PJ_DATA_READ]
        pj += (here_input + back_bits) * prices[PJ_DATA_WRITE]
        pj += read_psum * bits[2] * prices[PJ_PSUM_READ] + write_psum * bits[2] * prices[PJ_PSUM_WRITE]
        pj += write_output * bits[3] * prices[PJ_DATA_WRITE]
        pj += read_weight * bits[1] * prices[PJ_WEIGHT_READ] + here_weight * prices[PJ_WEIGHT_WRITE]
        pj += (in_bits + back_bits + weight_bits) * prices[PJ_DRAM_READ]
        pj += (out_bits + back_bits) * prices[PJ_DRAM_WRITE]

        out[LATENCY] = latency
        out[ENERGY] = pj
        out[DRAM_BITS] = in_bits + weight_bits + out_bits + 2 * back_bits
        out[COMPUTE] = compute
        out[MAC] = totals[inner.MAC]
        out[PASSES] = totals[inner.PASSES]
        out[READ_INPUT] = read_input
        out[READ_WEIGHT] = read_weight
        out[READ_PSUM] = read_psum
        out[WRITE_PSUM] = write_psum
        out[WRITE_OUTPUT] = write_output
        out[INPUT_BITS] = in_bits
        out[WEIGHT_BITS] = weight_bits
        out[PSUM_BITS] = back_bits
        out[OUTPUT_BITS] = out_bits
        out[BUS] = bus
        out[OPENED] = opened
        out[HOPS] = handed
        out[LOADED_INPUT], out[LOADED_WEIGHT] = loaded[INPUT], loaded[WEIGHT]


@kernel
def _grow(factor: Ints, loop_axes: Ints, first: int, last: int, extent: Ints, region: Ints, regions: Ints) -> None:
    """Fill region[1], regions[1]: what the loops first..last-1 make of the tile, region[0], and how many there are."""
    for axis in range(len(extent)):
        region[1, axis], regions[1, axis] = region[0, axis], regions[0, axis]
    for loop in range(first, last):
        if factor[loop] > 1:
            axis = loop_axes[loop]
            region[1, axis] = min(region[1, axis] * factor[loop], extent[axis])
            regions[1, axis] = -(-extent[axis] // region[1, axis])


@kernel
def _cover(tile: Ints, dims: Ints, sizes: Ints, spans: Ints, dim: int) -> int:
    """Indices of a dimension that a full tile in a layer's middle covers."""
    span, size = spans[dim], sizes[dim]
    extent = tile[dims[dim]]
    if span == 1 and extent <= size:
        return int(extent)
    return int(min(size, -(-extent // span)))
