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
INPUTS, WEIGHTS, BANKS, P, Q, N, QUEUE = 0, 1, 2, 3, 4, 5, 6


@kernel
def _column_cycles(places: Ints, taps: Ints, box: Ints, shape: Ints, where: Ints, other: Ints, waiting: Ints) -> int:
    """Cycles for the products of all inputs and weights of a column; `where`, `other`: room for the banks of each.

    waiting: (banks,) products in the banks' queues, before and after.
    """
    banks = shape[BANKS]
    for one in range(len(places)):
        row, column = places[one, 1] - box[0], places[one, 2] - box[1]
        where[one] = ((places[one, 0] * box[2] + row) * box[3] + column) % banks
    for tap in range(len(taps)):
        plane = taps[tap, 0] * shape[N]
        other[tap] = ((plane * box[2] - taps[tap, 1]) * box[3] - taps[tap, 2]) % banks
    spent = 0
    for first_place in range(0, len(places), shape[INPUTS]):
        last_place = min(first_place + shape[INPUTS], len(places))
        for first_tap in range(0, len(taps), shape[WEIGHTS]):
            for one in range(first_place, last_place):
                for tap in range(first_tap, min(first_tap + shape[WEIGHTS], len(taps))):
                    p, q = places[one, 1] - taps[tap, 1], places[one, 2] - taps[tap, 2]
                    if 0 <= p < shape[P] and 0 <= q < shape[Q]:
                        bank = where[one] + other[tap]
                        waiting[bank - banks if bank >= banks else bank] += 1
            most = waiting[0]
            for bank in range(1, banks):
                most = max(most, waiting[bank])
            cycles = max(1, most - shape[QUEUE])
            for bank in range(banks):
                waiting[bank] = max(0, waiting[bank] - cycles)
            spent += cycles
    return int(spent)


@parallel_kernel
def banked_work(
    places: Ints, place_bounds: Ints, taps: Ints, tap_bounds: Ints, boxes: Ints, group_of_cell: Ints, shape: Ints,
    input_labels: Ints, weight_labels: Ints, column_labels: Ints, order: Ints, cycles: Ints,
) -> None:  # fmt: skip
    """Every vector of inputs of a column with every vector of its weights; a bank takes one product a cycle.

    places: (nonzeros, 3) image, row and column of inputs; place_bounds: (G, cells, columns, 2) first and past the last.
    taps: (nonzeros, 3) filter counted from the cell's first, row and column; tap_bounds: (weight cells, columns, 2).
    Rows and columns of both count in strides: their differences are those of the output. boxes: (cells, 4) first row
    and column of the outputs a cell reaches, and how many of each: accumulators are numbered filter by filter, image by
    image, row by row. shape: see INPUTS. Columns are taken in `order`, those of one label together. Products wait in
    their bank's queue from one vector to the next; the queues are empty before the next label. Added to cycles
    (epochs, units).
    """
    most_places, most_taps = 1, 1
    for bounds in place_bounds.reshape(-1, 2):
        most_places = max(most_places, bounds[1] - bounds[0])
    for bounds in tap_bounds.reshape(-1, 2):
        most_taps = max(most_taps, bounds[1] - bounds[0])
    columns = len(order)
    for cell in prange(place_bounds.shape[1]):
        waiting = np.zeros(shape[BANKS], dtype=np.int64)
        where = np.zeros(most_places, dtype=np.int64)
        there = np.zeros(most_taps, dtype=np.int64)
        for other in range(tap_bounds.shape[0]):
            for index in range(columns):
                column = order[index]
                begin, end = place_bounds[group_of_cell[other], cell, column]
                first, last = tap_bounds[other, column]
                spent = 0
                if begin < end and first < last:
                    spent = _column_cycles(
                        places[begin:end], taps[first:last], boxes[cell], shape, where, there, waiting
                    )
                label, after = column_labels[column], column_labels[order[min(index + 1, columns - 1)]]
                if index + 1 == columns or label[EPOCH] != after[EPOCH] or label[UNIT] != after[UNIT]:
                    spent += waiting.max()
                    waiting[:] = 0
                if spent:
                    epoch = input_labels[cell, EPOCH] + weight_labels[other, EPOCH] + label[EPOCH]
                    unit = input_labels[cell, UNIT] + weight_labels[other, UNIT] + label[UNIT]
                    cycles[epoch, unit] += spent
