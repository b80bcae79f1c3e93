"""Picojoules: the counts of a layer times the energy table, once, at the very end."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import prod
from typing import Any

from accel.energy import DramDevice, EnergyTable
from accel.energy.styles import mac_pj
from accel.spec import Accelerator, PEArray
from accel.storage import Decoded

_LEAKAGE_BITS2 = 64


@dataclass(frozen=True, slots=True)
class Work:
    """What a layer (or a vector operation) made the parts do; words, bits and cycles, all exact integers.

    `macs` spend a multiplication; `gated_macs` only read their input register. `reduction_hops`: partial sums handed
    from PE to PE. `bus_bits` cross between the data buffer and the array, `weight_bus_bits` between the weight buffer
    and the array. Fills are words written into PE registers, each PE counted. Buffer bits are those crossing its ports
    on both sides; `accumulator_*_bits` those of a separate accumulator memory. `recoded`: by the DMA's codec;
    `decoded`: between the buffers and the PEs.
    """

    macs: int = 0
    gated_macs: int = 0
    input_fills: int = 0
    weight_fills: int = 0
    output_fills: int = 0
    reduction_hops: int = 0
    bus_bits: int = 0
    weight_bus_bits: int = 0
    data_buffer_read_bits: int = 0
    data_buffer_write_bits: int = 0
    accumulator_read_bits: int = 0
    accumulator_write_bits: int = 0
    weight_buffer_read_bits: int = 0
    weight_buffer_write_bits: int = 0
    vector_operations: int = 0
    dram_read_bits: int = 0
    dram_write_bits: int = 0
    rows_opened: int = 0
    cycles: int = 0
    recoded: Decoded = ()
    decoded: Decoded = ()


@dataclass(frozen=True, slots=True)
class Energy:
    """Picojoules by part; `dram_pj` is the part of `dma_pj` spent in the DRAM device, outside the chip.

    The rest of `dma_pj` is its codec's. `mac_pj`, `register_pj`, `wire_pj`, `clock_pj` and `decode_pj` add up to
    `pe_array_pj`.
    """

    pe_array_pj: float
    data_buffer_pj: float
    weight_buffer_pj: float
    controller_pj: float
    dma_pj: float
    leakage_pj: float
    dram_pj: float
    mac_pj: float
    register_pj: float
    wire_pj: float
    clock_pj: float
    decode_pj: float

    @property
    def total_pj(self) -> float:
        parts = (self.pe_array_pj, self.data_buffer_pj, self.weight_buffer_pj, self.controller_pj, self.dma_pj)
        return sum(parts) + self.leakage_pj

    def columns(self) -> dict[str, Any]:
        """The energy columns of a report row."""
        parts = {f"energy_{field.name}": getattr(self, field.name) for field in fields(self)}
        return parts | {"energy_pj": self.total_pj}


def energy(work: Work, spec: Accelerator, width_bits: tuple[int, int, int]) -> Energy:
    """Counts x table; `width_bits` of input, weight and partial sum words."""
    table = EnergyTable.load(spec.energy.table)
    device = DramDevice.load(spec.dma.dram)
    data, weight = spec.data_buffer, spec.weight_buffer
    mw_to_pj = work.cycles * 1000.0 / spec.clock_mhz  # 1 mW for 1 us is 1000 pJ
    leaking = _leaking_multipliers(spec.pe_array)
    accumulators = data.accumulator_kib or data.kib
    data_pj = _sram_pj(
        table, work.data_buffer_read_bits, work.data_buffer_write_bits, data.kib / data.slices, data.width_bits
    )
    data_pj += _sram_pj(
        table, work.accumulator_read_bits, work.accumulator_write_bits, accumulators / data.slices, data.width_bits
    )
    data_pj += work.vector_operations * table.add_pj(width_bits[2])
    dram_pj = device.access_energy_pj(work.dram_read_bits, work.dram_write_bits, work.rows_opened)
    dram_pj += (device.background_mw + device.refresh_mw) * spec.dma.channels * mw_to_pj
    array = _pe_array_pj(work, spec, table, width_bits)
    return Energy(
        pe_array_pj=sum(array.values()),
        data_buffer_pj=data_pj,
        weight_buffer_pj=_sram_pj(
            table,
            work.weight_buffer_read_bits,
            work.weight_buffer_write_bits,
            weight.kib / weight.slices,
            weight.width_bits,
        ),
        controller_pj=work.cycles * table.control_pj_per_cycle(),
        dma_pj=dram_pj + _decoding_pj(table, work.recoded),
        leakage_pj=table.leakage_mw(data.kib + data.accumulator_kib + weight.kib, leaking) * mw_to_pj,
        dram_pj=dram_pj,
        **array,
    )


def _decoding_pj(table: EnergyTable, decoded: Decoded) -> float:
    """Additions, and look-ups in tables that are register files."""
    pj = 0.0
    for each, times in decoded:
        pj += times * each.lookups * table.register_pj(each.table_words, each.table_bits)
        if each.additions:
            pj += times * each.additions * table.add_pj(each.place_bits)
    return pj


def _sram_pj(table: EnergyTable, read_bits: int, write_bits: int, kib: float, width_bits: int) -> float:
    reads = read_bits * table.sram_read_pj_per_bit(kib, width_bits)
    return reads + write_bits * table.sram_write_pj_per_bit(kib, width_bits)


def _pe_array_pj(
    work: Work, spec: Accelerator, table: EnergyTable, width_bits: tuple[int, int, int]
) -> dict[str, float]:
    """Multipliers, registers, operand networks, the clock of the array and the decoders before its PEs."""
    array = spec.pe_array
    words = array.registers.words
    access = [table.register_pj(count, bits) if count else 0.0 for count, bits in zip(words, width_bits, strict=True)]
    mac = mac_pj(table, array, *width_bits)
    # A MAC reads its input, its weight and its partial sum, and writes the sum back; a gated one saw its input only.
    sums = 2 * access[2] / array.lanes_per_sum_at(*width_bits[:2])
    registers = work.macs * (access[0] + access[1] + sums) + work.gated_macs * access[0]
    registers += work.input_fills * access[0] + work.weight_fills * access[1] + work.output_fills * access[2]
    # Of a PE: bits of its registers, and those of them that are clocked; of a macro for many lanes a lane's output.
    copies = (array.lanes, array.lanes, array.accumulators // (array.rows * array.columns))
    files = [(count, bits, number) for count, bits, number in zip(words, array.register_widths, copies, strict=True)]
    register_bits = sum(count * bits * number for count, bits, number in files)
    pitch = table.pe_pitch_mm(array.lanes * _datapath_bits2(array), register_bits)
    data_mm, weight_mm = (
        table.array_span_mm(array.rows, array.columns, pitch, buffer.slices)
        for buffer in (spec.data_buffer, spec.weight_buffer)
    )
    macros = (array.register_macros.input, array.register_macros.weight, array.register_macros.output)
    clocked = sum(
        (bits if macro else table.flip_flop_bits(count, bits)) * number
        for (count, bits, number), macro in zip(files, macros, strict=True)
    )
    return {
        "mac_pj": work.macs * mac,
        "register_pj": registers,
        "wire_pj": table.wire_pj(work.bus_bits, data_mm)
        + table.wire_pj(work.weight_bus_bits, weight_mm)
        + table.wire_pj(work.reduction_hops * width_bits[2], pitch),
        "clock_pj": work.cycles * table.clock_pj_per_cycle(clocked * array.rows * array.columns),
        "decode_pj": _decoding_pj(table, work.decoded),
    }


def _datapath_bits2(array: PEArray) -> int:
    """Product of the widths that meet in a multiplier: what its area goes with."""
    return prod(array.precision.datapath_bits(array.native))


def _leaking_multipliers(array: PEArray) -> float:
    """Multipliers of the 8 bits that leakage is tabled for; rows of gates and adders leak in proportion."""
    if not array.precision.multiplier_free:
        return array.multipliers
    return array.multipliers * min(1.0, _datapath_bits2(array) / _LEAKAGE_BITS2)
