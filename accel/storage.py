"""The formats in which a spec stores its operands, and what they make of a tensor."""

from __future__ import annotations

from accel.codecs import Bitmask, Codebook, Csc, Dense, Format, Huffman, NofM, RunLength
from accel.codecs.format import Words
from accel.spec import CodecName, Dma


def weight_codebook_bits(dma: Dma) -> int:
    """Bits of an index into a table of weights; 0 where weights are stored as values."""
    return dma.formats.codebook_bits if dma.codec.weight in ("csc", "codebook") else 0


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
