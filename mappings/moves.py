"""Small steps between mappings of one shape: what one gives up in a loop, another takes up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, Shape
from mappings.dataflows import ArrayShape
from mappings.mapping import LEVELS, SPATIAL_LEVELS, Mapping, axis_extent
from workloads.layer import Layer

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_AGAIN = (1.0, 0.5, 0.2)
"""Chances of a first, second and third step at once: some ways out of a hollow take several."""
_TRADED = 0.6
"""Chance that a second loop takes up what the first gave, or gives what it took."""
_EVENED = 0.3
"""Chance that the first loop is cut to parts as equal as they can be."""
_FILLED = 0.2
"""Chance that an unrolled loop takes all that the array has left."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Places of a shape's loops. `given`: those that are free to choose, all but the outermost off chip of each axis.

    `in_time`: those of them that are not unrolled. `partners`: (3, loops, loops), given loops to trade with: of the
    same axis, of the same level, any; `choices` of them count. `by_axis`: places inside out, and whether the last of
    them closes the axis.
    """

    given: Ints
    in_time: Ints
    spatial: tuple[Ints, ...]
    partners: Ints
    choices: Ints
    by_axis: tuple[tuple[str, tuple[int, ...], bool], ...]


def step(
    column: MappingColumn, layer: Layer, array: ArrayShape, random: np.random.Generator, in_time: bool = False
) -> MappingColumn:
    """Each mapping after one to three random steps; those that no longer cover the layer are dropped.

    `in_time`: steps of loops in time; unrolled ones only trade with them.
    """
    plan = layout(column.shape)
    factors = column.factors.copy()
    given = plan.in_time if in_time else plan.given
    if not len(given) or not len(factors):
        return column
    extents = np.array([axis_extent(layer, axis) for _, axis in column.shape.loops], dtype=np.int64)
    even = np.zeros(factors.shape, dtype=bool)
    rows = np.arange(len(factors))
    last = np.zeros(len(factors), dtype=np.int64)
    for chance in _AGAIN:
        if chance < 1:
            rows = rows[random.random(len(rows)) < chance]
        chosen = given[random.integers(0, len(given), len(rows))]
        _trade(plan, factors, rows, chosen, extents, random)
        even[rows, chosen] = random.random(len(rows)) < _EVENED
        last[rows] = chosen
    _keep_within(plan, array, factors, last)
    if not in_time:
        _fill(plan, array, factors, random)
    legal = settle(plan, layer, factors, even)
    return MappingColumn(column.shape, factors if legal.all() else factors[legal])


def evened(mapping: Mapping, layer: Layer) -> Mapping:
    """The mapping with its loops in time cut to parts as equal as they can be: as many of them, none larger."""
    column = MappingColumn.of([mapping])
    plan = layout(column.shape)
    even = np.array([[level not in SPATIAL_LEVELS for level, _ in column.shape.loops]], dtype=bool)
    settle(plan, layer, column.factors, even)
    return column[0]


def _trade(plan: Layout, factors: Ints, rows: Ints, chosen: Ints, extents: Ints, random: np.random.Generator) -> None:
    """Change the chosen loops' factors, and often another's by the inverse ratio."""
    count = len(rows)
    old = factors[rows, chosen]
    new = _moved(old, extents[chosen], random)
    factors[rows, chosen] = new
    trading = np.flatnonzero(random.random(count) < _TRADED)
    kind, mine = random.integers(0, len(plan.partners), len(trading)), chosen[trading]
    number = plan.choices[kind, mine]
    partner = plan.partners[kind, mine, (random.random(len(trading)) * number).astype(np.int64)]
    there = rows[trading], partner
    traded = np.maximum(1, np.rint(factors[there] * (old[trading] / new[trading]))).astype(np.int64)
    factors[there] = np.where(number > 0, traded, factors[there])


def _moved(old: Ints, extent: Ints, random: np.random.Generator) -> Ints:
    """Another factor: next to the old one, a small multiple or part of it, one, or the whole."""
    stretched = np.rint(old * np.exp(random.uniform(-1.0, 1.0, len(old)))).astype(np.int64)
    choices = [
        old + 1, old - 1, old * 2, -(-old // 2), old * 3, -(-old // 3), np.ones_like(old), extent, stretched, stretched,
    ]  # fmt: skip
    picked: Ints = np.maximum(1, np.choose(random.integers(0, len(choices), len(old)), choices))
    return picked


def _keep_within(plan: Layout, array: ArrayShape, factors: Ints, last: Ints) -> None:
    """Where more is unrolled than the array reaches, others give way to the loop changed last."""
    for level, places in zip(SPATIAL_LEVELS, plan.spatial, strict=True):
        limit = getattr(array, level)
        product = factors[:, places].prod(axis=1)
        rows = np.flatnonzero(product > limit)
        if not len(rows):
            continue
        own, product, some = last[rows], product[rows], factors[rows]
        for mine in (False, True):
            for place in places.tolist():
                others = product // some[:, place]
                cut = np.where((own == place) == mine, np.maximum(1, limit // others), some[:, place])
                some[:, place] = np.minimum(some[:, place], cut)
                product = others * some[:, place]
        factors[rows] = some


def _fill(plan: Layout, array: ArrayShape, factors: Ints, random: np.random.Generator) -> None:
    for level, places in zip(SPATIAL_LEVELS, plan.spatial, strict=True):
        if not len(places):
            continue
        rows = np.flatnonzero(random.random(len(factors)) < _FILLED)
        chosen = places[random.integers(0, len(places), len(rows))]
        others = factors[rows[:, None], places].prod(axis=1) // factors[rows, chosen]
        factors[rows, chosen] = np.maximum(1, getattr(array, level) // others)


def settle(plan: Layout, layer: Layer, factors: Ints, even: Bools | None = None) -> Bools:
    """From the inside out: no loop turns more often than there is work for it, evened ones in equal parts.

    Returns which mappings cover the layer.
    """
    legal = np.ones(len(factors), dtype=bool)
    columns = np.ascontiguousarray(factors.T)
    for axis, places, closes in plan.by_axis:
        extent = axis_extent(layer, axis)
        block, most = 1, np.full(len(factors), extent, dtype=np.int64)
        for place in places[:-1] if closes else places:
            factor = np.minimum(columns[place], most)
            evened = () if even is None else np.flatnonzero(even[:, place])
            if len(evened):
                factor[evened] = -(-most[evened] // -(-most[evened] // factor[evened]))
            columns[place] = factor
            block = block * factor
            most = -(-extent // block)
        if closes:
            columns[places[-1]] = most
        else:
            legal &= most == 1
    factors[:] = columns.T
    return legal


@lru_cache(maxsize=4096)
def layout(shape: Shape) -> Layout:
    loops = shape.loops
    outermost: dict[str, int] = {}
    for place, (level, axis) in enumerate(loops):
        if level == "off_chip":
            outermost.setdefault(axis, place)
    given = [place for place in range(len(loops)) if place not in outermost.values()]
    partners = np.zeros((3, len(loops), len(loops)), dtype=np.int64)
    choices = np.zeros((3, len(loops)), dtype=np.int64)
    for place, (level, axis) in enumerate(loops):
        others = [other for other in given if other != place]
        kinds = (
            [other for other in others if loops[other][1] == axis],
            [other for other in others if loops[other][0] == level],
            others,
        )
        for kind, found in enumerate(kinds):
            partners[kind, place, : len(found)] = found
            choices[kind, place] = len(found)
    by_axis = []
    for axis in dict.fromkeys(axis for _, axis in loops):
        places = [place for place, loop in enumerate(loops) if loop[1] == axis]
        places.sort(key=lambda place: (-LEVELS.index(loops[place][0]), -place))
        by_axis.append((axis, tuple(places), axis in outermost))
    spatial = tuple(
        np.array([place for place, loop in enumerate(loops) if loop[0] == level], dtype=np.int64)
        for level in SPATIAL_LEVELS
    )
    in_time = [place for place in given if loops[place][0] not in SPATIAL_LEVELS]
    both = np.array(given, dtype=np.int64), np.array(in_time, dtype=np.int64)
    return Layout(*both, spatial, partners, choices, tuple(by_axis))
