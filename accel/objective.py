"""What a search or a plan minimises."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

Objective = Literal["latency", "energy", "edp", "dram"]
OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp", "dram")


class Measured(Protocol):
    """Anything that has these three, numbers or arrays of them: a row, sums of rows, bounds, columns of costs."""

    @property
    def latency_cycles(self) -> Any: ...

    @property
    def energy_pj(self) -> Any: ...

    @property
    def dram_bits(self) -> Any: ...


class Measures(NamedTuple):
    """The three where nothing else holds them."""

    latency_cycles: Any
    energy_pj: Any
    dram_bits: Any


def objective_value(of: Measured, objective: str) -> Any:
    """What an objective makes of it; "edp" is the product of energy and delay."""
    if objective == "edp":
        return of.latency_cycles * of.energy_pj
    return {"latency": of.latency_cycles, "energy": of.energy_pj, "dram": of.dram_bits}[objective]
