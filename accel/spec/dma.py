"""The off-chip DMA: the DRAM device, its channels, the chip's pins and the codecs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from accel.spec.base import Count, Megahertz, Part
from accel.spec.formats import CodecRates, Codecs, Formats
from accel.tables import require_dram


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
    """Words the codec decodes or codes in a cycle, zeros included; what stays coded on chip does not pass it."""
    codec_rates: CodecRates = CodecRates()
    rlc_run_bits: Annotated[int, Field(ge=1, le=16)] = 5
    formats: Formats = Formats()

    def codec_rate(self, operand: str) -> int:
        """Words of an "input", "weight" or "output" that pass the codec in a cycle."""
        rate: int = getattr(self.codec_rates, operand)
        return rate or self.codec_words_per_cycle

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
