"""The PE's cycles are its effectual MACs, from drawn operands and from masks read from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.eyeriss_v2_pe import CYCLES, MASKS, run


def test_a_drawn_layer_takes_a_cycle_for_each_effectual_mac() -> None:
    (row,) = run()
    assert row.mac_cycles == row.theirs
    assert row.error_percent == 0.0
    assert row.mac_cycles <= row.compute_cycles <= 1.01 * row.mac_cycles


def test_masks_are_read_from_a_reference_folder(tmp_path: Path) -> None:
    """Inputs are stored pixel by pixel, weights filter by filter."""
    generator = np.random.default_rng(3)
    inputs, weights = generator.random((2 * 2, 8)) < 0.6, generator.random((4, 8)) < 0.4
    cycles = int((inputs.sum(axis=0) * weights.sum(axis=0)).sum())
    (tmp_path / CYCLES).write_text(
        f"# a comment\nlayer,C,M,E,cycles_ground_truth\nL00,,,,5\nL01,8,4,2,{cycles}\n", encoding="utf-8"
    )
    (tmp_path / MASKS).mkdir()
    for name, mask in (("iacts", inputs), ("weights", weights)):
        text = "".join(str(int(bit)) for bit in mask.reshape(-1))
        (tmp_path / MASKS / f"L01_{name}.txt").write_text(text, encoding="ascii")
    (row,) = run(tmp_path)
    assert (row.layer, row.theirs, row.mac_cycles) == ("L01", cycles, cycles)
