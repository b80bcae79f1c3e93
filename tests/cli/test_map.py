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


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--budget", "0"), ["--budget", "0"]),
        (("--budget", "soon"), ["--budget", "soon"]),
        (("--budget", "-1s"), ["budget", "-1"]),
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
