"""What a unit of the array has of a pass: a PE, or a lane that works apart."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import C, P, Q, R, S
from accel.kernels.options import borrowing_kernel, kernel
from accel.kernels.reuse import INPUT, WEIGHT
from accel.kernels.windows import distinct_positions
from accel.kernels.zero_fields import BRICK, INNER, INSIDE, LOCKSTEP, RUNS, SLACK, STYLE, WIDTH

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PIXEL, FILTER, BOTH = 0, 1, 2
"""What the indices of an axis tell apart: inputs, weights, or both (a place of the reduction, a group)."""

# Fields of a share, of the unit that has most; see `unit_share`.
PIXELS, FILTERS, TAPS, GROUPS, CHANNELS, HIGH, WIDE, WITHIN, AGAIN, UNITS, NEAR, PASSES = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15,
)  # fmt: skip
SHARE = 18


@borrowing_kernel
def _in_runs(axis: int, dims: Ints, zeros: Floats) -> bool:
    """Whether indices of an axis that are neighbours lie on one PE, as its first dimension says."""
    for dim in range(len(dims)):
        if dims[dim] == axis:
            return bool(zeros[RUNS + dim] > 0)
    return False


@borrowing_kernel
def dealt_to_units(indices: int, units: int, lanes: int, in_runs: bool) -> tuple[int, int]:
    """(indices of the unit that has most, units that have as many), each unit with one for all of its lanes in turn."""
    if in_runs and indices >= units * lanes:
        most = -(-indices // units)
        return most, indices - (most - 1) * units
    rounds, rest = indices // (units * lanes), indices % (units * lanes)
    return rounds * lanes + min(lanes, rest), units if rest == 0 else max(1, rest // lanes)


@kernel
def unit_share(
    shape: Ints, blocks: Ints, unroll: Ints, lanes: Ints, mates: Ints, relevant: Bools, reduced: Bools, dims: Ints,
    sizes: Ints, spans: Ints, strides: Ints, zeros: Floats, share: Floats,
) -> None:  # fmt: skip
    """Fill `share`, of a pass of `shape` indices per axis, one of `blocks` passes along each.

    unroll: (axes,) indices over PEs and lanes, lanes: over lanes, mates: over neighbouring PEs in lockstep. dims,
    sizes, spans: see `estimate_layout.Nest`.
    PIXELS, FILTERS, TAPS (of the reduction), GROUPS: indices the unit has. CHANNELS: of them, in a row at a place of a
    filter. HIGH, WIDE: rows and columns of pixels. WITHIN: share of the places of its windows that no padding fills; 1
    where a neighbour has none. AGAIN: how often windows meet an input. By PIXEL, FILTER and BOTH: UNITS that have as
    much, of them those NEAR that wait for each other, and PASSES.
    """
    alone = zeros[STYLE] == INNER and zeros[WIDTH] == 1  # lanes work apart
    together = zeros[LOCKSTEP] == 0 or zeros[SLACK] == 0
    for field in range(SHARE):
        share[field] = 1.0
    mine, along, near = np.ones_like(shape), np.ones_like(shape), np.ones_like(shape)
    for axis in range(len(shape)):
        along[axis] = unroll[axis] if alone else unroll[axis] // lanes[axis]
        near[axis] = along[axis] if together else mates[axis] * (lanes[axis] if alone else 1)
        dealt, brick = shape[axis], 1.0
        if axis == dims[C]:
            # Places of a filter that the pass meets, and how many channels of each.
            places = max(1, min(shape[axis], spans[C]) if spans[C] > 1 else shape[axis] // sizes[C])
            channels = shape[axis] / places
            if zeros[BRICK] > 0:
                brick = min(zeros[BRICK], ceil(channels))
                dealt = places * (ceil(channels / brick))
        mine[axis], full = dealt_to_units(dealt, along[axis], 1 if alone else lanes[axis], _in_runs(axis, dims, zeros))
        if axis == dims[C]:
            own = mine[axis] * brick
            share[CHANNELS] = own / min(mine[axis], places)
            if zeros[BRICK] > 0:
                share[CHANNELS] = min(brick, own)
        role = BOTH if relevant[axis, INPUT] and relevant[axis, WEIGHT] else FILTER if relevant[axis, WEIGHT] else PIXEL
        share[GROUPS if role == BOTH and not reduced[axis] else PIXELS + role] *= mine[axis] * brick
        share[UNITS + role] *= full
        share[NEAR + role] *= min(full, near[axis])
        share[PASSES + role] *= blocks[axis]
    share[HIGH], share[WIDE] = mine[dims[P]] if dims[P] != dims[Q] else 1, mine[dims[Q]]
    for side in range(2):
        o, t = dims[P + side], dims[R + side]
        if near[o] == 1 and near[t] == 1:
            share[WITHIN] *= zeros[INSIDE + side]
        if dims[P] != dims[Q] and dims[R] != dims[S]:
            met = distinct_positions(mine[o], strides[side] * along[o], mine[t], strides[side + 2] * along[t])
            share[AGAIN] *= mine[o] * mine[t] / met
