"""Can a mapping cost less than what no mapping should beat? Simulated and estimated, dense and with zeros."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import accel
from accel.bounds import bounds, unrolling_bound
from accel.closed_form import costs
from accel.encode import widths
from accel.known_zeros import KnownZeros
from accel.occupancy import occupancy
from accel.program import INPUT
from accel.report import COLUMNS
from accel.residency import NOWHERE, Residency
from accel.simulation import simulate_layer
from accel.task import map_space
from mappings import Loop, Mapping
from mappings.column import MappingColumn, Shape
from mappings.mapping import LEVELS
from tests.strategies import accelerators, layers, layers_and_mappings
from workloads import Layer

Case = tuple[Layer, Mapping]
OFF_CHIP = tuple(name for name in COLUMNS if name.startswith("dram_") and name.endswith("_bits"))[:5]
ROOMY = {"data_buffer.kib": 4096.0, "weight_buffer.kib": 4096.0}


def of_one(mapping: Mapping) -> MappingColumn:
    """A column of the mapping alone."""
    shape = Shape("one", **{level: tuple(loop.axis for loop in getattr(mapping, level)) for level in LEVELS})
    factors = [[loop.factor for level in LEVELS for loop in getattr(mapping, level)]]
    return MappingColumn(shape, np.array(factors, dtype=np.int64))


def beaten(layer: Layer, mapping: Mapping, spec: accel.Accelerator) -> dict[str, tuple[float, float]]:
    """(found, bound) of all that is less than its bound, of the simulation and of the estimate."""
    zeros = KnownZeros.of(layer, occupancy(layer, widths(layer.bits, spec), spec, 0), spec)
    least = bounds(layer, spec, zeros=zeros)
    report = asdict(simulate_layer(layer, mapping, spec).report)
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    pairs: dict[str, tuple[float, float]] = {}
    # Where zeros are skipped, estimated cycles are expected ones, rounded: the bound rounds up.
    for source, found, rounding in (("simulated", report, 0.0), ("estimated", row, 1.0)):
        pairs[f"{source} MAC cycles"] = (found["mac_cycles"] + rounding, least.mac_cycles)
        pairs[f"{source} port cycles"] = (found["compute_cycles"] + rounding, least.port_cycles)
        pairs[f"{source} DMA cycles"] = (found["dma_busy_cycles"], least.dram_cycles)
        pairs[f"{source} latency beyond the DMA's"] = (
            found["latency_cycles"] + rounding,
            found["dma_busy_cycles"] + least.setup_cycles,
        )
        pairs[f"{source} latency"] = (found["latency_cycles"], least.latency_cycles)
        pairs[f"{source} energy"] = (found["energy_pj"] * (1 + 1e-9), least.energy_pj)
        pairs[f"{source} DRAM bits"] = (sum(found[name] for name in OFF_CHIP), least.dram_bits)
        pairs[f"{source} cycles outside the array"] = (
            found["latency_cycles"] + rounding - found["compute_cycles"],
            least.setup_cycles,
        )
    if not spec.pe_array.skips:
        for name, found in (("latency", report["latency_cycles"]), ("energy", report["energy_pj"])):
            bound = unrolling_bound(layer, spec, NOWHERE, name, zeros)(of_one(mapping))
            pairs[f"unrolled {name}"] = (found, bound[0])
    return {name: pair for name, pair in pairs.items() if pair[0] < pair[1]}


@given(layers_and_mappings(), st.data())
def test_dense_layers_do_not_beat_their_bounds(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    assert beaten(layer, mapping, data.draw(accelerators(mapping)).with_values(ROOMY)) == {}


@given(layers_and_mappings(), st.data())
def test_nor_do_layers_whose_maps_stay_on_chip(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    spec = data.draw(accelerators(mapping)).with_values(ROOMY)
    kept = Residency(input=data.draw(st.booleans()), output=data.draw(st.booleans()))
    least = bounds(layer, spec, kept)
    report = simulate_layer(layer, mapping, spec, residency=kept).report
    row = costs(layer, of_one(mapping), spec, kept)
    for latency, energy_pj in ((report.latency_cycles, report.energy_pj), (row.latency_cycles[0], row.energy_pj[0])):
        assert latency >= least.latency_cycles
        assert energy_pj * (1 + 1e-9) >= least.energy_pj


@given(layers_and_mappings(dense=False), st.data())
def test_nor_do_layers_with_zeros_that_are_coded_and_gated(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    codecs = {
        f"dma.codec.{operand}": data.draw(st.sampled_from(["none", "rlc", "bitmask", "csc"]))
        for operand in ("input", "weight", "output")
    }
    gates = {
        f"pe_array.zero_handling.{operand}": data.draw(st.sampled_from(["none", "gate"]))
        for operand in ("input", "weight")
    }
    assert beaten(layer, mapping, data.draw(accelerators(mapping)).with_values(ROOMY | codecs | gates)) == {}


@pytest.mark.parametrize("chip", ["eie", "cnvlutin", "sparten", "scnn", "eyeriss_v2_pe"])
@settings(max_examples=40)
@given(layer=layers(dense=False), data=st.data())
def test_nor_do_layers_whose_zeros_are_skipped(chip: str, layer: Layer, data: st.DataObject) -> None:
    spec = accel.load(chip)
    seeds = map_space(layer, spec).seeds()
    assume(seeds)
    column = data.draw(st.sampled_from(seeds))
    assert beaten(layer, column[data.draw(st.integers(0, len(column) - 1))], spec) == {}


ONE_TILE = {"data_buffer.double_buffered": False, "controller.layer_setup_cycles": 5000}


@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32", "bit_fusion"])
@pytest.mark.parametrize("tile_setup", [0, 70])
def test_what_a_layer_of_a_few_words_takes_is_told_but_for_the_inputs_and_a_turn(chip: str, tile_setup: int) -> None:
    """One tile of one MAC: set-up, weights, inputs, the DRAM's latency, the array, a turn of the DMA and the store."""
    spec = accel.load(chip).with_values(ONE_TILE | {"controller.tile_setup_cycles": tile_setup})
    layer = Layer("one", op="matmul", K=1, C=1)
    result = simulate_layer(layer, Mapping("whole"), spec)
    report, program, least = result.report, result.lowered.program, bounds(layer, spec)
    untold = int(program.transfer_cycles[0, INPUT]) + program.turnaround_cycles
    assert least.setup_cycles == 5000 + tile_setup
    assert report.latency_cycles - untold - report.port_bound_cycles <= least.latency_cycles <= report.latency_cycles


def test_an_array_left_idle_by_its_unrolling_takes_as_long_with_the_set_up_as_simulated() -> None:
    """One PE of many does all; the port of the weights is wide enough for it."""
    spec = accel.load("eyeriss_v1").with_values(ROOMY)
    layer = Layer("long", K=64, C=64, P=4, Q=4)
    mapping = Mapping("one_pe", registers=tuple(Loop(axis, getattr(layer, axis)) for axis in "KCPQ"))
    bound = float(unrolling_bound(layer, spec, NOWHERE, "latency")(of_one(mapping))[0])
    report = simulate_layer(layer, mapping, spec).report
    assert layer.macs + spec.controller.layer_setup_cycles < bound <= report.latency_cycles
