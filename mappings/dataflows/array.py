"""What a dataflow must know of a PE array: its shape, registers and bypasses, and nothing else of the hardware."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """Rows, columns and lanes of the array, and the words each PE's registers hold of every operand."""

    rows: int
    columns: int
    lanes: int = 1
    input_registers: int = 1
    weight_registers: int = 1
    output_registers: int = 1
    bypass: bool = False
    """Rows and columns that a mapping leaves unused cost nothing: how many it uses makes a difference."""

    @property
    def registers(self) -> tuple[int, int, int]:
        """Words of each operand, in its order."""
        return self.input_registers, self.weight_registers, self.output_registers
