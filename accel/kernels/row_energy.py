"""Energy of one mapping: what its counts cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.estimate_layout import (
    CODED_HERE_INPUT,
    CODED_HERE_WEIGHT,
    FILL_INPUT,
    HOPS,
    INPUT_BITS,
    INPUT_STAYS,
    LATENCY,
    LOADED_INPUT,
    LOADED_WEIGHT,
    OPENED,
    OUTPUT_BITS,
    OUTPUT_STAYS,
    PJ_BUS,
    PJ_CYCLE,
    PJ_DATA_READ,
    PJ_DATA_WRITE,
    PJ_DECODE,
    PJ_DRAM_READ,
    PJ_DRAM_WRITE,
    PJ_FILL,
    PJ_HOP,
    PJ_LAYER,
    PJ_PSUM_READ,
    PJ_PSUM_WRITE,
    PJ_RECODE,
    PJ_ROW,
    PJ_WEIGHT_READ,
    PJ_WEIGHT_WRITE,
    PSUM_BITS,
    READ_INPUT,
    READ_PSUM,
    READ_WEIGHT,
    STORED_INPUT,
    STORED_WEIGHT,
    WEIGHT_BITS,
    WRITE_OUTPUT,
    WRITE_PSUM,
)
from accel.kernels.options import inlined_kernel
from accel.kernels.tile_transfers import bits_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@inlined_kernel
def row_energy(out: Floats, outputs: int, bits: Ints, limits: Ints, prices: Floats) -> float:
    """Picojoules of a row whose other columns are filled.

    outputs: words of the output tensor. bits: of a word of input, weight, partial sum and output.
    """
    pj = prices[PJ_LAYER] + out[LATENCY] * prices[PJ_CYCLE] + out[HOPS] * prices[PJ_HOP] + out[OPENED] * prices[PJ_ROW]
    for operand in range(3):
        pj += out[FILL_INPUT + operand] * prices[PJ_FILL + operand]
    reads, weight_reads = out[READ_INPUT] * bits[0], out[READ_WEIGHT] * bits[1]
    sums_read, sums_written, written = out[READ_PSUM] * bits[2], out[WRITE_PSUM] * bits[2], out[WRITE_OUTPUT] * bits[3]
    pj += (reads + weight_reads + sums_read + (sums_written + written)) * prices[PJ_BUS]
    # What the DMA brings is written as the buffers hold it.
    here_input = 0
    if not limits[INPUT_STAYS]:
        here_input = bits_of(int(out[LOADED_INPUT]), bits[0], limits[CODED_HERE_INPUT], limits[STORED_INPUT])
    here_weight = bits_of(int(out[LOADED_WEIGHT]), bits[1], limits[CODED_HERE_WEIGHT], limits[STORED_WEIGHT])
    here_output = 0 if limits[OUTPUT_STAYS] else outputs * bits[3]
    pj += (reads + here_output + out[PSUM_BITS]) * prices[PJ_DATA_READ]
    pj += (here_input + out[PSUM_BITS]) * prices[PJ_DATA_WRITE]
    pj += sums_read * prices[PJ_PSUM_READ] + sums_written * prices[PJ_PSUM_WRITE]
    pj += written * prices[PJ_DATA_WRITE]
    pj += weight_reads * prices[PJ_WEIGHT_READ] + here_weight * prices[PJ_WEIGHT_WRITE]
    pj += (out[INPUT_BITS] + out[PSUM_BITS] + out[WEIGHT_BITS]) * prices[PJ_DRAM_READ]
    pj += (out[OUTPUT_BITS] + out[PSUM_BITS]) * prices[PJ_DRAM_WRITE]
    pj += out[LOADED_INPUT] * prices[PJ_RECODE] + out[LOADED_WEIGHT] * prices[PJ_RECODE + 1]
    pj += reads * prices[PJ_DECODE] + weight_reads * prices[PJ_DECODE + 1] + written * prices[PJ_DECODE + 2]
    return float(pj)
