"""How long a layer's tile steps take when transfers overlap with computation as far as the buffers let them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel
from accel.kernels.reuse import OUTPUT, WEIGHT
from accel.kernels.tile_sizes import FULL, REST
from accel.kernels.turns import PLACE, SAME, Turns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE = 0, 1, 2, 3
"""Kinds of transfer."""


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
def _loads(
    turns: Turns, group: int, loads: Floats, back: float, data_tiles: int, weight_tiles: int
) -> tuple[float, float]:
    """Cycles of the loads of a step of a group that wait for the one before, and of those that go beside it."""
    before = beside = 0.0
    for operand in range(3):
        change = turns.changes[group, operand]
        if change != SAME:
            coming = turns.shares[change, operand] * (back * loads[LOAD_PSUM] if operand == OUTPUT else loads[operand])
            if change == PLACE and (weight_tiles if operand == WEIGHT else data_tiles) == 1:
                before += coming
            else:
                beside += coming
    return before, beside


@borrowing_kernel
def _steps_cycles(
    groups: int, runs: bool, turns: Turns, compute: float, last: float, stores: float, back: float, loads: Floats,
    sent: float, early: float, data_tiles: int, weight_tiles: int, latency: int, setup: int, turnaround: int,
) -> float:  # fmt: skip
    """Cycles of all tile steps but the last, if each had these cycles; see `layer_cycles`.

    stores, back: of a tile of outputs each time it comes in, how often it leaves and came back. loads: (4,) by kind;
    sent: of a store. early: of the stores that go beside a step, the share that go beside another than the last.
    """
    store = stores * (sent + 2 * turnaround) if sent > 0 else 0.0
    # A store that takes longer than the next step's computation: that step's store follows it at once, also before the
    # load that waited for the first.
    alone = stores * sent
    stores_first = store + alone if alone + turnaround > compute else store
    least, ending = max(compute, float(setup)), max(last, float(setup))
    total = 0.0
    starved = False  # the DMA sets the pace of the first group
    for group in range(groups):
        before, beside = _loads(turns, group, loads, back, data_tiles, weight_tiles)
        leaves = turns.changes[group, OUTPUT]
        stored = turns.shares[leaves, OUTPUT] if leaves != SAME else 0.0
        wait = latency if before == 0 and beside > 0 else 0
        in_a_row = runs and group == 0
        step = _step(least, beside, 0.0, 0.0, wait, in_a_row, starved)
        if before > 0 or (data_tiles == 1 and leaves == PLACE):
            before += stored * store + (latency if before > 0 else 0)
        elif stored > 0:  # so many steps have a store beside them, rather than each a part of one
            longer = _step(ending, beside, store, stores_first, wait, in_a_row, starved)
            step += early * stored * (longer - _step(ending, beside, 0.0, 0.0, wait, in_a_row, starved))
        if group == 0:
            starved = step > compute
        total += turns.steps[group] * (before + step)
    return total


@borrowing_kernel
def layer_cycles(
    groups: int, runs: bool, turns: Turns, compute: Floats, ending: Floats, full: int, steps: int, outputs: int,
    moves: Floats, cycles: Floats, data_tiles: int, weight_tiles: int, latency: int, setup: int, turnaround: int,
) -> float:  # fmt: skip
    """Cycles of all tile steps, the layer's own set-up apart: those of `full` tiles, and of the rest.

    groups, runs, turns: by `take_turns`. compute, ending: (2,) cycles of a step, and of one that is the last of a
    reduction. outputs: times that a tile of them comes in. moves, cycles: (4,) number and (2, 4) length of the
    transfers of each kind. What takes the only place that a buffer keeps waits for the step before; all else goes
    beside a step, but begins no earlier. Of the transfers that could begin, those of the earliest step go first.
    """
    last = FULL if full == steps else REST
    total = setup + cycles[FULL, LOAD_INPUT] + cycles[FULL, LOAD_WEIGHT] + latency
    total += compute[last] + cycles[last, STORE] + turnaround
    if steps == 1:
        return float(total)
    stores, back = moves[STORE] / outputs, moves[LOAD_PSUM] / outputs
    # What the step before the last stores goes beside the last one, unless it went before what that one loads.
    early, leaves = 1.0, turns.changes[0, OUTPUT]
    waits, _ = _loads(turns, 0, cycles[FULL], back, data_tiles, weight_tiles)
    if leaves != SAME and waits == 0 and not (data_tiles == 1 and leaves == PLACE):
        store = cycles[FULL if full >= steps - 1 else REST, STORE] + turnaround
        if steps == 2 or stores * store <= compute[FULL]:
            early = (steps - 2) / (steps - 1)
            total += stores * turns.shares[leaves, OUTPUT] * max(0.0, store - compute[last])
    # All steps but the last compute; what is loaded beside them is all but the first.
    for computes in range(last + 1):
        for loads in range(computes, last + 1):
            number = full - 1 if loads == FULL else 1 if computes == FULL else steps - full - 1
            if number > 0:
                total += number / (steps - 1) * _steps_cycles(
                    groups, runs, turns, compute[computes], ending[computes], stores, back, cycles[loads],
                    cycles[computes, STORE], early, data_tiles, weight_tiles, latency, setup, turnaround,
                )  # fmt: skip
    return float(total)
