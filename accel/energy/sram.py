"""Energy of an access to an on-chip memory by its capacity and the width of the access."""

from __future__ import annotations

from math import exp, log
from typing import Annotated

from pydantic import Field, Strict

from accel.energy.base import Sourced
from accel.spec.base import Count, Positive

Coefficients = Annotated[tuple[float, float, float, float, float, float], Strict(False)]
"""c0 to c5 of `ln pJ = c0 + c1 lnC + c2 lnW + c3 lnC^2 + c4 lnW^2 + c5 lnC lnW`, C in KiB, W in units of 64 bits."""


class Sram(Sourced):
    """Log-quadratic fits. Narrower or smaller than the fit: its edge. Wider: several accesses. Larger: extrapolated."""

    read: Coefficients
    write: Coefficients
    scale: Positive
    kib_min: Positive
    width_bits_min: Count
    width_bits_max: Annotated[int, Field(ge=1)]

    def read_pj(self, kib: float, width_bits: int) -> float:
        """One read of `width_bits` from a memory of `kib` in all; its banks are reached over its own wires."""
        return self._access_pj(self.read, kib, width_bits)

    def write_pj(self, kib: float, width_bits: int) -> float:
        """One write of `width_bits` to a memory of `kib` in all."""
        return self._access_pj(self.write, kib, width_bits)

    def _access_pj(self, c: Coefficients, kib: float, width_bits: int) -> float:
        width = min(max(width_bits, self.width_bits_min), self.width_bits_max)
        repeats = max(1.0, width_bits / self.width_bits_max)
        x, y = log(max(kib, self.kib_min)), log(width / 64)
        return self.scale * repeats * exp(c[0] + c[1] * x + c[2] * y + c[3] * x * x + c[4] * y * y + c[5] * x * y)
