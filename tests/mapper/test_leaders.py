"""Does a search hand on the best of every order of tiles that comes near the best of all?"""

from __future__ import annotations

from math import prod
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from accel import load
from accel.task import map_space
from mappings import Budget, Mapping, search
from mappings.column import MappingColumn, Shape
from mappings.leaders import Leaders
from workloads import Layer


def order(mapping: Mapping) -> tuple[object, ...]:
    """With the number of tiles where that is small."""
    tiles = prod(loop.factor for loop in mapping.off_chip)
    moving = tuple(loop.axis for loop in mapping.off_chip if loop.factor > 1)
    return mapping.name, moving, mapping.hold, tiles if tiles <= 16 else None


def any_cost(mapping: Mapping) -> float:
    """Has nothing to do with the machine, so that no order is preferred."""
    return 100.0 + crc32(repr(mapping).encode()) % 97


def test_one_of_an_order_is_kept() -> None:
    """Shapes that differ only in loops of a single iteration have the same orders."""
    leaders, random = Leaders(), np.random.default_rng(0)
    layer = Layer("conv", K=4, C=2, P=2, Q=2, R=3, S=3)
    space = map_space(layer, load("eyeriss_v1"), "any")
    for shape in [shape for _ in range(40) if (shape := space.shape(random)) is not None]:
        column = space.sample(shape, 64, random)
        if len(column):
            leaders.add(column, np.array([any_cost(column[row]) for row in range(len(column))]))
    orders = [order(mapping) for _, mapping in leaders.ranked]
    assert len(orders) == len(set(orders)) > 5
    assert all(value == any_cost(mapping) for value, mapping in leaders.ranked)


def test_leaders_are_polished_once_each_best_first() -> None:
    """Also one that takes the place of another of its order."""
    leaders = Leaders()

    def add(factors: list[list[int]], costs: list[float]) -> None:
        shape = Shape("two", off_chip=("K", "C"), registers=("K", "C"))
        leaders.add(MappingColumn(shape, np.array(factors)), np.array(costs))

    add([[32, 1, 1, 1], [1, 32, 1, 1], [2, 32, 1, 1]], [2.5, 2.0, 4.0])
    asked = [leaders.unpolished() for _ in range(4)]
    assert [None if one is None else one.factors[0].tolist() for one in asked] == [
        [1, 32, 1, 1], [32, 1, 1, 1], None, None,
    ]  # fmt: skip
    add([[64, 1, 1, 1]], [2.2])
    again = leaders.unpolished()
    assert again is not None and again.factors[0].tolist() == [64, 1, 1, 1]
    assert leaders.unpolished() is None


def test_the_best_of_every_order_near_the_best_is_handed_on() -> None:
    seen: dict[tuple[object, ...], float] = {}

    def cost(column: MappingColumn) -> NDArray[np.float64]:
        mappings = [column[row] for row in range(len(column))]
        values = [any_cost(mapping) for mapping in mappings]
        for mapping, value in zip(mappings, values, strict=True):
            seen[order(mapping)] = min(value, seen.get(order(mapping), np.inf))
        return np.array(values)

    layer = Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
    found = search(map_space(layer, load("eyeriss_v1"), "any"), cost, budget=Budget(2000), keep=10_000)
    least = min(seen.values())
    near = {key: value for key, value in seen.items() if value <= 1.3 * least}
    handed: dict[tuple[object, ...], float] = {}
    for value, mapping in found.ranked:
        handed.setdefault(order(mapping), value)
    assert len(near) > 64 and near.items() <= handed.items()
    assert [value for value, _ in found.ranked] == sorted(value for value, _ in found.ranked)
