"""Kept maps: are they worth the room they take, and does more room ever hurt?"""

from __future__ import annotations

import pytest

import accel
from accel.evaluation import evaluate
from accel.objective import OBJECTIVES, Objective
from accel.residency import MapLives
from accel.tally import Tally
from mappings import Budget
from workloads import Network
from workloads.builder import NetworkBuilder

SHORT = Budget(mappings=50)
CHIP = accel.load("systolic_32x32").with_values({"data_buffer.keep_maps": True})


@pytest.fixture(scope="module")
def chain() -> Network:
    """Maps of 32, 32 and 16 KiB, one of 28 KiB beside the first two, and a small end."""
    net = NetworkBuilder("chain", (1, 8, 32, 32), "none")
    first = net.conv("first", "input", 32, 3, 1, 1)
    second = net.conv("second", first, 28, 1, 1, 0)
    third = net.conv("third", second, 32, 3, 1, 1)
    added = net.add("added", third, first)
    net.linear("classes", net.global_average_pool("mean", net.conv("last", added, 64, 3, 2, 1)), 10)
    return net.build()


def value(network: Network, spec: accel.Accelerator, objective: Objective) -> float:
    report = evaluate(network, spec, objective=objective, budget=SHORT).report
    return Tally.of(report.layers, report.prefetched_cycles).objective(objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kib", [40, 68])
def test_keeping_maps_is_never_worse_than_not(chain: Network, objective: Objective, kib: int) -> None:
    keeps = CHIP.with_values({"data_buffer.kib": kib})
    assert value(chain, keeps, objective) <= value(
        chain, keeps.with_values({"data_buffer.keep_maps": False}), objective
    )


def test_more_buffer_never_means_more_traffic(chain: Network) -> None:
    sizes = (24, 40, 68, 128)
    found = [value(chain, CHIP.with_values({"data_buffer.kib": kib}), "dram") for kib in sizes]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0]


def test_a_map_that_leaves_less_than_a_quarter_stays_with_smaller_tiles() -> None:
    """Two layers with a map of 36 of 40 KiB between them: too much for the rule, and worth smaller tiles."""
    net = NetworkBuilder("two", (1, 4, 24, 24), "none")
    net.conv("after", net.conv("before", "input", 64, 3, 1, 1), 8, 3, 1, 1)
    pair = net.build()
    chip = CHIP.with_values({"data_buffer.kib": 40})
    assert not MapLives.of(pair, chip).greedy()
    kept = accel.simulate(pair, chip, objective="dram", budget=SHORT)
    words = 64 * 24 * 24
    assert kept.layer("before").dram_write_output_bits == kept.layer("after").dram_read_input_bits == 0
    alone = accel.simulate(pair, chip.with_values({"data_buffer.keep_maps": False}), objective="dram", budget=SHORT)
    again = kept.layer("before").dram_read_input_bits - alone.layer("before").dram_read_input_bits
    assert alone.dram_bits - kept.dram_bits == 2 * words * 8 - again
    assert again < 0.01 * words * 8


def test_kept_maps_that_live_at_once_fit_together(chain: Network) -> None:
    """No map is read from the chip that was written out, or written out and never read."""
    for kib in (40, 68):
        report = evaluate(chain, CHIP.with_values({"data_buffer.kib": kib}), objective="dram", budget=SHORT).report
        stays = {row.layer for row in report.layers if row.dram_write_output_bits == 0}
        lives = MapLives.of(chain, CHIP)
        assert all(lives.alive_bits(stays, place) <= kib * 8192 for place in range(len(lives.nodes)))
        assert (report.layer("second").dram_read_input_bits == 0) == ("first" in stays)


def test_the_same_run_keeps_the_same_maps(chain: Network) -> None:
    chip = CHIP.with_values({"data_buffer.kib": 68})
    first, again = (accel.simulate(chain, chip, budget=SHORT).to_json() for _ in range(2))
    assert first == again
