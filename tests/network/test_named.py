"""Do names and paths mean what the things themselves mean, wherever Python takes one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import accel
import workloads
from accel.mapper import explore
from accel.spec import preset_text
from mappings import Budget
from workloads import InputError
from workloads.layer_list import dump_layer_list
from workloads.layer_set import independent_layers

LAYER = workloads.Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
SHORT = Budget(mappings=10)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A network and an accelerator."""
    network, chip = tmp_path / "one.toml", tmp_path / "chip.toml"
    network.write_text(dump_layer_list(independent_layers("one", [LAYER])))
    chip.write_text(preset_text("systolic_32x32"))
    return network, chip


def test_a_network_is_simulated_by_names_files_and_objects_alike(files: tuple[Path, Path]) -> None:
    network, chip = files
    by_object = accel.simulate(workloads.load(network), accel.load("systolic_32x32"), budget=SHORT)
    assert accel.simulate(network, chip, budget=SHORT) == by_object
    assert accel.evaluate(str(network), "systolic_32x32", budget=SHORT).report == by_object
    zoo = accel.simulate(Path("lenet5"), Path("systolic_32x32"), mapping="weight_stationary", budget=SHORT)
    assert zoo.macs == workloads.load("lenet5").macs


def test_a_layer_is_mapped_and_estimated_by_names_files_and_objects_alike(files: tuple[Path, Path]) -> None:
    network, chip = files
    found = accel.map_layer(LAYER, accel.load("systolic_32x32"), budget=SHORT)
    for spec in ("systolic_32x32", chip):
        assert accel.map_layer(f"{network}:conv", spec, budget=SHORT) == found
        assert explore(LAYER, spec, budget=SHORT).mapping == found
        by_object = accel.estimate(LAYER, [found], accel.load("systolic_32x32"))
        assert accel.estimate(f"{network}:conv", [found], spec).equals(by_object)


def test_a_sweep_takes_paths(files: tuple[Path, Path]) -> None:
    network, chip = files
    row = accel.sweep([network], [chip], mapping="weight_stationary", batch=2).iloc[0]
    assert (row["network"], row["accelerator"], row["error"]) == (str(network), str(chip), "")
    assert row["macs"] == 2 * LAYER.macs


@pytest.mark.parametrize(
    ("network", "chip", "told"),
    [
        ("alexne", "tpu_v1", 'unknown network "alexne" (did you mean "alexnet"?)'),
        ("lenet5", "tpu_v11", 'unknown accelerator "tpu_v11": did you mean "tpu_v1"?'),
        (LAYER, "tpu_v1", "needs a Network, or a name"),
        ("lenet5", 7, "accelerator = 7: needs an Accelerator, or a name"),
    ],
)
def test_what_is_neither_is_told_in_a_line(network: Any, chip: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        accel.simulate(network, chip)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ("lenet5", 'layer = "lenet5": needs NET:LAYER'),
        (7, "layer = 7: needs NET:LAYER"),
        ("lenet5:conv9", 'lenet5 has no layer "conv9", it has conv1, conv2'),
    ],
)
def test_a_layer_that_is_not_there_is_told_in_a_line(layer: Any, told: str) -> None:
    with pytest.raises(InputError, match=told.replace(".", r"\.")):
        accel.map_layer(layer, "tpu_v1")
