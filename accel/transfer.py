"""How long a tile's transfer keeps the DMA busy, and how many DRAM rows it opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.energy import DramDevice
from accel.spec import Accelerator

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TransferTiming:
    """The DRAM channels, the chip's pins and the codec of one accelerator.

    A tile is `runs` stretches of memory. Each takes whole bursts; the bursts of a tile are spread over the channels.
    Rows open in one bank while another transfers, so rows bind only when they open faster than the banks recover.
    """

    device: DramDevice
    channels: int
    clock_mhz: float
    link_bits_per_us: float | None
    codec_words_per_cycle: int

    @classmethod
    def of(cls, spec: Accelerator) -> TransferTiming:
        dma = spec.dma
        link = None if dma.link_bits is None or dma.link_mhz is None else dma.link_bits * dma.link_mhz
        return cls(DramDevice.load(dma.dram), dma.channels, spec.clock_mhz, link, dma.codec_words_per_cycle)

    @property
    def peak_bits_per_cycle(self) -> float:
        """DRAM bits an accelerator cycle at best: the channels' peak or the pins', whichever is less."""
        dram = self.device.peak_bits_per_s * self.channels / 1e6
        return min(dram, self.link_bits_per_us or dram) / self.clock_mhz

    def bursts(self, bits: Ints, runs: Ints) -> Ints:
        """Whole bursts that carry `bits` in `runs` equal stretches."""
        stretches = np.maximum(runs, 1)
        per_run = -(-bits // stretches)
        count: Ints = np.where(bits > 0, stretches * -(-per_run // self.device.burst_bits), 0)
        return count

    def rows(self, bits: Ints, runs: Ints, span_bits: Ints) -> Ints:
        """DRAM rows opened: those the span of addresses crosses, but at most a few for each run."""
        page = self.device.page_bits
        stretches = np.maximum(runs, 1)
        by_run = stretches * -(-(-(-bits // stretches)) // page)
        opened: Ints = np.where(bits > 0, np.minimum(by_run, -(-span_bits // page)), 0)
        return opened

    def cycles(self, bits: Ints, runs: Ints, span_bits: Ints, coded_words: Ints) -> Ints:
        """Accelerator cycles on the bus; `coded_words` of it pass the codec."""
        device = self.device
        bus_ps = -(-self.bursts(bits, runs) // self.channels) * device.burst_ps
        recovery_ps = round((device.timing.tRAS_ns + device.timing.tRP_ns) * 1000)
        row_ps = self.rows(bits, runs, span_bits) * recovery_ps // (device.banks * self.channels)
        dram_us = np.maximum(bus_ps, row_ps) / 1e6 / (1.0 - device.refresh_fraction)
        link_us = bits / self.link_bits_per_us if self.link_bits_per_us else np.zeros(len(bits))
        cycles = np.ceil(np.maximum(dram_us, link_us) * self.clock_mhz - 1e-9).astype(np.int64)
        found: Ints = np.maximum(cycles, -(-coded_words // self.codec_words_per_cycle))
        return found

    def to_cycles(self, picoseconds: int) -> int:
        """Accelerator cycles that cover a time."""
        return int(np.ceil(picoseconds * self.clock_mhz / 1e6 - 1e-9))
