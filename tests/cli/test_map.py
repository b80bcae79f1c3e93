"""Does `accel map` say what it found, and can `accel run` use it?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mappings.file import load_mappings
from workloads import load


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
        assert ": ignored, not a mapping of layer" in line
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
    ],
)
def test_mistakes_are_one_line(command: Callable[..., Any], flags: tuple[str, ...], words: list[str]) -> None:
    outcome = command("map", "lenet5", "--on", "eyeriss_v1", *flags)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert all(word in outcome.err for word in words)


def test_a_layer_without_mapping_is_named_and_the_others_are_mapped(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    chip = tmp_path / "small.toml"
    chip.write_text(command("show", "eyeriss_v1").out.replace("kib = 100", "kib = 0.2"))
    outcome = command("map", "lenet5", "--on", chip, "--budget", "100")
    assert outcome.status == 2
    assert "layer conv1" in outcome.err
    assert "data_buffer.kib = 0.2 is too small" in outcome.err
    assert "\nip2" in outcome.out
