"""Where text goes: coloured and fitted to a terminal, plain and 100 columns wide into a pipe."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

PIPED_COLUMNS = 100
_LEAST_COLUMNS = 60


def show(*renderables: Any) -> None:
    """Print to stdout. Without a terminal: no colours, no trailing blanks, and COLUMNS or 100 columns."""
    if sys.stdout.isatty():
        Console().print(*renderables, sep="\n", highlight=False)
        return
    # An encoding without line-drawing characters must not stop the report.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(plain_text(*renderables, columns=_columns()))


def plain_text(*renderables: Any, columns: int = PIPED_COLUMNS) -> str:
    """What `show` writes into a pipe."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=columns, color_system=None, force_terminal=False, highlight=False)
    console.print(*renderables, sep="\n")
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def write(text: str) -> None:
    """Text as it is, to be copied: never wrapped or coloured."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def remark(words: str) -> None:
    """A line of words below what they tell of: two blanks in, folded where the terminal ends."""
    show(Padding(Text(words), (0, 0, 0, 2)))


def note(line: str) -> None:
    """A remark on stderr, beside what stdout is for."""
    sys.stderr.write(f"accel: {line}\n")


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    return max(_LEAST_COLUMNS, int(given)) if given.isdecimal() else PIPED_COLUMNS
