"""Do the parts of the JSON report sum to its totals: cycles, energy by part, DRAM bits by operand?"""

from __future__ import annotations

import json
from dataclasses import replace
from math import isclose
from typing import Any

import pytest

import accel
from mappings import Budget, Loop, Mapping
from workloads import Density, Layer, Network
from workloads.builder import NetworkBuilder
from workloads.layer import DIMS

CYCLES = ("compute", "stall_data", "stall_weight", "stall_output", "stall_controller")
PARTS = ("pe_array", "data_buffer", "weight_buffer", "controller", "dma", "leakage")
IN_THE_ARRAY = ("mac", "register", "wire", "clock", "decode")
DRAM = ("read_input", "read_weight", "read_psum", "write_output", "write_psum")
CASES = (
    "eyeriss_v1",  # gated zeros, coded maps off chip
    "eyeriss_v1, fused",
    "eyeriss_v1, spilling",  # partial sums that go to the DRAM and come back
    "tpu_v1",  # a systolic array, accumulators apart, weights fetched ahead
    "scnn",  # skipped zeros, buffers of coded maps
    "bit_fusion",  # composable multipliers
)


class Spilling:
    """Mappings whose channels turn outside the rows of pixels: each row's sums are stored and fetched again."""

    source = "test"

    def mapping_for(self, layer: Layer) -> Mapping:
        inner = tuple(Loop(dim, size) for dim, size in zip(DIMS, layer.extents, strict=True) if dim not in "CP")
        return Mapping("spilling", off_chip=(Loop("C", layer.C), Loop("P", layer.P)), on_chip=inner)


def network() -> Network:
    """Convolutions with zeros and strides, a pool, a sum, a concatenation and a fully connected layer; two images."""
    net = NetworkBuilder("small", (2, 8, 12, 12))
    first = net.conv("first", "input", 16, 3, 2, 1)
    second = net.conv("second", first, 16, 3, 1, 1, groups=2)
    pooled = net.max_pool("pooled", net.add("added", first, second), 2, 2)
    wide = net.concat("wide", pooled, net.conv("third", pooled, 8, 1))
    net.linear("classes", net.flatten("flat", wide), 10)
    return net.build().map_layers(lambda layer: replace(layer, density=Density(0.5, 0.4, 0.6)))


@pytest.fixture(scope="module", params=CASES)
def content(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The JSON report, read again."""
    chip, _, kind = request.param.partition(", ")
    mapping = Spilling() if kind == "spilling" else "auto"
    report = accel.simulate(network(), chip, mapping=mapping, budget=Budget(mappings=200), fuse=kind == "fused")
    found: dict[str, Any] = json.loads(report.to_json())
    totals = found["totals"]
    assert len(found["layers"]) == 6
    assert bool(found["fused"]) == (kind == "fused")
    assert (totals["dram_read_psum_bits"] > 0) == (kind == "spilling")
    assert (totals["prefetched_cycles"] > 0) == (chip in ("tpu_v1", "scnn"))
    assert (totals["gated_macs"] > 0, totals["skipped_macs"] > 0) == (chip == "eyeriss_v1", chip == "scnn")
    return found


def test_cycles_of_a_layer_are_work_and_waits(content: dict[str, Any]) -> None:
    for row in content["layers"]:
        assert row["latency_cycles"] == sum(row[f"{part}_cycles"] for part in CYCLES)
        assert row["mac_cycles"] + row["port_bound_cycles"] <= row["compute_cycles"]
        assert row["index_match_cycles"] <= row["mac_cycles"]
        assert row["latency_ms"] == pytest.approx(row["latency_cycles"] / content["clock_mhz"] / 1e3)


def test_cycles_of_the_network_are_those_of_its_layers_but_for_weights_that_came_before(
    content: dict[str, Any],
) -> None:
    rows, totals = content["layers"], content["totals"]
    assert totals["latency_cycles"] == sum(row["latency_cycles"] for row in rows) - totals["prefetched_cycles"]
    assert (
        0 <= totals["prefetched_cycles"] <= sum(row["stall_weight_cycles"] + row["stall_data_cycles"] for row in rows)
    )
    assert totals["latency_ms"] == pytest.approx(totals["latency_cycles"] / content["clock_mhz"] / 1e3)
    busy = sum(row["utilization"] * row["latency_cycles"] for row in rows)
    assert totals["utilization"] == pytest.approx(busy / totals["latency_cycles"])


def test_energy_is_that_of_the_parts(content: dict[str, Any]) -> None:
    for table in (*content["layers"], content["totals"]):
        assert table["energy_pj"] == pytest.approx(sum(table[f"energy_{part}_pj"] for part in PARTS), rel=1e-12)
        array = sum(table[f"energy_{part}_pj"] for part in IN_THE_ARRAY)
        assert table["energy_pe_array_pj"] == pytest.approx(array, rel=1e-12)
        assert table["energy_dram_pj"] <= table["energy_dma_pj"] * (1 + 1e-12)


def test_dram_bits_are_those_of_the_operands(content: dict[str, Any]) -> None:
    totals = content["totals"]
    assert totals["dram_bits"] == sum(totals[f"dram_{operand}_bits"] for operand in DRAM)
    for table in (*content["layers"], totals):
        assert table["dram_read_psum_bits"] == table["dram_write_psum_bits"]
        values = (table[f"dram_{operand}_bits"] for operand in ("read_input", "read_weight", "write_output"))
        assert table["dram_index_bits"] <= sum(values)
        stored = (table[f"stored_{operand}_bits"] for operand in ("input", "weight", "output"))
        assert table["stored_index_bits"] <= sum(stored)


def test_macs_are_done_gated_or_skipped(content: dict[str, Any]) -> None:
    for table in (*content["layers"], content["totals"]):
        assert table["effectual_macs"] <= table["macs"] - table["gated_macs"] - table["skipped_macs"]
        assert table["multiplier_free_ops"] <= table["macs"]
    by_hand = 2 * (16 * 8 * 9 * 36 + 16 * 8 * 9 * 36 + 8 * 16 * 9 + 10 * 24 * 9)
    assert content["totals"]["macs"] == by_hand


def test_every_other_total_is_the_sum_of_its_column(content: dict[str, Any]) -> None:
    network_own = {"latency_cycles", "latency_ms", "utilization", "prefetched_cycles", "dram_bits"}
    numbers = {name for name, value in content["layers"][0].items() if isinstance(value, int | float)}
    assert set(content["totals"]) == (numbers - {"pe_imbalance"}) | network_own
    for name, total in content["totals"].items():
        if name not in network_own:
            assert isclose(total, sum(row[name] for row in content["layers"]), rel_tol=1e-12), name
