"""Time of a transfer over DRAM channels and the chip's pins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.kernels.options import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Fields of the timing vector, picoseconds unless said otherwise.
BURST_BITS, BURST_PS, PAGE_BITS, RECOVERY_PS, BANKS = 0, 1, 2, 3, 4
CHANNELS, BUSY_PPM, LINK_BITS_PER_MS, CYCLE_FS, CODEC_WORDS = 5, 6, 7, 8, 9
TIMING_FIELDS = 10
"""RECOVERY_PS: row cycle of a bank; BUSY_PPM: share of time refresh leaves, in millionths; LINK_BITS_PER_MS: of the
pins, 0 when they never bind; CYCLE_FS: femtoseconds of an accelerator cycle; CODEC_WORDS: per cycle."""


@kernel
def bursts(bits: int, runs: int, timing: Ints) -> int:
    """Whole bursts that carry `bits` in `runs` equal stretches."""
    if bits <= 0:
        return 0
    stretches = max(runs, 1)
    per_run = -(-bits // stretches)
    return int(stretches * -(-per_run // timing[BURST_BITS]))


@kernel
def rows(bits: int, runs: int, span_bits: int, timing: Ints) -> int:
    """DRAM rows opened: those the span of addresses crosses, but at most a few for each run."""
    if bits <= 0:
        return 0
    stretches = max(runs, 1)
    per_run = -(-bits // stretches)
    by_run = stretches * -(-per_run // timing[PAGE_BITS])
    return int(min(by_run, -(-span_bits // timing[PAGE_BITS])))


@kernel
def transfer_cycles(bits: int, runs: int, span_bits: int, coded_words: int, timing: Ints) -> int:
    """Accelerator cycles a transfer keeps the DMA busy: bus, row recovery, pins or codec, whichever is slowest."""
    if bits <= 0:
        return 0
    bus_ps = -(-bursts(bits, runs, timing) // timing[CHANNELS]) * timing[BURST_PS]
    row_ps = rows(bits, runs, span_bits, timing) * timing[RECOVERY_PS] // (timing[BANKS] * timing[CHANNELS])
    ps = max(bus_ps, row_ps) * 1_000_000 // timing[BUSY_PPM]
    if timing[LINK_BITS_PER_MS] > 0:
        ps = max(ps, int(bits * 1e9 / timing[LINK_BITS_PER_MS]))
    cycles = -(-ps * 1000 // timing[CYCLE_FS])
    return int(max(cycles, -(-coded_words // timing[CODEC_WORDS])))


@kernel
def transfer_columns(
    bits: Ints, runs: Ints, span_bits: Ints, coded_words: Ints, timing: Ints, cycles: Ints, opened: Ints
) -> None:
    """Fill `cycles` and `opened` (rows) for every transfer of a column."""
    for index in range(len(bits)):
        cycles[index] = transfer_cycles(bits[index], runs[index], span_bits[index], coded_words[index], timing)
        opened[index] = rows(bits[index], runs[index], span_bits[index], timing)


@kernel
def per_unit(timing: Ints) -> Floats:
    """The timing vector as `mean_transfer` takes it: what divides, inverted."""
    fields = timing.astype(np.float64)
    for field in (BURST_BITS, PAGE_BITS, CHANNELS):
        fields[field] = 1.0 / fields[field]
    fields[RECOVERY_PS] *= fields[CHANNELS] / fields[BANKS]
    fields[BUSY_PPM] = 1e6 / fields[BUSY_PPM]
    if fields[LINK_BITS_PER_MS] > 0:
        fields[LINK_BITS_PER_MS] = 1e9 / fields[LINK_BITS_PER_MS]
    fields[CYCLE_FS] = 1000.0 / fields[CYCLE_FS]
    return fields


@kernel
def mean_transfer(
    bits: float, runs: float, span_bits: float, codec_cycles: float, timing: Floats
) -> tuple[float, float]:
    """(cycles, rows opened) of a transfer, as `transfer_cycles` and `rows` but for roundings; timing by `per_unit`."""
    per_run = np.ceil(bits / runs)
    opened = min(runs * np.ceil(per_run * timing[PAGE_BITS]), np.ceil(span_bits * timing[PAGE_BITS]))
    bus_ps = np.ceil(runs * np.ceil(per_run * timing[BURST_BITS]) * timing[CHANNELS]) * timing[BURST_PS]
    ps = max(bus_ps, opened * timing[RECOVERY_PS]) * timing[BUSY_PPM]
    ps = max(ps, bits * timing[LINK_BITS_PER_MS])
    return max(np.ceil(ps * timing[CYCLE_FS]), codec_cycles), opened
