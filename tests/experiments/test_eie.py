"""EIE's published times come out of the general machine and its preset."""

from __future__ import annotations

import pytest

from experiments.eie import LayerRow, power_shares, run, verdicts

BOUNDS = {"Alex-6": 12.0, "Alex-7": 12.0, "Alex-8": 20.0, "NT-LSTM": 12.0}


@pytest.fixture(scope="module")
def rows() -> dict[str, LayerRow]:
    return {row.layer: row for row in run()}


@pytest.mark.parametrize("layer", BOUNDS)
def test_times_keep_their_bounds_and_lie_in_their_band(rows: dict[str, LayerRow], layer: str) -> None:
    row = rows[layer]
    assert abs(row.ours_us / row.theirs_us - 1) * 100 <= BOUNDS[layer]
    assert row.least_us < row.ours_us < row.most_us


def test_imbalance_and_padding_come_out_of_the_simulation(rows: dict[str, LayerRow]) -> None:
    """Random zeros: a run of more than 15 follows an entry of density d with probability (1-d)^16."""
    for layer, density in (("Alex-7", 0.09), ("NT-LSTM", 0.10)):
        row = rows[layer]
        assert row.imbalance > 1.01
        bridges = (1 - density) ** 16
        assert 0.5 * bridges < row.padding_percent / 100 < bridges / (1 - bridges)


def test_the_verdicts_demand_what_they_should(rows: dict[str, LayerRow]) -> None:
    found = verdicts(list(rows.values()))
    assert [one.each_percent for one in found] == [12.0, 20.0, 25.0]
    assert all(one.passed for one in found)


def test_shares_of_power_are_those_of_the_paper(rows: dict[str, LayerRow]) -> None:
    shares = {kind: (theirs, ours) for kind, theirs, ours in power_shares(list(rows.values()))}
    assert sum(ours for _, ours in shares.values()) == pytest.approx(100)
    assert max(abs(ours / theirs - 1) for theirs, ours in shares.values()) < 0.25
