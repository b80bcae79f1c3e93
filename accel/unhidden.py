"""The cycles of a layer that go beside no others, whatever the mapping: set-up, the first words in, the last out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accel.encode import Widths
from accel.known_zeros import KnownZeros
from accel.residency import Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from workloads import Operand


@dataclass(frozen=True, slots=True)
class Unhidden:
    """Cycles that come on top of the slowest part's.

    `setup`: of the controller for the layer and the first tile; all else waits for it. `first`, `arrival`: the first
    weights hold the DMA, and come in later by the DRAM's latency; no MAC is done before. `skew`: the array's own beyond
    its MACs, once a layer. `last`: the last outputs hold the DMA after the array is done.
    """

    setup: int
    first: int
    arrival: int
    skew: int
    last: int

    @classmethod
    def of(cls, spec: Accelerator, width: Widths, residency: Residency, zeros: KnownZeros) -> Unhidden:
        """What is certain: a tile takes a word; of a coded one, or of one that is skipped, nothing may come at all."""
        array, timing = spec.pe_array, TransferTiming.of(spec)
        weights_come = zeros.storage.coded_bits[Operand.WEIGHT] is None and not array.skips
        outputs_go = zeros.storage.coded_bits[Operand.OUTPUT] is None and not residency.output
        through_all = array.arrangement == "systolic" and not array.bypass
        return cls(
            setup=spec.controller.layer_setup_cycles + spec.controller.tile_setup_cycles,
            first=_word_cycles(width.weight, timing) if weights_come else 0,
            arrival=timing.to_cycles(timing.device.latency_ps) if weights_come else 0,
            skew=array.rows + array.columns - 2 if through_all and not array.skips else 0,
            last=_word_cycles(width.output, timing) if outputs_go else 0,
        )

    def around(self, array_cycles: int) -> int:
        """The layer's cycles, of so many on the array: they begin after the first weights, and outputs follow them."""
        return self.setup + self.first + self.arrival + array_cycles + self.last

    def through(self, read_cycles: int, dram_cycles: int) -> int:
        """The layer's cycles, of so many on the DMA: the last store waits for what was read last."""
        return self.setup + max(dram_cycles, read_cycles + self.arrival + self.last)


def _word_cycles(bits: int, timing: TransferTiming) -> int:
    """Of a transfer of one word."""
    one = np.ones(1, dtype=np.int64)
    return int(timing.columns(bits * one, one, bits * one, 0 * one)[0][0])
