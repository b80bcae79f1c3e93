"""How good the mapping search is: against the named dataflows, against a search twenty times as long, on more hardware.

About a quarter of an hour on a core. Layers are spread evenly over each network where not all are taken.
Costs are those of the simulation that confirms a mapping, not estimates.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from accel import Accelerator, load
from accel.mapper import MappedLayer, explore
from accel.mapping_cache import MappingCache
from accel.objective import OBJECTIVES, Objective, objective_value
from experiments.compare import Row, error_percent, show
from experiments.start import start
from mappings import Budget, Mapping
from workloads import InputError, Layer
from workloads import load as load_network

FIVE = ("weight_stationary", "output_stationary", "input_stationary", "row_stationary", "no_local_reuse")
NETWORKS = ("alexnet", "vgg16", "resnet50", "mobilenet_v2")
CHIPS = ("eyeriss_v1", "systolic_32x32")
DEFAULT = Budget(20_000)
"""What `accel map` spends on a layer."""
SHORT = Budget(1000)
"""For each dataflow and for everything: enough to tell whether everything is worse than any of its parts."""
LAYERS = 4
LONGER = 20
LADDERS: dict[str, tuple[float, ...]] = {
    "data_buffer.kib": (1, 2, 4, 8),
    "dma.channels": (1, 2, 4),
    "pe_array.rows": (1, 2, 4),
    "pe_array.columns": (1, 2, 4),
}
"""Multiples of what a chip has; of channels, their number."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Signed percents by case."""

    cases: tuple[tuple[str, float], ...]

    def row(self, **names: str) -> Row:
        worst = max(self.cases, key=lambda case: case[1])
        return {
            **names,
            "cases": len(self.cases),
            "worse": sum(error > 1e-9 for _, error in self.cases),
            "over 2 %": sum(error > 2 for _, error in self.cases),
            "worst case": worst[0],
            "error": worst[1],
        }


def distinct(network: str) -> dict[Layer, tuple[str, int]]:
    """Layers of different shape: the first one's name, and how many there are."""
    found: dict[Layer, tuple[str, int]] = {}
    for layer in load_network(network).layers:
        shape = replace(layer, name="layer", tensors=None)
        name, count = found.get(shape, (layer.name, 0))
        found[shape] = (name, count + 1)
    return found


def some(layers: dict[Layer, tuple[str, int]], most: int | None) -> list[tuple[Layer, tuple[str, int]]]:
    """At most so many of the layers, from the first to the last."""
    every = list(layers.items())
    if most is None or len(every) <= most:
        return every
    return [every[round(index * (len(every) - 1) / (most - 1))] for index in range(most)]


def value(layer: Layer, chip: Accelerator, dataflow: str | None, objective: Objective, budget: Budget) -> float | None:
    """The simulated cost of the mapping found; None where nothing fits."""
    try:
        mapped = explore(layer, chip, dataflow=dataflow, objective=objective, budget=budget)
        return float(objective_value(mapped.report, objective))
    except InputError:
        return None


def against_dataflows(network: str, chip: str, objective: Objective, budget: Budget, most: int | None) -> Spread:
    """The search over everything against the best of the five named dataflows, each searched with the same budget."""
    spec, cases = load(chip), []
    for layer, (name, _) in some(distinct(network), most):
        named = [cost for flow in FIVE if (cost := value(layer, spec, flow, objective, budget)) is not None]
        ours = value(layer, spec, "any", objective, budget)
        if named and ours is not None:
            cases.append((name, error_percent(ours, min(named))))
    return Spread(tuple(cases))


def against_longer(network: str, chip: str, budget: Budget, most: int | None) -> tuple[Spread, float]:
    """EDP of the default search against a longer one, by layer and of the whole network."""
    spec, cases = load(chip), []
    longer = Budget(LONGER * budget.mappings)
    totals = [[0.0, 0.0], [0.0, 0.0]]
    for layer, (name, count) in some(distinct(network), most):
        found: list[MappedLayer] = [explore(layer, spec, budget=one) for one in (budget, longer)]
        ours, theirs = (objective_value(mapped.report, "edp") for mapped in found)
        cases.append((name, error_percent(ours, theirs)))
        for total, mapped in zip(totals, found, strict=True):
            total[0] += count * mapped.report.latency_cycles
            total[1] += count * mapped.report.energy_pj
    (cycles, energy), (least_cycles, least_energy) = totals
    return Spread(tuple(cases)), error_percent(cycles * energy, least_cycles * least_energy)


def ladder(chip: Accelerator, field: str, steps: tuple[float, ...]) -> Iterator[Accelerator]:
    """The chip with more and more of one thing; without the limit of a link narrower than its DRAM.

    Systolic arrays get bypasses: without them the skew and loading of a larger one are longer for every mapping.
    """
    part, name = field.split(".")
    own = getattr(getattr(chip, part), name)
    bypass = chip.pe_array.arrangement == "systolic"
    roomy = chip.with_values({"dma.link_bits": None, "dma.link_mhz": None, "pe_array.bypass": bypass})
    for step in steps:
        yield roomy.with_values({field: type(own)(step if field == "dma.channels" else own * step)})


def more_hardware(
    layer: Layer, chip: str, field: str, objective: Objective, budget: Budget, steps: int
) -> tuple[list[float], list[float]]:
    """The best found on more and more hardware: by searches that know nothing of each other, and offered those before.

    Steps at which nothing is found that fits are left out.
    """
    wishes: dict[str, Any] = {"objective": objective, "budget": budget}
    alone: list[float] = []
    offered: list[float] = []
    known: list[Mapping] = []
    with TemporaryDirectory() as folder:
        cache = MappingCache(Path(folder))  # the offers change no search: each is run once
        for one in ladder(load(chip), field, LADDERS[field][:steps]):
            try:
                plain = explore(layer, one, cache=cache, **wishes)
            except InputError:
                continue
            best = explore(layer, one, cache=cache, recall=True, offered=known, **wishes)
            alone.append(objective_value(plain.report, objective))
            offered.append(objective_value(best.report, objective))
            known.append(best.mapping)
    return alone, offered


def worsened(costs: list[float]) -> float:
    """The largest rise from a step to the next, in percent; not above zero when more is never worse."""
    return max(error_percent(after, before) for before, after in pairwise(costs))


def main() -> None:
    parser = argparse.ArgumentParser(description="Quality of the mapping search.")
    parser.add_argument("--quick", action="store_true", help="a few layers, small budgets")
    quick = parser.parse_args().quick
    most, budget = (2, Budget(2000)) if quick else (None, DEFAULT)
    networks, objectives = (NETWORKS[:1], OBJECTIVES[2:]) if quick else (NETWORKS, OBJECTIVES)

    rows = []
    for chip in CHIPS:
        for network in networks:
            for objective in objectives:
                spread = against_dataflows(network, chip, objective, SHORT, most or LAYERS)
                rows.append(spread.row(chip=chip, network=network, objective=objective))
    show(f"Search over everything ({SHORT.mappings} mappings a dataflow) against the best of {', '.join(FIVE)}", rows)

    rows = []
    for network in ("resnet18",) if quick else ("resnet18", "resnet50"):
        spread, total = against_longer(network, CHIPS[0], budget, most)
        rows += [spread.row(network=network), {**Spread((("all layers", total),)).row(network=network)}]
    show(f"EDP on {CHIPS[0]} with {budget.mappings} mappings a layer against {LONGER} times as many", rows)

    alone_rows, offered_rows = [], []
    layers = some(distinct("alexnet" if quick else "resnet50"), 2 if quick else LAYERS)
    for field in LADDERS:
        for wanted in ("latency", "dram"):
            objective = OBJECTIVES[OBJECTIVES.index(wanted)]
            alone: list[tuple[str, float]] = []
            offered: list[tuple[str, float]] = []
            for chip in CHIPS:
                for layer, (name, _) in layers:
                    ladders = more_hardware(layer, chip, field, objective, budget, 3 if quick else 5)
                    for rises, found in zip((alone, offered), ladders, strict=True):
                        rises.append((f"{chip} {name}", worsened(found)))
            alone_rows.append(Spread(tuple(alone)).row(more=field, objective=objective))
            offered_rows.append(Spread(tuple(offered)).row(more=field, objective=objective))
    show("Largest rise of the best found from a step to more hardware, each searched by itself", alone_rows)
    show("The same where each step is offered the mappings of those before", offered_rows)


if __name__ == "__main__":
    start(main)
