"""Reports made by hand, whose numbers a reader can check."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from accel.report import LayerReport, Report

_PARTS = ("pe_array", "data_buffer", "weight_buffer", "controller", "dma", "leakage")


def layer(name: str, *, parts_pj: tuple[float, ...] = (4e9, 2e9, 1e9, 1e8, 5e9, 2e8), **given: Any) -> LayerReport:
    """A consistent row: energy is the sum of its six parts, latency that of compute and stalls."""
    values: dict[str, Any] = {item.name: 0 for item in fields(LayerReport)}
    values |= {"layer": name, "op": "conv", "operands": "dense", "mapping": "row_stationary", "bottleneck": "MACs"}
    values |= {"macs": 1_000_000, "mac_cycles": 10_000, "port_bound_cycles": 3_000, "compute_cycles": 14_000}
    values |= {"stall_data_cycles": 2_000, "stall_weight_cycles": 1_000, "stall_output_cycles": 500}
    values |= {"stall_controller_cycles": 100, "dram_read_input_bits": 8_000_000, "dram_write_output_bits": 4_000_000}
    values |= {f"energy_{part}_pj": pj for part, pj in zip(_PARTS, parts_pj, strict=True)}
    values |= given
    stalls = sum(values[f"stall_{cause}_cycles"] for cause in ("data", "weight", "output", "controller"))
    values["latency_cycles"] = values["compute_cycles"] + stalls
    values["latency_ms"] = values["latency_cycles"] / 200e3
    values["energy_pj"] = sum(values[f"energy_{part}_pj"] for part in _PARTS)
    values["utilization"] = values["macs"] / (values["latency_cycles"] * 168)
    return LayerReport(**values)


def vector(name: str) -> LayerReport:
    """A row of the vector unit: no MACs."""
    none: dict[str, Any] = {"macs": 0, "mac_cycles": 0, "port_bound_cycles": 0, "stall_weight_cycles": 0}
    return layer(name, op="max_pool", compute_cycles=4_000, operands="", mapping="", bottleneck="vector unit", **none)


def report(*layers: LayerReport, prefetched_cycles: int = 0) -> Report:
    """168 MACs and 19.2 bits of DRAM a cycle at 200 MHz."""
    return Report("net", "chip", layers, 200.0, 168, 19.2, prefetched_cycles)


def small() -> Report:
    """Three layers of different character."""
    conv2 = layer("conv2", macs=200_000, dram_read_weight_bits=800_000_000, bottleneck="DRAM: weights")
    return report(layer("conv1"), vector("pool1"), conv2)


def large() -> Report:
    """Seventy layers with long names, many of them equal, as in a deep residual network."""
    rows = [
        layer(
            f"stage{n // 9}.block{n}.conv", macs=1_000_000 * (1 + n % 9), dram_read_input_bits=8_000_000 * (1 + n % 5)
        )
        for n in range(70)
    ]
    return report(*rows)
