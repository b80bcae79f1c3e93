"""How long a unit of an array that skips zeros is expected to take, by the style of matching."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from accel.kernels.chances import vectors
from accel.kernels.estimate_layout import R, S
from accel.kernels.options import kernel
from accel.kernels.unit_share import (
    AGAIN,
    BOTH,
    CHANNELS,
    FILTER,
    FILTERS,
    GROUPS,
    HIGH,
    PIXEL,
    PIXELS,
    TAPS,
    WIDE,
    WITHIN,
)
from accel.kernels.zero_fields import (
    AT_PASS,
    AT_WINDOW,
    BARRIER,
    BENEATH,
    CHUNK,
    INPUTS,
    LEAST,
    RUN,
    SCAN,
    WEIGHT_WIDTH,
    WEIGHTS,
    WIDTH,
)

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@kernel
def _add_products(count: float, again: float, a: float, var_a: float, b: float, var_b: float, spread: Floats) -> None:
    """Variances of a sum of so many products of an input's and a weight's independent variables, of these means and
    variances; an input takes part `again` and again."""
    spread[PIXEL] += count * again * var_a * b * b
    spread[FILTER] += count * a * a * var_b
    spread[BOTH] += count * var_a * var_b


@kernel
def inner(
    share: Floats, zeros: Floats, same_inputs: bool, same_weights: bool, whole: Floats, interval: Floats, lean: Floats
) -> tuple[float, float, float]:
    """(expected cycles, the most, intervals) of a unit that matches each output's inputs with its weights by chunks.

    same_inputs, same_weights: of units that wait for each other. Variances of the whole pass are added to `whole`, of
    an interval from one wait to the next, where there are several, to `interval`; `lean` is filled as `skipped_cycles`
    takes it.
    """
    width, inputs, weights = int(zeros[WIDTH]), zeros[INPUTS], zeros[WEIGHTS]
    pixels, filters, within, taps = share[PIXELS], share[FILTERS], share[WITHIN], share[TAPS]
    outputs = pixels * filters * share[GROUPS]
    length, padded = taps * within, 0.0  # positions of a chunk, and share of the chunks that are padding as a whole
    places, full, rest = 1.0, 1.0, 0.0
    if zeros[CHUNK] > 0:
        length, padded = min(zeros[CHUNK], share[CHANNELS]), 1.0 - within
        places, full = taps / share[CHANNELS], floor(share[CHANNELS] / length)
        rest = share[CHANNELS] - full * length
    least = max(zeros[LEAST], ceil(length / zeros[SCAN]) if zeros[SCAN] > 0 else 0.0)
    ends = 1.0 if rest >= 0.5 else 0.0
    least_rest = ends * max(zeros[LEAST], ceil(rest / zeros[SCAN]) if zeros[SCAN] > 0 else 0.0)
    mean, variance = vectors(length, inputs * weights, width, int(least))
    last, _ = vectors(rest, inputs * weights, width, int(least_rest))
    found = full * mean + ends * last
    empty = full * least + least_rest
    # Units that share an operand all have nothing to do where it is zero.
    most = inputs if same_inputs else weights if same_weights else 1.0
    longest, _ = vectors(length, most, width, int(least))
    last_longest, _ = vectors(rest, most, width, int(least_rest))
    longest = full * longest + ends * last_longest
    # Of single positions, as far as the rounding to cycles lets them through.
    plain = length * inputs * weights * (1.0 - inputs * weights)
    scale = variance / plain if plain > 0 else 0.0
    positions = taps * within * share[GROUPS] * scale
    by_filter = filters * weights, filters * weights * (1.0 - weights)
    spent = inputs * (1.0 - inputs)
    _add_products(positions, share[AGAIN], pixels * inputs, pixels * spent, by_filter[0], by_filter[1], whole)
    number, at_once = 1.0, pixels
    if zeros[BARRIER] != AT_PASS:
        at_once = 1.0
        number = pixels if zeros[BARRIER] == AT_WINDOW else pixels * places * (full + ends) * within
        _add_products(positions * pixels / number, 1.0, inputs, spent, by_filter[0], by_filter[1], interval)
    lean[PIXEL] = (1.0 - 2.0 * inputs) * (1.0 + (filters - 1.0) * weights) * (share[AGAIN] if at_once > 1.0 else 1.0)
    lean[FILTER] = (1.0 - 2.0 * weights) * (1.0 + (at_once - 1.0) * inputs)
    lean[BOTH] = 1.0 - 2.0 * inputs * weights
    for part in range(3):
        lean[part] /= width
    return outputs * places * ((1.0 - padded) * found + padded * empty), outputs * places * longest, number


@kernel
def column(
    share: Floats, zeros: Floats, same_inputs: bool, same_weights: bool, whole: Floats, lean: Floats
) -> tuple[float, float]:
    """(expected cycles, the most) of a unit that walks the weights of an input; see `inner`."""
    width, inputs, weights, filters = int(zeros[WIDTH]), zeros[INPUTS], zeros[WEIGHTS], share[FILTERS]
    if zeros[RUN] > 0 and 0.0 < weights < 1.0:
        # A run of zeros that long goes on to the next with the same chance.
        long = (1.0 - weights) ** (zeros[RUN] + 1)
        weights = min(1.0, weights * (1.0 + max(0.0, 1.0 - zeros[RUN] / filters) * long / (1.0 - long)))
    walk, variance = vectors(filters, weights, width, int(zeros[LEAST]))
    count, seen = share[TAPS] * share[GROUPS], share[PIXELS] * share[WITHIN]
    _add_products(count, share[AGAIN], seen * inputs, seen * inputs * (1.0 - inputs), walk, variance, whole)
    lean[PIXEL] = (1.0 - 2.0 * inputs) * walk * share[AGAIN]
    lean[FILTER] = (1.0 - 2.0 * weights) * (1.0 + (seen - 1.0) * inputs) / width
    lean[BOTH] = (1.0 - 2.0 * inputs * weights) * walk
    longest = walk if same_weights else max(zeros[LEAST], ceil(filters / width))
    return count * seen * inputs * walk, count * (seen * inputs if same_inputs else share[PIXELS]) * longest


@kernel
def plane(
    share: Floats, zeros: Floats, sizes: Ints, strides: Ints, same_inputs: bool, same_weights: bool, whole: Floats,
    lean: Floats,
) -> tuple[float, float]:  # fmt: skip
    """(expected cycles, the most) of a unit that multiplies vectors of inputs and weights; see `inner`."""
    words = share[PIXELS] / (share[HIGH] * share[WIDE])
    words *= ceil(ceil(share[HIGH] * zeros[BENEATH]) / strides[0])
    words *= ceil(ceil(share[WIDE] * zeros[BENEATH + 1]) / strides[1])
    taken, variance = vectors(words, zeros[INPUTS], int(zeros[WIDTH]), 0)
    channels = share[TAPS] / (sizes[R] * sizes[S]) * share[GROUPS]
    cycles = most = 0.0
    for phase in range(strides[0] * strides[1]):  # of a strided window, which meet inputs of their own
        rows = columns = 0
        for tap in range(sizes[R]):
            rows += tap * strides[2] % strides[0] == phase // strides[1]
        for tap in range(sizes[S]):
            columns += tap * strides[3] % strides[1] == phase % strides[1]
        taps = share[FILTERS] * rows * columns
        found, varying = vectors(taps, zeros[WEIGHTS], int(zeros[WEIGHT_WIDTH]), 0)
        cycles += channels * taken * found
        largest = taken if same_inputs else ceil(words / zeros[WIDTH])
        most += channels * largest * (found if same_weights else ceil(taps / zeros[WEIGHT_WIDTH]))
        _add_products(channels, 1.0, taken, variance, found, varying, whole)
        lean[PIXEL] += (1.0 - 2.0 * zeros[INPUTS]) / zeros[WIDTH] * found / (strides[0] * strides[1])
    lean[FILTER] = (1.0 - 2.0 * zeros[WEIGHTS]) / zeros[WEIGHT_WIDTH] * taken
    lean[BOTH] = lean[PIXEL]
    return cycles, most
