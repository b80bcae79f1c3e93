"""What a simulation tells: one row per layer with stable columns, totals, and the means to save them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from html import escape
from typing import Any

import pandas as pd

from workloads import InputError


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer. Scripts depend on the names and the order of the columns: new ones are added at the end.

    compute plus the four stalls is the latency, exactly. `compute_cycles` are all cycles in passes, fill, drain and
    waiting for buffer ports included; `port_bound_cycles` is the part of them beyond the MACs that ports and buses
    cost. Bits are those that moved, as coded. The `array_*_bits` cross between the buffers and the PE array.
    """

    layer: str
    op: str
    macs: int
    effectual_macs: int
    latency_cycles: int
    compute_cycles: int
    stall_data_cycles: int
    stall_weight_cycles: int
    stall_output_cycles: int
    stall_controller_cycles: int
    utilization: float
    dram_read_input_bits: int
    dram_read_weight_bits: int
    dram_read_psum_bits: int
    dram_write_output_bits: int
    dram_write_psum_bits: int
    data_buffer_read_bits: int
    data_buffer_write_bits: int
    weight_buffer_read_bits: int
    weight_buffer_write_bits: int
    energy_pe_array_pj: float
    energy_data_buffer_pj: float
    energy_weight_buffer_pj: float
    energy_controller_pj: float
    energy_dma_pj: float
    energy_leakage_pj: float
    energy_pj: float
    bottleneck: str
    latency_ms: float
    port_bound_cycles: int
    mac_cycles: int
    gated_macs: int
    passes: int
    tile_steps: int
    array_read_input_bits: int
    array_read_weight_bits: int
    array_read_psum_bits: int
    array_write_psum_bits: int
    array_write_output_bits: int
    dma_busy_cycles: int
    controller_busy_cycles: int
    energy_dram_pj: float
    operands: str
    mapping: str
    skipped_macs: int = 0
    """MACs with a zero operand that took neither cycle nor energy."""
    pe_imbalance: float = 0.0
    """Cycles of the busiest PE over those of the average one, on an array that skips zeros; else 0."""
    dram_index_bits: int = 0
    """Of the bits that crossed the DRAM pins, those that are not values: indices, padding, pointers, codebooks."""
    energy_mac_pj: float = 0.0
    """Of the PE array's energy, with the three below: multipliers, registers, operand networks, clock."""
    energy_register_pj: float = 0.0
    energy_wire_pj: float = 0.0
    energy_clock_pj: float = 0.0
    multiplier_free_ops: int = 0
    """MACs done by gates and adders: XNOR and popcount, ternary additions, a bit of an operand at a time."""
    stored_input_bits: int = 0
    """What the whole tensor takes in the DRAM, in its format there, indices and all; likewise of the others."""
    stored_weight_bits: int = 0
    stored_output_bits: int = 0
    stored_index_bits: int = 0
    """Of the stored bits of all three, those that are not values."""
    codec_cycles: int = 0
    """Cycles in which the DMA's codec works, beside the bus; it holds a transfer up when it takes longer."""
    index_match_cycles: int = 0
    """Of `mac_cycles`, those that a front end would save which finds the operands to multiply in no time."""
    fused_with: str = ""
    """The operation that runs with this one band by band, so that the map between them never leaves the chip."""
    energy_decode_pj: float = 0.0
    """The rest of the PE array's energy: decoding operands that the buffers hold coded, and coding outputs for them."""

    @property
    def dram_bits(self) -> int:
        """Everything that crossed the DRAM pins."""
        reads = self.dram_read_input_bits + self.dram_read_weight_bits + self.dram_read_psum_bits
        return reads + self.dram_write_output_bits + self.dram_write_psum_bits

    @property
    def stall_cycles(self) -> int:
        return (
            self.stall_data_cycles + self.stall_weight_cycles + self.stall_output_cycles + self.stall_controller_cycles
        )


COLUMNS = tuple(item.name for item in fields(LayerReport))
_SUMMED = tuple(
    item.name
    for item in fields(LayerReport)
    if item.name.endswith(("_cycles", "_bits", "_pj", "_ops", "macs", "passes", "tile_steps", "latency_ms"))
)


@dataclass(frozen=True, slots=True)
class Report:
    """The layers of a network on an accelerator, with what is needed to run it again.

    `latency_cycles` may lie below the sum over the layers by `prefetched_cycles`, first weights loaded during the layer
    before. `context` holds spec, versions, seed and mappings as plain values for the JSON file. `unmapped` says by name
    why layers were left out: they have no row, and no part in any total.
    """

    network: str
    accelerator: str
    layers: tuple[LayerReport, ...]
    clock_mhz: float
    peak_macs_per_cycle: float
    dram_bits_per_cycle: float
    prefetched_cycles: int = 0
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unmapped: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What was simulated on what: never all of a network where layers were left out."""
        lack = len(self.unmapped)
        less = f" without {lack} layer{'s' if lack > 1 else ''}" if lack else ""
        return f"{self.network}{less} on {self.accelerator}"

    @property
    def latency_cycles(self) -> int:
        return sum(layer.latency_cycles for layer in self.layers) - self.prefetched_cycles

    @property
    def latency_ms(self) -> float:
        return self.latency_cycles / self.clock_mhz / 1e3

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def energy_pj(self) -> float:
        return sum(layer.energy_pj for layer in self.layers)

    @property
    def dram_bits(self) -> int:
        return sum(layer.dram_bits for layer in self.layers)

    @property
    def utilization(self) -> float:
        """Share of the multipliers' cycles spent on MACs, of those a layer's widths allow."""
        busy = sum(layer.utilization * layer.latency_cycles for layer in self.layers)
        return busy / self.latency_cycles if self.latency_cycles else 0.0

    def to_frame(self) -> pd.DataFrame:
        """One row per layer, columns as in LayerReport."""
        return pd.DataFrame([asdict(layer) for layer in self.layers], columns=list(COLUMNS))

    def totals(self) -> dict[str, float]:
        """Sums over the layers of every additive column; latency and utilization are the network's."""
        sums: dict[str, float] = {name: sum(getattr(layer, name) for layer in self.layers) for name in _SUMMED}
        sums |= {"latency_cycles": self.latency_cycles, "latency_ms": self.latency_ms, "utilization": self.utilization}
        sums |= {"prefetched_cycles": self.prefetched_cycles, "dram_bits": self.dram_bits}
        return sums

    def to_csv(self) -> str:
        """The frame as CSV text, one line per layer."""
        text: str = self.to_frame().to_csv(index=False, lineterminator="\n")
        return text

    def to_json(self) -> str:
        """Layers, totals, layers left out, spec, mappings and versions; the same run gives the same bytes."""
        content = {
            "network": self.network,
            "accelerator": self.accelerator,
            "clock_mhz": self.clock_mhz,
            "totals": self.totals(),
            "layers": [asdict(layer) for layer in self.layers],
            "unmapped": dict(self.unmapped),
            **self.context,
        }
        return json.dumps(content, indent=1, allow_nan=False) + "\n"

    def layer(self, name: str) -> LayerReport:
        """The row of a layer. Raises InputError for a name that is not there."""
        for row in self.layers:
            if row.layer == name:
                return row
        raise InputError(f'no layer "{name}": one of {", ".join(row.layer for row in self.layers)}')

    def _repr_html_(self) -> str:
        html: str = self.to_frame().to_html(index=False)
        return f"<p><b>{escape(self.title)}</b>: {self.latency_ms:.3f} ms</p>{html}"
