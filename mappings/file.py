"""Mapping files: TOML with one `[[mapping]]` table for each layer, and "*" for all the others.

    [[mapping]]
    layer = "conv1"                     # "*": every layer without a table of its own
    name = "by_hand"                    # optional: the layer's name, or "default"
    off_chip = ["N 4", "K 2"]           # "AXIS FACTOR", outermost first; a level left out has no loops
    on_chip = ["C 3"]
    registers = ["Q 27", "S 5"]
    rows = ["K 16"]
    columns = ["C 4"]
    lanes = []
    hold = { output = 1 }               # off-chip loops outside the operand's place in its buffer
    register_words = { output = 12 }    # of a lane's registers the operand uses so many at most

Reading a file runs no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mappings.mapping import LEVELS, Loop, Mapping, PerOperand
from workloads.errors import InputError
from workloads.fields import MOST, refuse_unknown, subtable, text, whole
from workloads.layer import OPERAND_NAMES, Layer
from workloads.toml_file import read_toml

ANY_LAYER = "*"
"""Stands for every layer without a mapping of its own."""

_FIELDS = ("layer", "name", *LEVELS, "hold", "register_words")
_LOOP = re.compile(r"\s*([A-Za-z]+)\s+(\d{1,100})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class MappingBook:
    """Mappings by layer name, and one for layers that are not named, if there is one."""

    by_layer: MappingType[str, Mapping] = field(default_factory=dict)
    default: Mapping | None = None
    source: str = field(default="mappings", compare=False)
    """What errors name: the file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_layer", MappingProxyType(dict(self.by_layer)))

    def find(self, layer: Layer) -> Mapping | None:
        """The mapping of a layer, else the default, else None."""
        return self.by_layer.get(layer.name, self.default)

    def mapping_for(self, layer: Layer) -> Mapping:
        """The mapping of a layer, else the default. Raises InputError when there is neither."""
        found = self.find(layer)
        if found is None:
            raise InputError(
                f'no mapping for layer "{layer.name}", only for {", ".join(self.by_layer) or "none"}: '
                f'add a [[mapping]] with that layer, or with layer = "{ANY_LAYER}"',
                source=self.source,
            )
        return found


def load_mappings(path: str | Path) -> MappingBook:
    """The mappings of a TOML file. Raises InputError naming the file, the table, the field and what would do.

    Whether a mapping covers its layer is seen when it is used.
    """
    path = Path(path)
    document = read_toml(path)
    refuse_unknown(document, ("mapping",), str(path))
    tables = document.get("mapping")
    if not isinstance(tables, list) or not tables:
        raise InputError("no mapping: needs one [[mapping]] table at least", source=path)
    found: dict[str, Mapping] = {}
    for number, table in enumerate(tables, start=1):
        where = f"{path}: mapping {number}"
        if not isinstance(table, dict):
            raise InputError(f"{table!r}: needs a [[mapping]] table", source=where)
        # The layer's name says more than a number; without one, a misspelt field is likely what is wrong.
        if "layer" not in table:
            refuse_unknown(table, _FIELDS, where)
        layer = text(table, "layer", where)
        where = f"{where} (layer {layer})"
        if layer in found:
            raise InputError(f'layer = "{layer}" has a mapping already: needs one a layer', source=where)
        found[layer] = _mapping(table, layer, where)
    default = found.pop(ANY_LAYER, None)
    return MappingBook(found, default, str(path))


def dump_mappings(book: MappingBook) -> str:
    """TOML that loads to an equal book, the default last."""
    tables = [_table(layer, mapping) for layer, mapping in book.by_layer.items()]
    if book.default is not None:
        tables.append(_table(ANY_LAYER, book.default))
    return "\n".join(tables)


def _mapping(table: MappingType[str, Any], layer: str, where: str) -> Mapping:
    refuse_unknown(table, _FIELDS, where)
    name = text(table, "name", where, "default" if layer == ANY_LAYER else layer)
    off_chip, on_chip, registers, rows, columns, lanes = (_loops(table.get(at, []), at, where) for at in LEVELS)
    hold, words = (_by_operand(table, key, where) for key in ("hold", "register_words"))
    try:
        return Mapping(name, off_chip, on_chip, registers, rows, columns, lanes, hold, words)
    except InputError as error:
        raise InputError(str(error).removeprefix(f"mapping {name}: "), source=where) from None


def _by_operand(table: MappingType[str, Any], key: str, where: str) -> PerOperand:
    given = subtable(table, key, OPERAND_NAMES, where)
    found = {operand: whole(value, f"{key}.{operand}", where, least=0) for operand, value in given.items()}
    return found.get("input"), found.get("weight"), found.get("output")


def _loops(value: object, level: str, where: str) -> tuple[Loop, ...]:
    if not isinstance(value, list):
        raise InputError(f'{level} = {value!r}: needs a list of "AXIS FACTOR", like ["N 4", "K 2"]', source=where)
    return tuple(_loop(item, level, where) for item in value)


def _loop(item: object, level: str, where: str) -> Loop:
    match = _LOOP.fullmatch(item) if isinstance(item, str) else None
    if match is None or int(match.group(2)) < 1:
        raise InputError(f'{level} has {item!r}: needs "AXIS FACTOR" with a factor from 1 up, like "K 2"', source=where)
    factor = int(match.group(2))
    if factor > MOST:
        raise InputError(f"{level} has {item!r}: is too large, needs a factor up to {MOST}", source=where)
    return Loop(match.group(1), factor)


def _table(layer: str, mapping: Mapping) -> str:
    lines = ["[[mapping]]", f"layer = {_quoted(layer)}", f"name = {_quoted(mapping.name)}"]
    for level in LEVELS:
        loops = getattr(mapping, level)
        if loops:
            lines.append(f"{level} = [{', '.join(_quoted(f'{loop.axis} {loop.factor}') for loop in loops)}]")
    for key in ("hold", "register_words"):
        by_operand = zip(OPERAND_NAMES, getattr(mapping, key), strict=True)
        given = [f"{name} = {number}" for name, number in by_operand if number is not None]
        if given:
            lines.append(f"{key} = {{ {', '.join(given)} }}")
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    # A JSON text is a TOML text too, but for the one control character that JSON lets through.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
