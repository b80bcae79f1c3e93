"""Fused pairs: is only the map between saved, is every band paid for, and does the network still compute the same?"""

from __future__ import annotations

import json

import numpy as np
import pytest

import accel
from accel.banding import BandSearch
from accel.evaluation import Evaluation, evaluate
from accel.fusion import FusedPair, Fuser, reading_window
from accel.lower import turn_starts
from accel.objective import Objective
from accel.program import INPUT, WEIGHT
from accel.residency import MapLives
from accel.simulation import simulate_layer
from accel.tally import Tally
from mappings import Budget
from mappings.bands import Window
from workloads import InputError, Network
from workloads.builder import NetworkBuilder
from workloads.fusion import ACTIVATIONS

SHORT = Budget(mappings=50)
CHIP = accel.load("systolic_32x32").with_values({"data_buffer.kib": 64, "controller.layer_setup_cycles": 100})


@pytest.fixture(scope="module")
def net() -> Network:
    """Depthwise and pointwise, a pooling, a residual sum, and a map with two readers."""
    build = NetworkBuilder("pairs", (1, 16, 56, 56), "none")
    wide = build.conv("wide", "input", 32, 1, 1, 0)
    deep = build.conv("deep", wide, 32, 3, 1, 1, groups=32)
    point = build.conv("point", deep, 16, 1, 1, 0)
    pooled = build.max_pool("pooled", build.conv("before", point, 24, 3, 1, 1), 3, 2)
    first = build.conv("first", pooled, 24, 3, 1, 1)
    added = build.add("added", build.conv("second", first, 24, 3, 1, 1), first)
    build.linear("classes", build.global_average_pool("mean", added), 10)
    return build.build()


@pytest.fixture(scope="module")
def pairs(net: Network) -> dict[str, FusedPair]:
    """All pairs that fit, by producer."""
    return {pair.producer: pair for pair in every_pair(net, CHIP)}


@pytest.fixture(scope="module")
def fused(net: Network) -> Evaluation:
    return evaluate(net, CHIP, fuse=True, budget=SHORT, objective="dram")


def every_pair(net: Network, spec: accel.Accelerator) -> list[FusedPair]:
    """All pairs that fit, whether they pay or not."""
    fuser = Fuser(net, MapLives.of(net, spec), frozenset(), BandSearch(spec, None, "dram", SHORT))
    found = []
    for place in fuser.candidates():
        best = fuser.best_split(place, Tally(1, 1, 1))
        pair = None if best is None else fuser.pair(place, best[1])
        if pair is not None:
            found.append(pair)
    return found


def test_a_map_with_two_readers_or_without_rows_is_never_fused_away(net: Network) -> None:
    lives = MapLives.of(net, CHIP)
    places = Fuser(net, lives, frozenset(), BandSearch(CHIP, None, "dram", SHORT)).candidates()
    names = [(lives.nodes[place].name, lives.nodes[place + 1].name) for place in places]
    assert names == [
        ("wide", "deep"), ("deep", "point"), ("point", "before"), ("before", "pooled"), ("second", "added"),
    ]  # fmt: skip


def test_a_pair_saves_its_map_once_out_and_once_in_and_nothing_else(net: Network, pairs: dict[str, FusedPair]) -> None:
    """The same mappings with and without the map on chip; every input word of these layers is fetched in turn."""
    roomy = CHIP.with_values({"data_buffer.kib": 10_000, "weight_buffer.kib": 10_000})
    assert len(pairs) == 5
    for pair in pairs.values():
        made = net.node(pair.producer)
        producer, consumer = pair.halves
        assert made.layer is not None and producer.mapping is not None
        alone = simulate_layer(made.layer, producer.mapping, roomy).report
        assert alone.dram_bits - producer.row.dram_bits == made.words * CHIP.pe_array.bits.output
        assert producer.row.dram_write_output_bits == 0
        read = net.node(pair.consumer)
        if read.layer is not None and consumer.mapping is not None:
            result = simulate_layer(read.layer, consumer.mapping, roomy)
            assert result.report.dram_bits - consumer.row.dram_bits == result.report.dram_read_input_bits
            assert result.report.dram_read_input_bits >= made.words * CHIP.pe_array.bits.input
        held = {pair.consumer: made.words * CHIP.pe_array.bits.input}
        assert consumer.row.dram_read_input_bits in (0, held[pair.consumer] if read.op == "add" else 0)


def test_weights_that_stay_are_fetched_once_in_both_layers(net: Network, pairs: dict[str, FusedPair]) -> None:
    """All weights of these layers fit: traffic is input, weights and result, whatever the bands."""
    pair = pairs["deep"]
    made, read = net.node("deep").layer, net.node("point").layer
    assert made is not None and read is not None
    weights = 32 * 9 + 32 * 16
    assert pair.turns > 1
    bits = sum(half.row.dram_read_weight_bits for half in pair.halves)
    assert bits == weights * 8
    assert pair.halves[1].row.dram_bits == (32 * 16 + 16 * 56 * 56) * 8


def test_every_turn_of_a_shared_array_is_set_up_and_starts_cold(net: Network, pairs: dict[str, FusedPair]) -> None:
    pair = pairs["deep"]
    for name, half in pair.by_name.items():
        layer = net.node(name).layer
        assert layer is not None and half.mapping is not None
        result = simulate_layer(layer, half.mapping, CHIP, residency=half.residency, every_step=True)
        starts = turn_starts(result.schedule, half.residency.turn_loops)
        assert result.report.controller_busy_cycles == 100 * len(starts)
        assert len(starts) > 1
        timeline = result.activity.timeline
        for start in starts[1:]:
            for kind in (INPUT, WEIGHT):
                begun = timeline.begun[start:, kind]
                assert (begun[begun >= 0] >= timeline.finished[start - 1]).all()
        skipped = simulate_layer(layer, half.mapping, CHIP, residency=half.residency)
        assert not skipped.activity.differs(result.activity)


def test_a_vector_unit_shares_no_array_so_its_partner_is_set_up_once(net: Network, pairs: dict[str, FusedPair]) -> None:
    pair = pairs["before"]
    assert pair.turns > 1
    assert pair.halves[0].row.controller_busy_cycles == 100
    assert pair.halves[1].row.dram_bits == net.node("pooled").words * 8


def test_what_is_held_fits_the_buffer_with_all_tiles(pairs: dict[str, FusedPair]) -> None:
    for pair in pairs.values():
        assert 0 < pair.held_bits <= min(half.residency.reserved_bits for half in pair.halves) <= 64 * 8192


@pytest.mark.parametrize("objective", ["edp", "dram"])
def test_fusing_never_worsens_the_objective(net: Network, objective: Objective) -> None:
    plain, with_pairs = (
        evaluate(net, CHIP, fuse=fuse, budget=SHORT, objective=objective).report for fuse in (False, True)
    )
    first, then = (
        Tally.of(report.layers, report.prefetched_cycles).objective(objective) for report in (plain, with_pairs)
    )
    assert then <= first
    assert (then < first) == bool(with_pairs.context["fused"])


def test_the_report_says_which_pairs_were_fused_and_adds_up(net: Network, fused: Evaluation) -> None:
    report = fused.report
    partners = {row.layer: row.fused_with for row in report.layers if row.fused_with}
    assert partners
    assert all(partners[other] == name for name, other in partners.items())
    content = json.loads(report.to_json())
    assert {(pair["producer"], pair["consumer"]) for pair in content["fused"]} <= set(partners.items())
    assert 2 * len(content["fused"]) == len(partners)
    assert set(report.to_frame()["fused_with"]) == {"", *partners}
    for row in report.layers:
        assert row.latency_cycles == row.compute_cycles + row.stall_cycles
    plain = evaluate(net, CHIP, budget=SHORT, objective="dram").report
    assert not plain.context["fused"]
    assert not any(row.fused_with for row in plain.layers)


def test_the_same_run_gives_the_same_pairs(net: Network, fused: Evaluation) -> None:
    assert evaluate(net, CHIP, fuse=True, budget=SHORT, objective="dram").report.to_json() == fused.report.to_json()


def test_values_are_those_of_the_network_not_fused(net: Network, fused: Evaluation) -> None:
    picture = {"input": np.random.default_rng(1).normal(size=(1, 16, 56, 56))}
    outputs = [
        evaluate(net, CHIP, fuse=fuse, budget=SHORT, objective="dram", inputs=picture).outputs["classes"]
        for fuse in (False, True)
    ]
    assert fused.report.context["fused"]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("kind", [*sorted(ACTIVATIONS), "clip", "leaky_relu", "power"])
def test_every_elementwise_activation_may_be_second(kind: str) -> None:
    """The first activation is the convolution's own, so the next one stays an operation, row by row."""
    build = NetworkBuilder("pair", (1, 8, 16, 16), "none")
    made = build.conv("made", "input", 8, 1, activation="relu")
    build.node("then", kind, (made,), build.shape(made))
    net = build.build()
    assert reading_window(net.node("then"), net.node("made")) == Window(1, 1, 0)
    (pair,) = every_pair(net, CHIP.with_values({"data_buffer.kib": 4}))
    assert pair.halves[1].row.dram_bits == net.node("then").words * CHIP.pe_array.bits.output


def test_images_of_a_batch_are_fused_one_after_another() -> None:
    build = NetworkBuilder("batch", (2, 32, 28, 28), "none")
    build.conv("point", build.conv("deep", "input", 32, 3, 1, 1, groups=32), 16, 1, 1, 0)
    (pair,) = every_pair(build.build(), CHIP.with_values({"data_buffer.kib": 24}))
    assert pair.turns > 2
    assert pair.halves[0].row.dram_read_weight_bits == 32 * 9 * 8
    assert pair.halves[1].row.dram_write_output_bits == 2 * 16 * 28 * 28 * 8


def test_pairs_need_mappings_of_their_own(net: Network) -> None:
    with pytest.raises(InputError, match="leave the mapping file out, or do not fuse"):
        evaluate(net, CHIP, mapping=_NoMappings(), fuse=True)


class _NoMappings:
    source = "none"

    def mapping_for(self, layer: object) -> object:
        raise AssertionError(layer)
