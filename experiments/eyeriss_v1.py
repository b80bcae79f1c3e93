"""Eyeriss v1 on AlexNet, batch 4, with the mappings of the paper's Table III: theirs, ours, error.

What is compared, with the columns of the report it is made of:
- processing latency: `compute_cycles + stall_controller_cycles`, as the paper's excludes what DRAM cannot overlap;
- total latency: `latency_cycles`;
- global buffer megabytes: words over the ports between the global buffer and the PE array (`array_*_bits`). The paper
  counts the accesses that serve the array; fills from DRAM are in its DRAM column. MB are 10^6 bytes, as for DRAM;
- DRAM megabytes: as coded on the link;
- power: energy without the DRAM device over the total latency, as only the chip was measured.

Operands are drawn: inputs with the zeros measured in Table V, outputs with the density of the next layer's input
(conv5: of its own). Normalisation and pooling between two layers change that density; the paper does not print it.

Table III gives conv3 q*r = 4 channels a pass. The global buffer traffic that Table V measured fits 6, as in conv4
(q = 3, r = 2, t = 2): with 4, partial sums go to the buffer half as often again. We run both, and the summary counts
the second. That is an inference of ours, not the paper's word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from accel import LayerReport, load
from accel.mapper import map_layer
from accel.objective import Objective
from accel.simulation import simulate_layer
from accel.task import array_shape
from experiments.compare import Row, Verdict, error_percent, read, show, show_verdicts
from experiments.start import start
from mappings import Mapping
from mappings.dataflows.row_stationary import RowStationary
from workloads import Layer
from workloads import load as load_network
from workloads.layer import Density

AGAINST = "Eyeriss v1 chip (65 nm), AlexNet, batch 4"
QUANTITIES = {
    "processing_ms": ("processing latency", "ms", 10.0),
    "total_ms": ("total latency", "ms", 20.0),
    "dram_mb": ("DRAM traffic", "MB", 15.0),
    "buffer_mb": ("global buffer traffic", "MB", 15.0),
    "power_mw": ("power", "mW", 20.0),
}
"""Name, unit, and the bound on each layer's error in percent; the mean has to keep half of it."""

INFERRED = {"conv3": {"q": 3, "r": 2, "t": 2}}
"""Parameters of Table III that its own measurements contradict, and what fits them."""

OBJECTIVES: tuple[Objective, ...] = ("latency", "energy", "edp")

FITTED = """\
Fitted to this chip: in the 65 nm energy table, the access energy of register files of 12 words and more (to the
scratchpads' share of power) and the clock energy (to the clock network's share). Nothing is fitted per layer, and no
cycle count, buffer or DRAM figure is fitted. conv3 counts with q*r = 6: an inference from the measured buffer traffic,
while Table III prints q*r = 4."""


@dataclass(frozen=True, slots=True)
class Case:
    """A layer with the paper's operands, one of its mappings, and what was measured."""

    layer: Layer
    mapping: Mapping
    published: dict[str, Any]
    label: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measured figure beside ours. `counts`: it is part of the verdict."""

    layer: str
    label: str
    counts: bool
    quantity: str
    theirs: float
    ours: float

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours, self.theirs)


def cases() -> list[Case]:
    """The five layers as printed in Table III, and again where other parameters are inferred."""
    shape = array_shape(load("eyeriss_v1"))
    table = read("eyeriss_v1")
    density = [1.0 - row["zeros_in_input_percent"] / 100.0 for row in table.values()]
    layers = {layer.name: layer for layer in load_network("alexnet", batch=4).layers}
    found = []
    for number, (name, published) in enumerate(table.items()):
        after = density[min(number + 1, len(density) - 1)]
        layer = replace(layers[name], density=Density(input=density[number], output=after))
        printed = published["parameters"]
        inferred = INFERRED.get(name)
        label = name if inferred is None else f"{name}, q*r = {printed['q'] * printed['r']} as printed"
        found.append(Case(layer, RowStationary(**printed).mapping(layer, shape), published, label, inferred is None))
        if inferred is not None:
            mapping = RowStationary(**(printed | inferred)).mapping(layer, shape)
            label = f"{name}, q*r = {inferred['q'] * inferred['r']} inferred"
            found.append(Case(layer, mapping, published, label, True))
    return found


def measured(report: LayerReport, clock_mhz: float) -> dict[str, float]:
    """The paper's quantities, from a row of our report."""
    array_bits = (
        report.array_read_input_bits
        + report.array_read_weight_bits
        + report.array_read_psum_bits
        + report.array_write_psum_bits
        + report.array_write_output_bits
    )
    return {
        "processing_ms": (report.compute_cycles + report.stall_controller_cycles) / clock_mhz / 1e3,
        "total_ms": report.latency_ms,
        "dram_mb": report.dram_bits / 8e6,
        "buffer_mb": array_bits / 8e6,
        "power_mw": (report.energy_pj - report.energy_dram_pj) / report.latency_ms / 1e6,
    }


def run() -> list[Comparison]:
    """Every measured figure of the five layers beside ours."""
    chip = load("eyeriss_v1")
    found = []
    for case in cases():
        ours = measured(simulate_layer(case.layer, case.mapping, chip).report, chip.clock_mhz)
        for quantity, value in ours.items():
            theirs = float(case.published[quantity])
            found.append(Comparison(case.layer.name, case.label, case.counts, quantity, theirs, value))
    return found


def verdicts(comparisons: list[Comparison]) -> list[Verdict]:
    """Each quantity over the five layers, and, without a bound, what the inferred parameters replace."""
    found = []
    for counts in (True, False):
        for quantity, (name, _, each) in QUANTITIES.items():
            kept = [one for one in comparisons if one.quantity == quantity and one.counts == counts]
            errors = tuple((one.label, one.error_percent) for one in kept)
            if counts:
                found.append(Verdict(AGAINST, name, errors, each, each / 2))
            elif errors:
                found.append(Verdict(AGAINST, f"{name}, conv3 as Table III prints it", errors))
    return found


def automatic() -> list[Row]:
    """What the automatic mapping finds, relative to the paper's mapping of the same layer (conv3: the inferred one)."""
    chip = load("eyeriss_v1")
    rows: list[Row] = []
    for case in cases():
        if not case.counts:
            continue
        paper = simulate_layer(case.layer, case.mapping, chip).report
        row: dict[str, object] = {"layer": case.layer.name}
        row |= {"paper's ms": paper.latency_ms, "paper's mJ": paper.energy_pj / 1e9}
        for objective in OBJECTIVES:
            mapping = map_layer(case.layer, chip, objective=objective)
            ours = simulate_layer(case.layer, mapping, chip).report
            latency, energy = ours.latency_ms / paper.latency_ms, ours.energy_pj / paper.energy_pj
            row[f"least {objective}"] = f"{100 * latency:.0f} % ms, {100 * energy:.0f} % mJ"
        rows.append(row)
    return rows


def main() -> None:
    comparisons = run()
    for quantity, (name, unit, _) in QUANTITIES.items():
        rows = [
            {"layer": one.label, "theirs": one.theirs, "ours": one.ours, "error": one.error_percent}
            for one in comparisons
            if one.quantity == quantity
        ]
        show(f"{name}, {unit}", rows)
    show_verdicts(verdicts(comparisons))
    print(FITTED)
    print()
    show("The automatic mapping, relative to the paper's; energy includes DRAM", automatic())


if __name__ == "__main__":
    start(main)
