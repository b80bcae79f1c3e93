"""Errors of a comparison, the bounds they have to keep, and tables as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workloads.toml_file import read_toml

DATA = Path(__file__).parent / "data"

Row = Mapping[str, object]
"""A line of a table: cells by column."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One quantity over all its cases, against a reference. Percents; a bound of None is not demanded.

    `cases`: (name, signed error relative to the reference).
    """

    against: str
    quantity: str
    cases: tuple[tuple[str, float], ...]
    each_percent: float | None = None
    mean_percent: float | None = None

    @property
    def worst(self) -> tuple[str, float]:
        """The case with the largest error."""
        return max(self.cases, key=lambda case: abs(case[1]))

    @property
    def worst_case(self) -> str:
        """Its name; all of them where none has an error."""
        name, error = self.worst
        return name if error or len(self.cases) == 1 else f"all {len(self.cases)}"

    @property
    def mean(self) -> float:
        """Mean of the errors without their signs."""
        return sum(abs(error) for _, error in self.cases) / len(self.cases)

    @property
    def passed(self) -> bool:
        """Whether every error, and their mean, keep their bounds."""
        each = self.each_percent is None or abs(self.worst[1]) <= self.each_percent
        return each and (self.mean_percent is None or self.mean <= self.mean_percent)

    @property
    def word(self) -> str:
        """PASS or FAIL, or a dash where nothing is demanded."""
        return "-" if self.each_percent is None else "PASS" if self.passed else "FAIL"


def read(name: str) -> dict[str, Any]:
    """The published figures in `data/NAME.toml`."""
    return read_toml(DATA / f"{name}.toml")


def error_percent(ours: float, theirs: float) -> float:
    """Signed error relative to theirs."""
    return 100.0 * (ours / theirs - 1.0)


def signed(percent: float) -> str:
    """A signed percentage with one decimal; what rounds to zero has no sign."""
    return "0.0 %" if abs(percent) < 0.05 else f"{percent:+.1f} %"


def bound(percent: float | None) -> str:
    """A bound as text."""
    return "-" if percent is None else f"{percent:g} %" if percent else "exact"


def show(title: str, rows: Sequence[Row]) -> None:
    """Print rows of equal columns as aligned text: numbers at the right, columns named `error` as signed percents."""
    names = list(rows[0])
    cells = [[_cell(name, row[name]) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    text = [any(isinstance(row[name], str) for row in rows) for name in names]
    print(title)
    for line in (names, *cells):
        aligned = zip(line, widths, text, strict=True)
        print(
            (
                "  " + "  ".join(f"{cell:<{width}}" if left else f"{cell:>{width}}" for cell, width, left in aligned)
            ).rstrip()
        )
    print()


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print worst and mean errors against their bounds."""
    rows = [
        {
            "quantity": verdict.quantity,
            "worst case": verdict.worst_case,
            "worst error": signed(verdict.worst[1]),
            "bound": bound(verdict.each_percent),
            "mean error": f"{verdict.mean:.1f} %",
            "bound on mean": bound(verdict.mean_percent),
            "": verdict.word,
        }
        for verdict in verdicts
    ]
    show("Errors and bounds", rows)


def _cell(name: str, value: object) -> str:
    if isinstance(value, float):
        return signed(value) if name == "error" else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
