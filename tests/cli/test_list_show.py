"""Can what `list` and `show` print be read, copied and loaded again?"""

from __future__ import annotations

from pathlib import Path

import pytest

import accel
import workloads
from accel.spec import preset_names, preset_text
from mappings.dataflows import DATAFLOWS
from mappings.text import from_text
from tests.cli.conftest import Command
from workloads.zoo import ZOO


@pytest.mark.parametrize(
    ("what", "names"), [("networks", tuple(ZOO)), ("accelerators", preset_names()), ("dataflows", tuple(DATAFLOWS))]
)
def test_lists_are_complete(command: Command, what: str, names: tuple[str, ...]) -> None:
    outcome = command("list", what)
    assert outcome.status == 0
    firsts = {line.split()[0] for line in outcome.out.splitlines() if line.strip()}
    assert set(names) <= firsts


def test_accelerators_are_listed_with_what_they_do_on_zeros_and_widths(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = command("list", "accelerators").out.splitlines()
    shown = [line.split() for line in lines]
    # EIE skips both operands (Han et al., section III); Eyeriss gates zero inputs; UNPU is serial in 16 weight bits.
    assert ["eie", "16", "x", "16", "fixed", "skip", "skip", "input_broadcast"] in shown
    assert ["eyeriss_v1", "16", "x", "16", "fixed", "gate", "row_stationary"] in shown
    assert ["unpu", "16", "x", "16", "bit_serial", "window_parallel"] in shown
    assert max(len(line) for line in lines) <= 80
    assert not any("…" in line for line in lines)


def test_the_zoo_is_listed_with_its_counts(command: Command) -> None:
    (line,) = (line for line in command("list", "networks").out.splitlines() if line.strip().startswith("alexnet"))
    # 8 layers, 724.4 M MACs and 61.0 M parameters: Krizhevsky et al. 2012, grouped, 227 x 227.
    assert line.split()[:9] == ["alexnet", "8", "724", "M", "61.0", "M", "3", "x", "227"]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_shown_as_its_file(command: Command, tmp_path: Path, name: str) -> None:
    outcome = command("show", name)
    assert outcome.out == preset_text(name)
    copy = tmp_path / "copy.toml"
    copy.write_text(outcome.out)
    assert accel.load(copy) == accel.load(name)
    copy.write_text(command("show", copy).out)
    assert accel.load(copy) == accel.load(name)


def test_a_network_is_shown_layer_by_layer(command: Command) -> None:
    lines = command("show", "lenet5").out.splitlines()
    (conv2,) = (line.split() for line in lines if line.strip().startswith("conv2"))
    assert conv2 == ["conv2", "conv", "1x20x12x12", "50x20x5x5", "1x50x8x8", "1.60", "M", "25.0", "k"]
    (total,) = (line.split() for line in lines if line.strip().startswith("total"))
    assert total == ["total", "2.29", "M", "430", "k"]


def test_a_network_as_a_layer_list_loads_again(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text(command("show", "alexnet", "--toml").out)
    assert workloads.load(path).layers == workloads.load("alexnet").layers
    assert command("show", path).status == 0


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("alexnet", {"relu", "lrn", "max_pool", "flatten"}),  # Krizhevsky et al. 2012, fig. 2 and section 3
        ("resnet18", {"relu", "max_pool", "add", "global_average_pool", "flatten"}),  # He et al. 2016, fig. 3
    ],
)
def test_what_a_layer_list_lacks_is_said_beside_it(command: Command, name: str, kinds: set[str]) -> None:
    outcome = command("show", name, "--toml")
    before, _, said = outcome.err.partition(": left out, as a layer list has only layers with MACs: ")
    assert (outcome.status, before) == (0, "accel")
    assert sorted(said.rstrip("\n").split(", ")) == sorted(kinds)


def test_nothing_is_said_of_a_list_that_lacks_nothing(command: Command, tiny: Path) -> None:
    outcome = command("show", tiny, "--toml")
    assert (outcome.status, outcome.err) == (0, "")


def test_a_network_without_macs_has_no_layer_list(command: Command, pools: Path) -> None:
    assert command("show", pools).status == 0
    outcome = command("show", pools, "--toml")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == "accel: error: pools: has no layer with MACs for a list, only max_pool, add\n"


def test_a_dataflow_is_shown_as_a_loop_nest_that_reads_back(command: Command) -> None:
    outcome = command("show", "row_stationary", "--layer", "alexnet:conv3", "--on", "eyeriss_v1")
    assert outcome.status == 0, outcome.err
    mapping = from_text(outcome.out)
    assert mapping.name == "row_stationary"
    mapping.check(workloads.load("alexnet").node("conv3").layer or pytest.fail("no layer"))
