"""How a multiplier spends its width: what it makes of operands narrower or wider than its own."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from accel.spec.base import Count, Part, WordBits

PrecisionStyle = Literal["fixed", "composable", "bit_serial", "binary", "ternary"]
TERNARY_BITS = 2
"""Bits of a stored weight of -1, 0 or 1."""


class Precision(Part):
    """The style of every multiplier of the array. Fields of other styles keep their defaults.

    fixed: a product a cycle, whatever the width. composable: bricks of `least_bits` fuse into a multiplier of the
    native width (Sharma et al., "Bit Fusion", ISCA 2018); each halving of an operand down to `least_bits` doubles the
    products a cycle, which are lanes of the PE for that layer, and each doubling beyond the native width the cycles.
    bit_serial: `bits_per_cycle` of the `serial` operand a cycle over the whole other one (Stripes: input; UNPU:
    weight), or of both over each other (Loom). binary: XNOR and popcount on single bits of -1 and 1; wider operands go
    plane by plane, input bits times weight bits cycles. ternary: weights of -1, 0 and 1 choose what an adder does.
    """

    style: PrecisionStyle = "fixed"
    least_bits: WordBits = 2
    """composable: width of a brick."""
    serial: Literal["input", "weight", "both"] = "input"
    """bit_serial: the operand that comes in bit by bit."""
    bits_per_cycle: Count = 1
    """bit_serial: bits of a serial operand a cycle."""

    @property
    def multiplier_free(self) -> bool:
        """Whether MACs are gates and additions only."""
        return self.style in ("binary", "ternary") or (self.style == "bit_serial" and self.bits_per_cycle == 1)

    @property
    def joins_lanes(self) -> bool:
        """Whether the lanes of a PE are one dot product: summed by a tree into one accumulator."""
        return self.style != "fixed"

    def _taken_bits(self, bits: int, native: int) -> int:
        """composable: the width that holds an operand, the native one halved or doubled as often as it takes."""
        taken = native
        while taken < bits:
            taken *= 2
        while taken // 2 >= max(bits, self.least_bits):
            taken //= 2
        return taken

    def taken_bits(self, bits: tuple[int, int], native: tuple[int, int]) -> tuple[int, int]:
        """composable: widths of the product that holds operands of (input, weight) `bits`."""
        return self._taken_bits(bits[0], native[0]), self._taken_bits(bits[1], native[1])

    def lanes(self, bits: tuple[int, int], native: tuple[int, int]) -> int:
        """Products of (input, weight) `bits` that one multiplier of `native` bits makes side by side."""
        if self.style != "composable":
            return 1
        found = 1
        for taken, own in zip(self.taken_bits(bits, native), native, strict=True):
            found *= max(1, own // taken)
        return found

    def mac_cycles(self, bits: tuple[int, int], native: tuple[int, int]) -> int:
        """Cycles such a product takes."""
        if self.style == "composable":
            found = 1
            for taken, own in zip(self.taken_bits(bits, native), native, strict=True):
                found *= max(1, taken // own)
            return found
        if self.style == "binary":
            return bits[0] * bits[1]
        if self.style == "bit_serial":
            steps = [-(-width // self.bits_per_cycle) for width in bits]
            return {"input": steps[0], "weight": steps[1], "both": steps[0] * steps[1]}[self.serial]
        return 1

    def word_bits(self, native: tuple[int, int]) -> tuple[int, int]:
        """Bits of input and weight a multiplier takes in a cycle, at most: every brick may have a pair of its own."""
        if self.style == "composable":
            all_bricks = native[0] * native[1] // self.least_bits
            return all_bricks, all_bricks
        return self.datapath_bits(native) if self.style == "bit_serial" else native

    def datapath_bits(self, bits: tuple[int, int]) -> tuple[int, int]:
        """Of operands of (input, weight) `bits`, those that meet in a multiplier within a cycle."""
        if self.style == "ternary":
            return bits[0], 1
        if self.style == "binary":
            return 1, 1
        if self.style == "bit_serial":
            most = self.bits_per_cycle
            return (
                bits[0] if self.serial == "weight" else min(bits[0], most),
                bits[1] if self.serial == "input" else min(bits[1], most),
            )
        return bits

    def problem(self, bits: tuple[int, int], native: tuple[int, int]) -> str | None:
        """Why operands of (input, weight) `bits` cannot be multiplied, or None."""
        for name, width, own in zip(("input", "weight"), bits, native, strict=True):
            if self.style == "bit_serial" and width > own:
                return f"bits.{name} = {width}: a bit-serial array of {own}-bit words needs at most {own}"
            if self.style == "ternary" and width > own:
                what = "weights of -1, 0 and 1 need" if name == "weight" else "its adders take"
                return f"bits.{name} = {width}: on a ternary array {what} at most {own}"
        return None

    def native_problem(self, native: tuple[int, int]) -> str | None:
        """Why an array with (input, weight) words of `native` bits cannot be of this style, or None."""
        for name, own in zip(("input", "weight"), native, strict=True):
            if self.style == "composable" and self._bricks(own) == 0:
                return f"bits.{name} = {own}: composable needs {self.least_bits} bits doubled as often as you like"
            if self.style == "binary" and own != 1:
                return f"bits.{name} = {own}: binary needs 1, wider operands are planes of one bit"
            serial = self.serial in (name, "both")
            if self.style == "bit_serial" and serial and self.bits_per_cycle > own:
                return f"bits_per_cycle = {self.bits_per_cycle}: needs at most the {own} bits of the {name}"
        if self.style == "ternary" and native[1] != TERNARY_BITS:
            return f"bits.weight = {native[1]}: ternary needs {TERNARY_BITS}, for -1, 0 and 1"
        return None

    def _bricks(self, own: int) -> int:
        """Bricks along an operand of `own` bits; 0 when they do not fuse into it."""
        count = own // self.least_bits
        return count if count * self.least_bits == own and count & (count - 1) == 0 else 0

    @model_validator(mode="after")
    def _fields_of_the_style(self) -> Precision:
        own = {"composable": ("least_bits",), "bit_serial": ("serial", "bits_per_cycle")}.get(self.style, ())
        for name, info in type(self).model_fields.items():
            if name not in ("style", *own) and getattr(self, name) != info.default:
                fields = f"only {', '.join(own)}" if own else "nor any other"
                raise ValueError(f'{name} = {getattr(self, name)}: style = "{self.style}" has no such field, {fields}')
        return self
