"""N of M: at most so many nonzeros in every group along the reduction (NVIDIA's 2:4, Ampere whitepaper 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.codecs.format import StoredBits, Words
from accel.kernels.n_of_m import find_violation, gather_slots, scatter_slots
from workloads.errors import InputError


@dataclass(frozen=True, slots=True)
class NofM:
    """`n` slots for every group of `m` words along `axis`, each a value and its place in the group.

    The last group of a line may be short. Slots without a nonzero are stored all the same (counted as padding).
    """

    n: int
    m: int
    value_bits: int
    axis: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.n <= self.m:
            raise InputError(f"n = {self.n}, m = {self.m}: needs 1 <= n <= m", source="format n_of_m")

    @property
    def name(self) -> str:
        return "n_of_m"

    @property
    def index_bits(self) -> int:
        return (self.m - 1).bit_length()

    def stored(self, words: Words) -> StoredBits:
        """Raises InputError naming the first group with more than `n` nonzeros."""
        lines = self._lines(words)
        self._require(lines, words.shape)
        used = int(np.count_nonzero(words))
        slots = lines.shape[0] * -(-lines.shape[1] // self.m) * self.n
        return StoredBits(
            used * self.value_bits, used * self.index_bits, (slots - used) * (self.value_bits + self.index_bits)
        )

    def encode(self, words: Words) -> tuple[Words, NDArray[np.int64]]:
        """(values, places), each (lines, groups, n). Raises InputError like `stored`."""
        lines = self._lines(words)
        self._require(lines, words.shape)
        shape = (lines.shape[0], -(-lines.shape[1] // self.m), self.n)
        values, places = np.zeros(shape, dtype=words.dtype), np.zeros(shape, dtype=np.int64)
        gather_slots(lines, self.m, values, places)
        return values, places

    def decode(self, values: Words, places: NDArray[np.int64], shape: int | tuple[int, ...]) -> Words:
        words = np.zeros(shape, dtype=values.dtype)
        lines = self._lines(words)
        scatter_slots(values, places, self.m, lines)
        moved = np.moveaxis(words, self._along(words), -1)
        moved[...] = lines.reshape(moved.shape)
        return words

    def _along(self, words: Words) -> int:
        return min(self.axis, words.ndim - 1)

    def _lines(self, words: Words) -> Words:
        moved = np.moveaxis(words, self._along(words), -1)
        return np.ascontiguousarray(moved).reshape(-1, moved.shape[-1])

    def _require(self, lines: Words, shape: tuple[int, ...]) -> None:
        line, group, nonzeros = find_violation(lines, self.m, self.n)
        if line < 0:
            return
        along = min(self.axis, len(shape) - 1)
        others = shape[:along] + shape[along + 1 :]
        place = [int(index) for index in np.unravel_index(line, others)] if others else []
        place.insert(along, group * self.m)
        at = ", ".join(map(str, place))
        raise InputError(
            f"{nonzeros} nonzeros in the {self.m} words from [{at}] along axis {along}: needs at most {self.n}",
            source="format n_of_m",
        )
