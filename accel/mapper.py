"""The automatic mapping: searches a layer's map space with the estimate, and lets the simulation decide at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.accumulators import have_room
from accel.bounds import Bounds, bounds, unrolling_bound
from accel.closed_form import costs
from accel.encode import require_precision, widths
from accel.expected import skipping_objective
from accel.fit import buffer_bits, require_fit, sizes_kib, within_buffers
from accel.known_zeros import KnownZeros
from accel.mapping_cache import MappingCache, cache_key
from accel.objective import Objective, objective_value
from accel.occupancy import occupancy
from accel.report import LayerReport
from accel.residency import NOWHERE, Residency
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from mappings import ArrayShape, Budget, Footprint, Found, Mapping, MapSpace, schedule, search
from mappings.column import MappingColumn
from mappings.dataflows import DATAFLOWS
from mappings.footprint import Fits, anything_fits
from mappings.moves import evened
from mappings.schedule import MAX_STEPS
from mappings.searching import Cost, never
from workloads import Bits, InputError, Layer, Operand

QUICK = Budget(mappings=6000)
"""What a run of a whole network spends on each layer beyond the candidates of the dataflows."""
_CONFIRMED = (6, 24)
"""Fewest and most mappings of a family that are simulated; the best of those is taken."""
_CONFIRMED_WALKS = (3, 8)
"""The same where every simulation walks the nonzeros of the whole layer."""
_PLAYED_STEPS = 10_000
"""No further ones are once they came to so many tile steps: the simulation would take longer than the search."""
_CHECKED = 64
_UNFIT = 1e90
"""The cost of what does not fit is above that of all that does."""
_NATIVE = Bits()


@dataclass(frozen=True, slots=True)
class MappedLayer:
    """The mapping chosen for a layer, its simulated report, and what it was chosen from.

    `alternatives` are the other mappings that were simulated, best first, with their reports. `costed` mappings were
    estimated in `seconds`; `exhaustive`: all there are. `interrupted`: the search was, and this is the best so far.
    """

    layer: Layer
    mapping: Mapping
    report: LayerReport
    bounds: Bounds
    alternatives: tuple[tuple[Mapping, LayerReport], ...]
    costed: int
    seconds: float
    exhaustive: bool
    interrupted: bool = False


def array_shape(spec: Accelerator, bits: Bits = _NATIVE) -> ArrayShape:
    """What the dataflows may know of an accelerator at operands of so many bits, its native ones unless stated."""
    array, width = spec.pe_array, widths(bits, spec)
    registers, lanes = array.registers, array.lanes_at(width.input, width.weight)
    return ArrayShape(array.rows, array.columns, lanes, registers.input, registers.weight, registers.output)


def map_space(layer: Layer, spec: Accelerator, dataflow: str | None = None, fits: Fits = anything_fits) -> MapSpace:
    """The space of a dataflow, of all dataflows of the accelerator (None), or of everything ("any")."""
    named = (dataflow,) if dataflow else spec.mapping.dataflows
    return MapSpace(layer, array_shape(spec, layer.bits), fits, None if dataflow == "any" else named)


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
        fitting: NDArray[np.bool_] = kept * weight_share + residency.reserved_weight_bits <= weight.kib * 8192
        if data.accumulator_kib:
            fitting &= sums <= data.accumulator_kib * 8192
        else:
            need += np.where(footprint.unfinished | (not residency.output), sums, 0)
        return fitting & (need <= data.kib * 8192)

    return fits


@dataclass(frozen=True, slots=True)
class Task:
    """A layer to map on an accelerator.

    dataflow: a name, all of the accelerator (None), or everything ("any"). budget: how long to search the space of each
    dataflow; seconds are shared among them.
    """

    layer: Layer
    spec: Accelerator
    dataflow: str | None = None
    objective: Objective = "edp"
    residency: Residency = NOWHERE
    budget: Budget = QUICK
    seed: int = 0

    @property
    def families(self) -> tuple[str, ...]:
        """The spaces to search one by one: what any of them finds, the whole finds too."""
        if self.dataflow == "any":
            return (*DATAFLOWS, "any")
        return (self.dataflow,) if self.dataflow else self.spec.mapping.dataflows

    def known_zeros(self) -> KnownZeros:
        """What the layer's zeros save, as the accelerator makes use of them."""
        found = occupancy(self.layer, widths(self.layer.bits, self.spec), self.spec, self.seed)
        return KnownZeros.of(self.layer, found, self.spec)

    def recall(self, cache: MappingCache | None) -> Mapping | None:
        """The mapping that an equal task has stored."""
        return cache.find(self._key(), self.layer) if cache else None

    def keep(self, cache: MappingCache | None, mapping: Mapping) -> None:
        """Store the mapping for equal tasks."""
        if cache:
            cache.store(self._key(), mapping)

    def _key(self) -> str:
        wishes = (self.dataflow, self.objective, self.residency, self.budget, self.seed)
        return cache_key(self.layer, self.spec, *wishes)


def map_layer(layer: Layer, spec: Accelerator, *, cache: MappingCache | None = None, **options: Any) -> Mapping:
    """The mapping of a `Task` of these options: from the cache, or as `explore` finds it, with its errors.

    Ctrl-C ends it without a mapping: it is for runs of many layers.
    """
    known = Task(layer, spec, **options).recall(cache)
    if known is not None:
        return known
    mapped = explore(layer, spec, cache=cache, **options)
    if mapped.interrupted:
        raise KeyboardInterrupt
    return mapped.mapping


def explore(
    layer: Layer,
    spec: Accelerator,
    *,
    cache: MappingCache | None = None,
    stop: Callable[[], bool] = never,
    **options: Any,
) -> MappedLayer:
    """Search the map spaces of a `Task` of these options, and simulate the best few mappings of each.

    The search knows what a layer's zeros save off chip and in the buffers, and what they are expected to save where the
    array skips them. The cache takes what is found. Ctrl-C, or `stop` saying True, ends it with the best so far.
    Raises InputError naming a buffer, the operand and the least size that would do if no mapping fits.
    """
    require_precision(layer, spec)
    task = Task(layer, spec, **options)
    objective, residency, seed, budget = task.objective, task.residency, task.seed, task.budget
    if budget.seconds is not None:
        budget = replace(budget, seconds=budget.seconds / len(task.families))
    zeros = task.known_zeros()
    coded = zeros.held_bits[Operand.WEIGHT]
    share = 1.0 if coded is None else coded / (layer.words(Operand.WEIGHT) * widths(layer.bits, spec).weight)
    fits = fits_buffers(layer, spec, residency, share)

    def cost(column: MappingColumn) -> NDArray[np.float64]:
        found = costs(layer, column, spec, residency, zeros, fitting_only=True)
        values = skipping_objective(objective, found, layer, column, spec, zeros)
        return np.where(have_room(layer, column, spec), values, np.inf)

    searches: list[Found] = []
    simulated: dict[Mapping, LayerReport] = {}
    for family in task.families:
        found = search(
            map_space(layer, spec, family, fits),
            cost,
            bound=None if spec.pe_array.skips else unrolling_bound(layer, spec, residency, objective, zeros),
            budget=budget,
            seed=seed,
            keep=_CHECKED,
            stop=stop,
        )
        searches.append(found)
        _confirm(found, task, coded, simulated)
        if found.interrupted:
            break
    if not simulated:
        searches += [_approach(task, family, cost, budget, stop) for family in task.families]
        for found in searches[-len(task.families) :]:
            _confirm(found, task, coded, simulated)
    if not simulated:
        raise _misfit(task, coded, searches[-len(task.families) :])
    (mapping, report), *rest = sorted(simulated.items(), key=lambda entry: objective_value(entry[1], objective))
    interrupted = searches[-1].interrupted
    if not interrupted:
        task.keep(cache, mapping)
    return MappedLayer(
        layer, mapping, report, bounds(layer, spec, residency, zeros), tuple(rest),
        sum(found.costed for found in searches), sum(found.seconds for found in searches),
        all(found.exhaustive for found in searches), interrupted,
    )  # fmt: skip


def _confirm(found: Found, task: Task, coded: int | None, simulated: dict[Mapping, LayerReport]) -> None:
    """Simulate the best mappings of a search, those first that the simulation is expected to like best.

    Estimates are off by about as much for mappings with the same order of tiles, so what one of them was off by is
    expected of the next. Each is tried with even tiles too, which the estimate cannot tell from uneven ones. Ends when
    none is expected to beat the best of this search, or when enough was played.
    """
    skips = task.spec.pe_array.skips
    fewest, most = _CONFIRMED_WALKS if skips else _CONFIRMED
    distinct: dict[tuple[float, object], Mapping] = {}
    for value, mapping in found.ranked:
        if value >= _UNFIT:
            break
        # What costs exactly as much in the same order does the same on other PEs.
        distinct.setdefault((value, (tuple(loop.axis for loop in mapping.off_chip), mapping.hold)), mapping)
    waiting = [(value, mapping, order) for (value, order), mapping in distinct.items()]
    ratios: dict[object, float] = {}
    best, number, played = inf, 0, 0
    while waiting and number < most and (number < 2 or played < _PLAYED_STEPS):
        expected = [value * ratios.get(order, 1.0) for value, _, order in waiting]
        choice = int(np.argmin(expected))
        if number >= fewest and expected[choice] >= best:
            break
        estimate, mapping, order = waiting.pop(choice)
        tried = (mapping,) if skips else (mapping, evened(mapping, task.layer))
        steps = {each: _steps(each, task, coded) for each in tried}
        fitting = [each for each, count in steps.items() if count]
        number += bool(fitting)
        for each in fitting:
            if each not in simulated:
                played += steps[each]
                simulated[each] = simulate_layer(
                    task.layer, each, task.spec, seed=task.seed, residency=task.residency
                ).report
            value = objective_value(simulated[each], task.objective)
            ratios[order] = min(value / estimate, ratios.get(order, inf)) if estimate else 1.0
            best = min(best, value)


def _steps(mapping: Mapping, task: Task, coded: int | None) -> int:
    """Tile steps of a mapping; 0 where the exact tiles do not fit: the estimate's may be too large or too small."""
    try:
        tiles = schedule(task.layer, mapping)
    except InputError:  # more tile steps than can be played
        return 0
    return tiles.steps if within_buffers(buffer_bits(tiles, task.spec, task.residency, coded), task.spec) else 0


def _approach(task: Task, family: str, cost: Cost, budget: Budget, stop: Callable[[], bool]) -> Found:
    """A search for what fits at all, where nothing that came up does: of the rest, what is nearer to fitting."""
    layer, spec = task.layer, task.spec
    have = np.array([max(1.0, kib * 8192) for kib in sizes_kib(spec)])

    def graded(column: MappingColumn) -> NDArray[np.float64]:
        found = costs(layer, column, spec, task.residency, fitting_only=True)
        beyond = np.log(np.maximum(1.0, found.need_bits / have)).sum(axis=1)
        values = cost(column)
        short = np.where(found.steps <= MAX_STEPS, _UNFIT * (1.0 + beyond), np.inf)
        return np.where(np.isfinite(values), values, short)

    return search(map_space(layer, spec, family), graded, budget=budget, seed=task.seed, keep=_CHECKED, stop=stop)


def _misfit(task: Task, coded: int | None, searches: list[Found]) -> InputError:
    """Why nothing fits, told of the mapping that comes nearest to fitting."""
    nearest = [found.ranked[0] for found in searches if found.ranked and found.ranked[0][0] < np.inf]
    if nearest:
        try:
            mapping = min(nearest, key=lambda near: near[0])[1]
            require_fit(schedule(task.layer, mapping), task.spec, task.residency, coded)
        except InputError as error:
            return error
    families = ", ".join(task.families)
    return InputError(f"no mapping of {families} covers layer {task.layer.name}", source=task.spec.name)
