"""Do the presets hold what their papers say?"""

from __future__ import annotations

import tomllib

import pytest

from accel.energy import DramDevice, EnergyTable
from accel.spec import Accelerator, load, preset_names, preset_text


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_is_hashable_and_finds_its_tables(name: str) -> None:
    spec = load(name)
    assert spec.name == name
    assert {spec: 1}[load(name)] == 1
    assert EnergyTable.load(spec.energy.table).node_nm == spec.technology_nm
    assert DramDevice.load(spec.dma.dram).burst_bits > 0
    assert spec.citation and "#" in preset_text(name)
    assert Accelerator.from_values(tomllib.loads(preset_text(name))) == spec


def test_eyeriss_peaks_of_jssc_2017_table_iv() -> None:
    chip = load("eyeriss_v1")
    assert chip.pe_array.multipliers == 168
    assert chip.pe_array.multipliers * chip.clock_mhz / 1e3 == pytest.approx(33.6)  # GMAC/s at 200 MHz
    assert chip.data_buffer.kib + chip.weight_buffer.kib == 108
    banks = chip.data_buffer.banks + chip.weight_buffer.banks
    assert banks * 512 * chip.data_buffer.width_bits == 108 * 8192
    assert chip.pe_array.register_bits == 168 * (12 + 224 + 24) * 16
    assert chip.pe_array.ports.input == 16 and chip.pe_array.ports.weight == 64


def test_eyeriss_on_chip_sram_is_181_5_kib() -> None:
    """JSSC Table IV counts the buffer and the SRAM scratchpads of 224 words; the two small ones are flip-flops."""
    chip = load("eyeriss_v1")
    filters_kib = chip.pe_array.multipliers * chip.pe_array.registers.weight * chip.pe_array.bits.weight / 8192
    assert chip.data_buffer.kib + chip.weight_buffer.kib + filters_kib == pytest.approx(181.5)


def test_tpu_peaks_of_isca_2017() -> None:
    chip = load("tpu_v1")
    assert 2 * chip.pe_array.multipliers * chip.clock_mhz * 1e6 == pytest.approx(92e12, rel=0.01)
    bytes_per_s = chip.dma.channels * DramDevice.load(chip.dma.dram).peak_bits_per_s / 8
    assert bytes_per_s == pytest.approx(34e9, rel=0.01)
    assert chip.data_buffer.accumulator_kib * 8192 == 4096 * 256 * 32
    assert chip.pe_array.rows * chip.pe_array.columns * 8 / chip.pe_array.ports.weight == 256  # cycles to shift a tile


def test_zhang_fits_its_block_rams_and_never_waits_for_a_port() -> None:
    chip = load("zhang_fpga15")
    kib = chip.data_buffer.kib + chip.data_buffer.accumulator_kib + chip.weight_buffer.kib
    assert kib == 1024 * 2
    ports, words = chip.pe_array.ports, 32
    assert (ports.input, ports.weight, ports.psum, ports.output) == (7 * words, 64 * 7 * words, 64 * words, 64 * words)


def test_systolic_ports_follow_the_shape() -> None:
    chip = load("systolic_32x32")
    assert chip.pe_array.ports.input == 32 * 8 and chip.pe_array.ports.output == 32 * 32
    assert chip.with_values({"pe_array.rows": 8}).pe_array.ports.input == 32 * 8
    assert chip.with_values({"pe_array.rows": 64}).pe_array.ports.input == 64 * 8
    assert chip.with_values({"pe_array.bits.weight": 4}).pe_array.ports.weight == 32 * 4


def test_eie_peaks_of_isca_2016() -> None:
    chip = load("eie")
    assert 2 * chip.pe_array.multipliers * chip.clock_mhz / 1e3 == pytest.approx(102, rel=0.01)  # GOP/s
    assert chip.weight_buffer.kib == 64 * (128 + 32)
    assert chip.data_buffer.kib == 64 * 2
    assert chip.dma.formats.csc_slices == chip.pe_array.rows == 64
    assert chip.pe_array.rows * chip.pe_array.registers.output == 4096  # outputs of a layer at once


def test_scnn_peaks_of_isca_2017() -> None:
    chip = load("scnn")
    array = chip.pe_array
    assert 2 * array.multipliers * chip.clock_mhz / 1e6 == pytest.approx(2, rel=0.03)  # TOP/s
    assert array.lanes * array.registers.output == 32 * 32  # accumulators of a PE
    assert chip.data_buffer.kib == 64 * (10 + 10)
    bytes_per_s = chip.dma.channels * DramDevice.load(chip.dma.dram).peak_bits_per_s / 8
    assert bytes_per_s == pytest.approx(50e9, rel=0.03)
    assert array.ports.weight * chip.clock_mhz * 1e6 / 8 == pytest.approx(50e9)


def test_eyeriss_v2_peaks_of_jetcas_2019() -> None:
    chip = load("eyeriss_v2")
    array, pe = chip.pe_array, load("eyeriss_v2_pe").pe_array
    assert array.rows * array.columns == 192
    assert 2 * array.multipliers * chip.clock_mhz / 1e3 == pytest.approx(153.6)  # GOP/s
    assert chip.data_buffer.kib == chip.data_buffer.banks / 7 * (3 * 1.5 + 4 * 1.875) == 192
    for operand in ("input", "weight", "output"):
        assert array.lanes * getattr(array.registers, operand) == getattr(pe.registers, operand)
