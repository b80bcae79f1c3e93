"""Is it told that multipliers take wider operands as fast as any?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("word", ["run", "map"])
def test_operands_wider_than_fixed_multipliers_are_a_line(command: Command, tiny: Path, word: str) -> None:
    told = command(word, tiny, "--on", "systolic_32x32", "--bits", "16,8")
    assert told.status == 0
    assert told.err == (
        "accel: operands of 2 layers are wider than the multipliers of systolic_32x32 (conv: "
        "inputs of 8 and weights of 16 bits on 8 x 8), which take them at full rate: "
        "pe_array.precision has styles that take longer\n"
    )


@pytest.mark.parametrize(
    ("chip", "bits"),
    [("systolic_32x32", "8,8"), ("systolic_32x32", "4,2"), ("bit_fusion", "16,16"), ("xnor", "2,2")],
)
def test_nothing_is_told_of_others(command: Command, tiny: Path, chip: str, bits: str) -> None:
    told = command("run", tiny, "--on", chip, "--bits", bits)
    assert (told.status, told.err) == (0, "")
