"""Bit Fusion's published networks and arithmetic. What its authors' simulator printed is not in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.bit_fusion import (
    PER_LAYER,
    SpeedupRow,
    closed_form_cycles,
    geometric_mean,
    layer_of,
    least_cycles,
    run_layers,
    verdicts,
)
from experiments.compare import read

NETWORKS = {name: network for name, network in read("bit_fusion").items() if isinstance(network, dict)}
COLUMNS = (
    *("N", "M", "dram_bits_per_cycle", "wbuf_size", "ibuf_size", "obuf_size", "batch", "network", "layer"),
    *("C", "K", "kh", "stride", "OH", "act_bits", "weight_bits", "cycles"),
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
        lines.append(",".join(map(str, (*values, c, k, taps, stride, side, act, weight, cycles))))
    (tmp_path / PER_LAYER).write_text("\n".join(["# made up", *lines]), encoding="utf-8")
    rows = run_layers(tmp_path)
    assert [row.layer for row in rows] == ["one", "one"]
    for row in rows:
        assert row.theirs <= row.compute_cycles <= 1.02 * row.theirs
        assert row.compute_cycles <= row.ours


def test_the_mean_speedup_is_judged() -> None:
    rows = [SpeedupRow("a", 8.0, 1.0), SpeedupRow("b", 2.0, 1.0)]
    assert geometric_mean(row.speedup for row in rows) == pytest.approx(4.0)
    (verdict,) = verdicts([], rows)
    assert verdict.passed and verdict.mean == pytest.approx(100 * (4 / 3.9 - 1))


def test_an_array_that_never_waits_is_bound_by_multipliers_or_link() -> None:
    """168 multiply-adds a cycle, or each 16-bit word once over 192 bits a cycle."""
    convolution = layer_of([168, 64, 8, 3, 1, 16, 16], batch=2)
    assert least_cycles(convolution) == 2 * 8 * 8 * 9 * 64
    product = layer_of([1024, 512, 1, 1, 1, 16, 16], batch=1)
    assert least_cycles(product) == (512 + 1024 * 512 + 1024) * 16 / 192
