"""Does the estimate know what a step waits for? Against the simulation, where tiles share a place in a buffer."""

from __future__ import annotations

import numpy as np
import pytest

import accel
from accel.mapper import explore
from accel.objective import objective_value
from accel.simulation import simulate_layer
from accel.task import map_space
from mappings import Budget, Loop, Mapping, search
from tests.mapper.test_search import estimated
from workloads import Layer, load

WIDE = Layer("wide", K=216, C=64, P=28, Q=14)
RAGGED = Layer("ragged", K=144, C=64, P=28, Q=14)
SHALLOW = Layer("shallow", K=216, C=16, P=28, Q=14)
PLANE = Layer("plane", K=64, C=32, P=56, Q=56)


def on_eyeriss(layer: Layer, channels: int, place: int | None, *off_chip: tuple[str, int]) -> tuple[Layer, Mapping]:
    """Tiles of 7 rows, 36 filters and four times so many channels; `place`: loops outside the place of outputs."""
    return layer, Mapping(
        "by_hand",
        off_chip=tuple(Loop(axis, factor) for axis, factor in off_chip),
        registers=(Loop("Q", 14), Loop("C", channels), Loop("K", 12)),
        rows=(Loop("C", 4), Loop("K", 3)),
        columns=(Loop("P", 7),),
        hold=(None, None, place),
    )


@pytest.mark.parametrize(
    ("case", "within"),
    [
        # Every store waits for the step before, and the next step for the store.
        pytest.param(on_eyeriss(WIDE, 16, None, ("P", 4), ("K", 6)), 0.005, id="a place each"),
        # Five stores of six are hidden behind the next step.
        pytest.param(on_eyeriss(WIDE, 16, 1, ("P", 4), ("K", 6)), 0.005, id="one place"),
        # Nothing is stored in the first turn of C; in the second a store goes beside every step.
        pytest.param(on_eyeriss(WIDE, 8, 1, ("P", 4), ("C", 2), ("K", 6)), 0.005, id="partial sums stay"),
        # Four tiles of K, three and one: the inputs change after each step there.
        pytest.param(
            on_eyeriss(RAGGED, 8, 2, ("P", 4), ("K", 2), ("C", 2), ("K", 3)), 0.005, id="iterations without work"
        ),
        # The DMA stores twice before it loads what the next step needs.
        pytest.param(on_eyeriss(SHALLOW, 4, 1, ("P", 4), ("K", 6)), 0.04, id="stores take longest"),
    ],
)
def test_what_waits_and_what_does_not(case: tuple[Layer, Mapping], within: float) -> None:
    layer, mapping = case
    spec = accel.load("eyeriss_v1")
    simulated = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    assert row["latency_cycles"] == pytest.approx(simulated.latency_cycles, rel=within)


@pytest.mark.parametrize("rows", [2, 4, 8])
def test_stores_go_before_loads_of_later_steps_with_two_buffers_too(rows: int) -> None:
    spec = accel.load("tpu_v1")
    mapping = Mapping(
        "by_hand",
        off_chip=(Loop("P", 56 // rows),),
        registers=(Loop("P", rows), Loop("Q", 56)),
        rows=(Loop("C", 32),),
        columns=(Loop("K", 64),),
    )
    simulated = simulate_layer(PLANE, mapping, spec).report
    row = accel.estimate(PLANE, [mapping], spec).iloc[0]
    assert row["latency_cycles"] == pytest.approx(simulated.latency_cycles, rel=0.03)


@pytest.mark.parametrize(
    ("layer", "channels", "filters", "off_chip"),
    [
        # A short step follows each full one, and what is loaded beside them is of the other's size.
        pytest.param(Layer("two", K=160, C=264, P=7, Q=7), 6, 32, (("C", 11), ("K", 2)), id="two tiles of filters"),
        pytest.param(Layer("nine", K=512, C=128, P=7, Q=7), 5, 20, (("C", 7), ("K", 9)), id="nine tiles of filters"),
        # All stores are of tiles that end a reduction, most of them as wide as others.
        pytest.param(Layer("rows", K=60, C=150, P=57, Q=28), 8, 20, (("P", 9), ("C", 5)), id="ends of two axes"),
        # The last filters are so few that an iteration outside has one tile of them.
        pytest.param(
            Layer("few", K=400, C=96, P=7, Q=14), 6, 32, (("K", 3), ("C", 4), ("K", 2)), id="one tile in the last turn"
        ),
    ],
)
def test_ragged_ends_of_the_loops_that_turn_fastest(
    layer: Layer, channels: int, filters: int, off_chip: tuple[tuple[str, int], ...]
) -> None:
    spec = accel.load("eyeriss_v1")
    mapping = Mapping(
        "by_hand",
        off_chip=tuple(Loop(axis, factor) for axis, factor in off_chip),
        registers=(Loop("Q", layer.Q), Loop("C", channels), Loop("K", filters)),
        rows=(Loop("C", 4), Loop("K", 3)),
        columns=(Loop("P", 7),),
        hold=(None, None, 0 if len(off_chip) == 2 and off_chip[0][0] == "C" else 1),
    )
    simulated = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    assert row["latency_cycles"] == pytest.approx(simulated.latency_cycles, rel=0.01)


@pytest.mark.parametrize(
    ("off_chip", "hold"),
    [
        # Inputs come in beside the steps of the first filters alone; weights beside all.
        pytest.param((("P", 7), ("K", 2), ("C", 11)), (1, None, 2), id="inputs"),
        # Weights of the last loop come in for the first pixels alone, inputs for the first filters alone.
        pytest.param((("P", 7), ("K", 2), ("C", 11)), (1, 0, 2), id="inputs and weights"),
        pytest.param((("P", 7), ("K", 2), ("C", 11)), (None, 0, 2), id="weights"),
    ],
)
def test_held_operands_come_in_beside_some_steps_and_not_beside_others(
    off_chip: tuple[tuple[str, int], ...], hold: tuple[int | None, int | None, int]
) -> None:
    layer = Layer("strided", K=128, C=64, P=28, Q=28, R=3, S=3, stride=(2, 2), padding=(1, 1, 1, 1))
    spec = accel.load("eyeriss_v1").with_values({"data_buffer.kib": 200, "weight_buffer.kib": 200})
    mapping = Mapping(
        "by_hand",
        off_chip=tuple(Loop(axis, factor) for axis, factor in off_chip),
        registers=(Loop("Q", 28), Loop("C", 3), Loop("S", 3), Loop("K", 11)),
        rows=(Loop("R", 3), Loop("P", 4)),
        columns=(Loop("C", 2), Loop("K", 6)),
        hold=hold,
    )
    simulated = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    assert row["latency_cycles"] == pytest.approx(simulated.latency_cycles, rel=0.01)


def test_what_a_search_ends_with_takes_as_long_as_estimated() -> None:
    """A search goes where the estimate errs in its favour: what it ends with tells more than mappings drawn."""
    spec, errors = accel.load("eyeriss_v1"), []
    for layer in load("resnet18").layers[1:12:2]:
        found = search(map_space(layer, spec), estimated(layer, spec), budget=Budget(2000), keep=20)
        for value, mapping in found.ranked[::5]:
            report = simulate_layer(layer, mapping, spec).report
            errors.append(abs(value / (report.latency_cycles * report.energy_pj) - 1))
    assert np.median(errors) < 0.01
    assert np.quantile(errors, 0.9) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_pointwise_layer_is_mapped_as_well_as_by_hand(seed: int) -> None:
    """Two tiles of outputs share their place in the buffer, so that one of two stores goes beside a step."""
    layer, spec = Layer("expand", K=192, C=32, P=28, Q=28), accel.load("eyeriss_v1")
    by_hand = Mapping(
        "by_hand",
        off_chip=(Loop("P", 4), Loop("K", 2)),
        registers=(Loop("Q", 28), Loop("C", 16), Loop("K", 12)),
        rows=(Loop("C", 2), Loop("K", 4)),
        columns=(Loop("P", 7), Loop("K", 2)),
        hold=(None, None, 1),
    )
    best = objective_value(simulate_layer(layer, by_hand, spec).report, "edp")
    found = explore(layer, spec, budget=Budget(6000), seed=seed)
    assert objective_value(found.report, "edp") <= 1.02 * best
