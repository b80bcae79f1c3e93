"""Does a network add up? Layers in order, kept maps, vector work, totals, determinism."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import accel
from accel.breakdown import ENERGY_PARTS
from accel.residency import plan, sources
from mappings import Budget
from workloads import InputError, Layer, Network, Node, load
from workloads.builder import NetworkBuilder

SHORT = Budget(50)


@pytest.fixture(scope="module")
def small() -> Network:
    """A residual block with a pool, a sum and a concatenation."""
    net = NetworkBuilder("small", (1, 8, 16, 16), "none")
    first = net.conv("first", "input", 16, 3, 1, 1)
    second = net.conv("second", first, 16, 3, 1, 1)
    added = net.add("added", first, second)
    pooled = net.max_pool("pooled", added, 2, 2)
    wide = net.concat("wide", pooled, net.conv("third", pooled, 8, 1, 1, 0))
    net.linear("classes", net.flatten("flat", wide), 10)
    return net.build()


def kept(network: Network, spec: accel.Accelerator) -> set[str]:
    return {name for name, residency in plan(network, spec).items() if residency.output}


def test_rows_follow_the_graph_and_addresses_cost_nothing(small):
    report = accel.simulate(small, accel.load("tpu_v1"), budget=SHORT)
    assert [row.layer for row in report.layers] == ["first", "second", "added", "pooled", "third", "classes"]


def test_layer_norm_takes_an_operation_a_word_on_the_vector_unit():
    net = NetworkBuilder("normed", (2, 5, 8), "none")
    net.layer_norm("norm", net.linear("rows", "input", 8))
    chip = accel.load("systolic_32x32").with_values({"vector_unit.lanes": 3})
    report = accel.simulate(net.build(), chip, budget=Budget(mappings=50))
    row = report.layers[-1]
    assert (row.layer, row.op, row.macs) == ("norm", "layer_norm", 0)
    assert row.compute_cycles == -(-2 * 5 * 8 // 3)
    assert row.energy_pj > 0


def test_totals_are_sums_of_the_rows(small):
    report = accel.simulate(small, accel.load("systolic_32x32"), budget=SHORT)
    frame, totals = report.to_frame(), report.totals()
    assert totals["macs"] == frame["macs"].sum() == small.macs
    assert totals["latency_cycles"] == frame["latency_cycles"].sum() - report.prefetched_cycles
    assert totals["energy_pj"] == pytest.approx(frame["energy_pj"].sum())
    parts = list(ENERGY_PARTS.values())
    assert frame[parts].sum(axis=1).tolist() == pytest.approx(frame["energy_pj"].tolist())
    stalls = [column for column in frame if column.startswith("stall_")]
    assert (frame["compute_cycles"] + frame[stalls].sum(axis=1) == frame["latency_cycles"]).all()


def test_a_buffer_that_holds_every_map_leaves_weights_input_and_result_in_dram(small):
    chip = accel.load("tpu_v1")
    report = accel.simulate(small, chip, budget=SHORT)
    frame = report.to_frame().set_index("layer")
    first = small.layers[0]
    words = first.N * first.C * first.H * first.W
    assert frame["dram_read_input_bits"].drop("first").sum() == 0
    assert frame.loc["first", "dram_read_input_bits"] >= words * chip.pe_array.bits.input
    assert frame["dram_read_weight_bits"].sum() == small.weights * chip.pe_array.bits.weight
    assert frame["dram_write_output_bits"].sum() == 10 * chip.pe_array.bits.output
    assert kept(small, chip) == {"first", "second", "added", "pooled", "third"}


def test_without_keeping_every_map_goes_out_and_comes_back(small):
    chip = accel.load("tpu_v1").with_values({"data_buffer.keep_maps": False})
    frame = accel.simulate(small, chip, budget=SHORT).to_frame().set_index("layer")
    bits = chip.pe_array.bits.output
    for name in ("first", "second", "added", "pooled", "third"):
        assert frame.loc[name, "dram_write_output_bits"] == small.node(name).words * bits
    assert frame.loc["added", "dram_read_input_bits"] == 2 * small.node("added").words * bits


def test_kept_maps_never_exceed_the_buffer(small):
    """In a buffer that shrinks, less and less stays, and what stays at once always fits."""
    sizes = [24 * 1024, 16, 8, 4, 2]
    found = []
    for kib in sizes:
        chip = accel.load("tpu_v1").with_values({"data_buffer.kib": float(kib)})
        residencies = plan(small, chip)
        assert all(residency.reserved_bits <= kib * 8192 for residency in residencies.values())
        found.append(len(kept(small, chip)))
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_a_concatenation_is_the_addresses_of_its_parts(small):
    assert sources(small, "flat") == ("pooled", "third")


def test_equal_layers_are_equal_rows_however_they_are_called():
    layer = Layer("a", K=16, C=16, P=8, Q=8, R=3, S=3, padding=(1, 1, 1, 1))
    shape = {"x": layer.input_shape, "y": layer.input_shape}
    twice = Network(
        "twice",
        shape,
        (
            Node("a", "conv", ("x",), layer.output_shape, layer),
            Node("b", "conv", ("y",), layer.output_shape, replace(layer, name="b")),
        ),
    )
    one, other = accel.simulate(twice, accel.load("systolic_32x32"), budget=SHORT).layers
    assert replace(one, layer="b") == other


def test_the_same_run_gives_the_same_bytes(small):
    sparse = small.map_layers(lambda layer: replace(layer, density=replace(layer.density, input=0.4)))
    chip = accel.load("eyeriss_v1")
    first, again = (accel.simulate(sparse, chip, seed=7, budget=SHORT).to_json() for _ in range(2))
    assert first == again
    assert first != accel.simulate(sparse, chip, seed=8, budget=SHORT).to_json()
    content = json.loads(first)
    assert content["seed"] == 7
    assert content["spec"]["pe_array"]["rows"] == 12
    assert set(content["mappings"]) == {layer.name for layer in small.layers}


def test_batching_weights_are_read_no_more_than_once_an_image():
    one, four = (accel.simulate(load("lenet5", batch), accel.load("tpu_v1"), budget=SHORT).totals() for batch in (1, 4))
    assert four["macs"] == 4 * one["macs"]
    assert one["dram_read_weight_bits"] <= four["dram_read_weight_bits"] <= 4 * one["dram_read_weight_bits"]


def test_a_layer_that_fits_no_buffer_names_itself_and_the_size_that_would_do():
    chip = accel.load("systolic_32x32").with_values({"data_buffer.kib": 0.001})
    with pytest.raises(InputError, match=r"layer conv1 .*data_buffer\.kib = 0\.001 is too small .* needs \d"):
        accel.simulate(load("lenet5"), chip, budget=SHORT)
