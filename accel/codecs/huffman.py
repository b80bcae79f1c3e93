"""Huffman coding, the entropy stage behind other formats (Han et al., Deep Compression, ICLR 2016)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import Decoding, StoredBits, Words
from accel.kernels.huffman import read_codes, write_codes

Ints = NDArray[np.int64]

LENGTH_BITS = 6
"""A code longer than 63 bits would need more symbols than memory holds (counts grow like Fibonacci numbers)."""


@dataclass(frozen=True, slots=True)
class Huffman:
    """Canonical codes; the table stores each symbol that occurs (`symbol_bits`) and the length of its code."""

    symbol_bits: int

    @property
    def name(self) -> str:
        return "huffman"

    def stored(self, words: Words) -> StoredBits:
        symbols, counts = np.unique(words, return_counts=True)
        lengths = code_lengths(counts)
        entry_bits = self.symbol_bits + LENGTH_BITS
        return StoredBits(
            int((lengths * counts).sum()),
            codebook=len(symbols) * entry_bits,
            decoding=Decoding(lookups=words.size, table_words=len(symbols), table_bits=entry_bits),
        )

    def encode(self, words: Words) -> tuple[NDArray[np.uint8], Words, Ints]:
        """(bits one by one, symbols in the order of their codes, lengths of the codes)."""
        symbols, inverse, counts = np.unique(words.reshape(-1), return_inverse=True, return_counts=True)
        lengths = code_lengths(counts)
        order = np.lexsort((np.arange(len(symbols)), lengths))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        bits = np.zeros(int((lengths * counts).sum()), dtype=np.uint8)
        write_codes(rank[inverse.reshape(-1)], lengths[order], canonical_codes(lengths[order]), bits)
        return bits, symbols[order], lengths[order]

    def decode(self, bits: NDArray[np.uint8], symbols: Words, lengths: Ints, shape: int | tuple[int, ...]) -> Words:
        words = np.zeros(shape, dtype=symbols.dtype)
        ranks = np.zeros(words.size, dtype=np.int64)
        read_codes(bits, np.bincount(lengths, minlength=1 << LENGTH_BITS), ranks)
        return symbols[ranks].reshape(shape)


def code_lengths(counts: Ints) -> Ints:
    """Bits of each symbol's code; a single symbol still takes one."""
    lengths = np.zeros(len(counts), dtype=np.int64)
    if len(counts) == 1:
        lengths[0] = 1
    heap = [(int(count), index, [index]) for index, count in enumerate(counts)]
    heapq.heapify(heap)
    while len(heap) > 1:
        light, _, some = heapq.heappop(heap)
        heavy, tie, others = heapq.heappop(heap)
        lengths[some + others] += 1
        heapq.heappush(heap, (light + heavy, tie, some + others))
    return lengths


def canonical_codes(lengths: Ints) -> Ints:
    """Codes of ascending lengths: each is the one before plus one, shifted to its length."""
    codes = np.zeros(len(lengths), dtype=np.int64)
    for index in range(1, len(lengths)):
        codes[index] = (codes[index - 1] + 1) << (lengths[index] - lengths[index - 1])
    return codes
