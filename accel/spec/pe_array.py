"""The array of processing elements, its registers and the ports that feed it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from accel.spec.base import Count, Part, WholeNumber
from accel.spec.distribution import Distribution
from accel.spec.matching import Matching
from accel.spec.precision import Precision
from accel.spec.words import Bits, Ports, RegisterDoubleBuffered, RegisterMacros, Registers

ZeroHandling = Literal["none", "gate", "skip"]
"""What a PE does on a zero operand: nothing special, spend the cycle but not the energy, or spend neither."""
Barrier = Literal["pass", "window", "chunk"]
"""Where PEs in lockstep, and the lanes of a PE, wait for each other: at the end of a pass, of an output pixel's window,
or of a chunk of its reduction."""


class ZeroHandlings(Part):
    """What a PE does on a zero, per operand."""

    input: ZeroHandling = "none"
    weight: ZeroHandling = "none"


def _ports_of_the_edges(fields: dict[str, Any]) -> Ports:
    """One operand word a cycle for each PE of the longer edge, and one partial sum each way for each column.

    Either operand may enter at either edge: which one does is the mapping's choice.
    """
    if not {"rows", "columns", "lanes", "bits", "precision"} <= fields.keys():  # one is invalid and will be reported
        return Ports(input=1, weight=1, psum=1, output=1)
    rows, columns, lanes, bits = (fields[name] for name in ("rows", "columns", "lanes", "bits"))
    input_bits, weight_bits = fields["precision"].word_bits((bits.input, bits.weight))
    return Ports(
        input=max(rows, columns) * lanes * input_bits,
        weight=max(rows, columns) * lanes * weight_bits,
        psum=columns * bits.psum,
        output=columns * bits.psum,
    )


class PEArray(Part):
    """`rows` x `columns` processing elements with `lanes` multipliers each."""

    rows: Count
    columns: Count
    lanes: Count = 1
    arrangement: Literal["multicast", "systolic"] = "multicast"
    """Operands arrive over buses at once, or travel from neighbour to neighbour (skew: rows + columns - 2 cycles; what
    the registers hold takes at least as many cycles to load as there are rows)."""
    overlap_passes: bool = False
    """Systolic skew is paid once a tile instead of once a pass."""
    bypass: bool = False
    """Links lead past the PEs of a systolic array that a mapping leaves unused: skew and loading are those of the rows
    and columns it unrolls over. Arrays that can be split have the like: S. Ghodrati et al., "Planaria", MICRO 2020;
    A. Samajdar et al., "Self-Adaptive Reconfigurable Arrays (SARA)", arXiv:2101.04799."""
    window_reuse: bool = True
    """Overlapping convolution windows share loaded words; False: each (output pixel, tap) pair is a word of its own."""
    multicast: Literal["word", "tile"] = "word"
    """What a bus brings to several PEs at once: any word they share, or only all that they need where it is the same:
    inputs under windows that overlap in part then come once for each PE."""
    keep_registers: bool = False
    """Registers keep what the next pass needs again: inputs under windows that slide along one side, the same way as
    before or after a rest, and at a new tile each operand that it does not change; False: windows are loaded whole, and
    at a new tile all operands are."""
    neighbour_links: bool = False
    """A PE takes the input words that its registers are to hold from one beside it in its row or column, where that
    took the same in the pass before, as in Z. Du et al., "ShiDianNao", ISCA 2015: these words cross the port no more.
    In passes in which each PE has as many words as any other."""
    accumulation_latency_cycles: WholeNumber = 0
    """Exposed once a pass when the pass's outputs accumulate in the buffer over several passes."""
    bits: Bits = Bits()
    precision: Precision = Precision()
    registers: Registers = Registers()
    ports: Ports = Field(default_factory=_ports_of_the_edges)
    """When not given: a word a cycle for each PE of the longer edge (input, weight) and each column (psum, output),
    whatever the banks of the buffers deliver; ports that are given are held to that."""
    register_double_buffered: RegisterDoubleBuffered = RegisterDoubleBuffered()
    register_macros: RegisterMacros = RegisterMacros()
    zero_handling: ZeroHandlings = ZeroHandlings()
    matching: Matching = Matching()
    slack: WholeNumber = 0
    """Passes that PEs which skip may run ahead of each other, in queues of so many entries; 0: they start together."""
    lockstep: Count = 1
    """Neighbouring PEs, row by row, that share a queue and take as long as the slowest of them; needs slack."""
    barrier: Barrier = "pass"
    distribution: Distribution = Distribution()

    @property
    def skips(self) -> bool:
        """Whether zeros of any operand cost no cycle."""
        return "skip" in (self.zero_handling.input, self.zero_handling.weight)

    @property
    def multipliers(self) -> int:
        """Multipliers of the native width; with fixed precision, multiply-accumulates a cycle at most."""
        return self.rows * self.columns * self.lanes

    @property
    def native(self) -> tuple[int, int]:
        """Native widths of input and weight."""
        return self.bits.input, self.bits.weight

    def lanes_at(self, input_bits: int, weight_bits: int) -> int:
        """Lanes of a PE on operands of these widths."""
        return self.lanes * self.precision.lanes((input_bits, weight_bits), self.native)

    def mac_cycles_at(self, input_bits: int, weight_bits: int) -> int:
        """Cycles a multiply-accumulate of these widths keeps its lane."""
        return self.precision.mac_cycles((input_bits, weight_bits), self.native)

    def macs_per_cycle_at(self, input_bits: int, weight_bits: int) -> float:
        """Multiply-accumulates of these widths a cycle at most."""
        lanes = self.rows * self.columns * self.lanes_at(input_bits, weight_bits)
        return lanes / self.mac_cycles_at(input_bits, weight_bits)

    def lanes_per_sum_at(self, input_bits: int, weight_bits: int) -> int:
        """Lanes whose products an adder tree joins before they are added to one partial sum."""
        if self.precision.joins_lanes:
            return self.lanes_at(input_bits, weight_bits)
        joined = self.skips and self.matching.style in ("inner", "structured")
        return self.matching.width if joined else 1

    @property
    def register_widths(self) -> tuple[int, int, int]:
        """Bits behind a register word of input, weight and partial sum."""
        return (*self.precision.word_bits(self.native), self.bits.psum)

    @property
    def register_bits(self) -> int:
        """Storage bits of all registers, double buffers counted twice."""
        words, twice, widths = self.registers, self.register_double_buffered, self.register_widths
        per_lane = words.input * widths[0] * (1 + twice.input) + words.weight * widths[1] * (1 + twice.weight)
        return self.multipliers * per_lane + self.accumulators * words.output * widths[2] * (1 + twice.output)

    @property
    def accumulators(self) -> int:
        """Files of partial sums: one a lane, one a PE where its lanes are summed first."""
        return self.rows * self.columns if self.precision.joins_lanes else self.multipliers

    @model_validator(mode="after")
    def _precision_makes_sense(self) -> PEArray:
        problem = self.precision.native_problem(self.native)
        if problem:
            raise ValueError(problem)
        if self.skips and self.precision.style != "fixed":
            raise ValueError(
                f'zero_handling = "skip": needs precision.style = "fixed", "{self.precision.style}" can only gate zeros'
            )
        return self

    @model_validator(mode="after")
    def _macros_hold_registers(self) -> PEArray:
        for name in RegisterMacros.model_fields:
            if getattr(self.register_macros, name) and not getattr(self.registers, name):
                raise ValueError(
                    f"register_macros.{name} = true: needs registers.{name}, without words there is no memory"
                )
        return self

    @model_validator(mode="after")
    def _skew_only_when_systolic(self) -> PEArray:
        if self.arrangement != "systolic":
            if self.overlap_passes:
                raise ValueError('overlap_passes = true: needs arrangement = "systolic", buses have no skew to hide')
            if self.bypass:
                raise ValueError('bypass = true: needs arrangement = "systolic", buses do not lead through PEs')
        elif self.multicast == "tile":
            raise ValueError('multicast = "tile": needs arrangement = "multicast", a systolic array has no buses')
        if self.multicast == "tile" and self.lanes > 1:
            raise ValueError(f'multicast = "tile": needs lanes = 1, what {self.lanes} lanes share is not told apart')
        return self

    @model_validator(mode="after")
    def _links_pass_on_what_registers_keep(self) -> PEArray:
        if self.neighbour_links and not self.keep_registers:
            raise ValueError("neighbour_links = true: needs keep_registers = true, a PE passes on what it has kept")
        if self.neighbour_links and self.multicast != "tile":
            raise ValueError('neighbour_links = true: needs multicast = "tile", what one PE takes is to be told apart')
        if self.neighbour_links and self.skips:
            raise ValueError('neighbour_links = true: needs zero_handling "none" or "gate", PEs that skip drift apart')
        return self

    @model_validator(mode="after")
    def _groups_have_queues(self) -> PEArray:
        if self.lockstep > 1 and not self.slack:
            raise ValueError(f"lockstep = {self.lockstep}: needs slack, all PEs start a pass together without")
        return self

    @model_validator(mode="after")
    def _skipping_makes_sense(self) -> PEArray:
        if not self.skips:
            if self.matching != Matching():
                raise ValueError('matching: needs zero_handling.input or .weight = "skip", nothing is matched without')
            for dim in "GNKCPQRS":
                how = getattr(self.distribution, dim)
                if how != "interleaved" and not (dim in "PQRS" and self.multicast == "tile"):
                    raise ValueError(
                        f'distribution.{dim} = "{how}": needs zero_handling.input or .weight = "skip", without it PEs '
                        'take equally long; P, Q, R and S matter to multicast = "tile" too'
                    )
            if self.slack:
                raise ValueError(f'slack = {self.slack}: needs zero_handling "skip", without it PEs take equally long')
            if self.barrier != "pass":
                raise ValueError(f'barrier = "{self.barrier}": needs zero_handling "skip", without it nobody waits')
            return self
        if self.arrangement == "systolic":
            raise ValueError('zero_handling = "skip": needs arrangement = "multicast", a systolic array is in lockstep')
        self._waiting_makes_sense()
        matching = self.matching
        if matching.style == "inner" and matching.width not in (1, self.lanes):
            raise ValueError(f"matching.width = {matching.width}: needs 1 or all {self.lanes} lanes of a PE")
        if matching.style == "column" and matching.width != self.lanes:
            raise ValueError(f"matching.width = {matching.width}: needs the {self.lanes} lanes of a PE")
        tiles = self.distribution.P == self.distribution.Q == "blocked"
        if matching.halo_words_per_cycle and not tiles:
            raise ValueError(
                f"matching.halo_words_per_cycle = {matching.halo_words_per_cycle}: needs distribution.P and .Q = "
                '"blocked", only tiles of neighbouring outputs have a border'
            )
        if matching.style == "plane" and matching.inputs * matching.weights != self.lanes:
            raise ValueError(
                f"matching.inputs x matching.weights = {matching.inputs} x {matching.weights}: "
                f"needs the {self.lanes} lanes of a PE"
            )
        if matching.style == "structured":
            if matching.width != self.lanes:
                raise ValueError(f"matching.width = {matching.width}: needs the {self.lanes} lanes of a PE")
            if (self.zero_handling.input, self.zero_handling.weight) != ("none", "skip"):
                raise ValueError(
                    'matching.style = "structured": needs zero_handling.weight = "skip" and .input = "none", '
                    "only the places of weights are known"
                )
        return self

    def _waiting_makes_sense(self) -> None:
        if self.rows * self.columns % self.lockstep:
            raise ValueError(f"lockstep = {self.lockstep}: needs a divisor of the {self.rows * self.columns} PEs")
        if self.barrier != "pass" and self.matching.style != "inner":
            raise ValueError(f'barrier = "{self.barrier}": needs matching.style = "inner", others wait after a pass')
        if self.barrier == "chunk" and not self.matching.chunk:
            raise ValueError('barrier = "chunk": needs matching.chunk')
