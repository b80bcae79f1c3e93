"""Does the search find the best? Against every mapping of small spaces, the named dataflows, and itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import accel
from accel.bounds import bounds, unrolling_bound
from accel.closed_form import costs
from accel.mapper import explore, find_mapping, map_layer
from accel.objective import OBJECTIVES, WHOLE, Objective, objective_value, with_ties_broken
from accel.residency import NOWHERE
from accel.simulation import simulate_layer
from accel.task import array_shape, fits_buffers, map_space
from mappings import ArrayShape, Budget, MapSpace, schedule, search
from mappings.column import MappingColumn, Shape
from mappings.dataflows import close
from mappings.exhaustive import exhaustive, whole_space
from mappings.pool import Pool
from mappings.searching import Cost
from tests.strategies import layers
from workloads import InputError, Layer, load

CONV = Layer("conv", K=12, C=6, P=7, Q=7, R=3, S=3, padding=(1, 1, 1, 1))


def small_chip(**changes: object) -> accel.Accelerator:
    values = {"pe_array.rows": 4, "pe_array.columns": 3, "data_buffer.kib": 1.0, "weight_buffer.kib": 0.5}
    return accel.load("eyeriss_v1").with_values(values | changes)


def estimated(layer: Layer, spec: accel.Accelerator, objective: Objective = "edp", threads: int = 1) -> Cost:
    """What the estimate says that a mapping costs."""
    return lambda column: costs(layer, column, spec, threads=threads).objective(objective)


class OneShape(MapSpace):
    """All factors of a single shape, without any candidates to start from."""

    shape_of_all = Shape("tiny", ("K", "P", "C"), ("K",), ("P", "C"), ("K",), ("C",))

    @property
    def candidates(self) -> list[MappingColumn]:
        return []

    def shapes(self) -> Iterator[Shape]:
        yield self.shape_of_all

    def shape(self, random: np.random.Generator) -> Shape:
        return self.shape_of_all

    def every_mapping(self) -> list[MappingColumn]:
        """All that fit, with inputs and weights held over as many of the three off-chip loops as one likes."""
        columns = []
        for inputs, weights in product((0, 1, 2, None), repeat=2):
            column = exhaustive(self, replace(self.shape_of_all, hold=(inputs, weights, None)))
            assert column is not None
            columns.append(column)
        return columns


@settings(max_examples=8)
@given(
    st.builds(Layer, st.just("tiny"), K=st.integers(2, 4), C=st.integers(2, 3), P=st.integers(2, 4)),
    st.sampled_from(OBJECTIVES),
)
def test_search_finds_the_best_of_a_space_small_enough_to_try_whole(layer, objective):
    spec = small_chip(**{"data_buffer.kib": 0.05, "weight_buffer.kib": 0.05})
    space = OneShape(layer, array_shape(spec), fits_buffers(layer, spec, NOWHERE))
    columns = space.every_mapping()
    size = len(columns[-1])
    cost = estimated(layer, spec, objective)
    best = min(cost(column).min(initial=np.inf) for column in columns)
    bound = unrolling_bound(layer, spec, NOWHERE, objective)
    assert all((bound(column) <= cost(column)).all() for column in columns)
    whole = search(space, cost, bound=bound, budget=Budget(100_000))
    assert whole.exhaustive
    assert (whole.ranked[0][0] if whole.ranked else np.inf) == best
    assert size <= whole.costed + whole.pruned <= sum(map(len, columns))
    drawn = search(space, cost, bound=bound, budget=Budget(min(6000, size - 1)))
    assert not drawn.exhaustive
    if size > 3000:
        assert (drawn.ranked[0][0] if drawn.ranked else np.inf) == best


@pytest.mark.parametrize("objective", WHOLE)
def test_of_equals_the_one_of_less_energy_times_delay_is_found(objective):
    layer = Layer("tiny", K=12, C=6, P=8)
    spec = small_chip(**{"data_buffer.kib": 0.5, "weight_buffer.kib": 0.5})
    space = OneShape(layer, array_shape(spec), fits_buffers(layer, spec, NOWHERE))
    columns = space.every_mapping()

    def broken(column: MappingColumn) -> NDArray[np.float64]:
        found = costs(layer, column, spec)
        return with_ties_broken(found.objective(objective), found, objective)

    every = [costs(layer, column, spec) for column in columns]
    values, products = (np.concatenate([one.objective(kind) for one in every]) for kind in (objective, "edp"))
    assert (np.floor(np.concatenate([broken(column) for column in columns])) == np.floor(values)).all()
    best = search(space, broken, budget=Budget(100_000), whole_costs=True)
    chosen = costs(layer, MappingColumn.of([best.ranked[0][1]]), spec)
    assert best.exhaustive
    assert chosen.objective(objective)[0] == values.min()
    assert chosen.objective("edp")[0] == products[values == values.min()].min()
    # A space too large for the budget: no worse than when ties are left as they are.
    plain = search(space, estimated(layer, spec, objective), budget=Budget(1000))
    finer = search(space, broken, budget=Budget(1000), whole_costs=True)
    assert not plain.exhaustive and not finer.exhaustive
    before, after = (costs(layer, MappingColumn.of([one.ranked[0][1]]), spec) for one in (plain, finer))
    assert after.objective(objective)[0] <= before.objective(objective)[0]
    if after.objective(objective)[0] == before.objective(objective)[0]:
        assert after.objective("edp")[0] <= before.objective("edp")[0]


def test_ctrl_c_while_registers_are_spared_leaves_what_was_found(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("accel.mapper.sparing", interrupt)
    found = explore(CONV, small_chip(), budget=Budget(100))
    assert found.interrupted
    assert found.report == simulate_layer(CONV, found.mapping, small_chip()).report


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_the_first_simulation_leaves_what_was_found(monkeypatch, times):
    spec, calls = small_chip(), []

    def interrupt(*arguments, **options):
        calls.append(arguments)
        if len(calls) <= times:
            raise KeyboardInterrupt
        return simulate_layer(*arguments, **options)

    monkeypatch.setattr("accel.confirming.simulate_layer", interrupt)
    if times == 1:
        found = explore(CONV, spec, budget=Budget(100))
        assert found.interrupted and found.costed > 0
        assert found.report == simulate_layer(CONV, found.mapping, spec).report
    else:
        with pytest.raises(KeyboardInterrupt):
            explore(CONV, spec, budget=Budget(100))


def test_a_small_space_of_everything_is_tried_whole_and_says_so():
    layer, spec = Layer("tiny", K=2, C=3), small_chip()
    mapped = explore(layer, spec, dataflow="any", objective="latency", budget=Budget(20_000))
    assert mapped.exhaustive
    columns = whole_space(map_space(layer, spec, "any"), 20_000)
    assert columns is not None
    least = min(costs(layer, column, spec).objective("latency").min() for column in columns)
    assert costs(layer, MappingColumn.of([mapped.mapping]), spec).objective("latency")[0] <= least


def test_fits_and_cost_are_all_a_search_needs():
    """The mappings package alone: a buffer of 40 words, and the words moved off chip as the cost."""
    layer = Layer("product", K=8, C=8)

    def moved(column: MappingColumn) -> NDArray[np.float64]:
        steps = [schedule(layer, column[row]) for row in range(len(column))]
        return np.array([part.load_words.sum() + part.store_words.sum() for part in steps], dtype=float)

    space = MapSpace(layer, ArrayShape(2, 2), lambda footprint: footprint.words.sum(axis=1) <= 40)
    found = search(space, moved, budget=Budget(400))
    # Weights and outputs cross once. All inputs stay, beside a filter's eight weights and its output.
    assert found.ranked[0][0] == 64 + 8 + 8
    for _, mapping in found.ranked:
        assert schedule(layer, mapping).held_words.sum() <= 40
    nothing = search(MapSpace(layer, ArrayShape(2, 2), lambda footprint: footprint.words[:, 0] < 0), moved)
    assert nothing.ranked == () and nothing.costed == 0


def test_ctrl_c_keeps_the_best_so_far():
    spec, calls = accel.load("eyeriss_v1"), []

    def cost(column: MappingColumn) -> NDArray[np.float64]:
        calls.append(len(column))
        if sum(calls) > 3000:
            raise KeyboardInterrupt
        return costs(CONV, column, spec).objective("edp")

    found = search(map_space(CONV, spec), cost, budget=Budget(10**9))
    assert found.ranked and not found.exhaustive
    calls = [10**6]
    with pytest.raises(KeyboardInterrupt):
        search(map_space(CONV, spec), cost)


def test_cores_do_not_change_what_is_found():
    spec = accel.load("systolic_32x32")
    layer = load("resnet18").layers[7]

    def found(threads: int) -> str:
        cost = estimated(layer, spec, threads=threads)
        return repr(search(map_space(layer, spec, "any"), cost, budget=Budget(3000)).ranked)

    assert found(1) == found(3)


def layers_given_to(function: Callable[..., object], called_as: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the layers that a function is called with from now on, where it is called by this name."""
    names: list[str] = []

    def counting(layer: Layer, *rest: object, **options: object) -> object:
        names.append(layer.name)
        return function(layer, *rest, **options)

    monkeypatch.setattr(called_as, counting)
    return names


def test_repeated_shapes_are_searched_once(monkeypatch):
    searched = layers_given_to(find_mapping, "accel.evaluation.find_mapping", monkeypatch)
    accel.simulate(load("resnet18"), accel.load("eyeriss_v1"), budget=Budget(1))
    assert len(searched) == len(set(searched)) == 12


def test_what_confirmed_a_mapping_is_not_simulated_again(monkeypatch):
    simulated = layers_given_to(simulate_layer, "accel.planning.simulate_layer", monkeypatch)
    network, spec = load("lenet5"), accel.load("eyeriss_v1")
    plain = accel.simulate(network, spec, budget=Budget(1))
    assert simulated == []
    stepped = accel.simulate(network, spec, budget=Budget(1), every_step=True)
    assert len(simulated) == 4
    assert stepped.layers == plain.layers
    # On real operands nothing is known before.
    picture = {name: np.ones(shape) for name, shape in network.inputs.items()}
    accel.simulate(network, spec, budget=Budget(1), inputs=picture)
    assert len(simulated) == 8


def test_what_was_turned_away_comes_back_when_fractions_count():
    column = MappingColumn(Shape("one", off_chip=("K",)), np.arange(1, 6)[:, None])
    pool, values = Pool(whole=True), np.array([100.9, 100.8, 100.7, 100.2, 100.1])
    pool.add(column, values)
    pool.crowd()
    pool.refine()
    pool.add(column, values)
    assert [entry[-1] for entry in pool.entries] == sorted(values)


def test_tiles_too_small_to_be_played_are_no_mappings():
    """64 bits of data buffer hold a sum and an input, but then a layer takes more tile steps than are simulated."""
    layer, spec = load("resnet18").layers[10], accel.load("systolic_32x32")
    with pytest.raises(InputError, match=r"data_buffer.kib = 0.03 is too small for .*: needs (0\.\d+)") as refused:
        explore(layer, spec.with_values({"data_buffer.kib": 0.03}), dataflow="output_stationary", budget=Budget(1))
    assert "tile steps" not in str(refused.value)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32"])
def test_anything_is_never_worse_than_any_named_dataflow(chip, objective):
    layer, spec, wishes = load("alexnet").layers[1], accel.load(chip), {"objective": objective, "budget": Budget(100)}
    anything = objective_value(explore(layer, spec, dataflow="any", **wishes).report, objective)
    for name in ("weight_stationary", "output_stationary", "input_stationary", "row_stationary", "no_local_reuse"):
        assert anything <= objective_value(explore(layer, spec, dataflow=name, **wishes).report, objective)


def test_a_longer_search_is_never_worse_and_the_same_search_is_the_same():
    spec = accel.load("eyeriss_v1")
    layer = load("resnet18").layers[7]

    def best(budget: Budget, seed: int = 0) -> tuple[float, str]:
        found = search(map_space(layer, spec), estimated(layer, spec), budget=budget, seed=seed)
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
    ("network", "name", "field", "values"),
    [
        ("alexnet", "conv1", "weight_buffer.kib", [4, 6, 24, 30]),
        ("alexnet", "conv3", "pe_array.columns", [24, 26, 28, 42]),
        ("resnet50", "layer2.0.conv1", "pe_array.columns", [7, 10]),
        ("resnet50", "layer1.1.conv1", "pe_array.columns", [7, 10]),
    ],
)
def test_more_never_adds_traffic_although_each_search_is_by_itself(network, name, field, values):
    (layer,) = (layer for layer in load(network).layers if layer.name == name)
    chips = [accel.load("eyeriss_v1").with_values({field: value}) for value in values]
    found = [objective_value(explore(layer, chip, objective="dram").report, "dram") for chip in chips]
    assert all(after <= before for before, after in pairwise(found)), found


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
        every = exhaustive(MapSpace(layer, array_shape(spec)), shape)
        assert every is not None
        best.append(costs(layer, every, spec).objective("latency").min())
    assert np.isfinite(best[-1])
    assert all(after <= before for before, after in pairwise(best)), best


def test_the_best_found_has_no_better_neighbour():
    """Each single change of a factor, tried one by one, makes what a search of a small layer ends with no better."""
    spec = small_chip()
    layer = Layer("small", K=6, C=4, P=5, Q=5)
    space = map_space(layer, spec, fits=fits_buffers(layer, spec, NOWHERE))
    cost = estimated(layer, spec)
    found = search(space, cost, budget=Budget(20_000))
    best = MappingColumn.of([found.ranked[0][1]])
    tried = 0
    for place, (level, axis) in enumerate(best.shape.loops):
        for factor in range(1, getattr(layer, axis) + 1):
            factors = best.factors.copy()
            factors[0, place] = factor
            limit = {"rows": spec.pe_array.rows, "columns": spec.pe_array.columns}.get(level, layer.macs)
            here = [other for other, loop in enumerate(best.shape.loops) if loop[0] == level]
            other = close(MappingColumn(best.shape, factors), layer)
            if len(other) and np.prod(factors[0, here]) <= limit and len(space.fitting(other)):
                tried += 1
                assert cost(other)[0] >= found.ranked[0][0] * (1 - 1e-12), other[0]
    assert tried > 5


@pytest.mark.parametrize(
    ("field", "operand"),
    [
        ("data_buffer.kib", "bits of inputs and .* bits of partial sums"),
        ("weight_buffer.kib", "bits of weights"),
        ("data_buffer.accumulator_kib", "bits of (partial sums|outputs)"),
    ],
)
def test_what_fits_nowhere_names_layer_buffer_operand_and_a_size_that_would_do(field, operand):
    refused = rf"layer conv .*{field} = 0\.001 is too small for \d+ {operand}: needs"
    with pytest.raises(InputError, match=refused) as told:
        map_layer(CONV, small_chip(**{field: 0.001}))
    least = float(str(told.value).split()[-1])
    assert map_layer(CONV, small_chip(**{field: least})).name


@pytest.mark.parametrize("budget", [Budget(1), Budget(100), Budget(seconds=0.01)])
def test_a_short_search_looks_for_what_fits_as_long_as_any(budget: Budget) -> None:
    chip = accel.load("eyeriss_v1").with_values({"data_buffer.kib": 0.05})
    large = Layer("large", K=4, C=4, P=8, Q=8, R=61, S=61)  # no candidate of the dataflow fits
    assert explore(large, chip, budget=budget).report.macs == large.macs
    # A row set makes a row of pixels: 24 inputs and 24 sums of 16 bits are 768 bits.
    with pytest.raises(InputError, match=r"needs 0\.094"):
        explore(Layer("small", K=20, P=24, Q=24, R=5, S=5), chip, budget=budget)


@pytest.mark.parametrize("tiles", [1, 2])
def test_the_least_size_named_holds_a_word_of_each_operand(tiles):
    values = {"data_buffer.double_buffered": tiles == 2, "pe_array.bits.psum": 24, "data_buffer.kib": 0.001}
    with pytest.raises(InputError, match="data_buffer") as told:
        map_layer(Layer("dot", C=50), small_chip(**values), dataflow="any")
    bits = tiles * (16 + 24)  # an input, and a partial sum that waits for the other 49
    assert float(str(told.value).split()[-1]) == -(-bits * 1000 // 8192) / 1000


@pytest.mark.parametrize(
    "budget",
    [
        {"mappings": 0},
        {"mappings": 2.5},
        {"mappings": "5"},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seconds": "1"},
    ],
)
def test_a_budget_of_nothing_is_refused(budget):
    with pytest.raises(InputError, match="budget"):
        Budget(**budget)
