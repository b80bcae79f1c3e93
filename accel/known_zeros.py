"""What the closed form has to know of a layer's zeros: counted once for a layer, used for each of its mappings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accel.encode import widths
from accel.occupancy import Occupancy
from accel.skipping import issued_macs
from accel.spec import Accelerator
from accel.structure import structured
from workloads import Layer, Operand


@dataclass(frozen=True, slots=True)
class KnownZeros:
    """`coded_bits`: by operand, of the whole tensor as stored off chip, None where it is stored word by word.

    `issued_macs` take a cycle, `spent_macs` of them the energy of a multiplication. `kept`: shares of the words of
    inputs and of weights that cross their ports on an array that skips. `held_bits`: as `coded_bits`, in the buffers.
    """

    coded_bits: tuple[int | None, ...]
    effectual_macs: int
    issued_macs: int
    spent_macs: int
    kept: tuple[float, float] = (1.0, 1.0)
    held_bits: tuple[int | None, ...] = (None, None, None)

    @classmethod
    def dense(cls, layer: Layer) -> KnownZeros:
        """As if there were none, padding included."""
        return cls((None, None, None), layer.macs, layer.macs, layer.macs)

    @classmethod
    def of(cls, layer: Layer, found: Occupancy, spec: Accelerator) -> KnownZeros:
        """What was counted, as the accelerator's handling of zeros makes use of it."""
        handling, matching = spec.pe_array.zero_handling, spec.pe_array.matching
        kept = [1.0, 1.0]
        if found.operands is not None:
            for operand, (words, how) in enumerate(
                ((found.operands.input, handling.input), (found.operands.weight, handling.weight))
            ):
                if how == "skip" and matching.style != "structured":
                    kept[operand] = float(np.count_nonzero(words)) / words.size
            if structured(found.operands.weight, spec.pe_array):
                kept[Operand.WEIGHT] = matching.n / matching.m
            for operand, bits in ((0, widths(layer.bits, spec).input), (1, widths(layer.bits, spec).weight)):
                if (held := found.held_bits[operand]) is not None:
                    kept[operand] = held / (layer.words(Operand(operand)) * bits)
        return cls(
            found.coded_bits,
            found.effectual_macs,
            *issued_macs(layer, found, spec.pe_array),
            (kept[0], kept[1]),
            found.held_bits,
        )
