"""Do gating, skipping and 2:4 weights bring what they can, and no more?"""

from __future__ import annotations

from pathlib import Path

import pytest

from accel.plots import save
from experiments import skipping, two_of_four, zero_skippers
from mappings import Budget
from workloads import Layer


def rows(activation: str) -> dict[str, skipping.Row]:
    network = skipping.small(activation, size=16)
    return {row.variant: row for row in skipping.run(network, skipping.drawn_picture(network))}


def test_gating_saves_energy_and_no_cycle_and_queues_beat_lockstep() -> None:
    found = rows("relu")
    assert found["gate"].mac_cycles == found["nothing"].mac_cycles
    assert found["gate"].energy_pj < found["nothing"].energy_pj
    cycles = [found[name].mac_cycles for name in skipping.VARIANTS]
    assert cycles == sorted(cycles, reverse=True)
    assert found["skip, queues"].mac_cycles < found["skip, fours in step"].mac_cycles < found["nothing"].mac_cycles


def test_activations_without_zeros_leave_nothing_to_skip() -> None:
    found = rows("silu")
    for name in skipping.VARIANTS:
        assert found[name].mac_cycles == pytest.approx(found["nothing"].mac_cycles, rel=0.02)


def test_two_of_four_halves_compute_and_never_the_time_of_a_memory_bound_product(tmp_path: Path) -> None:
    points = two_of_four.run(["BERT-base MLP, 768 x 3072"], [1, 256, 4096], Budget(500))
    assert [point.compute for point in points] == [2.0, 2.0, 2.0]
    few, some, many = (point.end_to_end for point in points)
    assert max(few, some) < 16 / 9 and many < 2
    save(two_of_four.figure(points), tmp_path / "two_of_four.png")
    assert (tmp_path / "two_of_four.png").read_bytes().startswith(b"\x89PNG")


def test_two_of_four_keeps_the_largest() -> None:
    import numpy as np

    weight = np.array([[3, -4, 1, 0, 2, 2, 2, 2]], np.int8).reshape(1, 8, 1, 1)
    assert two_of_four.pruned(weight, 2, 4).reshape(-1).tolist() == [3, -4, 0, 0, 2, 2, 0, 0]


def test_machines_that_skip_beat_dense_ones_on_a_pruned_layer() -> None:
    found = zero_skippers.speed_ups(zero_skippers.run(["alexnet"], ["conv5"]))
    assert found == {
        ("cnvlutin", "alexnet"): pytest.approx(2.17, abs=0.05),
        (zero_skippers.STACKED, "alexnet"): pytest.approx(2.17, abs=0.05),
        ("sparten", "alexnet"): pytest.approx(5.75, abs=0.1),
    }
    bound = 1 / (0.40 * 0.37)  # of the effectual MACs alone
    assert found["sparten", "alexnet"] < bound


def test_an_image_laid_out_by_its_stride_fills_the_lanes() -> None:
    """AlexNet's 11 x 11 taps of 3 channels at stride 4 become 3 x 3 of 48: 27 bricks a window, not 121."""
    layer = Layer("conv1", K=96, C=3, P=55, Q=55, R=11, S=11, stride=(4, 4))
    assert zero_skippers.cnvlutin(layer)[0] == 121 * 55 * 55
    assert zero_skippers.stacked_cycles(layer) == 27 * 55 * 55


def test_silu_takes_the_place_of_relu_alone() -> None:
    network = skipping.small("relu", size=16)
    changed = skipping.with_silu(network)
    assert {node.activation for node in changed.nodes} == {"silu"}
    assert changed.layers == network.layers
