"""The off-chip DMA: the DRAM device, its channels, the chip's pins and the codecs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from accel.spec.base import Count, Megahertz, Part
from accel.tables import require_dram

CodecName = Literal["none", "rlc", "bitmask", "csc", "n_of_m", "codebook", "huffman"]
"""How an operand is stored off chip: word by word; zero runs and values (Eyeriss); a mask and the nonzeros (SparTen);
compressed sparse columns (EIE); N nonzeros in M words (2:4); indices into a table of values; Huffman codes."""


class Codecs(Part):
    """The off-chip format of each operand."""

    input: CodecName = "none"
    weight: CodecName = "none"
    output: CodecName = "none"


class Formats(Part):
    """Parameters of the formats named in `codec`; run-length coding has its `rlc_run_bits`."""

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


class Dma(Part):
    """Moves tiles between DRAM and the buffers."""

    dram: str
    """Name of a device in accel/tables/dram, or the path of a .toml file like those."""
    channels: Count = 1
    link_bits: Count | None = None
    """Width of the chip's own pins when these are slower than the DRAM; needs `link_mhz`."""
    link_mhz: Megahertz | None = None
    codec: Codecs = Codecs()
    codec_words_per_cycle: Count = 1
    rlc_run_bits: Annotated[int, Field(ge=1, le=16)] = 5
    formats: Formats = Formats()

    @field_validator("dram")
    @classmethod
    def _known_device(cls, name: str) -> str:
        require_dram(name)
        return name

    @model_validator(mode="after")
    def _whole_link(self) -> Dma:
        if (self.link_bits is None) != (self.link_mhz is None):
            given, missing = ("link_bits", "link_mhz") if self.link_mhz is None else ("link_mhz", "link_bits")
            raise ValueError(f"{given} = {getattr(self, given)}: needs {missing} too, or neither of them")
        if self.link_bits and self.link_mhz and self.link_bits * self.link_mhz < 1:
            least = 1 / self.link_bits
            raise ValueError(f"link_mhz = {self.link_mhz:g}: needs at least {least:g} for {self.link_bits} bits")
        return self

    @model_validator(mode="after")
    def _codebook_has_indices(self) -> Dma:
        for operand in ("input", "output"):
            if getattr(self.codec, operand) == "codebook":
                raise ValueError(f'codec.{operand} = "codebook": maps are computed, only weights come from a table')
        if self.codec.weight == "codebook" and not self.formats.codebook_bits:
            raise ValueError('formats.codebook_bits = 0: codec "codebook" needs 1 up')
        return self
