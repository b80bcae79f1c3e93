"""The automatic mapping: searches a layer's map space with the estimate, and lets the simulation decide at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.bounds import Bounds, bounds, unrolling_bound
from accel.closed_form import costs
from accel.confirming import UNFIT, Confirmation
from accel.encode import require_precision, widths
from accel.fit import sizes_kib
from accel.known_zeros import KnownZeros
from accel.mapping_cache import MappingCache
from accel.named import AcceleratorSource, LayerSource, accelerator_of, layer_of
from accel.objective import with_ties_broken
from accel.planes import planes_fit
from accel.report import LayerReport
from accel.simulation import LayerResult, simulate_layer
from accel.task import QUICK, Task, fits_buffers, map_space
from mappings import Budget, Found, Mapping, MapSpace, search
from mappings.column import MappingColumn
from mappings.schedule import MAX_STEPS
from mappings.searching import Cost, never
from mappings.sparing import sparing
from workloads import InputError, Layer, Operand

_CHECKED = 64
"""So many of the best of each search are kept, to be confirmed."""
_SPARED = 3
"""So many of them are tried with fewer registers."""
_WORTH_SPARING = 0.99
"""That is for nothing unless it costs less than so much of what it did: estimates are off by about as much."""


@dataclass(frozen=True, slots=True)
class MappedLayer:
    """The mapping chosen for a layer, its simulated report, and what it was chosen from.

    `alternatives` are the other mappings that were simulated, best first, with their reports. `costed` mappings were
    estimated in `seconds`; `exhaustive`: all there are. `interrupted`: the search was, and this is the best so far.
    `offered`: it came from the mappings offered, and the search had found none as good. `passed_over`: why some of
    those were.
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
    offered: bool = False
    passed_over: tuple[InputError, ...] = ()


class NoMapping(InputError):
    """No mapping of a layer fits the accelerator; nothing else is wrong with either."""

    # What copies it to another process calls it with the line alone, and then sets what else it holds.
    def __init__(self, line: str, layer: Layer | None = None) -> None:
        super().__init__(line)
        self.layer = layer


def map_layer(layer: LayerSource, spec: AcceleratorSource, **options: Any) -> Mapping:
    """The mapping of `find_mapping`, which has the options and the errors."""
    return find_mapping(layer, spec, **options)[0]


def find_mapping(
    layer: LayerSource, spec: AcceleratorSource, *, cache: MappingCache | None = None, **options: Any
) -> tuple[Mapping, LayerResult | None]:
    """The mapping of a `Task` of these options: from the cache, or, with its simulation, as `explore` finds it.

    The layer may be given as "NET:LAYER", the accelerator by name or file.
    Ctrl-C ends it without a mapping: it is for runs of many layers. Raises InputError as `explore` does.
    """
    task = Task(layer_of(layer), accelerator_of(spec), **options)
    known = task.recall(cache)
    if known is not None:
        return known, None
    mapped, result = _explored(task, cache, never)
    if mapped.interrupted:
        raise KeyboardInterrupt
    return mapped.mapping, result


def explore(
    layer: LayerSource,
    spec: AcceleratorSource,
    *,
    cache: MappingCache | None = None,
    recall: bool = False,
    offered: Sequence[Mapping] = (),
    stop: Callable[[], bool] = never,
    **options: Any,
) -> MappedLayer:
    """Search the map spaces of a `Task` of these options, and simulate the best few mappings of each.

    The layer may be given as "NET:LAYER", the accelerator by name or file.
    The search knows what a layer's zeros save off chip and in the buffers, and what they are expected to save where the
    array skips them. The cache takes what is found; recall: a mapping in it stands for a search, and its alternatives.
    offered: mappings known from elsewhere, such as smaller hardware. The result is never worse than any of them that is
    of the task's dataflows and fits; they change neither the search nor what the cache takes.
    Ctrl-C, or `stop` saying True, ends the search with the best so far, of the offered too; KeyboardInterrupt is raised
    when there is none yet.
    Raises InputError: NoMapping if no mapping fits, naming a buffer, the operand and the least size that would do, or
    why else the one nearest to fitting cannot be simulated.
    """
    return _explored(Task(layer_of(layer), accelerator_of(spec), **options), cache, stop, recall, offered)[0]


def _explored(
    task: Task,
    cache: MappingCache | None,
    stop: Callable[[], bool],
    recall: bool = False,
    offered: Sequence[Mapping] = (),
) -> tuple[MappedLayer, LayerResult]:
    """As `explore`, with the whole simulation of the mapping chosen."""
    require_precision(task.layer, task.spec)
    zeros = task.known_zeros()
    confirmed = Confirmation(task)
    known = task.recall(cache) if recall else None
    searches: list[Found] = []
    nearer: list[Found] = []
    interrupted = False
    if known is None or confirmed.simulate(known) is None:
        cost = _cost(task, zeros)
        searches, interrupted = _confirmed(task, confirmed, _searcher(task, cost, zeros, stop))
        if confirmed.best is None and not interrupted:
            nearer, interrupted = _confirmed(task, confirmed, lambda family: _approach(task, family, cost, stop))
            searches += nearer
    plain = confirmed.best
    if searches and plain is not None and not interrupted:
        task.keep(cache, confirmed.ranked[0][0])
    # Only now: what is offered must not lead a search, nor stand in the cache for what one finds.
    passed_over = confirmed.offer(offered)
    if confirmed.best is None and interrupted:
        raise KeyboardInterrupt
    if confirmed.best is None:
        raise _misfit(task, nearer, passed_over)
    (mapping, report), *rest = confirmed.ranked
    mapped = MappedLayer(
        task.layer, mapping, report, bounds(task.layer, task.spec, task.residency, zeros), tuple(rest),
        sum(found.costed for found in searches), sum(found.seconds for found in searches),
        bool(searches) and all(found.exhaustive for found in searches), interrupted,
        confirmed.best is not plain, passed_over,
    )  # fmt: skip
    return mapped, confirmed.best


def _cost(task: Task, zeros: KnownZeros) -> Cost:
    """What the search minimises: the closed form of the objective."""
    layer, spec = task.layer, task.spec

    def cost(column: MappingColumn) -> NDArray[np.float64]:
        found = costs(layer, column, spec, task.residency, zeros, fitting_only=True)
        values = found.objective(task.objective)
        if task.whole_costs:
            values = with_ties_broken(values, found, task.objective)
        return np.where(planes_fit(layer, column, spec) & (found.steps <= MAX_STEPS), values, np.inf)

    return cost


def _confirmed(task: Task, confirmed: Confirmation, search_of: Callable[[str], Found]) -> tuple[list[Found], bool]:
    """The search of each space, the best of each confirmed; and whether Ctrl-C ended that early.

    Raises KeyboardInterrupt when that leaves nothing at all.
    """
    searches: list[Found] = []
    try:
        for family in task.families:
            searches.append(search_of(family))
            confirmed.take(searches[-1])
            if searches[-1].interrupted:
                return searches, True
    except KeyboardInterrupt:
        if confirmed.best is None and searches:
            # The first simulation was broken off: a search is not to be lost for it, and another Ctrl-C ends this one.
            confirmed.take(replace(searches[-1], ranked=searches[-1].ranked[:1]))
        if confirmed.best is None:
            raise
        return searches, True
    return searches, False


def _searcher(task: Task, cost: Cost, zeros: KnownZeros, stop: Callable[[], bool]) -> Callable[[str], Found]:
    """Searches the space of a dataflow."""
    layer, spec = task.layer, task.spec
    coded = zeros.storage.held_bits[Operand.WEIGHT]
    share = 1.0 if coded is None else coded / (layer.words(Operand.WEIGHT) * widths(layer.bits, spec).weight)
    fits = fits_buffers(layer, spec, task.residency, share)
    bound = None if spec.pe_array.skips else unrolling_bound(layer, spec, task.residency, task.objective, zeros)

    def search_of(family: str) -> Found:
        space = map_space(layer, spec, family, fits)
        found = search(
            space, cost, bound=bound, budget=task.share, seed=task.seed, keep=_CHECKED, stop=stop,
            whole_costs=task.whole_costs,
        )  # fmt: skip
        try:
            return found if found.interrupted else _spared(found, space, cost)
        except KeyboardInterrupt:
            return replace(found, interrupted=True)

    return search_of


def _spared(found: Found, space: MapSpace, cost: Cost) -> Found:
    """What was found, and the best of it with fewer registers in use where that costs clearly less."""
    tried = [(value, fewer) for value, mapping in found.ranked[:_SPARED] for fewer in sparing(mapping, space.array)]
    costed = [float(cost(MappingColumn.of([fewer]))[0]) for _, fewer in tried]
    better = [
        (less, fewer) for less, (value, fewer) in zip(costed, tried, strict=True) if less < _WORTH_SPARING * value
    ]
    ranked = sorted((*found.ranked, *better), key=lambda entry: entry[0])
    return replace(found, ranked=tuple(ranked), costed=found.costed + len(tried))


def _approach(task: Task, family: str, cost: Cost, stop: Callable[[], bool]) -> Found:
    """A search for what fits at all, where nothing that came up does: of the rest, what is nearer to fitting."""
    layer, spec = task.layer, task.spec
    have = np.array([max(1.0, kib * 8192) for kib in sizes_kib(spec)])

    def graded(column: MappingColumn) -> NDArray[np.float64]:
        found = costs(layer, column, spec, task.residency, fitting_only=True)
        beyond = np.log(np.maximum(1.0, found.need_bits / have)).sum(axis=1)
        values = cost(column)
        short = np.where(found.steps <= MAX_STEPS, UNFIT * (1.0 + beyond), np.inf)
        return np.where(np.isfinite(values), values, short)

    # However short the search was to be: that nothing fits is said only after a look around.
    in_time = [Budget(QUICK.mappings), task.share]
    budgets = in_time if task.share.seconds else [Budget(max(QUICK.mappings, task.share.mappings))]
    space = map_space(layer, spec, family)
    looks: list[Found] = []
    for budget in budgets:
        looks.append(search(space, graded, budget=budget, seed=task.seed, keep=_CHECKED, stop=stop))
        if looks[-1].interrupted or _nearness(looks[-1]) < UNFIT:
            break
    # A look of so many seconds may see less than the one before it.
    return replace(min(looks, key=_nearness), interrupted=looks[-1].interrupted)


def _nearness(found: Found) -> float:
    return found.ranked[0][0] if found.ranked else np.inf


def _misfit(task: Task, searches: list[Found], passed_over: Sequence[InputError]) -> NoMapping:
    """Why nothing fits, told of the mapping that comes nearest to fitting, and of the first that was offered."""
    nearest = [found.ranked[0] for found in searches if found.ranked and found.ranked[0][0] < np.inf]
    if nearest:
        mapping = min(nearest, key=lambda near: near[0])[1]
        try:
            simulate_layer(task.layer, mapping, task.spec, seed=task.seed, residency=task.residency)
        except InputError as error:
            return NoMapping(f"{error}; offered: {passed_over[0]}" if passed_over else str(error), task.layer)
    families = ", ".join(task.families)
    return NoMapping(f"{task.spec.name}: no mapping of {families} covers layer {task.layer.name}", task.layer)
