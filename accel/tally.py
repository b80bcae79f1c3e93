"""What an objective looks at, added up over the layers of a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accel.objective import objective_value
from accel.report import LayerReport


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over layers. The product of energy and delay is that of the sums, as a user sees the network."""

    latency_cycles: float = 0.0
    energy_pj: float = 0.0
    dram_bits: float = 0.0

    @classmethod
    def of(cls, rows: Iterable[LayerReport], prefetched_cycles: int = 0) -> Tally:
        found = list(rows)
        return cls(
            sum(row.latency_cycles for row in found) - prefetched_cycles,
            sum(row.energy_pj for row in found),
            sum(row.dram_bits for row in found),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.latency_cycles + other.latency_cycles,
            self.energy_pj + other.energy_pj,
            self.dram_bits + other.dram_bits,
        )

    def __sub__(self, other: Tally) -> Tally:
        return self + Tally(-other.latency_cycles, -other.energy_pj, -other.dram_bits)

    def objective(self, name: str) -> float:
        """The value to minimise: "latency", "energy", "edp" or "dram"."""
        return float(objective_value(self, name))
