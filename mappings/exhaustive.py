"""Every mapping of a space: for spaces small enough to try whole."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import ArrayShape
from mappings.holding import held
from mappings.mapping import LEVELS, SPATIAL_LEVELS, Mapping, axis_extent, axis_relevant
from mappings.space import MapSpace
from workloads.layer import Layer, Operand

Ints = NDArray[np.int64]
Chain = tuple[int, ...]
"""Factors of an axis, in the order of its loops."""

_BLOCK = 1 << 16


def exhaustive(space: MapSpace, shape: Shape, most: int = 2_000_000) -> MappingColumn | None:
    """Every legal mapping of a shape that fits, all factors of every loop tried; None when more than `most` to try."""
    chains = _chains(space, shape, most)
    if chains is None:
        return None
    blocks = list(_columns(space, shape, chains))
    factors = (
        np.concatenate([block.factors for block in blocks]) if blocks else np.ones((0, len(shape.loops)), np.int64)
    )
    return MappingColumn(shape, factors)


def whole_space(space: MapSpace, most: int) -> list[MappingColumn] | None:
    """Every mapping of every shape, equal ones once; None when more than `most` to try."""
    # The orders of everything have each hold of the outputs already.
    operands = (Operand.INPUT, Operand.WEIGHT) if space.dataflows is None else tuple(Operand)
    size = 0
    found: list[MappingColumn] = []
    for shape in space.shapes():
        chains = _chains(space, shape, most - size)
        if chains is None:
            return None
        size += prod(len(factors) for _, factors in chains)
        for column in _columns(space, shape, chains):
            elsewhere = [space.fitting(other) for other in held(column, operands)]
            size += sum(map(len, elsewhere))
            if size > most:
                return None
            found += [column, *elsewhere]
    known: set[object] = set()
    fresh = []
    for column in found:
        keys = (signature(column, row, space.layer, space.array) for row in range(len(column)))
        fresh.append(column.take(np.array([_new(key, known) for key in keys], dtype=bool)))
    return [column for column in fresh if len(column)]


def signature(column: MappingColumn, row: int, layer: Layer, array: ArrayShape) -> object:
    """Equal for mappings that do the same: loops of one iteration left out, unrolling by axis, not by row or column.

    With bypasses, how many rows and columns are used makes a difference.
    """
    mapping = column[row]
    off_chip = [(loop.axis, loop.factor) for loop in mapping.off_chip]
    depths = [_innermost_hold(mapping, operand) for operand in Operand]
    blocks = mapping.blocks("off_chip")
    for place in reversed(range(len(off_chip) - 1)):
        (axis, factor), (inner, _) = off_chip[place : place + 2]
        if axis == inner and place + 1 not in depths:  # one loop cut in two
            covered = min(axis_extent(layer, axis), factor * blocks[place])
            off_chip[place : place + 2] = [(axis, -(-covered // blocks[place + 1]))]
            depths = [depth - (depth > place) for depth in depths]
    inside = tuple(tuple((loop.axis, loop.factor) for loop in loops) for loops in (mapping.on_chip, mapping.registers))
    lanes = frozenset((loop.axis, loop.factor) for loop in mapping.lanes)
    spread = frozenset((axis, mapping.unrolled(axis)) for axis in mapping.axes() if mapping.unrolled(axis) > 1)
    used = (mapping.used("rows"), mapping.used("columns")) if array.bypass else ()
    return (
        mapping.name, tuple(off_chip), inside, spread, used, lanes, tuple(depths), mapping.register_words,
    )  # fmt: skip


def _innermost_hold(mapping: Mapping, operand: Operand) -> int:
    """Of the holds that keep the same: a loop that the operand does not depend on may as well be outside."""
    depth = mapping.hold_depth(operand)
    while depth < len(mapping.off_chip) and not axis_relevant(mapping.off_chip[depth].axis, operand):
        depth += 1
    return depth


def _new(key: object, known: set[object]) -> bool:
    fresh = key not in known
    known.add(key)
    return fresh


def _columns(space: MapSpace, shape: Shape, chains: list[tuple[list[int], list[Chain]]]) -> Iterator[MappingColumn]:
    """The product of the axes' chains, in blocks."""
    sizes = [len(found) for _, found in chains]
    for first in range(0, prod(sizes), _BLOCK):
        index = np.arange(first, min(first + _BLOCK, prod(sizes)))
        factors = np.ones((len(index), len(shape.loops)), dtype=np.int64)
        for (places, found), size in zip(chains, sizes, strict=True):
            factors[:, places] = np.array(found, dtype=np.int64).reshape(size, len(places))[index % size]
            index = index // size
        legal = np.ones(len(factors), dtype=bool)
        for level in SPATIAL_LEVELS:
            places = [place for place, loop in enumerate(shape.loops) if loop[0] == level]
            legal &= np.prod(factors[:, places], axis=1) <= getattr(space.array, level)
        yield space.fitting(MappingColumn(shape, factors[legal]))


def _chains(space: MapSpace, shape: Shape, most: int) -> list[tuple[list[int], list[Chain]]] | None:
    """By axis, the places of its loops and every choice of their factors that covers its extent and wastes no loop.

    None when their product is more than `most`.
    """
    found = []
    size = 1
    for axis in dict.fromkeys(axis for _, axis in shape.loops):
        chains = _chain(space.layer, space.array, shape, axis, most // size)
        if chains is None:
            return None
        size *= len(chains[1])
        found.append(chains)
    return found


def _chain(layer: Layer, array: ArrayShape, shape: Shape, axis: str, most: int) -> tuple[list[int], list[Chain]] | None:
    extent = axis_extent(layer, axis)
    loops = shape.loops
    places = [place for place, (_, name) in enumerate(loops) if name == axis]
    inside_out = sorted(places, key=lambda place: (-LEVELS.index(loops[place][0]), -place))
    closed = next((place for place in places if loops[place][0] == "off_chip"), None)
    found: list[tuple[int, Chain]] = [(1, ())]
    for place in inside_out:
        level = loops[place][0]
        grown = []
        for block, chain in found:
            left = -(-extent // block)
            reach = min(left, getattr(array, level)) if level in SPATIAL_LEVELS else left
            options = range(left if place == closed else 1, reach + 1)
            grown += [(block * factor, (*chain, factor)) for factor in options]
            if closed is not None and len(grown) > most:
                return None
        found = grown
    found = [(block, chain) for block, chain in found if block >= extent]
    order = np.argsort(inside_out)
    return None if len(found) > most else (places, [tuple(chain[index] for index in order) for _, chain in found])
