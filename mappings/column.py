"""Many mappings of one shape: the same loops in the same order, with a row of factors for each mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.mapping import LEVELS, Loop, Mapping, PerOperand

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of the loops of each level, outermost first, hold depths and registers to use; factors are left open."""

    name: str
    off_chip: tuple[str, ...] = ()
    on_chip: tuple[str, ...] = ()
    registers: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    hold: PerOperand = (None, None, None)
    register_words: PerOperand = (None, None, None)

    loops: tuple[tuple[str, str], ...] = field(init=False, compare=False, repr=False)
    """(level, axis) of every loop; the order of a factor row."""

    def __post_init__(self) -> None:
        loops = tuple((level, axis) for level in LEVELS for axis in getattr(self, level))
        object.__setattr__(self, "loops", loops)

    @classmethod
    def of(cls, mapping: Mapping) -> Shape:
        """That of a mapping."""
        axes = {level: tuple(loop.axis for loop in getattr(mapping, level)) for level in LEVELS}
        return cls(mapping.name, **axes, hold=mapping.hold, register_words=mapping.register_words)


@dataclass(frozen=True, slots=True, eq=False)
class MappingColumn:
    """`factors`: (mappings, loops) in the order of `shape.loops`."""

    shape: Shape
    factors: Ints

    @classmethod
    def of(cls, mappings: Sequence[Mapping]) -> MappingColumn:
        """Mappings of one shape, at least one."""
        factors = [[loop.factor for level in LEVELS for loop in getattr(mapping, level)] for mapping in mappings]
        return cls(Shape.of(mappings[0]), np.array(factors, dtype=np.int64).reshape(len(factors), -1))

    def __len__(self) -> int:
        return len(self.factors)

    def __getitem__(self, row: int) -> Mapping:
        """One mapping as a value of its own, loops of a single iteration left out where that changes nothing."""
        levels: dict[str, list[Loop]] = {level: [] for level in LEVELS}
        hold: list[int | None] = list(self.shape.hold)
        for column, (level, axis) in enumerate(self.shape.loops):
            factor = int(self.factors[row, column])
            if factor > 1:
                levels[level].append(Loop(axis, factor))
            elif level == "off_chip":
                dropped = column
                for operand, depth in enumerate(self.shape.hold):
                    if depth is not None and dropped < depth:
                        hold[operand] = (hold[operand] or 0) - 1
        off_chip, on_chip, registers, rows, columns, lanes = (tuple(levels[level]) for level in LEVELS)
        return Mapping(
            self.shape.name, off_chip, on_chip, registers, rows, columns, lanes, (hold[0], hold[1], hold[2]),
            self.shape.register_words,
        )  # fmt: skip

    def take(self, rows: NDArray[np.bool_] | Ints) -> MappingColumn:
        """The chosen mappings only."""
        return MappingColumn(self.shape, self.factors[rows])


def together(columns: Iterable[MappingColumn]) -> list[MappingColumn]:
    """The same mappings, those of one shape in one column."""
    by_shape: dict[Shape, list[Ints]] = {}
    for column in columns:
        by_shape.setdefault(column.shape, []).append(column.factors)
    return [MappingColumn(shape, np.concatenate(factors)) for shape, factors in by_shape.items()]


def grid(shape: Shape, choices: dict[str, list[Ints]]) -> MappingColumn:
    """Every combination of candidate factors; `choices[level]` lists an array of candidates per loop of the level."""
    arrays = [array for level in LEVELS for array in choices.get(level, [])]
    if len(arrays) != len(shape.loops):
        raise ValueError(f"{shape.name}: {len(shape.loops)} loops but {len(arrays)} lists of factors")
    sizes = [len(array) for array in arrays]
    factors = np.empty((prod(sizes), len(arrays)), dtype=np.int64)
    inside = len(factors)
    for place, array in enumerate(arrays):
        inside //= max(1, len(array))
        # Each candidate stands for all combinations of the loops after it, again for each of those before it.
        factors[:, place] = array[0] if len(array) == 1 else np.resize(np.repeat(array, inside), len(factors))
    return MappingColumn(shape, factors)
