"""What no mapping can beat: lower bounds of traffic, latency and energy of a layer on an accelerator."""

from __future__ import annotations

from dataclasses import dataclass

from accel.cost import Work, energy
from accel.encode import widths
from accel.lower import NOWHERE, Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from mappings.ranges import touched_words
from workloads import Layer, Operand


@dataclass(frozen=True, slots=True)
class Bounds:
    """Each part's own least time, the traffic that cannot be avoided, and the least energy."""

    dram_bits: int
    mac_cycles: int
    port_cycles: int
    dram_cycles: int
    energy_pj: float

    @property
    def latency_cycles(self) -> int:
        """The slowest part's least time."""
        return max(self.mac_cycles, self.port_cycles, self.dram_cycles)

    def objective(self, name: str) -> float:
        """The least value of an objective; of "edp", the product of both bounds."""
        values = {
            "latency": float(self.latency_cycles),
            "energy": self.energy_pj,
            "edp": self.latency_cycles * self.energy_pj,
            "dram": float(self.dram_bits),
        }
        return values[name]


def bounds(layer: Layer, spec: Accelerator, residency: Residency = NOWHERE) -> Bounds:
    """Each operand crosses the DRAM pins once unless it stays on chip, and its array port once; each MAC is done once.

    For dense operands: a codec or zeros can beat the traffic and energy bounds.
    """
    width = widths(layer.bits, spec)
    words = [touched_words(layer, operand) for operand in Operand]
    reads = (0 if residency.input else words[0] * width.input) + words[1] * width.weight
    writes = 0 if residency.output else words[2] * width.output
    timing = TransferTiming.of(spec)
    ports = spec.pe_array.ports
    crossing = (
        (words[0] * width.input, ports.input),
        (words[1] * width.weight, ports.weight),
        (words[2] * width.output, ports.output),
    )
    dram_cycles = int((reads + writes) / timing.peak_bits_per_cycle)
    array = spec.pe_array
    lanes = array.rows * array.columns * array.lanes_at(width.input, width.weight)
    mac_cycles = -(-layer.macs * array.mac_cycles_at(width.input, width.weight) // lanes)
    port_cycles = max(-(-bits // port) for bits, port in crossing)
    work = Work(
        macs=layer.macs,
        bus_bits=crossing[0][0] + crossing[2][0],
        weight_bus_bits=crossing[1][0],
        data_buffer_read_bits=crossing[0][0] + writes,
        data_buffer_write_bits=crossing[2][0] + (0 if residency.input else crossing[0][0]),
        weight_buffer_read_bits=crossing[1][0],
        weight_buffer_write_bits=crossing[1][0],
        dram_read_bits=reads,
        dram_write_bits=writes,
        cycles=max(mac_cycles, port_cycles, dram_cycles),
    )
    least = energy(work, spec, (width.input, width.weight, width.psum)).total_pj
    return Bounds(reads + writes, mac_cycles, port_cycles, dram_cycles, least)
