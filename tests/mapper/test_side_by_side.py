"""Are layers mapped side by side as they are one by one, and what comes out when that is stopped?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import accel
from accel.cli.workers import searchers
from accel.exploring import Side, explore_layers
from accel.mapper import MappedLayer, NoMapping, explore
from accel.mapping_cache import MappingCache
from accel.residency import NOWHERE
from accel.task import fits_buffers, map_space
from mappings import Budget, Found, MapSpace, search
from mappings.dataflows import DATAFLOWS
from workloads import Density, InputError, Layer

LAYERS = [Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3), Layer("fc", K=40, C=30), Layer("wide", K=9, C=6, P=5)]
OPTIONS = {"budget": Budget(600), "objective": "latency"}


def nests(outcomes: list[tuple[Layer, MappedLayer | InputError]]) -> list[object]:
    return [(layer.name, found if isinstance(found, InputError) else found.mapping) for layer, found in outcomes]


def test_any_number_of_processes_finds_the_same() -> None:
    spec = accel.load("eyeriss_v1")
    alone = list(explore_layers(LAYERS, spec, **OPTIONS))
    with searchers(2) as side:
        beside = list(explore_layers(LAYERS, spec, side=side, **OPTIONS))
    assert nests(alone) == nests(beside)
    assert [layer.name for layer, _ in beside] == ["conv", "fc", "wide"]


def test_a_layer_without_a_mapping_does_not_keep_the_others_from_theirs() -> None:
    spec = accel.load("eyeriss_v1").with_values({"data_buffer.kib": 0.02})  # too little for the windows of conv
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(explore_layers(LAYERS, spec, side=Side(pool, Event()), **OPTIONS))
    assert [type(found) for _, found in outcomes] == [NoMapping, MappedLayer, MappedLayer]
    assert "layer conv" in str(outcomes[0][1])


def test_what_fits_is_found_where_no_candidate_of_the_dataflow_does() -> None:
    spec = accel.load("eyeriss_v1").with_values({"data_buffer.kib": 0.05})
    assert not map_space(LAYERS[0], spec, fits=fits_buffers(LAYERS[0], spec, NOWHERE)).seeds()
    assert explore(LAYERS[0], spec, budget=Budget(600)).report.macs == LAYERS[0].macs


def test_what_is_stopped_has_the_best_so_far(tmp_path: Path) -> None:
    layer, spec, asked = LAYERS[0], accel.load("eyeriss_v1"), []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 3

    cache = MappingCache(tmp_path)
    found = explore(layer, spec, budget=Budget(1_000_000), stop=stop, cache=cache)
    assert found.interrupted
    assert found.costed < 100_000
    assert not list(tmp_path.iterdir()), "an interrupted search is not worth keeping"


def test_one_that_is_stopped_with_nothing_does_not_keep_the_others_from_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(layer: Layer, *arguments: Any, **options: Any) -> MappedLayer:
        if layer.name == "fc":
            raise KeyboardInterrupt
        return explore(layer, *arguments, **options)

    monkeypatch.setattr("accel.exploring.explore", stopped)
    with ThreadPoolExecutor(1) as pool:
        outcomes = list(explore_layers(LAYERS, accel.load("eyeriss_v1"), side=Side(pool, Event()), **OPTIONS))
    assert [layer.name for layer, _ in outcomes] == ["conv", "wide"]


@pytest.mark.parametrize("searched", [0, 1, 3])
def test_ctrl_c_keeps_what_the_spaces_before_came_to(monkeypatch: pytest.MonkeyPatch, searched: int) -> None:
    spaces: list[MapSpace] = []

    def interrupted(space: MapSpace, *arguments: Any, **options: Any) -> Found:
        if len(spaces) == searched:
            raise KeyboardInterrupt
        spaces.append(space)
        return search(space, *arguments, **options)

    monkeypatch.setattr("accel.mapper.search", interrupted)
    task = (LAYERS[0], accel.load("systolic_32x32").with_values({"mapping.dataflows": list(DATAFLOWS)[:4]}))
    if not searched:
        with pytest.raises(KeyboardInterrupt):
            explore(*task, budget=Budget(50))
    else:
        found = explore(*task, budget=Budget(50))
        assert found.interrupted
        assert found.costed > 0
        assert {mapping.name for mapping, _ in found.alternatives} <= set(list(DATAFLOWS)[:searched])


def test_what_is_remembered_has_the_bounds_of_its_zeros(tmp_path: Path) -> None:
    layer = Layer("sparse", K=16, C=32, density=Density(0.3, 0.2))
    cache, spec = MappingCache(tmp_path), accel.load("eie")
    ((_, fresh),) = explore_layers([layer], spec, cache=cache, **OPTIONS)
    ((_, known),) = explore_layers([layer], spec, cache=cache, **OPTIONS)
    assert isinstance(fresh, MappedLayer)
    assert isinstance(known, MappedLayer)
    assert known.costed == 0 < fresh.costed
    assert (known.mapping, known.bounds, known.report) == (fresh.mapping, fresh.bounds, fresh.report)
