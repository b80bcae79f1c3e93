"""Which tiles of an operand its buffer keeps while off-chip loops turn: those of all loops inside its hold.

For the room they take, loops inside that the operand does not depend on fetch nothing again, and a tile is fetched
while others are still in use, whether or not the buffer is double-buffered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.mapping import axis_relevant, with_operand
from workloads.layer import Operand

Bools = NDArray[np.bool_]


def held_elsewhere(shape: Shape, turning: Bools, random: np.random.Generator) -> Shape:
    """The shape with one operand held over more or fewer of its off-chip loops; of those, loops that turn count."""
    operand = Operand(int(random.integers(len(Operand))))
    depths = [None, *(depth for depth, keeps in _depths(shape, operand, turning[None]) if keeps[0])]
    return replace(shape, hold=with_operand(shape.hold, operand, depths[int(random.integers(len(depths)))]))


def held(
    column: MappingColumn, operands: Sequence[Operand] = (Operand.INPUT, Operand.WEIGHT)
) -> Iterator[MappingColumn]:
    """Mappings of the column with these operands held over other loops, each of them keeping what others do not.

    Loops that turn once do not count.
    """
    turning = column.factors[:, : len(column.shape.off_chip)] > 1
    always = (None, np.ones(len(column), dtype=bool))
    for depths in product(*([always, *_depths(column.shape, operand, turning)] for operand in operands)):
        hold, rows = column.shape.hold, always[1]
        for operand, (depth, keeps) in zip(operands, depths, strict=True):
            hold, rows = with_operand(hold, operand, depth), rows & keeps
        if hold != column.shape.hold and rows.any():
            yield MappingColumn(replace(column.shape, hold=hold), column.factors[rows])


def _depths(shape: Shape, operand: Operand, turning: Bools) -> Iterator[tuple[int, Bools]]:
    """Depths of a hold, and which mappings keep more tiles by it than a lesser hold does.

    turning: (mappings, off-chip loops) that do. A loop just outside that the operand does not depend on may as well be
    inside: of equal holds the outermost counts.
    """
    changing = turning & np.array([axis_relevant(axis, operand) for axis in shape.off_chip], dtype=bool)
    for depth in range(len(shape.off_chip)):
        yield depth, changing[:, depth:].any(axis=1) & (changing[:, depth - 1] if depth else True)
