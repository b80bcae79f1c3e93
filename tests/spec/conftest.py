"""The least an accelerator can be written in."""

from __future__ import annotations

from pathlib import Path

import pytest

SMALL = """\
name = "mine"
clock_mhz = 500
[data_buffer]
kib = 64
[weight_buffer]
kib = 32
[pe_array]
rows = 8
columns = 4
[dma]
dram = "LPDDR4-3200"
"""


@pytest.fixture
def small_text() -> str:
    """A whole accelerator in TOML."""
    return SMALL


@pytest.fixture
def small(tmp_path: Path, small_text: str) -> Path:
    """The same as a file."""
    path = tmp_path / "mine.toml"
    path.write_text(small_text)
    return path
