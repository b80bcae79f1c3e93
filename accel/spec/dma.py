"""The off-chip DMA: the DRAM device, its channels, the chip's pins and the codecs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from accel.spec.base import Count, Megahertz, Part
from accel.tables import require_dram

CodecName = Literal["none", "rlc"]
"""How an operand is stored off chip: word by word, or zero runs and values (Eyeriss)."""


class Codecs(Part):
    """The off-chip format of each operand."""

    input: CodecName = "none"
    weight: CodecName = "none"
    output: CodecName = "none"


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
