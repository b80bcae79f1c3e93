"""What the closed form has to know of a layer's zeros: counted once for a layer, used for each of its mappings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accel.encode import widths
from accel.occupancy import Occupancy
from accel.skipping import issued_macs, port_shares
from accel.spec import Accelerator
from accel.storage import Storages
from workloads import Layer


@dataclass(frozen=True, slots=True)
class KnownZeros:
    """`storage`: what the operands take off chip and in the buffers.

    `issued_macs` take a cycle, `spent_macs` of them the energy of a multiplication. `kept`: shares of the words of
    inputs and of weights that cross their ports on an array that skips; `nonzero`: of those that are not zero, padding
    apart.
    """

    storage: Storages
    effectual_macs: int
    issued_macs: int
    spent_macs: int
    kept: tuple[float, float] = (1.0, 1.0)
    nonzero: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def dense(cls, layer: Layer) -> KnownZeros:
        """As if there were none, padding included."""
        return cls(Storages(), layer.macs, layer.macs, layer.macs)

    @classmethod
    def of(cls, layer: Layer, found: Occupancy, spec: Accelerator) -> KnownZeros:
        """What was counted, as the accelerator's handling of zeros makes use of it."""
        kept, nonzero = (1.0, 1.0), (1.0, 1.0)
        if found.operands is not None:
            shares = port_shares(found.operands, found.storage.held_bits, widths(layer.bits, spec), spec.pe_array)
            kept = (float(shares[0, 0] / shares[0, 1]), float(shares[1, 0] / shares[1, 1]))
            words = found.operands.input, found.operands.weight
            nonzero = (np.count_nonzero(words[0]) / words[0].size, np.count_nonzero(words[1]) / words[1].size)
        return cls(found.storage, found.effectual_macs, *issued_macs(layer, found, spec.pe_array), kept, nonzero)
