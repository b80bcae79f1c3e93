"""What a search or a plan minimises."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

Objective = Literal["latency", "energy", "edp", "dram"]
OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp", "dram")

WHOLE = ("latency", "dram")
"""Those that count whole cycles and bits, and so are often equal."""
_MOST_LOG2 = 1024.0
"""Of any floating point number."""


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


def with_ties_broken(value: Any, of: Measured, objective: str) -> Any:
    """An objective's value; one that is WHOLE is greater by a fraction, the more so the more energy times delay."""
    if objective not in WHOLE:
        return value
    return value + np.log2(1.0 + of.latency_cycles * of.energy_pj) / _MOST_LOG2
