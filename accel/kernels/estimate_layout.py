"""Where things stand in the vectors of the closed form: what it is given, and the columns of its result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Columns of the result; counts of words and bits are whole numbers.
FITS, LATENCY, ENERGY, DRAM_BITS, COMPUTE, MAC, PASSES, STEPS = range(8)
READ_INPUT, READ_WEIGHT, READ_PSUM, WRITE_PSUM, WRITE_OUTPUT = range(8, 13)
INPUT_BITS, WEIGHT_BITS, PSUM_BITS, OUTPUT_BITS = range(13, 17)
"""Across the DRAM pins; PSUM_BITS each way."""
FILL_INPUT, FILL_WEIGHT, FILL_OUTPUT = range(17, 20)
NEED_DATA, NEED_WEIGHT, NEED_SUMS = range(20, 23)
"""Bits that must be in the data buffer, the weight buffer and the accumulator memory at once."""
BUS, OPENED, HOPS = range(23, 26)
"""Cycles of the DMA, DRAM rows opened, partial sums handed from PE to PE."""
HELD_INPUT, HELD_WEIGHT, HELD_OUTPUT = range(26, 29)
"""Words kept in the buffers at once, double buffers counted once."""
LOADED_INPUT, LOADED_WEIGHT = range(29, 31)
"""Words over the DMA."""
ESTIMATES = 31

# Fields of the limits vector; coded bits are of the whole tensor, -1 for one stored word by word.
(
    DATA_TILES, WEIGHT_TILES, DATA_BITS, WEIGHT_CAPACITY, ACCUMULATOR_BITS, RESERVED_BITS, INPUT_STAYS, OUTPUT_STAYS,
    LAYER_SETUP, TILE_SETUP, DRAM_LATENCY, TURNAROUND, MACS, CODED_INPUT, CODED_WEIGHT, CODED_OUTPUT, CODED_HERE_INPUT,
    STORED_INPUT, STORED_WEIGHT, STORED_OUTPUT, CODED_HERE_WEIGHT, CODEC_RATE,
) = range(22)  # fmt: skip
LEAST_COMPUTE, LEAST_MAC = 24, 25
LIMITS = 26
"""STORED: words of the whole tensors. CODED_HERE: the same, as the buffers hold them. CODEC_RATE: words a cycle, three
fields. LEAST_COMPUTE, LEAST_MAC: cycles that the array takes under any mapping, and its MACs."""

# Fields of the price vector, picojoules: one constant, then per word, per bit or per cycle.
(
    PJ_LAYER, PJ_FILL, PJ_BUS, PJ_DATA_READ, PJ_DATA_WRITE, PJ_PSUM_READ, PJ_PSUM_WRITE, PJ_WEIGHT_READ,
    PJ_WEIGHT_WRITE, PJ_DRAM_READ, PJ_DRAM_WRITE, PJ_CYCLE, PJ_HOP, PJ_ROW, PJ_RECODE, PJ_DECODE,
) = (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18)  # fmt: skip
PRICES = 21
"""PJ_FILL takes three fields, one an operand, of words; so does PJ_DECODE, of bits that cross a port; PJ_RECODE takes
two, of words of inputs and weights that the DMA loads."""

# Dimensions in the order of `sizes`.
G, N, K, C, P, Q, R, S = range(8)


class Column(NamedTuple):
    """Many mappings of one shape: `factors` (rows, loops); `order`, `group`: rows of equal passes one after another;
    `levels`: first loop of off_chip, on_chip, registers, rows, columns, lanes and the end; `axes`: of each loop;
    `hold`: by operand, loops outside its place in the buffer."""

    factors: Ints
    order: Ints
    group: Ints
    levels: Ints
    axes: Ints
    hold: Ints


class Nest(NamedTuple):
    """The layer: `extent` by axis; `dims`: axis of each dimension; `spans`: indices of its axis that one index of a
    dimension covers; the rest as in `passes`.

    Input words are products of what parts count: rows apart from columns unless an axis has both. parts: (parts, 4)
    two axes of outputs and two of taps, -1 for none; places: (parts, dimensions) which of the four has it, or -1;
    sides: (parts, 2) whether it counts rows, columns. alone: of G, N and C, whether a part counts them (0), they have
    an axis of their own (1), or share one (2).
    """

    extent: Ints
    dims: Ints
    sizes: Ints
    spans: Ints
    alone: Ints
    parts: Ints
    places: Ints
    sides: Ints
    strides: Ints
    padding: Ints
    height: int
    width: int
    relevant: Bools
    reduced: Bools
    window: Ints


class Chip(NamedTuple):
    """The accelerator, and what is known of the layer on it."""

    machine: Ints
    timing: Ints
    zeros: Floats
    limits: Ints
    prices: Floats
