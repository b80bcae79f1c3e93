"""What limits a network as a whole."""

from __future__ import annotations

from accel.report import Report


def overall_bottleneck(report: Report) -> str:
    """The bottleneck of the layers that together take most of the latency; empty for a report without layers."""
    cycles: dict[str, int] = {}
    for row in report.layers:
        cycles[row.bottleneck] = cycles.get(row.bottleneck, 0) + row.latency_cycles
    return max(cycles, key=lambda name: cycles[name]) if cycles else ""
