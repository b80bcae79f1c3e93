"""Closed-form cost of many mappings of one layer: traffic at both levels, what the buffers hold, latency and energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels import inner
from accel.kernels.array_fields import COLUMNS, OVERLAP_PASSES, ROWS, WORD_BITS
from accel.kernels.buffer_words import TILE, held_words, loaded_words
from accel.kernels.dram import per_unit
from accel.kernels.estimate_layout import (
    BUS,
    COMPUTE,
    DATA_TILES,
    DRAM_LATENCY,
    ENERGY,
    FILL_INPUT,
    HOPS,
    LATENCY,
    LAYER_SETUP,
    LEAST_COMPUTE,
    LEAST_MAC,
    LOADED_INPUT,
    LOADED_WEIGHT,
    MAC,
    MACS,
    PASSES,
    READ_INPUT,
    READ_PSUM,
    READ_WEIGHT,
    STEPS,
    TILE_SETUP,
    TURNAROUND,
    WEIGHT_TILES,
    WRITE_OUTPUT,
    WRITE_PSUM,
    Chip,
    Column,
    Nest,
)
from accel.kernels.inner import pass_totals
from accel.kernels.input_tiles import new_memo, new_room
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.overlap import Pace, layer_cycles
from accel.kernels.register_traffic import register_inputs, register_traffic
from accel.kernels.returns import new_walk
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.row_energy import row_energy
from accel.kernels.step_cycles import OTHER, step_cycles
from accel.kernels.tile_room import tile_room
from accel.kernels.tile_sizes import SIZES, first_end, tile_sizes
from accel.kernels.tile_transfers import tile_transfers
from accel.kernels.turns import new_turns, take_turns
from accel.kernels.zero_fields import KEPT, LOCKSTEP

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@kernel
def _group_totals(
    factor: Ints, loop_axes: Ints, levels: Ints, nest: Nest, machine: Ints, zeros: Floats, room: Ints, whole_pass: Ints,
    blocks: Ints, uses: Bools, totals: Floats, ragged_share: Floats,
) -> tuple[int, int]:  # fmt: skip
    """(lanes used, PEs that hand sums on) of rows with equal passes; fills what a pass covers, how often, and totals.

    room: (4, axes): indices over PEs and lanes, over lanes, over PEs in lockstep, and of a full pass. uses[:, 3]: the
    axes that any operand has which the registers hold; the others are the operands'.
    """
    registers, spatial, column_start, lane_start, end = levels[2], levels[3], levels[4], levels[5], levels[6]
    unroll, lanes, near, full = room[0], room[1], room[2], room[3]
    room[:] = 1
    rows = columns = used_lanes = hops = 1
    together = zeros[LOCKSTEP]
    for loop in range(lane_start - 1, spatial - 1, -1):
        within = min(together, float(factor[loop]))
        near[loop_axes[loop]] *= int(within)
        together = max(1.0, together / factor[loop])
    for loop in range(spatial, end):
        axis = loop_axes[loop]
        unroll[axis] *= factor[loop]
        if loop >= lane_start:
            lanes[axis] *= factor[loop]
            used_lanes *= factor[loop]
            continue
        if loop >= column_start:
            columns *= factor[loop]
        else:
            rows *= factor[loop]
        if nest.reduced[axis]:
            hops *= factor[loop]
    for axis in range(len(full)):
        full[axis] = unroll[axis]
    for loop in range(registers, spatial):
        full[loop_axes[loop]] *= factor[loop]
    pass_totals(
        nest.extent, full, loop_axes[registers:spatial], unroll, lanes, near, nest.relevant, nest.reduced,
        nest.window, nest.strides, nest.dims, nest.sizes, nest.spans, machine, max(rows, machine[ROWS]),
        max(columns, machine[COLUMNS]), zeros, totals, ragged_share,
    )  # fmt: skip
    for axis in range(len(full)):
        whole_pass[axis] = min(full[axis], nest.extent[axis])
        blocks[axis] = -(-nest.extent[axis] // whole_pass[axis])
        uses[axis, 3] = False
        for operand in range(3):
            if totals[inner.HELD_FLAG + operand] > 0 and nest.relevant[axis, operand]:
                uses[axis, 3] = True
    return used_lanes, hops - 1


@borrowing_kernel
def _load_cycles(operand: int, returns: float, streams: int, totals: Floats) -> float:
    """Cycles of the loads of what registers hold of inputs or weights, each block of which comes in `returns` times."""
    loads = totals[inner.LOADS + operand] * returns
    if loads <= 0:
        return 0.0
    # Where passes overlap, only the first of a stream has a skew that hides its loads too.
    skewed = min(loads, float(streams))
    late, plain = totals[inner.SKEWED_LOAD_CYCLES + operand], totals[inner.LOAD_CYCLES + operand]
    return float((skewed * late + (loads - skewed) * plain) / totals[inner.LOADS + operand])


@kernel
def estimate_rows(
    column: Column, nest: Nest, chip: Chip, fitting_only: bool, result: Floats, first: int, last: int
) -> None:
    """Cost rows first..last-1 of the column's order; see ESTIMATES for the columns of `result`, zeros before.

    What depends on the pass alone is found once for a group of rows. `fitting_only`: of mappings that do not fit, only
    FITS, STEPS, HELD and NEED are found.
    """
    factors, order, group, levels, loop_axes, hold = column
    extent, relevant, reduced = nest.extent, nest.relevant, nest.reduced
    machine, limits, prices, zeros, timing = chip.machine, chip.limits, chip.prices, chip.zeros, per_unit(chip.timing)
    axes = len(extent)
    on, registers = levels[1], levels[2]
    bits = machine[WORD_BITS : WORD_BITS + 4]  # input, weight, partial sum, output
    totals, ragged_share = np.zeros(inner.TOTALS), np.ones(axes)
    spatial = np.ones((4, axes), dtype=np.int64)
    whole_pass = np.ones(axes, dtype=np.int64)
    blocks = np.ones(axes, dtype=np.int64)  # passes along each axis
    region = np.ones((4, axes), dtype=np.int64)
    regions = np.ones((4, axes), dtype=np.int64)
    tile, tiles = region[TILE], regions[TILE]
    walk = new_walk(registers, axes)
    axis_of, times = walk.axis_of, walk.times
    uses = np.zeros((axes, 4), dtype=np.bool_)  # by operand, and by any operand the registers hold
    whole = np.ones(3, dtype=np.int64)
    # One by one: a copy of slices takes seconds to compile, for a message that never shows.
    for axis in range(axes):
        for operand in range(3):
            uses[axis, operand] = relevant[axis, operand]
            whole[operand] *= extent[axis] if relevant[axis, operand] else 1
    inside = np.zeros(3, dtype=np.int64)
    held = np.ones(3, dtype=np.int64)
    numbers = np.zeros(3, dtype=np.int64)  # of transfers
    loaded = np.zeros(3, dtype=np.int64)
    entered = np.zeros(3)
    moves, cycles, turns = np.zeros(4), np.zeros((SIZES, 4)), new_turns(on)
    tile_extents, shares, computing = np.zeros((SIZES, axes)), np.zeros(SIZES), np.zeros(SIZES)
    parts = np.zeros((2, 4))  # of a step's cycles
    room = new_room(nest.sizes)
    memo = new_memo(len(nest.parts), last - first)
    used_lanes, hops = 1, 0
    distinct_inputs = 0
    for place in range(first, last):
        factor = factors[order[place]]
        out = result[order[place]]
        if place == first or group[place] != group[place - 1]:
            used_lanes, hops = _group_totals(
                factor, loop_axes, levels, nest, machine, zeros, spatial, whole_pass, blocks, uses, totals,
                ragged_share,
            )  # fmt: skip
            distinct_inputs = register_inputs(
                extent, walk.starts, 0, whole_pass, spatial, relevant, nest.window, nest.strides, machine
            )

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
        out[STEPS] = steps
        touched = held_words(factor, loop_axes, hold, on, off, walk, nest, region, regions, inside, room, memo, held)
        weight_taken = totals[inner.HELD_FLAG + WEIGHT] > 0 and not weight_inside
        fits = tile_room(held, bits, limits, partial, weight_taken, out)
        if fitting_only and not fits:
            continue

        # Words, and the cycles of the passes.
        loaded_words(touched, off, walk, nest, region, regions, inside, uses, whole, room, memo, numbers, loaded)
        streams = register_traffic(
            walk, off, active, tile, tiles, whole_pass, blocks, spatial, nest, machine, uses, totals, whole,
            distinct_inputs, entered,
        )  # fmt: skip
        returns_input = entered[INPUT] / distinct_inputs
        returns_weight = entered[WEIGHT] / whole[WEIGHT]
        returns_output = entered[OUTPUT] / whole[OUTPUT]
        sums_back = entered[OUTPUT] - whole[OUTPUT] if entered[OUTPUT] > 0 else 0.0
        input_loads = _load_cycles(INPUT, returns_input, streams, totals)
        weight_loads = _load_cycles(WEIGHT, returns_weight, streams, totals)
        output_moves = 0.0
        if entered[OUTPUT] > 0:
            output_moves = totals[inner.LOAD_CYCLES + OUTPUT] + totals[inner.PSUM_CYCLES] * (returns_output - 1.0)
        skewed = streams if machine[OVERLAP_PASSES] != 0 else totals[inner.PASSES] - (steps - streams)
        compute = totals[inner.BASE] + skewed * totals[inner.SKEW] + input_loads + weight_loads + output_moves
        # What is expected of the overlap of passes can be a cycle or two short where tiles are of a few words.
        compute = max(compute, float(limits[LEAST_COMPUTE]))
        out[COMPUTE], out[PASSES] = compute, totals[inner.PASSES]
        out[MAC] = max(totals[inner.MAC], float(limits[LEAST_MAC]))
        out[READ_INPUT] = (totals[inner.STREAM_INPUT] + entered[INPUT]) * zeros[KEPT]
        out[READ_WEIGHT] = (totals[inner.STREAM_WEIGHT] + entered[WEIGHT]) * zeros[KEPT + 1]
        out[READ_PSUM] = totals[inner.STREAM_PSUM] + sums_back
        out[WRITE_PSUM] = totals[inner.STREAM_PSUM_OUT] + sums_back
        out[WRITE_OUTPUT] = totals[inner.STREAM_OUTPUT] + (whole[OUTPUT] if entered[OUTPUT] > 0 else 0)
        out[HOPS] = (out[WRITE_PSUM] + out[WRITE_OUTPUT]) * hops
        busy = limits[MACS] / totals[inner.DENSE_MAC] / used_lanes
        for operand in range(3):
            again = returns_input if operand == INPUT else returns_weight if operand == WEIGHT else returns_output
            fills = totals[inner.STREAM_FILLS + operand] + totals[inner.HELD_FILLS + operand] * again
            if operand != OUTPUT:
                fills *= zeros[KEPT + operand]
            out[FILL_INPUT + operand] = fills * busy

        # Bits across the pins, latency and energy.
        out[LOADED_INPUT], out[LOADED_WEIGHT] = loaded[INPUT], loaded[WEIGHT]
        end_loop = first_end(walk, off, tile, tiles, extent)
        end_axis = axis_of[end_loop] if end_loop >= 0 else -1
        last_size = tile_sizes(tile, tiles, extent, end_axis, steps, tile_extents, shares)
        tile_transfers(
            tile_extents, shares, tiles, nest, bits, limits, timing, numbers, loaded, whole, moves, cycles, out
        )
        groups, runs = take_turns(walk, off, end_loop, tile, tiles, extent, relevant, inside, steps, numbers, turns)
        filled = streams * totals[inner.SKEW] / steps if machine[OVERLAP_PASSES] != 0 else 0.0
        parts[0, INPUT], parts[0, WEIGHT] = input_loads / steps, weight_loads / steps
        parts[0, OUTPUT] = output_moves / steps
        parts[0, OTHER] = (compute - input_loads - weight_loads - output_moves) / steps - filled
        step_cycles(tile, tiles, extent, whole_pass, ragged_share, relevant, end_axis, shares, parts, filled, computing)
        pace = Pace(
            limits[DATA_TILES], limits[WEIGHT_TILES], weight_taken, limits[DRAM_LATENCY], limits[TILE_SETUP],
            limits[TURNAROUND],
        )  # fmt: skip
        latency = limits[LAYER_SETUP] + layer_cycles(
            groups, runs, turns, times[end_loop] if 0 <= end_loop == off - 1 else 0,
            end_axis >= 0 and reduced[end_axis], shares, computing, last_size, steps,
            numbers[OUTPUT], moves, cycles, pace,
        )  # fmt: skip
        out[LATENCY] = np.rint(max(latency, max(compute, out[BUS])))
        out[ENERGY] = row_energy(out, whole[OUTPUT], bits, limits, prices)
