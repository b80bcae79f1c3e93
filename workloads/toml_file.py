"""TOML from strangers: read as data, within bounds, with one line for what is wrong. Nothing else here reads TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workloads.errors import InputError
from workloads.missing import lack

MOST_BYTES = 32 << 20
MOST_DOTS = 32
"""Deeper dotted keys are no specification; a key of many thousand parts keeps the parser busy for minutes."""
LIMIT = 2**63
"""TOML's whole numbers lie below it; Python does not even print those of many thousand digits."""


def read_toml(path: str | Path) -> dict[str, Any]:
    """The file as nested tables. Raises InputError when it cannot be read, is too large, empty or not TOML."""
    path = Path(path)
    if wrong := lack(path):
        raise InputError(f"{wrong}: needs a .toml file", source=path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"{size} bytes: a TOML file here has at most {MOST_BYTES}", source=path)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}): needs a .toml file that can", source=path) from None
    except ValueError:
        raise InputError("not a TOML file: it is not text in UTF-8", source=path) from None
    tables = parse_toml(text, path)
    if not tables:
        raise InputError("is empty: needs one table or field at least", source=path)
    return tables


def parse_toml(text: str, source: str | Path) -> dict[str, Any]:
    """TOML text as nested tables; `source` is what errors name. Raises InputError for what is none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.partition("=")[0].count(".") > MOST_DOTS:
            raise InputError(f"line {number}: a key of more than {MOST_DOTS} dots: use tables", source=source)
    try:
        tables = tomllib.loads(text)
        for where, value in _values(tables, ""):
            if isinstance(value, int) and not -LIMIT <= value < LIMIT:
                raise InputError(f"{where} is too large: needs a number of at most 64 bits", source=source)
    except InputError:
        raise
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"not a TOML file: {error}", source=source) from None
    except ValueError as error:  # tomllib lets through what Python says of a number too long or a day there is not
        what = "a number is too large" if "digits" in str(error) else str(error)
        raise InputError(f"not a TOML file: {what}", source=source) from None
    return tables


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything inside, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _values(inner, f"{path} {number}")
    else:
        yield path, value
