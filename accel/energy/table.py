"""Picojoules of every on-chip event at one technology node."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

from pydantic import ValidationError

from accel.energy.base import Sourced
from accel.energy.mac import Adder, Multiplier
from accel.energy.register_file import RegisterFile
from accel.energy.sram import Sram
from accel.spec.base import NotNegative, Part, Positive, WholeNumber
from accel.spec.errors import first_problem
from accel.tables import content_digest, read_energy
from workloads.errors import InputError


class Wire(Sourced):
    """Repeated on-chip wires on random data."""

    fj_per_bit_mm: Positive


class Area(Sourced):
    """What sets the distance between PEs."""

    multiplier_um2_per_bit2: Positive
    register_um2_per_bit: Positive


class Clock(Sourced):
    """The clock network, as a share of each flip-flop bit it reaches."""

    fj_per_bit_cycle: NotNegative
    flip_flop_words_max: WholeNumber
    """Register files of more words are memory macros: one word of them, at their output, is clocked."""


class Control(Sourced):
    """The global controller."""

    pj_per_cycle: NotNegative


class Leakage(Sourced):
    """Power that flows all the time."""

    sram_mw_per_kib: NotNegative
    logic_mw_per_pe: NotNegative


class EnergyTable(Part):
    """A table of accel/tables, or a user's file of the same form."""

    node_nm: Positive
    voltage: Positive
    multiplier: Multiplier
    adder: Adder
    register_file: RegisterFile
    sram: Sram
    wire: Wire
    area: Area
    clock: Clock
    control: Control
    leakage: Leakage

    @classmethod
    def load(cls, name: str) -> EnergyTable:
        """The table called `name` ("45nm"), or of a .toml file. Raises InputError, one line."""
        return _load(name, content_digest(name))

    @property
    def sources(self) -> dict[str, str]:
        """What to cite, by part of the table."""
        parts = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: part.source for name, part in parts if isinstance(part, Sourced)}

    def mac_pj(self, bits_input: int, bits_weight: int, bits_accumulator: int) -> float:
        """One multiplication and the addition of its product; the accumulator register is counted by `register_pj`."""
        return self.multiplier.energy_pj(bits_input, bits_weight) + self.adder.energy_pj(bits_accumulator)

    def add_pj(self, bits: int) -> float:
        """One addition, comparison or the like: the unit of vector work."""
        return self.adder.energy_pj(bits)

    def register_pj(self, words: int, bits: int) -> float:
        """One read or write of a word in a PE's register file."""
        return self.register_file.access_pj(words, bits)

    def sram_read_pj(self, kib: float, width_bits: int) -> float:
        """One read access; `kib` is the whole memory, not a bank."""
        return self.sram.read_pj(kib, width_bits)

    def sram_write_pj(self, kib: float, width_bits: int) -> float:
        """One write access; `kib` is the whole memory, not a bank."""
        return self.sram.write_pj(kib, width_bits)

    def sram_read_pj_per_bit(self, kib: float, width_bits: int) -> float:
        """`sram_read_pj` for each bit of a full access."""
        return self.sram_read_pj(kib, width_bits) / width_bits

    def sram_write_pj_per_bit(self, kib: float, width_bits: int) -> float:
        """`sram_write_pj` for each bit of a full access."""
        return self.sram_write_pj(kib, width_bits) / width_bits

    def wire_pj(self, bits: float, mm: float) -> float:
        """`bits` random bits over `mm` of wire."""
        return bits * mm * self.wire.fj_per_bit_mm / 1000

    def pe_pitch_mm(self, multiplier_bits2: int, register_bits: int) -> float:
        """Edge of a square PE: the sum over its lanes of bits_input * bits_weight, and the bits of its registers."""
        um2 = multiplier_bits2 * self.area.multiplier_um2_per_bit2 + register_bits * self.area.register_um2_per_bit
        return sqrt(um2) / 1000

    def array_span_mm(self, rows: int, columns: int, pe_pitch_mm: float, slices: int = 1) -> float:
        """Wire that one word drives from a buffer on the array's edge: a bus along the rows, one along the columns.

        A memory of several `slices` lies beside the PEs it serves: the array is cut across its longer side, and across
        both once that is no longer than the other.
        """
        longer, shorter = max(rows, columns), min(rows, columns)
        if slices * shorter <= longer:
            return (longer / slices + shorter) * pe_pitch_mm
        return 2 * sqrt(rows * columns / slices) * pe_pitch_mm

    def flip_flop_bits(self, words: int, bits: int) -> int:
        """Clocked bits of a register file of `words` words; its output register alone when it is a memory macro."""
        return bits * words if words <= self.clock.flip_flop_words_max else bits

    def clock_pj_per_cycle(self, register_bits: int) -> float:
        """Clock network over so many flip-flop bits (see `flip_flop_bits`), gating included."""
        return register_bits * self.clock.fj_per_bit_cycle / 1000

    def control_pj_per_cycle(self) -> float:
        """Global controller."""
        return self.control.pj_per_cycle

    def leakage_mw(self, sram_kib: float, pes: float) -> float:
        """All memories and all PEs."""
        return sram_kib * self.leakage.sram_mw_per_kib + pes * self.leakage.logic_mw_per_pe


@lru_cache(maxsize=32)
def _load(name: str, content: str) -> EnergyTable:
    try:
        return EnergyTable.model_validate(read_energy(name))
    except ValidationError as error:
        raise InputError(first_problem(error, EnergyTable), source=f"energy table {name}") from None
