"""Shared values: a word is an index into a small table (Han et al., Deep Compression, ICLR 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import StoredBits, Words
from workloads.errors import InputError

ROUNDS = 50
"""k-means stops earlier when no centre moves."""


@dataclass(frozen=True, slots=True)
class Codebook:
    """`table`: up to `2**index_bits` values of `value_bits`, any order; the whole table is stored once."""

    table: tuple[int, ...]
    index_bits: int
    value_bits: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.table) <= 1 << self.index_bits:
            most = 1 << self.index_bits
            raise InputError(
                f"table of {len(self.table)} values: an index of {self.index_bits} bits names 1 to {most}",
                source="format codebook",
            )

    @classmethod
    def fit(cls, words: Words, index_bits: int, value_bits: int) -> Codebook:
        """k-means over the nonzero words, from evenly spread centres; zero is kept as entry 0."""
        levels, counts = np.unique(words[words != 0], return_counts=True)
        room = (1 << index_bits) - 1
        if len(levels) <= room:
            return cls((0, *(int(level) for level in levels)), index_bits, value_bits)
        points, weights = levels.astype(np.float64), counts.astype(np.float64)
        centres = np.linspace(points[0], points[-1], room)
        for _ in range(ROUNDS):
            nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, points)
            mass = np.bincount(nearest, weights, room)
            moved = np.where(mass > 0, np.bincount(nearest, weights * points, room) / np.maximum(mass, 1), centres)
            if np.array_equal(moved, centres):
                break
            centres = moved
        rounded = {int(value) for value in np.rint(centres)} - {0}
        return cls((0, *sorted(rounded)), index_bits, value_bits)

    @property
    def name(self) -> str:
        return "codebook"

    @property
    def table_bits(self) -> int:
        return (1 << self.index_bits) * self.value_bits

    def stored(self, words: Words) -> StoredBits:
        return StoredBits(words.size * self.index_bits, codebook=self.table_bits)

    def coded_bits(self, words: Words) -> int:
        return self.stored(words).total

    def encode(self, words: Words) -> tuple[NDArray[np.int64]]:
        """Index of the nearest value, the lower one of two at the same distance."""
        order = np.argsort(np.array(self.table, dtype=np.int64), kind="stable")
        levels = np.array(self.table, dtype=np.int64)[order]
        flat = words.reshape(-1).astype(np.int64)
        above = np.clip(np.searchsorted(levels, flat), 1, len(levels) - 1) if len(levels) > 1 else np.zeros_like(flat)
        below = np.maximum(above - 1, 0)
        nearest = np.where(levels[above] - flat < flat - levels[below], above, below)
        return (order[nearest],)

    def decode(self, indices: Words, shape: int | tuple[int, ...]) -> NDArray[np.int64]:
        return np.array(self.table, dtype=np.int64)[indices].reshape(shape)
