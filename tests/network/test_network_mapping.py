"""Does a network run again as it did, from what it ran with?"""

from __future__ import annotations

from dataclasses import replace

import pytest

import accel
import workloads
from accel.evaluation import evaluate, simulate
from accel.network_mapping import NetworkMapping
from mappings import Budget
from workloads import InputError

SHORT = Budget(50)

LENET = workloads.load("lenet5")


@pytest.mark.parametrize("name", ["tpu_v1", "eyeriss_v1", "scnn"])
def test_the_same_comes_out_without_a_search(name: str) -> None:
    chip = accel.load(name)
    first = evaluate(LENET, chip, budget=SHORT)
    again = evaluate(LENET, chip, mapping=first.mapping)
    assert first.report.context["budget"] == {"mappings": 50, "seconds": None}
    assert replace(again.report, context=first.report.context) == first.report
    assert again.report.context == first.report.context | {"budget": None}
    assert again.mapping == first.mapping
    assert bool(first.mapping.kept) == chip.data_buffer.keep_maps
    assert set(first.mapping.by_layer) == {layer.name for layer in LENET.layers}


def test_kept_maps_are_those_given() -> None:
    chip = accel.load("tpu_v1")
    ran = evaluate(LENET, chip, budget=SHORT)
    (one, *_), found = sorted(ran.mapping.kept), {}
    for kept in (frozenset(), frozenset({one}), ran.mapping.kept):
        found[kept] = simulate(LENET, chip, mapping=NetworkMapping(ran.mapping.by_layer, kept)).dram_bits
    # Written once, and read once by the only operation that reads it.
    saved = 2 * LENET.node(one).words * chip.pe_array.bits.input
    assert found[frozenset()] - found[frozenset({one})] == saved
    assert found[ran.mapping.kept] < found[frozenset({one})]


@pytest.mark.parametrize(
    ("chip", "kept", "told"),
    [
        (
            accel.load("tpu_v1"),
            {"conv9"},
            '"conv9" is to stay on chip: tpu_v1 runs nothing that makes and reads it',
        ),
        (accel.load("tpu_v1").with_values({"data_buffer.keep_maps": False}), {"pool1"}, 'cannot keep map "pool1"'),
        (accel.load("tpu_v1").with_values({"data_buffer.kib": 0.5}), {"pool1"}, 'cannot keep map "pool1" on chip'),
    ],
)
def test_maps_that_cannot_be_kept_are_refused(chip: accel.Accelerator, kept: set[str], told: str) -> None:
    by_layer = evaluate(LENET, accel.load("tpu_v1"), budget=SHORT).mapping.by_layer
    with pytest.raises(InputError, match=told):
        simulate(LENET, chip, mapping=NetworkMapping(by_layer, frozenset(kept)))


def test_a_layer_without_a_mapping_is_named() -> None:
    with pytest.raises(InputError, match='no mapping for layer "conv1": only for none'):
        simulate(LENET, accel.load("tpu_v1"), mapping=NetworkMapping({}))
