"""How long a layer's tile steps take when transfers overlap with computation as far as the buffers let them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

INPUT, WEIGHT, OUTPUT = 0, 1, 2
LOAD_INPUT, LOAD_WEIGHT, LOAD_PSUM, STORE = 0, 1, 2, 3
"""Kinds of transfer."""


@kernel
def layer_cycles(
    factor: Ints, loop_axes: Ints, on: int, relevant: Bools, steps: int, compute: float, moves: Floats, cycles: Floats,
    data_tiles: int, weight_tiles: int, latency: int, setup: int, turnaround: int,
) -> float:  # fmt: skip
    """Cycles of all tile steps, the layer's own set-up apart, for steps of equal length and transfers of mean size.

    moves, cycles: (4,) number and length of the transfers of each kind. Which operands change from one step to the next
    depends on the outermost off-chip loop that moves on, so steps are taken together by that loop. A transfer waits for
    the step before when its buffer keeps one tile; else it runs beside that step, but begins no earlier.
    """
    every = 1
    for loop in range(on):
        every *= factor[loop]
    ticks = np.ones(4)
    for turn in range(2):
        outer = every
        changed_input = changed_weight = changed_output = False
        total = 0.0
        innermost = True
        starved = False
        for loop in range(on - 1, -1, -1):
            if factor[loop] == 1:
                continue
            outer //= factor[loop]
            number = float(outer * (factor[loop] - 1))
            axis = loop_axes[loop]
            changed_input = changed_input or relevant[axis, INPUT]
            changed_weight = changed_weight or relevant[axis, WEIGHT]
            changed_output = changed_output or relevant[axis, OUTPUT]
            if turn == 0:
                ticks[LOAD_INPUT] += number if changed_input else 0.0
                ticks[LOAD_WEIGHT] += number if changed_weight else 0.0
                ticks[LOAD_PSUM] += number if changed_output else 0.0
                continue
            store = min(1.0, moves[STORE] / ticks[LOAD_PSUM]) * cycles[STORE] if changed_output else 0.0
            if store > 0:
                store += 2 * turnaround
            data = min(1.0, moves[LOAD_INPUT] / ticks[LOAD_INPUT]) * cycles[LOAD_INPUT] if changed_input else 0.0
            data += min(1.0, moves[LOAD_PSUM] / ticks[LOAD_PSUM]) * cycles[LOAD_PSUM] if changed_output else 0.0
            weight = min(1.0, moves[LOAD_WEIGHT] / ticks[LOAD_WEIGHT]) * cycles[LOAD_WEIGHT] if changed_weight else 0.0
            before = beside = 0.0
            if data_tiles == 1:
                before += store + data
            else:
                beside += store + data
            if weight_tiles == 1:
                before += weight
            else:
                beside += weight
            loads_before = (data > 0 and data_tiles == 1) or (weight > 0 and weight_tiles == 1)
            if loads_before:
                before += latency
            step = max(compute, beside)
            if beside > 0 and not loads_before and data + weight > 0:
                if innermost and factor[loop] > 2:
                    step = max(step, (compute + beside + latency) / 2)
                elif not starved:
                    step = max(step, beside + latency)
            step = max(step, float(setup))
            if innermost:
                starved = beside >= compute
            innermost = False
            total += number * (before + step)
    scale = (steps - 1) / (every - 1) if every > 1 else 0.0
    first = setup + cycles[LOAD_INPUT] + cycles[LOAD_WEIGHT] + latency
    return first + total * scale + compute + cycles[STORE] + turnaround
