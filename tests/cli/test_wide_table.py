"""Does a table of many columns fit any terminal, with nothing cut off?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.cli.console import plain_text
from accel.cli.wide_table import Column, WideTable
from tests.cli.conftest import Command

WORD = st.text("abcdefgh.-", min_size=1, max_size=12)
CELL = st.lists(WORD, max_size=4).map(" ".join)


@st.composite
def wide_tables(draw: st.DrawFn) -> list[Column]:
    rows = draw(st.integers(1, 4))
    columns = draw(st.lists(st.tuples(st.booleans(), CELL), min_size=1, max_size=8))
    numbers, cells = st.integers(0, 10**9).map("{} uJ".format), st.lists(CELL, min_size=rows, max_size=rows)
    return [
        Column(
            f">{heading}" if number else heading,
            draw(st.lists(numbers, min_size=rows, max_size=rows) if number else cells),
        )
        for number, heading in columns
    ]


@given(columns=wide_tables(), width=st.integers(65, 200))
def test_lines_fit_and_every_word_is_there(columns: list[Column], width: int) -> None:
    text = plain_text(WideTable(columns), columns=width)
    assert all(len(line) <= width for line in text.splitlines())
    seen = set(text.split())
    for word in (word for column in columns for word in (column.heading.removeprefix(">"), *column.cells)):
        for part in word.split():
            assert part in seen
    for column in columns:
        if column.number:  # beside their units
            assert all(cell in text for cell in column.cells)


def test_there_is_one_table_where_there_is_room_and_parts_are_numbered() -> None:
    columns = [Column(name, ["x" * 8, "y" * 8]) for name in ("one", "two", "three")]
    wide, narrow = (plain_text(WideTable(columns), columns=width) for width in (30, 29))
    assert wide.split()[:3] == ["one", "two", "three"]
    assert "point" not in wide
    assert narrow.split().count("point") == 2
    assert [line.split()[0] for line in narrow.splitlines() if "x" in line or "y" in line] == ["1", "2", "1", "2"]


def test_a_word_wider_than_the_terminal_is_folded() -> None:
    name = "".join(f"{number}-" for number in range(40))
    text = plain_text(WideTable([Column("network", [name])]), columns=60)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert name in "".join(line[8:].strip() for line in text.splitlines())


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_a_front_tells_which_points_it_is_of(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    fields = ("data_buffer.kib=32,64", "dma.link_bits=128", "pe_array.registers.weight=224,300")
    changes = [flag for field in fields for flag in ("--set", field)]
    flags = ("--on", "eyeriss_v1", *changes, "--mapping", "row_stationary", "--jobs", 1)
    told = command("sweep", "--net", tiny, *flags, "--out", tmp_path)
    assert told.status == 0
    with (tmp_path / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert "…" not in told.out
    table = told.out.partition("saved:")[0]
    assert all(len(line) <= columns for line in table.splitlines())
    words = table.split()
    for word in ("eyeriss_v1", "data_buffer", "kib", "link_bits", "registers", "weight", "latency", "bottleneck"):
        assert word in words
    assert any(row["data_buffer.kib"] in words and row["pe_array.registers.weight"] in words for row in rows)
