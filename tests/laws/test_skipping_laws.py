"""Does an array that skips zeros keep its laws: never slower, as fast as dense without zeros, the same MACs in all?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel import LayerReport
from accel.kernels import passes
from accel.simulation import simulate_layer
from accel.skipping import lockstep_groups
from accel.spec import Accelerator, load
from accel.task import array_shape
from experiments.timeloop import machine
from mappings import Loop, Mapping
from mappings.dataflows import candidates
from tests.kernels import reference
from tests.strategies import accelerators, layers_and_mappings
from workloads import Density, InputError, Layer, Tensors
from workloads.operands import draw

HANDLED = st.sampled_from([("skip", "none"), ("none", "skip"), ("skip", "skip")])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Layer, Mapping, Accelerator]:
    layer, mapping = draw(layers_and_mappings(most_macs=400, dense=False))
    return layer, mapping, draw(accelerators(mapping, arrangement="multicast"))


def handling(spec: Accelerator, input_zeros: str, weight_zeros: str) -> Accelerator:
    """With these ways of handling zeros. PEs that skip pass nothing on to each other."""
    zeros = {"pe_array.zero_handling.input": input_zeros, "pe_array.zero_handling.weight": weight_zeros}
    return spec.with_values({"pe_array.neighbour_links": False} | zeros)


def report(layer: Layer, mapping: Mapping, spec: Accelerator, **values: object) -> LayerReport:
    return simulate_layer(layer, mapping, spec.with_values(values)).report


@given(cases(), HANDLED)
def test_skipping_is_never_slower_than_gating_which_is_as_slow_as_nothing(
    case: tuple[Layer, Mapping, Accelerator], handled: tuple[str, str]
) -> None:
    layer, mapping, spec = case
    plain = report(layer, mapping, spec)
    gated = report(layer, mapping, handling(spec, *(how.replace("skip", "gate") for how in handled)))
    skipped = report(layer, mapping, handling(spec, *handled))
    assert gated.latency_cycles == plain.latency_cycles
    assert skipped.mac_cycles <= gated.mac_cycles
    assert skipped.compute_cycles <= gated.compute_cycles
    assert skipped.skipped_macs == gated.gated_macs
    assert skipped.gated_macs == gated.skipped_macs == plain.skipped_macs == 0
    assert skipped.effectual_macs == plain.effectual_macs


@given(cases(), HANDLED)
def test_without_zeros_skipping_takes_as_long_as_the_dense_array(
    case: tuple[Layer, Mapping, Accelerator], handled: tuple[str, str]
) -> None:
    layer, mapping, spec = case
    layer = replace(layer, density=Density(), padding=(0, 0, 0, 0))
    plain, skipped = report(layer, mapping, spec), report(layer, mapping, handling(spec, *handled))
    for column in ("mac_cycles", "compute_cycles", "port_bound_cycles", "latency_cycles", "skipped_macs"):
        assert getattr(skipped, column) == getattr(plain, column), column
    assert skipped.pe_imbalance >= 1.0 and plain.pe_imbalance == 0.0


@given(cases(), st.integers(0, 99))
def test_more_zeros_are_never_slower(case: tuple[Layer, Mapping, Accelerator], seed: int) -> None:
    layer, mapping, spec = case
    words = draw(layer, seed)
    kept = np.random.default_rng(seed).random(words.input.shape) < 0.5
    fewer = Tensors((words.input * kept).astype(words.input.dtype), words.weight)
    skips = handling(spec, "skip", "skip")
    before, after = (report(layer.with_tensors(tensors), mapping, skips) for tensors in (words, fewer))
    assert after.mac_cycles <= before.mac_cycles
    assert after.compute_cycles <= before.compute_cycles


@given(cases())
def test_queues_are_never_slower_than_lockstep(case: tuple[Layer, Mapping, Accelerator]) -> None:
    layer, mapping, spec = case
    skips = handling(spec, "skip", "skip")
    times = [report(layer, mapping, skips, **{"pe_array.slack": slack}).compute_cycles for slack in (0, 1, 4, 64)]
    assert sorted(times, reverse=True) == times


@given(cases())
def test_nothing_but_zeros_takes_no_mac_cycle(case: tuple[Layer, Mapping, Accelerator]) -> None:
    layer, mapping, spec = case
    zeros = replace(layer, density=Density(0.0, 0.0))
    found = report(zeros, mapping, handling(spec, "skip", "skip"))
    assert found.mac_cycles == found.effectual_macs == found.array_read_input_bits == 0
    assert found.skipped_macs == layer.macs
    assert found.dram_write_output_bits == report(zeros, mapping, spec).dram_write_output_bits


@given(cases(), st.booleans(), st.integers(0, 99))
def test_weights_that_meet_an_input_are_loaded_whatever_passes_had_no_work(
    case: tuple[Layer, Mapping, Accelerator], keep: bool, seed: int
) -> None:
    layer, mapping, spec = case
    words = draw(layer, seed)
    images = np.random.default_rng(seed).random((layer.N, layer.G * layer.C, 1, 1)) < 0.5
    some = layer.with_tensors(Tensors((words.input * images).astype(words.input.dtype), words.weight))
    plain = {"weight_buffer.format": "none", "dma.codec.weight": "none", "pe_array.keep_registers": keep}
    skips = handling(spec, "skip", "none").with_values(plain)
    counts = simulate_layer(some, mapping, skips).lowered.counts
    assert counts[passes.READ_WEIGHT] >= layer.K * np.count_nonzero(reference.inputs_met(some, some.tensors.input))


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("silent", [0, 1])
def test_weights_come_with_the_first_image_that_is_not_zero(silent: int, keep: bool) -> None:
    """Two images in turn, one of them zero: 2 x 2 weights are loaded once, 2 inputs and 4 MACs are all there is."""
    layer = Layer("images", N=2, K=2, C=2)
    words = Tensors(np.ones(layer.input_shape, np.int8), np.ones(layer.weight_shape, np.int8))
    words.input[silent] = 0
    mapping = Mapping("in turn", off_chip=(Loop("N", 2),), registers=(Loop("K", 2), Loop("C", 2)))
    spec = handling(machine(), "skip", "none").with_values({"pe_array.keep_registers": keep})
    found = simulate_layer(layer.with_tensors(words), mapping, spec)
    assert found.lowered.counts[[passes.READ_WEIGHT, passes.FILL_WEIGHT]].tolist() == [4, 4]
    assert found.report.mac_cycles == 4


@pytest.mark.parametrize("taps", [(1, 1, 1), (1, 0, 1)])
def test_windows_slide_on_from_the_last_pass_that_had_work(taps: tuple[int, int, int]) -> None:
    """Four pixels of three taps, two pixels and a tap at a time: of the next two words one is new, of the third two."""
    layer = Layer("row", Q=4, S=3)
    words = Tensors(np.ones(layer.input_shape, np.int8), np.array(taps, np.int8).reshape(layer.weight_shape))
    mapping = Mapping("in turn", off_chip=(Loop("Q", 2), Loop("S", 3)), registers=(Loop("Q", 2),))
    plain = machine(steady_windows=False)
    for spec in (plain, handling(plain, "none", "skip")) if all(taps) else (handling(plain, "none", "skip"),):
        found = simulate_layer(layer.with_tensors(words), mapping, spec)
        assert found.lowered.counts[[passes.READ_INPUT, passes.FILL_INPUT]].tolist() == [6, 6]


@pytest.mark.parametrize(
    ("rows", "columns", "lockstep", "bounds"),
    [
        # Of 8 columns: a group a row, whether it is filled or not; two a row; one of two rows; half a row.
        (3, 8, 8, [0, 8, 16, 24]),
        (3, 5, 8, [0, 5, 10, 15]),
        (2, 5, 4, [0, 4, 5, 9, 10]),
        (3, 5, 16, [0, 10, 15]),
        (1, 3, 4, [0, 3]),
        (2, 2, 1, [0, 1, 2, 3, 4]),
    ],
)
def test_groups_are_of_the_array_not_of_what_a_mapping_uses(
    rows: int, columns: int, lockstep: int, bounds: list[int]
) -> None:
    array = (
        load("sparten").with_values({"pe_array.rows": 4, "pe_array.columns": 8, "pe_array.lockstep": lockstep}).pe_array
    )
    mapping = Mapping("part", rows=(Loop("P", rows),), columns=(Loop("K", columns),))
    assert lockstep_groups(mapping, array).tolist() == bounds


@pytest.mark.parametrize("filters", [1, 10, 31, 32, 33, 50])
def test_pes_that_do_not_fill_a_group_take_as_long_as_others(filters: int) -> None:
    """A dense filter of 84 channels for each PE of sparten, a product a cycle."""
    layer = Layer("part", op="matmul", K=filters, C=84)
    rows = (Loop("K", 2),) if filters > 32 else ()
    mapping = Mapping("part", registers=(Loop("C", 84),), rows=rows, columns=(Loop("K", min(filters, 32)),))
    assert simulate_layer(layer, mapping, load("sparten")).report.mac_cycles == 84


def test_lockstep_groups_wait_for_their_slowest_and_queues_do_not() -> None:
    """Two PEs, two passes, weights that keep one of them busy in each: 4 + 4 cycles together, 5 apart."""
    weight = np.array([[1, 1, 1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 1, 1, 1, 1]], np.int8).reshape(2, 8, 1, 1)
    layer = Layer("pair", K=2, C=8).with_tensors(Tensors(np.ones((1, 8, 1, 1), np.int8), weight))
    mapping = Mapping("pair", on_chip=(Loop("C", 2),), registers=(Loop("C", 4),), rows=(Loop("K", 2),))
    spec = handling(load("systolic_32x32").with_values({"pe_array.arrangement": "multicast"}), "skip", "skip")
    assert report(layer, mapping, spec).mac_cycles == 8
    queued = report(layer, mapping, spec, **{"pe_array.slack": 8})
    assert queued.mac_cycles == 5
    assert queued.pe_imbalance == pytest.approx(1.0)


@pytest.mark.parametrize("banks", [0, 32])
def test_planes_multiply_every_input_with_every_weight_of_a_channel(banks: int) -> None:
    """Without zeros: 4 x 4 PEs with 2 x 2 inputs each, in vectors of 4 with 4 of 2 x 9 weights; channel by channel."""
    layer = Layer("plane", K=2, C=3, P=8, Q=8, R=3, S=3, padding=(1, 1, 1, 1))
    spec = load("systolic_32x32").with_values(
        {
            "pe_array.rows": 4,
            "pe_array.columns": 4,
            "pe_array.lanes": 16,
            "pe_array.arrangement": "multicast",
            "pe_array.zero_handling.input": "skip",
            "pe_array.zero_handling.weight": "skip",
            "pe_array.matching.style": "plane",
            "pe_array.matching.inputs": 4,
            "pe_array.matching.weights": 4,
            "pe_array.matching.banks": banks,
            "pe_array.registers.output": 8,
            "pe_array.distribution.P": "blocked",
            "pe_array.distribution.Q": "blocked",
        }
    )
    mapping = candidates("planar_tiled", layer, array_shape(spec))[0][0]
    assert [mapping.pass_extent(axis) for axis in "CKRSPQ"] == [3, 2, 3, 3, 8, 8]
    vectors = 3 * 1 * 5
    found = report(layer, mapping, spec).mac_cycles
    assert found == vectors if not banks else vectors <= found <= 4 * vectors
    half = report(replace(layer, density=Density(0.5, 0.5)), mapping, spec)
    assert half.mac_cycles < found


@pytest.mark.parametrize("pixels", [1, 6])
def test_inputs_broadcast_to_columns_take_their_nonzero_weights(pixels: int) -> None:
    """Without zeros an output's weights take as long as on a dense array; skipped inputs announce no pass."""
    layer = Layer("columns", K=64, C=32, Q=pixels)
    spec = load("eie").with_values({"pe_array.rows": 8, "pe_array.slack": 0})
    mapping = candidates("input_broadcast", layer, array_shape(spec))[0][0]
    assert report(layer, mapping, spec).mac_cycles == 64 // 8 * 32 * pixels
    halved = report(replace(layer, density=Density(input=0.5)), mapping, spec)
    assert halved.mac_cycles * 8 == halved.effectual_macs


def test_weights_that_stay_coded_take_less_of_their_buffer() -> None:
    """4096 x 4096 weights of 16 bits are 32 MiB; a tenth of them in entries of 8 bits fits 10."""
    layer = Layer("coded", C=4096, K=4096, density=Density(0.3, 0.1))
    spec = load("eie")
    mapping = candidates("input_broadcast", layer, array_shape(spec))[0][0]
    result = simulate_layer(layer, mapping, spec)
    held = result.lowered.program.resident_bits[0, 1]
    assert held == result.report.dram_read_weight_bits < 10 * 1024 * 8192
    assert result.report.weight_buffer_write_bits == held
    assert result.report.weight_buffer_read_bits < 0.4 * held  # columns of zero inputs are never read
    with pytest.raises(InputError, match=r"weight_buffer.kib = 10240 is too small"):
        simulate_layer(layer, mapping, spec.with_values({"weight_buffer.compressed": False}))
