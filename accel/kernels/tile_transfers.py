"""What a layer's tiles come to on the way between DRAM and buffers: bits, cycles of the DMA and rows opened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.dram import mean_transfer
from accel.kernels.estimate_layout import (
    BUS,
    CODEC_RATE,
    CODED_INPUT,
    CODED_OUTPUT,
    CODED_WEIGHT,
    DRAM_BITS,
    INPUT_BITS,
    INPUT_STAYS,
    OPENED,
    OUTPUT_BITS,
    OUTPUT_STAYS,
    PSUM_BITS,
    STORED_INPUT,
    STORED_WEIGHT,
    WEIGHT_BITS,
    C,
    G,
    K,
    N,
    Nest,
    P,
    Q,
    R,
    S,
)
from accel.kernels.options import borrowing_kernel, inlined_kernel
from accel.kernels.overlap import LOAD_INPUT, LOAD_PSUM, LOAD_WEIGHT, STORE
from accel.kernels.reuse import INPUT, OUTPUT, WEIGHT
from accel.kernels.tile_sizes import FULL, REST

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Box = tuple[float, float, float, float, float]
Sizes = tuple[int, int, int, int, int]

_ROUNDING = 1e-6
"""Bits that are whole but for so much are: one more could take a burst of its own in each of many runs."""


@borrowing_kernel
def bits_of(words: int, word_bits: int, coded: int, whole: int) -> int:
    """Bits of so many words; coded in proportion to the `whole` tensor, which takes `coded` bits, -1 if it is not."""
    if coded < 0:
        return words * word_bits
    return words // whole * coded + words % whole * coded // whole


@borrowing_kernel
def _box_transfer(
    bits: float, words: float, box: Box, sizes: Sizes, word_bits: int, coded: bool, codec_rate: int, timing: Floats
) -> tuple[float, float]:
    """(cycles, DRAM rows) of a transfer of so many bits and words, a box of a tensor whose last index is fastest."""
    bits = np.ceil(bits - _ROUNDING)
    if coded:
        return mean_transfer(bits, 1.0, bits, np.ceil(words / codec_rate), timing)
    a, b, c, d, e = box
    runs = 1.0  # of consecutive addresses: from the innermost side that is cut on, each index of those outside
    if e < sizes[4]:
        runs = a * b * c * d
    elif d < sizes[3]:
        runs = a * b * c
    elif c < sizes[2]:
        runs = a * b
    elif b < sizes[1]:
        runs = a
    span = ((((a - 1) * sizes[1] + b - 1) * sizes[2] + c - 1) * sizes[3] + d - 1) * sizes[4] + e
    return mean_transfer(bits, runs, span * word_bits, 0.0, timing)


@borrowing_kernel
def _transfers(
    bits: float, number: float, words: float, full: Box, rest: Box, share: float, sizes: Sizes, word_bits: int,
    coded: bool, codec_rate: int, timing: Floats,
) -> tuple[float, float, float]:  # fmt: skip
    """Cycles of one of `number` transfers if of a full tile, and of one of the rest; the DRAM rows of all.

    full, rest: the boxes of both, of which the first are a `share`. They part bits and words by what the boxes hold.
    """
    if bits <= 0:
        return 0.0, 0.0, 0.0
    bits, words = bits / number, words / number
    most = full[0] * full[1] * full[2] * full[3] * full[4]
    less = rest[0] * rest[1] * rest[2] * rest[3] * rest[4]
    if most == less:
        cycles, rows = _box_transfer(bits, words, full, sizes, word_bits, coded, codec_rate, timing)
        return cycles, cycles, number * rows
    scale = 1.0 / (share * most + (1.0 - share) * less)
    larger, smaller = most * scale, less * scale
    cycles, rows = _box_transfer(bits * larger, words * larger, full, sizes, word_bits, coded, codec_rate, timing)
    fewer, less_rows = _box_transfer(bits * smaller, words * smaller, rest, sizes, word_bits, coded, codec_rate, timing)
    return cycles, fewer, number * (share * rows + (1.0 - share) * less_rows)


@borrowing_kernel
def _cover(extents: Floats, nest: Nest, dim: int) -> float:
    """Indices of a dimension that so many of its axis cover, if they begin where one of the dimension does."""
    axis = nest.dims[dim]
    if nest.extent[axis] == nest.sizes[dim]:
        return float(extents[axis])
    return float(min(float(nest.sizes[dim]), np.ceil(extents[axis] / nest.spans[dim])))


@borrowing_kernel
def _side(outputs: float, taps: float, stride: int, dilation: int, padding: float, size: int) -> float:
    """Rows or columns of the input that a tile's windows touch, less the `padding` that comes on each tile."""
    reach = (outputs - 1.0) * stride + (taps - 1.0) * dilation + 1.0
    return max(1.0, min(float(size), min(reach, outputs * taps) - padding))


@borrowing_kernel
def _boxes(extents: Floats, tiles: Ints, nest: Nest) -> tuple[Box, Box, Box]:
    """What a tile of so many indices covers of inputs, weights and outputs."""
    g, k = _cover(extents, nest, G), _cover(extents, nest, K)
    n, c = _cover(extents, nest, N), _cover(extents, nest, C)
    p, q = _cover(extents, nest, P), _cover(extents, nest, Q)
    r, s = _cover(extents, nest, R), _cover(extents, nest, S)
    strides, pads = nest.strides, nest.padding
    high = _side(p, r, strides[0], strides[2], (pads[0] + pads[2]) / tiles[nest.dims[P]], nest.height)
    wide = _side(q, s, strides[1], strides[3], (pads[1] + pads[3]) / tiles[nest.dims[Q]], nest.width)
    return (n, g, c, high, wide), (g, k, c, r, s), (n, g, k, p, q)


@inlined_kernel
def tile_transfers(
    both: Floats, share: float, tiles: Ints, nest: Nest, bits: Ints, limits: Ints, timing: Floats, numbers: Ints,
    loaded: Ints, whole: Ints, moves: Floats, cycles: Floats, out: Floats,
) -> None:  # fmt: skip
    """Fill the columns of bits, BUS and OPENED of a row, number and cycles of each kind of transfer.

    both, share: by `tile_sizes`. tiles: (axes,) how many. numbers, loaded, whole: by operand, transfers, words over the
    DMA, words of the tensor. bits: of a word of input, weight, partial sum and output. timing: by `per_unit`. cycles:
    (2, 4) of a transfer of a full tile, and of the rest.
    """
    back = loaded[OUTPUT] - whole[OUTPUT]
    in_bits = out_bits = 0
    if not limits[INPUT_STAYS]:
        in_bits = bits_of(loaded[INPUT], bits[0], limits[CODED_INPUT], limits[STORED_INPUT])
    if not limits[OUTPUT_STAYS]:
        out_bits = whole[OUTPUT] * bits[3] if limits[CODED_OUTPUT] < 0 else limits[CODED_OUTPUT]
    weight_bits = bits_of(loaded[WEIGHT], bits[1], limits[CODED_WEIGHT], limits[STORED_WEIGHT])
    back_bits = back * bits[2]
    returning = numbers[OUTPUT] - numbers[OUTPUT] * whole[OUTPUT] // loaded[OUTPUT] if back > 0 else 0
    moves[LOAD_INPUT] = numbers[INPUT] if in_bits > 0 else 0
    moves[LOAD_WEIGHT] = numbers[WEIGHT]
    moves[LOAD_PSUM] = returning
    moves[STORE] = numbers[OUTPUT] if out_bits > 0 else returning
    sizes = nest.sizes
    inputs, weights, outputs = _boxes(both[FULL], tiles, nest)
    less_inputs, less_weights, less_outputs = inputs, weights, outputs
    if share < 1.0:
        less_inputs, less_weights, less_outputs = _boxes(both[REST], tiles, nest)
    cycles[FULL, LOAD_INPUT], cycles[REST, LOAD_INPUT], opened = _transfers(
        in_bits, numbers[INPUT], loaded[INPUT], inputs, less_inputs, share,
        (sizes[N], sizes[G], sizes[C], nest.height, nest.width), bits[0], limits[CODED_INPUT] >= 0,
        limits[CODEC_RATE], timing,
    )  # fmt: skip
    cycles[FULL, LOAD_WEIGHT], cycles[REST, LOAD_WEIGHT], rows_weight = _transfers(
        weight_bits, numbers[WEIGHT], loaded[WEIGHT], weights, less_weights, share,
        (sizes[G], sizes[K], sizes[C], sizes[R], sizes[S]), bits[1], limits[CODED_WEIGHT] >= 0,
        limits[CODEC_RATE + 1], timing,
    )  # fmt: skip
    all_outputs = (sizes[N], sizes[G], sizes[K], sizes[P], sizes[Q])
    cycles[FULL, LOAD_PSUM], cycles[REST, LOAD_PSUM], rows_psum = _transfers(
        back_bits, max(1, returning), back, outputs, less_outputs, share, all_outputs, bits[2], False, 1, timing
    )
    finals = numbers[OUTPUT] - returning
    storing, less_storing, rows_output = _transfers(
        out_bits, finals, whole[OUTPUT], outputs, less_outputs, share, all_outputs, bits[3],
        limits[CODED_OUTPUT] >= 0, limits[CODEC_RATE + 2], timing,
    )  # fmt: skip
    sums = returning / moves[STORE] if moves[STORE] > 0 else 0.0
    cycles[FULL, STORE] = cycles[FULL, LOAD_PSUM] * sums + storing * (1.0 - sums)
    cycles[REST, STORE] = cycles[REST, LOAD_PSUM] * sums + less_storing * (1.0 - sums)
    bus = 0.0
    for kind in range(4):
        bus += moves[kind] * (share * cycles[FULL, kind] + (1.0 - share) * cycles[REST, kind])
    out[INPUT_BITS], out[WEIGHT_BITS], out[PSUM_BITS], out[OUTPUT_BITS] = in_bits, weight_bits, back_bits, out_bits
    out[DRAM_BITS] = in_bits + weight_bits + out_bits + 2 * back_bits
    out[BUS], out[OPENED] = bus, opened + rows_weight + 2.0 * rows_psum + rows_output
