"""A quick network, and the command line as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from accel.cli import run

TINY = """\
name = "tiny"
[[layer]]
name = "conv"
op = "conv"
K = 8
C = 4
P = 6
Q = 6
R = 3
S = 3
density = { input = 0.5 }
[[layer]]
name = "fc"
op = "matmul"
K = 10
C = 64
"""


@pytest.fixture(autouse=True)
def _default_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners may set COLUMNS for their own output."""
    monkeypatch.delenv("COLUMNS", raising=False)


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in this process."""

    def invoke(*arguments: object) -> Outcome:
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        seen = capfd.readouterr()
        return Outcome(status, seen.out, seen.err)

    return invoke


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A layer list of two small layers."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path
