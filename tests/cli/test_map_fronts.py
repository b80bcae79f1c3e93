"""Are the fronts of `accel map --pareto` told, saved as files that `accel run` takes, and kept when Ctrl-C comes?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from accel import load as load_chip
from accel.cli import INTERRUPTED
from accel.cli.front import explored_front
from accel.cli.wishes import Wishes
from accel.mapper import MappedLayer, explore
from accel.objective import objective_value
from accel.simulation import simulate_layer
from mappings.file import load_mappings
from tests.cli.conftest import Command
from workloads import Layer, load

POINT = re.compile(r" +(\d+)  +(\d+)  +([\d.]+)  +([\d.]+)  +(\w+)")
"""Its number, cycles, energy, DRAM traffic and dataflow."""


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def fronts_told(out: str) -> dict[str, list[re.Match[str]]]:
    """The lines of every layer's front."""
    fronts: dict[str, list[re.Match[str]]] = defaultdict(list)
    layer = ""
    for line in out.splitlines():
        if found := re.search(r"# layer (\w+):", line):
            layer = found[1]
        elif point := POINT.fullmatch(line):
            fronts[layer].append(point)
    return fronts


@pytest.mark.parametrize("chip", ["zhang_fpga15", "eyeriss_v1"])
def test_each_point_is_saved_beside_the_mappings(command: Command, tmp_path: Path, chip: str) -> None:
    """None is faster than what is chosen, also of what searches for other objectives came upon."""
    out = tmp_path / "nests.toml"
    flags = ("--on", chip, "--objective", "latency", "--budget", 50, "--pareto", "--no-cache", "--out", out)
    told = command("map", "lenet5", *flags)
    assert (told.status, told.err) == (0, "")
    fronts, network, spec = fronts_told(told.out), load("lenet5"), load_chip(chip)
    most = max(len(front) for front in fronts.values())
    files = [tmp_path / "nests.pareto" / f"{number}.toml" for number in range(1, most + 1)]
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)
    assert f"{files[0]} to {most}.toml" in told.out
    for layer in network.layers:
        front = fronts[layer.name]
        assert [int(point[1]) for point in front] == [*range(1, len(front) + 1)]
        saved = [simulate_layer(layer, load_mappings(path).mapping_for(layer), spec).report for path in files]
        for number, found in enumerate(saved):
            assert found.latency_cycles == int(front[min(number, len(front) - 1)][2])
        for before, after in pairwise(saved[: len(front)]):
            assert after.latency_cycles > before.latency_cycles
            assert after.energy_pj < before.energy_pj
        chosen = simulate_layer(layer, load_mappings(out).mapping_for(layer), spec).report
        assert (chosen.latency_cycles, chosen.energy_pj) == (saved[0].latency_cycles, saved[0].energy_pj)
    for path in files:
        run = command("run", "lenet5", "--on", chip, "--mapping", path)
        assert (run.status, run.err) == (0, "")


def test_the_points_stand_in_columns_that_fit(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = command("map", "lenet5", "--on", "zhang_fpga15", "--budget", 50, "--pareto", "--no-cache").out
    fronts = fronts_told(out)
    assert max(len(front) for front in fronts.values()) > 1
    for front in fronts.values():
        assert len({point.start(1) for point in front}) == 1
        for group in (2, 3, 4):
            assert len({point.end(group) for point in front}) == 1
        for group in (3, 4):
            assert len({len(point[group].partition(".")[2]) for point in front}) == 1
        assert all(point.end() <= 60 for point in front)


def test_no_points_of_an_earlier_front_are_left(command: Command, tiny: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "nests.toml", tmp_path / "nests.pareto"
    folder.mkdir()
    for name in ("1.toml", "99.toml", "mine.toml", "2.txt"):
        (folder / name).write_text("old")
    assert command("map", tiny, "--on", "eyeriss_v1", "--budget", 50, "--pareto", "--out", out).status == 0
    assert not (folder / "99.toml").exists()
    assert [(folder / name).read_text() for name in ("mine.toml", "2.txt")] == ["old", "old"]
    assert set(load_mappings(folder / "1.toml").by_layer) == {"conv", "fc"}


def test_a_place_where_no_points_can_be_saved_is_told_before_the_search(
    command: Command, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "nests.pareto").write_text("mine")
    flags = (tiny, "--on", "eyeriss_v1", "--budget", 50, "--out", tmp_path / "nests.toml")
    outcome = command("map", *flags, "--pareto")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert "nests.pareto: cannot be made" in outcome.err
    assert command("map", *flags).status == 0


def test_a_pipe_has_the_mappings_alone(command: Command, tiny: Path) -> None:
    outcome = command("map", tiny, "--on", "eyeriss_v1", "--budget", 50, "--pareto", "--out", "/dev/null")
    assert (outcome.status, outcome.err) == (0, "")
    assert not Path("/dev/null.pareto").exists()


def interrupt(monkeypatch: pytest.MonkeyPatch, layer: str, search: int, *, found: bool) -> None:
    """Ctrl-C in that layer's search for its front, the first or the second, when it has `found` something or not."""
    seen: list[str] = []

    def until_interrupted(searched: Layer, *arguments: Any, **options: Any) -> MappedLayer:
        seen.append(searched.name)
        here = searched.name == layer and seen.count(layer) == search
        if here and not found:
            raise KeyboardInterrupt
        return replace(explore(searched, *arguments, **options), interrupted=here)

    monkeypatch.setattr("accel.mapper.explore", until_interrupted)


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("search", [1, 2])
@pytest.mark.parametrize(
    ("layer", "fronts", "told"),
    [
        ("conv", ["conv"], "the last front has the best so far, 1 layer has no front"),
        ("fc", ["conv", "fc"], "the last front has the best so far"),
    ],
)
def test_ctrl_c_leaves_all_mappings_and_the_fronts_so_far(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    layer: str, fronts: list[str], told: str, search: int, found: bool,
) -> None:  # fmt: skip
    interrupt(monkeypatch, layer, search, found=found)
    out = tmp_path / "nests.toml"
    outcome = command("map", tiny, "--on", "systolic_32x32", "--budget", 50, "--out", out, "--pareto")
    assert (outcome.status, outcome.err) == (INTERRUPTED, f"accel: interrupted: {told}\n")
    seen = fronts_told(outcome.out)
    assert list(seen) == fronts
    assert outcome.out.count("\nmapping ") == 2
    most = max(len(front) for front in seen.values())
    files = [out, *(tmp_path / "nests.pareto" / f"{number}.toml" for number in range(1, most + 1))]
    for path in files:
        assert set(load_mappings(path).by_layer) == {"conv", "fc"}
    if layer == "conv":  # the mapping chosen stands for a front
        assert len({load_mappings(path).by_layer["fc"] for path in files}) == 1


def test_ctrl_c_between_fronts_leaves_those_before(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(mapped: MappedLayer, *arguments: Any) -> Any:
        if mapped.layer.name == "fc":
            raise KeyboardInterrupt
        return explored_front(mapped, *arguments)

    monkeypatch.setattr("accel.cli.fronts.explored_front", interrupted)
    outcome = command("map", tiny, "--on", "systolic_32x32", "--budget", 50, "--pareto")
    assert (outcome.status, outcome.err) == (INTERRUPTED, "accel: interrupted: 1 layer has no front\n")
    assert list(fronts_told(outcome.out)) == ["conv"]


@pytest.mark.parametrize("objective", ["latency", "energy", "dram"])
def test_of_equal_mappings_the_one_of_less_energy_times_delay_is_chosen(
    monkeypatch: pytest.MonkeyPatch, objective: str, wishes_of: Callable[[str], Wishes]
) -> None:
    """The search for another objective finds one that is as good by this one, and better by the rest."""
    spec, layer = load_chip("systolic_32x32"), Layer("fc", op="matmul", K=10, C=64)
    wishes = wishes_of(objective)
    mapped = explore(layer, spec, **wishes.options)
    mapping = replace(mapped.mapping, name="as_good")
    less = {"latency_cycles": mapped.report.latency_cycles - 1, "energy_pj": mapped.report.energy_pj * 0.9}
    less.pop({"latency": "latency_cycles", "energy": "energy_pj"}.get(objective, ""), None)
    report = replace(mapped.report, **less)
    other = replace(mapped, mapping=mapping, report=report, alternatives=())
    monkeypatch.setattr("accel.mapper.explore", lambda *arguments, **options: other)
    chosen, front = explored_front(mapped, spec, wishes, ())
    assert chosen.mapping == mapping
    assert objective_value(chosen.report, objective) == objective_value(mapped.report, objective)
    assert (mapping, report) in front.points
    assert (mapped.mapping, mapped.report) not in front.points


@pytest.fixture
def wishes_of() -> Callable[[str], Wishes]:
    """Flags of a short search for an objective."""
    return lambda objective: Wishes.of(objective, None, "50", "0", pareto=True, why=False, offer=None, cached=False)
