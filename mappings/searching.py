"""Search of a map space: all of it where it is small, else from the named dataflows by drawing and stepping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, together
from mappings.exhaustive import whole_space
from mappings.holding import held
from mappings.leaders import Leaders
from mappings.mapping import Mapping
from mappings.pool import Pool
from mappings.space import MapSpace
from workloads.errors import InputError
from workloads.layer import Operand
from workloads.plain import plain

Floats = NDArray[np.float64]
Cost = Callable[[MappingColumn], Floats]
"""What to minimise, one value a mapping; infinite where it does not fit."""

Costed = list[tuple[MappingColumn, Floats]]
"""Columns with what their mappings cost."""

_SMALL = 100_000
"""A space of more mappings is not tried whole, whatever the budget."""
_ROUND = 512
_PARENTS = 16
_DRAWN = 4
"""One round in so many is drawn afresh: the pool may have settled around one of several good places."""
_POLISHED = 2
"""One round in so many looks at all that is around one of the best."""
_BEST = 8
"""So many of the best are looked around, and all that lead their unrolling and shape."""
_NEXT, _SPREAD, _EXCHANGED, _RETILED, _HELD = range(5)
_BESTS, _UNROLLINGS, _ORDERS = range(3)
_NEAR = (
    (_NEXT, _BESTS), (_NEXT, _UNROLLINGS), (_NEXT, _ORDERS), (_SPREAD, _UNROLLINGS), (_EXCHANGED, _UNROLLINGS),
    (_NEXT, _ORDERS), (_RETILED, _UNROLLINGS), (_HELD, _UNROLLINGS),
)  # fmt: skip
"""What polishing looks at in turn: what is near one of the best, or near one that leads its unrolling and shape, or its
order of tiles."""
_IN_TIME = 4
"""One round in so many steps in time alone from all that lead their unrolling and shape: each shows what it is worth
only with tiles of its own."""
_CROWDING = 0.5
"""From this share of the budget on, good places may take up more of the pool than far apart ones."""
_SETTLING = 0.85
"""From this share of the budget on, the best is brought to where nothing next to it is better."""
_TILINGS = 4096
"""So many mappings, or as many as the budget has, are drawn by their tiles before it is used."""
_WORTH_HOLDING = 2.0
"""The first mappings that cost up to so many times the least are looked at with operands held elsewhere, too."""
_HOLDABLE = 2048
"""So many of them, or as many as the budget has."""
_REORDERED = 3
"""One part in so many of the parents takes another order first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search a layer: so many mappings looked at after the first ones, or so many seconds.

    The first ones are the dataflows' own and some drawn by their tiles, at most as many as the budget has, and some of
    these, about as many at most, with operands held elsewhere.
    """

    mappings: int = 40_000
    seconds: float | None = None

    def __post_init__(self) -> None:
        mappings, seconds = plain(self.mappings), plain(self.seconds)
        if not isinstance(mappings, int) or isinstance(mappings, bool) or mappings < 1:
            raise InputError(f"budget = {mappings!r}: needs a whole number of mappings from 1 up")
        if seconds is not None and not (isinstance(seconds, int | float) and 0 < seconds < inf):
            raise InputError(f"budget = {seconds!r} s: needs more than 0 seconds")
        object.__setattr__(self, "mappings", mappings)
        object.__setattr__(self, "seconds", seconds)


@dataclass(frozen=True, slots=True)
class Found:
    """The best mappings, and those of other orders of tiles that come near them, best first, each with its cost.

    `costed` mappings in `seconds`; `pruned` more were not, because their bound cannot beat the best. What does not fit
    counts as neither.
    `exhaustive`: nothing of the space was left out but what a bound excludes. `interrupted`: by Ctrl-C.
    """

    ranked: tuple[tuple[float, Mapping], ...]
    costed: int
    pruned: int
    seconds: float
    exhaustive: bool
    interrupted: bool = False


def never() -> bool:
    """A search that nobody stops."""
    return False


def search(
    space: MapSpace, cost: Cost, *, bound: Cost | None = None, budget: Budget = Budget(), seed: int = 0, keep: int = 8,
    stop: Callable[[], bool] = never, whole_costs: bool = False,
) -> Found:  # fmt: skip
    """The best mappings found. Deterministic for a seed and a budget in mappings, on any number of cores.

    bound: never more than the cost, and cheap; what cannot beat the best so far is not costed.
    whole_costs: fractions of a cost only break ties, which a search looks at when it settles: before, they would hold
    it where it is.
    A small space of no more mappings than the budget is tried whole. Never worse than any candidate of the space's
    dataflows. Ctrl-C ends it with the best so far, and so does `stop` when it says True; it is asked now and then. An
    empty result means that nothing fits.
    """
    run = _Run(space, cost, bound, np.random.default_rng(seed), Pool(whole_costs))
    exhaustive = interrupted = False
    try:
        seen = run.take(space.candidates)
        whole = whole_space(space, _SMALL if budget.seconds else min(budget.mappings, _SMALL))
        if whole is not None:
            run.pool.crowd()
            run.pool.refine()
            run.take(whole)
            exhaustive = True
        looked = 0
        if not exhaustive:
            run.hold(seen + run.draw_tilings(min(_TILINGS, budget.mappings)), min(_HOLDABLE, budget.mappings))
        while not exhaustive and (used := run.used(budget, looked)) < 1:
            if stop():
                raise KeyboardInterrupt
            settled = 0
            if used >= _CROWDING:
                run.pool.crowd()
            if used >= _SETTLING:
                run.pool.refine()
                settled = run.settle()
            looked += settled or run.round(min(_ROUND, max(_PARENTS, budget.mappings - looked)))
    except KeyboardInterrupt:
        exhaustive, interrupted = False, True
        if not run.pool.entries:
            raise
    run.pool.refine()
    best = {column[0]: value for value, _, _, column, _ in run.pool.entries[:keep]}
    best |= {mapping: value for value, mapping in run.leaders.ranked[:keep]}
    ranked = sorted(((value, mapping) for mapping, value in best.items()), key=lambda entry: entry[0])
    return Found(tuple(ranked), run.costed, run.pruned, monotonic() - run.began, exhaustive, interrupted)


def _nth_least(columns: list[Floats], nth: int) -> float:
    """Of all values, from 1 on; infinite where there are not as many."""
    values = np.concatenate([np.empty(0), *columns])
    return float(np.partition(values, nth - 1)[nth - 1]) if nth <= len(values) else inf


class _Run:
    """A search under way."""

    def __init__(
        self, space: MapSpace, cost: Cost, bound: Cost | None, random: np.random.Generator, pool: Pool
    ) -> None:
        self.began = monotonic()
        self.pool, self.leaders = pool, Leaders()
        self.costed = self.pruned = self.rounds = 0
        self._space, self._cost, self._bound, self._random = space, cost, bound, random

    def draw_tilings(self, count: int) -> Costed:
        """Look at `count` mappings drawn by their tiles, a round of each shape drawn; what is not legal counts too."""
        seen: Costed = []
        for drawn in range(0, count, _ROUND):
            shape = self._space.shape(self._random)
            if shape is not None:
                seen += self.take([self._space.tilings(shape, min(_ROUND, count - drawn), self._random)])
        return seen

    def hold(self, seen: Costed, count: int) -> None:
        """Look at those seen that come near the best, about `count` at most, with operands held elsewhere, in turn."""
        for operand in Operand:
            most = min(_WORTH_HOLDING * self.pool.least, _nth_least([values for _, values in seen], count))
            near = together(column.take(values <= most) for column, values in seen)
            seen = seen + self.take([elsewhere for column in near for elsewhere in held(column, (operand,))])

    def used(self, budget: Budget, looked: int) -> float:
        """Share of the budget."""
        return looked / budget.mappings if budget.seconds is None else (monotonic() - self.began) / budget.seconds

    def settle(self) -> int:
        """Look at all that is next to the best, how many that is; 0 when nothing there is new."""
        for kind in (_NEXT, _EXCHANGED):
            best = self.pool.unpolished(kind, 1, False)
            if best is not None:
                near = self._around(best, kind)
                self.take(near)
                return max(1, sum(len(column) for column in near))
        return 0

    def round(self, count: int) -> int:
        """Look at about `count` mappings and return how many: around one of the best, some steps from them, or afresh.

        What is not legal counts too.
        """
        space, random = self._space, self._random
        self.rounds += 1
        if self.rounds % _POLISHED == 0:
            near = self._near()
            if near:
                self.take(near)
                return sum(len(column) for column in near)
        shape = space.shape(random) if random.integers(_DRAWN) == 0 or not self.pool.entries else None
        if shape is not None:
            columns = [space.sample(shape, count, random)]
        else:
            columns = []
            in_time = self.rounds % _IN_TIME == 1
            for column in self.pool.parents(random, _PARENTS, count, leading=in_time):
                other = space.reorder(column, random) if random.integers(_REORDERED) == 0 else column
                columns.append(space.mutate(other, random, in_time))
        self.take([column for column in columns if len(column)])
        return count

    def _near(self) -> list[MappingColumn]:
        """What is near the next mapping to polish."""
        kind, whose = _NEAR[self.rounds // _POLISHED % len(_NEAR)]
        if whose == _ORDERS:
            best = self.leaders.unpolished()
        else:
            best = self.pool.unpolished(kind, _BEST, whose == _UNROLLINGS)
        return [] if best is None else self._around(best, kind)

    def _around(self, best: MappingColumn, kind: int) -> list[MappingColumn]:
        """What is next to a mapping, unrolled in another way, with room exchanged between axes or with other tiles."""
        if kind == _SPREAD:
            near = self._space.respread(best, _ROUND, self._random)
        elif kind == _HELD:
            near = self._space.held(best, _ROUND, self._random)
        elif kind == _RETILED:
            near = [self._space.retiled(best, _ROUND, self._random)]
        else:
            near = [self._space.neighbours(best) if kind == _NEXT else self._space.exchanges(best)]
        return [column for column in near if len(column)]

    def take(self, columns: list[MappingColumn]) -> Costed:
        """Cost columns; the best join the pool in the order given."""
        least = self.pool.least
        seen: Costed = []
        for column in columns:
            column = self._space.fitting(column)
            if self._bound is not None and least < np.inf and len(column):
                promising = column.take(self._bound(column) < least)
                self.pruned += len(column) - len(promising)
                column = promising
            if len(column):
                self.costed += len(column)
                values = self._cost(column)
                self.pool.add(column, values)
                self.leaders.add(column, values)
                seen.append((column, values))
        return seen
