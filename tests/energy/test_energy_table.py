"""Do the energy tables agree with published figures, and grow where they must?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accel.tables
from accel.energy import EnergyTable
from accel.energy.base import power_law_between
from accel.spec import load
from accel.tables import energy_names
from workloads.errors import InputError

TABLES = [EnergyTable.load(name) for name in energy_names()]
tables = st.sampled_from(TABLES)
kibs = st.floats(0.25, 65536)
widths = st.integers(8, 4096)


@pytest.mark.parametrize("kib_pj", [(8, 10), (32, 20), (1024, 100)])
def test_sram_against_horowitz_isscc_2014(kib_pj: tuple[int, float]) -> None:
    kib, published_pj = kib_pj
    ours = EnergyTable.load("45nm").sram_read_pj(kib, 64)
    assert published_pj / 1.6 < ours < published_pj * 1.05  # a CACTI fit against rounded "rough" figures


def test_integer_operations_of_horowitz_isscc_2014() -> None:
    table = EnergyTable.load("45nm")
    assert table.multiplier.energy_pj(8, 8) == pytest.approx(0.2, rel=0.001)
    assert table.multiplier.energy_pj(32, 32) == pytest.approx(3.1, rel=0.001)
    assert table.add_pj(8) == pytest.approx(0.03) and table.add_pj(32) == pytest.approx(0.1)
    assert table.mac_pj(8, 8, 32) == pytest.approx(0.3, rel=0.001)


def test_register_file_of_eie_isca_2016_table_i() -> None:
    """32 bits cost ten times an addition, a third of a multiplication; CACTI 7.0 has less, Eyeriss has more."""
    table = EnergyTable.load("45nm")
    assert table.register_pj(32, 32) == pytest.approx(1.0)
    assert table.register_pj(32, 32) / table.add_pj(32) == pytest.approx(10)
    for words, cacti_fj in ((32, 23.6), (64, 29.2), (128, 39.5)):
        assert cacti_fj < 1000 * table.register_pj(words, 1) < 62


def test_28_nm_registers_are_those_of_45_nm_smaller() -> None:
    large, small = EnergyTable.load("45nm"), EnergyTable.load("28nm")
    for words in (1, 12, 32, 64, 256, 1000):
        assert small.register_pj(words, 16) == pytest.approx(28 / 45 * large.register_pj(words, 16), rel=1e-3)


def test_a_slice_lies_beside_the_pes_it_serves() -> None:
    """A PE of a row of 64 beside its own memory, four quarters of a square, two halves of a row of four."""
    table = EnergyTable.load("45nm")
    for rows, columns, slices, pitches in ((64, 1, 64, 2), (8, 8, 4, 8), (4, 1, 2, 3), (2, 8, 4, 4), (12, 14, 1, 26)):
        assert table.array_span_mm(rows, columns, 0.1, slices) == pytest.approx(pitches * 0.1)


def test_multiplier_is_no_flat_square_law() -> None:
    """16 bits cost 4.0 times 8 bits, 4 bits 0.18 times: adder cells, not bits squared, at the low end."""
    energy = EnergyTable.load("45nm").multiplier.energy_pj
    assert energy(16, 16) / energy(8, 8) == pytest.approx(3.98, rel=0.01)
    assert energy(4, 4) / energy(8, 8) == pytest.approx(0.180, rel=0.01)
    assert energy(2, 2) / energy(8, 8) < 0.75 / 16
    assert energy(16, 4) == energy(4, 16) < energy(8, 8)


def test_eyeriss_isca_2016_table_iv() -> None:
    """A 16-bit access relative to a 16-bit MAC: register file of 0.5 KiB 1, array 2, buffer over 100 KiB 6."""
    table = EnergyTable.load("65nm")
    mac_pj = table.mac_pj(16, 16, 32)
    assert 1.5 < mac_pj < 2.0
    assert table.register_pj(256, 16) / mac_pj == pytest.approx(1, rel=0.15)
    assert table.wire_pj(16, 1.5) / mac_pj == pytest.approx(2, rel=0.2)
    word_pj = 16 * (table.sram_read_pj_per_bit(128, 64) + table.sram_write_pj_per_bit(128, 64)) / 2
    assert word_pj / mac_pj == pytest.approx(6, rel=0.15)


def test_eyeriss_jssc_2017_power_shares_on_conv1() -> None:
    """CONV1 of AlexNet: 332 mW, 0.42 GMAC in 20.9 ms, no zeros. ALUs under 10 %, scratchpads 33-42 %, clock 33-45 %."""
    table, array = EnergyTable.load("65nm"), load("eyeriss_v1").pe_array
    macs_per_ns = 0.42e9 / 20.9e6
    alu_mw = macs_per_ns * table.mac_pj(16, 16, 16)
    assert 0.03 * 332 < alu_mw < 0.10 * 332
    words = array.registers
    spads_mw = macs_per_ns * sum(
        table.register_pj(n, 16) for n in (words.weight, words.input, words.output, words.output)
    )
    assert 0.33 * 332 < spads_mw < 0.45 * 332
    bits = array.multipliers * sum(table.flip_flop_bits(n, 16) for n in (words.weight, words.input, words.output))
    clock_mw = table.clock_pj_per_cycle(bits) * 0.2
    assert 0.30 * 332 < clock_mw < 0.45 * 332
    assert table.leakage_mw(181.5, array.multipliers) < 0.05 * 332


def test_eyeriss_pe_pitch_fits_the_core() -> None:
    """168 PEs lie in 3.5 x 3.5 mm beside the buffer; the array's bus is then some 5 mm long."""
    table, array = EnergyTable.load("65nm"), load("eyeriss_v1").pe_array
    pitch = table.pe_pitch_mm(16 * 16, array.register_bits // array.multipliers)
    assert 0.4 * 12.25 < array.multipliers * pitch**2 < 0.75 * 12.25
    assert table.array_span_mm(12, 14, pitch) == pytest.approx(26 * pitch)


def test_28_nm_adder_against_dally_2023() -> None:
    assert EnergyTable.load("28nm").add_pj(16) == pytest.approx(0.032, rel=0.05)


@settings(max_examples=200, deadline=None)
@given(table=tables, a=st.integers(1, 64), b=st.integers(1, 64), accumulator=st.integers(1, 64))
def test_macs_grow_with_every_width(table: EnergyTable, a: int, b: int, accumulator: int) -> None:
    energy = table.mac_pj(a, b, accumulator)
    assert energy > 0
    assert table.mac_pj(b, a, accumulator) == energy
    assert table.mac_pj(a + 1, b, accumulator) > energy
    assert table.mac_pj(a, b, accumulator + 1) > energy


@settings(max_examples=200, deadline=None)
@given(table=tables, words=st.integers(0, 4096), bits=st.integers(1, 64))
def test_registers_grow_with_words_and_bits(table: EnergyTable, words: int, bits: int) -> None:
    assert table.register_pj(words + 1, bits) >= table.register_pj(words, bits)
    assert table.register_pj(words, 2 * bits) == pytest.approx(2 * table.register_pj(words, bits))


@settings(max_examples=200, deadline=None)
@given(table=tables, kib=kibs, width=widths, more=st.floats(1.0, 8.0))
def test_sram_grows_with_capacity_and_width(table: EnergyTable, kib: float, width: int, more: float) -> None:
    for energy in (table.sram_read_pj, table.sram_write_pj):
        assert energy(kib, width) > 0
        assert energy(kib * more, width) >= energy(kib, width) * (1 - 1e-9)
        assert energy(kib, int(width * more)) >= energy(kib, width) * (1 - 1e-9)


def test_sram_beyond_the_fit_is_several_accesses() -> None:
    table = EnergyTable.load("45nm")
    assert table.sram_read_pj(64, 2048) == pytest.approx(4 * table.sram_read_pj(64, 512))
    assert table.sram_read_pj(64, 8) == table.sram_read_pj(64, 16)


@given(at=st.floats(0.01, 1000), power=st.floats(0.5, 3))
def test_a_power_law_is_interpolated_exactly(at: float, power: float) -> None:
    x = (1.0, 3.0, 50.0)
    y = (1.0, 3.0**power, 50.0**power)
    assert power_law_between(at, x, y, below=power, above=power) == pytest.approx(at**power)


@pytest.mark.parametrize("table", TABLES, ids=energy_names())
def test_every_part_has_a_source(table: EnergyTable) -> None:
    assert len(table.sources) == 9 and all(len(source) > 20 for source in table.sources.values())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("node_nm = 45", "", "node_nm is missing"),
        ("fj_per_bit_mm = 121", "fj_per_bit_mm = nan", r"wire\.fj_per_bit_mm = nan: needs a finite number"),
        ("[leakage]", "[leekage]", r'unknown field "leekage": did you mean "leakage"'),
        ("cells = [2, 4,", "cells = [4, 2,", r"multiplier\.cells: points must rise"),
        ("bits = [4, 8,", "bits = [8,", r"adder\.bits: 5 points need as many values, there are 6"),
        ("read = [", "read = [1.0, ", r"sram\.read"),
    ],
)
def test_a_bad_table_of_ones_own_is_one_line(old: str, new: str, line: str, tmp_path: Path) -> None:
    text = Path(accel.tables.__file__).with_name("45nm.toml").read_text()
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text)
    assert EnergyTable.load(str(path)) == EnergyTable.load("45nm")
    other = tmp_path / "bad.toml"
    other.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=line) as caught:
        EnergyTable.load(str(other))
    assert "\n" not in str(caught.value) and "bad.toml" in str(caught.value)
