"""Input words as Timeloop prints them unless told otherwise: from the first two iterations of each loop.

The second iteration stands for all later ones, so a loop that begins again comes after its second iteration instead of
its last. Windows then seem to come from elsewhere: they may find words that are gone, or miss some that are there. No
machine does so; our report counts every iteration. Weights and outputs, whose tiles do not overlap, come out the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import NamedTuple

from mappings import Loop, Mapping
from workloads import Layer
from workloads.layer import DIMS

Vector = tuple[int, ...]
"""Along groups, images, channels, rows and columns of the input."""
_PLACES = {"G": 0, "N": 1, "C": 2, "P": 3, "R": 3, "Q": 4, "S": 4}


class InputWords(NamedTuple):
    """Read from the DRAM, read from the buffer, filled into the registers of one PE, and at most held there."""

    dram_reads: int
    buffer_reads: int
    register_fills: int
    register_words: int


class Box(NamedTuple):
    """Words from `low` on, `sides` long; none where the sides are 0."""

    low: Vector
    sides: Vector


def input_words(layer: Layer, mapping: Mapping, *, steady: bool, linked: bool) -> InputWords:
    """Of a mapping whose factors divide, with registers for what the loops inside them touch.

    Words that padding adds, or that strides and dilation leave out, are in the boxes too. `steady` and `linked`:
    `controller.steady_windows` and `pe_array.neighbour_links` of the machine.
    """
    size = dict.fromkeys(DIMS, 1)
    _steps(layer, mapping.registers, size)
    pe = Window(_sides(layer, size), steady)
    columns = _places(mapping.columns, _steps(layer, mapping.columns, size))
    rows = _places(mapping.rows, _steps(layer, mapping.rows, size))
    array = Array([[_sum(row, column) for column in columns] for row in rows], linked)
    inner = _steps(layer, mapping.on_chip, size)
    buffer = Window(_sides(layer, size), steady)
    outer = _steps(layer, mapping.off_chip, size)
    dram = reads = fills = 0
    for times, tile in _first_two(mapping.off_chip, outer):
        dram += times * prod(buffer.move(tile).sides)
        for more, place in _first_two(mapping.on_chip, inner):
            taken = pe.move(_sum(tile, place))
            words = times * more * prod(taken.sides)
            fills += words
            reads += words * array.fetches(taken)
    return InputWords(dram, reads, fills, prod(pe.sides))


@dataclass
class Window:
    """The box of words that a level holds, as it moves; `motion` is what the next step has to repeat."""

    sides: Vector
    steady: bool
    place: Vector | None = None
    motion: Vector | None = None

    def move(self, place: Vector) -> Box:
        """The words to be taken at a place, after those of the place before."""
        before, self.place = self.place, place
        whole = Box(place, self.sides)
        if before is None:
            return whole
        step = tuple(b - a for a, b in zip(before, place, strict=True))
        new = self._beyond(step, whole)
        overlaps = 0 < prod(new.sides) < prod(self.sides)
        if not self.steady:  # not the step itself, but its direction, and only of windows that overlap
            step = tuple((x > 0) - (x < 0) for x in step)
        stays = self.motion in (None, step) or not (self.steady or overlaps)
        self.motion = step if stays and (self.steady or overlaps) else None
        return new if stays else whole

    def _beyond(self, step: Vector, whole: Box) -> Box:
        moving = [axis for axis, length in enumerate(step) if length]
        if not moving:
            return Box(whole.low, (0,) * len(step))
        axis = moving[0]
        if len(moving) > 1 or abs(step[axis]) >= self.sides[axis]:
            return whole
        low, sides = list(whole.low), list(self.sides)
        low[axis] += self.sides[axis] - step[axis] if step[axis] > 0 else 0
        sides[axis] = abs(step[axis])
        return Box(tuple(low), tuple(sides))


@dataclass
class Array:
    """PEs, each with its own part of the input: how far from the first, by row and column."""

    apart: list[list[Vector]]
    linked: bool
    before: Box | None = None
    found: dict[Vector, int] = field(default_factory=dict)

    def fetches(self, taken: Box) -> int:
        """How many PEs read the buffer, if the first one takes this box and the others theirs.

        Of those that want the same one does, and none whose neighbour has just taken it.
        """
        before, self.before = self.before, taken
        linked = self.linked and before is not None and before.sides == taken.sides
        shift = tuple(a - b for a, b in zip(taken.low, before.low, strict=True)) if linked and before else ()
        if shift not in self.found:
            self.found[shift] = len(set(self._unserved(shift)))
        return self.found[shift]

    def _unserved(self, shift: Vector) -> Iterator[Vector]:
        for row, here in enumerate(self.apart):
            for column, mine in enumerate(here):
                wanted = _sum(mine, shift) if shift else None
                beside = [self.apart[r][column] for r in (row - 1, row + 1) if 0 <= r < len(self.apart)]
                beside += [here[c] for c in (column - 1, column + 1) if 0 <= c < len(here)]
                if wanted not in beside:
                    yield mine


def _steps(layer: Layer, loops: tuple[Loop, ...], size: dict[str, int]) -> list[Vector]:
    """How far one iteration of each loop moves the input; `size`, of what lies within, grows by the loops."""
    strides = dict(zip("PQRS", (*layer.stride, *layer.dilation), strict=True))
    steps = []
    for loop in reversed(loops):
        step = [0] * 5
        if loop.axis in _PLACES:
            step[_PLACES[loop.axis]] = size[loop.axis] * strides.get(loop.axis, 1)
        steps.append(tuple(step))
        size[loop.axis] *= loop.factor
    return steps[::-1]


def _sides(layer: Layer, size: dict[str, int]) -> Vector:
    rows, columns = (
        (size[outputs] - 1) * stride + (size[taps] - 1) * dilation + 1
        for outputs, taps, stride, dilation in zip("PQ", "RS", layer.stride, layer.dilation, strict=True)
    )
    return size["G"], size["N"], size["C"], rows, columns


def _places(loops: tuple[Loop, ...], steps: list[Vector]) -> list[Vector]:
    return [_at(digits, steps) for digits in product(*(range(loop.factor) for loop in loops))]


def _first_two(loops: tuple[Loop, ...], steps: list[Vector]) -> Iterator[tuple[int, Vector]]:
    """(iterations it stands for, where) of the first two iterations of each loop."""
    for digits in product(*(range(min(2, loop.factor)) for loop in loops)):
        times = prod(loop.factor - 1 for loop, digit in zip(loops, digits, strict=True) if digit)
        yield times, _at(digits, steps)


def _at(digits: tuple[int, ...], steps: list[Vector]) -> Vector:
    place: Vector = (0,) * 5
    for digit, step in zip(digits, steps, strict=True):
        place = _sum(place, tuple(digit * length for length in step))
    return place


def _sum(a: Vector, b: Vector) -> Vector:
    return tuple(x + y for x, y in zip(a, b, strict=True))
