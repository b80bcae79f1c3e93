"""Does SCNN come out as published: the dense end, and single layers of the networks, which together take a minute?"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, prod

import pytest

from accel.mapper import map_layer
from accel.simulation import simulate_layer
from accel.spec import load
from experiments.scnn import CLUSTERS, PRINTED_GROUP, bank_cost, compared, convolutions, dense_cycles, networks
from experiments.scnn_mapping import CODED_BITS, MEMORY_BITS, mapping_of, parts_of_the_plane
from workloads import Density
from workloads import load as load_network


def test_alexnet_is_within_the_bound_of_the_published_speed_up() -> None:
    (alexnet,) = networks(only=("alexnet",))
    assert abs(alexnet.error_percent) <= 25.0
    assert alexnet.of_products >= alexnet.ours


def test_the_dense_baseline_takes_its_closed_form() -> None:
    """The largest of 8 x 8 tiles, filter by filter, 16 of the reduction a cycle."""
    for layer in convolutions("alexnet"):
        tile = prod(ceil(extent / 8) for extent in (layer.P, layer.Q))
        assert dense_cycles(layer) == layer.G * layer.K * tile * ceil(layer.C * layer.R * layer.S / 16)


def test_small_planes_lose_to_the_baseline_without_zeros_and_others_do_not() -> None:
    """A PE with one activation uses a quarter of its multipliers; with four it keeps up but for its halo."""
    layers = {layer.name: layer for layer in load_network("googlenet").layers}
    small, large = (compared(layers[f"inception_{name}.1x1"]) for name in ("5b", "4a"))
    assert small.dense / small.sparse == pytest.approx(0.25, rel=0.02)
    assert large.dense / large.sparse == pytest.approx(1.0, rel=0.02)


def test_zeros_that_cluster_in_channels_fill_vectors_better() -> None:
    """A channel with few nonzeros costs a part-filled vector in every PE; one with none costs nothing."""
    layer = next(layer for layer in convolutions("alexnet") if layer.name == "conv4")
    independent, skewed = (compared(layer, CLUSTERS[name]) for name in ("none", "skew 0.6"))
    assert skewed.sparse < independent.sparse
    assert skewed.utilization > independent.utilization


def test_queues_before_the_banks_take_up_conflicts() -> None:
    layer = next(layer for layer in convolutions("alexnet") if layer.name == "conv5")
    none, some, many = (bank_cost(layer, queue) for queue in (0, 4, 16))
    assert none > 1.3 > 1.02 > some >= many >= 1.0


def test_groups_of_as_many_filters_as_the_paper_names_fit() -> None:
    layer = replace(next(iter(convolutions("alexnet"))), density=Density(0.5, 0.5))
    mapping = mapping_of(layer, PRINTED_GROUP)
    assert mapping.pass_extent("K") == 8
    assert compared(layer, most_filters=PRINTED_GROUP).sparse > 0


def test_planes_stay_whole_where_their_maps_fit_the_memories() -> None:
    """A PE's part of conv3_1 of VGG is 7 x 7 of 256 channels, of 20 bits a nonzero, of which 10 KB hold a third."""
    layer = next(layer for layer in load_network("vgg16").layers if layer.name == "conv3_1")
    share = MEMORY_BITS / (7 * 7 * 256 * CODED_BITS)
    assert 0.3 < share < 0.34
    parts = [
        parts_of_the_plane(mapping_of(replace(layer, density=Density(0.1, 0.5, density))))
        for density in (0.9 * share, 1.1 * share)
    ]
    assert parts[0] == 1 < parts[1]


def test_weights_at_the_rate_of_the_dram_only_cost_time() -> None:
    layers = {layer.name: replace(layer, density=Density(0.1, 0.1)) for layer in load_network("googlenet").layers}
    small = layers["inception_5b.1x1"]
    free, fast, slow = (compared(small, weight_port_bits=bits) for bits in (65536, 400, 32))
    assert free.products == fast.products == slow.products
    assert free.products <= free.sparse < fast.sparse < slow.sparse


def test_fully_connected_layers_map_by_themselves() -> None:
    chip = load("scnn")
    layer = next(layer for layer in load_network("alexnet").layers if layer.name == "fc8")
    report = simulate_layer(layer, map_layer(layer, chip), chip).report
    assert report.mac_cycles >= layer.macs / (chip.pe_array.multipliers / 4)
    assert report.pe_imbalance < 1.1
