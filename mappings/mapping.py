"""A mapping: how a layer's loop nest is tiled, ordered and unrolled, with no hardware in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from workloads.errors import InputError
from workloads.layer import DIMS, OPERAND_NAMES, RELEVANT, Layer, Operand
from workloads.plain import plain

TEMPORAL_LEVELS = ("off_chip", "on_chip", "registers")
SPATIAL_LEVELS = ("rows", "columns", "lanes")
LEVELS = (*TEMPORAL_LEVELS, *SPATIAL_LEVELS)
"""Outermost first. An off-chip iteration is a tile step, an on-chip iteration a pass, a register iteration a cycle."""

_FUSIBLE = ("GK", "NPQ", "CRS")
"""Dimensions may be flattened into one axis only when the same operands depend on all of them."""


PerOperand = tuple[int | None, int | None, int | None]
"""A number of the input, the weights and the outputs, or None where there is no such limit."""


@dataclass(frozen=True, slots=True)
class Loop:
    """`factor` iterations over `axis`: a dimension ("K"), or several flattened row-major ("NPQ")."""

    axis: str
    factor: int

    def __post_init__(self) -> None:
        if type(self.factor) is not int:  # searches make many that are
            object.__setattr__(self, "factor", plain(self.factor))


@dataclass(frozen=True, slots=True)
class Mapping:
    """Loops per level, outermost first; unrolled loops are the fastest-moving part of their axis.

    Factors count iterations, and may not divide: the last iteration of a loop is then smaller, everywhere exactly.
    An axis may return in several off-chip and on-chip loops (tiling within tiling), in registers only once.
    `hold` gives per operand (input, weight, output) the number of outer off-chip loops outside its place in the buffer:
    the buffer keeps every tile of the loops within. None means all loops are outside: one tile is kept.
    `register_words`: of how many registers of a lane each operand makes use at most; None: of all there are. With fewer
    than a pass needs its words stream past them while MACs go on; held ones come and go between passes.
    """

    name: str
    off_chip: tuple[Loop, ...] = ()
    on_chip: tuple[Loop, ...] = ()
    registers: tuple[Loop, ...] = ()
    rows: tuple[Loop, ...] = ()
    columns: tuple[Loop, ...] = ()
    lanes: tuple[Loop, ...] = ()
    hold: PerOperand = (None, None, None)
    register_words: PerOperand = (None, None, None)

    def __post_init__(self) -> None:
        for per_operand in ("hold", "register_words"):
            object.__setattr__(self, per_operand, plain(getattr(self, per_operand)))
        axes: list[str] = []
        for level in LEVELS:
            for loop in getattr(self, level):
                if not isinstance(loop.factor, int) or loop.factor < 1:
                    self._refuse(f"{level} {loop.axis} = {loop.factor!r}: needs a whole number from 1 up")
                if loop.axis not in axes:
                    axes.append(loop.axis)
        seen = [dim for axis in axes for dim in axis]
        for axis in axes:
            if not axis or any(dim not in DIMS for dim in axis):
                self._refuse(f'axis "{axis}": needs dimensions out of {" ".join(DIMS)}')
            if not any(set(axis) <= set(group) for group in _FUSIBLE) and len(axis) > 1:
                self._refuse(f'axis "{axis}": only dimensions within {", ".join(_FUSIBLE)} can be flattened together')
            if any(seen.count(dim) > 1 for dim in axis):
                self._refuse(f'axis "{axis}" shares a dimension with another axis: use one of them throughout')
        register_axes = [loop.axis for loop in self.registers]
        if len(set(register_axes)) < len(register_axes):
            self._refuse("registers name an axis twice: merge the two loops")
        for operand, depth in zip(Operand, self.hold, strict=True):
            if depth is not None and not 0 <= depth <= len(self.off_chip):
                self._refuse(f"hold.{OPERAND_NAMES[operand]} = {depth}: needs 0 to {len(self.off_chip)} off-chip loops")
        for operand, words in zip(Operand, self.register_words, strict=True):
            if words is not None and (not isinstance(words, int) or words < 0):
                self._refuse(f"register_words.{OPERAND_NAMES[operand]} = {words!r}: needs a whole number from 0 up")

    def _refuse(self, problem: str) -> None:
        raise InputError(problem, source=f"mapping {self.name}")

    def hold_depth(self, operand: Operand) -> int:
        """Off-chip loops outside the operand's place in its buffer."""
        depth = self.hold[operand]
        return len(self.off_chip) if depth is None else depth

    def axes(self) -> tuple[str, ...]:
        """Every axis: those the loops name in order of appearance, then the dimensions no loop names."""
        named = tuple(dict.fromkeys(loop.axis for level in LEVELS for loop in getattr(self, level)))
        rest = tuple(dim for dim in DIMS if not any(dim in axis for axis in named))
        return named + rest

    def unrolled(self, axis: str) -> int:
        """PEs and lanes that work on different indices of `axis`."""
        return prod(loop.factor for level in SPATIAL_LEVELS for loop in getattr(self, level) if loop.axis == axis)

    @property
    def order(self) -> tuple[tuple[str, ...], tuple[int | None, ...]]:
        """That of its tiles: the axes of the off-chip loops, and where operands are held among them."""
        return tuple(loop.axis for loop in self.off_chip), self.hold

    def used(self, level: str) -> int:
        """Rows, columns or lanes that the loops of a spatial level are unrolled over."""
        return prod(loop.factor for loop in getattr(self, level))

    def blocks(self, level: str) -> tuple[int, ...]:
        """Extent along its own axis that one iteration of each loop of a temporal level covers."""
        inner: dict[str, int] = {axis: self.unrolled(axis) for axis in self.axes()}
        blocks: dict[str, tuple[int, ...]] = {}
        for current in reversed(TEMPORAL_LEVELS):
            found: list[int] = []
            for loop in reversed(getattr(self, current)):
                found.append(inner[loop.axis])
                inner[loop.axis] *= loop.factor
            blocks[current] = tuple(reversed(found))
        return blocks[level]

    def tile_extent(self, axis: str) -> int:
        """Extent of a full tile along `axis`."""
        return self.pass_extent(axis) * _factors(self.on_chip, axis)

    def pass_extent(self, axis: str) -> int:
        """Extent of a full pass along `axis`."""
        return self.unrolled(axis) * _factors(self.registers, axis)

    def check(self, layer: Layer) -> None:
        """Raise InputError naming the level and dimension unless the loops cover the layer exactly once.

        Too few iterations leave work undone; an iteration that would find nothing left is refused too.
        """
        for axis in self.axes():
            extent = axis_extent(layer, axis)
            covered = self.tile_extent(axis) * _factors(self.off_chip, axis)
            if covered < extent:
                self._refuse(f"{axis} of layer {layer.name} has extent {extent}, and the factors cover only {covered}")
        for level in TEMPORAL_LEVELS:
            for loop, block in zip(getattr(self, level), self.blocks(level), strict=True):
                extent = axis_extent(layer, loop.axis)
                if (loop.factor - 1) * block >= extent:
                    most = -(-extent // block)
                    self._refuse(
                        f"{level} {loop.axis} = {loop.factor} leaves iterations without work on layer {layer.name} "
                        f"(extent {extent}): use at most {most}"
                    )


def axis_extent(layer: Layer, axis: str) -> int:
    """Extent of an axis: the product of its dimensions' extents."""
    return prod(getattr(layer, dim) for dim in axis)


def axis_relevant(axis: str, operand: Operand) -> bool:
    """Whether an index along the axis selects different elements of the operand."""
    return any(dim in RELEVANT[operand] for dim in axis)


def with_operand(values: PerOperand, operand: Operand, value: int | None) -> PerOperand:
    """The values with that of one operand replaced."""
    changed = [*values]
    changed[operand] = value
    return (changed[0], changed[1], changed[2])


def registers_used(words: int | None, there: int) -> int:
    """Registers for an operand that a mapping of so many `register_words` makes use of, where there are so many."""
    return there if words is None else min(words, there)


def _factors(loops: Iterable[Loop], axis: str) -> int:
    return prod(loop.factor for loop in loops if loop.axis == axis)
