"""Products of nonzeros scattered over the banks of an accumulator memory."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import kernel, parallel_kernel

Ints = NDArray[np.int64]

# Columns of labels, as in `kernels.sparse`.
EPOCH, UNIT = 0, 1

# Fields of the `shape` vector of `banked_work`.
INPUTS, WEIGHTS, BANKS, P, Q, STRIDE, N = 0, 1, 2, 3, 4, 5, 7


@kernel
def _vector_cycles(places: Ints, taps: Ints, box: Ints, shape: Ints, load: Ints) -> int:
    """Cycles in which the products of one vector of inputs and one of weights are stored: those of the busiest bank."""
    load[:] = 0
    most = 1
    for one in range(len(places)):
        for tap in range(len(taps)):
            row = places[one, 1] - taps[tap, 1]
            column = places[one, 2] - taps[tap, 2]
            if row < 0 or column < 0 or row % shape[STRIDE] != 0 or column % shape[STRIDE + 1] != 0:
                continue
            p, q = row // shape[STRIDE], column // shape[STRIDE + 1]
            if p >= shape[P] or q >= shape[Q]:
                continue
            plane = taps[tap, 0] * shape[N] + places[one, 0]
            bank = ((plane * box[2] + p - box[0]) * box[3] + q - box[1]) % shape[BANKS]
            load[bank] += 1
            most = max(most, load[bank])
    return int(most)


@parallel_kernel
def banked_work(
    places: Ints, place_bounds: Ints, taps: Ints, tap_bounds: Ints, boxes: Ints, group_of_cell: Ints, shape: Ints,
    input_labels: Ints, weight_labels: Ints, column_labels: Ints, cycles: Ints,
) -> None:  # fmt: skip
    """Every vector of inputs of a column with every vector of its weights; a bank takes one product a cycle.

    places: (nonzeros, 3) image, padded row and column of inputs; place_bounds: (G, cells, columns, 2) first and past
    the last. taps: (nonzeros, 3) filter counted from the cell's first, row and column offset; tap_bounds: (weight
    cells, columns, 2). boxes: (cells, 4) first row and column of the outputs a cell reaches, and how many of each:
    accumulators are numbered filter by filter, image by image, row by row. shape: see INPUTS. Added to cycles (epochs,
    units).
    """
    for cell in prange(place_bounds.shape[1]):
        load = np.zeros(shape[BANKS], dtype=np.int64)
        for other in range(tap_bounds.shape[0]):
            for column in range(tap_bounds.shape[1]):
                begin, end = place_bounds[group_of_cell[other], cell, column]
                first, last = tap_bounds[other, column]
                spent = 0
                for one in range(begin, end, shape[INPUTS]):
                    for tap in range(first, last, shape[WEIGHTS]):
                        some = places[one : min(one + shape[INPUTS], end)]
                        spent += _vector_cycles(
                            some, taps[tap : min(tap + shape[WEIGHTS], last)], boxes[cell], shape, load
                        )
                if spent:
                    epoch = input_labels[cell, EPOCH] + weight_labels[other, EPOCH] + column_labels[column, EPOCH]
                    unit = input_labels[cell, UNIT] + weight_labels[other, UNIT] + column_labels[column, UNIT]
                    cycles[epoch, unit] += spent
