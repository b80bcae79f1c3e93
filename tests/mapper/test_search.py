"""Does the search find the best? Against every mapping of small spaces, the named dataflows, and itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accel
from accel.bounds import bounds
from accel.closed_form import costs
from accel.mapper import OBJECTIVES, array_shape, explore, map_layer, map_space, objective_value
from accel.simulation import simulate_layer
from mappings.column import MappingColumn, Shape
from mappings.dataflows import DATAFLOWS, ArrayShape
from mappings.search import Budget, search
from mappings.space import MapSpace, exhaustive
from tests.strategies import layers
from workloads import InputError, Layer, load

CONV = Layer("conv", K=12, C=6, P=7, Q=7, R=3, S=3, padding=(1, 1, 1, 1))


def small_chip(**changes: object) -> accel.Accelerator:
    values = {"pe_array.rows": 4, "pe_array.columns": 3, "data_buffer.kib": 1.0, "weight_buffer.kib": 0.5}
    return accel.load("eyeriss_v1").with_values(values | changes)


@given(layers(), st.integers(0, 9), st.data())
def test_what_is_drawn_or_mutated_is_legal_and_within_the_array(layer, seed, data):
    array = ArrayShape(4, 3, 2, 3, 3, 3)
    space = MapSpace.anything(layer, array)
    random = np.random.default_rng(seed)
    shape = data.draw(st.sampled_from(space.shapes()))
    drawn = space.sample(shape, 32, random)
    for column in (drawn, space.mutate(drawn, random)):
        for row in range(len(column)):
            mapping = column[row]
            mapping.check(layer)
            for level, limit in (("rows", 4), ("columns", 3), ("lanes", 2)):
                assert np.prod([loop.factor for loop in getattr(mapping, level)], initial=1) <= limit


def test_general_shapes_differ_where_it_matters_and_nowhere_else():
    """Six orders of three classes at each of three levels, with and without held partial sums, flattened or not."""
    shapes = MapSpace.anything(CONV, ArrayShape(4, 4)).shapes()
    assert len(shapes) == len(set(shapes))
    # Of the six off-chip orders, two have the reduction innermost, where holding partial sums changes nothing.
    assert len(shapes) == 2 * 6 * 6 * (2 * 1 + 4 * 2)


@settings(max_examples=8)
@given(
    st.builds(Layer, st.just("tiny"), K=st.integers(1, 4), C=st.integers(1, 3), P=st.integers(1, 4), Q=st.just(1)),
    st.sampled_from(OBJECTIVES),
)
def test_search_finds_the_best_of_a_space_small_enough_to_try_whole(layer, objective):
    spec = small_chip(**{"data_buffer.kib": 0.05, "weight_buffer.kib": 0.05})
    shape = Shape("tiny", off_chip=("K", "P", "C"), on_chip=("K",), registers=("P", "C"), rows=("K",), columns=("C",))

    class OneShape(MapSpace):
        def seeds(self) -> list[MappingColumn]:
            return []

        def shapes(self) -> list[Shape]:
            return [shape]

    space = OneShape(layer, array_shape(spec), (), True)
    every = exhaustive(space, shape)
    assert every is not None
    best = costs(layer, every, spec).objective(objective).min()
    found = search(space, lambda column: costs(layer, column, spec).objective(objective), Budget(6000))
    assert (found.ranked[0][0] if found.ranked else np.inf) == best


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32"])
def test_anything_is_never_worse_than_any_named_dataflow(chip, objective):
    spec = accel.load(chip)
    for layer in load("alexnet").layers[1:5:3]:
        estimates = {}
        for name in (*DATAFLOWS, "any"):
            space = map_space(layer, spec, name)
            found = search(space, lambda column: costs(layer, column, spec).objective(objective), Budget(500))  # noqa: B023
            estimates[name] = found.ranked[0][0] if found.ranked else np.inf
        assert estimates["any"] <= min(estimates.values())


def test_a_longer_search_is_never_worse_and_the_same_search_is_the_same():
    spec = accel.load("eyeriss_v1")
    layer = load("resnet18").layers[7]

    def best(budget: Budget, seed: int = 0) -> tuple[float, str]:
        cost = lambda column: costs(layer, column, spec).objective("edp")  # noqa: E731
        found = search(map_space(layer, spec), cost, budget, seed)
        return found.ranked[0][0], repr(found.ranked[0][1])

    short, long = best(Budget(300)), best(Budget(6000))
    assert long[0] <= short[0]
    assert best(Budget(300)) == short


@given(layers(most_macs=4000), st.sampled_from(OBJECTIVES))
@settings(max_examples=15)
def test_no_mapping_beats_the_bounds(layer, objective):
    for spec in (accel.load("eyeriss_v1"), accel.load("systolic_32x32")):
        mapped = explore(layer, spec, objective=objective, budget=Budget(200))
        least = bounds(layer, spec)
        for report in (mapped.report, *(other for _, other in mapped.alternatives)):
            assert report.dram_bits >= least.dram_bits
            assert report.latency_cycles >= least.latency_cycles
            assert report.energy_pj >= least.energy_pj
            assert objective_value(report, objective) >= least.objective(objective)


def test_the_best_of_the_simulated_is_taken():
    mapped = explore(CONV, small_chip(), objective="latency")
    assert mapped.report == simulate_layer(CONV, mapped.mapping, small_chip()).report
    assert all(mapped.report.latency_cycles <= report.latency_cycles for _, report in mapped.alternatives)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("data_buffer.kib", [0.5, 1.0, 4.0, 64.0]),
        ("weight_buffer.kib", [0.25, 1.0, 16.0]),
        ("pe_array.rows", [3, 6, 12]),
        ("dma.channels", [1, 2, 4]),
    ],
)
def test_more_is_never_worse(field, values):
    """The least latency over every mapping of a shape: larger hardware keeps every mapping of the smaller."""
    layer = Layer("small", K=6, C=4, P=5, Q=3, R=3, S=3, padding=(1, 1, 1, 1))
    shape = Shape(
        "every",
        off_chip=("K", "P", "C", "Q", "R", "S"),
        on_chip=("K", "P"),
        registers=("P", "C"),
        rows=("K",),
        columns=("C",),
        lanes=(),
    )
    best = []
    for value in values:
        spec = small_chip(**{"dma.link_bits": None, "dma.link_mhz": None, field: value})
        every = exhaustive(MapSpace(layer, array_shape(spec), ()), shape)
        assert every is not None
        best.append(costs(layer, every, spec).objective("latency").min())
    assert np.isfinite(best[-1])
    assert all(after <= before for before, after in pairwise(best)), best


def test_what_fits_nowhere_names_layer_buffer_and_the_size_that_would_do():
    with pytest.raises(InputError, match=r"layer conv .*(data|weight)_buffer\.kib = 0\.001 is too small .* needs \d"):
        map_layer(replace(CONV), small_chip(**{"data_buffer.kib": 0.001, "weight_buffer.kib": 0.001}))


@pytest.mark.parametrize("budget", [{"mappings": 0}, {"seconds": 0.0}, {"seconds": float("nan")}])
def test_a_budget_of_nothing_is_refused(budget):
    with pytest.raises(InputError, match="budget"):
        Budget(**budget)
