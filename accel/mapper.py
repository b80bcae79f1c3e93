"""The automatic mapping: searches a layer's map space with the estimate, and lets the simulation decide at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from accel.accumulators import have_room
from accel.bounds import Bounds, bounds
from accel.closed_form import costs
from accel.encode import require_precision, widths
from accel.known_zeros import KnownZeros
from accel.lower import NOWHERE, Residency, buffer_bits, require_fit
from accel.occupancy import occupancy
from accel.report import LayerReport
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from mappings import Mapping, schedule
from mappings.column import MappingColumn
from mappings.dataflows import ArrayShape
from mappings.search import Budget, Found, search
from mappings.space import MapSpace
from workloads import Bits, InputError, Layer, Operand

Objective = Literal["latency", "energy", "edp", "dram"]
OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp", "dram")

QUICK = Budget(mappings=2000)
"""What a run of a whole network spends on each layer beyond the candidates of the dataflows."""
_CONFIRMED = 3
"""Best mappings by estimate that are simulated; the best of those is taken."""
_CHECKED = 32
_NATIVE = Bits()


@dataclass(frozen=True, slots=True)
class MappedLayer:
    """The mapping chosen for a layer, its simulated report, and what it was chosen from.

    `alternatives` are the other mappings that were simulated, best first, with their reports.
    """

    layer: Layer
    mapping: Mapping
    report: LayerReport
    bounds: Bounds
    alternatives: tuple[tuple[Mapping, LayerReport], ...]
    costed: int
    seconds: float


def array_shape(spec: Accelerator, bits: Bits = _NATIVE) -> ArrayShape:
    """What the dataflows may know of an accelerator at operands of so many bits, its native ones unless stated."""
    array, width = spec.pe_array, widths(bits, spec)
    registers, lanes = array.registers, array.lanes_at(width.input, width.weight)
    return ArrayShape(array.rows, array.columns, lanes, registers.input, registers.weight, registers.output)


def objective_value(report: LayerReport, objective: Objective) -> float:
    """What a simulated layer makes of an objective."""
    return {
        "latency": float(report.latency_cycles),
        "energy": report.energy_pj,
        "edp": report.latency_cycles * report.energy_pj,
        "dram": float(report.dram_bits),
    }[objective]


def map_space(layer: Layer, spec: Accelerator, dataflow: str | None = None) -> MapSpace:
    """The space of a dataflow, of all dataflows of the accelerator (None), or of everything ("any")."""
    if dataflow == "any":
        return MapSpace.anything(layer, array_shape(spec, layer.bits))
    return MapSpace(layer, array_shape(spec, layer.bits), (dataflow,) if dataflow else spec.mapping.dataflows)


def map_layer(
    layer: Layer,
    spec: Accelerator,
    *,
    dataflow: str | None = None,
    objective: Objective = "edp",
    residency: Residency = NOWHERE,
    budget: Budget = QUICK,
    seed: int = 0,
) -> Mapping:
    """The mapping `explore` finds. Raises InputError naming a buffer and the least size that would do if none fits."""
    found = explore(layer, spec, dataflow=dataflow, objective=objective, residency=residency, budget=budget, seed=seed)
    return found.mapping


def explore(
    layer: Layer,
    spec: Accelerator,
    *,
    dataflow: str | None = None,
    objective: Objective = "edp",
    residency: Residency = NOWHERE,
    budget: Budget = QUICK,
    seed: int = 0,
) -> MappedLayer:
    """Search the map space of a layer with what is known of its zeros, and simulate the best few mappings.

    Raises InputError as `map_layer` does.
    """
    require_precision(layer, spec)
    space = map_space(layer, spec, dataflow)
    zeros = KnownZeros.of(layer, occupancy(layer, widths(layer.bits, spec), spec, seed), spec)
    coded = zeros.held_bits[Operand.WEIGHT]
    found = search(
        space,
        lambda column: np.where(
            have_room(layer, column, spec),
            costs(layer, column, spec, residency, zeros, fitting_only=True).objective(objective),
            np.inf,
        ),
        budget,
        seed,
        keep=_CHECKED,
    )
    fitting = _fitting(found, layer, spec, residency, coded)
    if not fitting:
        raise _misfit(space, layer, spec, residency, coded)
    simulated = [
        (mapping, simulate_layer(layer, mapping, spec, seed=seed, residency=residency).report) for mapping in fitting
    ]
    simulated.sort(key=lambda entry: objective_value(entry[1], objective))
    (mapping, report), *rest = simulated
    least = bounds(layer, spec, residency)
    return MappedLayer(layer, mapping, report, least, tuple(rest), found.costed, found.seconds)


def _fitting(found: Found, layer: Layer, spec: Accelerator, residency: Residency, coded: int | None) -> list[Mapping]:
    """The best mappings whose exact tiles fit: the estimate's footprints may be a little too large or too small."""
    have = (spec.data_buffer.kib, spec.weight_buffer.kib, spec.data_buffer.accumulator_kib)
    fitting = []
    for _, mapping in found.ranked:
        try:
            need = buffer_bits(schedule(layer, mapping), spec, residency, coded)
        except InputError:  # more tile steps than can be played
            continue
        if all(bits <= kib * 8192 for bits, kib in zip(need, have, strict=True)):
            fitting.append(mapping)
        if len(fitting) == _CONFIRMED:
            break
    return fitting


def _misfit(space: MapSpace, layer: Layer, spec: Accelerator, residency: Residency, coded: int | None) -> InputError:
    """Why nothing fits, told of the mapping with the smallest tiles."""
    smallest: tuple[float, MappingColumn, int] | None = None
    for column in space.seeds():
        held = costs(layer, column, spec, residency, fitting_only=True).held_bits
        least = int(np.argmin(held))
        if smallest is None or held[least] < smallest[0]:
            smallest = (float(held[least]), column, least)
    if smallest is not None:
        try:
            require_fit(schedule(layer, smallest[1][smallest[2]]), spec, residency, coded)
        except InputError as error:
            return error
    return InputError(f"no mapping of {', '.join(space.dataflows)} covers layer {layer.name}", source=spec.name)
