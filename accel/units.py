"""Human units, for the eyes of a reader; every number inside the simulator stays in cycles, bits and picojoules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Unit:
    """A human unit: its name, and how many of the simulator's own units it holds."""

    name: str
    size: float

    def of(self, value: float) -> float:
        """The value, given in the simulator's own unit, in this one."""
        return value / self.size


Ladder = tuple[Unit, ...]

ENERGY: Ladder = (Unit("pJ", 1.0), Unit("nJ", 1e3), Unit("uJ", 1e6), Unit("mJ", 1e9), Unit("J", 1e12))
"""Of picojoules."""
DATA: Ladder = (Unit("B", 8.0), Unit("kB", 8e3), Unit("MB", 8e6), Unit("GB", 8e9), Unit("TB", 8e12))
"""Of bits, decimal as DRAM traffic is quoted."""
TIME: Ladder = (Unit("ns", 1e-6), Unit("us", 1e-3), Unit("ms", 1.0), Unit("s", 1e3))
"""Of milliseconds."""
COUNT: Ladder = (Unit("", 1.0), Unit("k", 1e3), Unit("M", 1e6), Unit("G", 1e9), Unit("T", 1e12))
"""Of things."""
POWER: Ladder = (Unit("uW", 1e-3), Unit("mW", 1.0), Unit("W", 1e3))
"""Of milliwatts."""


def best(value: float, ladder: Ladder) -> Unit:
    """The largest unit the value fills at least once, or the smallest there is."""
    fitting = [unit for unit in ladder if abs(value) >= unit.size]
    return fitting[-1] if fitting else ladder[0]


def number(value: float) -> str:
    """Three significant digits, at most three decimals, never an exponent: "1234", "12.3", "0.012"."""
    size = abs(value)
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    return f"{value:.{decimals}f}" if value else "0"


def human(value: float, ladder: Ladder) -> str:
    """The value with its best unit: "12.3 mJ"."""
    unit = best(value, ladder)
    return f"{number(unit.of(value))} {unit.name}".rstrip()


def aligned(values: Sequence[float], ladder: Ladder) -> tuple[str, list[str]]:
    """The best unit of the largest value, and all values in it with equally many decimals, to stand in a column.

    There are as many as `number` gives the least of them, or more, up to six, where different values look the same.
    """
    unit = best(max(values, key=abs, default=0.0), ladder)
    fewest = max((len(number(unit.of(value)).partition(".")[2]) for value in values), default=0)
    texts: list[str] = []
    for decimals in range(fewest, _MOST_DECIMALS + 1):
        texts = [f"{unit.of(value):.{decimals}f}" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return unit.name, texts


def percent(share: float) -> str:
    """A share of one in whole percent; "<1" when it is not nothing but rounds to it."""
    whole = f"{100.0 * share:.0f}"
    return "<1" if whole == "0" and share > 0.0 else whole
