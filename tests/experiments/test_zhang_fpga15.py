"""The published total of 1,008,246 cycles comes out of the general machine."""

from __future__ import annotations

from math import ceil

import pytest

from experiments.zhang_fpga15 import EngineRow, run

LAYERS = {  # M, N of a group, output side, filter side, fill
    "conv1": (48, 3, 55, 11, 0),
    "conv2": (128, 48, 27, 5, 20),
    "conv3": (192, 256, 13, 3, 20),
    "conv4": (192, 192, 13, 3, 20),
    "conv5": (128, 192, 13, 3, 20),
}


@pytest.fixture(scope="module")
def rows() -> dict[str, EngineRow]:
    return {row.layer: row for row in run()}


@pytest.mark.parametrize("layer", LAYERS)
def test_cycles_of_a_group_follow_the_papers_formula(rows: dict[str, EngineRow], layer: str) -> None:
    m, n, side, window, fill = LAYERS[layer]
    expected = ceil(m / 64) * ceil(n / 7) * (side**2 * window**2 + fill)
    assert rows[layer].cycles_per_group == expected
    assert rows[layer].automatic_cycles == 2 * expected


def test_the_total_is_the_published_one(rows: dict[str, EngineRow]) -> None:
    assert sum(row.cycles_per_group for row in rows.values()) == 1_008_246


def test_the_board_is_slower_than_the_engine_but_not_by_much(rows: dict[str, EngineRow]) -> None:
    assert all(0.85 <= row.ours_ms / row.board_ms <= 1 for row in rows.values())
