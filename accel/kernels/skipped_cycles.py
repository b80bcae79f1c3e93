"""How long a pass is expected to take on an array that skips zeros, from the shares of nonzeros alone."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from accel.kernels.chances import greatest
from accel.kernels.estimate_layout import P, Q
from accel.kernels.options import kernel
from accel.kernels.unit_cycles import column, inner, plane
from accel.kernels.unit_share import (
    BOTH,
    FILTER,
    FILTERS,
    GROUPS,
    HIGH,
    NEAR,
    PASSES,
    PIXEL,
    PIXELS,
    SHARE,
    UNITS,
    WIDE,
    unit_share,
)
from accel.kernels.zero_fields import AT_PASS, BALANCED, BARRIER, BEYOND, COLUMN, HALO, INNER, REACH, SLACK, STYLE

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@kernel
def _slowest(pixel: float, filters: float, both: float, mean: float, spread: Floats, lean: Floats) -> float:
    """How far the slowest of a grid of units is expected to lie above their mean.

    pixel, filters, both: units along it with inputs of their own, with weights of their own, with both. spread: (3,)
    variances by PIXEL, what inputs alone decide, FILTER, weights alone, and BOTH, the two together. lean: (3,) third
    moments over these variances: counts of few nonzeros reach further above the mean than below it.
    """
    inputs, weights = pixel * both > 1, filters * both > 1
    by_input, by_weight = greatest(pixel * both) ** 2 * spread[PIXEL], greatest(filters * both) ** 2 * spread[FILTER]
    met = greatest(pixel * filters * both) ** 2 * spread[BOTH]
    apart = 2.0 * greatest(pixel) * greatest(filters) * sqrt(spread[PIXEL] * spread[FILTER])
    above = by_input + by_weight + met + apart
    variance = inputs * spread[PIXEL] + weights * spread[FILTER] + (inputs or weights) * spread[BOTH]
    if variance <= 0.0 or above <= variance:
        return sqrt(above)
    third = inputs * lean[PIXEL] * spread[PIXEL] + weights * lean[FILTER] * spread[FILTER]
    third += spread[BOTH] * (lean[BOTH] if inputs and weights else lean[PIXEL] if inputs else lean[FILTER])
    if inputs and weights and mean > 0.0:
        third += 6.0 * spread[PIXEL] * spread[FILTER] / mean  # much to do of one falls in with much of the other
    return float(sqrt(above) + max(0.0, third / variance * (above / variance - 1.0) / 6.0))


@kernel
def _halo_cycles(share: Floats, zeros: Floats, sizes: Ints) -> float:
    """Cycles in which the busiest link of a PE carries the sums of its neighbours' outputs, as `accel.input_plane`."""
    if zeros[HALO] == 0:
        return 0.0
    high, wide = share[HIGH], share[WIDE]
    rows = zeros[BEYOND] if high < sizes[P] else 0.0
    columns = zeros[BEYOND + 1] if wide < sizes[Q] else 0.0
    words = max(rows * min(wide + zeros[REACH + 1], sizes[Q]), columns * high)
    return float(ceil(words * share[PIXELS] / (high * wide) * share[FILTERS] * share[GROUPS] / zeros[HALO]))


@kernel
def _cycles(share: Floats, zeros: Floats, sizes: Ints, strides: Ints) -> float:
    """Of a pass whose units have this share."""
    whole, interval, lean = np.zeros(3), np.zeros(3), np.zeros(3)
    near = share[NEAR + PIXEL], share[NEAR + FILTER], share[NEAR + BOTH]
    same_inputs, same_weights = near[PIXEL] * near[BOTH] == 1, near[FILTER] * near[BOTH] == 1
    number = 1.0
    if zeros[STYLE] == INNER:
        cycles, most, number = inner(share, zeros, same_inputs, same_weights, whole, interval, lean)
    elif zeros[STYLE] == COLUMN:
        cycles, most = column(share, zeros, same_inputs, same_weights, whole, lean)
    else:
        cycles, most = plane(share, zeros, sizes, strides, same_inputs, same_weights, whole, lean)
    by = interval if zeros[STYLE] == INNER and zeros[BARRIER] != AT_PASS else whole
    waits = number * _slowest(near[PIXEL], near[FILTER], near[BOTH], cycles / number, by, lean)
    cycles = min(most, cycles + waits)
    if zeros[SLACK] > 0:
        pixel, filters, both = share[PASSES + PIXEL], share[PASSES + FILTER], share[PASSES + BOTH]
        ahead = zeros[SLACK] + 1
        whole[PIXEL] /= min(ahead, pixel * both)
        whole[FILTER] = 0.0 if zeros[BALANCED] > 0 else whole[FILTER] / min(ahead, filters * both)
        whole[BOTH] /= min(ahead, pixel * filters * both)
        # Many passes together are as often above their mean as below.
        lean[PIXEL] = lean[FILTER] = lean[BOTH] = 0.0
        cycles = min(
            most,
            cycles
            + _slowest(
                share[UNITS + PIXEL] / near[PIXEL], share[UNITS + FILTER] / near[FILTER],
                share[UNITS + BOTH] / near[BOTH], cycles, whole, lean,
            ),
        )  # fmt: skip
    return float(cycles)


@kernel
def expected_cycles(
    shape: Ints, blocks: Ints, unroll: Ints, lanes: Ints, mates: Ints, relevant: Bools, reduced: Bools, dims: Ints,
    sizes: Ints, spans: Ints, strides: Ints, zeros: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Of the MACs of a pass, on all units, and of the sums that PEs then send to neighbours; arguments of `unit_share`.

    Zeros are taken to lie anywhere, those of inputs and of weights apart. Units that wait for each other take as long
    as the slowest; those that may run ahead do so on the average of as many passes.
    """
    share = np.empty(SHARE)
    unit_share(shape, blocks, unroll, lanes, mates, relevant, reduced, dims, sizes, spans, strides, zeros, share)
    return _cycles(share, zeros, sizes, strides), _halo_cycles(share, zeros, sizes)
