"""What decoders spend: an addition for every place that has to be found, a look-up for every value in a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from accel import Accelerator, estimate, load
from accel.closed_form import costs
from accel.codecs import Bitmask, Codebook, Csc, Decoding, Dense, Huffman, NofM, RunLength
from accel.codecs.huffman import LENGTH_BITS
from accel.cost import Work, energy
from accel.encode import widths
from accel.energy import EnergyTable
from accel.known_zeros import KnownZeros
from accel.mapper import explore
from accel.occupancy import Occupancy, occupancy
from accel.simulation import simulate_layer
from accel.task import array_shape
from mappings import Budget, Mapping
from mappings.column import MappingColumn
from mappings.dataflows import candidates
from tests.mapper.test_estimate import roomy
from tests.strategies import accelerators, layers_and_mappings
from workloads import Density, Layer, Operand

MATRICES = hnp.arrays(np.int8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.integers(-2, 2))


@given(MATRICES)
def test_formats_count_the_entries_of_their_own_streams(words: NDArray[np.int8]) -> None:
    table = Codebook.holding(words, 3, 8)
    pairs, (_, nonzeros) = len(RunLength(2, 8).encode(words)[0]), Bitmask(8).encode(words)
    coded, entries = Csc(8, 2, 3, codebook=table), len(Csc(8, 2, 3).encode(words)[0])
    assert RunLength(2, 8).stored(words).decoding == Decoding(pairs, words.size.bit_length())
    assert Bitmask(8).stored(words).decoding == Decoding(len(nonzeros), words.size.bit_length())
    assert Csc(8, 2, 3).stored(words).decoding == Decoding(entries, (-(-len(words) // 3)).bit_length())
    assert coded.stored(words).decoding == replace(Csc(8, 2, 3).stored(words).decoding, **looked_up(entries, 8, 8))
    assert table.stored(words).decoding == Decoding(**looked_up(words.size, 8, 8))
    symbols = len(np.unique(words))
    assert Huffman(8).stored(words).decoding == Decoding(**looked_up(words.size, symbols, 8 + LENGTH_BITS))
    for free in (Dense(8), NofM(4, 4, 8)):
        assert free.stored(words).decoding == Decoding()


def looked_up(lookups: int, table_words: int, table_bits: int) -> dict[str, int]:
    return {"lookups": lookups, "table_words": table_words, "table_bits": table_bits}


def test_a_run_length_codec_adds_once_a_pair() -> None:
    """Eyeriss codes maps off chip; a layer that fits its buffer loads them once and stores them once."""
    chip = load("eyeriss_v1")
    layer = Layer("conv", C=4, K=8, P=12, Q=12, R=3, S=3, density=Density(0.4, 1.0, 0.3))
    mapped = explore(layer, chip, objective="dram")
    report = mapped.report
    maps = {operand: kept.off_chip for operand, kept in zip(Operand, zeros(layer, chip).storage, strict=True)}
    del maps[Operand.WEIGHT]
    moved = report.dram_read_input_bits, report.dram_write_output_bits
    assert moved == tuple(kept.total for kept in maps.values() if kept is not None)
    table, spent = EnergyTable.load(chip.energy.table), 0.0
    for operand, kept in maps.items():
        assert kept is not None
        pairs = -(-kept.total // 64) * 3  # three a memory word, all words but the last full
        assert pairs - 3 < kept.decoding.additions <= pairs
        spent += kept.decoding.additions * table.add_pj(layer.words(operand).bit_length())
    assert report.energy_dma_pj - report.energy_dram_pj == pytest.approx(spent)
    assert report.energy_decode_pj == 0
    # The search knows of it: it is exact to a hundredth of it.
    assert spent > 1e-6 * report.energy_pj
    row = estimate(layer, [mapped.mapping], chip).iloc[0]
    assert searched_pj(layer, mapped.mapping, chip) == pytest.approx(row["energy_pj"], rel=1e-8)


def test_eie_adds_and_looks_up_once_an_entry_that_meets_an_activation() -> None:
    """Counted column by column of the stored matrix, those of nonzero activations alone."""
    chip = load("eie")
    layer = Layer("fc", op="matmul", C=512, K=1024, density=Density(0.3, 0.1))
    report = simulate_layer(layer, candidates("input_broadcast", layer, array_shape(chip))[0][0], chip).report
    operands = zeros(layer, chip).operands
    assert operands is not None
    met = operands.input.reshape(-1) != 0
    entries = int(Csc(16, 4, 64).entries(operands.weight.reshape(1024, 512))[0][:, met].sum())
    table = EnergyTable.load(chip.energy.table)
    each = table.register_pj(16, 16) + table.add_pj((1024 // 64).bit_length())
    # Bits that cross the port are a share of the whole matrix, not counted column by column.
    assert report.energy_decode_pj == pytest.approx(entries * each, rel=0.02)


@given(layers_and_mappings(dense=False), st.data())
def test_the_estimate_spends_on_codecs_what_the_simulation_does(
    case: tuple[Layer, Mapping], data: st.DataObject
) -> None:
    layer, mapping = case
    names = st.sampled_from(["none", "rlc", "bitmask", "csc", "huffman"])
    spec = roomy(data.draw(accelerators(mapping))).with_values(
        {f"dma.codec.{operand}": data.draw(names) for operand in ("input", "weight", "output")}
    )
    report = simulate_layer(layer, mapping, spec).report
    row = estimate(layer, [mapping], spec).iloc[0]
    codec = report.energy_dma_pj - report.energy_dram_pj
    assert row["energy_dma_pj"] - row["energy_dram_pj"] == pytest.approx(codec, abs=1e-9 * report.energy_dma_pj)


@pytest.mark.parametrize("chip", ["eie", "sparten", "scnn"])
def test_so_it_does_on_decoders_before_the_array(chip: str) -> None:
    """But for the rounding of shares, where every pass finds work."""
    spec, layer = load(chip), Layer("conv", C=128, K=128, P=8, Q=8, R=3, S=3, density=Density(0.4, 0.2, 0.4))
    mapped = explore(layer, spec, budget=Budget(500))
    row = estimate(layer, [mapped.mapping], spec).iloc[0]
    assert mapped.report.energy_decode_pj > 0
    assert row["energy_decode_pj"] == pytest.approx(mapped.report.energy_decode_pj, rel=1e-4)
    assert searched_pj(layer, mapped.mapping, spec) == pytest.approx(row["energy_pj"], rel=1e-5)


def searched_pj(layer: Layer, mapping: Mapping, spec: Accelerator) -> float:
    """What the search takes for the energy, with time in whole cycles as the table has it."""
    found = costs(layer, MappingColumn.of([mapping]), spec, zeros=KnownZeros.of(layer, zeros(layer, spec), spec))
    width, latency = widths(layer.bits, spec), float(found.latency_cycles[0])
    a_cycle = energy(Work(cycles=1_000_000), spec, (width.input, width.weight, width.psum)).total_pj / 1_000_000
    return float(found.energy_pj[0]) + (round(latency) - latency) * a_cycle


def zeros(layer: Layer, chip: Accelerator) -> Occupancy:
    return occupancy(layer, widths(layer.bits, chip), chip, 0)
