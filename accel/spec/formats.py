"""The formats operands are stored in, and their parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from accel.spec.base import Count, Part, WholeNumber

CodecName = Literal["none", "rlc", "bitmask", "csc", "n_of_m", "codebook", "huffman"]
"""How an operand is stored: word by word; zero runs and values (Eyeriss); a mask and the nonzeros (SparTen); compressed
sparse columns (EIE); N nonzeros in M words (2:4); indices into a table of values; Huffman codes."""


class Codecs(Part):
    """The off-chip format of each operand."""

    input: CodecName = "none"
    weight: CodecName = "none"
    output: CodecName = "none"


class CodecRates(Part):
    """Words a cycle the codec takes from or gives to the buffers, by operand; 0: as many as `codec_words_per_cycle`."""

    input: WholeNumber = 0
    weight: WholeNumber = 0
    output: WholeNumber = 0


class Formats(Part):
    """Parameters of the formats, off chip and on; run-length coding has `dma.rlc_run_bits`."""

    chunk_bits: Count = 1
    """bitmask: the mask is padded to whole chunks of so many bits."""
    csc_run_bits: Annotated[int, Field(ge=1, le=16)] = 4
    csc_slices: Count = 1
    """csc: processing elements the rows of a column are dealt to; each has a pointer to its part of each column."""
    csc_pointer_bits: Annotated[int, Field(ge=1, le=32)] = 16
    n: Count = 2
    """n_of_m: nonzeros at most..."""
    m: Count = 4
    """n_of_m: ...among so many neighbours along the input channels."""
    codebook_bits: Annotated[int, Field(ge=0, le=16)] = 0
    """codebook, csc: bits of an index into a table of weights, which share so many values; 0: csc stores values."""

    @model_validator(mode="after")
    def _n_within_m(self) -> Formats:
        if self.n > self.m:
            raise ValueError(f"n = {self.n}: needs at most m = {self.m}")
        return self
