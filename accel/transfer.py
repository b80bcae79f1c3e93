"""How long a tile's transfer keeps the DMA busy, and how many DRAM rows it opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.energy import DramDevice
from accel.kernels import dram
from accel.spec import Accelerator

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TransferTiming:
    """The DRAM channels, the chip's pins and the codec of one accelerator.

    A tile is `runs` stretches of memory. Each takes whole bursts; the bursts of a tile are spread over the channels.
    Rows open in one bank while another transfers, so rows bind only when they open faster than the banks recover.
    `vector` holds all of it in whole numbers, as `accel.kernels.dram` reads it.
    """

    device: DramDevice
    clock_mhz: float
    peak_bits_per_cycle: float
    vector: Ints

    @classmethod
    def of(cls, spec: Accelerator) -> TransferTiming:
        dma = spec.dma
        device = DramDevice.load(dma.dram)
        link = 0.0 if dma.link_bits is None or dma.link_mhz is None else dma.link_bits * dma.link_mhz
        vector = np.zeros(dram.TIMING_FIELDS, dtype=np.int64)
        vector[dram.BURST_BITS] = device.burst_bits
        vector[dram.BURST_PS] = device.burst_ps
        vector[dram.PAGE_BITS] = device.page_bits
        vector[dram.RECOVERY_PS] = round((device.timing.tRAS_ns + device.timing.tRP_ns) * 1000)
        vector[dram.BANKS] = device.banks
        vector[dram.CHANNELS] = dma.channels
        vector[dram.BUSY_PPM] = round((1.0 - device.refresh_fraction) * 1e6)
        vector[dram.LINK_BITS_PER_MS] = round(link * 1000)
        vector[dram.CYCLE_FS] = round(1e9 / spec.clock_mhz)
        vector[dram.CODEC_WORDS] = dma.codec_words_per_cycle
        peak = device.peak_bits_per_s * dma.channels / 1e6
        return cls(device, spec.clock_mhz, min(peak, link or peak) / spec.clock_mhz, vector)

    def columns(
        self, bits: Ints, runs: Ints, span_bits: Ints, codec_words: Ints, codec_rate: int = 1
    ) -> tuple[Ints, Ints]:
        """(cycles, rows opened) of every transfer; `codec_words` of it pass the codec, `codec_rate` a cycle."""
        vector = self.vector.copy()
        vector[dram.CODEC_WORDS] = codec_rate
        cycles, opened = (np.zeros(len(bits), dtype=np.int64) for _ in range(2))
        dram.transfer_columns(bits, runs, span_bits, codec_words, vector, cycles, opened)
        return cycles, opened

    def to_cycles(self, picoseconds: int) -> int:
        """Accelerator cycles that cover a time."""
        return int(-(-picoseconds * 1000 // int(self.vector[dram.CYCLE_FS])))
