"""Does `accel map` say what it found, and can `accel run` use it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accel import load as load_chip
from accel.cli import INTERRUPTED
from accel.mapper import MappedLayer, explore
from accel.simulation import simulate_layer
from mappings.file import load_mappings
from tests.cli.conftest import Command
from workloads import Layer, load


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_nests_costs_bounds_and_reasons(command: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "nests.toml"
    outcome = command("map", "lenet5", "--on", "eyeriss_v1", "--budget", "300", "--why", "--out", str(file))
    assert outcome.status == 0
    assert outcome.out.count("\nmapping row_stationary") == 4
    for word in ("x the bound", "mappings costed", "binds:", "bounds:", "4 distinct layers"):
        assert word in outcome.out
    book = load_mappings(file)
    for layer in load("lenet5").layers:
        book.mapping_for(layer).check(layer)
    assert command("run", "lenet5", "--on", "eyeriss_v1", "--mapping", str(file)).status == 0


@pytest.mark.parametrize(
    ("chip", "operands"),
    [
        ("sparten", "--density 0.4,0.3 --skew 0.5 --seed 3"),
        ("sparse_tensor_core", "--density 1,0.5 --pattern 2:4"),
        ("bit_fusion", "--bits 4,2"),
    ],
)
def test_it_finds_what_a_run_of_the_same_operands_searches(
    command: Command, tiny: Path, tmp_path: Path, chip: str, operands: str
) -> None:
    """Where nothing is kept between layers; what it saves can be run and offered."""
    flags, nests, report = (tiny, "--on", chip, *operands.split()), tmp_path / "nests.toml", tmp_path / "report.json"
    mapped = command("map", *flags, "--budget", 50, "--out", nests, "--no-cache")
    assert (mapped.status, mapped.err) == (0, "")
    assert command("run", *flags, "--json", report, "--no-cache").status == 0
    searched = json.loads(report.read_text())
    for row in searched["layers"]:
        assert f"\n  {row['latency_cycles']} cycles (" in mapped.out
    assert command("run", *flags, "--json", report, "--mapping", nests).status == 0
    assert json.loads(report.read_text())["layers"] == searched["layers"]
    offered = command("map", *flags, "--budget", "1", "--offer", nests)
    assert (offered.status, offered.err) == (0, "")


def test_it_is_never_worse_than_what_it_is_offered(command: Callable[..., Any], tmp_path: Path) -> None:
    """As when sweeping by hand: each time with the file of the last."""
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    flags = ("map", "lenet5", "--on", "eyeriss_v1", "--objective", "latency")
    command(*flags, "--budget", "20000", "--out", first)
    alone = command(*flags, "--budget", "1")
    told = command(*flags, "--budget", "1", "--offer", first, "--out", second)
    assert (told.status, told.err) == (0, "")
    assert "offered: the search found none as good" in told.out
    assert "offered: the search found none as good" not in alone.out
    nests = [load_mappings(path) for path in (first, second)]
    network, spec = load("lenet5"), load_chip("eyeriss_v1")
    before, after = (
        [simulate_layer(layer, nest.mapping_for(layer), spec).report.latency_cycles for layer in network.layers]
        for nest in nests
    )
    assert all(cycles <= least for cycles, least in zip(after, before, strict=True))
    # The cache has still what the search found by itself.
    same = command(*flags, "--budget", "1")
    assert "from the cache" in same.out
    assert same.out.splitlines()[-6:-1] == alone.out.splitlines()[-6:-1]


def test_layers_alike_are_offered_the_mappings_of_all_of_them(command: Callable[..., Any], tmp_path: Path) -> None:
    twins = tmp_path / "twins.toml"
    twins.write_text(
        'name = "twins"\n'
        + "".join(f'[[layer]]\nname = "{name}"\nop = "matmul"\nK = 10\nC = 64\n' for name in ("one", "two"))
    )
    offer = tmp_path / "offer.toml"
    offer.write_text('[[mapping]]\nlayer = "two"\nname = "by_hand"\noff_chip = ["K 10", "C 64"]\n')
    told = command("map", twins, "--on", "eyeriss_v1", "--budget", "1", "--offer", offer)
    assert told.status == 0
    assert "one, 2 layers alike" in told.out
    assert told.err.count("\n") == 1
    assert "offered mappings passed over: 1, the first because layer one on" in told.err
    assert "mapping by_hand: not of row_stationary" in told.err
    assert command("map", twins, "--on", "eyeriss_v1", "--budget", "1", "--offer", offer, "--dataflow", "any").err == ""


def test_offers_to_layers_that_there_are_not_are_named(command: Callable[..., Any], tiny: Path, tmp_path: Path) -> None:
    offer, flags = tmp_path / "offer.toml", ("--on", "eyeriss_v1", "--budget", "1", "--dataflow", "any")
    offer.write_text(
        "".join(f'[[mapping]]\nlayer = "{name}"\noff_chip = ["K 10", "C 64"]\n' for name in ("old", "fc", "gone"))
    )
    told = command("map", tiny, *flags, "--offer", offer)
    assert told.status == 0
    assert told.err == f"accel: warning: {offer}: tiny has no layer old, gone\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["offer.toml: no such file", "needs a .toml file"]),
        ("[[mapping]]\n", ["offer.toml", "mapping 1", "layer"]),
        ('[[mapping]]\nlayer = "conv1"\nrows = ["K none"]\n', ["offer.toml", "layer conv1", "K none"]),
        ('[[mapping]]\nlayer = "conv9"\n', ["offer.toml: no mapping for any layer of lenet5, only for conv9"]),
    ],
)
def test_a_bad_offer_is_one_line(
    command: Callable[..., Any], tmp_path: Path, text: str | None, words: list[str]
) -> None:
    offer = tmp_path / "offer.toml"
    if text is not None:
        offer.write_text(text)
    outcome = command("map", "lenet5", "--on", "eyeriss_v1", "--budget", "1", "--offer", offer)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words)


def test_the_second_time_comes_from_the_cache(command: Callable[..., Any]) -> None:
    flags = ("map", "lenet5", "--on", "eyeriss_v1", "--budget", "200")
    assert "from the cache" not in command(*flags).out
    assert "from the cache" in command(*flags).out
    assert "from the cache" not in command(*flags, "--no-cache").out


def test_a_broken_file_of_the_cache_is_a_line_of_warning_and_written_anew(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    flags = ("map", "lenet5", "--on", "systolic_32x32", "--budget", 100)
    first = command(*flags)
    files = list((tmp_path / "cache").rglob("*.txt"))
    whole = {path: path.read_text() for path in files}
    for path in files:
        path.write_text("mapping")
    again = command(*flags)
    assert again.status == 0
    assert len(files) == 4
    told, told_again = ([line for line in out.splitlines() if "a second" not in line] for out in (first.out, again.out))
    assert told == told_again
    warned = again.err.splitlines()
    assert len(warned) == 4
    for line in warned:
        assert line.startswith("accel: warning: ")
        assert ": ignored, not the mapping of layer" in line
    assert {path: path.read_text() for path in files} == whole


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--budget", "0"), ["--budget", "0"]),
        (("--budget", "soon"), ["--budget", "soon"]),
        (("--budget", "-1s"), ['--budget = "-1s"', "seconds above 0"]),
        (("--budget", "infs"), ['--budget = "infs"', "like 2s"]),
        (("--budget", "1.5"), ['--budget = "1.5"', "like 2s"]),
        (("--objective", "speed"), ["--objective", "speed", "latency"]),
        (("--dataflow", "mine"), ["--dataflow", "mine", "row_stationary"]),
        (("--out", "/nowhere/at/all.toml"), ["/nowhere"]),
        (("--density", "2"), ['--density = "2"', "shares from 0 to 1"]),
        (("--pattern", "kernel"), ['--pattern = "kernel"', "give --density too"]),
        (("--skew", "0.5"), ['--skew = "0.5"', "give --density too"]),
        (("--bits", "8"), ['--bits = "8"', "like 8,8"]),
    ],
)
def test_mistakes_are_one_line(command: Callable[..., Any], flags: tuple[str, ...], words: list[str]) -> None:
    outcome = command("map", "lenet5", "--on", "eyeriss_v1", *flags)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words)


def test_a_next_best_that_is_as_good_and_alike_is_followed_by_one_that_is_not(command: Command, tiny: Path) -> None:
    outcome = command("map", tiny, "--on", "systolic_32x32", "--budget", 300, "--why")
    conv, fc = outcome.out.split("\nfc\n")
    first, second = (line for line in conv.splitlines() if "next best" in line)
    assert first.startswith("  next best: output_stationary, as good, ")
    assert second.startswith("  next best of another dataflow, order of tiles or unrolling: ")
    assert fc.count("as good") == 1


def interrupt(monkeypatch: pytest.MonkeyPatch, layer: str, *, found: bool) -> None:
    """Ctrl-C while that layer is searched, when the search has `found` something or not."""

    def until_interrupted(searched: Layer, *arguments: Any, **options: Any) -> MappedLayer:
        if searched.name == layer and not found:
            raise KeyboardInterrupt
        return replace(explore(searched, *arguments, **options), interrupted=searched.name == layer)

    monkeypatch.setattr("accel.exploring.explore", until_interrupted)


@pytest.mark.parametrize(
    ("layer", "found", "told"),
    [
        ("conv", True, "the last layers have the best so far, 1 layer is not mapped"),
        ("fc", True, "the last layers have the best so far"),
        ("fc", False, "1 layer is not mapped"),
    ],
)
def test_ctrl_c_leaves_what_was_found(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layer: str, found: bool, told: str
) -> None:
    interrupt(monkeypatch, layer, found=found)
    out = tmp_path / "nests.toml"
    outcome = command("map", tiny, "--on", "systolic_32x32", "--budget", 50, "--out", out, "--pareto")
    assert (outcome.status, outcome.err) == (INTERRUPTED, f"accel: interrupted: {told}\n")
    assert f"saved:    {out}" in outcome.out
    assert set(load_mappings(out).by_layer) == ({"conv", "fc"} if (layer, found) == ("fc", True) else {"conv"})


def test_ctrl_c_before_anything_was_found_is_a_line(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, "conv", found=False)
    outcome = command("map", tiny, "--on", "systolic_32x32", "--out", tmp_path / "nests.toml")
    assert (outcome.status, outcome.out) == (INTERRUPTED, "")
    assert outcome.err == "accel: interrupted: no layer was mapped yet\n"
    assert not (tmp_path / "nests.toml").exists()


def test_a_layer_without_mapping_is_named_and_the_others_are_mapped(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    chip = tmp_path / "small.toml"
    chip.write_text(command("show", "eyeriss_v1").out.replace("kib = 100", "kib = 0.05"))
    outcome = command("map", "lenet5", "--on", chip, "--budget", "100")
    assert outcome.status == 2
    assert "layer conv1" in outcome.err
    assert "data_buffer.kib = 0.05 is too small" in outcome.err
    assert "\nip2" in outcome.out
