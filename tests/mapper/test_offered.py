"""Is what a search ends with never worse than any mapping it was offered, and so never worse on more hardware?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accel
from accel.exploring import Side, explore_layers
from accel.mapper import MappedLayer, explore
from accel.mapping_cache import MappingCache
from accel.objective import OBJECTIVES, objective_value
from accel.simulation import simulate_layer
from mappings import Budget, Loop, Mapping
from tests.strategies import accelerators, layers_and_mappings
from workloads import InputError, Layer, load

CONV = Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
SHORT, LONG = {"objective": "latency", "budget": Budget(1)}, {"objective": "latency", "budget": Budget(20_000)}
ONE_BY_ONE = Mapping("row_stationary", off_chip=tuple(Loop(dim, getattr(CONV, dim)) for dim in "KCPQRS"))
"""A tile of a single MAC."""


@pytest.fixture(scope="module")
def known() -> tuple[Layer, MappedLayer, MappedLayer]:
    """A layer, what a short search ends with, and the better mapping of a long one."""
    layer, chip = load("lenet5").layers[3], accel.load("eyeriss_v1")
    short, long = explore(layer, chip, **SHORT), explore(layer, chip, **LONG)
    assert long.report.latency_cycles < short.report.latency_cycles
    return layer, short, long


def test_an_offered_mapping_is_the_result_where_it_is_the_best(
    known: tuple[Layer, MappedLayer, MappedLayer],
) -> None:
    layer, short, long = known
    found = explore(layer, accel.load("eyeriss_v1"), offered=[long.mapping], **SHORT)
    assert (found.mapping, found.report, found.bounds) == (long.mapping, long.report, long.bounds)
    assert found.offered
    assert (short.mapping, short.report) in found.alternatives
    assert (found.costed, found.exhaustive, found.passed_over) == (short.costed, short.exhaustive, ())
    worse = explore(layer, accel.load("eyeriss_v1"), offered=[short.mapping], **LONG)
    assert (worse.mapping, worse.offered) == (long.mapping, False)


def test_what_is_offered_changes_nothing_in_the_cache(
    known: tuple[Layer, MappedLayer, MappedLayer], tmp_path: Path
) -> None:
    layer, short, long = known
    chip, cache = accel.load("eyeriss_v1"), MappingCache(tmp_path)

    def stored() -> dict[str, str]:
        return {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert explore(layer, chip, cache=cache, offered=[long.mapping], **SHORT).mapping == long.mapping
    with_offer = stored()
    explore(layer, chip, cache=cache, **SHORT)
    assert stored() == with_offer
    assert len(with_offer) == 1
    # What is remembered is offered better ones too, and is itself what a search without any would have found.
    again = explore(layer, chip, cache=cache, recall=True, offered=[long.mapping], **SHORT)
    assert (again.mapping, again.offered, again.costed, again.exhaustive) == (long.mapping, True, 0, False)
    assert (short.mapping, short.report) in again.alternatives
    alone = explore(layer, chip, cache=cache, recall=True, **SHORT)
    assert (alone.mapping, alone.report, alone.alternatives) == (short.mapping, short.report, ())
    assert stored() == with_offer


@settings(max_examples=15)
@given(layers_and_mappings(most_macs=600), st.sampled_from(OBJECTIVES), st.data())
def test_never_worse_than_any_that_fits(pair, objective, data):
    layer, mapping = pair
    mapping = replace(mapping, name="output_stationary")
    chip = data.draw(accelerators(mapping))
    try:
        least = objective_value(simulate_layer(layer, mapping, chip).report, objective)
    except InputError:
        least = float("inf")
    options = {"dataflow": "output_stationary", "objective": objective, "budget": Budget(1)}
    try:
        least = min(least, objective_value(explore(layer, chip, **options).report, objective))
        found = explore(layer, chip, offered=[ONE_BY_ONE, mapping], **options)
    except InputError:
        assert least == float("inf")
        return
    assert objective_value(found.report, objective) <= least
    assert found.report == simulate_layer(layer, found.mapping, chip).report


def test_what_does_not_fit_or_is_of_another_dataflow_is_passed_over_and_said_so() -> None:
    chip = accel.load("eyeriss_v1")
    alone = explore(CONV, chip, **SHORT)
    roomy = chip.with_values({"pe_array.rows": 50, "mapping.dataflows": ["row_stationary", "output_stationary"]})
    wide = replace(ONE_BY_ONE, rows=(Loop("K", 8), Loop("C", 4)), off_chip=ONE_BY_ONE.off_chip[2:])
    other = replace(alone.mapping, name="output_stationary")
    elsewhere = replace(ONE_BY_ONE, off_chip=(Loop("K", 3),))
    found = explore(CONV, chip, offered=[wide, other, elsewhere], **SHORT)
    assert (found.mapping, found.report, found.offered) == (alone.mapping, alone.report, False)
    reasons = [str(reason) for reason in found.passed_over]
    assert "rows unrolled 32 times over 12 rows" in reasons[0]
    assert "mapping output_stationary: not of row_stationary" in reasons[1]
    assert "the factors cover only 3" in reasons[2]
    assert explore(CONV, roomy, offered=[wide, other], **SHORT).passed_over == ()
    assert explore(CONV, chip, offered=[replace(other, name="by hand")], dataflow="any", **SHORT).passed_over == ()


def test_what_fits_is_the_result_where_no_mapping_of_the_search_does(tmp_path: Path) -> None:
    chip = accel.load("eyeriss_v1").with_values({"data_buffer.kib": 0.02})  # too little for a window
    with pytest.raises(InputError, match=r"data_buffer\.kib = 0\.02 is too small"):
        explore(CONV, chip, **SHORT)
    found = explore(CONV, chip, cache=MappingCache(tmp_path), offered=[ONE_BY_ONE], **SHORT)
    assert (found.mapping, found.offered, found.alternatives) == (ONE_BY_ONE, True, ())
    assert found.costed
    assert not list(tmp_path.iterdir()), "nothing that the search found"
    with pytest.raises(InputError, match=r"data_buffer\.kib = 0\.02 is too small"):
        explore(CONV, chip, offered=[replace(ONE_BY_ONE, name="output_stationary")], **SHORT)


def test_a_search_that_is_stopped_has_the_best_of_the_offered_too(
    known: tuple[Layer, MappedLayer, MappedLayer], tmp_path: Path
) -> None:
    layer, _, long = known
    endless, cache = {"objective": "latency", "budget": Budget(10**9)}, MappingCache(tmp_path)
    chip = accel.load("eyeriss_v1")
    found = explore(layer, chip, cache=cache, offered=[long.mapping], stop=lambda: True, **endless)
    assert found.interrupted
    assert found.mapping == long.mapping
    assert not list(tmp_path.iterdir())


def test_layers_are_offered_mappings_by_name_in_any_process(known: tuple[Layer, MappedLayer, MappedLayer]) -> None:
    layer, short, long = known
    twins, chip = [layer, replace(layer, name="twin")], accel.load("eyeriss_v1")
    offered = {layer.name: [long.mapping], "nobody": [ONE_BY_ONE]}
    with ThreadPoolExecutor(2) as pool:
        for side in (None, Side(pool, Event())):
            found = dict(explore_layers(twins, chip, offered=offered, side=side, **SHORT))
            assert [found[twin].mapping for twin in twins] == [long.mapping, short.mapping]


@pytest.mark.parametrize(
    ("field", "times"),
    [
        ("data_buffer.kib", (1, 2, 4, 8)),
        ("dma.channels", (1, 2, 4)),
        ("pe_array.rows", (1, 2, 4)),
        ("pe_array.columns", (1, 2, 4)),
    ],
)
@pytest.mark.parametrize(
    ("chip", "network", "name", "objective"),
    [
        ("eyeriss_v1", "resnet50", "layer2.0.conv1", "latency"),  # pointwise: rises where nothing is offered
        ("eyeriss_v1", "resnet50", "layer2.0.conv2", "dram"),  # as does this
        ("eyeriss_v1", "mobilenet_v2", "block5.dw", "latency"),
        ("zhang_fpga15", "resnet50", "layer2.0.conv2", "latency"),
        ("zhang_fpga15", "resnet50", "layer2.0.conv2", "dram"),
        ("systolic_32x32", "resnet50", "conv1", "latency"),
        ("systolic_32x32", "mobilenet_v2", "block5.dw", "dram"),
    ],
)
def test_more_is_never_worse_where_each_step_is_offered_those_before(chip, network, name, objective, field, times):
    """Compared without tolerance: cycles and bits are whole numbers. Systolic arrays bypass what a mapping leaves."""
    layer = next(layer for layer in load(network).layers if layer.name == name)
    part, last = field.split(".")
    spec = accel.load(chip)
    # The chip's own link may be narrower than what more channels would bring.
    roomy = {"dma.link_bits": None, "dma.link_mhz": None, "pe_array.bypass": spec.pe_array.arrangement == "systolic"}
    spec = spec.with_values(roomy)
    own = getattr(getattr(spec, part), last)
    best: list[int] = []
    known: list[Mapping] = []
    for more in times:
        larger = spec.with_values({field: own * more})
        found = explore(layer, larger, objective=objective, budget=Budget(1000), offered=known)
        assert found.passed_over == ()
        best.append(objective_value(found.report, objective))
        known.append(found.mapping)
    assert all(after <= before for before, after in pairwise(best)), best
