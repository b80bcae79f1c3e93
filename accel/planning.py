"""What stays on chip between the layers of a network: whole maps, bands of fused pairs, first weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from accel.banding import BandSearch
from accel.fusion import FusedPair, Fuser, Half
from accel.keeping import KeepingCosts, choose_maps
from accel.objective import Objective
from accel.report import LayerReport
from accel.residency import MapLives, Residency, words_from_dram
from accel.simulation import LayerResult, simulate_layer
from accel.sparse_work import Work
from accel.spec import Accelerator
from accel.tally import Tally
from accel.vector import vector_layer
from mappings import Mapping
from workloads import InputError, Layer, Network

Progress = Callable[[int, int, str], None]
"""Called as (done, total, what is being done)."""


class Chooser(Protocol):
    """Finds the mapping of a layer: by a search within `dataflow` for `objective`, or in a book of given ones."""

    @property
    def searches(self) -> bool: ...

    @property
    def dataflow(self) -> str | None: ...

    @property
    def objective(self) -> Objective: ...

    @property
    def kept(self) -> frozenset[str] | None:
        """The maps that given mappings keep on chip; None where these are to be chosen."""

    def mapping(self, layer: Layer, residency: Residency) -> Mapping: ...

    def simulated(self, layer: Layer, residency: Residency) -> LayerResult | None:
        """What the search simulated of the mapping it chose for this very layer, on the operands drawn by its name.

        Handed out once; None of a layer with tensors, or where the mapping was known.
        """


class NetworkSimulator:
    """The row of every operation for what is kept on chip around it; equal layers are simulated once.

    Layers of the names in `without` have none.
    """

    def __init__(
        self, network: Network, spec: Accelerator, chooser: Chooser, seed: int, without: Collection[str] = ()
    ) -> None:
        self.network, self.spec, self.chooser = network, spec, chooser
        self.lives = MapLives.of(network, spec, without)
        self._seed = seed
        self._known: dict[object, LayerResult] = {}

    def without(self, names: Collection[str]) -> NetworkSimulator:
        """The same, with layers of these names left out."""
        return NetworkSimulator(self.network, self.spec, self.chooser, self._seed, names)

    def mapping(self, place: int, kept: frozenset[str], half: Half | None) -> Mapping:
        """The mapping of the layer at a place. Raises InputError when none fits."""
        layer = self.lives.nodes[place].layer
        if half is not None and half.mapping is not None:
            return half.mapping
        assert layer is not None
        return self.chooser.mapping(layer, self.lives.residency(place, kept))

    def run(
        self, place: int, kept: frozenset[str], half: Half | None, layer: Layer | None,
        output: NDArray[np.integer] | None = None, work: Work | None = None, every_step: bool = False,
    ) -> tuple[LayerReport, LayerResult | None]:  # fmt: skip
        """(row, detailed result) of the operation at a place; `layer` with the tensors it runs on, if any.

        `output`, `work`: as for `simulate_layer`.
        """
        node = self.lives.nodes[place]
        residency = self.lives.residency(place, kept) if half is None else half.residency
        if layer is None:
            if half is not None:
                return half.row, None
            words = sum(prod(self.network.shape_of(name)) for name in node.inputs)
            return vector_layer(node, words, self.spec, residency, words_from_dram(self.network, node, kept)), None
        nest = self.mapping(place, kept, half)
        same = replace(layer, name="", tensors=None) if layer.tensors is None else node.name
        key = (same, residency, nest, every_step)
        if key not in self._known:
            confirmed = None if every_step or half is not None else self.chooser.simulated(layer, residency)
            self._known[key] = confirmed or simulate_layer(
                layer, nest, self.spec, seed=self._seed, residency=residency, output=output, work=work,
                every_step=every_step,
            )  # fmt: skip
        found = self._known[key]
        return replace(found.report, layer=node.name, fused_with="" if half is None else half.row.fused_with), found

    def rows(
        self, kept: frozenset[str], pairs: Sequence[FusedPair] = ()
    ) -> tuple[list[LayerReport], list[tuple[str, LayerResult]]]:
        """(rows, results of layers) on drawn operands."""
        halves = {name: half for pair in pairs for name, half in pair.by_name.items()}
        found = [
            self.run(place, kept, halves.get(node.name), node.layer and replace(node.layer, tensors=None))
            for place, node in enumerate(self.lives.nodes)
        ]
        return [row for row, _ in found], [(row.layer, result) for row, result in found if result is not None]

    def total(self, kept: frozenset[str], pairs: Sequence[FusedPair] = ()) -> Tally:
        """Sums over the network, as its report has them."""
        rows, results = self.rows(kept, pairs)
        return Tally.of(rows, self.prefetched_cycles(results, pairs))

    def prefetched_cycles(self, results: list[tuple[str, LayerResult]], pairs: Sequence[FusedPair]) -> int:
        """Cycles saved by loading a layer's first weights while the DMA idles at the end of the layer before.

        Within a fused pair nothing is saved: the consumer's first turn begins in the middle of the producer. Nor is it
        after a layer that is not simulated: how long the DMA idles there is not known.
        """
        if not self.spec.weight_buffer.double_buffered:
            return 0
        following = set(pairwise(node.name for node in self.network.nodes if node.layer is not None))
        following -= {(pair.producer, pair.consumer) for pair in pairs}
        return sum(
            min(after.activity.lead_cycles, before.activity.idle_tail_cycles)
            for (name, before), (next_name, after) in pairwise(results)
            if (name, next_name) in following
        )


def kept_maps(simulator: NetworkSimulator, tell: Progress) -> frozenset[str]:
    """The maps that stay on chip: of the plans worth a simulation, the one with the best objective.

    These are what `choose_maps` finds, all maps that fit in graph order, and, where kept maps take room from a layer,
    none at all. Raises `NoMapping` for a layer that finds no room although nothing is kept beside it, and InputError
    where maps that are given with the mappings cannot be kept.
    """
    lives, spec, chooser = simulator.lives, simulator.spec, simulator.chooser
    if chooser.kept is not None:
        _require_room(lives, chooser.kept, spec)
        return chooser.kept
    if not spec.data_buffer.keep_maps:
        return _fitting(lives, frozenset(), chooser, tell)
    if not chooser.searches:
        return _fitting(lives, lives.greedy(), chooser, tell)
    tell(0, len(lives.nodes), "choosing the maps to keep")
    costs = KeepingCosts(simulator.network, spec, lives, chooser.dataflow, chooser.objective)
    chosen, sure = choose_maps(lives, costs, chooser.objective)
    plans = [chosen, lives.greedy()] if sure else [chosen, lives.greedy(), frozenset()]
    fitting = list(dict.fromkeys(_fitting(lives, plan, chooser, tell) for plan in dict.fromkeys(plans)))
    if len(fitting) == 1:
        return fitting[0]
    return min(fitting, key=lambda kept: simulator.total(kept).objective(chooser.objective))


def _require_room(lives: MapLives, kept: frozenset[str], spec: Accelerator) -> None:
    """Raise InputError unless the accelerator can keep these maps; whether tiles fit beside them is seen later."""
    for name in sorted(kept):
        if name not in lives.lives:
            raise InputError(f'map "{name}" is to stay on chip: {spec.name} runs nothing that makes and reads it')
        if not spec.data_buffer.keep_maps or not lives.fits(kept, name):
            raise InputError(f'data_buffer of {spec.name} cannot keep map "{name}" on chip')


def _fitting(lives: MapLives, kept: frozenset[str], chooser: Chooser, tell: Progress) -> frozenset[str]:
    """The kept maps beside which every layer's tiles fit; layers that find no room take kept maps off the chip."""
    while True:
        for place, node in enumerate(lives.nodes):
            if node.layer is None:
                continue
            tell(place, len(lives.nodes), f"mapping {node.name}")
            residency = lives.residency(place, kept)
            try:
                chooser.mapping(node.layer, residency)
            except InputError:
                if residency.reserved_bits == 0:
                    raise
                kept -= frozenset(lives.alive_at(kept, place))
                break
        else:
            return kept


def fused_pairs(
    simulator: NetworkSimulator, kept: frozenset[str], how: BandSearch, tell: Progress
) -> tuple[FusedPair, ...]:
    """Pairs that improve the objective, the one that promises most first; each operation is in one at most."""
    fuser = Fuser(simulator.network, simulator.lives, kept, how)
    nodes = simulator.lives.nodes
    rows, _ = simulator.rows(kept)
    best = simulator.total(kept)
    promising = []
    for place in fuser.candidates():
        tell(place, len(nodes), f"fusing {nodes[place].name}")
        found = fuser.best_split(place, best - Tally.of(rows[place : place + 2]))
        if found is not None and found[0] < best.objective(how.objective):
            promising.append((found[0], place, found[1]))
    pairs: list[FusedPair] = []
    taken: set[int] = set()
    for _, place, split in sorted(promising, key=lambda entry: entry[:2]):
        if taken & {place, place + 1}:
            continue
        tell(place, len(nodes), f"fusing {nodes[place].name}")
        pair = fuser.pair(place, split)
        total = None if pair is None else simulator.total(kept, [*pairs, pair])
        if pair is not None and total is not None and total.objective(how.objective) < best.objective(how.objective):
            best = total
            pairs.append(pair)
            taken |= {place, place + 1}
    return tuple(pairs)
