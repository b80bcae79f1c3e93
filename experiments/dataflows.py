"""The dataflows on one array: latency, energy and DRAM traffic of AlexNet's and ResNet-18's convolutions.

The array is Eyeriss v1 with 16 x 16 PEs, double-buffered memories, 64 words a cycle over every port and a faster link,
so that no dataflow is held back by wires laid for another. Each gets the best mapping the search finds for energy times
delay. Registers and buffers are the same for all: a comparison of mappings on given hardware, unlike that of Eyeriss's
ISCA 2016 paper, where every dataflow gets the registers that suit it within one area.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from accel import Accelerator, LayerReport, load
from accel.breakdown import ENERGY_PARTS, energy_pj
from accel.mapper import map_layer
from accel.plots import save
from accel.plots.style import CLASS_COLOURS, TEXT_POINTS, label_axes, new_axes
from accel.simulation import simulate_layer
from accel.task import QUICK
from experiments.compare import Row, show
from experiments.start import start
from mappings import Budget
from mappings.dataflows import DATAFLOWS
from workloads import InputError
from workloads import load as load_network

NETWORKS = ("alexnet", "resnet18")


@dataclass(frozen=True, slots=True)
class Run:
    """The best mapping of one dataflow for one layer, simulated."""

    network: str
    dataflow: str
    report: LayerReport


def array() -> Accelerator:
    """The array they all share."""
    return load("eyeriss_v1").with_values(
        {
            "name": "16x16 array",
            "pe_array.rows": 16,
            "pe_array.columns": 16,
            **{f"pe_array.ports.{port}": 1024 for port in ("input", "weight", "psum", "output")},
            "data_buffer.kib": 108,
            "data_buffer.double_buffered": True,
            "weight_buffer.kib": 32,
            "weight_buffer.banks": 16,
            "dma.link_mhz": 400,
            "mapping.dataflows": list(DATAFLOWS),
        }
    )


def run(
    networks: Sequence[str] = NETWORKS, dataflows: Sequence[str] = tuple(DATAFLOWS), budget: Budget = QUICK
) -> list[Run]:
    """Every distinct convolution by every dataflow; one without a mapping that fits is left out."""
    chip = array()
    found = []
    for network in networks:
        distinct = {(layer.extents, layer.stride): layer for layer in reversed(load_network(network).layers)}
        for layer in reversed(distinct.values()):
            for dataflow in dataflows if layer.op == "conv" else ():
                try:
                    mapping = map_layer(layer, chip, dataflow=dataflow, budget=budget)
                except InputError:
                    continue
                found.append(Run(network, dataflow, simulate_layer(layer, mapping, chip).report))
    return found


def totals(runs: Sequence[Run]) -> dict[tuple[str, str], list[LayerReport]]:
    """Rows by network and dataflow, of the layers that every dataflow could map."""
    dataflows = {one.dataflow for one in runs}
    mapped = [(one.network, one.report.layer) for one in runs]
    found: dict[tuple[str, str], list[LayerReport]] = {}
    for one in runs:
        if mapped.count((one.network, one.report.layer)) == len(dataflows):
            found.setdefault((one.network, one.dataflow), []).append(one.report)
    return found


def figure(runs: Sequence[Run]) -> Figure:
    """Energy by part and dataflow, relative to the best dataflow of the network."""
    summed = totals(runs)
    energy = {key: sum(row.energy_pj for row in rows) for key, rows in summed.items()}
    best = {network: min(energy[key] for key in energy if key[0] == network) for network, _ in energy}
    picture, axes = new_axes(6.4, 3.4)
    networks = list(best)
    places = [bar + 0.7 * networks.index(network) for bar, (network, _) in enumerate(summed)]
    below = [0.0] * len(summed)
    for part in ENERGY_PARTS:
        heights = [sum(energy_pj(row)[part] for row in rows) / best[network] for (network, _), rows in summed.items()]
        axes.bar(places, heights, 0.78, below, label=part, color=CLASS_COLOURS[part], edgecolor="white", linewidth=0.3)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set_xticks(places)
    names = [f"{network} {dataflow.replace('_', ' ')}" for network, dataflow in summed]
    axes.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
    axes.legend(fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    label_axes(axes, "Convolutions on a 16 x 16 array", "", "energy (best dataflow = 1)")
    return picture


def _row(dataflow: str, rows: Sequence[LayerReport]) -> dict[str, object]:
    return {
        "dataflow": dataflow,
        "latency ms": sum(row.latency_ms for row in rows),
        "energy mJ": sum(row.energy_pj for row in rows) / 1e9,
        "DRAM MB": sum(row.dram_bits for row in rows) / 8e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Five dataflows on one array.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where dataflows.png goes")
    directory: Path = parser.parse_args().out
    runs = run()
    by_layer: dict[tuple[str, str], list[Row]] = {}
    for one in runs:
        by_layer.setdefault((one.network, one.report.layer), []).append(_row(one.dataflow, [one.report]))
    for (network, layer), rows in by_layer.items():
        show(f"{network} {layer}", rows)
    show("Sums over the layers", [{"network": key[0], **_row(key[1], rows)} for key, rows in totals(runs).items()])
    directory.mkdir(parents=True, exist_ok=True)
    save(figure(runs), directory / "dataflows.png")
    print(f"saved {directory / 'dataflows.png'}")


if __name__ == "__main__":
    start(main)
