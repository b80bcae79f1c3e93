"""Cycles of one layer on the time axis of the whole trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timebase:
    """Cycle 0 of a layer lies `offset_cycles` after the start of the network."""

    clock_mhz: float
    offset_cycles: int

    def ns(self, cycle: int) -> int:
        """Whole nanoseconds. Rounding each moment, never a duration, keeps slices that touch from overlapping."""
        return round((self.offset_cycles + cycle) * 1000.0 / self.clock_mhz)
