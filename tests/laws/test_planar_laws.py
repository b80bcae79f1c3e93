"""Do arrays of planar tiles obey their laws: vectors, barriers, halos over links, and room in the accumulators?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.assignment import assign
from accel.mapper import explore, map_layer
from accel.planes import planes_fit, require_planes
from accel.simulation import LayerReport, simulate_layer
from accel.spec import Accelerator, load
from accel.task import array_shape
from mappings import Budget, Loop, Mapping
from mappings.column import MappingColumn
from mappings.dataflows import candidates
from tests.strategies import layers_and_mappings
from workloads import Density, InputError, Layer, Tensors
from workloads.operands import draw

LAYER = Layer("plane", K=40, C=6, P=13, Q=13, R=3, S=3, padding=(1, 1, 1, 1), density=Density(0.4, 0.3))
"""On 8 x 8 PEs tiles of 1 or 2 by 1 or 2 outputs: 40 filters are a group of their own."""


def machine(**values: object) -> Accelerator:
    return load("scnn").with_values({f"pe_array.matching.{name}": value for name, value in values.items()})


def report(layer: Layer, spec: Accelerator, mapping: Mapping | None = None) -> LayerReport:
    chosen = mapping or candidates("planar_tiled", layer, array_shape(spec))[0][0]
    return simulate_layer(layer, chosen, spec).report


@given(st.integers(0, 50), st.floats(0.1, 1.0), st.floats(0.1, 1.0))
def test_more_nonzeros_never_take_less_time(seed: int, input_share: float, weight_share: float) -> None:
    """Of the same tensors with some words set to zero."""
    dense = draw(LAYER, seed)
    generator = np.random.default_rng(seed)

    def thinned(words: np.ndarray, share: float) -> np.ndarray:
        return np.where(generator.random(words.shape) < share, words, 0).astype(words.dtype)

    thin = Tensors(thinned(dense.input, input_share), thinned(dense.weight, weight_share))
    more, less = (report(LAYER.with_tensors(tensors), machine()) for tensors in (dense, thin))
    assert less.mac_cycles <= more.mac_cycles
    assert less.compute_cycles <= more.compute_cycles
    assert less.effectual_macs <= more.effectual_macs


def test_without_zeros_tiles_take_their_vectors() -> None:
    """The largest tile has four inputs, one vector; 40 filters of nine taps are 90; six channels."""
    assert report(replace(LAYER, density=Density()), machine()).mac_cycles == 6 * 90


@pytest.mark.parametrize(("rate", "double"), [(1, False), (1, True), (4, False), (4, True)])
def test_halos_leave_over_links_of_so_many_sums_a_cycle(rate: int, double: bool) -> None:
    """A tile of 2 x 2 reaches a row beyond it, four wide, on each side: 4 x 40 sums up or down.

    One pass: there is no next one to hide them.
    """
    free, linked = (
        report(
            replace(LAYER, density=Density()),
            machine(halo_words_per_cycle=words).with_values({"pe_array.register_double_buffered.output": double}),
        ).compute_cycles
        for words in (0, rate)
    )
    assert linked - free == 160 // rate


def test_halos_hide_behind_the_next_group_where_accumulators_are_double_buffered() -> None:
    """Five groups of eight filters: 32 sums each, in the time of six channels of 18 vectors; the last is seen."""
    mapping = Mapping(
        "groups",
        off_chip=(Loop("K", 5),),
        registers=(Loop("C", 6), Loop("R", 3), Loop("S", 3), Loop("P", 2), Loop("Q", 2)),
        rows=(Loop("P", 8),),
        columns=(Loop("Q", 8),),
        lanes=(Loop("K", 8),),
    )
    layer = replace(LAYER, density=Density())
    for double, seen in ((True, 1), (False, 5)):
        spec = machine().with_values({"pe_array.register_double_buffered.output": double})
        free = spec.with_values({"pe_array.matching.halo_words_per_cycle": 0})
        assert report(layer, spec, mapping).compute_cycles - report(layer, free, mapping).compute_cycles == seen * 32


def test_pes_wait_for_each_other_at_the_end_of_a_group_and_not_before() -> None:
    """Two channels, each with nonzeros on one PE alone: together in one pass, one after the other in two."""
    words = np.zeros((1, 2, 2, 1), np.int8)
    words[0, 0, 0] = words[0, 1, 1] = 1
    layer = Layer("pair", K=16, C=2, P=2).with_tensors(Tensors(words, np.ones((16, 2, 1, 1), np.int8)))
    spec = load("scnn").with_values({"pe_array.rows": 2, "pe_array.columns": 1})
    whole = Mapping("whole", registers=(Loop("C", 2),), rows=(Loop("P", 2),), lanes=(Loop("K", 16),))
    split = replace(whole, registers=(), off_chip=(Loop("C", 2),))
    assert report(layer, spec, whole).mac_cycles == 4
    assert report(layer, spec, split).mac_cycles == 8


def test_a_group_beyond_the_accumulators_is_refused_and_never_searched_for() -> None:
    """Tiles of 2 x 2 reach 4 x 4 outputs: 64 filters fill 1024 accumulators, 80 do not fit."""
    layer = replace(LAYER, K=80)
    mapping = Mapping(
        "large",
        registers=(Loop("C", 6), Loop("P", 2), Loop("Q", 2), Loop("K", 5), Loop("R", 3), Loop("S", 3)),
        rows=(Loop("P", 8),),
        columns=(Loop("Q", 8),),
        lanes=(Loop("K", 16),),
    )
    with pytest.raises(InputError, match=r"adds up 1280 outputs a PE, with those it sends .* in 1024 accumulators"):
        report(layer, machine(), mapping)
    found = map_layer(layer, machine(), objective="dram", budget=Budget(mappings=3000))
    report(layer, machine(), found)


def test_fully_connected_layers_use_a_quarter_of_the_multipliers_at_best() -> None:
    """Parashar et al., ISCA 2017, section VII: an input and four weights a cycle on each PE."""
    layer = Layer("fc", K=4096, C=64)
    assert report(layer, machine()).mac_cycles == layer.macs / (1024 / 4)


ROOM = {"pe_array.registers.output": 1 << 20}


def split(layer: Layer, mapping: Mapping) -> bool:
    """Whether taps of one channel are on different PEs or in different passes."""
    places = assign(layer, mapping).taps.reshape(layer.C, -1, 3)
    return bool((places != places[:, :1]).any())


@given(layers_and_mappings(flat=False))
def test_mappings_fit_that_leave_all_taps_of_a_channel_together(case: tuple[Layer, Mapping]) -> None:
    layer, mapping = case
    spec = load("scnn").with_values(ROOM)
    assert planes_fit(layer, MappingColumn.of([mapping]), spec).all() == (not split(layer, mapping))
    if split(layer, mapping):
        with pytest.raises(InputError, match="R or S is split"):
            require_planes(mapping, layer, spec)


@given(layers_and_mappings())
def test_what_fits_is_not_split_where_axes_are_flattened_either(case: tuple[Layer, Mapping]) -> None:
    layer, mapping = case
    if planes_fit(layer, MappingColumn.of([mapping]), load("scnn").with_values(ROOM)).all():
        assert not split(layer, mapping)


@pytest.mark.parametrize("budget", [2000, 40_000])
def test_a_longer_search_of_everything_is_not_lost_in_what_cannot_run(budget: int) -> None:
    layer = Layer("depthwise", G=24, P=14, Q=14, R=3, S=3, padding=(1, 1, 1, 1))
    found = explore(layer, load("scnn"), dataflow="any", objective="latency", budget=Budget(budget))
    planar = explore(layer, load("scnn"), dataflow="planar_tiled", objective="latency", budget=Budget(budget))
    assert found.report.latency_cycles <= planar.report.latency_cycles
    assert found.mapping.name == "any"
