"""`accel map`: the best loop nest of every layer, what it costs, and how far that is from the bound."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.console import note, show, write
from accel.cli.listing import plain_table
from accel.cli.operands import Operands
from accel.cli.progress import ProgressBar
from accel.cli.values import whole
from accel.cli.wishes import Wishes, anonymous
from accel.cli.workers import searchers
from accel.objective import objective_value
from accel.output import require_writable, write_text
from accel.spec import Accelerator, load
from accel.units import COUNT, DATA, ENERGY, human
from workloads import Layer
from workloads import load as load_network
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from mappings import Mapping

_MAPPINGS_PER_SECOND = 100_000
_WORTH_PROCESSES_SECONDS = 8.0
"""A process takes a second or two of a core before it searches."""


def map_network(name: str, chip: str, batch: str, operands: Operands, wishes: Wishes, out: Path | None) -> None:
    """Print every distinct layer's mapping, and save them. A layer without one is named at the end: InputError."""
    from accel.exploring import explore_layers

    if out is not None:
        require_writable(out)
    spec = load(chip)
    network = operands.given_to(load_network(name, whole("--batch", batch, 1)))
    found: dict[Layer, MappedLayer] = {}
    failed: dict[Layer, InputError] = {}
    distinct = list(dict.fromkeys(anonymous(layer) for layer in network.layers))
    names = {anonymous(layer): layer.name for layer in reversed(network.layers)}
    named = [replace(layer, name=names[layer]) for layer in distinct]
    if not named:
        raise InputError("has no layer to map, only operations without weights", source=network.name)
    offers = wishes.offers(network)
    title = f"mapping {network.name} for {spec.name}"
    with ProgressBar(title) as progress, searchers(_workers(named, spec, wishes)) as side:
        progress(0, len(named), named[0].name)
        try:
            for layer, outcome in explore_layers(
                named,
                spec,
                cache=wishes.cache,
                recall=not (wishes.why or wishes.pareto),
                offered=offers,
                side=side,
                **wishes.options,
            ):
                if isinstance(outcome, InputError):
                    failed[anonymous(layer)] = outcome
                else:
                    found[anonymous(layer)] = outcome
                done = len(found) + len(failed)
                progress(done, len(named), named[min(done, len(named) - 1)].name)
        except KeyboardInterrupt:
            if not found:
                raise
    for layer, mapped in found.items():
        alike = sum(anonymous(other) == layer for other in network.layers)
        _print_layer(mapped, alike, spec, wishes, offers.get(mapped.layer.name, []))
    left = len(named) - len(found) - len(failed)
    if left or any(mapped.interrupted for mapped in found.values()):
        note(f"interrupted: the last layers have the best so far, {left} layers are not mapped")
    passed_over = [reason for mapped in found.values() for reason in mapped.passed_over]
    if passed_over:
        note(f"offered mappings passed over: {len(passed_over)}, the first because {passed_over[0]}")
    if found:
        _print_summary(list(found.values()), wishes)
    if out is not None and found:
        from mappings.file import MappingBook, dump_mappings

        nests = {layer.name: found[anonymous(layer)].mapping for layer in network.layers if anonymous(layer) in found}
        write_text(out, dump_mappings(MappingBook(nests)))
        write(f"saved:    {out}")
    for error in list(failed.values())[1:]:
        note(f"error: {error}")
    if failed:
        raise next(iter(failed.values()))


def _workers(layers: list[Layer], spec: Accelerator, wishes: Wishes) -> int:
    """As many processes as there are cores, where the search takes longer than they take to start."""
    from accel.task import Task

    families, budget = len(Task(layers[0], spec, **wishes.options).families), wishes.budget
    seconds = budget.mappings * families / _MAPPINGS_PER_SECOND if budget.seconds is None else budget.seconds
    return min(os.cpu_count() or 1, len(layers)) if seconds * len(layers) > _WORTH_PROCESSES_SECONDS else 1


def _print_layer(
    mapped: MappedLayer, alike: int, spec: Accelerator, wishes: Wishes, offered: Sequence[Mapping]
) -> None:
    from mappings.text import to_text

    layer, report, least = mapped.layer, mapped.report, mapped.bounds
    times = f", {alike} layers alike" if alike > 1 else ""
    write(f"\n{layer.name}{times}")
    write(to_text(mapped.mapping, layer))
    write(
        f"  {report.latency_cycles} cycles ({_times(report.latency_cycles, least.latency_cycles)} the bound), "
        f"{human(report.energy_pj, ENERGY)} ({_times(report.energy_pj, least.energy_pj)}), "
        f"{human(report.dram_bits, DATA)} over the DRAM pins ({_times(report.dram_bits, least.dram_bits)})"
    )
    if mapped.costed:
        rate = human(mapped.costed / max(mapped.seconds, 1e-9), COUNT)
        whole = ", the whole space (exhaustive)" if mapped.exhaustive else ""
        write(f"  {mapped.costed} mappings costed, {rate} a second{whole}")
    if mapped.offered:
        write("  offered: the search found none as good")
    if wishes.why:
        _print_reasons(mapped, wishes)
    if wishes.pareto:
        _print_front(layer, spec, wishes, offered)


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
    told = ", ".join(f"{name} {100 * cycles / report.latency_cycles:.0f} %" for name, cycles in shares if cycles)
    write(f"  binds: {report.bottleneck}; cycles: {told}")
    write(
        f"  bounds: {least.mac_cycles} cycles of MACs, {least.port_cycles} of the array's ports, "
        f"{least.dram_cycles} of DRAM"
    )
    if mapped.alternatives:
        mapping, other = mapped.alternatives[0]
        ratio = objective_value(other, wishes.objective) / objective_value(report, wishes.objective)
        write(
            f"  next best: {mapping.name}, {100 * (ratio - 1):+.2f} % {wishes.objective}, "
            f"{other.latency_cycles} cycles, {human(other.energy_pj, ENERGY)}, binds: {other.bottleneck}"
        )


def _print_front(layer: Layer, spec: Accelerator, wishes: Wishes, offered: Sequence[Mapping]) -> None:
    """Mappings of which none is beaten in both latency and energy, among the best by each objective."""
    from accel.mapper import explore
    from accel.plots.pareto import pareto_front

    points = []
    for objective in ("latency", "edp", "energy"):
        mapped = explore(layer, spec, offered=offered, **(wishes.options | {"objective": objective}))
        points += [mapped.report, *(report for _, report in mapped.alternatives)]
    front = pareto_front([point.latency_cycles for point in points], [point.energy_pj for point in points])
    chosen = {
        (point.latency_cycles, point.energy_pj) for point, on_front in zip(points, front, strict=True) if on_front
    }
    table = plain_table(">cycles", ">energy")
    for cycles, energy in sorted(chosen):
        table.add_row(str(cycles), human(energy, ENERGY))
    show(table)


def _print_summary(layers: list[MappedLayer], wishes: Wishes) -> None:
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
