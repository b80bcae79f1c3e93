"""How long a layer's tile steps take when transfers overlap with computation as far as the buffers let them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.tile_sizes import END, FULL, REST
from accel.kernels.turns import NEXT, PLACE, SAME, Turns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE = 0, 1, 2, 3
"""Kinds of transfer."""


class Pace(NamedTuple):
    """What tile steps wait for but computation and transfers.

    data_tiles, weight_tiles: that a buffer keeps of an operand. weight_taken: weights leave their buffer for registers
    as a step begins. latency: cycles from the end of a load to its use. setup: of a step. turnaround: of the bus.
    """

    data_tiles: int
    weight_tiles: int
    weight_taken: bool
    latency: int
    setup: int
    turnaround: int


@borrowing_kernel
def _step(
    compute: float, loads: float, store: float, stores_first: float, wait: int, runs: bool, starved: bool
) -> float:
    """Cycles of a step that computes, loads for a later one and stores for an earlier one side by side.

    stores_first: cycles of the stores that go before the next load. wait: from a load to its use, 0 when nothing waits.
    runs: further steps like it follow. starved: the DMA is late already.
    """
    step = max(compute, loads + store)
    if wait > 0 and runs:
        return max(step, (compute + loads + stores_first + wait) / 2)
    if wait > 0 and not starved:
        return max(step, loads + store + wait)
    return step


@borrowing_kernel
def _coming(turns: Turns, group: int, operand: int) -> float:
    """Share of the steps of a group that load inputs or weights, of those beside which such a tile is the next one."""
    return float(turns.shares[NEXT, operand]) if turns.changes[group, operand] == NEXT else 1.0


@borrowing_kernel
def _loads(turns: Turns, group: int, loads: Floats, back: float, there: int, pace: Pace) -> tuple[float, float, float]:
    """Cycles of the loads of a group that wait for the one before, of those beside it, of the last of these.

    there: bits of the operands whose next tile is in their buffer already.
    """
    before = beside = last = 0.0
    for operand in range(3):
        change = turns.changes[group, operand]
        if change != SAME and not there >> operand & 1:
            coming = loads[operand]
            if operand == OUTPUT:
                coming = turns.shares[change, OUTPUT] * back * loads[LOAD_PSUM]
            elif change == PLACE:
                coming *= turns.shares[PLACE, operand]
            if change == PLACE and (pace.weight_tiles if operand == WEIGHT else pace.data_tiles) == 1:
                before += coming
            elif coming > 0:
                beside += coming
                # Weights come first.
                last = coming if operand != WEIGHT or last == 0 else last
    return before, beside, last


@borrowing_kernel
def _stored_beside(turns: Turns, group: int, loads: Floats, back: float, pace: Pace) -> float:
    """Share of the steps of a group whose tile of outputs is stored beside the step after them."""
    before, _, _ = _loads(turns, group, loads, back, 0, pace)
    leaves = turns.changes[group, OUTPUT]
    if leaves == SAME or before > 0 or (pace.data_tiles == 1 and leaves == PLACE):
        return 0.0
    return float(turns.shares[leaves, OUTPUT])


@borrowing_kernel
def _storing(stores: float, cycles: float, pace: Pace) -> float:
    """Cycles of so many stores, each after a load and before one."""
    return stores * (cycles + 2 * pace.turnaround) if cycles > 0 else 0.0


@borrowing_kernel
def _steps_cycles(
    groups: int, runs: bool, turns: Turns, size: int, next_size: int, compute: float, stores: float, back: float,
    loads: Floats, sent: float, sent_before: float, after_inner: float, after_outer: float, first: float,
    pace: Pace,
) -> float:  # fmt: skip
    """Cycles of all tile steps but the last whose tile is of a size, and the next one's of another; see `layer_cycles`.

    stores, back: of a tile of outputs each time it comes in, how often it leaves and came back. loads: (4,) of the next
    tile; sent, sent_before: of a store of this tile, and of the one before. after_inner, after_outer: share of
    the steps after one of the first group, and after one of another, that have its store beside them; `first`: of the
    first group's steps, those after one of another.
    """
    store, beside_store = _storing(stores, sent, pace), _storing(stores, sent_before, pace)
    # A store that takes longer than the next step's computation: that step's store follows it at once, also before the
    # load that waited for the first.
    alone = stores * sent_before
    stores_first = beside_store + alone if alone + pace.turnaround > compute else beside_store
    least = max(compute, float(pace.setup))
    total = relief = 0.0
    starved = False  # the DMA sets the pace of the first group
    for group in range(groups):
        if group > 0 and turns.steps[group, size, next_size] == 0:
            continue
        in_a_row = runs and group == 0
        share = after_inner if group > 0 else first * after_outer + (1.0 - first) * after_inner
        leaves = turns.changes[group, OUTPUT]
        in_place = pace.data_tiles == 1 and leaves == PLACE
        stored = turns.shares[leaves, OUTPUT] if leaves != SAME else 0.0
        inputs, weights = _coming(turns, group, INPUT), _coming(turns, group, WEIGHT)
        cycles = stepped = longer_by = 0.0
        for there in range(4):
            part = 1.0 - inputs if there >> INPUT & 1 else inputs
            part *= 1.0 - weights if there >> WEIGHT & 1 else weights
            if part <= 0:
                continue
            before, beside, final = _loads(turns, group, loads, back, there, pace)
            wait = pace.latency if before == 0 and beside > 0 else 0
            step = _step(least, beside, 0.0, 0.0, wait, in_a_row, starved)
            if share > 0:  # so many steps have a store beside them, rather than each a part of one
                longer = _step(least, beside, beside_store, stores_first, wait, in_a_row, starved)
                if group == 0:
                    longer_by += part * (longer - step)
                elif wait > 0 and after_outer > 0 and beside_store + beside - final > compute:
                    # Its own store goes before the last of what it loads, and not beside the step after it.
                    longer = max(longer, beside_store + beside + wait + store - relief)
                step += share * (longer - step)
            if in_place and not pace.weight_taken and turns.changes[group, INPUT] != PLACE and before > 0:
                # Sums wait for the store: weights of the step after the next go between, and are there before.
                step += back * max(0.0, least + beside - step)
            if before > 0 or in_place:
                before += stored * store + (pace.latency if before > 0 else 0)
            cycles += part * (before + step)
            stepped += part * step
        if group == 0:
            relief, starved = longer_by, stepped > compute
        total += turns.steps[group, size, next_size] * cycles
    return total


@inlined_kernel
def layer_cycles(
    groups: int, runs: bool, turns: Turns, alternating: int, reduces: bool, shares: Floats, compute: Floats, last: int,
    steps: int, outputs: int, moves: Floats, cycles: Floats, pace: Pace,
) -> float:  # fmt: skip
    """Cycles of all tile steps, the layer's own set-up apart.

    groups, runs, turns: by `take_turns`. alternating: iterations of the innermost loop if it ends with another tile
    than it begins with, 0 if not. reduces: tiles that are an END are that of a reduction. shares: (SIZES,) of the
    steps. compute: (SIZES,) cycles of a step. last: size of the last. outputs: times that a tile of them comes in.
    moves, cycles: (4,) number and (SIZES, 4) length of the transfers of each kind. What takes the only place that a
    buffer keeps waits for the step before; all else goes beside a step, but begins no earlier. Of the transfers that
    could begin, those of the earliest step go first.
    """
    total = pace.setup + cycles[FULL, LOAD_INPUT] + cycles[FULL, LOAD_WEIGHT] + pace.latency
    total += compute[last] + cycles[last, STORE] + pace.turnaround
    if steps == 1:
        return float(total)
    stores, back = moves[STORE] / outputs, moves[LOAD_PSUM] / outputs
    inner, outer, number = _stored_beside(turns, 0, cycles[FULL], back, pace), 0.0, 0
    for group in range(1, groups):
        those = turns.numbers[group]
        outer += those * _stored_beside(turns, group, cycles[FULL], back, pace)
        number += those
    outer = outer / number if number > 0 else inner
    first = number / (steps - 1 - number) if 2 * number < steps - 1 else 1.0
    # What the step before the last stores goes beside the last one, unless it went before what that one loads.
    early = 1.0
    if inner > 0:
        store = cycles[FULL if alternating else last, STORE] + pace.turnaround
        if steps == 2 or inner < 1 or stores * store <= compute[FULL]:
            early = max(0.0, 1.0 - 1.0 / (inner * (steps - 1 - number) + outer * number))
            total += stores * max(0.0, store - compute[last])
    # All steps but the last compute, and load what the next one needs.
    for size in range(last + 1):
        for next_size in range(last + 1):
            pairs = 0
            for group in range(groups):
                pairs += turns.steps[group, size, next_size]
            if pairs == 0:
                continue
            previous = size
            if alternating and size != next_size:
                previous = END if size == FULL and alternating == 2 else FULL
            share = early * inner
            if reduces and inner < 1 and not alternating and size != REST:
                # Outputs are stored in the last turn of a reduction alone, where all tiles are its ends.
                share = min(1.0, share * (1.0 + shares[FULL] / shares[END])) if size == END else 0.0
            total += _steps_cycles(
                groups, runs, turns, size, next_size, compute[size], stores, back, cycles[next_size],
                cycles[size, STORE], cycles[previous, STORE], share, early * outer, first, pace,
            )  # fmt: skip
    return float(total)
