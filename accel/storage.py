"""The formats in which a spec stores its operands, and what they make of a tensor."""

from __future__ import annotations

from accel.codecs import Bitmask, Codebook, Csc, Dense, Format, Huffman, NofM, RunLength
from accel.spec import CodecName, Dma


def format_of(codec: CodecName, value_bits: int, dma: Dma) -> Format:
    """The format a codec's name and the parameters beside it stand for, for words of `value_bits`."""
    given = dma.formats
    table = Codebook((0,), given.codebook_bits, value_bits) if given.codebook_bits else None
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
