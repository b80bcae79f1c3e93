"""Work on nonzeros: outputs matched against their reduction in bit masks, columns and planes multiplied out."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.bits import lowest_bit, popcount
from accel.kernels.options import parallel_kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]
Words = NDArray[np.integer]

ONE = np.uint64(1)

# Columns of labels: what an index adds to the number of the epoch, and of the unit (a lane of a PE).
EPOCH, UNIT = 0, 1

# Fields of the `style` vector of `match_work`: WIDTH useful positions a cycle, at least LEAST cycles a chunk, SCAN
# positions of it looked through a cycle (0: all at once).
SKIP_INPUT, SKIP_WEIGHT, WIDTH, LEAST, SCAN = 0, 1, 2, 3, 4


@parallel_kernel
def pack_windows(
    words: Words, groups: int, outputs: tuple[int, int], taps: tuple[int, int], stride: tuple[int, int],
    dilation: tuple[int, int], padding: tuple[int, int], place: Ints, masks: Masks,
) -> None:  # fmt: skip
    """Set the bit of every nonzero input that an output pixel meets; padding is zero.

    words: (N, G*C, H, W); place: (C*R*S,) bit of each tap; masks: (G, N*P*Q, mask words), all zero before.
    """
    images, channels, height, width = words.shape
    mine = channels // groups
    area = taps[0] * taps[1]
    for pixel in prange(images * outputs[0] * outputs[1]):
        image = pixel // (outputs[0] * outputs[1])
        top = pixel // outputs[1] % outputs[0] * stride[0] - padding[0]
        left = pixel % outputs[1] * stride[1] - padding[1]
        for channel in range(channels):
            group = channel // mine
            first = channel % mine * area
            for r in range(taps[0]):
                h = top + r * dilation[0]
                if h < 0 or h >= height:
                    continue
                for s in range(taps[1]):
                    w = left + s * dilation[1]
                    if 0 <= w < width and words[image, channel, h, w] != 0:
                        bit = place[first + r * taps[1] + s]
                        masks[group, pixel, bit >> 6] |= ONE << np.uint64(bit & 63)


@parallel_kernel
def pack_rows(rows: Words, place: Ints, masks: Masks, values: Words) -> None:
    """Set the bits of the nonzeros of each row, and put the words at the places of their bits (no columns: do not)."""
    keep = values.shape[1] > 0
    for row in prange(rows.shape[0]):
        for column in range(rows.shape[1]):
            if rows[row, column] != 0:
                bit = place[column]
                masks[row, bit >> 6] |= ONE << np.uint64(bit & 63)
                if keep:
                    values[row, bit] = rows[row, column]


@parallel_kernel
def match_work(
    inputs: Masks, weights: Masks, per_group: int, bounds: Ints, lengths: Ints, chunk_labels: Ints,
    pixels: Ints, pixel_bounds: Ints, pixel_labels: Ints, filters: Ints, filter_bounds: Ints, filter_labels: Ints,
    style: Ints, cycles: Ints, excess: Ints, effectual: Ints, issued: Bools,
    words: Words, origin: Ints, group_step: int, offset: Ints, values: Words, outputs: Ints,
) -> None:  # fmt: skip
    """Match every output's inputs with its weights, chunk of the reduction by chunk.

    inputs: (G, pixels, mask words); weights: (filters, mask words); filters of a group follow each other, `per_group`.
    bounds: (chunks + 1) mask words of each chunk, `lengths` its positions. *_labels: (chunks | pixels | filters, 2),
    see EPOCH. pixels, filters: indices sorted by their labels, *_bounds where these change: work of different cells
    must meet different (epoch, unit). style: see SKIP_INPUT. Added, each (units, epochs), to cycles, to excess (what of
    them LEAST and SCAN cost) and effectual, these two only when they have rows, and to issued (epochs,). When outputs
    (filters, pixels) has columns, the products of matching operands are added to it: weights from values (filters,
    positions), the input of a position from `words[origin[pixel] + group * group_step + offset[position]]`, with its
    padding written out.
    """
    across = len(filter_bounds) - 1
    computes = outputs.shape[1] > 0
    counts = len(effectual) > 0
    spares = len(excess) > 0
    skips_input, skips_weight = style[SKIP_INPUT] != 0, style[SKIP_WEIGHT] != 0
    width, least, scan = style[WIDTH], style[LEAST], style[SCAN]
    for cell in prange((len(pixel_bounds) - 1) * across):
        for pixel_index in range(pixel_bounds[cell // across], pixel_bounds[cell // across + 1]):
            pixel = pixels[pixel_index]
            for filter_index in range(filter_bounds[cell % across], filter_bounds[cell % across + 1]):
                chosen = filters[filter_index]
                group = chosen // per_group
                base = origin[pixel] + group * group_step
                epoch = pixel_labels[pixel, EPOCH] + filter_labels[chosen, EPOCH]
                unit = pixel_labels[pixel, UNIT] + filter_labels[chosen, UNIT]
                total = np.int64(0)
                for chunk in range(len(lengths)):
                    length = lengths[chunk]
                    matches = present = stored = 0
                    for word in range(bounds[chunk], bounds[chunk + 1]):
                        here, there = inputs[group, pixel, word], weights[chosen, word]
                        both = here & there
                        matches += popcount(both)
                        present += popcount(here)
                        stored += popcount(there)
                        if computes:
                            while both != 0:
                                position = (word << 6) + lowest_bit(both)
                                total += np.int64(words[base + offset[position]]) * np.int64(values[chosen, position])
                                both &= both - ONE
                    useful = length
                    if skips_input and skips_weight:
                        useful = matches
                    elif skips_input:
                        useful = present
                    elif skips_weight:
                        useful = stored
                    at = epoch + chunk_labels[chunk, EPOCH]
                    there_unit = unit + chunk_labels[chunk, UNIT]
                    free = useful if width == 1 else -(-useful // width)
                    spent = max(free, least)
                    if scan > 0:
                        spent = max(spent, -(-length // scan))
                    cycles[there_unit, at] += spent
                    if spares and spent > free:
                        excess[there_unit, at] += spent - free
                    if counts:
                        effectual[there_unit, at] += matches
                    # Cells share epochs: a thread may only ever set the flag, or it could undo what another has set.
                    if (present > 0 or not skips_input) and not issued[at]:
                        issued[at] = True
                if computes:
                    outputs[chosen, pixel] += total


@parallel_kernel
def count_windows(
    words: Words, outputs: tuple[int, int], taps: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int],
    padding: tuple[int, int], cell_of_pixel: Ints, met: Ints,
) -> None:  # fmt: skip
    """Nonzero inputs each tap meets over the pixels of a cell, added to met (G*C, R, S, cells); padding is zero."""
    images, channels, height, width = words.shape
    for channel in prange(channels):
        for r in range(taps[0]):
            for s in range(taps[1]):
                counts = met[channel, r, s]
                for image in range(images):
                    for p in range(outputs[0]):
                        h = p * stride[0] + r * dilation[0] - padding[0]
                        if h < 0 or h >= height:
                            continue
                        first = (image * outputs[0] + p) * outputs[1]
                        for q in range(outputs[1]):
                            w = q * stride[1] + s * dilation[1] - padding[1]
                            if 0 <= w < width and words[image, channel, h, w] != 0:
                                counts[cell_of_pixel[first + q]] += 1


@parallel_kernel
def count_planes(words: Words, row_phases: Ints, column_phases: Ints, cell_of_place: Ints, met: Ints) -> None:
    """Nonzero inputs of each cell and phase, added to met (G*C, vertical phases, horizontal phases, cells).

    cell_of_place: (N, H, W). Phases: (H,) and (W,), which taps of a strided window a row or column can meet.
    """
    images, channels, height, width = words.shape
    for channel in prange(channels):
        for image in range(images):
            for h in range(height):
                for w in range(width):
                    if words[image, channel, h, w] != 0:
                        met[channel, row_phases[h], column_phases[w], cell_of_place[image, h, w]] += 1


@parallel_kernel
def outer_work(
    inputs: Ints, input_units: Ints, weights: Ints, weight_units: Ints, group_of_cell: Ints, input_labels: Ints,
    weight_labels: Ints, column_labels: Ints, runs: Ints, cycles: Ints, products: Ints, issued: Bools,
) -> None:  # fmt: skip
    """Every input of a column with every weight of it, column after column.

    inputs, input_units: (G, input cells, columns) nonzeros and the vectors they are taken in; weights, weight_units:
    (weight cells, columns) alike. Labels: (cells | columns, 2); different input cells must meet different (epoch,
    unit). runs: where each run of columns with equal labels begins, and the last ends. Added to cycles, products:
    (epochs, units); issued: (epochs,).
    """
    for cell in prange(inputs.shape[1]):
        for other in range(weights.shape[0]):
            group = group_of_cell[other]
            words, vectors = inputs[group, cell], input_units[group, cell]
            found, entries = weights[other], weight_units[other]
            for run in range(len(runs) - 1):
                taken = spent = multiplied = 0
                for column in range(runs[run], runs[run + 1]):
                    taken += vectors[column]
                    spent += vectors[column] * entries[column]
                    multiplied += words[column] * found[column]
                if taken == 0:
                    continue
                label = column_labels[runs[run]]
                at = input_labels[cell, EPOCH] + weight_labels[other, EPOCH] + label[EPOCH]
                there = input_labels[cell, UNIT] + weight_labels[other, UNIT] + label[UNIT]
                cycles[at, there] += spent
                products[at, there] += multiplied
                issued[at] = True
