"""Work on nonzeros, and their products: every output's inputs matched with its weights in bit masks."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from accel.kernels.bits import lowest_bit, popcount
from accel.kernels.options import kernel, parallel_kernel

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

# Products that take as long as finding one match, or looking for matches in one word of the masks.
AT_A_TIME = 5

# Parts to split the work in where there are fewer cells of pixels.
FEWEST_TASKS = 32


@parallel_kernel
def pack_windows(
    words: Words, groups: int, outputs: tuple[int, int], taps: tuple[int, int], stride: tuple[int, int],
    dilation: tuple[int, int], padding: tuple[int, int], place: Ints, masks: Masks,
) -> None:  # fmt: skip
    """Set the bit of every nonzero input that an output pixel meets; padding is zero.

    words: (N, G*C, H, W); place: (C*R*S,) bit of each tap, < 0 for one that is not walked; masks: (G, N*P*Q, mask
    words), all zero before.
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
                        if bit >= 0:
                            masks[group, pixel, bit >> 6] |= ONE << np.uint64(bit & 63)


@parallel_kernel
def pack_rows(rows: Words, place: Ints, masks: Masks, slot: Ints, values: Words) -> None:
    """Set the bits of the nonzeros of each row, and put the words at their slots (values without columns: do not)."""
    keep = values.shape[1] > 0
    for row in prange(rows.shape[0]):
        for column in range(rows.shape[1]):
            bit = place[column]
            if bit >= 0 and rows[row, column] != 0:
                masks[row, bit >> 6] |= ONE << np.uint64(bit & 63)
                if keep:
                    values[row, slot[column]] = rows[row, column]


@kernel
def _fetch(
    mask: Masks, bounds: Ints, slots: Ints, words: Words, base: int, offset: Ints, window: Words
) -> int:  # fmt: skip
    """Fill the window with the inputs whose bits are set, each at its slot, the others zero; how many they are."""
    window[:] = 0
    found = 0
    for chunk in range(len(bounds) - 1):
        first = slots[chunk] - (bounds[chunk] << 6)
        for word in range(bounds[chunk], bounds[chunk + 1]):
            left = mask[word]
            while left != 0:
                slot = first + (word << 6) + lowest_bit(left)
                window[slot] = words[base + offset[slot]]
                left &= left - ONE
                found += 1
    return found


@kernel
def _all_products(window: Words, values: Words) -> np.int64:
    """Sum of the products of all slots: those without an input or a weight are zero."""
    total = np.int64(0)
    for slot in range(len(window)):
        total += np.int64(window[slot]) * np.int64(values[slot])
    return total


@parallel_kernel
def match_work(
    inputs: Masks, weights: Masks, per_group: int, bounds: Ints, lengths: Ints, chunk_labels: Ints,
    pixels: Ints, pixel_bounds: Ints, pixel_labels: Ints, pixel_counts: Bools, filters: Ints, filter_bounds: Ints,
    filter_labels: Ints, filter_counts: Bools, style: Ints, cycles: Ints, excess: Ints, effectual: Ints, issued: Bools,
    words: Words, origin: Ints, group_step: int, slots: Ints, offset: Ints, values: Words, outputs: Ints,
) -> None:  # fmt: skip
    """Match every output's inputs with its weights, chunk of the reduction by chunk.

    inputs: (G, pixels, mask words); weights: (filters, mask words); filters of a group follow each other, `per_group`.
    bounds: (chunks + 1) mask words of each chunk, `lengths` its positions. *_labels: (chunks | pixels | filters, 2),
    see EPOCH. pixels, filters: indices sorted into cells, *_bounds where these change: work of different cells must
    meet different (epoch, unit). It counts where *_counts of both are set; others do the same as one that counts.
    style: see SKIP_INPUT. Added, each (epochs, units), to cycles, to excess (what of them LEAST and SCAN cost) and
    effectual, these two only when they have rows, and to issued (epochs,). When outputs (filters, pixels) has columns,
    the products of matching operands are added to it. Positions have slots without gaps between chunks, from slots[i]
    in chunk i: weights come from values (filters, slots), the input of a slot from `words[origin[pixel] + group *
    group_step + offset[slot]]`, with its padding written out.
    """
    computes = outputs.shape[1] > 0
    counts = len(effectual) > 0
    spares = len(excess) > 0
    skips_input, skips_weight = style[SKIP_INPUT] != 0, style[SKIP_WEIGHT] != 0
    width, least, scan = style[WIDTH], style[LEAST], style[SCAN]
    across = len(filter_bounds) - 1
    # A pixel's inputs are fetched once for many filters, as long as there are pixels enough for the cores.
    parts = min(across, -(-FEWEST_TASKS // max(1, len(pixel_bounds) - 1))) if computes else across
    looks = inputs.shape[2]
    stored_words = np.zeros(len(values) if computes else 0, dtype=np.int64)
    for row in prange(len(stored_words)):
        for word in range(looks):
            stored_words[row] += popcount(weights[row, word])
    for task in prange((len(pixel_bounds) - 1) * parts):
        window = np.zeros(values.shape[1], dtype=words.dtype)
        for pixel_index in range(pixel_bounds[task // parts], pixel_bounds[task // parts + 1]):
            pixel = pixels[pixel_index]
            fetched, there_are = -1, 0
            for cell in range(task % parts, across, parts):
                for filter_index in range(filter_bounds[cell], filter_bounds[cell + 1]):
                    chosen = filters[filter_index]
                    group = chosen // per_group
                    if computes and fetched != group:
                        base = origin[pixel] + group * group_step
                        there_are = _fetch(inputs[group, pixel], bounds, slots, words, base, offset, window)
                        fetched = group
                    counted = pixel_counts[pixel] and filter_counts[chosen]
                    epoch = pixel_labels[pixel, EPOCH] + filter_labels[chosen, EPOCH]
                    unit = pixel_labels[pixel, UNIT] + filter_labels[chosen, UNIT]
                    total, held = np.int64(0), values[chosen]
                    matching = computes
                    if computes:
                        expected = there_are * stored_words[chosen] // len(window)
                        if AT_A_TIME * (expected + looks) > len(window):
                            total = _all_products(window, held)
                            matching = False
                    for chunk in range(len(lengths) if matching or counted else 0):
                        length = lengths[chunk]
                        if matching:
                            first = slots[chunk] - (bounds[chunk] << 6)
                            for word in range(bounds[chunk], bounds[chunk + 1]):
                                both = inputs[group, pixel, word] & weights[chosen, word]
                                while both != 0:
                                    slot = first + (word << 6) + lowest_bit(both)
                                    total += np.int64(window[slot]) * np.int64(held[slot])
                                    both &= both - ONE
                        if not counted:
                            continue
                        matches = present = stored = 0
                        for word in range(bounds[chunk], bounds[chunk + 1]):
                            here, there = inputs[group, pixel, word], weights[chosen, word]
                            matches += popcount(here & there)
                            present += popcount(here)
                            stored += popcount(there)
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
                        cycles[at, there_unit] += spent
                        if spares and spent > free:
                            excess[at, there_unit] += spent - free
                        if counts:
                            effectual[at, there_unit] += matches
                        # Cells share epochs: a thread may only set the flag, or it could undo what another has set.
                        if (present > 0 or not skips_input) and not issued[at]:
                            issued[at] = True
                    if computes:
                        outputs[chosen, pixel] += total
