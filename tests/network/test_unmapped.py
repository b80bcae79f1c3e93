"""A layer that no mapping fits: are the others what they are without it, and is it said what is missing?"""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import accel
from accel.evaluation import evaluate, simulate
from accel.mapper import NoMapping, map_layer
from mappings import Budget
from mappings.file import MappingBook
from workloads import InputError, Network
from workloads.builder import NetworkBuilder
from workloads.execute import execute

SMALL = accel.load("zhang_fpga15").with_values({"weight_buffer.kib": 0.35, "weight_buffer.double_buffered": True})
"""Holds the weights of a kernel of one word, not of 7 x 7."""
SHORT = Budget(1000)
KEEPS = SMALL.with_values({"data_buffer.keep_maps": True})


def built() -> Network:
    """A large kernel between two pairs of small ones, and a map that is read before and after it."""
    net = NetworkBuilder("built", (1, 4, 16, 16), "none")
    second = net.conv("second", net.conv("first", "input", 8, 1), 8, 1)
    third = net.conv("third", net.conv("large", second, 8, 7, padding=3), 8, 1)
    net.conv("last", net.add("added", third, second), 8, 1)
    return net.build()


def chain() -> Network:
    """The large kernel between two small ones, with zeros between them."""
    net = NetworkBuilder("chain", (1, 4, 16, 16), "relu")
    large = net.conv("large", net.conv("first", "input", 8, 1), 8, 7, padding=3)
    net.conv("last", large, 8, 1)
    return net.build()


def halves(network: Network) -> tuple[Network, Network]:
    """What comes before the large kernel, and what comes after it, which reads two maps made elsewhere."""
    place = [node.name for node in network.nodes].index("large")
    before, after = network.nodes[:place], network.nodes[place + 1 :]
    elsewhere = {name: network.shape_of(name) for name in ("large", "second")}
    return Network("before", network.inputs, before), Network("after", elsewhere, after)


@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize("chip", [SMALL, KEEPS], ids=["out_and_in", "keeps"])
def test_the_others_are_the_networks_before_and_after_it(chip: accel.Accelerator, fuse: bool) -> None:
    """DRAM traffic adds up, so that what is best for each half is best for both."""
    network = built()
    report = simulate(network, chip, objective="dram", fuse=fuse, partial=True, budget=SHORT)
    parts = [simulate(half, chip, objective="dram", fuse=fuse, budget=SHORT) for half in halves(network)]
    assert report.layers == tuple(row for part in parts for row in part.layers)
    assert report.prefetched_cycles == sum(part.prefetched_cycles for part in parts)
    assert report.latency_cycles == sum(part.latency_cycles for part in parts)
    assert list(report.unmapped) == ["large"]


def test_what_was_kept_across_it_goes_out_and_comes_back() -> None:
    """With room for the weights all maps stay; without, those that the layer left out reads, makes or runs beside."""
    network, roomy = built(), KEEPS.with_values({"weight_buffer.kib": 8})
    whole, lacking = (simulate(network, chip, partial=True, budget=SHORT).layer for chip in (roomy, KEEPS))
    bits = roomy.pe_array.bits
    map_bits = 8 * 16 * 16 * bits.output
    assert whole("second").dram_write_output_bits == whole("third").dram_read_input_bits == 0
    assert whole("added").dram_read_input_bits == 0
    assert lacking("second").dram_write_output_bits == map_bits
    assert lacking("third").dram_read_input_bits >= 8 * 16 * 16 * bits.input
    assert lacking("added").dram_read_input_bits == map_bits  # the other one it adds stays
    assert lacking("first").dram_write_output_bits == lacking("third").dram_write_output_bits == 0


def test_half_of_a_pair_that_has_no_other_runs_by_itself() -> None:
    network, roomy = chain(), SMALL.with_values({"weight_buffer.kib": 64})
    (pair,) = simulate(network, roomy, objective="dram", fuse=True, budget=SHORT).context["fused"]
    assert "large" in (pair["producer"], pair["consumer"])
    fused, plain = (
        simulate(network, SMALL, objective="dram", fuse=fuse, partial=True, budget=SHORT) for fuse in (True, False)
    )
    assert fused.layers == plain.layers
    assert fused.context["fused"] == []
    assert [row.layer for row in fused.layers] == ["first", "last"]


def test_values_pass_through_it() -> None:
    """Its outputs come from its definition: those after it see the zeros that they see on a chip with room."""
    network, image = chain(), {"input": np.random.default_rng(3).standard_normal((1, 4, 16, 16))}
    narrow = accel.load("zhang_fpga15").with_values({"pe_array.bits.input": 8, "pe_array.bits.weight": 8})
    for chip, kib in ((narrow, 0.09), (accel.load("scnn"), 0.05)):
        done = evaluate(network, chip.with_values({"weight_buffer.kib": kib}), inputs=image, partial=True, budget=SHORT)
        whole = evaluate(network, chip, inputs=image, budget=SHORT)
        assert list(done.report.unmapped) == ["large"]
        assert [row.layer for row in done.report.layers] == [found for found, _ in done.results] == ["first", "last"]
        for row in done.report.layers:
            other = whole.report.layer(row.layer)
            assert (row.effectual_macs, row.operands) == (other.effectual_macs, other.operands)
        assert done.outputs is not None
        bits = chip.pe_array.bits
        np.testing.assert_array_equal(
            done.outputs["last"], execute(network, image, bits.input, bits.weight).outputs["last"]
        )


def test_layers_alike_are_each_named_and_totals_say_what_they_lack() -> None:
    net = NetworkBuilder("twins", (1, 8, 8, 8), "none")
    one = net.conv("one", "input", 8, 7, padding=3)
    net.conv("other", net.conv("two", net.conv("small", one, 8, 1), 8, 7, padding=3), 16, 7, padding=3)
    report = simulate(net.build(), SMALL, partial=True, budget=SHORT)
    assert [row.layer for row in report.layers] == ["small"]
    assert list(report.unmapped) == ["one", "two", "other"]
    for name, reason in report.unmapped.items():
        assert reason.startswith(f"layer {name}")
        assert "weight_buffer.kib = 0.35 is too small" in reason
    assert report.unmapped["two"].startswith("layer two, alike: layer one on zhang_fpga15")
    assert report.title == "twins without 3 layers on zhang_fpga15"
    content = json.loads(report.to_json())
    assert content["unmapped"] == report.unmapped
    assert list(content["mappings"]) == [row["layer"] for row in content["layers"]] == ["small"]
    whole = simulate(net.build(), accel.load("zhang_fpga15"), budget=SHORT)
    assert json.loads(whole.to_json())["unmapped"] == {}
    assert whole.title == "twins on zhang_fpga15"


def test_unless_asked_for_it_and_where_nothing_is_left_the_first_layer_ends_the_run() -> None:
    with pytest.raises(NoMapping, match="layer large on zhang_fpga15"):
        simulate(built(), SMALL, budget=SHORT)
    tiny = SMALL.with_values({"weight_buffer.kib": 0.001})
    with pytest.raises(NoMapping, match=r"layer first on zhang_fpga15.*weight_buffer\.kib = 0\.001 is too small"):
        simulate(built(), tiny, partial=True, budget=SHORT)


def test_a_refusal_from_another_process_still_knows_its_layer() -> None:
    layer = built().layers[2]
    with pytest.raises(NoMapping) as refused:
        map_layer(layer, SMALL, budget=SHORT)
    copied = pickle.loads(pickle.dumps(refused.value))
    assert (type(copied), str(copied), copied.layer) == (NoMapping, str(refused.value), layer)


def test_mistakes_end_the_run_at_once() -> None:
    network = built()
    with pytest.raises(InputError, match='no mapping for layer "first"'):
        simulate(network, SMALL, mapping=MappingBook({}), partial=True)
    with pytest.raises(InputError, match='unknown mapping "sideways"'):
        simulate(network, SMALL, mapping="sideways", partial=True)
    nothing: Any = None
    with pytest.raises(InputError, match="unknown mapping None: auto, any"):
        simulate(network, SMALL, mapping=nothing, partial=True)
