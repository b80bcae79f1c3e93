"""All dataflows on one array, at a quick size."""

from __future__ import annotations

from pathlib import Path

import pytest

from accel.plots import save
from experiments.dataflows import Run, array, figure, run, totals
from mappings import Budget
from mappings.dataflows import DATAFLOWS


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return run(["lenet5"], budget=Budget(50))


def test_every_dataflow_computes_the_same_layers(runs: list[Run]) -> None:
    summed = totals(runs)
    assert list(summed) == [("lenet5", name) for name in DATAFLOWS]
    macs = {sum(row.macs for row in rows) for rows in summed.values()}
    assert macs == {500 * 24 * 24 + 50 * 20 * 25 * 8 * 8}


def test_no_layer_is_faster_than_its_macs_or_moves_less_than_its_tensors(runs: list[Run]) -> None:
    for one in runs:
        assert one.report.latency_cycles >= one.report.macs / array().pe_array.multipliers
        assert one.report.dram_read_weight_bits >= 16 * {"conv1": 500, "conv2": 25_000}[one.report.layer]


def test_the_figure_is_a_picture(runs: list[Run], tmp_path: Path) -> None:
    save(figure(runs), tmp_path / "dataflows.png")
    assert (tmp_path / "dataflows.png").read_bytes().startswith(b"\x89PNG")
