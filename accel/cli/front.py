"""The mappings of a layer between least latency and least energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.text import Text

from accel.cli.console import show
from accel.cli.listing import plain_table
from accel.cli.wishes import Wishes
from accel.objective import objective_value
from accel.spec import Accelerator
from accel.units import DATA, ENERGY, aligned

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from accel.report import LayerReport
    from mappings import Mapping


@dataclass(frozen=True, slots=True)
class Front:
    """Mappings of which none is beaten in both latency and energy, the fastest first, with their reports.

    `cut_short`: Ctrl-C ended a search, and these are the best of what was found until then.
    """

    points: tuple[tuple[Mapping, LayerReport], ...]
    cut_short: bool = False


def explored_front(
    mapped: MappedLayer, spec: Accelerator, wishes: Wishes, offered: Sequence[Mapping]
) -> tuple[MappedLayer, Front]:
    """The front among the best mappings by each objective; one point of those of equal costs.

    With the layer as mapped, or as it would be by the best of all these, if that is better by the objective wished for,
    or as good with less energy times delay. Ctrl-C ends it with what was found until then.
    """
    from accel.mapper import explore

    found = {mapped.mapping: mapped.report} | dict(mapped.alternatives)
    cut_short = False
    for objective in ("latency", "edp", "energy"):
        if objective == wishes.objective:
            continue
        options = wishes.options | {"objective": objective}
        try:
            # There is a mapping: a search of a moment that finds none must not end in an error.
            other = explore(mapped.layer, spec, offered=[*offered, mapped.mapping], **options)
        except KeyboardInterrupt:
            cut_short = True
            break
        found |= {other.mapping: other.report} | dict(other.alternatives)
        if other.interrupted:
            cut_short = True
            break

    def wished(report: LayerReport) -> tuple[float, float]:
        return objective_value(report, wishes.objective), objective_value(report, "edp")

    (mapping, report), *rest = sorted(found.items(), key=lambda entry: wished(entry[1]))
    if wished(report) < wished(mapped.report):
        mapped = replace(mapped, mapping=mapping, report=report, alternatives=tuple(rest), offered=False)
    return mapped, Front(_unbeaten(found), cut_short)


def _unbeaten(found: dict[Mapping, LayerReport]) -> tuple[tuple[Mapping, LayerReport], ...]:
    from accel.plots.pareto import pareto_front

    best = pareto_front([one.latency_cycles for one in found.values()], [one.energy_pj for one in found.values()])
    # Of equal costs, what was found first stays.
    by_cost: dict[tuple[int, float], tuple[Mapping, LayerReport]] = {}
    for (mapping, report), on_front in zip(found.items(), best, strict=True):
        if on_front:
            by_cost.setdefault((report.latency_cycles, report.energy_pj), (mapping, report))
    return tuple(by_cost[cost] for cost in sorted(by_cost))


def print_front(front: Front) -> None:
    """A numbered line for each point."""
    reports = [report for _, report in front.points]
    energy, energies = aligned([report.energy_pj for report in reports], ENERGY)
    data, traffic = aligned([report.dram_bits for report in reports], DATA)
    table = plain_table(">point", ">cycles", f">energy\n{energy}", f">DRAM\n{data}", "dataflow")
    for number, (mapping, report) in enumerate(front.points):
        table.add_row(
            str(number + 1), str(report.latency_cycles), energies[number], traffic[number], Text(mapping.name)
        )
    show(table)
