"""Bit Fusion's published networks and arithmetic. What its authors' simulator printed is not in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from accel.mapper import explore
from experiments.bit_fusion import (
    PER_LAYER,
    SpeedupRow,
    geometric_mean,
    mean_speedups,
    run_layers,
    verdicts,
)
from experiments.bit_fusion_machines import (
    closed_form_cycles,
    eyeriss_16x16,
    folded_cycles,
    layer_of,
    least_cycles,
)
from experiments.compare import read

NETWORKS = {name: network for name, network in read("bit_fusion").items() if isinstance(network, dict)}
COLUMNS = (
    *("N", "M", "dram_bits_per_cycle", "wbuf_size", "ibuf_size", "obuf_size", "batch", "network", "layer"),
    *("C", "K", "kh", "stride", "OH", "act_bits", "weight_bits", "cycles", "dram_read_bits", "dram_write_bits"),
)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_multiply_adds_of_table_ii(name: str) -> None:
    network = NETWORKS[name]
    macs = sum(layer_of(numbers, batch=1).macs * count for *numbers, count in network["layers"])
    assert macs / 1e6 == pytest.approx(network["million_macs"], abs=1)


def test_layers_that_wait_for_nothing_take_what_the_arithmetic_says(tmp_path: Path) -> None:
    """A reference of our own making in the authors' form: behind a wide link, cycles are the closed form's."""
    lines = [",".join(COLUMNS)]
    for k, c, side, taps, stride, act, weight in ([256, 384, 13, 3, 1, 4, 4], [128, 3, 32, 3, 1, 8, 8]):
        cycles = closed_form_cycles(layer_of([k, c, side, taps, stride, act, weight], batch=2))
        values = (16, 32, 4096, 65536, 32768, 16384, 2, "net", "one/Convolution")
        lines.append(",".join(map(str, (*values, c, k, taps, stride, side, act, weight, cycles, 0, 0))))
    (tmp_path / PER_LAYER).write_text("\n".join(["# made up", *lines]), encoding="utf-8")
    rows = run_layers(tmp_path)
    assert [row.layer for row in rows] == ["one", "one"]
    for row in rows:
        assert row.theirs <= row.compute_cycles <= 1.02 * row.theirs
        assert row.compute_cycles <= row.ours


def test_the_mean_speedups_are_judged() -> None:
    """The chip takes 8 and 2, an Eyeriss that never waits half, 16 x 16 PEs a quarter of it; Bit Fusion 1, or 2."""
    rows = [SpeedupRow(name, ms, ms / 2, ms / 4, ms / 4, 1.0, 2.0, 2.0) for name, ms in (("a", 8.0), ("b", 2.0))]
    means = mean_speedups(rows)
    assert means["measured chip", "our mapping"] == pytest.approx(4.0)
    assert means["16 x 16 PEs", "their mapping"] == pytest.approx(0.5)
    assert geometric_mean([8.0, 2.0]) == pytest.approx(4.0)
    chip, never_waits, wide = verdicts([], rows)
    assert chip.passed and chip.mean == pytest.approx(100 * (4 / 3.9 - 1))
    assert not never_waits.passed and not wide.passed


def test_folded_sets_keep_the_pes_of_a_set_busy() -> None:
    """3 x 3 filters on 16 x 16 PEs: strips of 32 fold into 6 rows twice, of 13 stand 5 times, of 8 10 times."""
    for numbers, pes in (
        ([128, 128, 32, 3, 1, 16, 16], 2 * 6 * 16),
        ([195, 256, 13, 3, 1, 16, 16], 5 * 3 * 13),
        ([320, 64, 8, 3, 1, 16, 16], 10 * 3 * 8),
        ([4096, 4096, 1, 1, 1, 16, 16], 256),
    ):
        layer = layer_of(numbers)
        assert layer.macs / folded_cycles(layer) == pes


@pytest.mark.parametrize("numbers", [[192, 256, 13, 3, 1, 16, 16], [256, 128, 8, 3, 1, 16, 16]])
def test_an_eyeriss_of_16_x_16_pes_waits_for_nothing(numbers: list[int]) -> None:
    """Our search does as well as folding, and what is not MACs is a thousandth."""
    layer = layer_of(numbers)
    report = explore(layer, eyeriss_16x16(), objective="latency").report
    assert layer.macs / 256 <= report.mac_cycles <= folded_cycles(layer)
    assert report.latency_cycles < 1.001 * report.mac_cycles


def test_an_array_that_never_waits_is_bound_by_multipliers_or_link() -> None:
    """168 multiply-adds a cycle, or each 16-bit word once over 192 bits a cycle."""
    convolution = layer_of([168, 64, 8, 3, 1, 16, 16], batch=2)
    assert least_cycles(convolution) == 2 * 8 * 8 * 9 * 64
    product = layer_of([1024, 512, 1, 1, 1, 16, 16], batch=1)
    assert least_cycles(product) == (512 + 1024 * 512 + 1024) * 16 / 192
