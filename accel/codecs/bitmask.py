"""A bit for every word, and the words that are not zero (SparTen's SparseMap, MICRO 2019; Cambricon-X direct index)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import Decoding, StoredBits, Words
from accel.kernels.bitmask import compress, expand


@dataclass(frozen=True, slots=True)
class Bitmask:
    """Nonzero words of `value_bits` and their mask, which is kept in chunks of `chunk_bits`, the last one filled up."""

    value_bits: int
    chunk_bits: int = 1

    @property
    def name(self) -> str:
        return "bitmask"

    def stored(self, words: Words) -> StoredBits:
        nonzeros = int(np.count_nonzero(words))
        return StoredBits(
            nonzeros * self.value_bits,
            index=words.size,
            padding=-words.size % self.chunk_bits,
            decoding=Decoding(nonzeros, words.size.bit_length()),
        )

    def encode(self, words: Words) -> tuple[NDArray[np.uint64], Words]:
        """(mask, values): bit i%64 of mask word i//64 says whether word i is nonzero."""
        flat = words.reshape(-1)
        mask = np.zeros(-(-flat.size // 64), dtype=np.uint64)
        values = np.zeros(int(np.count_nonzero(flat)), dtype=flat.dtype)
        compress(flat, mask, values)
        return mask, values

    def decode(self, mask: NDArray[np.uint64], values: Words, shape: int | tuple[int, ...]) -> Words:
        words = np.zeros(shape, dtype=values.dtype)
        expand(mask, values, words.reshape(-1))
        return words
