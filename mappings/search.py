"""Search of a map space: start from the named dataflows, then draw and mutate for as long as the budget lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn
from mappings.mapping import Mapping
from mappings.space import MapSpace
from workloads.errors import InputError

Floats = NDArray[np.float64]
Cost = Callable[[MappingColumn], Floats]
"""What to minimise, one value a mapping; infinite where it does not fit."""

_POOL = 48
_ROUND = 1536


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search a layer: so many mappings costed after the dataflows' own, or so many seconds."""

    mappings: int = 40_000
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.mappings < 1:
            raise InputError(f"budget = {self.mappings}: needs at least 1 mapping")
        if self.seconds is not None and not 0 < self.seconds < inf:
            raise InputError(f"budget = {self.seconds} s: needs more than 0 seconds")


@dataclass(frozen=True, slots=True)
class Found:
    """The best mappings, best first, each with its cost; `costed` mappings were looked at in `seconds`."""

    ranked: tuple[tuple[float, Mapping], ...]
    costed: int
    seconds: float


def search(space: MapSpace, cost: Cost, budget: Budget = Budget(), seed: int = 0, keep: int = 8) -> Found:
    """The best mappings found. Deterministic for a seed and a budget in mappings; Ctrl-C ends it with the best so far.

    Never worse than any seed of the space. An empty result means that nothing fits.
    """
    began = monotonic()
    random = np.random.default_rng(seed)
    pool = _Pool()
    costed = 0
    try:
        seeds = space.seeds()
        for column in seeds:
            costed += len(column)
            pool.add(column, cost(column))
        left = budget.mappings
        families = [list(dict.fromkeys(column.shape for column in seeds)), space.shapes()]
        while left > 0 and (budget.seconds is None or monotonic() - began < budget.seconds):
            columns = [space.mutate(column, random) for column in pool.parents(random, _ROUND)]
            for shapes in families:
                # Fresh starts: the pool may have settled around one of several good places.
                if shapes:
                    picked = random.integers(0, len(shapes), 2)
                    columns += [space.sample(shapes[index], _ROUND // 2, random) for index in picked]
            columns = [column for column in columns if len(column)]
            if not columns:
                break
            for column in columns:
                costed += len(column)
                left -= len(column) if budget.seconds is None else 0
                pool.add(column, cost(column))
    except KeyboardInterrupt:
        if not pool.best:
            raise
    ranked = tuple((value, column[0]) for value, _, column in pool.best[:keep])
    return Found(ranked, costed, monotonic() - began)


class _Pool:
    """The best mappings so far, each a column of one; equal ones are kept once."""

    def __init__(self) -> None:
        self.best: list[tuple[float, int, MappingColumn]] = []
        self._known: set[tuple[object, bytes]] = set()
        self._count = 0

    def add(self, column: MappingColumn, values: Floats) -> None:
        worst = self.best[-1][0] if len(self.best) >= _POOL else np.inf
        better = np.flatnonzero(values < worst)
        for row in better[np.argsort(values[better], kind="stable")][:_POOL]:
            key = (column.shape, column.factors[row].tobytes())
            if key not in self._known:
                self._known.add(key)
                self._count += 1
                self.best.append((float(values[row]), self._count, column.take(row[None])))
        self.best.sort(key=lambda entry: entry[:2])
        del self.best[_POOL:]

    def parents(self, random: np.random.Generator, count: int) -> list[MappingColumn]:
        """Columns of copies of the pool's mappings, better ones more often, mappings of one shape together."""
        if not self.best:
            return []
        rank = np.floor(len(self.best) * random.random(count) ** 2).astype(int)
        by_shape: dict[object, list[int]] = {}
        for index in rank.tolist():
            by_shape.setdefault(self.best[index][2].shape, []).append(index)
        return [
            MappingColumn(self.best[rows[0]][2].shape, np.concatenate([self.best[row][2].factors for row in rows]))
            for rows in by_shape.values()
        ]
