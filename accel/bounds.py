"""What no mapping can beat: lower bounds of traffic, latency and energy of a layer on an accelerator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.cost import Work, energy
from accel.encode import widths
from accel.known_zeros import KnownZeros
from accel.objective import Measures, objective_value
from accel.residency import NOWHERE, Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from accel.unhidden import Unhidden
from mappings import axis_extent
from mappings.column import MappingColumn
from mappings.mapping import SPATIAL_LEVELS
from mappings.ranges import touched_words
from workloads import Layer, Operand

_MANY = 1_000_000
_ROUNDING = 1e-9
"""Sums of floating point numbers may differ by less than this share from those of the estimate."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The traffic that cannot be avoided, each part's own least time, and the least latency and energy.

    `setup_cycles`: of the controller, before anything else. `latency_cycles`: those, the slowest other part's, and what
    cannot go beside it.
    """

    dram_bits: int
    mac_cycles: int
    port_cycles: int
    dram_cycles: int
    setup_cycles: int
    latency_cycles: int
    energy_pj: float

    def objective(self, name: str) -> float:
        """The least value of an objective; of "edp", the product of both bounds."""
        return float(objective_value(self, name))


def bounds(layer: Layer, spec: Accelerator, residency: Residency = NOWHERE, zeros: KnownZeros | None = None) -> Bounds:
    """Each operand crosses the DRAM pins once unless it stays on chip, and its array port once; each MAC is done once.

    For dense operands unless `zeros` are known: a codec, gating or skipping can beat the bounds of dense ones.
    """
    return _bounds(layer, spec, residency, zeros or KnownZeros.dense(layer), 0)


def unrolling_bound(
    layer: Layer, spec: Accelerator, residency: Residency, objective: str, zeros: KnownZeros | None = None
) -> Callable[[MappingColumn], NDArray[np.float64]]:
    """The least that any mapping with the unrollings of a column's could cost, on an array that skips nothing.

    PEs that an unrolling leaves idle make the MACs take longer: along every axis there are as many cycles as unrolled
    blocks cover its extent. Time costs leakage; everything else is as in `bounds`.
    """
    known = zeros or KnownZeros.dense(layer)
    width = widths(layer.bits, spec)
    mac_cycles = spec.pe_array.mac_cycles_at(width.input, width.weight)
    unhidden = Unhidden.of(spec, width, residency, known)
    beside_macs = unhidden.around(unhidden.skew)
    least = bounds(layer, spec, residency, known)
    slower = _bounds(layer, spec, residency, known, least.latency_cycles + _MANY)
    pj_per_cycle = (slower.energy_pj - least.energy_pj) / _MANY

    def bound(column: MappingColumn) -> NDArray[np.float64]:
        unrolled = dict.fromkeys((axis for _, axis in column.shape.loops), np.ones(len(column), dtype=np.int64))
        for factor, (level, axis) in zip(column.factors.T, column.shape.loops, strict=True):
            if level in SPATIAL_LEVELS:
                unrolled[axis] = unrolled[axis] * factor
        cycles = np.full(len(column), float(mac_cycles))
        for axis, block in unrolled.items():
            cycles *= -(-axis_extent(layer, axis) // block)
        latency = np.maximum(cycles + beside_macs, least.latency_cycles)
        energy_pj = least.energy_pj + (latency - least.latency_cycles) * pj_per_cycle
        dram_bits = np.full(len(column), float(least.dram_bits))
        values: NDArray[np.float64] = objective_value(Measures(latency, energy_pj, dram_bits), objective)
        return values * (1 - _ROUNDING)

    return bound


def _bounds(layer: Layer, spec: Accelerator, residency: Residency, zeros: KnownZeros, cycles: int) -> Bounds:
    """The bounds of a mapping that takes at least so many cycles."""
    width = widths(layer.bits, spec)
    words = [touched_words(layer, operand) for operand in Operand]

    def least_bits(coded: tuple[int | None, ...], operand: Operand) -> int:
        whole = coded[operand]
        plain = words[operand] * width.of[operand]
        return plain if whole is None else words[operand] * whole // layer.words(operand)

    off_chip = [least_bits(zeros.storage.coded_bits, operand) for operand in Operand]
    held = [least_bits(zeros.storage.held_bits, operand) for operand in Operand]
    inputs, writes = 0 if residency.input else off_chip[0], 0 if residency.output else off_chip[2]
    reads = inputs + off_chip[1]
    timing = TransferTiming.of(spec)
    ports = spec.pe_array.ports
    array = spec.pe_array
    # A pass that finds no work for any PE fetches nothing, and which passes those are is for the mapping to say.
    idle = array.skips and zeros.issued_macs < layer.macs
    fetched = [0, 0] if idle else words[:2]
    crossing = (
        (int(fetched[0] * zeros.kept[0]) * width.input, ports.input),
        (int(fetched[1] * zeros.kept[1]) * width.weight, ports.weight),
        (words[2] * width.output, ports.output),
    )
    dram_cycles = int((reads + writes) / timing.peak_bits_per_cycle)
    lanes = array.rows * array.columns * array.lanes_at(width.input, width.weight)
    mac_cycles = -(-zeros.issued_macs * array.mac_cycles_at(width.input, width.weight) // lanes)
    # A tile's last outputs leave beside the next tile's first pass if there are registers for both: half of them at
    # most, or all where there is next to nothing to compute.
    waited = 0 if idle else -(-words[2] // 2)
    taken = waited * width.output if array.register_double_buffered.output else crossing[2][0]
    port_cycles = max(-(-bits // port) for bits, port in (*crossing[:2], (taken, ports.output)))
    unhidden = Unhidden.of(spec, width, residency, zeros)
    latency = max(
        unhidden.around(max(mac_cycles + unhidden.skew, port_cycles)),
        unhidden.through(int(reads / timing.peak_bits_per_cycle), dram_cycles),
    )
    work = Work(
        macs=zeros.spent_macs,
        gated_macs=zeros.issued_macs - zeros.spent_macs,
        bus_bits=crossing[0][0] + crossing[2][0],
        weight_bus_bits=crossing[1][0],
        data_buffer_read_bits=crossing[0][0] + (0 if residency.output else held[2]),
        data_buffer_write_bits=held[2] + (0 if residency.input else held[0]),
        weight_buffer_read_bits=crossing[1][0],
        weight_buffer_write_bits=held[1],
        dram_read_bits=reads,
        dram_write_bits=writes,
        cycles=max(latency, cycles),
    )
    least = energy(work, spec, (width.input, width.weight, width.psum)).total_pj
    return Bounds(reads + writes, mac_cycles, port_cycles, dram_cycles, unhidden.setup, latency, least)
