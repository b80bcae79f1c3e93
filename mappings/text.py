"""A mapping as an indented loop nest, and back.

    mapping row_stationary
    off_chip  # an iteration is a tile step
      for N in 4 blocks of 1
        hold output
        for C in 3 blocks of 16
    on_chip  # an iteration is a pass
    registers  # an iteration is a cycle
          for Q in 27 blocks of 1
            unroll K x 16 over rows

`use 12 registers for output` among the register loops: of how many of a lane's registers the operand makes use at most.
What follows `#` is a remark and indentation is for the eye: the order of the lines is the mapping. A `hold` line stands
where the operand's place in its buffer begins, under the off-chip loops outside it. Block sizes may be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mappings.mapping import LEVELS, SPATIAL_LEVELS, TEMPORAL_LEVELS, Loop, Mapping, axis_extent
from workloads.errors import InputError
from workloads.layer import DIMS, OPERAND_NAMES, Layer, Operand

_REMARKS = {
    "off_chip": "an iteration is a tile step",
    "on_chip": "an iteration is a pass",
    "registers": "an iteration is a cycle",
}
_BARE_NAME = re.compile(r"[\w.+*/-]+", re.ASCII)
_NAMED = re.compile(r'mapping\s+("(?:[^"\\]|\\.)*"|[\w.+*/-]+)', re.ASCII)
_FOR = re.compile(r"for\s+([A-Za-z]+)\s+in\s+(\d+)(?:\s+blocks?\s+of\s+(\d+))?", re.ASCII)
_UNROLL = re.compile(r"unroll\s+([A-Za-z]+)\s+x\s+(\d+)\s+over\s+(\w+)", re.ASCII)
_HOLD = re.compile(r"hold\s+(\w+)", re.ASCII)
_USE = re.compile(r"use\s+(\d+)\s+registers?\s+for\s+(\w+)", re.ASCII)
_REMARK = re.compile(r"\s*(?:#.*)?", re.DOTALL)
_LONGEST_NUMBER = 18
_WANTED = (
    '"mapping NAME", a level (off_chip, on_chip, registers), "for AXIS in N blocks of SIZE", "hold OPERAND", '
    '"use N registers for OPERAND" or "unroll AXIS x N over rows", columns or lanes'
)


def to_text(mapping: Mapping, layer: Layer | None = None) -> str:
    """The loop nest, a line a loop; with a layer, remarks tell its extents and the size of smaller last blocks."""
    return "\n".join(_lines(mapping, layer)) + "\n"


def from_text(text: str) -> Mapping:
    """The mapping that `to_text` wrote or a person did. Raises InputError naming the line and its text."""
    draft = _Draft()
    for number, line in enumerate(text.split("\n"), start=1):
        draft.take(line, f"line {number}")
    return draft.finish()


def _lines(mapping: Mapping, layer: Layer | None) -> Iterator[str]:
    name = mapping.name if _BARE_NAME.fullmatch(mapping.name) else json.dumps(mapping.name)
    yield f"mapping {name}" + ("" if layer is None else _remark(_extents(layer)))
    ragged = {} if layer is None else _last_blocks(mapping, layer)
    depth = 1
    for level in TEMPORAL_LEVELS:
        yield level + _remark(_REMARKS[level])
        yield from _uses(mapping, depth) if level == "registers" else ()
        loops = getattr(mapping, level)
        for position, (loop, block) in enumerate(zip(loops, mapping.blocks(level), strict=True)):
            yield from _holds(mapping, position, depth) if level == "off_chip" else ()
            blocks = "block" if loop.factor == 1 else "blocks"
            last = ragged.get((level, position))
            remark = "" if last is None else _remark(f"the last of {last}")
            yield f"{'  ' * depth}for {loop.axis} in {loop.factor} {blocks} of {block}{remark}"
            depth += 1
        yield from _holds(mapping, len(loops), depth) if level == "off_chip" else ()
    for level in SPATIAL_LEVELS:
        for loop in getattr(mapping, level):
            yield f"{'  ' * depth}unroll {loop.axis} x {loop.factor} over {level}"


def _holds(mapping: Mapping, position: int, depth: int) -> Iterator[str]:
    for operand in Operand:
        if mapping.hold[operand] == position:
            yield f"{'  ' * depth}hold {OPERAND_NAMES[operand]}"


def _uses(mapping: Mapping, depth: int) -> Iterator[str]:
    for operand in Operand:
        words = mapping.register_words[operand]
        if words is not None:
            yield f"{'  ' * depth}use {words} {'register' if words == 1 else 'registers'} for {OPERAND_NAMES[operand]}"


def _remark(text: str) -> str:
    return f"  # {text}"


def _extents(layer: Layer) -> str:
    sizes = [f"{dim} {extent}" for dim, extent in zip(DIMS, layer.extents, strict=True) if extent > 1]
    return f"layer {' '.join(layer.name.split())}: {', '.join(sizes) or 'a single MAC'}"


def _last_blocks(mapping: Mapping, layer: Layer) -> dict[tuple[str, int], int]:
    """Size of the last block, by level and place of the loop, where it is smaller: only outermost loops have one."""
    found: dict[tuple[str, int], int] = {}
    seen: set[str] = set()
    for level in TEMPORAL_LEVELS:
        for position, (loop, block) in enumerate(zip(getattr(mapping, level), mapping.blocks(level), strict=True)):
            last = axis_extent(layer, loop.axis) - (loop.factor - 1) * block
            if loop.axis not in seen and 0 < last < block:
                found[level, position] = last
            seen.add(loop.axis)
    return found


@dataclass(slots=True)
class _Draft:
    """What the lines read so far have said."""

    name: str | None = None
    level: str | None = None
    loops: dict[str, list[Loop]] = field(default_factory=lambda: {level: [] for level in LEVELS})
    holds: dict[Operand, int] = field(default_factory=dict)
    uses: dict[Operand, int] = field(default_factory=dict)
    stated: list[tuple[str, str, int, int]] = field(default_factory=list)
    """Where, level, position among its loops and size of every block size the text states."""

    def take(self, line: str, where: str) -> None:
        """Read one line, of any indentation."""
        said = line.strip()
        if _REMARK.fullmatch(said):
            return
        here = f"{where} ({said})"
        if match := _whole(_NAMED, said):
            self._take_name(match.group(1), here)
        elif self.name is None:
            raise InputError('needs "mapping NAME" first', source=here)
        elif (level := said.split("#")[0].strip()) in TEMPORAL_LEVELS:
            if self.level is not None and TEMPORAL_LEVELS.index(level) <= TEMPORAL_LEVELS.index(self.level):
                raise InputError(f"{level} after {self.level}: needs each level once, in order", source=here)
            self.level = level
        elif match := _whole(_FOR, said):
            self._take_loop(match, here)
        elif match := _whole(_UNROLL, said):
            axis, factor, over = match.groups()
            if over not in SPATIAL_LEVELS:
                raise InputError(f'over "{over}": needs one of {", ".join(SPATIAL_LEVELS)}', source=here)
            self._add(over, axis, factor, here)
        elif match := _whole(_HOLD, said):
            self._take_hold(match.group(1), here)
        elif match := _whole(_USE, said):
            self._take_use(match.group(1), match.group(2), here)
        else:
            raise InputError(f"needs {_WANTED}", source=here)

    def _take_name(self, name: str, here: str) -> None:
        if self.name is not None:
            raise InputError("a second mapping: needs one in a text", source=here)
        try:
            self.name = json.loads(name) if name.startswith('"') else name
        except ValueError:
            raise InputError(f"name {name}: needs a JSON string or a plain word", source=here) from None

    def _take_loop(self, match: re.Match[str], here: str) -> None:
        axis, factor, block = match.groups()
        if self.level is None:
            raise InputError("a loop before any level: needs off_chip, on_chip or registers first", source=here)
        if block is not None:
            self.stated.append((here, self.level, len(self.loops[self.level]), _number(block, "block", here)))
        self._add(self.level, axis, factor, here)

    def _add(self, level: str, axis: str, factor: str, here: str) -> None:
        self.loops[level].append(Loop(axis, _number(factor, "factor", here)))
        try:
            self._mapping("", {}, {})
        except InputError as error:
            raise InputError(str(error).removeprefix("mapping : "), source=here) from None

    def _take_hold(self, name: str, here: str) -> None:
        operand = _operand(name, "hold", here)
        if self.level != "off_chip":
            raise InputError("hold outside off_chip: needs a place among the off-chip loops", source=here)
        if operand in self.holds:
            raise InputError(f"{name} is held twice: needs one place", source=here)
        self.holds[operand] = len(self.loops["off_chip"])

    def _take_use(self, words: str, name: str, here: str) -> None:
        operand = _operand(name, "registers for", here)
        if self.level != "registers":
            raise InputError("use outside registers: needs a place among the register loops", source=here)
        if operand in self.uses:
            raise InputError(f"registers for {name} twice: needs one number", source=here)
        self.uses[operand] = _number(words, "registers", here)

    def finish(self) -> Mapping:
        if self.name is None:
            raise InputError('the text holds no mapping: needs "mapping NAME" and its loops')
        mapping = self._mapping(self.name, self.holds, self.uses)
        for here, level, position, block in self.stated:
            true = mapping.blocks(level)[position]
            if block != true:
                raise InputError(f"blocks of {block}: the loops inside cover {true}, say so or nothing", source=here)
        return mapping

    def _mapping(self, name: str, holds: dict[Operand, int], uses: dict[Operand, int]) -> Mapping:
        off_chip, on_chip, registers, rows, columns, lanes = (tuple(self.loops[level]) for level in LEVELS)
        hold, words = (
            (said.get(Operand.INPUT), said.get(Operand.WEIGHT), said.get(Operand.OUTPUT)) for said in (holds, uses)
        )
        return Mapping(name, off_chip, on_chip, registers, rows, columns, lanes, hold, words)


def _operand(name: str, said: str, here: str) -> Operand:
    if name not in OPERAND_NAMES:
        raise InputError(f'{said} "{name}": needs one of {", ".join(OPERAND_NAMES)}', source=here)
    return Operand(OPERAND_NAMES.index(name))


def _whole(pattern: re.Pattern[str], said: str) -> re.Match[str] | None:
    """The match of a line that holds nothing more than a remark behind it."""
    match = pattern.match(said)
    return match if match and _REMARK.fullmatch(said, match.end()) else None


def _number(digits: str, what: str, here: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise InputError(f"{what} of {len(digits)} digits: needs at most {_LONGEST_NUMBER}", source=here)
    return int(digits)
