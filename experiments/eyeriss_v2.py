"""Eyeriss v2, the whole chip, on the networks of its Table VI: theirs, ours, error.

Ours is the array's time (`compute_cycles`) of the preset `eyeriss_v2` with automatic mappings for latency: the paper
does not limit the bandwidth off chip. Of the dense networks nothing is zero. The paper's sparse AlexNet was pruned for
energy and its densities are not printed: ours are those of Han et al., NIPS 2015, so that its error says little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from accel import load
from accel.evaluation import simulate
from accel.task import QUICK
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from experiments.start import start
from mappings import Budget
from workloads import Network
from workloads.pruning import pruned
from workloads.zoo.alexnet import alexnet
from workloads.zoo.mobilenet_v1 import mobilenet_v1

AGAINST = "Eyeriss v2 (gate-level simulation, 65 nm), Table VI"
NETWORKS: Mapping[str, Callable[[], Network]] = MappingProxyType(
    {
        "AlexNet": alexnet,
        "sparse AlexNet": lambda: pruned(alexnet(), "han2015"),
        "MobileNet 0.5-128": lambda: mobilenet_v1(0.5, 128),
    }
)


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """Inferences a second: theirs and ours; ours if nothing but the MACs took time; the share of it the MACs need."""

    network: str
    theirs: float
    ours: float
    of_macs: float
    utilization: float

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours, self.theirs)


def run(names: tuple[str, ...] = (), budget: Budget = QUICK) -> list[NetworkRow]:
    """The networks of Table VI, or those named."""
    chip = load("eyeriss_v2")
    rows = []
    for name, published in read("eyeriss_v2").items():
        if names and name not in names:
            continue
        report = simulate(NETWORKS[name](), chip, objective="latency", budget=budget)
        layers = [layer for layer in report.layers if layer.macs]
        cycles, mac_cycles = (
            sum(getattr(layer, what) for layer in layers) for what in ("compute_cycles", "mac_cycles")
        )
        rate = chip.clock_mhz * 1e6
        macs = sum(layer.macs for layer in layers)
        utilization = macs / cycles / chip.pe_array.multipliers
        rows.append(NetworkRow(name, published["inferences_per_s"], rate / cycles, rate / mac_cycles, utilization))
    return rows


def verdicts(rows: list[NetworkRow]) -> list[Verdict]:
    """Nothing is demanded: too little of the chip's control is printed."""
    return [Verdict(AGAINST, "inferences a second", tuple((row.network, row.error_percent) for row in rows))]


def main() -> None:
    rows = run()
    show(
        "Inferences a second",
        [
            {
                "network": row.network,
                "theirs": row.theirs,
                "ours": row.ours,
                "error": row.error_percent,
                "MACs alone": row.of_macs,
                "MACs of the network / multiplier cycles": row.utilization,
            }
            for row in rows
        ],
    )
    show_verdicts(verdicts(rows))


if __name__ == "__main__":
    start(main)
