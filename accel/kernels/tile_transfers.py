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

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@borrowing_kernel
def bits_of(words: int, word_bits: int, coded: int, whole: int) -> int:
    """Bits of so many words; coded in proportion to the `whole` tensor, which takes `coded` bits, -1 if it is not."""
    if coded < 0:
        return words * word_bits
    return words // whole * coded + words % whole * coded // whole


@borrowing_kernel
def _box_transfer(
    bits: float, number: float, words: float, extents: tuple[float, float, float, float, float],
    sizes: tuple[int, int, int, int, int], word_bits: int, coded: bool, codec_rate: int, timing: Floats,
) -> tuple[float, float]:  # fmt: skip
    """(cycles, DRAM rows) of one of `number` transfers of mean size, a box of a tensor whose last index is fastest."""
    if bits <= 0:
        return 0.0, 0.0
    mean = np.ceil(bits / number)
    if coded:
        return mean_transfer(mean, 1.0, mean, np.ceil(words / number / codec_rate), timing)
    a, b, c, d, e = extents
    stretch = e  # of consecutive addresses: up to the innermost side that is cut
    if e >= sizes[4]:
        stretch *= d
        if d >= sizes[3]:
            stretch *= c
            if c >= sizes[2]:
                stretch *= b
                if b >= sizes[1]:
                    stretch *= a
    runs = max(1.0, words / number / stretch)
    span = ((((a - 1) * sizes[1] + b - 1) * sizes[2] + c - 1) * sizes[3] + d - 1) * sizes[4] + e
    return mean_transfer(mean, runs, span * word_bits, 0.0, timing)


@borrowing_kernel
def _cover(tile: Ints, tiles: Ints, nest: Nest, dim: int) -> float:
    """Indices of a dimension that a tile covers: the mean, or those of a full tile if dimensions share the axis."""
    axis, span, size = nest.dims[dim], nest.spans[dim], nest.sizes[dim]
    if nest.extent[axis] == size:
        return float(size) / float(tiles[axis])
    if span == 1 and tile[axis] <= size:
        return float(tile[axis])
    return float(min(size, -(-tile[axis] // span)))


@borrowing_kernel
def _side(outputs: float, taps: float, stride: int, dilation: int, padding: float, size: int) -> float:
    """Rows or columns of the input that a tile's windows touch, less the `padding` that comes on each tile."""
    reach = (outputs - 1.0) * stride + (taps - 1.0) * dilation + 1.0
    return max(1.0, min(float(size), min(reach, outputs * taps) - padding))


@inlined_kernel
def tile_transfers(
    tile: Ints, tiles: Ints, nest: Nest, bits: Ints, limits: Ints, timing: Floats, numbers: Ints, loaded: Ints,
    whole: Ints, moves: Floats, cycles: Floats, out: Floats,
) -> None:  # fmt: skip
    """Fill the columns of bits, BUS and OPENED of a row, and number and mean cycles of each kind of transfer.

    tile, tiles: (axes,) extents of a tile, and how many. numbers, loaded, whole: by operand, transfers, words over the
    DMA, words of the tensor. bits: of a word of input, weight, partial sum and output. timing: by `per_unit`. Transfers
    of mean size stand for all of a kind.
    """
    back = loaded[OUTPUT] - whole[OUTPUT]
    in_bits = out_bits = 0
    if not limits[INPUT_STAYS]:
        in_bits = bits_of(loaded[INPUT], bits[0], limits[CODED_INPUT], limits[STORED_INPUT])
    if not limits[OUTPUT_STAYS]:
        out_bits = whole[OUTPUT] * bits[3] if limits[CODED_OUTPUT] < 0 else limits[CODED_OUTPUT]
    weight_bits = bits_of(loaded[WEIGHT], bits[1], limits[CODED_WEIGHT], limits[STORED_WEIGHT])
    back_bits = back * bits[2]
    g, k = _cover(tile, tiles, nest, G), _cover(tile, tiles, nest, K)
    n, c = _cover(tile, tiles, nest, N), _cover(tile, tiles, nest, C)
    p, q = _cover(tile, tiles, nest, P), _cover(tile, tiles, nest, Q)
    r, s = _cover(tile, tiles, nest, R), _cover(tile, tiles, nest, S)
    sizes, strides, pads = nest.sizes, nest.strides, nest.padding
    high = _side(p, r, strides[0], strides[2], (pads[0] + pads[2]) / tiles[nest.dims[P]], nest.height)
    wide = _side(q, s, strides[1], strides[3], (pads[1] + pads[3]) / tiles[nest.dims[Q]], nest.width)
    returning = numbers[OUTPUT] - numbers[OUTPUT] * whole[OUTPUT] // loaded[OUTPUT] if back > 0 else 0
    moves[LOAD_INPUT] = numbers[INPUT] if in_bits > 0 else 0
    moves[LOAD_WEIGHT] = numbers[WEIGHT]
    moves[LOAD_PSUM] = returning
    moves[STORE] = numbers[OUTPUT] if out_bits > 0 else returning
    cycles[LOAD_INPUT], rows_input = _box_transfer(
        in_bits, numbers[INPUT], loaded[INPUT], (n, g, c, high, wide),
        (sizes[N], sizes[G], sizes[C], nest.height, nest.width), bits[0], limits[CODED_INPUT] >= 0,
        limits[CODEC_RATE], timing,
    )  # fmt: skip
    cycles[LOAD_WEIGHT], rows_weight = _box_transfer(
        weight_bits, numbers[WEIGHT], loaded[WEIGHT], (g, k, c, r, s),
        (sizes[G], sizes[K], sizes[C], sizes[R], sizes[S]), bits[1], limits[CODED_WEIGHT] >= 0,
        limits[CODEC_RATE + 1], timing,
    )  # fmt: skip
    box, all_outputs = (n, g, k, p, q), (sizes[N], sizes[G], sizes[K], sizes[P], sizes[Q])
    cycles[LOAD_PSUM], rows_psum = _box_transfer(
        back_bits, max(1, returning), back, box, all_outputs, bits[2], False, 1, timing
    )
    finals = numbers[OUTPUT] - returning
    storing, rows_output = _box_transfer(
        out_bits, finals, whole[OUTPUT], box, all_outputs, bits[3], limits[CODED_OUTPUT] >= 0, limits[CODEC_RATE + 2],
        timing,
    )  # fmt: skip
    stored = cycles[LOAD_PSUM] * returning + storing * finals
    cycles[STORE] = stored / moves[STORE] if moves[STORE] > 0 else 0.0
    bus = moves[LOAD_INPUT] * cycles[LOAD_INPUT] + moves[LOAD_WEIGHT] * cycles[LOAD_WEIGHT]
    bus += returning * cycles[LOAD_PSUM] + stored
    opened = moves[LOAD_INPUT] * rows_input + moves[LOAD_WEIGHT] * rows_weight
    opened += 2.0 * returning * rows_psum + finals * rows_output
    out[INPUT_BITS], out[WEIGHT_BITS], out[PSUM_BITS], out[OUTPUT_BITS] = in_bits, weight_bits, back_bits, out_bits
    out[DRAM_BITS] = in_bits + weight_bits + out_bits + 2 * back_bits
    out[BUS], out[OPENED] = bus, opened
