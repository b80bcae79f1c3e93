"""The automatic mapping: searches a layer's map space with the estimate, and lets the simulation decide at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from accel.bounds import Bounds, bounds, unrolling_bound
from accel.encode import widths
from accel.estimate import estimate
from accel.lower import NOWHERE, Residency, buffer_bits, require_fit
from accel.occupancy import occupancy
from accel.report import LayerReport
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from mappings import ArrayShape, Budget, Footprint, Found, Mapping, MapSpace, schedule, search
from mappings.column import MappingColumn
from mappings.footprint import Fits, anything_fits
from workloads import InputError, Layer, Operand

Objective = Literal["latency", "energy", "edp", "dram"]
OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp", "dram")

QUICK = Budget(mappings=2000)
"""What a run of a whole network spends on each layer beyond the candidates of the dataflows."""
_CONFIRMED = 3
"""Best mappings by estimate that are simulated; the best of those is taken."""
_CHECKED = 32


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
    exhaustive: bool


def array_shape(spec: Accelerator) -> ArrayShape:
    """What the dataflows may know of an accelerator."""
    array = spec.pe_array
    registers = array.registers
    return ArrayShape(array.rows, array.columns, array.lanes, registers.input, registers.weight, registers.output)


def objective_value(report: LayerReport, objective: Objective) -> float:
    """What a simulated layer makes of an objective."""
    return {
        "latency": float(report.latency_cycles),
        "energy": report.energy_pj,
        "edp": report.latency_cycles * report.energy_pj,
        "dram": float(report.dram_bits),
    }[objective]


def map_space(layer: Layer, spec: Accelerator, dataflow: str | None = None, fits: Fits = anything_fits) -> MapSpace:
    """The space of a dataflow, of all dataflows of the accelerator (None), or of everything ("any")."""
    named = {None: spec.mapping.dataflows, "any": None}.get(dataflow, (dataflow,) if dataflow else None)
    return MapSpace(layer, array_shape(spec), fits, named)


def fits_buffers(layer: Layer, spec: Accelerator, residency: Residency, weight_share: float = 1.0) -> Fits:
    """Whether tiles can fit the buffers, for weights that take `weight_share` of their plain bits there.

    Tiles that it refuses fit on no account; a few of the others do not fit either, when weights of a single pass stay
    in the buffer because the registers cannot take them.
    """
    width = widths(layer.bits, spec)
    data, weight = spec.data_buffer, spec.weight_buffer
    data_tiles, weight_tiles = (2 if buffer.double_buffered else 1 for buffer in (data, weight))

    def fits(footprint: Footprint) -> NDArray[np.bool_]:
        inputs, weights, outputs = footprint.words.T
        need = np.full(len(inputs), residency.reserved_bits)
        if not residency.input:
            need += inputs * (width.input * data_tiles)
        sums = outputs * np.where(footprint.unfinished, width.psum, width.output) * data_tiles
        kept = weights * np.where(footprint.one_weight_pass, 1, weight_tiles) * width.weight
        fitting: NDArray[np.bool_] = kept * weight_share <= weight.kib * 8192
        if data.accumulator_kib:
            fitting &= sums <= data.accumulator_kib * 8192
        else:
            need += np.where(footprint.unfinished | (not residency.output), sums, 0)
        return fitting & (need <= data.kib * 8192)

    return fits


def map_layer(layer: Layer, spec: Accelerator, **options: Any) -> Mapping:
    """The mapping of `explore`, which has the options and the errors."""
    return explore(layer, spec, **options).mapping


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
    """Search the map space of a layer on dense operands and simulate the best few mappings.

    Raises InputError naming a buffer, the operand and the least size that would do if no mapping fits.
    """
    coded = _coded_weight_bits(layer, spec, seed)
    share = 1.0 if coded is None else coded / (layer.words(Operand.WEIGHT) * widths(layer.bits, spec).weight)
    space = map_space(layer, spec, dataflow, fits_buffers(layer, spec, residency, share))
    found = search(
        space,
        lambda column: estimate(layer, column, spec, residency, weight_share=share).objective(objective),
        bound=unrolling_bound(layer, spec, residency, objective),
        budget=budget,
        seed=seed,
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
    return MappedLayer(
        layer, mapping, report, least, tuple(rest), found.costed, found.seconds, found.exhaustive
    )


def _coded_weight_bits(layer: Layer, spec: Accelerator, seed: int) -> int | None:
    """What the layer's weights take where the weight buffer holds them coded."""
    if not spec.weight_buffer.compressed:
        return None
    return occupancy(layer, widths(layer.bits, spec), spec, seed).coded_bits[Operand.WEIGHT]


def _fitting(found: Found, layer: Layer, spec: Accelerator, residency: Residency, coded: int | None) -> list[Mapping]:
    """The best mappings whose exact tiles fit: the estimate's footprints may be a little too large or too small."""
    have = (spec.data_buffer.kib, spec.weight_buffer.kib, spec.data_buffer.accumulator_kib)
    fitting = []
    for _, mapping in found.ranked:
        need = buffer_bits(schedule(layer, mapping), spec, residency, coded)
        if all(bits <= kib * 8192 for bits, kib in zip(need, have, strict=True)):
            fitting.append(mapping)
        if len(fitting) == _CONFIRMED:
            break
    return fitting


def _misfit(space: MapSpace, layer: Layer, spec: Accelerator, residency: Residency, coded: int | None) -> InputError:
    """Why nothing fits, told of the mapping with the smallest tiles."""
    smallest: tuple[float, MappingColumn, int] | None = None
    for column in space.candidates:
        held = estimate(layer, column, spec, residency).held_words
        least = int(np.argmin(held))
        if smallest is None or held[least] < smallest[0]:
            smallest = (float(held[least]), column, least)
    if smallest is not None:
        try:
            require_fit(schedule(layer, smallest[1][smallest[2]]), spec, residency, coded)
        except InputError as error:
            return error
    return InputError(f"no mapping of {', '.join(space.dataflows or ('any dataflow',))} covers layer {layer.name}", source=spec.name)
