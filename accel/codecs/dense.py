"""Word after word: no format at all, but sized and coded like the others."""

from __future__ import annotations

from dataclasses import dataclass

from accel.codecs.format import StoredBits, Words


@dataclass(frozen=True, slots=True)
class Dense:
    """Every word in `value_bits`."""

    value_bits: int

    @property
    def name(self) -> str:
        return "dense"

    def stored(self, words: Words) -> StoredBits:
        return StoredBits(words.size * self.value_bits)

    def encode(self, words: Words) -> tuple[Words]:
        return (words.reshape(-1).copy(),)

    def decode(self, values: Words, shape: int | tuple[int, ...]) -> Words:
        return values.reshape(shape)
