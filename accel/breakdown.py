"""A row's cycles and energy, divided into the classes that tables and pictures show."""

from __future__ import annotations

from collections.abc import Iterable

from accel.report import LayerReport

ENERGY_PARTS = {
    "PE array": "energy_pe_array_pj",
    "data buffer": "energy_data_buffer_pj",
    "weight buffer": "energy_weight_buffer_pj",
    "controller": "energy_controller_pj",
    "DMA and DRAM": "energy_dma_pj",
    "leakage": "energy_leakage_pj",
}
"""Classes of energy, and the columns of the report that hold them."""

BUSY = ("MACs", "buffer ports", "array fill", "vector unit")
"""Classes of busy cycles; the first three are those of the PE array."""

STALLS = {
    "wait: data": "stall_data_cycles",
    "wait: weights": "stall_weight_cycles",
    "wait: output": "stall_output_cycles",
    "wait: controller": "stall_controller_cycles",
}
"""Classes of waiting, and the columns of the report that hold them."""


def energy_pj(row: LayerReport) -> dict[str, float]:
    """Picojoules by part; they add up to the row's energy."""
    return {name: getattr(row, column) for name, column in ENERGY_PARTS.items()}


def cycles(row: LayerReport) -> dict[str, int]:
    """Cycles by class, busy ones first; they add up to the row's latency.

    "array fill" are passes' cycles that are neither MACs nor waits for buffer ports: fill, drain, register loads.
    """
    rest = row.compute_cycles - row.mac_cycles - row.port_bound_cycles
    filled, vector = (rest, 0) if row.macs else (0, rest)
    busy = dict(zip(BUSY, (row.mac_cycles, row.port_bound_cycles, filled, vector), strict=True))
    return busy | {name: getattr(row, column) for name, column in STALLS.items()}


def overall_bottleneck(rows: Iterable[LayerReport]) -> str:
    """The bottleneck of the layers that together take most of the latency; empty without layers."""
    taken: dict[str, int] = {}
    for row in rows:
        taken[row.bottleneck] = taken.get(row.bottleneck, 0) + row.latency_cycles
    return max(taken, key=lambda name: taken[name]) if taken else ""
