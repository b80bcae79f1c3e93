"""TOML files from strangers: read as data, within bounds, with one line for what is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from workloads.errors import InputError

MOST_BYTES = 32 << 20
MOST_DOTS = 32
"""Deeper dotted keys are no specification; a key of many thousand parts keeps the parser busy for minutes."""


def read_toml(path: str | Path) -> dict[str, Any]:
    """The file as nested tables. Raises InputError when it cannot be read, is too large or is not TOML."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"{size} bytes: a TOML file here has at most {MOST_BYTES}", source=path)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}): give a .toml file that exists", source=path) from None
    except ValueError:
        raise InputError("not a TOML file: it is not text in UTF-8", source=path) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.partition("=")[0].count(".") > MOST_DOTS:
            raise InputError(f"line {number}: a key of more than {MOST_DOTS} dots: use tables", source=path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not all that tomllib raises is a TOMLDecodeError
        raise InputError(f"not a TOML file: {error}", source=path) from None
