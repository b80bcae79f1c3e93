"""The formats in which a spec stores its operands, and what they make of a tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from accel.codecs import Bitmask, Codebook, Csc, Decoding, Dense, Format, Huffman, NofM, RunLength, StoredBits
from accel.codecs.format import Words
from accel.spec import Accelerator, CodecName, Dma

Decoded = tuple[tuple[Decoding, float], ...]
"""What whole tensors take to code or decode, and how many times over that is done."""


@dataclass(frozen=True, slots=True)
class Storage:
    """One operand of a layer, the whole tensor: off chip and as its buffer holds it, None where that is word by word.

    A format that would not shrink the tensor is left out. `recoded`: the DMA's codec turns one into the other.
    """

    off_chip: StoredBits | None = None
    held: StoredBits | None = None
    recoded: bool = False

    @classmethod
    def of(
        cls, words: Words | None, off_chip: CodecName, held: CodecName, bits: int, dma: Dma, codebook_bits: int
    ) -> Storage:
        """Of words that are not known nothing is coded. Raises InputError as formats do."""

        def coded(name: CodecName) -> StoredBits | None:
            if name == "none" or words is None:
                return None
            parts = format_of(name, words, bits, dma, codebook_bits).stored(words)
            return parts if parts.total < words.size * bits else None

        stored = coded(off_chip)
        if held == off_chip:
            return cls(stored, stored)
        kept = coded(held)
        return cls(stored, kept, not (stored is kept is None))


class Storages(NamedTuple):
    """Of all three operands."""

    input: Storage = Storage()
    weight: Storage = Storage()
    output: Storage = Storage()

    @property
    def coded_bits(self) -> tuple[int | None, ...]:
        """Bits of the whole tensors as stored off chip; None where they are stored word by word."""
        return tuple(None if kept.off_chip is None else kept.off_chip.total for kept in self)

    @property
    def held_bits(self) -> tuple[int | None, ...]:
        """Bits of the whole tensors as the buffers hold them; None where that is word by word."""
        return tuple(None if kept.held is None else kept.held.total for kept in self)

    def recoded(self, *times: float) -> Decoded:
        """Work of the DMA's codec when input, weight and output pass it so many times over."""
        return tuple(
            (form.decoding, each)
            for kept, each in zip(self, times, strict=True)
            for form in (kept.off_chip, kept.held)
            if kept.recoded and form is not None
        )

    def decoded(self, input_bits: float, weight_bits: float, output_times: float) -> Decoded:
        """Work between the buffers and PEs that read so many coded bits, and write the outputs so many times over."""
        times = (
            input_bits / max(1, self.held_bits[0] or 0),
            weight_bits / max(1, self.held_bits[1] or 0),
            output_times,
        )
        return tuple(
            (kept.held.decoding, each) for kept, each in zip(self, times, strict=True) if kept.held is not None
        )


def weight_codebook_bits(spec: Accelerator) -> int:
    """Bits of an index into a table of weights; 0 where weights are stored as values."""
    stored = {spec.dma.codec.weight, spec.held_formats[1]}
    return spec.dma.formats.codebook_bits if stored & {"csc", "codebook"} else 0


def format_of(codec: CodecName, words: Words, value_bits: int, dma: Dma, codebook_bits: int = 0) -> Format:
    """The format a codec's name and the parameters beside it stand for, to store these words of `value_bits`.

    Raises InputError for more distinct values than a codebook of `codebook_bits` names; 0: there is none.
    """
    given = dma.formats
    table = Codebook.holding(words, codebook_bits, value_bits) if codebook_bits else None
    if codec == "codebook" and table is not None:
        return table
    if codec == "rlc":
        return RunLength(dma.rlc_run_bits, value_bits)
    if codec == "bitmask":
        return Bitmask(value_bits, given.chunk_bits)
    if codec == "csc":
        return Csc(value_bits, given.csc_run_bits, given.csc_slices, given.csc_pointer_bits, table)
    if codec == "n_of_m":
        return NofM(given.n, given.m, value_bits)
    if codec == "huffman":
        return Huffman(value_bits)
    return Dense(value_bits)


def needs_values(codec: CodecName) -> bool:
    """Whether even a tensor without zeros may shrink, or be refused, so that its words have to be looked at."""
    return codec in ("csc", "n_of_m", "codebook", "huffman")
