"""The mappings of a layer between least latency and least energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from accel.cli.console import show
from accel.cli.listing import plain_table
from accel.cli.wishes import Wishes
from accel.objective import objective_value
from accel.spec import Accelerator
from accel.units import ENERGY, human

if TYPE_CHECKING:
    from accel.mapper import MappedLayer
    from accel.report import LayerReport
    from mappings import Mapping


def explored_front(
    mapped: MappedLayer, spec: Accelerator, wishes: Wishes, offered: Sequence[Mapping]
) -> tuple[MappedLayer, list[LayerReport]]:
    """Reports of which none is beaten in both latency and energy, among the best by each objective.

    With the layer as mapped, or as it would be by the best of all these, if that is better by the objective wished for.
    Raises KeyboardInterrupt when Ctrl-C ends a search.
    """
    from accel.mapper import explore
    from accel.plots.pareto import pareto_front

    found = {mapped.mapping: mapped.report} | dict(mapped.alternatives)
    for objective in ("latency", "edp", "energy"):
        if objective != wishes.objective:
            other = explore(mapped.layer, spec, offered=offered, **(wishes.options | {"objective": objective}))
            if other.interrupted:
                raise KeyboardInterrupt
            found = found | {other.mapping: other.report} | dict(other.alternatives)
    ranked = sorted(found.items(), key=lambda entry: objective_value(entry[1], wishes.objective))
    (mapping, report), *rest = ranked
    if objective_value(report, wishes.objective) < objective_value(mapped.report, wishes.objective):
        mapped = replace(mapped, mapping=mapping, report=report, alternatives=tuple(rest), offered=False)
    reports = list(found.values())
    best = pareto_front([one.latency_cycles for one in reports], [one.energy_pj for one in reports])
    return mapped, [one for one, on_front in zip(reports, best, strict=True) if on_front]


def print_front(front: Sequence[LayerReport]) -> None:
    """A line for each, the fastest first."""
    table = plain_table(">cycles", ">energy")
    for cycles, energy in sorted({(report.latency_cycles, report.energy_pj) for report in front}):
        table.add_row(str(cycles), human(energy, ENERGY))
    show(table)
