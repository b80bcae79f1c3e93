"""A report as the table a terminal shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from accel.breakdown import ENERGY_PARTS, cycles, energy_pj, overall_bottleneck
from accel.report import LayerReport, Report
from accel.units import COUNT, DATA, ENERGY, POWER, TIME, best, human, number, percent

PARTS = dict(zip(("PEs", "data", "wgt", "ctrl", "DMA", "leak"), ENERGY_PARTS.values(), strict=True))
"""Short headings of the energy by part, and the report's columns."""

_NARROW = 96
"""Below this many columns the two smallest parts of the energy are left out."""
_LEFT_OUT = ("ctrl", "leak")


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Renders a report to the width there is: one row a layer, totals, and where cycles and energy went.

    Of a network without MACs it says nothing about any, nor about operands and mappings.
    """

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _table(self.report, options.max_width)
        if self.report.unmapped:
            yield Text(_lack(self.report.unmapped))
        yield Text(_headline(self.report))
        lines = Table.grid(padding=(0, 1))
        for label, text in _summary(self.report):
            lines.add_row(f"{label}:", Text(text))
        yield lines


def report_table(report: Report) -> ReportTable:
    """The report as something rich can print. It needs about 100 columns, and does with 80."""
    return ReportTable(report)


def _lack(unmapped: Collection[str]) -> str:
    what = "layer that has" if len(unmapped) == 1 else "layers that have"
    return f"total without {len(unmapped)} {what} no mapping: {', '.join(unmapped)}"


def _headline(report: Report) -> str:
    power_mw = report.energy_pj / report.latency_ms * 1e-6 if report.latency_ms else 0.0
    line = (
        f"{human(report.latency_ms, TIME)}, {human(report.energy_pj, ENERGY)} ({human(power_mw, POWER)}), "
        f"{human(report.dram_bits, DATA)} over the DRAM pins"
    )
    if not report.macs:
        return line
    share = f"{percent(report.utilization)} % of {report.peak_macs_per_cycle:.10g} a cycle"
    return f"{line}, {human(report.macs, COUNT)} MACs at {share}"


def _summary(report: Report) -> Iterator[tuple[str, str]]:
    """Where the cycles and the energy went, and what the operands and the mapping were."""
    yield "cycles", _shares(cycles(row) for row in report.layers)
    yield "energy", _shares(energy_pj(row) for row in report.layers)
    if report.prefetched_cycles:
        saved = human(report.prefetched_cycles / report.clock_mhz / 1e3, TIME)
        yield "prefetch", f"{saved} less than the sum of the layers, whose first weights arrive during the layer before"
    pairs = [f"{row.layer} + {after.layer}" for row, after in pairwise(report.layers) if row.fused_with == after.layer]
    where_there_are_any = {
        "MACs": _macs(report),
        "stored": _stored(report),
        "operands": _tally(row.operands for row in report.layers),
        "mapping": _tally(row.mapping for row in report.layers),
        "fused": ", ".join(pairs),
    }
    yield from ((label, text) for label, text in where_there_are_any.items() if text)


def _macs(report: Report) -> str:
    """What zeros saved, how unevenly the rest fell on the PEs, and what took no multiplier; empty for plain MACs."""
    macs = max(report.macs, 1)
    skipped, gated, free = (
        sum(getattr(row, field) for row in report.layers)
        for field in ("skipped_macs", "gated_macs", "multiplier_free_ops")
    )
    told = []
    if skipped or gated:
        effectual = sum(row.effectual_macs for row in report.layers)
        shares = {"effectual": effectual, "skipped": skipped, "gated": gated}
        told.append(", ".join(f"{name} {percent(count / macs)} %" for name, count in shares.items() if count))
    uneven = [row for row in report.layers if row.pe_imbalance]
    if uneven:
        cycles_on_macs = sum(row.mac_cycles for row in uneven)
        average = sum(row.pe_imbalance * row.mac_cycles for row in uneven) / max(cycles_on_macs, 1)
        told.append(f"busiest PE {average:.2f} x the average one")
    if free:
        told.append(f"{percent(free / macs)} % without a multiplier")
    return "; ".join(told)


def _stored(report: Report) -> str:
    """What the operands take in the DRAM when any of them is coded there with indices; else empty."""
    index = sum(row.stored_index_bits for row in report.layers)
    if not index:
        return ""
    stored = {
        name: sum(getattr(row, f"stored_{field}_bits") for row in report.layers)
        for name, field in (("inputs", "input"), ("weights", "weight"), ("outputs", "output"))
    }
    parts = ", ".join(f"{name} {human(bits, DATA)}" for name, bits in stored.items())
    return f"{parts}; {percent(index / sum(stored.values()))} % of it index overhead"


def _table(report: Report, width: int) -> Table:
    narrow = width < _NARROW
    parts = [name for name in PARTS if not (narrow and name in _LEFT_OUT)]
    latency = best(max((row.latency_ms for row in report.layers), default=0.0), TIME)
    energy = best(max((row.energy_pj for row in report.layers), default=0.0), ENERGY)
    data = best(max((row.dram_bits for row in report.layers), default=0), DATA)
    table = Table(
        title=report.title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_footer=True,
        collapse_padding=True,
    )
    table.add_column("layer", "total", overflow="ellipsis", no_wrap=True, max_width=14 if narrow else 19)
    total = _total(report)

    def add(heading: str, text: Callable[[LayerReport | _Total], str], style: str = "") -> Callable[..., str]:
        table.add_column(heading, text(total), justify="right", no_wrap=True, style=style)
        return text

    columns = [
        add(f"latency\n{latency.name}", lambda row: number(latency.of(row.latency_ms))),
        *([add("util\n%", lambda row: percent(row.utilization) if row.macs else "-")] if report.macs else []),
        add(f"energy\n{energy.name}", lambda row: number(energy.of(row.energy_pj))),
        *(add(f"{name}\n%", _share_of(PARTS[name]), style="dim") for name in parts),
        add(f"DRAM\n{data.name}", lambda row: number(data.of(row.dram_bits))),
    ]
    table.add_column("bottleneck", total.bottleneck, no_wrap=True, overflow="ellipsis")
    for row in report.layers:
        table.add_row(Text(row.layer), *(text(row) for text in columns), row.bottleneck)
    return table


@dataclass(frozen=True, slots=True)
class _Total:
    """What the footer shows: the columns of a layer's row, of the whole network."""

    macs: int
    latency_ms: float
    utilization: float
    energy_pj: float
    dram_bits: int
    bottleneck: str
    energy_pe_array_pj: float
    energy_data_buffer_pj: float
    energy_weight_buffer_pj: float
    energy_controller_pj: float
    energy_dma_pj: float
    energy_leakage_pj: float


def _total(report: Report) -> _Total:
    return _Total(
        report.macs,
        report.latency_ms,
        report.utilization,
        report.energy_pj,
        report.dram_bits,
        overall_bottleneck(report.layers),
        *(_sum(report, field) for field in PARTS.values()),
    )


def _share_of(field: str) -> Callable[[LayerReport | _Total], str]:
    return lambda row: percent(getattr(row, field) / row.energy_pj) if row.energy_pj else "-"


def _sum(report: Report, field: str) -> float:
    total: float = sum(getattr(row, field) for row in report.layers)
    return total


def _shares(rows: Iterable[Mapping[str, float]]) -> str:
    """The classes of all rows together, in percent."""
    known: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            known[name] = known.get(name, 0) + value
    whole = sum(known.values())
    if not whole:
        return "none"
    return ", ".join(f"{name} {percent(value / whole)} %" for name, value in known.items() if value > 0)


def _tally(names: Iterable[str]) -> str:
    """Each name once, with the number of layers when there are several names."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    shown = {name: count for name, count in counts.items() if name}
    if len(shown) == 1:
        return next(iter(shown))
    return "; ".join(f"{name} ({count} layers)" if count > 1 else f"{name} (1 layer)" for name, count in shown.items())
