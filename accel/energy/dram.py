"""A DRAM channel: its times as integer picoseconds, its energy per bit and per row."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError, model_validator

from accel.energy.base import Sourced
from accel.spec.base import Count, NotNegative, Part, Positive
from accel.spec.errors import first_problem
from accel.tables import content_digest, read_dram
from workloads.errors import InputError


class Timing(Sourced):
    """The device's timing parameters under their JEDEC names."""

    tCL_ns: Positive
    tRCD_ns: Positive
    tRP_ns: Positive
    tRAS_ns: Positive
    tWTR_ns: NotNegative
    tREFI_ns: Positive
    tRFC_ns: NotNegative

    @model_validator(mode="after")
    def _refresh_leaves_time(self) -> Timing:
        if self.tRFC_ns >= self.tREFI_ns:
            raise ValueError(f"tRFC_ns = {self.tRFC_ns:g}: needs to be below tREFI_ns = {self.tREFI_ns:g}")
        return self


class DramEnergy(Sourced):
    """Energies of one channel."""

    act_pre_pj: NotNegative
    """Opening and closing a row."""
    read_core_pj_per_bit: NotNegative
    write_core_pj_per_bit: NotNegative
    read_io_pj_per_bit: NotNegative
    """Drivers and termination of the data pins, both ends."""
    write_io_pj_per_bit: NotNegative
    background_mw: NotNegative
    refresh_mw: NotNegative


class DramDevice(Part):
    """One channel of a device of accel/tables/dram, or of a user's file of the same form."""

    data_rate_mtps: Positive
    """Million transfers a second on each pin."""
    bus_bits: Count
    burst_length: Count
    page_bytes: Count
    banks: Count
    timing: Timing
    energy: DramEnergy

    @classmethod
    def load(cls, name: str) -> DramDevice:
        """The device called `name` ("DDR3-1600"), or of a .toml file. Raises InputError, one line."""
        return _load(name, content_digest(name))

    @property
    def sources(self) -> dict[str, str]:
        """What to cite, by part of the table."""
        return {"timing": self.timing.source, "energy": self.energy.source}

    @property
    def peak_bits_per_s(self) -> float:
        """Of one channel, every transfer used."""
        return self.data_rate_mtps * 1e6 * self.bus_bits

    @property
    def burst_bits(self) -> int:
        """Bits of one access, the least that crosses the bus."""
        return self.bus_bits * self.burst_length

    @property
    def page_bits(self) -> int:
        """Bits of an open row."""
        return self.page_bytes * 8

    @property
    def burst_ps(self) -> int:
        """Time one burst keeps the bus."""
        return round(self.burst_length * 1e6 / self.data_rate_mtps)

    @property
    def row_miss_ps(self) -> int:
        """Closing a row and opening another: tRP + tRCD."""
        return _ps(self.timing.tRP_ns + self.timing.tRCD_ns)

    @property
    def latency_ps(self) -> int:
        """First bit of a read in an idle bank: tRCD + tCL."""
        return _ps(self.timing.tRCD_ns + self.timing.tCL_ns)

    @property
    def turnaround_ps(self) -> int:
        """Idle bus at a change of direction, the mean of both: read to write 2 clocks, write to read tWTR + tCL."""
        clock_ns = 2e3 / self.data_rate_mtps
        return _ps((2 * clock_ns + self.timing.tWTR_ns + self.timing.tCL_ns) / 2)

    @property
    def refresh_fraction(self) -> float:
        """Share of time in which all banks refresh: tRFC / tREFI."""
        return self.timing.tRFC_ns / self.timing.tREFI_ns

    @property
    def background_mw(self) -> float:
        """Standby power of one channel while it is in use."""
        return self.energy.background_mw

    @property
    def refresh_mw(self) -> float:
        """Mean power of refresh of one channel."""
        return self.energy.refresh_mw

    def access_energy_pj(self, bits_read: int, bits_written: int, row_activations: int) -> float:
        """Core, pins and rows; background and refresh are powers, see `background_mw` and `refresh_mw`."""
        energy = self.energy
        return (
            bits_read * (energy.read_core_pj_per_bit + energy.read_io_pj_per_bit)
            + bits_written * (energy.write_core_pj_per_bit + energy.write_io_pj_per_bit)
            + row_activations * energy.act_pre_pj
        )


def _ps(ns: float) -> int:
    return round(ns * 1000)


@lru_cache(maxsize=32)
def _load(name: str, content: str) -> DramDevice:
    try:
        return DramDevice.model_validate(read_dram(name))
    except ValidationError as error:
        raise InputError(first_problem(error, DramDevice), source=f"DRAM device {name}") from None
