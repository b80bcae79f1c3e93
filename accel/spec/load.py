"""Specifications from presets and TOML files, and back to TOML."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from accel.spec.accelerator import Accelerator
from workloads.errors import InputError
from workloads.missing import MISSING, lack
from workloads.toml_file import parse_toml, read_toml

_PRESETS = files("accel") / "presets"


def preset_names() -> tuple[str, ...]:
    """The accelerators that come with the package, sorted."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _PRESETS.iterdir() if entry.name.endswith(".toml"))
    )


def preset_text(name: str) -> str:
    """The TOML file of a preset as written, citations included. Raises InputError for an unknown name."""
    if name not in preset_names():
        raise InputError(_unknown(name))
    return (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def load(name_or_path: str | Path) -> Accelerator:
    """The accelerator of a preset's name or of a .toml file.

    Paths of tables inside the file (`dma.dram`, `energy.table`) count from the file's folder. Raises InputError, one
    line naming the file, the field, the value and what would do.
    """
    given = str(name_or_path)
    if given in preset_names():
        source = f"preset {given}"
        return Accelerator.from_values(parse_toml(preset_text(given), source), source=source)
    if not given.endswith(".toml"):
        raise InputError(_unknown(given))
    path = Path(given)
    values = read_toml(path)
    _anchor_paths(values, path.parent)
    return Accelerator.from_values(values, source=path)


def dump(spec: Accelerator) -> str:
    """TOML that loads to an equal specification; derived fields are shown as comments, to be set if wanted."""
    return "\n".join(_lines(spec, "")) + "\n"


def _unknown(name: str) -> str:
    wanted = f"give a preset ({', '.join(preset_names())}) or a .toml file"
    wrong = lack(name)
    if wrong != MISSING:
        return f'"{name}" {wrong or "has no name that ends in .toml"}: {wanted}'
    close = get_close_matches(name, preset_names(), n=1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    return f'unknown accelerator "{name}": {hint}{wanted}'


def _anchor_paths(values: dict[str, Any], folder: Path) -> None:
    for table, field in (("dma", "dram"), ("energy", "table")):
        part = values.get(table)
        if not isinstance(part, dict):
            continue
        name = part.get(field)
        if isinstance(name, str) and name.endswith(".toml"):
            part[field] = str(folder / name)


def _lines(part: BaseModel, path: str) -> Iterator[str]:
    """The scalars of a table, then its tables: two levels deep, a third as inline tables."""
    tables: list[tuple[str, BaseModel]] = []
    for name in type(part).model_fields:
        value = getattr(part, name)
        derived = name in ("ports", "energy") and name not in part.model_fields_set
        mark = "# " if derived else ""
        if isinstance(value, BaseModel) and path:
            inline = ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.model_dump().items())
            yield f"{mark}{name} = {{ {inline} }}"
        elif isinstance(value, BaseModel):
            if not derived:
                tables.append((name, value))
        elif value is not None:
            yield f"{mark}{name} = {_toml(value)}"
    for name, table in tables:
        yield ""
        yield f"[{name}]"
        yield from _lines(table, name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(_escaped(character) for character in value) + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return repr(value)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if ord(character) < 32 or ord(character) == 127:
        return f"\\u{ord(character):04x}"
    return character
