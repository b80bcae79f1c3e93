"""Fused pairs: what running two layers band by band saves, on networks of depthwise layers and on deep convolutions.

Every network is simulated layer by layer and with `fuse`, on two arrays whose maps return to DRAM between layers:
Eyeriss v1 (100 KB of maps, a scan chain that takes 30 us to set up every turn) and a systolic array with 512 KiB.
Pairs are taken only where they improve energy times delay.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from accel import Report, load, simulate
from accel.plots import save
from accel.plots.style import BLUE, ORANGE, SKY, TEXT_POINTS, label_axes, new_axes
from accel.task import QUICK
from experiments.compare import Row, show
from experiments.start import start
from mappings import Budget
from workloads import load as load_network

NETWORKS = ("mobilenet_v1", "mobilenet_v2", "alexnet", "vgg16")
CHIPS = ("eyeriss_v1", "systolic_32x32")
_SMALL = {"data_buffer.kib": 16}
"""With --quick, a buffer so small that even the smallest network has maps to save."""


@dataclass(frozen=True, slots=True)
class Run:
    """A network on a chip, layer by layer and with fused pairs."""

    network: str
    chip: str
    plain: Report
    fused: Report

    @property
    def pairs(self) -> list[str]:
        """The pairs taken, in order."""
        names = {row.layer: row.fused_with for row in self.fused.layers}
        return [f"{pair['producer']} + {names[pair['producer']]}" for pair in self.fused.context["fused"]]


def run(networks: Sequence[str] = NETWORKS, chips: Sequence[str] = CHIPS, quick: bool = False) -> list[Run]:
    """Every network on every chip, both ways."""
    budget = Budget(500) if quick else QUICK
    found = []
    for chip in chips:
        spec = load(chip).with_values(_SMALL if quick else {})
        for name in networks:
            network = load_network(name)
            found.append(
                Run(name, chip, *(simulate(network, spec, budget=budget, fuse=fuse) for fuse in (False, True)))
            )
    return found


def rows(runs: Sequence[Run]) -> list[Row]:
    """Before and after, by network and chip."""
    return [
        {
            "network": one.network,
            "chip": one.chip,
            "pairs": len(one.pairs),
            "DRAM MB": one.plain.dram_bits / 8e6,
            "fused MB": one.fused.dram_bits / 8e6,
            "latency ms": one.plain.latency_ms,
            "fused ms": one.fused.latency_ms,
            "energy mJ": one.plain.energy_pj / 1e9,
            "fused mJ": one.fused.energy_pj / 1e9,
        }
        for one in runs
    ]


def figure(runs: Sequence[Run]) -> Figure:
    """DRAM traffic, latency and energy with fused pairs, relative to layer by layer."""
    picture, axes = new_axes(1.6 + 0.75 * len(runs), 3.2)
    bars = {
        "DRAM traffic": (ORANGE, [one.fused.dram_bits / one.plain.dram_bits for one in runs]),
        "latency": (BLUE, [one.fused.latency_cycles / one.plain.latency_cycles for one in runs]),
        "energy": (SKY, [one.fused.energy_pj / one.plain.energy_pj for one in runs]),
    }
    for index, (name, (colour, heights)) in enumerate(bars.items()):
        axes.bar([place + 0.26 * (index - 1) for place in range(len(runs))], heights, 0.24, label=name, color=colour)
    axes.axhline(1.0, color="black", linewidth=0.6)
    axes.set_xticks(range(len(runs)))
    axes.set_xticklabels([f"{one.network}\n{one.chip}" for one in runs], rotation=45, ha="right", fontsize=TEXT_POINTS)
    axes.legend(fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    label_axes(axes, "Fused pairs against layer by layer", "", "relative to layer by layer")
    return picture


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What fused pairs of layers save.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where fusion.png goes")
    parser.add_argument("--quick", action="store_true", help="the smallest network alone")
    given = parser.parse_args(arguments)
    runs = run(["lenet5"], quick=True) if given.quick else run()
    show("Layer by layer, and with fused pairs", rows(runs))
    for one in runs:
        print(f"{one.network} on {one.chip}: {', '.join(one.pairs) or 'no pair pays'}")
    given.out.mkdir(parents=True, exist_ok=True)
    save(figure(runs), given.out / "fusion.png")
    print(f"saved {given.out / 'fusion.png'}")


if __name__ == "__main__":
    start(main)
