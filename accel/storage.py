"""The formats in which a spec stores its operands, and what they make of a tensor."""

from __future__ import annotations

from dataclasses import dataclass

from accel.codecs import Bitmask, Codebook, Csc, Dense, Format, Huffman, NofM, RunLength, StoredBits
from accel.codecs.format import Words
from accel.spec import Accelerator, CodecName, Dma


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
