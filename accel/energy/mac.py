"""Energy of multiplications and additions by the widths of their operands."""

from __future__ import annotations

from accel.energy.base import Curve, Points, power_law_between
from accel.spec.base import Positive


class Multiplier(Curve):
    """Array multipliers on one curve over `cells` = max(a, b) * (min(a, b) - 1), the adder cells they are built of."""

    cells: Points
    pj: Points
    one_bit_cells: Positive
    """Cells per bit when the other operand has one bit: a row of gates without adders."""

    @classmethod
    def _columns(cls) -> tuple[str, str]:
        return "cells", "pj"

    def energy_pj(self, bits_a: int, bits_b: int) -> float:
        """One product. Outside the table: in proportion to the cells."""
        wide, narrow = max(bits_a, bits_b), min(bits_a, bits_b)
        cells = wide * (narrow - 1) if narrow > 1 else wide * self.one_bit_cells
        return power_law_between(cells, self.cells, self.pj, below=1.0, above=1.0)


class Adder(Curve):
    """Adders by their width."""

    bits: Points
    pj: Points

    @classmethod
    def _columns(cls) -> tuple[str, str]:
        return "bits", "pj"

    def energy_pj(self, bits: int) -> float:
        """One sum. Outside the table: in proportion to the width."""
        return power_law_between(bits, self.bits, self.pj, below=1.0, above=1.0)
