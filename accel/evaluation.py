"""A whole network on an accelerator: layers in graph order, maps kept where they fit, distinct layers run once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from accel.compute import compute
from accel.encode import require_precision, widths
from accel.lower import Residency, require_array
from accel.mapper import QUICK, Objective, map_layer
from accel.mapping_cache import MappingCache, cache_key
from accel.report import LayerReport, Report
from accel.residency import plan, words_from_dram
from accel.simulation import LayerResult, simulate_layer
from accel.spec import Accelerator
from accel.storage import weight_codebook_bits
from accel.transfer import TransferTiming
from accel.vector import vector_layer
from mappings import Mapping as LoopMapping
from mappings.dataflows import DATAFLOWS
from mappings.search import Budget
from workloads import InputError, Layer, Network
from workloads.execute import Execution, execute

Progress = Callable[[int, int, str], None]
"""Called as (done, total, what is being done)."""


class Book(Protocol):
    """Mappings chosen by hand, by layer."""

    @property
    def source(self) -> str: ...

    def mapping_for(self, layer: Layer) -> LoopMapping: ...


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The report, the detailed result of every compute node, and the network's outputs when it ran on an input."""

    report: Report
    results: tuple[tuple[str, LayerResult], ...]
    execution: Execution | None = None

    @property
    def outputs(self) -> Mapping[str, NDArray[np.float64]] | None:
        """Real-valued results by node, or None when no input was given."""
        return None if self.execution is None else self.execution.outputs


def simulate(network: Network, spec: Accelerator, **options: Any) -> Report:
    """The report of `evaluate`, which has the options and the errors."""
    return evaluate(network, spec, **options).report


def evaluate(
    network: Network,
    spec: Accelerator,
    *,
    mapping: str | Book = "auto",
    objective: Objective = "edp",
    budget: Budget = QUICK,
    cache: MappingCache | None = None,
    seed: int = 0,
    inputs: Mapping[str, NDArray[Any]] | None = None,
    progress: Progress | None = None,
    every_step: bool = False,
) -> Evaluation:
    """Simulate a network layer by layer.

    mapping: "auto" (search over the accelerator's dataflows), the name of a dataflow, "any" (search over everything),
    or mappings by layer. budget: how long to search a layer. cache: where to look for mappings first.
    inputs: real input arrays; the network then runs on them in integers, and zeros are those of the run.
    every_step: play each tile step, as a trace needs, instead of skipping what repeats.
    Raises InputError when a layer cannot be mapped, a mapping does not fit, or operands are too wide for the array.
    """
    for layer in network.layers:
        require_precision(layer, spec)
    tell = progress or (lambda done, total, what: None)
    chooser = _Chooser(spec, mapping, objective, budget, cache)
    residencies = _fitting_plan(network, spec, chooser, tell)
    nodes = [node for node in network.nodes if not node.is_address]
    execution = None
    if inputs is not None:
        tell(0, len(nodes), "running the network on its input")
        bits = spec.pe_array.bits
        by_layer = {node.layer.name: residencies[node.name] for node in nodes if node.layer is not None}
        # The sums are those of the mapping's own passes, so a mapping that loses work is seen in the result.
        execution = execute(
            network, inputs, bits.input, bits.weight,
            run_layer=lambda layer: compute(layer, chooser.mapping(layer, by_layer[layer.name])),
            seed=seed, keep_activations=True, codebook_bits=weight_codebook_bits(spec),
        )  # fmt: skip
    rows: list[LayerReport] = []
    results: list[tuple[str, LayerResult]] = []
    known: dict[object, LayerResult] = {}
    for done, node in enumerate(nodes):
        tell(done, len(nodes), node.name)
        residency = residencies[node.name]
        if node.layer is None:
            words = sum(prod(network.shape_of(name)) for name in node.inputs)
            rows.append(vector_layer(node, words, spec, residency, words_from_dram(network, node, residencies)))
            continue
        layer = node.layer if execution is None else execution.runs[node.name].layer
        output = None if execution is None else execution.activations[node.name].values
        key = (replace(layer, name="", tensors=None), residency) if layer.tensors is None else node.name
        if key not in known:
            nest = chooser.mapping(node.layer, residency)
            known[key] = simulate_layer(
                layer, nest, spec, seed=seed, residency=residency, output=output, every_step=every_step
            )
        results.append((node.name, known[key]))
        rows.append(replace(known[key].report, layer=node.name))
    tell(len(nodes), len(nodes), "done")
    report = Report(
        network=network.name,
        accelerator=spec.name,
        layers=tuple(rows),
        clock_mhz=spec.clock_mhz,
        peak_macs_per_cycle=_peak(network, spec),
        dram_bits_per_cycle=TransferTiming.of(spec).peak_bits_per_cycle,
        prefetched_cycles=_prefetched(results, spec),
        context=_context(network, spec, seed, results),
    )
    return Evaluation(report, tuple(results), execution)


class _Chooser:
    """The mapping of each distinct layer, found once."""

    def __init__(
        self, spec: Accelerator, mapping: str | Book, objective: Objective, budget: Budget, cache: MappingCache | None
    ) -> None:
        if isinstance(mapping, str) and mapping not in ("auto", "any", *DATAFLOWS):
            raise InputError(
                f'unknown mapping "{mapping}": auto, any, a mapping file, or one of {", ".join(DATAFLOWS)}'
            )
        self._budget = budget
        self._cache = cache
        self._spec = spec
        self._mapping = mapping
        self._objective = objective
        self._found: dict[object, LoopMapping] = {}

    def mapping(self, layer: Layer, residency: Residency) -> LoopMapping:
        if not isinstance(self._mapping, str):
            return self._by_hand(self._mapping, layer)
        plain = replace(layer, name="", tensors=None)
        key = (plain, residency)
        if key not in self._found:
            dataflow = None if self._mapping == "auto" else self._mapping
            self._found[key] = self._search(replace(layer, tensors=None), dataflow, residency)
        return self._found[key]

    def _by_hand(self, book: Book, layer: Layer) -> LoopMapping:
        found = book.mapping_for(layer)
        try:
            require_array(found, layer, self._spec)
            found.check(layer)
        except InputError as error:
            raise InputError(str(error), source=book.source) from None
        return found

    def _search(self, layer: Layer, dataflow: str | None, residency: Residency) -> LoopMapping:
        spec, objective, budget, cache = self._spec, self._objective, self._budget, self._cache
        key = cache_key(layer, spec, dataflow, objective, residency, budget, seed=0) if cache else ""
        found = cache.find(key, layer) if cache else None
        if found is None:
            found = map_layer(layer, spec, dataflow=dataflow, objective=objective, residency=residency, budget=budget)
            if cache:
                cache.store(key, found)
        return found


def _fitting_plan(network: Network, spec: Accelerator, chooser: _Chooser, tell: Progress) -> dict[str, Residency]:
    """A residency plan beside which every layer's tiles fit; layers that find no room take kept maps off the chip."""
    computes = [node for node in network.nodes if node.layer is not None]
    refused: list[str] = []
    while True:
        residencies = plan(network, spec, refused)
        for done, node in enumerate(computes):
            if node.layer is None:
                continue
            tell(done, len(computes), f"mapping {node.name}")
            try:
                chooser.mapping(node.layer, residencies[node.name])
            except InputError:
                if residencies[node.name].reserved_bits == 0:
                    raise
                refused.append(node.name)
                break
        else:
            return residencies


def _peak(network: Network, spec: Accelerator) -> float:
    """MACs a cycle of the layer that allows the most: the one of the narrowest operands, where they are faster."""
    array, found = spec.pe_array, [widths(layer.bits, spec) for layer in network.layers]
    return max((array.macs_per_cycle_at(width.input, width.weight) for width in found), default=array.multipliers)


def _prefetched(results: list[tuple[str, LayerResult]], spec: Accelerator) -> int:
    """Cycles saved by loading a layer's first weights while the DMA idles at the end of the layer before."""
    if not spec.weight_buffer.double_buffered:
        return 0
    activities = [result.activity for _, result in results]
    return sum(min(after.lead_cycles, before.idle_tail_cycles) for before, after in pairwise(activities))


def _context(network: Network, spec: Accelerator, seed: int, results: list[tuple[str, LayerResult]]) -> dict[str, Any]:
    """What it takes to run this again, and what to cite."""
    from mappings.text import to_text

    return {
        "citations": {"network": network.citation, "accelerator": spec.citation},
        "seed": seed,
        "versions": {name: _version(name) for name in ("dnn-accel-sim", "numpy", "numba", "simpy", "pandas")},
        "spec": spec.model_dump(),
        "mappings": {name: to_text(result.schedule.mapping).splitlines() for name, result in results},
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
