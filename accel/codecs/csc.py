"""Compressed sparse columns with relative indices, dealt out to processing elements (EIE, Han et al., ISCA 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.codecs.codebook import Codebook
from accel.codecs.format import Decoding, StoredBits, Words
from accel.kernels.csc import count_entries, gather_entries, scatter_entries
from workloads.errors import InputError

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Csc:
    """Entries (value, zero run) of each slice's part of each column: row r belongs to slice r mod `slices`.

    A run is counted within a slice's part of a column; one longer than `2**run_bits - 1` is bridged by zero entries,
    and zeros after the last nonzero are left out. Each slice has a pointer of `pointer_bits` to each column's first
    entry and one past the last, modulo `2**pointer_bits`. With a `codebook`, values are stored as its indices.
    A tensor is a matrix of shape (first extent, all others): a weight tensor's columns belong to input words.
    """

    value_bits: int
    run_bits: int = 4
    slices: int = 1
    pointer_bits: int = 16
    codebook: Codebook | None = None

    def __post_init__(self) -> None:
        if self.codebook is not None and 0 not in self.codebook.table:
            raise InputError("codebook has no entry 0, which bridging entries need: add it", source="format csc")

    @property
    def name(self) -> str:
        return "csc"

    @property
    def longest_run(self) -> int:
        return (1 << self.run_bits) - 1

    @property
    def entry_bits(self) -> int:
        """Bits of a value, or of its codebook index, and its run."""
        return self.run_bits + (self.value_bits if self.codebook is None else self.codebook.index_bits)

    def entries(self, words: Words) -> tuple[Ints, Ints]:
        """(entries, bridging ones among them), each (slices, columns)."""
        matrix = _matrix(words)
        counts = np.zeros((2, self.slices, matrix.shape[1]), dtype=np.int64)
        count_entries(matrix, *self._dealt(matrix), self.longest_run, counts[0], counts[1])
        most = int(counts[0].max(initial=0))
        if most >> self.pointer_bits:
            raise InputError(
                f"pointer_bits = {self.pointer_bits}: needs {most.bit_length()} for a column of {most} entries",
                source="format csc",
            )
        return counts[0], counts[1]

    def stored(self, words: Words) -> StoredBits:
        entries, bridges = (int(counts.sum()) for counts in self.entries(words))
        rows, columns = _matrix(words).shape
        place_bits = (-(-rows // self.slices)).bit_length()
        table = self.codebook
        return StoredBits(
            values=(entries - bridges) * (self.entry_bits - self.run_bits),
            index=(entries - bridges) * self.run_bits,
            padding=bridges * self.entry_bits,
            pointers=self.slices * (columns + 1) * self.pointer_bits,
            codebook=0 if table is None else table.table_bits,
            decoding=Decoding(entries, place_bits) if table is None else table.looking_up(entries, entries, place_bits),
        )

    def encode(self, words: Words) -> tuple[Words, Ints, Ints]:
        """(values, runs, pointers): slice after slice, column after column; pointers are (slices, columns + 1).

        Raises InputError when a slice of a column has more entries than a pointer can count.
        """
        entries, _ = self.entries(words)
        matrix = _matrix(words)
        bounds = np.concatenate([np.zeros((self.slices, 1), dtype=np.int64), np.cumsum(entries, axis=1)], axis=1)
        starts = bounds + np.r_[0, np.cumsum(bounds[:, -1])[:-1]][:, None]
        values = np.zeros(int(entries.sum()), dtype=matrix.dtype)
        runs = np.zeros(len(values), dtype=np.int64)
        gather_entries(matrix, *self._dealt(matrix), self.longest_run, starts, values, runs)
        coded = values if self.codebook is None else self.codebook.encode(values)[0]
        return coded, runs, bounds & ((1 << self.pointer_bits) - 1)

    def decode(self, values: Words, runs: Ints, pointers: Ints, shape: int | tuple[int, ...]) -> Words:
        plain = values if self.codebook is None else self.codebook.decode(values, values.shape)
        entries = np.diff(pointers, axis=1) & ((1 << self.pointer_bits) - 1)
        columns = entries.shape[1]
        rows = prod((shape,) if isinstance(shape, int) else shape) // columns if columns else 0
        matrix = np.zeros((rows, columns), dtype=plain.dtype)
        scatter_entries(plain, runs, np.ascontiguousarray(entries), *self._dealt(matrix), matrix)
        return matrix.reshape(shape)

    def _dealt(self, matrix: Words) -> tuple[Ints, Ints]:
        """(row numbers slice by slice, where each slice begins and the last ends)."""
        owner = np.arange(matrix.shape[0]) % self.slices
        return np.argsort(owner, kind="stable"), np.r_[0, np.cumsum(np.bincount(owner, minlength=self.slices))]


def _matrix(words: Words) -> Words:
    """Rows of the first extent; a vector is a single row."""
    return np.ascontiguousarray(words.reshape(words.shape[0] if words.ndim > 1 else 1, -1))
