"""Work on nonzeros, and their products: columns and planes of inputs multiplied out with those of weights.

Inputs are counted by cell (PE and epoch) where they are found, and listed there if their products are wanted: each with
the place of the sum it adds to, or would but for the shift of a weight's tap.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.options import parallel_kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.integer]
Places = NDArray[np.int32]

# Columns of labels, as in `kernels.sparse`.
EPOCH, UNIT = 0, 1


@parallel_kernel
def find_in_windows(
    words: Words, first: int, outputs: tuple[int, int], taps: tuple[int, int], stride: tuple[int, int],
    dilation: tuple[int, int], padding: tuple[int, int], cell_of_pixel: Ints, met: Ints, where: Places, found: Words,
    lengths: Ints,
) -> None:  # fmt: skip
    """Nonzero inputs each tap meets over the pixels of a cell, added to met (channels, R, S, cells); padding is zero.

    Of the channels from `first`. Pixels without a cell (< 0) meet none. Where `lengths` (channels * R * S,) has any,
    they are listed too: pixel and word, in a row of where and of found for each channel and tap.
    """
    images, _, height, width = words.shape
    listing = len(lengths) > 0
    for row in prange(met.shape[0]):
        for tap in range(taps[0] * taps[1]):
            r, s = tap // taps[1], tap % taps[1]
            counts, at, length = met[row, r, s], row * taps[0] * taps[1] + tap, 0
            for image in range(images):
                for p in range(outputs[0]):
                    h = p * stride[0] + r * dilation[0] - padding[0]
                    if h < 0 or h >= height:
                        continue
                    pixel = (image * outputs[0] + p) * outputs[1] - 1
                    for q in range(outputs[1]):
                        w = q * stride[1] + s * dilation[1] - padding[1]
                        pixel += 1
                        if 0 <= w < width and words[image, first + row, h, w] != 0 and cell_of_pixel[pixel] >= 0:
                            counts[cell_of_pixel[pixel]] += 1
                            if listing:
                                where[at, length] = pixel
                                found[at, length] = words[image, first + row, h, w]
                                length += 1
            if listing:
                lengths[at] = length


@parallel_kernel
def find_in_planes(
    words: Words, first: int, row_phases: Ints, column_phases: Ints, cell_of_place: Ints, met: Ints, sums: Ints,
    where: Places, found: Words, lengths: Ints,
) -> None:  # fmt: skip
    """Nonzero inputs of each cell and phase, added to met (channels, vertical phases, horizontal phases, cells).

    Of the channels from `first`. cell_of_place: (N, H, W), < 0 for places nobody owns. Phases: (H,) and (W,), which
    taps of a strided window a row or column can meet. Where `lengths` (channels * phases,) has any, they are listed
    too: the place in `sums` (N, H, W) and the word, in a row of where and of found for each channel and phase.
    """
    images, _, height, width = words.shape
    listing = len(lengths) > 0
    phases = met.shape[2]
    for row in prange(met.shape[0]):
        for image in range(images):
            for h in range(height):
                for w in range(width):
                    word, cell = words[image, first + row, h, w], cell_of_place[image, h, w]
                    if word != 0 and cell >= 0:
                        met[row, row_phases[h], column_phases[w], cell] += 1
                        if listing:
                            at = (row * met.shape[1] + row_phases[h]) * phases + column_phases[w]
                            where[at, lengths[at]] = sums[image, h, w]
                            found[at, lengths[at]] = word
                            lengths[at] += 1


@parallel_kernel
def add_products(
    first: int, lists: int, where: Places, found: Words, lengths: Ints, weights: Words, per_group: int,
    list_of_tap: Ints, shifts: Ints, filters: Ints, sums: Ints,
) -> None:  # fmt: skip
    """Multiply every listed input with every nonzero weight that it meets, and add each product where it belongs.

    where, found, lengths: of `lists` a channel, of the channels from `first`. weights: (G*K, C * taps). list_of_tap,
    shifts: (taps,) which inputs a tap meets, and how far before an input's place the sum lies. filters: those that are
    walked, `per_group` in a group. sums: (G*K, places), added to.
    """
    taps = len(shifts)
    mine = weights.shape[1] // taps
    channels = len(lengths) // lists
    for index in prange(len(filters)):
        chosen = filters[index]
        begin = chosen // per_group * mine
        added = sums[chosen]
        for channel in range(max(begin, first), min(begin + mine, first + channels)):
            for tap in range(taps):
                weight = np.int64(weights[chosen, (channel - begin) * taps + tap])
                if weight == 0:
                    continue
                at, shift = (channel - first) * lists + list_of_tap[tap], shifts[tap]
                for entry in range(lengths[at]):
                    added[where[at, entry] - shift] += weight * np.int64(found[at, entry])


@parallel_kernel
def outer_work(
    inputs: Ints, input_units: Ints, weights: Ints, weight_units: Ints, group_of_cell: Ints, input_labels: Ints,
    weight_labels: Ints, column_labels: Ints, runs: Ints, cycles: Ints, products: Ints, issued: Bools,
) -> None:  # fmt: skip
    """Every input of a column with every weight of it, column after column.

    inputs, input_units: (G, input cells, columns) nonzeros and the vectors they are taken in; weights, weight_units:
    (weight cells, columns) alike. Labels: (cells | columns, 2), negative where a column is not walked; different input
    cells must meet different (epoch, unit). runs: where each run of columns with equal labels begins, and the last
    ends. Added to cycles, products: (epochs, units); issued: (epochs,).
    """
    for cell in prange(inputs.shape[1]):
        for other in range(weights.shape[0]):
            group = group_of_cell[other]
            words, vectors = inputs[group, cell], input_units[group, cell]
            found, entries = weights[other], weight_units[other]
            for run in range(len(runs) - 1):
                label = column_labels[runs[run]]
                if label[EPOCH] < 0:
                    continue
                taken = spent = multiplied = 0
                for column in range(runs[run], runs[run + 1]):
                    taken += vectors[column]
                    spent += vectors[column] * entries[column]
                    multiplied += words[column] * found[column]
                if taken == 0:
                    continue
                at = input_labels[cell, EPOCH] + weight_labels[other, EPOCH] + label[EPOCH]
                there = input_labels[cell, UNIT] + weight_labels[other, UNIT] + label[UNIT]
                cycles[at, there] += spent
                products[at, there] += multiplied
                issued[at] = True
