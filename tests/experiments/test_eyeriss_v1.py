"""The measured chip: every layer and every mean within its bound, with nothing fitted per layer."""

from __future__ import annotations

import pytest

from experiments.eyeriss_v1 import INFERRED, QUANTITIES, Comparison, automatic, cases, run, verdicts

BOUNDS = {"processing_ms": 10.0, "total_ms": 20.0, "dram_mb": 15.0, "buffer_mb": 15.0, "power_mw": 20.0}


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return run()


@pytest.mark.parametrize("quantity", BOUNDS)
def test_each_layer_within_the_bound_and_the_mean_within_half_of_it(
    comparisons: list[Comparison], quantity: str
) -> None:
    errors = [abs(one.ours / one.theirs - 1) * 100 for one in comparisons if one.quantity == quantity and one.counts]
    assert len(errors) == 5
    assert max(errors) <= BOUNDS[quantity]
    assert sum(errors) / 5 <= BOUNDS[quantity] / 2


def test_the_verdicts_demand_what_they_should(comparisons: list[Comparison]) -> None:
    demanded = [one for one in verdicts(comparisons) if one.each_percent is not None]
    assert [one.each_percent for one in demanded] == list(BOUNDS.values())
    assert [one.mean_percent for one in demanded] == [bound / 2 for bound in BOUNDS.values()]
    assert all(one.passed for one in demanded)
    assert list(QUANTITIES) == list(BOUNDS)


def test_conv3_is_shown_as_printed_too(comparisons: list[Comparison]) -> None:
    """The traffic that Table III's own parameters give: 40 % above what Table V measured."""
    assert list(INFERRED) == ["conv3"]
    printed = {one.quantity: one for one in comparisons if not one.counts}
    assert set(printed) == set(BOUNDS)
    assert 30 < printed["buffer_mb"].error_percent < 50


def test_table_iii_is_run_as_published() -> None:
    """Passes of conv1: 4 images, 8 strips of 7 rows, 3 channels, 96 filters by 16 in 2 sets."""
    mapping = cases()[0].mapping
    assert sorted(loop.factor for loop in mapping.off_chip) == [3, 3, 4, 8]


def test_the_automatic_mapping_is_compared_for_every_layer() -> None:
    assert [row["layer"] for row in automatic()] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
