"""The best mappings a search has seen, kept apart enough to start from."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mappings.column import MappingColumn, together
from mappings.mapping import SPATIAL_LEVELS

Floats = NDArray[np.float64]
Niche = tuple[object, bytes]

_KEPT = 64
_ALIKE = 8
"""Of one unrolling and shape, at most, and one until `crowd`: good places lie apart, and none must crowd others out."""

_SHAPES = 2
"""Parents drawn together are of up to so many shapes: a column takes time however short it is."""


class Pool:
    """Mappings as columns of one, best first; equal ones are kept once.

    whole: costs that differ by a fraction rank as equal, first come first, until `refine`.
    """

    def __init__(self, whole: bool = False) -> None:
        self.entries: list[tuple[float, int, Niche, MappingColumn, float]] = []
        """Rank, number, niche, mapping, cost."""
        self._whole = whole
        self._alike = 1
        self._known: set[tuple[object, bytes]] = set()
        self._polished: set[tuple[int, int]] = set()
        self._full: dict[Niche, float] = {}
        """Rank of the last one of each niche that takes no more."""
        self._count = 0

    @property
    def least(self) -> float:
        """The least rank so far."""
        return self.entries[0][0] if self.entries else np.inf

    def add(self, column: MappingColumn, values: Floats) -> None:
        """Take in what is good enough."""
        ranks = np.floor(values) if self._whole else values
        worst = self.entries[-1][0] if len(self.entries) >= _KEPT else np.inf
        better = np.flatnonzero(ranks < worst)
        if not len(better):
            return
        shape = column.shape
        spatial = [place for place, loop in enumerate(shape.loops) if loop[0] in SPATIAL_LEVELS]
        chosen = better[np.argsort(ranks[better], kind="stable")[:_KEPT]]
        factors = column.factors[chosen]
        niches = _bytes_of_rows(factors[:, spatial])
        new: dict[Niche, int] = {}
        for row, rank, unrolled in zip(range(len(chosen)), ranks[chosen].tolist(), niches, strict=True):
            niche = (shape, unrolled)
            if rank >= self._full.get(niche, np.inf) or new.get(niche, 0) >= self._alike:
                continue
            one = factors[row : row + 1].copy()
            key = (shape, one.tobytes())
            if key not in self._known:
                self._known.add(key)
                self._count += 1
                new[niche] = new.get(niche, 0) + 1
                self.entries.append((rank, self._count, niche, MappingColumn(shape, one), float(values[chosen[row]])))
        if not new:
            return
        self.entries.sort(key=lambda entry: entry[:2])
        self._full.clear()
        alike: Counter[Niche] = Counter()
        kept = []
        for entry in self.entries:
            alike[entry[2]] += 1
            if alike[entry[2]] <= self._alike:
                kept.append(entry)
            if alike[entry[2]] == self._alike:
                self._full[entry[2]] = entry[0]
        self.entries = kept[:_KEPT]

    def crowd(self) -> None:
        """From now on more of one unrolling and shape are kept."""
        if self._alike < _ALIKE:
            self._alike = _ALIKE
            self._forget()

    def refine(self) -> None:
        """From now on fractions count."""
        if self._whole:
            self._whole = False
            self.entries = [(value, number, niche, one, value) for _, number, niche, one, value in self.entries]
            self.entries.sort(key=lambda entry: entry[:2])
            self._polished.clear()
            self._forget()

    def _forget(self) -> None:
        """What was turned away may come in now."""
        self._full.clear()
        self._known = {(one.shape, one.factors[0].tobytes()) for _, _, _, one, _ in self.entries}

    def _leading(self) -> list[tuple[float, int, Niche, MappingColumn, float]]:
        """The best of each niche."""
        first: dict[Niche, tuple[float, int, Niche, MappingColumn, float]] = {}
        for entry in self.entries:
            first.setdefault(entry[2], entry)
        return list(first.values())

    def unpolished(self, kind: int, among: int, leading: bool) -> MappingColumn | None:
        """The best that has not been asked for: of the best few, or of those that lead their niches."""
        for _, number, _, column, _ in self._leading() if leading else self.entries[:among]:
            if (number, kind) not in self._polished:
                self._polished.add((number, kind))
                return column
        return None

    def parents(
        self, random: np.random.Generator, number: int, count: int, leading: bool = False
    ) -> list[MappingColumn]:
        """About `count` copies of up to `number` mappings, those of one shape together.

        Better ones more often, or those that lead their niches, one as often as another.
        """
        if not self.entries:
            return []
        entries = self._leading() if leading else self.entries
        ranks = np.floor(len(entries) * random.random(number) ** (1 if leading else 2)).astype(int)
        drawn = [entries[rank][3] for rank in ranks.tolist()]
        shapes = list(dict.fromkeys(column.shape for column in drawn))[:_SHAPES]
        chosen = [column for column in drawn if column.shape in shapes]
        copies = count // len(chosen)
        return [MappingColumn(column.shape, np.repeat(column.factors, copies, axis=0)) for column in together(chosen)]


def _bytes_of_rows(rows: NDArray[np.int64]) -> list[bytes]:
    """Each row as a key."""
    width, every = rows.shape[1] * rows.itemsize, rows.tobytes()
    return [every[width * row : width * (row + 1)] for row in range(len(rows))]
