"""A whole network on an accelerator: layers in graph order, maps kept where they fit, distinct layers run once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from accel.banding import BandSearch
from accel.compute import compute
from accel.encode import require_precision, widths
from accel.fit import require_array
from accel.mapper import find_mapping
from accel.mapping_cache import MappingCache
from accel.named import AcceleratorSource, NetworkSource, accelerator_of, network_of
from accel.network_mapping import NetworkMapping
from accel.objective import Objective
from accel.planning import NetworkSimulator, Progress, fused_pairs, kept_maps
from accel.report import LayerReport, Report
from accel.residency import Residency
from accel.simulation import LayerResult
from accel.skipping import skipped_work
from accel.sparse_work import Work
from accel.spec import Accelerator
from accel.storage import weight_codebook_bits
from accel.task import QUICK, require_wishes
from accel.transfer import TransferTiming
from accel.unmapped import without_unmapped
from mappings import Budget
from mappings import Mapping as LoopMapping
from mappings.dataflows import DATAFLOWS
from workloads import InputError, Layer, Network, Node
from workloads.execute import Execution, LayerRun, convolve_integers, execute
from workloads.execute.quantised import Quantised
from workloads.plain import plain


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
    kept: frozenset[str] = frozenset()
    """Names of the maps that stay on chip."""

    @property
    def mapping(self) -> NetworkMapping:
        """What it takes to run the network like this again, where it has a mapping of every layer.

        Pairs that were fused would run one after the other, each still in bands.
        """
        return NetworkMapping({name: result.schedule.mapping for name, result in self.results}, self.kept)

    @property
    def outputs(self) -> Mapping[str, NDArray[np.float64]] | None:
        """Real-valued results by node, or None when no input was given."""
        return None if self.execution is None else self.execution.outputs


def simulate(network: NetworkSource, spec: AcceleratorSource, **options: Any) -> Report:
    """The report of `evaluate`, which has the options and the errors."""
    return evaluate(network, spec, **options).report


def evaluate(
    network: NetworkSource,
    spec: AcceleratorSource,
    *,
    mapping: str | Book = "auto",
    objective: Objective = "edp",
    budget: Budget = QUICK,
    cache: MappingCache | None = None,
    seed: int = 0,
    inputs: Mapping[str, NDArray[Any]] | None = None,
    progress: Progress | None = None,
    every_step: bool = False,
    fuse: bool = False,
    partial: bool = False,
) -> Evaluation:
    """Simulate a network layer by layer.

    network, spec: themselves, or names or files that `workloads.load` and `accel.load` take.
    mapping: "auto" (search over the accelerator's dataflows), the name of a dataflow, "any" (search over everything),
    mappings by layer, or a `NetworkMapping`, which says what is kept on chip too.
    objective: what the search minimises, and the choice of maps that are kept on chip. budget: how long to
    search a layer. cache: where to look for mappings first.
    inputs: real input arrays; the network then runs on them in integers, and zeros are those of the run.
    every_step: play each tile step, as a trace needs, instead of skipping what repeats.
    fuse: run pairs of operations band by band where that improves the objective, as `accel.fusion` says.
    partial: leave out layers that the search finds no mapping for, as `accel.unmapped` says, while there are others;
    `report.unmapped` says why.
    Raises InputError when a network or accelerator is not to be had, a layer cannot be mapped, a mapping does not fit,
    operands are too wide for the array, or for a mapping, an objective, a budget or a seed that there is not.
    """
    network, spec, seed = network_of(network), accelerator_of(spec), plain(seed)
    require_wishes(objective, budget, seed)
    for each in network.layers:
        require_precision(each, spec)
    tell = progress or (lambda done, total, what: None)
    chooser = _Chooser(spec, mapping, objective, budget, cache, seed)
    if fuse and not chooser.searches:
        raise InputError("fused pairs need mappings of their own: leave the mapping file out, or do not fuse")
    simulator = NetworkSimulator(network, spec, chooser, seed)
    unmapped: dict[str, str] = {}
    if partial:
        simulator, kept, unmapped = without_unmapped(simulator, tell)
    else:
        kept = kept_maps(simulator, tell)
    how = BandSearch(spec, chooser.dataflow, objective, budget, seed)
    pairs = fused_pairs(simulator, kept, how, tell) if fuse else ()
    halves = {name: half for pair in pairs for name, half in pair.by_name.items()}
    nodes = simulator.lives.nodes
    rows: list[LayerReport] = []
    results: list[tuple[str, LayerResult]] = []

    def add(
        place: int, layer: Layer | None, output: NDArray[np.integer] | None = None, work: Work | None = None
    ) -> None:
        name = nodes[place].name
        tell(place, len(nodes), name)
        row, result = simulator.run(place, kept, halves.get(name), layer, output, work, every_step)
        rows.append(row)
        if result is not None:
            results.append((name, result))

    execution = None
    if inputs is None:
        for place, node in enumerate(nodes):
            add(place, node.layer)
    else:
        places = {node.name: place for place, node in enumerate(nodes)}
        nests = {
            node.layer.name: simulator.mapping(place, kept, halves.get(node.name))
            for place, node in enumerate(nodes)
            if node.layer is not None
        }
        run = _OnArray(spec, nests)

        def finished(node: Node, output: Quantised, done: LayerRun | None) -> None:
            if node.name not in places:
                return
            if done is None:
                add(places[node.name], None)
            else:
                add(places[node.name], done.layer, output.values, run.work)

        execution = execute(
            network, inputs, spec.pe_array.bits.input, spec.pe_array.bits.weight, run_layer=run, seed=seed,
            codebook_bits=weight_codebook_bits(spec), finished=finished,
        )  # fmt: skip
    tell(len(nodes), len(nodes), "done")
    report = Report(
        network=network.name,
        accelerator=spec.name,
        layers=tuple(rows),
        clock_mhz=spec.clock_mhz,
        peak_macs_per_cycle=_peak([node.layer for node in nodes if node.layer is not None], spec),
        dram_bits_per_cycle=TransferTiming.of(spec).peak_bits_per_cycle,
        prefetched_cycles=simulator.prefetched_cycles(results, pairs),
        context=_context(network, spec, objective, seed, results)
        | {
            "budget": asdict(budget) if chooser.searches else None,
            "fused": [pair.summary() for pair in pairs],
        },
        unmapped=unmapped,
    )
    return Evaluation(report, tuple(results), execution, kept)


class _OnArray:
    """Computes a layer by its mapping's own passes, so that one that loses work is seen in the result.

    On an array that skips, the sums are of the products its PEs form, and `work` is what the last layer took them.
    A layer without a mapping is computed by definition: those after it need its outputs.
    """

    def __init__(self, spec: Accelerator, mappings: Mapping[str, LoopMapping]) -> None:
        self._spec, self._mappings = spec, mappings
        self.work: Work | None = None

    def __call__(self, layer: Layer) -> NDArray[np.int64]:
        nest = self._mappings.get(layer.name)
        if nest is None:
            return convolve_integers(layer)
        if not self._spec.pe_array.skips or layer.tensors is None:
            return compute(layer, nest)
        work = skipped_work(layer, layer.tensors, nest, self._spec, values=True)
        assert work.outputs is not None
        self.work = replace(work, outputs=None)
        return work.outputs


class _Chooser:
    """The mapping of each distinct layer, found once."""

    def __init__(
        self, spec: Accelerator, mapping: str | Book, objective: Objective, budget: Budget, cache: MappingCache | None,
        seed: int,
    ) -> None:  # fmt: skip
        known = mapping in ("auto", "any", *DATAFLOWS) if isinstance(mapping, str) else hasattr(mapping, "mapping_for")
        if not known:
            given = f'"{mapping}"' if isinstance(mapping, str) else repr(mapping)
            raise InputError(f"unknown mapping {given}: auto, any, a mapping file, or one of {', '.join(DATAFLOWS)}")
        self._budget = budget
        self._cache = cache
        self._spec = spec
        self._mapping = mapping
        self._objective = objective
        self._seed = seed
        self._found: dict[object, LoopMapping] = {}
        self._simulated: dict[tuple[Layer, Residency], LayerResult] = {}

    @property
    def searches(self) -> bool:
        """Whether mappings are searched, not given."""
        return isinstance(self._mapping, str)

    @property
    def dataflow(self) -> str | None:
        """What the search is confined to: a dataflow, "any", or those of the accelerator (None)."""
        return self._mapping if isinstance(self._mapping, str) and self._mapping != "auto" else None

    @property
    def objective(self) -> Objective:
        return self._objective

    @property
    def kept(self) -> frozenset[str] | None:
        return self._mapping.kept if isinstance(self._mapping, NetworkMapping) else None

    def mapping(self, layer: Layer, residency: Residency) -> LoopMapping:
        if not isinstance(self._mapping, str):
            return self._by_hand(self._mapping, layer)
        plain = replace(layer, name="", tensors=None)
        key = (plain, residency)
        if key not in self._found:
            self._found[key] = self._search(replace(layer, tensors=None), residency)
        return self._found[key]

    def simulated(self, layer: Layer, residency: Residency) -> LayerResult | None:
        return None if layer.tensors is not None else self._simulated.pop((layer, residency), None)

    def _by_hand(self, book: Book, layer: Layer) -> LoopMapping:
        found = book.mapping_for(layer)
        try:
            require_array(found, layer, self._spec)
            found.check(layer)
        except InputError as error:
            raise InputError(str(error), source=book.source) from None
        return found

    def _search(self, layer: Layer, residency: Residency) -> LoopMapping:
        mapping, result = find_mapping(
            layer, self._spec, dataflow=self.dataflow, objective=self._objective, residency=residency,
            budget=self._budget, cache=self._cache, seed=self._seed,
        )  # fmt: skip
        if result is not None:
            self._simulated[layer, residency] = result
        return mapping


def _peak(layers: Iterable[Layer], spec: Accelerator) -> float:
    """MACs a cycle of the layer that allows the most: the one of the narrowest operands, where they are faster."""
    array, found = spec.pe_array, [widths(layer.bits, spec) for layer in layers]
    return max((array.macs_per_cycle_at(width.input, width.weight) for width in found), default=array.multipliers)


def _context(
    network: Network, spec: Accelerator, objective: Objective, seed: int, results: list[tuple[str, LayerResult]]
) -> dict[str, Any]:
    """What it takes to run this again, and what to cite."""
    from mappings.text import to_text

    return {
        "citations": {"network": network.citation, "accelerator": spec.citation},
        "objective": objective,
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
