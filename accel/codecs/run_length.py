"""Run-length coding of zeros as Eyeriss does it off chip (Chen et al., JSSC 2017, Fig. 8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import Decoding, StoredBits
from accel.kernels.run_length import count_pairs, decode_pairs, encode_pairs

WORD_BITS = 64
"""Pairs are packed into words of this size, whose last bit tells whether more words follow."""


@dataclass(frozen=True, slots=True)
class RunLength:
    """Pairs of a run of at most `2**run_bits - 1` zeros and a value of `value_bits`."""

    run_bits: int
    value_bits: int

    @property
    def name(self) -> str:
        return "rlc"

    @property
    def pairs_per_word(self) -> int:
        """Whole pairs in a memory word; a pair wider than a word takes several."""
        return max(1, (WORD_BITS - 1) // (self.run_bits + self.value_bits))

    @property
    def longest_run(self) -> int:
        return (1 << self.run_bits) - 1

    def packed_bits(self, pairs: int) -> int:
        """Bits of so many pairs in whole memory words."""
        words_per_pair = -(-(self.run_bits + self.value_bits) // (WORD_BITS - 1))
        return -(-pairs // self.pairs_per_word) * words_per_pair * WORD_BITS

    def stored(self, words: NDArray[np.integer]) -> StoredBits:
        """Zero values that end a run, terminal bits and the unused end of memory words are padding."""
        pairs, useful = int(count_pairs(words.reshape(-1), self.longest_run)), int(np.count_nonzero(words))
        values, index = useful * self.value_bits, useful * self.run_bits
        padding = self.packed_bits(pairs) - values - index
        return StoredBits(values, index, padding, decoding=Decoding(pairs, words.size.bit_length()))

    def encode(self, words: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.integer]]:
        """(runs, values) of a tensor in storage order."""
        flat = words.reshape(-1)
        pairs = int(count_pairs(flat, self.longest_run))
        runs = np.zeros(pairs, dtype=np.int64)
        values = np.zeros(pairs, dtype=flat.dtype)
        encode_pairs(flat, self.longest_run, runs, values)
        return runs, values

    def decode(
        self, runs: NDArray[np.int64], values: NDArray[np.integer], count: int | tuple[int, ...]
    ) -> NDArray[np.integer]:
        """The `count` words that were encoded, or the tensor of that shape."""
        size = count if isinstance(count, int) else prod(count)
        words: NDArray[np.integer] = decode_pairs(runs, values, size)
        return words.reshape(count)
