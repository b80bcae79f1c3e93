"""SCNN against its paper and against a cycle-level simulator of others: theirs, ours, error.

- Networks: speed-ups of convolutions over the dense baseline (`data/dcnn.toml`), with the densities of Han et al., NIPS
  2015, for AlexNet and VGG. With `--reference DIR`, DIR holds `scnn_layer_densities.csv` (columns network, layer,
  weight_density, input_act_density, output_act_density), the densities of the SCNN evaluation, for GoogLeNet too.
- Density: the inception modules of GoogLeNet with one density everywhere, at both ends of the paper's sweep.
- Rows: with `--reference DIR`, the cycles of `experiments.scnn_cycles`.

Ours are the array's cycles (`compute_cycles`) of the preset `scnn` with buffers large enough for every layer, on the
mapping that `scnn_mapping` takes from the paper, and with no wait for weights: DRAM is not the limit there. Nothing is
fitted. The speed-ups are printed once more with weights at the rate of a DRAM, with activations whose zeros
cluster, by channels (skew) or in patches, and with groups of 8 filters, which the paper names once.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from accel import load
from accel.simulation import simulate_layer
from experiments.compare import DATA, Verdict, error_percent, read, show, show_verdicts
from experiments.scnn_cycles import CYCLES, CycleRow, data, rows
from experiments.scnn_mapping import NEVER_BINDS, machine, mapping_of, parts_of_the_plane
from experiments.start import start
from mappings import Loop
from mappings import Mapping as LoopMapping
from workloads import Density, Layer
from workloads import load as load_network
from workloads.operands import draw
from workloads.pattern import Pattern, Patterns
from workloads.pruning import pruned

AGAINST = "SCNN (authors' simulator), speed-up over the dense DCNN"
AGAINST_ROWS = "SCNN, third-party cycle-level simulator, VGG-16"
NETWORKS = {"alexnet": ("AlexNet", "ALEX_"), "googlenet": ("GoogLeNet", ""), "vgg16": ("VGG-16", "VGG_")}
"""How the reference folder names networks, and what it puts before the names of layers."""
DENSITIES = "scnn_layer_densities.csv"
CLUSTERS = {
    "none": Pattern(),
    "skew 0.3": Pattern(skew=0.3),
    "skew 0.6": Pattern(skew=0.6),
    "patches of 4x4": Pattern("patch", size=4),
}
"""How zeros of activations lie together: channels of unequal density, or patches of a map."""
QUEUES = (0, 4, 16)
WEIGHT_RATES = {"50 GB/s": 400, "4 GB/s": 32}
"""Bits a cycle. The paper's DRAM has the first, and is as fast until about the second."""
PRINTED_GROUP = 8
"""Filters of a group where the paper speaks of single layers of GoogLeNet."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """Cycles of one layer on both machines; `products`: those of SCNN's multipliers alone, without halos and ports.

    `utilization`: useful products of the multipliers while they work.
    """

    layer: str
    dense: int
    sparse: int
    products: int
    imbalance: float
    utilization: float


@dataclass(frozen=True, slots=True)
class SpeedUp:
    """A case: the published speed-up, and the layers ours comes from."""

    name: str
    theirs: float
    layers: tuple[LayerRow, ...]

    @property
    def ours(self) -> float:
        return sum(row.dense for row in self.layers) / sum(row.sparse for row in self.layers)

    @property
    def of_products(self) -> float:
        """The speed-up if halos and ports took no time."""
        return sum(row.dense for row in self.layers) / sum(row.products for row in self.layers)

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours, self.theirs)


def dense_cycles(layer: Layer) -> int:
    """The baseline's cycles: the largest tile of the plane, one filter after another, 16 taps a cycle."""
    chip = load(DATA / "dcnn.toml")
    array = chip.pe_array
    mapping = LoopMapping(
        "dot_products",
        off_chip=(Loop("G", layer.G), Loop("N", layer.N)),
        registers=(
            Loop("K", layer.K),
            Loop("P", ceil(layer.P / array.rows)),
            Loop("Q", ceil(layer.Q / array.columns)),
            Loop("CRS", ceil(layer.C * layer.R * layer.S / array.lanes)),
        ),
        rows=(Loop("P", array.rows),),
        columns=(Loop("Q", array.columns),),
        lanes=(Loop("CRS", array.lanes),),
    )
    return simulate_layer(replace(layer, density=Density()), mapping, chip).report.mac_cycles


def compared(
    layer: Layer,
    clusters: Pattern = CLUSTERS["none"],
    most_filters: int | None = None,
    weight_port_bits: int = NEVER_BINDS,
) -> LayerRow:
    """A layer on both machines, with activations whose zeros lie as `clusters` says."""
    drawn = replace(layer, patterns=Patterns(input=clusters))
    report = simulate_layer(drawn, mapping_of(layer, most_filters), machine(weight_port_bits)).report
    useful = report.effectual_macs / report.mac_cycles / machine().pe_array.multipliers
    return LayerRow(
        layer.name, dense_cycles(layer), report.compute_cycles, report.mac_cycles, report.pe_imbalance, useful
    )


def convolutions(name: str, reference: Path | None = None) -> tuple[Layer, ...]:
    """The convolutions of the paper's evaluation with their densities; none where no densities are known."""
    network = load_network(name)
    if reference is None:
        if name == "googlenet":
            return ()
        return tuple(layer for layer in pruned(network, "han2015").layers if layer.op == "conv")
    known = _densities(reference, name)
    return tuple(replace(layer, density=known[layer.name]) for layer in network.layers if layer.name in known)


def _densities(reference: Path, name: str) -> Mapping[str, Density]:
    called, before = NETWORKS[name]
    with (reference / DENSITIES).open(encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(data(file)) if line["network"] == called]
    found: dict[str, list[tuple[float, ...]]] = {}
    for line in lines:
        # AlexNet's conv2 comes in its two groups.
        layer = line["layer"].removeprefix(before).replace("-", ".")
        layer = layer[:5] if name == "alexnet" else layer
        shares = (float(line[f"{name}_density"]) for name in ("input_act", "weight", "output_act"))
        found.setdefault(layer, []).append(tuple(shares))
    return {
        layer: Density(*(sum(column) / len(column) for column in zip(*known, strict=True)))
        for layer, known in found.items()
    }


def networks(
    reference: Path | None = None,
    clusters: Pattern = CLUSTERS["none"],
    most_filters: int | None = None,
    only: tuple[str, ...] = (),
    weight_port_bits: int = NEVER_BINDS,
) -> list[SpeedUp]:
    """Speed-ups of the networks whose densities are known, or of those named."""
    return [
        SpeedUp(name, theirs, tuple(compared(layer, clusters, most_filters, weight_port_bits) for layer in layers))
        for name, theirs in read("scnn")["networks"].items()
        if (not only or name in only) and (layers := convolutions(name, reference))
    ]


def densities(most_filters: int | None = None, weight_port_bits: int = NEVER_BINDS) -> list[SpeedUp]:
    """The ends of the density sweep."""
    layers = [layer for layer in load_network("googlenet").layers if layer.name.startswith("inception")]
    return [
        SpeedUp(
            f"{density}/{density}",
            theirs,
            tuple(
                compared(
                    replace(layer, density=Density(*[float(density)] * 3)),
                    most_filters=most_filters,
                    weight_port_bits=weight_port_bits,
                )
                for layer in layers
            ),
        )
        for density, theirs in read("scnn")["density"].items()
    ]


def bank_cost(layer: Layer, queue: int) -> float:
    """How much longer a layer takes when a product in 32 banks has to wait, `queue` of them before each bank."""
    values = {"pe_array.matching.banks": 32, "pe_array.matching.bank_queue": queue}
    drawn, mapping = layer.with_tensors(draw(layer)), mapping_of(layer)
    free, banked = (simulate_layer(drawn, mapping, chip).report for chip in (machine(), machine().with_values(values)))
    return banked.compute_cycles / free.compute_cycles


def verdicts(found: list[SpeedUp], swept: list[SpeedUp], cycles: list[CycleRow]) -> list[Verdict]:
    """Networks within 25 %, ends of the sweep within 10 %, rows within 10 % on average."""
    result = []
    if found:
        result.append(Verdict(AGAINST, "networks", tuple((one.name, one.error_percent) for one in found), 25.0))
    if swept:
        cases = tuple((one.name, one.error_percent) for one in swept)
        result.append(Verdict(AGAINST, "GoogLeNet, ends of the density sweep", cases, 10.0))
    for quantity in ("products", "total"):
        if cycles:
            pairs = ((row.name, getattr(row, quantity)) for row in cycles)
            errors = tuple((name, error_percent(ours, theirs)) for name, (theirs, ours) in pairs)
            result.append(Verdict(AGAINST_ROWS, f"cycles, {quantity}", errors, mean_percent=10.0))
    return result


def _shown(cases: list[SpeedUp]) -> list[dict[str, object]]:
    return [
        {
            "case": one.name,
            "theirs": one.theirs,
            "ours": one.ours,
            "error": one.error_percent,
            "without halos and ports": one.of_products,
        }
        for one in cases
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="folder with the CSV files above")
    parser.add_argument("--layers", action="store_true", help="print the layers too")
    options = parser.parse_args()
    found, swept = networks(options.reference), densities()
    show("Speed-up of networks over the dense baseline", _shown(found))
    show("Speed-up on GoogLeNet's inception modules, density of activations and weights", _shown(swept))
    if options.layers:
        for case in (*found, *swept):
            show(case.name, [{name: getattr(row, name) for name in LayerRow.__slots__} for row in case.layers])
    layers = [(name, layer) for name in NETWORKS for layer in convolutions(name, options.reference)]
    parts = [name for name, layer in layers if parts_of_the_plane(mapping_of(layer)) > 1]
    print(f"Planes taken in parts: {len(parts)} of {len(layers)} layers, of {', '.join(sorted(set(parts)))}\n")
    show(
        "Speed-up with weights at the rate of a DRAM",
        [
            {"weights at": rate}
            | {one.name: one.ours for one in networks(options.reference, weight_port_bits=bits)}
            | {one.name: one.ours for one in densities(weight_port_bits=bits)}
            for rate, bits in WEIGHT_RATES.items()
        ],
    )
    clustered = {name: networks(options.reference, pattern) for name, pattern in CLUSTERS.items()}
    show(
        "Speed-up when zeros of activations cluster",
        [
            {"case": one.name, **{name: cases[index].ours for name, cases in clustered.items()}}
            for index, one in enumerate(found)
        ],
    )
    show(
        f"At most {PRINTED_GROUP} filters a group",
        [*_shown(networks(options.reference, most_filters=PRINTED_GROUP)), *_shown(densities(PRINTED_GROUP))],
    )
    show(
        "Cycles with 32 accumulator banks over those without conflicts, by products that can wait before each",
        [
            {"layer": layer.name, **{f"{queue} wait": bank_cost(layer, queue) for queue in QUEUES}}
            for layer in convolutions("alexnet")
        ],
    )
    cycles = rows(options.reference) if options.reference else []
    if cycles:
        show(
            "Cycles of the third-party simulator, added up over the PEs",
            [
                {
                    "row": row.name,
                    "theirs": row.total[0],
                    "ours": row.total[1],
                    "error": error_percent(*row.total[::-1]),
                }
                for row in cycles
            ],
        )
    else:
        print(f"{CYCLES} is compared with --reference DIR; so is GoogLeNet, of which no densities are in print.\n")
    show_verdicts(verdicts(found, swept, cycles))


if __name__ == "__main__":
    start(main)
