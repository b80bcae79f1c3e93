"""Are NumPy's numbers taken as Python's wherever a field is set, and refused where Python's would be?"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import accel
import workloads
from accel.spec import dump
from mappings import Budget, Loop, Mapping
from workloads import Bits, Density, InputError, Layer
from workloads.builder import NetworkBuilder
from workloads.layer_set import independent_layers
from workloads.plain import plain

CHIP = accel.load("systolic_32x32")
TINY = independent_layers("tiny", [Layer("fc", "matmul", K=10, C=64)])


def test_a_variant_is_the_one_of_pythons_numbers() -> None:
    python = {"pe_array.rows": 4, "data_buffer.kib": 50.0, "data_buffer.double_buffered": True}
    numpy = {
        "pe_array.rows": np.int64(4),
        "data_buffer.kib": np.float32(50),
        "data_buffer.double_buffered": np.bool_(True),
    }
    found = CHIP.with_values(numpy)
    assert found == CHIP.with_values(python)
    assert dump(found) == dump(CHIP.with_values(python))
    json.dumps(found.model_dump())
    flows = CHIP.with_values({"mapping.dataflows": np.array(["row_stationary", "input_stationary"])})
    assert flows.mapping.dataflows == ("row_stationary", "input_stationary")


def test_numbers_of_the_wrong_kind_stay_refused() -> None:
    with pytest.raises(InputError, match=r"pe_array\.rows = 4\.0: needs a whole number"):
        CHIP.with_values({"pe_array.rows": np.float64(4)})
    with pytest.raises(InputError, match=r"pe_array\.rows = true: needs a whole number"):
        CHIP.with_values({"pe_array.rows": np.bool_(True)})
    with pytest.raises(InputError, match=r"K = 3\.0: needs a whole number from 1 up"):
        Layer("a", K=np.float64(3))
    with pytest.raises(InputError, match=r"batch = 2\.0: needs a whole number from 1 up"):
        workloads.load("lenet5", batch=np.float64(2))


def test_layers_networks_and_mappings_of_numpys_numbers_are_equal_to_pythons() -> None:
    two: Any = np.int64(2)
    given = Layer(
        "a", K=np.int32(3), C=np.uint8(4), P=two, Q=two, R=two, S=two, stride=(two, two),
        padding=np.array([1, 1, 0, 0]), bits=Bits(np.int64(4), np.int64(4)), density=Density(np.float32(0.5), 1, 1),
    )  # fmt: skip
    meant = Layer(
        "a", K=3, C=4, P=2, Q=2, R=2, S=2, stride=(2, 2), padding=(1, 1, 0, 0), bits=Bits(4, 4), density=Density(0.5)
    )
    assert given == meant
    assert repr(given) == repr(meant)
    assert Mapping("m", off_chip=(Loop("K", np.int64(3)),)) == Mapping("m", off_chip=(Loop("K", 3),))
    assert repr(Loop("K", np.int64(3))) == repr(Loop("K", 3))
    limits = {"off_chip": (Loop("K", 3),), "hold": (two - 1, None, 0), "register_words": (two, two, None)}
    assert repr(Mapping("m", **limits)) == repr(Mapping("m", **plain(limits)))

    def built(one: Any, three: Any) -> workloads.Network:
        network = NetworkBuilder("n", (one, three, 8 * one, 8 * one))
        x = network.conv("c", network.input, 4 * one, three, one, one)
        x = network.max_pool("p", x, (2 * one, 2 * one))
        return network.build([network.linear("f", network.flatten("l", x), 5 * one)])

    assert repr(built(np.int64(1), np.int64(3)).nodes) == repr(built(1, 3).nodes)
    assert repr(workloads.load("lenet5", batch=two).nodes) == repr(workloads.load("lenet5", batch=2).nodes)


def test_seeds_and_budgets_of_numpys_are_those_of_pythons() -> None:
    assert Budget(np.int64(5), np.float64(0.5)) == Budget(5, 0.5)
    assert repr(Budget(np.int64(5))) == repr(Budget(5))
    assert accel.map_layer(TINY.layers[0], CHIP, seed=np.int64(3), budget=Budget(1)) == accel.map_layer(
        TINY.layers[0], CHIP, seed=3, budget=Budget(1)
    )
    found, meant = (accel.simulate(TINY, CHIP, mapping="weight_stationary", seed=seed) for seed in (np.int64(3), 3))
    assert found.to_json() == meant.to_json()


def test_a_sweep_over_an_array_is_that_over_its_list() -> None:
    options: dict[str, Any] = {"mapping": "weight_stationary", "batch": np.int64(2)}
    array = accel.sweep([TINY], [CHIP], set={"data_buffer.kib": np.array([50, 100])}, **options)
    listed = accel.sweep([TINY], [CHIP], set={"data_buffer.kib": [50, 100]}, **options)
    assert array.equals(listed)
    assert (array["error"] == "").all()
    assert (array["macs"] == 2 * 640).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"set": {"pe_array.rows": 16}}, "pe_array.rows = 16: a sweep needs a list"),
        ({"set": {"pe_array.rows": np.array(16)}}, "pe_array.rows = 16: a sweep needs a list"),
        ({"set": {"pe_array.rows": "16"}}, 'pe_array.rows = "16": a sweep needs a list'),
        ({"set": {"pe_array.rows": np.array([])}}, "pe_array.rows = []: a sweep needs a list of one value at least"),
        ({"specs": CHIP}, "accelerator = name='systolic_32x32'"),
        ({"networks": TINY}, "network = Network(name='tiny'"),
        ({"set": [16]}, "set = [16]: needs lists of values by field"),
        ({"batch": "two"}, "batch = 'two': needs a whole number from 1 up"),
        ({"batch": None}, "batch = None: needs a whole number from 1 up"),
    ],
)
def test_what_no_sweep_can_go_over_is_told_in_a_line(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        accel.sweep(**({"networks": [TINY], "specs": [CHIP]} | changes))
    assert told in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("batch", ["two", 0, True, None, [2]])
def test_a_batch_that_is_no_number_is_told_in_a_line(batch: Any) -> None:
    for load in (lambda: workloads.load("lenet5", batch), lambda: TINY.with_batch(batch)):
        with pytest.raises(InputError) as caught:
            load()
        assert str(caught.value) == f"batch = {batch!r}: needs a whole number from 1 up"


def test_plain_values_keep_their_kinds() -> None:
    given = {"a": (np.int8(1), [np.float64(2.0)]), "b": np.eye(2), "c": "text", "d": None}
    found = plain(given)
    assert repr(found) == repr({"a": (1, [2.0]), "b": [[1.0, 0.0], [0.0, 1.0]], "c": "text", "d": None})
