"""What must hold of any layer under any mapping on any accelerator, from the schedule to the report."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accel.encode import widths
from accel.kernels import passes
from accel.occupancy import occupancy
from accel.report import LayerReport
from accel.simulation import LayerResult, simulate_layer
from accel.spec import Accelerator, load
from mappings import Loop, Mapping
from tests.strategies import accelerators, layers_and_mappings
from workloads import Density, Layer, Operand, Tensors

Case = tuple[Layer, Mapping, Accelerator]
OPERANDS = ("input", "weight", "output")


@st.composite
def cases(draw: st.DrawFn, *, dense: bool = True) -> Case:
    """A layer, a legal mapping of it, and an accelerator on which it fits."""
    layer, mapping = draw(layers_and_mappings(dense=dense))
    return layer, mapping, draw(accelerators(mapping))


def used_inputs(layer: Layer) -> int:
    """Input words that some window touches."""
    rows = {p * layer.stride[0] + r * layer.dilation[0] for p, r in product(range(layer.P), range(layer.R))}
    columns = {q * layer.stride[1] + s * layer.dilation[1] for q, s in product(range(layer.Q), range(layer.S))}
    inside = len([row for row in rows if 0 <= row - layer.padding[0] < layer.H])
    return layer.N * layer.G * layer.C * inside * len([x for x in columns if 0 <= x - layer.padding[1] < layer.W])


def dram_bits(report: LayerReport) -> tuple[int, int, int, int, int]:
    return (
        report.dram_read_input_bits,
        report.dram_read_weight_bits,
        report.dram_read_psum_bits,
        report.dram_write_output_bits,
        report.dram_write_psum_bits,
    )


def whole_energy(report: LayerReport) -> float:
    parts = ("pe_array", "data_buffer", "weight_buffer", "controller", "dma", "leakage")
    return sum(getattr(report, f"energy_{part}_pj") for part in parts)


def with_codecs(spec: Accelerator, codec: str) -> Accelerator:
    return spec.with_values({f"dma.codec.{operand}": codec for operand in OPERANDS})


def with_gates(spec: Accelerator, gate: str) -> Accelerator:
    return spec.with_values({f"pe_array.zero_handling.{operand}": gate for operand in ("input", "weight")})


@given(cases())
def test_bits_moved_are_words_of_the_schedule_times_widths(case: Case) -> None:
    layer, mapping, spec = case
    result = simulate_layer(layer, mapping, spec)
    tiles, width = result.schedule, widths(layer.bits, spec)
    loads = tiles.load_words.sum(axis=0)
    assert dram_bits(result.report) == (
        loads[Operand.INPUT] * width.input,
        loads[Operand.WEIGHT] * width.weight,
        loads[Operand.OUTPUT] * width.psum,
        tiles.store_words[tiles.store_final].sum() * width.output,
        tiles.store_words[~tiles.store_final].sum() * width.psum,
    )
    assert sum(dram_bits(result.report)) == result.lowered.program.bits.sum()


@given(cases())
def test_each_tensor_crosses_at_least_once(case: Case) -> None:
    layer, mapping, spec = case
    report, width = simulate_layer(layer, mapping, spec).report, widths(layer.bits, spec)
    assert report.dram_read_input_bits >= used_inputs(layer) * width.input
    assert report.dram_read_weight_bits >= layer.words(Operand.WEIGHT) * width.weight
    assert report.dram_write_output_bits == layer.words(Operand.OUTPUT) * width.output
    assert report.dram_read_psum_bits == report.dram_write_psum_bits


@given(cases())
def test_what_enters_the_array_leaves_it(case: Case) -> None:
    """Each output leaves finished once; every partial sum that leaves comes back; each operand enters at least once."""
    layer, mapping, spec = case
    result = simulate_layer(layer, mapping, spec)
    counts = result.lowered.counts
    assert counts[passes.WRITE_OUTPUT] == layer.words(Operand.OUTPUT)
    assert counts[passes.READ_PSUM] == counts[passes.WRITE_PSUM]
    assert counts[passes.READ_WEIGHT] >= layer.words(Operand.WEIGHT)
    assert counts[passes.READ_INPUT] >= used_inputs(layer)


@given(cases())
def test_sending_whole_tiles_never_moves_fewer_words(case: Case) -> None:
    """Nor more where no PE has other pixels or taps than its neighbours."""
    layer, mapping, spec = case
    assume(mapping.used("lanes") == 1)
    apart = {
        "pe_array.lanes": 1,
        "pe_array.arrangement": "multicast",
        "pe_array.overlap_passes": False,
        "pe_array.bypass": False,
        "pe_array.neighbour_links": False,
    }
    apart |= {f"pe_array.distribution.{dim}": "interleaved" for dim in "PQRS"}
    counts = [
        simulate_layer(layer, mapping, spec.with_values(apart | {"pe_array.multicast": how})).lowered.counts
        for how in ("word", "tile")
    ]
    assert counts[0][passes.READ_INPUT] <= counts[1][passes.READ_INPUT]
    if all(mapping.unrolled(dim) == 1 for dim in "PQRS"):
        assert counts[0].tolist() == counts[1].tolist()


@given(cases())
def test_links_between_pes_spare_the_port_and_change_nothing_else(case: Case) -> None:
    layer, mapping, spec = case
    assume(mapping.used("lanes") == 1)
    buses = {"arrangement": "multicast", "lanes": 1, "multicast": "tile", "overlap_passes": False, "bypass": False}
    plain = spec.with_values({f"pe_array.{name}": value for name, value in (buses | {"keep_registers": True}).items()})
    linked, apart = (
        simulate_layer(layer, mapping, plain.with_values({"pe_array.neighbour_links": links})).lowered.counts
        for links in (True, False)
    )
    spared = [passes.COMPUTE, passes.PORT, passes.READ_INPUT]
    assert (linked[spared] <= apart[spared]).all()
    assert np.delete(linked, spared).tolist() == np.delete(apart, spared).tolist()


@given(cases())
def test_buffers_pass_on_what_they_receive(case: Case) -> None:
    layer, mapping, spec = case
    report = simulate_layer(layer, mapping, spec).report
    reads = report.dram_read_input_bits + report.dram_read_psum_bits
    leaving = report.dram_write_output_bits + report.dram_write_psum_bits
    from_array = report.array_write_psum_bits + report.array_write_output_bits
    assert report.data_buffer_write_bits == reads + from_array
    assert report.data_buffer_read_bits == report.array_read_input_bits + report.array_read_psum_bits + leaving
    assert report.weight_buffer_write_bits == report.dram_read_weight_bits
    assert report.weight_buffer_read_bits == report.array_read_weight_bits


@given(cases())
def test_cycles_add_up_and_no_part_is_busy_longer(case: Case) -> None:
    layer, mapping, spec = case
    result = simulate_layer(layer, mapping, spec)
    report, counts = result.report, result.lowered.counts
    assert report.latency_cycles == report.compute_cycles + report.stall_cycles
    assert report.latency_cycles >= max(report.dma_busy_cycles, report.controller_busy_cycles, report.compute_cycles)
    assert report.compute_cycles >= report.mac_cycles + report.port_bound_cycles
    assert report.port_bound_cycles >= 0
    assert report.mac_cycles * spec.pe_array.multipliers >= layer.macs
    assert 0 < report.utilization <= 1
    assert report.tile_steps == result.schedule.steps
    assert report.passes == counts[passes.PASSES] >= report.tile_steps


@given(cases())
def test_ports_are_not_faster_than_they_are(case: Case) -> None:
    layer, mapping, spec = case
    report, ports = simulate_layer(layer, mapping, spec).report, spec.pe_array.ports
    assert report.compute_cycles * ports.input >= report.array_read_input_bits
    assert report.compute_cycles * ports.weight >= report.array_read_weight_bits
    assert report.compute_cycles * ports.psum >= report.array_read_psum_bits
    # The last outputs of double-buffered registers leave during passes that are not this layer's.
    hidden = 2 if spec.pe_array.register_double_buffered.output else 1
    leaving = report.array_write_psum_bits + report.array_write_output_bits
    assert hidden * report.compute_cycles * ports.output >= leaving


@given(cases(dense=False))
def test_energy_adds_up(case: Case) -> None:
    report = simulate_layer(*case).report
    assert report.energy_pj == pytest.approx(whole_energy(report), rel=1e-12)
    assert 0 < report.energy_dram_pj <= report.energy_dma_pj
    assert all(value >= 0 for name, value in asdict(report).items() if name.startswith("energy"))


@given(cases())
def test_density_one_equals_dense(case: Case) -> None:
    """Tensors without a zero, codecs and gates included, cost what no tensors cost; padding is gated in both."""
    layer, mapping, spec = case
    spec = with_gates(with_codecs(spec, "rlc"), "gate")
    ones = Tensors(np.ones(layer.input_shape, np.int8), np.ones(layer.weight_shape, np.int8))
    dense = simulate_layer(layer, mapping, spec).report
    full = simulate_layer(layer.with_tensors(ones), mapping, spec).report
    assert replace(full, operands="dense") == dense


@given(cases(dense=False), st.integers(0, 9))
def test_gating_saves_energy_and_no_cycles(case: Case, seed: int) -> None:
    layer, mapping, spec = case
    plain = simulate_layer(layer, mapping, spec, seed=seed).report
    gated = simulate_layer(layer, mapping, with_gates(spec, "gate"), seed=seed).report
    assert gated.energy_pj <= plain.energy_pj
    assert (gated.energy_pj < plain.energy_pj) == (gated.effectual_macs < layer.macs)
    assert gated.gated_macs == layer.macs - gated.effectual_macs
    same = [name for name in asdict(plain) if "energy" not in name and name != "gated_macs"]
    assert {name: getattr(gated, name) for name in same} == {name: getattr(plain, name) for name in same}


@given(cases(dense=False), st.integers(0, 9))
def test_the_same_seed_gives_the_same_report(case: Case, seed: int) -> None:
    layer, mapping, spec = case
    spec = with_codecs(spec, "rlc")
    first, second = (run_with(layer, mapping, spec, seed).report for _ in range(2))
    assert first == second


@given(cases())
def test_fast_forward_equals_the_full_run(case: Case) -> None:
    layer, mapping, spec = case
    short = simulate_layer(layer, mapping, spec)
    full = simulate_layer(layer, mapping, spec, every_step=True)
    assert short.activity.differs(full.activity) == []
    assert short.report == full.report


@given(st.sampled_from([20, 37, 64]), st.sampled_from(["K", "C", "P"]), st.booleans())
def test_fast_forward_equals_the_full_run_on_many_steps(extent: int, axis: str, double: bool) -> None:
    layer = Layer("many", **{axis: extent, "Q": 5, "S": 3, "N": 40})
    mapping = Mapping("steps", off_chip=(Loop(axis, extent), Loop("N", 40)), registers=(Loop("Q", 5), Loop("S", 3)))
    spec = load("eyeriss_v1").with_values({"data_buffer.double_buffered": double})
    short, full = (simulate_layer(layer, mapping, spec, every_step=every) for every in (False, True))
    assert short.report == full.report
    assert short.activity.steps_played < full.activity.steps_played == extent * 40


@given(cases(dense=False), st.integers(0, 9))
def test_a_codec_only_shrinks(case: Case, seed: int) -> None:
    layer, mapping, spec = case
    plain, coded = (run_with(layer, mapping, with_codecs(spec, codec), seed) for codec in ("none", "rlc"))
    assert all(a <= b for a, b in zip(dram_bits(coded.report), dram_bits(plain.report), strict=True))
    assert coded.lowered.program.bits.sum() == sum(dram_bits(coded.report))
    # Partial sums are never coded, and what the array sees is the same.
    assert coded.report.dram_read_psum_bits == plain.report.dram_read_psum_bits
    assert coded.report.compute_cycles == plain.report.compute_cycles


@given(cases(dense=False), st.integers(0, 9))
def test_outputs_leave_in_exactly_their_coded_size(case: Case, seed: int) -> None:
    layer, mapping, spec = case
    spec = with_codecs(spec, "rlc")
    width = widths(layer.bits, spec)
    coded = occupancy(layer, width, spec, seed).storage.coded_bits[Operand.OUTPUT]
    report = run_with(layer, mapping, spec, seed).report
    assert report.dram_write_output_bits == (layer.words(Operand.OUTPUT) * width.output if coded is None else coded)


@given(cases())
def test_densities_count_macs(case: Case) -> None:
    layer, mapping, spec = case
    none = simulate_layer(replace(layer, density=Density(weight=0.0)), mapping, spec).report
    dense = simulate_layer(layer, mapping, spec).report
    assert none.effectual_macs == 0
    assert dense.effectual_macs <= dense.macs == layer.macs
    assert (dense.effectual_macs == layer.macs) == (not any(layer.padding))


def run_with(layer: Layer, mapping: Mapping, spec: Accelerator, seed: int) -> LayerResult:
    return simulate_layer(layer, mapping, spec, seed=seed)
