"""On an array of planar tiles the search knows that vectors of few inputs or few weights leave multipliers idle."""

from __future__ import annotations

import pytest

from accel import load
from accel.mapper import explore
from accel.simulation import simulate_layer
from accel.task import array_shape
from mappings.dataflows import candidates
from workloads import Density, Layer

CHIP = load("scnn")
LAYERS = (
    Layer("dense", op="matmul", C=256, K=512),
    Layer("sparse", op="matmul", C=256, K=512, density=Density(0.4, 0.3)),
    Layer("strided", C=16, K=32, P=14, Q=14, R=3, S=3, stride=(2, 2), density=Density(0.4, 0.3)),
    Layer("few", C=64, K=96, P=7, Q=7, density=Density(0.2, 0.2)),
)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_what_is_found_is_as_fast_as_every_candidate_of_the_dataflow(layer: Layer) -> None:
    chip = CHIP.with_values({"weight_buffer.kib": 4096})  # room for the weights of any candidate
    simulated = [
        simulate_layer(layer, column[row], chip).report.latency_cycles
        for column in candidates("planar_tiled", layer, array_shape(chip))
        for row in range(len(column))
    ]
    assert explore(layer, chip, objective="latency").report.latency_cycles <= min(simulated)
