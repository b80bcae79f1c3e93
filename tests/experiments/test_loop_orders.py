"""Do the classic curves fall as they must, and are the tiles behind them what they say?"""

from __future__ import annotations

from itertools import product
from math import ceil, inf, sqrt
from pathlib import Path

import pytest

from accel.bounds import bounds
from accel.plots import save
from experiments.loop_orders import (
    ORDERS,
    Curve,
    curve,
    interchanges,
    layers,
    machine,
    run,
    spread_figure,
    spreads,
    traffic_figure,
)
from mappings import Loop, Mapping, schedule
from workloads import Layer

SIZES = [1 << power for power in (12, 14, 16, 20)]


@pytest.fixture(scope="module")
def curves() -> dict[str, list[Curve]]:
    return run(SIZES, tilings=10)


def words(layer: Layer, mapping: Mapping) -> tuple[int, int]:
    """(moved, held) by the schedule."""
    tiles = schedule(layer, mapping)
    return int(tiles.load_words.sum() + tiles.store_words.sum()), int(tiles.held_words.sum())


def test_more_buffer_never_moves_more_and_in_the_end_each_tensor_once(curves: dict[str, list[Curve]]) -> None:
    for name, found in curves.items():
        assert [one.order for one in found] == list(ORDERS)
        for one in found:
            assert list(one.dram_bytes) == sorted(one.dram_bytes, reverse=True)
            assert one.dram_bytes[0] > 3 * one.dram_bytes[-1]
            assert one.dram_bytes[-1] * 8 == bounds(layers()[name], machine()).dram_bits


def test_the_tiles_found_move_and_hold_what_the_curve_says(curves: dict[str, list[Curve]]) -> None:
    for name, found in curves.items():
        for one in found:
            cases = zip(one.buffer_bytes, one.dram_bytes, one.mappings, strict=True)
            for size, traffic, mapping in list(cases)[2:]:  # those of small buffers have many tiles
                assert mapping is not None
                moved, held = words(layers()[name], mapping)
                assert 2 * moved == traffic
                assert 2 * held <= size


def test_no_order_of_a_product_beats_the_bound_of_its_buffer(curves: dict[str, list[Curve]]) -> None:
    """2 MNK / sqrt(S) - 2 S words: T. Smith, B. Lowery, J. Langou, R. van de Geijn, arXiv:1702.02017, 2017."""
    layer = layers()["matrix product"]
    for one in curves["matrix product"]:
        for size, traffic in zip(one.buffer_bytes, one.dram_bytes, strict=True):
            assert traffic / 2 >= 2 * layer.macs / sqrt(size / 2) - size


def test_the_innermost_loop_of_a_product_decides(curves: dict[str, list[Curve]]) -> None:
    found = {one.order: one.dram_bytes for one in curves["matrix product"]}
    assert found["KPC"] == found["PKC"]
    assert found["CPK"] == found["PCK"]
    assert found["KCP"] == found["CKP"]
    # Sums that wait for all channels cross once; in the other orders they come and go.
    assert found["KPC"][0] < min(found["CPK"][0], found["KCP"][0])


@pytest.mark.parametrize("order", ORDERS)
def test_small_layers_against_every_tiling(order: str) -> None:
    layer = Layer("small", K=5, C=4, P=6, R=3, padding=(1, 0, 1, 0))
    sizes = [40, 60, 80, 120, 200, 400]
    found = curve(layer, order, sizes, tilings=100)
    least = dict.fromkeys(sizes, inf)
    for tile in product(*(range(1, getattr(layer, axis) + 1) for axis in "KCP")):
        side = dict(zip("KCP", tile, strict=True))
        outer = tuple(Loop(axis, ceil(getattr(layer, axis) / side[axis])) for axis in order)
        inner = tuple(Loop(axis, size) for axis, size in side.items())
        moved, held = words(layer, Mapping("tile", outer, inner, (Loop("R", 3),)))
        for size in sizes:
            least[size] = min(least[size], 2 * moved if 2 * held <= size else inf)
    assert list(found.dram_bytes) == list(least.values())


def test_unrolled_dimensions_fill_the_array_as_far_as_they_go() -> None:
    layer = layers()["3x3 convolution"]
    found = {(one.rows, one.columns): one for one in spreads(layer)}
    assert found["K", "C"].utilization == 1.0
    # 28 pixels take two rounds of 16 rows: 28 / 32; 3 taps leave 13 columns idle.
    assert found["P", "C"].utilization == pytest.approx(28 / 32)
    assert found["P", "S"].utilization == pytest.approx(28 / 32 * 3 / 16)
    assert found["P", "S"].cycles == layer.macs // (28 * 3) * 2
    assert found["R", "R"].utilization == pytest.approx(3 / 256)


def test_orders_on_chip_keep_what_their_innermost_loop_leaves_alone() -> None:
    layer = layers()["3x3 convolution"]
    found = {one.order: one for one in interchanges(layer)}
    inputs, weights, outputs = 128 * 28 * 3 * 30, 128 * 128 * 9, 128 * 28 * 28
    # 8 x 8 blocks of channels, 28 rows; a pass reads 3 rows of 30 inputs, padding included.
    for order, one in found.items():
        assert one.inputs == inputs * (1 if order[-1] == "K" else 8)
        assert one.weights == weights * (1 if order[-1] == "P" else 28)
        assert one.sums == outputs * (1 if order[-1] == "C" else 8 + 7)


def test_the_figures_are_pictures(curves: dict[str, list[Curve]], tmp_path: Path) -> None:
    name, found = next(iter(curves.items()))
    save(traffic_figure(layers()[name], found), tmp_path / "orders.png")
    save(spread_figure(layers()[name], spreads(layers()[name])), tmp_path / "spread.png")
    for picture in ("orders", "spread"):
        assert (tmp_path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
