"""What every storage format has in common: its size in bits, part by part, and the way there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a decoder does to turn a stored tensor into words; to code one takes as much.

    `additions` of `place_bits` find where values belong: a run, or the words counted so far, added to a place.
    `lookups` read one of `table_words` entries of `table_bits`.
    """

    additions: int = 0
    place_bits: int = 0
    lookups: int = 0
    table_words: int = 0
    table_bits: int = 0


@dataclass(frozen=True, slots=True)
class StoredBits:
    """Bits of one stored tensor by what they say, and what it takes to read them.

    `padding` says nothing: zero entries that only bridge long runs, empty slots, the unused end of a memory word.
    """

    values: int
    index: int = 0
    padding: int = 0
    pointers: int = 0
    codebook: int = 0
    decoding: Decoding = Decoding()

    @property
    def total(self) -> int:
        return self.values + self.index + self.padding + self.pointers + self.codebook

    @property
    def overhead(self) -> int:
        """Bits that are not values."""
        return self.total - self.values


class Format(Protocol):
    """A way to store a tensor: `decode(*encode(words), words.shape)` gives the words back."""

    @property
    def name(self) -> str:
        """As the spec calls it."""

    def stored(self, words: Words) -> StoredBits:
        """Bits of the tensor, by part, and what it takes to read them, without coding it."""

    def encode(self, words: Words) -> tuple[Words, ...]:
        """The streams that are stored, each an array of whole numbers."""

    def decode(self, *args: Any, **kwargs: Any) -> Words:
        """The words of the streams, given in order and followed by the tensor's shape (or its number of words)."""
