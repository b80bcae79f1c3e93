"""Which maps are worth keeping on chip, and with which tiles: decided for all layers that a map ties together.

A kept map saves its way to the DRAM and back, and takes room from the tiles of every operation that runs while it
lives. So producer and consumer are costed together, each with the best tiles for the room it has in either case, and
the map stays where the network's objective gains. Costs here are estimates of the dataflows' own candidates; the
mappings of the plan that wins are then searched and simulated like all others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import prod

import numpy as np

from accel.closed_form import costs
from accel.objective import Objective
from accel.residency import MapLives, Residency, words_from_dram
from accel.spec import Accelerator
from accel.tally import Tally
from accel.task import map_space
from accel.vector import vector_layer
from mappings.column import MappingColumn
from workloads import Layer, Network

_SWEEPS = 3
"""A map tried in vain may be worth keeping once others have changed place: at most so many times over all."""


class KeepingCosts:
    """What each operation of a network costs at best, by estimate, for what is kept around it; found once."""

    def __init__(
        self, network: Network, spec: Accelerator, lives: MapLives, dataflow: str | None, objective: Objective
    ) -> None:
        self._network, self._spec, self._lives = network, spec, lives
        self._dataflow, self._objective = dataflow, objective
        self._seeds: dict[Layer, list[MappingColumn]] = {}
        self._layers: dict[tuple[Layer, Residency], Tally | None] = {}

    def at(self, place: int, kept: Collection[str]) -> Tally | None:
        """The cost of the operation at a place; None when its tiles do not fit beside what is kept.

        A layer that fits nowhere by estimate (its weights are held coded, say) costs nothing: it does not decide.
        """
        node = self._lives.nodes[place]
        residency = self._lives.residency(place, kept)
        if node.layer is None:
            words = sum(prod(self._network.shape_of(name)) for name in node.inputs)
            read = words_from_dram(self._network, node, kept)
            return Tally.of([vector_layer(node, words, self._spec, residency, read)])
        layer = replace(node.layer, name="", tensors=None)
        found = self._layer(layer, residency)
        return Tally() if found is None and self._layer(layer, Residency()) is None else found

    def squeezed(self, place: int, kept: Collection[str]) -> bool:
        """Whether kept maps make the layer at a place worse than it would be with as much room as there is."""
        node, residency = self._lives.nodes[place], self._lives.residency(place, kept)
        if node.layer is None:
            return False
        free = self._layer(replace(node.layer, name="", tensors=None), replace(residency, reserved_bits=0))
        return self.at(place, kept) != (free or Tally())

    def _layer(self, layer: Layer, residency: Residency) -> Tally | None:
        key = (layer, residency)
        if key not in self._layers:
            if layer not in self._seeds:
                self._seeds[layer] = map_space(layer, self._spec, self._dataflow).seeds()
            self._layers[key] = best_estimate(layer, self._seeds[layer], self._spec, residency, self._objective)
        return self._layers[key]


def best_estimate(
    layer: Layer, columns: list[MappingColumn], spec: Accelerator, residency: Residency, objective: Objective
) -> Tally | None:
    """The estimate of the best mapping among columns; None when none fits."""
    best: tuple[float, Tally] | None = None
    for column in columns:
        found = costs(layer, column, spec, residency)
        values = found.objective(objective)
        least = int(np.argmin(values))
        if values[least] < (np.inf if best is None else best[0]):
            latency, energy, bits = found.latency_cycles[least], found.energy_pj[least], found.dram_bits[least]
            best = float(values[least]), Tally(float(latency), float(energy), float(bits))
    return None if best is None else best[1]


def choose_maps(lives: MapLives, costs: KeepingCosts, objective: Objective) -> tuple[frozenset[str], bool]:
    """(maps to keep, whether that is sure to be no worse than keeping none).

    Starts from all maps that fit in graph order and from none, changes one map at a time as long as the objective
    gains, and takes the better end. It is sure when no layer misses the room that the kept maps take.
    """
    first = _Choice(lives, costs, objective, lives.greedy())
    if all(map_.bits == 0 or name in first.kept for name, map_ in lives.lives.items()) and not first.squeezed():
        return first.kept, True
    first.improve()
    if not first.squeezed():
        return first.kept, True
    second = _Choice(lives, costs, objective, frozenset())
    second.improve()
    best = min(first, second, key=lambda choice: choice.total.objective(objective))
    return best.kept, not best.squeezed()


class _Choice:
    """A set of kept maps, with what every operation costs beside them."""

    def __init__(self, lives: MapLives, costs: KeepingCosts, objective: Objective, kept: frozenset[str]) -> None:
        self._lives, self._costs, self._objective = lives, costs, objective
        self.kept = kept
        for place in range(len(lives.nodes)):
            if costs.at(place, self.kept) is None:
                self.kept -= frozenset(lives.alive_at(self.kept, place))
        found = [costs.at(place, self.kept) or Tally() for place in range(len(lives.nodes))]
        self._each = dict(enumerate(found))
        self.total = sum(found, Tally())

    def squeezed(self) -> bool:
        return any(self._costs.squeezed(place, self.kept) for place in self._each)

    def improve(self) -> None:
        """Keep or let go one map at a time, in graph order, while that makes the network better."""
        for _ in range(_SWEEPS):
            before = self.kept
            for name in self._lives.lives:
                self._try(name)
            if self.kept == before:
                return

    def _try(self, name: str) -> None:
        places = self._lives.lives[name].places
        changed = self.kept ^ {name}
        if name not in self.kept and not self._lives.fits(changed, name):
            return
        if name in self.kept and not any(self._costs.squeezed(place, self.kept) for place in places):
            return
        found = {place: self._costs.at(place, changed) for place in places}
        total = self.total
        for place, cost in found.items():
            if cost is None:
                return
            total = total - self._each[place] + cost
        if total.objective(self._objective) < self.total.objective(self._objective) * (1 - 1e-9):
            self.kept, self.total = changed, total
            self._each.update({place: cost for place, cost in found.items() if cost is not None})
