"""How long a layer's tile steps take when transfers overlap with computation as far as the buffers let them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel
from accel.kernels.reuse import OUTPUT, WEIGHT
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
def layer_cycles(
    groups: int, runs: bool, turns: Turns, compute: float, last: float, outputs: int, larger: float, moves: Floats,
    cycles: Floats, data_tiles: int, weight_tiles: int, latency: int, setup: int, turnaround: int,
) -> float:  # fmt: skip
    """Cycles of all tile steps, the layer's own set-up apart, for steps of mean length and transfers of mean size.

    groups, runs, turns: by `take_turns`. last: cycles of a step that is the last of a reduction. outputs: times that a
    tile of them comes in; a full one is so many times `larger` than the mean. moves, cycles: (4,) number and length of
    the transfers of each kind. What takes the only place that a buffer keeps waits for the step before; all else goes
    beside a step, but begins no earlier. Of the transfers that could begin, those of the earliest step go first.
    """
    if groups == 0:
        return float(setup + cycles[LOAD_INPUT] + cycles[LOAD_WEIGHT] + latency + compute + cycles[STORE] + turnaround)
    load_psum = moves[LOAD_PSUM] / outputs * cycles[LOAD_PSUM]
    store = moves[STORE] / outputs * (cycles[STORE] + 2 * turnaround) if cycles[STORE] > 0 else 0.0
    # A store that takes longer than the next step's computation: that step's store follows it at once, also before the
    # load that waited for the first. Full tiles decide, as they come in a row.
    alone = moves[STORE] / outputs * cycles[STORE]
    stores_first = store + alone if larger * alone + turnaround > compute else store
    least = max(compute, float(setup))
    total = 0.0
    starved = False  # the DMA sets the pace of the first group
    for group in range(groups):
        before = beside = 0.0
        for operand in range(3):
            change = turns.changes[group, operand]
            if change != SAME:
                coming = turns.shares[change, operand] * (load_psum if operand == OUTPUT else cycles[operand])
                if change == PLACE and (weight_tiles if operand == WEIGHT else data_tiles) == 1:
                    before += coming
                else:
                    beside += coming
        leaves = turns.changes[group, OUTPUT]
        stored = turns.shares[leaves, OUTPUT] if leaves != SAME else 0.0
        wait = latency if before == 0 and beside > 0 else 0
        in_a_row = runs and group == 0
        step = _step(least, beside, 0.0, 0.0, wait, in_a_row, starved)
        if before > 0 or (data_tiles == 1 and leaves == PLACE):
            before += stored * store + (latency if before > 0 else 0)
        elif stored > 0:  # so many steps have a store beside them, rather than each a part of one
            ending = max(last, float(setup))
            longer = _step(ending, beside, store, stores_first, wait, in_a_row, starved)
            step += stored * (longer - _step(ending, beside, 0.0, 0.0, wait, in_a_row, starved))
        if group == 0:
            starved = step > compute
        total += turns.steps[group] * (before + step)
    first = setup + cycles[LOAD_INPUT] + cycles[LOAD_WEIGHT] + latency
    return float(first + total + compute + cycles[STORE] + turnaround)
