"""Do the presets that skip in dot products take the cycles of the closed forms their papers give?"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel import LayerReport
from accel.alike import alike
from accel.assignment import assign
from accel.simulation import simulate_layer
from accel.sparse_work import match_work, schedule_epochs
from accel.spec import load
from mappings import Loop, Mapping
from tests.strategies import layers_and_mappings
from workloads import Density, Layer, Tensors
from workloads.operands import draw


def zeros_in(layer: Layer, seed: int, inputs: float, weights: float, skew: float = 0.0) -> Layer:
    """Zeros at stated densities; with a skew, filters have densities of their own."""
    generator = np.random.default_rng(seed)
    dense = draw(layer, seed)
    shares = np.clip(weights + skew * (generator.random((layer.G * layer.K, 1, 1, 1)) - 0.5), 0.02, 1.0)
    kept = (generator.random(layer.input_shape) < inputs, generator.random(layer.weight_shape) < shares)
    return layer.with_tensors(Tensors(dense.input * kept[0].astype(np.int8), dense.weight * kept[1].astype(np.int8)))


def windows(layer: Layer) -> np.ndarray:
    """(pixels, taps, channels) of the input, padding written out, one image and one group."""
    assert layer.tensors is not None
    top, left, bottom, right = layer.padding
    padded = np.pad(layer.tensors.input[0], ((0, 0), (top, bottom), (left, right)))
    found = [
        [padded[:, p * layer.stride[0] + r, q * layer.stride[1] + s] for r in range(layer.R) for s in range(layer.S)]
        for p in range(layer.P)
        for q in range(layer.Q)
    ]
    return np.array(found)


def by_lane(window: np.ndarray, least: int) -> int:
    """Bricks of 16 channels, tap by tap, dealt to 16 lanes; each takes its nonzeros, or `least`."""
    bricks = [
        max(least, int(np.count_nonzero(tap[start : start + 16]))) for tap in window for start in range(0, len(tap), 16)
    ]
    return max(sum(bricks[lane::16]) for lane in range(16))


@pytest.mark.parametrize(("channels", "filters", "density"), [(64, 300, 0.4), (40, 20, 0.1), (16, 256, 1.0)])
@pytest.mark.parametrize("in_a_pass", [1, 5])
def test_cnvlutin_waits_for_the_slowest_lane_of_every_window(
    channels: int, filters: int, density: float, in_a_pass: int
) -> None:
    """The sum over windows of max over lanes of the sum over bricks of max(1, nonzeros), times K / 256 rounded up."""
    layer = Layer("conv", K=filters, C=channels, P=5, Q=4, R=3, S=3, padding=(1, 1, 1, 1), stride=(1, 1))
    layer = zeros_in(layer, 1, density, 1.0)
    volume = channels * 9
    mapping = Mapping(
        "windowed",
        on_chip=(Loop("K", ceil(filters / 256)), Loop("NPQ", 20 // in_a_pass)),
        registers=(Loop("CRS", ceil(volume / 16)), Loop("NPQ", in_a_pass)),
        rows=(Loop("K", 16),),
        columns=(Loop("K", 16),),
        lanes=(Loop("CRS", 16),),
    )
    report = simulate_layer(layer, mapping, load("cnvlutin")).report
    rounds = ceil(filters / 256)
    expected = sum(by_lane(window, 1) for window in windows(layer)) * rounds
    assert report.mac_cycles == expected
    assert report.index_match_cycles == expected - rounds * sum(by_lane(window, 0) for window in windows(layer))
    assert report.skipped_macs == report.macs - filters * np.count_nonzero(windows(layer))


def test_cambricon_x_takes_sixteen_selected_inputs_a_cycle() -> None:
    """The most, over PEs, of the sum over its outputs of nonzero weights / 16 rounded up."""
    layer = zeros_in(Layer("conv", K=48, C=24, P=4, Q=3, R=3, S=3), 2, 0.5, 0.3, skew=0.4)
    assert layer.tensors is not None
    mapping = Mapping(
        "windowed",
        on_chip=(Loop("NPQ", 12),),
        registers=(Loop("CRS", ceil(216 / 16)), Loop("K", 3)),
        rows=(Loop("K", 16),),
        lanes=(Loop("CRS", 16),),
    )
    report = simulate_layer(layer, mapping, load("cambricon_x")).report
    filters = np.count_nonzero(layer.tensors.weight, axis=(1, 2, 3))
    assert report.mac_cycles == 12 * max(sum(ceil(nonzeros / 16) for nonzeros in filters[pe::16]) for pe in range(16))
    assert report.index_match_cycles == 0


def paired(nonzeros: np.ndarray, units: int) -> list[list[int]]:
    """Filters by falling density to units 0, 1, ..., then back: the densest shares a unit with the sparsest."""
    order = sorted(range(len(nonzeros)), key=lambda filter: -nonzeros[filter])
    turns = [*range(units), *reversed(range(units))]
    return [
        [chosen for place, chosen in enumerate(order) if turns[place % (2 * units)] == unit] for unit in range(units)
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_sparten_waits_for_the_slowest_unit_of_a_cluster_in_every_chunk(whole: bool) -> None:
    """Per cluster the sum over chunks of the most over units of matches (at least 1) of its filters; the slowest."""
    layer = zeros_in(Layer("conv", K=64, C=200, P=4, Q=8, S=2), 3, 0.5, 0.4, skew=0.6)
    assert layer.tensors is not None
    clusters = 32 if whole else 16
    mapping = Mapping(
        "windowed_rows",
        on_chip=() if whole else (Loop("NPQ", 2),),
        registers=(Loop("CRS", 400), Loop("K", 2)),
        rows=(Loop("NPQ", clusters),),
        columns=(Loop("K", 32),),
    )
    report = simulate_layer(layer, mapping, load("sparten")).report
    weight = layer.tensors.weight.reshape(64, 200, 2)
    units = paired(np.count_nonzero(weight, axis=(1, 2)), 32)
    took = np.zeros((2, clusters), dtype=int)
    for pixel, window in enumerate(windows(layer)):
        for tap in range(2):
            for part in (slice(0, 128), slice(128, 200)):
                matches = (window[tap, part] != 0) & (weight[:, part, tap] != 0)
                for least in (0, 1):
                    each = np.maximum(least, matches.sum(axis=1))
                    took[least, pixel % clusters] += max(each[unit].sum() for unit in units)
    assert report.mac_cycles == took[1].max()
    assert report.index_match_cycles == took[1].max() - took[0].max()


def test_pairs_by_density_are_faster_on_average_and_do_the_same_work() -> None:
    """Over 30 drawn layers, filters of densities 5 to 95 %: a mean never above, and one layer may be a little above."""
    mapping = Mapping(
        "windowed_rows",
        registers=(Loop("CRS", 256), Loop("K", 2)),
        rows=(Loop("NPQ", 4),),
        columns=(Loop("K", 32),),
    )
    times = []
    for seed in range(30):
        layer = zeros_in(Layer("conv", K=64, C=256, Q=4), seed, 0.5, 0.5, skew=0.9)
        reports = [
            simulate_layer(layer, mapping, load("sparten").with_values({"pe_array.distribution.K": how})).report
            for how in ("balanced", "interleaved")
        ]
        assert reports[0].skipped_macs == reports[1].skipped_macs
        times.append([report.mac_cycles for report in reports])
    balanced, interleaved = np.mean(times, axis=0)
    assert balanced < 0.9 * interleaved


def on_tensor_cores(layer: Layer) -> LayerReport:
    mapping = Mapping(
        "windowed_rows",
        on_chip=(Loop("NPQ", 2),),
        registers=(Loop("CRS", -(-layer.C // 8)), Loop("K", 2)),
        rows=(Loop("NPQ", 100),),
        columns=(Loop("K", 128),),
        lanes=(Loop("CRS", min(8, layer.C)),),
    )
    return simulate_layer(layer, mapping, load("sparse_tensor_core")).report


def two_of_four(weight: np.ndarray) -> np.ndarray:
    """The two largest of every four neighbouring channels."""
    groups = np.abs(weight.astype(int)).reshape(len(weight), -1, 4)
    kept = np.argsort(np.argsort(-groups, axis=2, kind="stable"), axis=2) < 2
    return (weight.reshape(groups.shape) * kept).reshape(weight.shape).astype(weight.dtype)


def test_two_of_four_takes_exactly_half_the_cycles_and_other_zeros_save_none() -> None:
    layer = Layer("gemm", K=256, C=128, Q=200)
    words = draw(layer, 0)
    pruned = two_of_four(words.weight)
    random = words.weight * (np.random.default_rng(0).random(words.weight.shape) < 0.5)
    dense, half, other = (
        on_tensor_cores(layer.with_tensors(Tensors(words.input, weight.astype(np.int8))))
        for weight in (words.weight, pruned, random)
    )
    assert dense.mac_cycles == 2 * 16 * 2 == 2 * half.mac_cycles == other.mac_cycles
    assert half.skipped_macs * 2 == half.macs and other.skipped_macs == dense.skipped_macs == 0
    assert half.dram_read_weight_bits == 0.5625 * dense.dram_read_weight_bits  # 2 x (16 + 2) bits instead of 4 x 16
    assert other.dram_read_weight_bits == dense.dram_read_weight_bits
    assert half.energy_pj < other.energy_pj == pytest.approx(dense.energy_pj)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 7])
def test_channels_that_do_not_fill_their_groups_run_dense(channels: int) -> None:
    """A group of two channels or fewer is always 2:4, and all of it may be nonzero: halving it would lose products."""
    layer = Layer("image", K=256, C=channels, Q=200)
    words = draw(layer, 0)
    pruned = words.weight * (np.arange(channels) % 4 < 2).reshape(1, channels, 1, 1)
    whole = on_tensor_cores(layer.with_tensors(Tensors(words.input, np.ones_like(words.weight))))
    report = on_tensor_cores(layer.with_tensors(Tensors(words.input, pruned.astype(words.weight.dtype))))
    assert report.skipped_macs == 0
    assert report.effectual_macs + report.skipped_macs + report.gated_macs <= report.macs
    assert report.mac_cycles == whole.mac_cycles


def test_emptier_groups_are_no_faster_than_two_of_four() -> None:
    layer = Layer("gemm", K=256, C=128, Q=200)
    words = draw(layer, 0)
    sparser = two_of_four(words.weight) * (np.arange(128) % 4 == 0).reshape(1, 128, 1, 1)
    half = on_tensor_cores(layer.with_tensors(Tensors(words.input, two_of_four(words.weight))))
    quarter = on_tensor_cores(layer.with_tensors(Tensors(words.input, sparser.astype(np.int8))))
    assert quarter.mac_cycles == half.mac_cycles and quarter.skipped_macs == half.skipped_macs


@given(layers_and_mappings(most_macs=250), st.sampled_from(["none", "input", "weight"]), st.integers(0, 99))
def test_walking_one_of_the_pes_that_are_alike_changes_nothing(
    case: tuple[Layer, Mapping], skip: str, seed: int
) -> None:
    layer, mapping = case
    layer = layer.with_tensors(draw(replace(layer, density=Density(0.5, 0.5)), seed))
    place = assign(layer, mapping)
    kinds = alike(place, skip == "input", skip == "weight", layer.G)
    every = match_work(layer, place, skip, values=True)
    some = match_work(layer, place, skip, kinds=kinds, values=True)
    assert np.array_equal(some.outputs, every.outputs)
    assert np.array_equal(some.cycles, match_work(layer, place, skip, kinds=kinds).cycles)
    for slack in (0, 3):
        assert np.array_equal(schedule_epochs(every, slack), schedule_epochs(some, slack))
    assert (some.loads * kinds.copies).sum() == every.loads.sum()
    assert np.array_equal(np.unique(some.loads[some.loads > 0]), np.unique(every.loads[every.loads > 0]))


@given(layers_and_mappings(most_macs=250), st.integers(0, 99), st.integers(1, 3))
def test_waiting_more_often_is_never_faster(case: tuple[Layer, Mapping], seed: int, chunk: int) -> None:
    layer, mapping = case
    layer = layer.with_tensors(draw(replace(layer, density=Density(0.5, 0.5)), seed))
    place = assign(layer, mapping)
    times = [
        schedule_epochs(match_work(layer, place, chunk=chunk, barrier=barrier, groups=np.array([0, place.pes])))[-1]
        for barrier in ("pass", "window", "chunk")
    ]
    assert sorted(times) == times
