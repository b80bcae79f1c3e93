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
from accel.kernels.tile_sizes import END, FULL, REST, SIZES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Box = tuple[float, float, float, float, float, float]
"""Sides of what a tile covers of a tensor, and the words of it that are the tile's."""
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
    a, b, c, d, e, _ = box
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
    kind: int, bits: float, number: float, words: float, full: Box, end: Box, rest: Box, shares: Floats, sizes: Sizes,
    word_bits: int, coded: bool, codec_rate: int, timing: Floats, cycles: Floats,
) -> float:  # fmt: skip
    """Fill cycles[:, kind] of one of `number` transfers of each size of tile; returns the DRAM rows of all.

    The boxes of tiles of each size part bits and words by the words they have; shares: of the tiles.
    """
    cycles[FULL, kind] = cycles[END, kind] = cycles[REST, kind] = 0.0
    if bits <= 0:
        return 0.0
    scale = 1.0 / (number * (shares[FULL] * full[5] + shares[END] * end[5] + shares[REST] * rest[5]))
    bits, words = bits * scale, words * scale
    cycles[FULL, kind], opened = _box_transfer(
        bits * full[5], words * full[5], full, sizes, word_bits, coded, codec_rate, timing
    )
    cycles[END, kind], end_opened, opened_by_all = cycles[FULL, kind], opened, opened * shares[FULL]
    if shares[END] > 0:
        if end[5] != full[5]:
            cycles[END, kind], end_opened = _box_transfer(
                bits * end[5], words * end[5], end, sizes, word_bits, coded, codec_rate, timing
            )
        opened_by_all += shares[END] * end_opened
    if shares[REST] > 0:
        cycles[REST, kind], opened = _box_transfer(
            bits * rest[5], words * rest[5], rest, sizes, word_bits, coded, codec_rate, timing
        )
        opened_by_all += shares[REST] * opened
    return float(number * opened_by_all)


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
    weights = outputs = 1.0
    for axis in range(len(extents)):
        weights *= extents[axis] if nest.relevant[axis, WEIGHT] else 1.0
        outputs *= extents[axis] if nest.relevant[axis, OUTPUT] else 1.0
    return (n, g, c, high, wide, n * g * c * high * wide), (g, k, c, r, s, weights), (n, g, k, p, q, outputs)


@inlined_kernel
def tile_transfers(
    tile_extents: Floats, shares: Floats, tiles: Ints, nest: Nest, bits: Ints, limits: Ints, timing: Floats,
    numbers: Ints, loaded: Ints, whole: Ints, moves: Floats, cycles: Floats, out: Floats,
) -> None:  # fmt: skip
    """Fill the columns of bits, BUS and OPENED of a row, number and cycles of each kind of transfer.

    tile_extents, shares: by `tile_sizes`. tiles: (axes,) how many. numbers, loaded, whole: by operand, transfers, words
    over the DMA, words of the tensor. bits: of a word of input, weight, partial sum and output. timing: by `per_unit`.
    cycles: (SIZES, 4) of a transfer of each size of tile.
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
    inputs, weights, outputs = _boxes(tile_extents[FULL], tiles, nest)
    end_inputs, end_weights, end_outputs = rest_inputs, rest_weights, rest_outputs = inputs, weights, outputs
    if shares[END] > 0:
        end_inputs, end_weights, end_outputs = _boxes(tile_extents[END], tiles, nest)
        rest_inputs, rest_weights, rest_outputs = end_inputs, end_weights, end_outputs
    if shares[REST] > 0:
        rest_inputs, rest_weights, rest_outputs = _boxes(tile_extents[REST], tiles, nest)
    opened = _transfers(
        LOAD_INPUT, in_bits, numbers[INPUT], loaded[INPUT], inputs, end_inputs, rest_inputs, shares,
        (sizes[N], sizes[G], sizes[C], nest.height, nest.width), bits[0], limits[CODED_INPUT] >= 0,
        limits[CODEC_RATE], timing, cycles,
    )  # fmt: skip
    opened += _transfers(
        LOAD_WEIGHT, weight_bits, numbers[WEIGHT], loaded[WEIGHT], weights, end_weights, rest_weights, shares,
        (sizes[G], sizes[K], sizes[C], sizes[R], sizes[S]), bits[1], limits[CODED_WEIGHT] >= 0,
        limits[CODEC_RATE + 1], timing, cycles,
    )  # fmt: skip
    all_outputs = (sizes[N], sizes[G], sizes[K], sizes[P], sizes[Q])
    opened += 2.0 * _transfers(
        LOAD_PSUM, back_bits, max(1, returning), back, outputs, end_outputs, rest_outputs, shares,
        all_outputs, bits[2], False, 1, timing, cycles,
    )  # fmt: skip
    opened += _transfers(
        STORE, out_bits, numbers[OUTPUT] - returning, whole[OUTPUT], outputs, end_outputs, rest_outputs, shares,
        all_outputs, bits[3], limits[CODED_OUTPUT] >= 0, limits[CODEC_RATE + 2], timing, cycles,
    )  # fmt: skip
    sums = returning / moves[STORE] if moves[STORE] > 0 else 0.0
    bus = 0.0
    for size in range(SIZES):
        cycles[size, STORE] = cycles[size, LOAD_PSUM] * sums + cycles[size, STORE] * (1.0 - sums)
        for kind in range(4):
            bus += moves[kind] * shares[size] * cycles[size, kind]
    out[INPUT_BITS], out[WEIGHT_BITS], out[PSUM_BITS], out[OUTPUT_BITS] = in_bits, weight_bits, back_bits, out_bits
    out[DRAM_BITS] = in_bits + weight_bits + out_bits + 2 * back_bits
    out[BUS], out[OPENED] = bus, opened
