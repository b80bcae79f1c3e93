"""The README: its code runs, its table is that of the code, its files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from accel.cli import run as accel
from experiments import pictures
from experiments.validation import BEGIN, END, README, replaced, table, verdicts

TEXT = README.read_text(encoding="utf-8")
ROOT = README.parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_python_blocks_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    assert len(blocks("python")) >= 3
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)


def test_console_blocks_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        prompt, command, *arguments = shlex.split(line)
        assert (prompt, command) == ("$", "accel")
        place = arguments.index(">") if ">" in arguments else len(arguments)
        assert accel(arguments[:place]) == 0, line
        printed = capsys.readouterr().out
        assert printed.strip(), line
        if place < len(arguments):
            Path(arguments[place + 1]).write_text(printed, encoding="utf-8")


def test_the_validation_table_is_that_of_the_code() -> None:
    """`python -m experiments.validation` renews it."""
    assert replaced(TEXT, table(verdicts())) == TEXT


def test_every_demanded_bound_is_kept() -> None:
    shown = TEXT.split(BEGIN)[1].split(END)[0]
    assert shown.count("\n") > 10
    assert "FAIL" not in shown


def test_paths_in_the_text_exist() -> None:
    named = re.findall(r"`((?:workloads|mappings|accel|experiments|tests|docs)/[\w./]*)`", TEXT)
    named += re.findall(r"\]\((docs/[^)]*)\)", TEXT)
    named += [path for run in re.findall(r"`pytest ([^`]*)`", TEXT) for path in run.split()]
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_pictures_are_small_and_drawn_by_the_tool(tmp_path: Path) -> None:
    """Pixels differ between versions of matplotlib, so only what they are is compared."""
    for path in pictures.draw(tmp_path):
        kept = ROOT / "docs" / path.name
        assert kept.stat().st_size < 150_000
        assert kept.read_bytes()[:8] == path.read_bytes()[:8]
