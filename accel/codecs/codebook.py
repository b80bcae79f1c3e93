"""Shared values: a word is an index into a small table (Han et al., Deep Compression, ICLR 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import Decoding, StoredBits, Words
from workloads.codebook import distinct, nearest_places, shared_values
from workloads.errors import InputError


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
        """The values `workloads.codebook.shared_values` finds; zero is one of them."""
        return cls(tuple(shared_values(words, index_bits).tolist()), index_bits, value_bits)

    @classmethod
    def holding(cls, words: Words, index_bits: int, value_bits: int) -> Codebook:
        """Every value that occurs, and zero. Raises InputError when there are more than an index can name."""
        values = np.union1d(distinct(words)[0], [0])
        if len(values) > 1 << index_bits:
            raise InputError(
                f"{len(values)} distinct values with zero: an index of {index_bits} bits names {1 << index_bits}, "
                "let more words share a value or widen the index",
                source="format codebook",
            )
        return cls(tuple(values.tolist()), index_bits, value_bits)

    @property
    def name(self) -> str:
        return "codebook"

    @property
    def table_bits(self) -> int:
        return (1 << self.index_bits) * self.value_bits

    def stored(self, words: Words) -> StoredBits:
        return StoredBits(words.size * self.index_bits, codebook=self.table_bits, decoding=self.looking_up(words.size))

    def looking_up(self, words: int, additions: int = 0, place_bits: int = 0) -> Decoding:
        """So many words from the table, beside what finds their places."""
        return Decoding(additions, place_bits, words, 1 << self.index_bits, self.value_bits)

    def encode(self, words: Words) -> tuple[NDArray[np.int64]]:
        """Index of the nearest value, the lower one of two at the same distance."""
        order = np.argsort(np.array(self.table, dtype=np.int64), kind="stable")
        return (order[nearest_places(words.reshape(-1), np.array(self.table, dtype=np.int64)[order])],)

    def decode(self, indices: Words, shape: int | tuple[int, ...]) -> NDArray[np.int64]:
        return np.array(self.table, dtype=np.int64)[indices].reshape(shape)
