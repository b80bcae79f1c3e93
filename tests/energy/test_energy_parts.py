"""Energy by part: what adds up, and what a buffer of several memories costs."""

from __future__ import annotations

import pytest

from accel import load, simulate
from accel.energy import EnergyTable
from mappings import Budget
from workloads import load as load_network

SHORT = Budget(50)


@pytest.mark.parametrize("name", ["eyeriss_v1", "systolic_32x32", "eie"])
def test_parts_of_the_array_add_up(name: str) -> None:
    for row in simulate(load_network("lenet5"), load(name), budget=SHORT).layers:
        parts = row.energy_mac_pj + row.energy_register_pj + row.energy_wire_pj + row.energy_clock_pj
        assert parts + row.energy_decode_pj == pytest.approx(row.energy_pe_array_pj)


def test_slices_cost_what_memories_of_their_size_do() -> None:
    """Traffic stays; an access is to one of four memories, and wires are half as long."""
    chip = load("systolic_32x32")
    network = load_network("lenet5")
    whole = simulate(network, chip, mapping="weight_stationary", objective="latency", budget=SHORT)
    sliced = simulate(
        network,
        chip.with_values({"weight_buffer.slices": 4, "data_buffer.slices": 4}),
        mapping="weight_stationary",
        objective="latency",
        budget=SHORT,
    )
    table = EnergyTable.load(chip.energy.table)
    kib, bits = chip.weight_buffer.kib, chip.weight_buffer.width_bits
    reads = table.sram_read_pj_per_bit(kib / 4, bits)
    writes = table.sram_write_pj_per_bit(kib / 4, bits)
    for one, other in zip(whole.layers, sliced.layers, strict=True):
        assert one.latency_cycles == other.latency_cycles
        if not one.macs:
            continue
        expected = one.weight_buffer_read_bits * reads + one.weight_buffer_write_bits * writes
        assert other.energy_weight_buffer_pj == pytest.approx(expected)
        hops = other.energy_wire_pj * 2 - one.energy_wire_pj  # from PE to PE, the same in both
        assert -1e-6 * one.energy_wire_pj <= hops < one.energy_wire_pj
