"""The one exception for bad input from a user."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something the user gave cannot be used; `str(error)` is one line fit for a terminal.

    The line names what is wrong, where (`source`: a file, flag, field or node), the value, and what would do.
    """

    def __init__(self, problem: str, *, source: str | Path | None = None) -> None:
        line = f"{source}: {problem}" if source is not None else problem
        super().__init__(" ".join(line.split()))
