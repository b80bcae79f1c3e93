"""Speed-ups of machines that skip zeros in dot products, over dense ones of as many multipliers: theirs and ours.

Theirs are averages over networks whose zeros are not published by layer, so this is a comparison of a kind, not of
cases. Ours are cycles of the array on AlexNet's and VGG-16's convolutions, zeros drawn evenly with the densities of Han
et al., NIPS 2015, whose networks are pruned; weights and maps on chip, as in the papers.

cnvlutin: against DaDianNao, `taps x channels / 16 x filters / 256` a pixel, all rounded up; images are not coded, so
the first layer takes as long as there. How long that is, is open: with an image's 3 channels in bricks of 16, most
lanes are idle, and AlexNet's first layer is 61 % of DaDianNao's time. The group's later simulator (DNNsim) lays the
pixels of a stride out as channels, 3 x 3 taps of 48 for 11 x 11 of 3; whether the paper does, we do not know. Both are
printed. sparten: against `channels x taps x filters / 32 x pixels / 32`. Cambricon-X's
7.23 is over DianNao, whose time on these layers depends on its memory, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, prod

from accel import load
from accel.skipping import skipped_work
from accel.sparse_work import schedule_epochs
from experiments.compare import show
from experiments.start import start
from mappings import Loop, Mapping
from workloads import Layer
from workloads import load as load_network
from workloads.operands import draw
from workloads.pruning import pruned

PUBLISHED = {"cnvlutin": "1.24 to 1.55, mean 1.37", "sparten": "mean 4.7"}
"""Albericio et al., ISCA 2016, abstract, six networks; Gondimalla et al., MICRO 2019, abstract."""


STACKED = "cnvlutin, image stacked"


@dataclass(frozen=True, slots=True)
class Row:
    """Cycles of a layer on a dense machine and on the one that skips."""

    machine: str
    network: str
    layer: str
    dense_cycles: int
    cycles: int


def _whole(axis: str, factor: int) -> tuple[Loop, ...]:
    return (Loop(axis, factor),) if factor > 1 else ()


def cnvlutin(layer: Layer) -> tuple[int, Mapping]:
    """DaDianNao's cycles and the mapping: a window at a time, filters over the tiles, bricks over the lanes."""
    pixels, volume = layer.N * layer.P * layer.Q, layer.C * layer.R * layer.S
    rounds = ceil(layer.K / 256)
    mapping = Mapping(
        "windowed",
        off_chip=_whole("G", layer.G),
        on_chip=(*_whole("K", rounds), *_whole("NPQ", pixels)),
        registers=_whole("CRS", ceil(volume / 16)),
        rows=_whole("K", min(16, layer.K)),
        columns=_whole("K", min(16, ceil(layer.K / 16))),
        lanes=_whole("CRS", min(16, volume)),
    )
    return layer.G * pixels * layer.R * layer.S * ceil(layer.C / 16) * rounds, mapping


def sparten(layer: Layer) -> tuple[int, Mapping]:
    """The dense machine's cycles and the mapping: pixels over clusters, pairs of filters over their units."""
    pixels, volume = layer.N * layer.P * layer.Q, layer.C * layer.R * layer.S
    each = min(2, ceil(layer.K / 32))
    mapping = Mapping(
        "windowed_rows",
        off_chip=_whole("G", layer.G),
        on_chip=(*_whole("K", ceil(layer.K / (32 * each))), *_whole("NPQ", ceil(pixels / 32))),
        registers=(*_whole("CRS", volume), *_whole("K", each)),
        rows=_whole("NPQ", min(32, pixels)),
        columns=_whole("K", min(32, layer.K)),
    )
    return layer.G * ceil(pixels / 32) * ceil(layer.K / 32) * volume, mapping


def stacked_cycles(layer: Layer) -> int:
    """DaDianNao's cycles when the stride x stride pixels of an image become channels of one."""
    rows, columns = layer.stride
    taps, channels = ceil(layer.R / rows) * ceil(layer.S / columns), layer.C * rows * columns
    return layer.N * layer.P * layer.Q * taps * ceil(channels / 16) * ceil(layer.K / 256)


MACHINES: dict[str, Callable[[Layer], tuple[int, Mapping]]] = {"cnvlutin": cnvlutin, "sparten": sparten}


def run(networks: Sequence[str] = ("alexnet", "vgg16"), layers: Sequence[str] = ()) -> list[Row]:
    """Every convolution (or those named) on every machine."""
    found = []
    for machine, way in MACHINES.items():
        spec = load(machine)
        for network in networks:
            convolutions = [layer for layer in pruned(load_network(network), "han2015").layers if layer.op == "conv"]
            for number, layer in enumerate(convolutions):
                if layers and layer.name not in layers:
                    continue
                dense, mapping = way(layer)
                cycles = dense
                if number or machine != "cnvlutin":
                    work = skipped_work(layer, draw(layer), mapping, spec)
                    cycles = int(schedule_epochs(work, spec.pe_array.slack)[-1])
                found.append(Row(machine, network, layer.name, dense, cycles))
                if machine == "cnvlutin":
                    first = dense if number else stacked_cycles(layer)
                    found.append(Row(STACKED, network, layer.name, first, cycles if number else first))
    return found


def speed_ups(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """By machine and network."""
    keys = dict.fromkeys((row.machine, row.network) for row in rows)
    mine = {key: [row for row in rows if (row.machine, row.network) == key] for key in keys}
    return {key: sum(row.dense_cycles for row in some) / sum(row.cycles for row in some) for key, some in mine.items()}


def main() -> None:
    rows = run()
    show("By layer", [{"machine": r.machine, "network": r.network, "layer": r.layer, "dense": r.dense_cycles,
                       "cycles": r.cycles, "speed-up": r.dense_cycles / r.cycles} for r in rows])  # fmt: skip
    found = speed_ups(rows)
    for machine, theirs in {**PUBLISHED, STACKED: PUBLISHED["cnvlutin"]}.items():
        ours = {network: value for (name, network), value in found.items() if name == machine}
        mean = prod(ours.values()) ** (1 / len(ours))
        named = ", ".join(f"{network} {value:.2f}" for network, value in ours.items())
        print(f"{machine}: theirs {theirs}; ours {named}, geometric mean {mean:.2f}")


if __name__ == "__main__":
    start(main)
