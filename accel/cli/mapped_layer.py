"""A layer that `accel map` mapped, as text: its loop nest, its costs, how far those are from the bound, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accel.cli.console import remark, show, write
from accel.cli.listing import plain_table
from accel.cli.wishes import Wishes
from accel.objective import objective_value
from accel.units import COUNT, DATA, ENERGY, human

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from accel.report import LayerReport
    from mappings import Mapping


_AS_GOOD = 0.00005
"""What is beyond the best by less is +0.00 % of it."""


def print_layer(mapped: MappedLayer, alike: int, wishes: Wishes) -> None:
    """A layer that `alike` layers stand for, with reasons if wished for."""
    from mappings.text import to_text

    layer, report, least = mapped.layer, mapped.report, mapped.bounds
    times = f", {alike} layers alike" if alike > 1 else ""
    write(f"\n{layer.name}{times}")
    write(to_text(mapped.mapping, layer))
    remark(
        f"{report.latency_cycles} cycles ({_times(report.latency_cycles, least.latency_cycles)} the bound), "
        f"{human(report.energy_pj, ENERGY)} ({_times(report.energy_pj, least.energy_pj)}), "
        f"{human(report.dram_bits, DATA)} over the DRAM pins ({_times(report.dram_bits, least.dram_bits)})"
    )
    if mapped.costed:
        rate = human(mapped.costed / max(mapped.seconds, 1e-9), COUNT)
        whole = ", the whole space (exhaustive)" if mapped.exhaustive else ""
        remark(f"{mapped.costed} mappings costed, {rate} a second{whole}")
    if mapped.offered:
        remark("offered: the search found none as good")
    if wishes.why:
        _print_reasons(mapped, wishes)


def _print_reasons(mapped: MappedLayer, wishes: Wishes) -> None:
    """Where the cycles go, which bound is nearest, and what the next best mapping would cost."""
    report, least = mapped.report, mapped.bounds
    parts = {
        "MACs": report.mac_cycles,
        "buffer ports": report.port_bound_cycles,
        "waits for data": report.stall_data_cycles,
        "waits for weights": report.stall_weight_cycles,
        "waits for output": report.stall_output_cycles,
        "waits for the controller": report.stall_controller_cycles,
    }
    shares = sorted(parts.items(), key=lambda part: -part[1])
    percent = {name: f"{100 * cycles / report.latency_cycles:.0f} %" for name, cycles in shares}
    told = ", ".join(f"{name} {share}" for name, share in percent.items() if share != "0 %")
    remark(f"binds: {report.bottleneck}; cycles: {told}")
    remark(
        f"bounds: {least.mac_cycles} cycles of MACs, {least.port_cycles} of the array's ports, "
        f"{least.dram_cycles} of DRAM, {least.setup_cycles} of the controller before all else"
    )
    if mapped.alternatives:
        _print_next_best(mapped, wishes)


def _print_next_best(mapped: MappedLayer, wishes: Wishes) -> None:
    """The next best mapping; where that is as good and much the same, the next best of those that are not, too."""
    least = objective_value(mapped.report, wishes.objective)

    def tell(what: str, mapping: Mapping, report: LayerReport) -> bool:
        beyond = objective_value(report, wishes.objective) / least - 1
        as_good = bool(beyond < _AS_GOOD)
        remark(
            f"{what}: {mapping.name}, {'as good' if as_good else f'{100 * beyond:+.2f} % {wishes.objective}'}, "
            f"{report.latency_cycles} cycles, {human(report.energy_pj, ENERGY)}, binds: {report.bottleneck}"
        )
        return as_good

    nearest = mapped.alternatives[0]
    different = next((pair for pair in mapped.alternatives if _kind(pair[0]) != _kind(mapped.mapping)), nearest)
    if tell("next best", *nearest) and different != nearest:
        tell("next best of another dataflow, order of tiles or unrolling", *different)


def _kind(mapping: Mapping) -> object:
    """What mappings that differ only in sizes have in common: dataflow, order of tiles, and axes unrolled."""
    return mapping.name, mapping.order, frozenset(axis for axis in mapping.axes() if mapping.unrolled(axis) > 1)


def print_summary(layers: list[MappedLayer], wishes: Wishes) -> None:
    table = plain_table(
        "layer", "dataflow", ">cycles", ">energy", ">DRAM", f">{wishes.objective} / bound", "bottleneck"
    )
    for mapped in layers:
        report = mapped.report
        value = objective_value(report, wishes.objective)
        table.add_row(
            mapped.layer.name,
            mapped.mapping.name,
            str(report.latency_cycles),
            human(report.energy_pj, ENERGY),
            human(report.dram_bits, DATA),
            f"{value / mapped.bounds.objective(wishes.objective):.2f}",
            report.bottleneck,
        )
    show(table)
    costed, seconds = sum(mapped.costed for mapped in layers), sum(mapped.seconds for mapped in layers)
    if costed:
        rate = human(costed / max(seconds, 1e-9), COUNT)
        write(f"{len(layers)} distinct layers, {costed} mappings costed at {rate} a second")
    else:
        write(f"{len(layers)} distinct layers, from the cache")


def _times(value: float, bound: float) -> str:
    return f"{value / bound:.2f} x" if bound else "-"
