"""Why there is no file to read where a user says there is one."""

from __future__ import annotations

from pathlib import Path

MISSING = "no such file"


def lack(path: str | Path) -> str:
    """ "is a folder", MISSING, or nothing when there is a file (a pipe is one too). An empty name is none."""
    if not str(path):
        return MISSING
    path = Path(path)
    if path.is_dir():
        return "is a folder"
    return "" if path.exists() else MISSING
