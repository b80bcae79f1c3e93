"""Can a mapping cost less than what no mapping should beat? Simulated and estimated, dense and with zeros."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import accel
from accel.bounds import bounds, unrolling_bound
from accel.encode import widths
from accel.known_zeros import KnownZeros
from accel.occupancy import occupancy
from accel.report import COLUMNS
from accel.residency import NOWHERE
from accel.simulation import simulate_layer
from accel.task import map_space
from mappings import Mapping
from mappings.column import MappingColumn, Shape
from mappings.mapping import LEVELS
from tests.strategies import accelerators, layers, layers_and_mappings
from workloads import Layer

Case = tuple[Layer, Mapping]
OFF_CHIP = tuple(name for name in COLUMNS if name.startswith("dram_") and name.endswith("_bits"))[:5]
ROOMY = {"data_buffer.kib": 4096.0, "weight_buffer.kib": 4096.0}


def beaten(layer: Layer, mapping: Mapping, spec: accel.Accelerator) -> dict[str, tuple[float, float]]:
    """(found, bound) of all that is less than its bound, of the simulation and of the estimate."""
    zeros = KnownZeros.of(layer, occupancy(layer, widths(layer.bits, spec), spec, 0), spec)
    least = bounds(layer, spec, zeros=zeros)
    report = asdict(simulate_layer(layer, mapping, spec).report)
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    pairs = {}
    # Where zeros are skipped, estimated cycles are expected ones, rounded: the bound rounds up.
    for source, found, rounding in (("simulated", report, 0.0), ("estimated", row, 1.0)):
        pairs[f"{source} MAC cycles"] = (found["mac_cycles"] + rounding, least.mac_cycles)
        pairs[f"{source} port cycles"] = (found["compute_cycles"] + rounding, least.port_cycles)
        pairs[f"{source} DMA cycles"] = (found["dma_busy_cycles"], least.dram_cycles)
        pairs[f"{source} latency"] = (found["latency_cycles"], least.latency_cycles)
        pairs[f"{source} energy"] = (found["energy_pj"] * (1 + 1e-9), least.energy_pj)
        pairs[f"{source} DRAM bits"] = (sum(found[name] for name in OFF_CHIP), least.dram_bits)
    if not spec.pe_array.skips:
        shape = Shape("one", **{level: tuple(loop.axis for loop in getattr(mapping, level)) for level in LEVELS})
        factors = np.array([[loop.factor for level in LEVELS for loop in getattr(mapping, level)]], dtype=np.int64)
        for name, found in (("latency", report["latency_cycles"]), ("energy", report["energy_pj"])):
            bound = unrolling_bound(layer, spec, NOWHERE, name, zeros)(MappingColumn(shape, factors))
            pairs[f"unrolled {name}"] = (found, bound[0])
    return {name: pair for name, pair in pairs.items() if pair[0] < pair[1]}


@given(layers_and_mappings(), st.data())
def test_dense_layers_do_not_beat_their_bounds(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    assert beaten(layer, mapping, data.draw(accelerators(mapping)).with_values(ROOMY)) == {}


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
