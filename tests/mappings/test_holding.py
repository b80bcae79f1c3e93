"""Are all holds that can make a difference there, and what does a search gain by them?"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import accel
from accel.mapper import explore
from accel.simulation import simulate_layer
from mappings import Budget, Loop, Mapping, schedule
from mappings.column import MappingColumn
from mappings.holding import held, held_elsewhere
from tests.strategies import layers_and_mappings
from workloads import Layer


def kept(layer: Layer, mapping: Mapping) -> object:
    """What a machine sees of where tiles are: what every step moves, and whose place it takes."""
    steps = schedule(layer, mapping)
    return tuple(part.tobytes() for part in (steps.load_words, steps.store_words, steps.held_words, steps.stays))


@settings(max_examples=60)
@given(layers_and_mappings(most_macs=300))
def test_every_hold_of_inputs_and_weights_is_there_once(pair):
    layer, mapping = pair
    column = MappingColumn.of([mapping])
    depths = range(len(mapping.off_chip) + 1)
    every = {
        kept(layer, replace(mapping, hold=(inputs, weights, mapping.hold[2])))
        for inputs, weights in product(depths, repeat=2)
    }
    others = [kept(layer, one[0]) for one in held(column)]
    assert {kept(layer, mapping), *others} == every
    assert len(set(others)) == len(others)


def test_a_search_finds_what_a_hold_gains() -> None:
    """All inputs of ten rows have a place: channels come in beside MACs although the buffer is not double-buffered."""
    layer, spec = Layer("pointwise", K=10, C=203, P=20, Q=20), accel.load("eyeriss_v1")
    by_hand = Mapping(
        "row_stationary",
        off_chip=(Loop("P", 2), Loop("C", 29)),
        registers=(Loop("Q", 20), Loop("C", 7), Loop("K", 5)),
        rows=(Loop("P", 10),),
        columns=(Loop("K", 2),),
        hold=(1, None, 2),
    )
    report = simulate_layer(layer, by_hand, spec).report
    without = simulate_layer(layer, replace(by_hand, hold=(None, None, 2)), spec).report
    assert report.latency_cycles < 0.7 * without.latency_cycles
    found = explore(layer, spec, objective="latency", budget=Budget(2000))
    assert found.report.latency_cycles <= report.latency_cycles


@settings(max_examples=30)
@given(layers_and_mappings(most_macs=300), st.integers(0, 99))
def test_an_operand_held_elsewhere_is_one_operand_held_at_a_depth_there_is(pair, seed):
    layer, mapping = pair
    shape = MappingColumn.of([mapping]).shape
    other = held_elsewhere(shape, np.ones(len(shape.off_chip), dtype=bool), np.random.default_rng(seed))
    assert replace(other, hold=shape.hold) == shape
    assert sum(before != after for before, after in zip(shape.hold, other.hold, strict=True)) <= 1
    replace(mapping, hold=other.hold).check(layer)
