"""One point of a sweep: a network on an accelerator with some fields changed, and what comes out of it."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from accel.breakdown import overall_bottleneck
from accel.named import AcceleratorSource, NetworkSource, accelerator_of, name_of, network_of
from accel.objective import Objective, objective_value
from accel.spec import Accelerator
from accel.task import QUICK
from mappings import Budget
from workloads import InputError, Network

if TYPE_CHECKING:
    from accel.network_mapping import NetworkMapping
    from accel.report import Report
    from mappings.file import MappingBook

TOTALS = (
    *("latency_ms", "latency_cycles", "energy_pj", "edp_js", "dram_bits", "utilization", "macs", "effectual_macs"),
    *("compute_cycles", "stall_data_cycles", "stall_weight_cycles", "stall_output_cycles", "stall_controller_cycles"),
    *("energy_pe_array_pj", "energy_data_buffer_pj", "energy_weight_buffer_pj", "energy_controller_pj"),
    *("energy_dma_pj", "energy_leakage_pj", "bottleneck"),
)
"""Columns of results; `edp_js` is the energy-delay product in joule seconds. Empty in a row with an error."""


def read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    """A read-only view, as another process rebuilds it."""
    return MappingProxyType(values)


# The attributes of a network's nodes are such views, which pickle cannot copy to another process by itself.
copyreg.pickle(MappingProxyType, lambda view: (read_only, (dict(view),)))


@dataclass(frozen=True, slots=True)
class Point:
    """One simulation of a sweep; plain data that any process can be given."""

    network: NetworkSource
    accelerator: AcceleratorSource
    changes: tuple[tuple[str, Any], ...]
    mapping: str | MappingBook
    seed: int
    batch: int
    fuse: bool = False
    objective: Objective = "edp"
    budget: Budget = QUICK

    @property
    def network_name(self) -> str:
        return name_of(self.network)

    @property
    def accelerator_name(self) -> str:
        return name_of(self.accelerator)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The row of a point and, where all went well, the mapping it ran with.

    found_at: the swept fields of the point whose search found it. value: of the objective.
    """

    row: dict[str, Any]
    mapping: NetworkMapping | None = None
    found_at: str = ""
    value: float = inf


def run_point(point: Point) -> Outcome:
    """What comes out of a point by itself; what goes wrong becomes the `error` of its row, one line."""
    try:
        return _simulated(point, *_placed(point), point.mapping)
    except Exception as error:  # the other points must not suffer for it
        return failed(point, error)


def run_offered(point: Point, value: float, offers: Sequence[Outcome]) -> Outcome | None:
    """What comes out of a point with the best of the mappings that others found; None when none beats a value."""
    best = None
    try:
        network, spec = _placed(point)
    except InputError:
        return None  # nothing runs there
    for offer in offers:
        assert offer.mapping is not None
        try:
            _require_dataflows(offer.mapping, point, spec)
            found = _simulated(point, network, spec, offer.mapping)
        except InputError:
            continue  # it does not fit
        if found.value < (value if best is None else best.value):
            best = replace(found, row=found.row | {"mapped_at": offer.found_at}, found_at=offer.found_at)
    return best


def failed(point: Point, error: Exception) -> Outcome:
    """The row of a point that could not be run."""
    line = str(error) if isinstance(error, InputError) else " ".join(f"{type(error).__name__}: {error}".split())
    return Outcome(_named(point) | {"mapped_at": "", "error": line})


def _named(point: Point) -> dict[str, Any]:
    return {"network": point.network_name, "accelerator": point.accelerator_name, **dict(point.changes)}


def _placed(point: Point) -> tuple[Network, Accelerator]:
    """The network and the accelerator, its fields changed."""
    network, spec = network_of(point.network, point.batch), accelerator_of(point.accelerator)
    return network, spec.with_values(dict(point.changes)) if point.changes else spec


def _simulated(
    point: Point, network: Network, spec: Accelerator, mapping: str | MappingBook | NetworkMapping
) -> Outcome:
    from accel.evaluation import evaluate

    done = evaluate(
        network, spec, mapping=mapping, objective=point.objective, budget=point.budget, seed=point.seed,
        fuse=point.fuse,
    )  # fmt: skip
    row = _named(point) | _totals(done.report) | {"mapped_at": "", "error": ""}
    here = ", ".join(f"{path}={value}" for path, value in point.changes)
    # Where there are more registers, to hold more in them may be slower: others get the mapping as it runs here.
    taken = done.mapping.with_registers(**spec.pe_array.registers.model_dump())
    return Outcome(row, taken, here, float(objective_value(done.report, point.objective)))


def _require_dataflows(mapping: NetworkMapping, point: Point, spec: Accelerator) -> None:
    """Raise InputError for mappings that a point's own search would not look at."""
    families: Sequence[object] = spec.mapping.dataflows if point.mapping == "auto" else (point.mapping,)
    strange = {nest.name for nest in mapping.by_layer.values()}.difference(families)
    if strange and point.mapping != "any":
        raise InputError(f"{', '.join(sorted(strange))}: not of the dataflows that are searched here")


def _totals(report: Report) -> dict[str, Any]:
    sums: dict[str, Any] = report.totals()
    sums["edp_js"] = report.energy_pj * 1e-12 * report.latency_ms * 1e-3
    sums["bottleneck"] = overall_bottleneck(report.layers)
    return {name: sums[name] for name in TOTALS}
