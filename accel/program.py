"""The tile program: integer columns that say what every tile step moves and computes on one machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

INPUT, WEIGHT, PSUM, OUTPUT = 0, 1, 2, 3
"""Kinds of transfer: three are loaded, OUTPUT (partial sums or finished) is stored."""
TRANSFERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class TileProgram:
    """One row a tile step; after lowering nothing of layer, mapping, precision or sparsity is left but these columns.

    `bits`, `transfer_cycles`: (steps, TRANSFERS), what crosses the DMA and how long it keeps the DMA busy.
    `compute_cycles`: (steps,), all passes of the step.
    `waits`: (steps, TRANSFERS), how many steps back lies the step that must be over before this transfer has room:
    its computation for INPUT and WEIGHT, its store for PSUM and OUTPUT (then the step itself waits). 0: none.
    `weights_taken`: registers take a tile's weights whole when its first step starts, and their place is then free.
    `resident_bits`: (steps, 2), what the tile occupies in the data and the weight buffer.
    `setup_cycles`: of the controller per step; `layer_setup_cycles` once; `latency_cycles` from the end of a
    transfer's bus time to its last word; `turnaround_cycles` when the DMA changes between loads and stores.
    `periods`: step distances at which rows are likely to repeat; a hint, never trusted.
    """

    bits: Ints
    transfer_cycles: Ints
    compute_cycles: Ints
    waits: Ints
    resident_bits: Ints
    setup_cycles: int
    layer_setup_cycles: int
    latency_cycles: int
    turnaround_cycles: int
    issue_ahead: int
    weights_taken: bool = False
    periods: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        return len(self.compute_cycles)

    def rows(self) -> Ints:
        """All columns that steer the machine, side by side: equal rows behave alike."""
        return np.column_stack([self.transfer_cycles, self.compute_cycles, self.waits, self.bits > 0])

    def without(self, start: int, stop: int) -> TileProgram:
        """The program with steps start..stop-1 left out."""
        keep = np.r_[0:start, stop : self.steps]
        return replace(
            self,
            bits=self.bits[keep],
            transfer_cycles=self.transfer_cycles[keep],
            compute_cycles=self.compute_cycles[keep],
            waits=self.waits[keep],
            resident_bits=self.resident_bits[keep],
        )
