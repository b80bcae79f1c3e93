"""Reads fields of a table that a user wrote, with errors that say where, what and what would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from workloads.errors import InputError
from workloads.plain import plain

MOST = 2**31 - 1
"""The largest extent, stride or padding: beyond it products no longer fit the integers that count them."""


def refuse_unknown(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raises InputError for the first field that is not `known`, with the nearest one that is."""
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f' (did you mean "{close[0]}"?)' if close else ""
            raise InputError(f'unknown field "{key}"{hint}: needs one of {", ".join(known)}', source=where)


def text(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if value is None:
        raise InputError(f"{key} is missing: needs a text", source=where)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{key} = {value!r}: needs a text in quotes", source=where)
    return value


def whole(value: object, what: str, where: str | None = None, least: int = 1) -> int:
    """A whole number from `least` to MOST, NumPy's too; true and 3.0 are none."""
    value = plain(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(f"{what} = {value!r}: needs a whole number from {least} up", source=where)
    if value > MOST:
        raise InputError(f"{what} is above {MOST}: needs a whole number up to that", source=where)
    return value


def share(value: object, what: str, where: str | None = None) -> float:
    """A number between 0 and 1."""
    value = plain(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise InputError(f"{what} = {value!r}: needs a number between 0 and 1", source=where)
    return float(value)


def flag(value: object, what: str, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{what} = {value!r}: needs true or false", source=where)
    return value


def wholes(value: object, what: str, parts: str, where: str, least: int = 1) -> tuple[int, ...]:
    """A list of whole numbers, one for each word of `parts`."""
    count, value = len(parts.split(", ")), plain(value)
    if not isinstance(value, list | tuple) or len(value) != count:
        raise InputError(f"{what} = {value!r}: needs [{parts}]", source=where)
    return tuple(whole(part, what, where, least) for part in value)


def subtable(table: Mapping[str, Any], key: str, known: Collection[str], where: str) -> Mapping[str, Any]:
    """A table within the table, empty when it is missing."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise InputError(f"{key} = {value!r}: needs a table with {', '.join(known)}", source=where)
    refuse_unknown(value, known, f"{where}, {key}")
    return value
