"""The bottleneck is the part whose absence helps most."""

from __future__ import annotations

import pytest

import accel
from accel.bottleneck import bottleneck
from accel.mapper import find_mapping
from accel.simulation import simulate_layer
from workloads import Layer

NO_WAITS = {"DRAM: data": 0, "DRAM: weights": 0}


@pytest.mark.parametrize(
    ("busy", "waits", "controller", "dma", "expected"),
    [
        # Ports take 60 of 100 cycles, beside a DMA that has no rest: quicker ones would save nothing.
        ({"MACs": 5, "buffer ports": 60}, {"DRAM: data": 5, "DRAM: weights": 30}, 0, 100, "DRAM: weights"),
        # Half of the DMA's cycles are hidden: without MACs 45 cycles go, without transfers 40.
        ({"MACs": 60, "buffer ports": 0}, {"DRAM: data": 40, "DRAM: weights": 0}, 0, 55, "MACs"),
        ({"MACs": 60, "buffer ports": 0}, {"DRAM: data": 40, "DRAM: weights": 0}, 0, 65, "DRAM: data"),
        # Nothing is waited for; ports and MACs would save the 20 that the DMA leaves, and MACs take longer.
        ({"buffer ports": 30, "MACs": 70}, NO_WAITS, 0, 80, "MACs"),
        ({"MACs": 20, "buffer ports": 0}, NO_WAITS, 30, 10, "controller"),
    ],
)
def test_what_would_save_most(
    busy: dict[str, int], waits: dict[str, int], controller: int, dma: int, expected: str
) -> None:
    assert bottleneck(busy, waits, controller, dma) == expected


@pytest.mark.parametrize(
    ("layer", "expected", "least", "most"),
    [
        # Its ports take most of the array's time, and with as many words over them the link sets the pace.
        (Layer("fc", N=4, K=1024, C=1024), "DRAM: weights", 0.5, 0.7),
        (Layer("conv", N=4, K=128, C=128, P=28, Q=28, R=3, S=3), "MACs", 0.85, 1.0),
    ],
)
def test_a_link_twice_as_fast_helps_where_the_dram_is_the_bottleneck(
    layer: Layer, expected: str, least: float, most: float
) -> None:
    chip = accel.load("eyeriss_v1")
    assert chip.dma.link_mhz is not None
    mapping, _ = find_mapping(layer, chip)
    slow = simulate_layer(layer, mapping, chip).report
    quick = simulate_layer(layer, mapping, chip.with_values({"dma.link_mhz": 2 * chip.dma.link_mhz})).report
    assert slow.bottleneck == expected
    assert least <= quick.latency_cycles / slow.latency_cycles <= most
