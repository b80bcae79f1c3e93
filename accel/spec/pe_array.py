"""The array of processing elements, its registers and the ports that feed it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from accel.spec.base import Count, Part, WholeNumber, WordBits

ZeroHandling = Literal["none", "gate"]
"""What a PE does on a zero operand: nothing special, or spend the cycle but not the energy."""


class Bits(Part):
    """Native widths of the words in the array."""

    input: WordBits = 8
    weight: WordBits = 8
    output: WordBits = 8
    psum: WordBits = 32

    @model_validator(mode="after")
    def _psum_holds_output(self) -> Bits:
        if self.psum < self.output:
            raise ValueError(f"psum = {self.psum}: needs at least the {self.output} bits of the output it becomes")
        return self


class Registers(Part):
    """Words each PE (each lane of it) can hold of an operand; 0: the operand passes through."""

    input: WholeNumber = 1
    weight: WholeNumber = 1
    output: WholeNumber = 1


class Ports(Part):
    """Bits a cycle between the buffers and the array, per kind of word."""

    input: Count
    weight: Count
    psum: Count
    """Partial sums that come back into the array."""
    output: Count
    """Partial sums and finished outputs that leave the array."""


class RegisterDoubleBuffered(Part):
    """Whether an operand's registers take the next pass's words while this pass computes."""

    input: bool = False
    weight: bool = False
    output: bool = False


class ZeroHandlings(Part):
    """What a PE does on a zero, per operand."""

    input: ZeroHandling = "none"
    weight: ZeroHandling = "none"


def _ports_of_the_edges(fields: dict[str, Any]) -> Ports:
    """One operand word a cycle for each PE of the longer edge, and one partial sum each way for each column.

    Either operand may enter at either edge: which one does is the mapping's choice.
    """
    if not {"rows", "columns", "lanes", "bits"} <= fields.keys():  # one of them is invalid and will be reported
        return Ports(input=1, weight=1, psum=1, output=1)
    rows, columns, lanes, bits = (fields[name] for name in ("rows", "columns", "lanes", "bits"))
    return Ports(
        input=max(rows, columns) * lanes * bits.input,
        weight=max(rows, columns) * lanes * bits.weight,
        psum=columns * bits.psum,
        output=columns * bits.psum,
    )


class PEArray(Part):
    """`rows` x `columns` processing elements with `lanes` multipliers each."""

    rows: Count
    columns: Count
    lanes: Count = 1
    arrangement: Literal["multicast", "systolic"] = "multicast"
    """Operands arrive over buses at once, or travel from neighbour to neighbour (skew: rows + columns - 2 cycles)."""
    overlap_passes: bool = False
    """Systolic skew is paid once a tile instead of once a pass."""
    window_reuse: bool = True
    """Overlapping convolution windows share loaded words; False: each (output pixel, tap) pair is a word of its own."""
    accumulation_latency_cycles: WholeNumber = 0
    """Exposed once a pass when the pass's outputs accumulate in the buffer over several passes."""
    bits: Bits = Bits()
    registers: Registers = Registers()
    ports: Ports = Field(default_factory=_ports_of_the_edges)
    """When not given: a word a cycle for each PE of the longer edge (input, weight) and each column (psum, output)."""
    register_double_buffered: RegisterDoubleBuffered = RegisterDoubleBuffered()
    zero_handling: ZeroHandlings = ZeroHandlings()

    @property
    def multipliers(self) -> int:
        """Multiply-accumulates a cycle at most."""
        return self.rows * self.columns * self.lanes

    @property
    def register_bits(self) -> int:
        """Storage bits of all registers, double buffers counted twice."""
        words, twice = self.registers, self.register_double_buffered
        per_lane = (
            words.input * self.bits.input * (1 + twice.input)
            + words.weight * self.bits.weight * (1 + twice.weight)
            + words.output * self.bits.psum * (1 + twice.output)
        )
        return self.multipliers * per_lane

    @model_validator(mode="after")
    def _skew_only_when_systolic(self) -> PEArray:
        if self.overlap_passes and self.arrangement != "systolic":
            raise ValueError('overlap_passes = true: needs arrangement = "systolic", buses have no skew to hide')
        return self
