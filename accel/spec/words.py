"""Words of the array: their widths, the registers that hold them and the ports they come through."""

from __future__ import annotations

from pydantic import model_validator

from accel.spec.base import Count, Part, WholeNumber, WordBits


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

    @property
    def words(self) -> tuple[int, int, int]:
        """Of input, weight and output."""
        return self.input, self.weight, self.output


class RegisterDoubleBuffered(Part):
    """Whether an operand's registers take the next pass's words while this pass computes."""

    input: bool = False
    weight: bool = False
    output: bool = False


class Ports(Part):
    """Bits a cycle between the buffers and the array, per kind of word."""

    input: Count
    weight: Count
    psum: Count
    """Partial sums that come back into the array."""
    output: Count
    """Partial sums and finished outputs that leave the array."""


class RegisterMacros(Part):
    """Whether an operand's registers lie beside those of other lanes in one memory macro, as in a GPU's register file.

    Then only the word at a lane's output is clocked. False: the energy table tells by their number, lane by lane.
    """

    input: bool = False
    weight: bool = False
    output: bool = False
