"""How long a layer's tile steps take when transfers overlap with computation as far as the buffers let them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import borrowing_kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

INPUT, WEIGHT, OUTPUT = 0, 1, 2
LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE = 0, 1, 2, 3
"""Kinds of transfer."""


@borrowing_kernel
def layer_cycles(
    times: Ints, axis_of: Ints, loops: int, relevant: Bools, steps: int, compute: float, moves: Floats, cycles: Floats,
    outer: Floats, data_tiles: int, weight_tiles: int, latency: int, setup: int, turnaround: int,
) -> float:  # fmt: skip
    """Cycles of all tile steps, the layer's own set-up apart, for steps of equal length and transfers of mean size.

    times, axis_of: iterations, more than one, and axes of the off-chip loops. moves, cycles: (4,) number and length of
    the transfers of each kind. Which operands change from one step to the next depends on the outermost off-chip loop
    that moves on, so steps are taken together by that loop. A transfer waits for the step before when its buffer keeps
    one tile; else it runs beside that step, but begins no earlier. `outer` is room for a number a loop.
    """
    outer[0] = 1.0
    for loop in range(loops):
        outer[loop + 1] = outer[loop] * times[loop]
    if loops == 0:
        return float(setup + cycles[LOAD_INPUT] + cycles[LOAD_WEIGHT] + latency + compute + cycles[STORE] + turnaround)
    # Of the changes of an operand's tile, only some move one: the buffer may have kept it.
    inputs = weights = outputs = 1.0
    changed_input = changed_weight = changed_output = False
    for loop in range(loops - 1, -1, -1):
        number = outer[loop] * (times[loop] - 1)
        changed_input = changed_input or relevant[axis_of[loop], INPUT]
        changed_weight = changed_weight or relevant[axis_of[loop], WEIGHT]
        changed_output = changed_output or relevant[axis_of[loop], OUTPUT]
        inputs += number if changed_input else 0.0
        weights += number if changed_weight else 0.0
        outputs += number if changed_output else 0.0
    load_input = min(1.0, moves[LOAD_INPUT] / inputs) * cycles[LOAD_INPUT]
    load_weight = min(1.0, moves[LOAD_WEIGHT] / weights) * cycles[LOAD_WEIGHT]
    load_psum = min(1.0, moves[LOAD_PSUM] / outputs) * cycles[LOAD_PSUM]
    store = min(1.0, moves[STORE] / outputs) * (cycles[STORE] + 2 * turnaround) if cycles[STORE] > 0 else 0.0
    changed_input = changed_weight = changed_output = False
    total = 0.0
    innermost = True
    starved = False  # the DMA sets the pace of the innermost loop
    for loop in range(loops - 1, -1, -1):
        changed_input = changed_input or relevant[axis_of[loop], INPUT]
        changed_weight = changed_weight or relevant[axis_of[loop], WEIGHT]
        changed_output = changed_output or relevant[axis_of[loop], OUTPUT]
        data = (load_input if changed_input else 0.0) + (load_psum if changed_output else 0.0)
        weight = load_weight if changed_weight else 0.0
        out = store if changed_output else 0.0
        before = (data + out if data_tiles == 1 else 0.0) + (weight if weight_tiles == 1 else 0.0)
        beside = (data + out if data_tiles == 2 else 0.0) + (weight if weight_tiles == 2 else 0.0)
        step = max(max(compute, beside), float(setup))
        if (data > 0 and data_tiles == 1) or (weight > 0 and weight_tiles == 1):
            before += latency
        elif data + weight > 0:
            if innermost and times[loop] > 2:
                step = max(step, (compute + beside + latency) / 2)
            elif not starved:
                step = max(step, beside + latency)
        if innermost:
            starved = beside >= compute
            innermost = False
        total += outer[loop] * (times[loop] - 1) * (before + step)
    first = setup + cycles[LOAD_INPUT] + cycles[LOAD_WEIGHT] + latency
    return float(first + total * (steps - 1) / (outer[loops] - 1) + compute + cycles[STORE] + turnaround)
