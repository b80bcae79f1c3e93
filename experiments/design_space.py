"""The roofline design space of Zhang et al., FPGA 2015: every <Tm, Tn> and map tile of AlexNet, and its optimum.

A design computes Tm x Tn MACs a cycle. Its computational roof is the layer's operations over the engine's cycles, its
computation to communication ratio the operations over the bytes that cross the DRAM pins; it attains the roof, or the
ratio times the bandwidth where that is less. All designs are costed by our closed form on the machine of the preset
with as many PEs, and the best ones simulated. The loops are the paper's: map tiles, filters, channels innermost, so
that outputs wait for their sums; pixels innermost on chip.

The limit of DSPs is not printed either. With 480 multipliers (2400 of 2800 DSPs) our search finds the published cycles
of four layers and of all five together; conv2's are 260 fewer, for the paper counts the pipeline's fill in its 13
passes, though nothing returns to the buffer between them, and not in conv1's, which is the rule of our machine. With
all 560 multipliers it finds faster designs, shown beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from accel import Accelerator, load
from accel.closed_form import costs
from accel.kernels import estimate_layout as columns
from accel.plots import save
from accel.plots.labels import label_points
from accel.plots.style import BLACK, BLUE, GREY, SMALL_POINTS, TEXT_POINTS, VERMILION, label_axes, new_axes
from accel.simulation import simulate_layer
from experiments.compare import read, show
from experiments.start import start
from experiments.zhang_fpga15 import one_group
from mappings import Mapping
from mappings.column import MappingColumn, Shape
from workloads import Layer
from workloads import load as load_network

MULTIPLIERS = 480
_WORD_BITS = 32
_TILINGS = 6
_SHAPE = Shape(
    "designs", off_chip=("P", "Q", "K", "C"), registers=("R", "S", "P", "Q"), rows=("K",), columns=("C",)
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The designs of one layer, an element each: multipliers, cycles, DRAM bytes, and mappings in the same order."""

    layer: Layer
    column: MappingColumn
    tm: NDArray[np.int64]
    tn: NDArray[np.int64]
    cycles: NDArray[np.float64]
    dram_bytes: NDArray[np.float64]

    @property
    def gflops(self) -> NDArray[np.float64]:
        """Computational roof: two operations a MAC."""
        return 2.0 * self.layer.macs / self.cycles * machine().clock_mhz / 1e3

    @property
    def flop_per_byte(self) -> NDArray[np.float64]:
        """Computation to communication ratio."""
        return 2.0 * self.layer.macs / self.dram_bytes

    @property
    def attained_gflops(self) -> NDArray[np.float64]:
        """The lower of the two roofs."""
        roof: NDArray[np.float64] = np.minimum(self.gflops, self.flop_per_byte * _fpga()["bandwidth_gb_per_s"])
        return roof

    def best(self) -> int:
        """The design that attains most, of those the one with the fewest multipliers, then the least traffic."""
        return int(np.lexsort((self.dram_bytes, self.tm * self.tn, -np.round(self.attained_gflops, 9)))[0])

    def ties(self) -> list[tuple[int, int]]:
        """Every <Tm, Tn> that takes as few cycles as the best."""
        equal = self.cycles == self.cycles[self.best()]
        return sorted({(int(tm), int(tn)) for tm, tn in zip(self.tm[equal], self.tn[equal], strict=True)})


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best design of a layer, its simulated cycles, and what the paper prints."""

    layer: str
    tm: int
    tn: int
    cycles: int
    published_tm: int
    published_tn: int
    published_cycles: int
    printed_pair_cycles: int
    """What our machine takes with the printed <Tm, Tn>."""
    ties: tuple[tuple[int, int], ...]


@cache
def machine() -> Accelerator:
    """The preset with room and wires for any design."""
    ports = {f"pe_array.ports.{port}": 1_000_000 for port in ("input", "weight", "psum", "output")}
    memory = {"data_buffer.kib": 1 << 20, "data_buffer.accumulator_kib": 1 << 20, "weight_buffer.kib": 1 << 20}
    wide = {f"{part}.{name}": 1000 for part in ("data_buffer", "weight_buffer") for name in ("width_bits", "banks")}
    return load("zhang_fpga15").with_values(
        {"name": "designs", "pe_array.rows": 560, "pe_array.columns": 560, **ports, **memory, **wide}
    )


def groups() -> dict[str, Layer]:
    """One of AlexNet's two groups of each convolution."""
    layers = {layer.name: layer for layer in load_network("alexnet").layers}
    return {name: one_group(layers[name]) for name in read("zhang_fpga15")["optimum"]}


def space(layer: Layer, multipliers: int = MULTIPLIERS, *, tilings: int = _TILINGS) -> Space:
    """All <Tm, Tn> of so many multipliers, maps cut into up to `tilings` parts each way, that fit the block RAM."""
    pairs = [
        (tm, tn)
        for tm in range(1, min(layer.K, multipliers) + 1)
        for tn in range(1, min(layer.C, multipliers // tm) + 1)
    ]
    sides = [sorted({-(-size // parts) for parts in range(1, tilings + 1)}) for size in (layer.P, layer.Q)]
    tm, tn, tp, tq = np.array([(*pair, p, q) for p in sides[0] for q in sides[1] for pair in pairs], dtype=np.int64).T
    window = (np.full_like(tm, layer.R), np.full_like(tm, layer.S))
    outer = (-(-layer.P // tp), -(-layer.Q // tq), -(-layer.K // tm), -(-layer.C // tn))
    column = MappingColumn(_SHAPE, np.stack([*outer, *window, tp, tq, tm, tn], axis=-1))
    found = costs(layer, column, machine()).columns
    words = found[:, columns.HELD_INPUT : columns.HELD_OUTPUT + 1].sum(axis=1)
    fits = 2 * words * _WORD_BITS <= _fpga()["bram_kib"] * 8192  # ping-pong buffers
    return Space(
        layer, column.take(fits), tm[fits], tn[fits], found[fits, columns.COMPUTE], found[fits, columns.DRAM_BITS] / 8
    )


def simulated_cycles(layer: Layer, mapping: Mapping) -> int:
    """Of the engine, as the machine runs the mapping."""
    return simulate_layer(layer, mapping, machine()).report.compute_cycles


def optima(multipliers: int = MULTIPLIERS, *, tilings: int = _TILINGS) -> list[Optimum]:
    """Each layer's best design beside the published one."""
    rows = []
    for name, published in read("zhang_fpga15")["optimum"].items():
        designs = space(groups()[name], multipliers, tilings=tilings)
        best = designs.best()
        printed = np.flatnonzero((designs.tm == published["tm"]) & (designs.tn == published["tn"]))
        chosen = int(printed[np.argmin(designs.cycles[printed])])
        ours, theirs = (simulated_cycles(designs.layer, designs.column[design]) for design in (best, chosen))
        pair = int(designs.tm[best]), int(designs.tn[best])
        printed_pair = published["tm"], published["tn"]
        rows.append(Optimum(name, *pair, ours, *printed_pair, published["cycles"], theirs, tuple(designs.ties())))
    return rows


def together(multipliers: int = MULTIPLIERS) -> list[tuple[int, int, int]]:
    """(cycles of the five layers, Tm, Tn) of every design they all share, best first, fewest multipliers first."""
    total: dict[tuple[int, int], int] = {}
    for layer in groups().values():
        # Tm or Tn beyond the layer's channels take the cycles of all of them.
        designs = space(layer, multipliers, tilings=1)
        cycles = {(int(m), int(n)): round(c) for m, n, c in zip(designs.tm, designs.tn, designs.cycles, strict=True)}
        for tm in range(1, multipliers + 1):
            for tn in range(1, multipliers // tm + 1):
                own = cycles.get((min(tm, layer.K), min(tn, layer.C)))
                if own is not None:
                    total[tm, tn] = total.get((tm, tn), 0) + own
    return sorted(((cycles, *pair) for pair, cycles in total.items()), key=lambda row: (row[0], row[1] * row[2], row))


def limits_of_the_published() -> list[int]:
    """Limits of multipliers, of 448 to 560, under which each layer's and all layers' best are those under 480."""
    spaces = {name: space(layer, 560, tilings=1) for name, layer in groups().items()}
    shared = together(560)
    found: dict[int, tuple[int, dict[str, int]]] = {}
    for limit in range(448, 561):
        best = {
            name: round(float(designs.cycles[designs.tm * designs.tn <= limit].min()))
            for name, designs in spaces.items()
        }
        common = next(cycles for cycles, tm, tn in shared if tm * tn <= limit)
        found[limit] = (common, best)
    return [limit for limit, what in found.items() if what == found[MULTIPLIERS]]


def figure(designs: Space, optimum: tuple[int, int]) -> Figure:
    """The designs of a layer under the DRAM's roof, its best one and the one chosen for all layers."""
    picture, axes = new_axes(5.6, 3.6)
    x, y = designs.flop_per_byte, designs.gflops
    axes.scatter(x, y, s=3, color=GREY, linewidth=0, rasterized=True, label="designs")
    bandwidth = _fpga()["bandwidth_gb_per_s"]
    right = float(x.max()) * 1.15
    top = float(y.max()) * 1.25
    axes.plot([0.0, top / bandwidth], [0.0, top], color=BLACK, linewidth=1.2, label=f"DRAM: {bandwidth:g} GB/s")
    best = designs.best()
    shared = np.flatnonzero((designs.tm == min(optimum[0], designs.layer.K)) & (designs.tn == optimum[1]))
    chosen = int(shared[np.lexsort((designs.dram_bytes[shared], designs.cycles[shared]))[0]])
    marks = [(best, BLUE, "o", "best of the layer"), (chosen, VERMILION, "D", "best of all layers")]
    for place, colour, marker, name in marks:
        axes.scatter(x[place], y[place], s=34, color=colour, marker=marker, edgecolor="white", linewidth=0.5,
                     zorder=3, label=name)  # fmt: skip
    axes.set_xlim(0.0, right)
    axes.set_ylim(0.0, top)
    axes.legend(fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    label_axes(
        axes, f"Designs for {designs.layer.name}, {MULTIPLIERS} multipliers at 100 MHz",
        "computation to communication ratio (operations per byte)", "computational roof (GFLOPS)",
    )  # fmt: skip
    names = [f"<{designs.tm[place]}, {designs.tn[place]}>" for place, *_ in marks]
    places = [place for place, *_ in marks]
    label_points(picture, axes, x[places].tolist(), y[places].tolist(), names, SMALL_POINTS)
    return picture


def _fpga() -> dict[str, float]:
    fpga: dict[str, float] = read("zhang_fpga15")["fpga"]
    return fpga


def _rows(found: Sequence[Optimum]) -> list[dict[str, object]]:
    return [
        {
            "layer": row.layer,
            "ours": f"<{row.tm}, {row.tn}>",
            "cycles": row.cycles,
            "published": f"<{row.published_tm}, {row.published_tn}>",
            "its cycles": row.published_cycles,
            "that pair here": row.printed_pair_cycles,
            "as fast as ours": " ".join(f"<{tm}, {tn}>" for tm, tn in row.ties[:6]) + " ..." * (len(row.ties) > 6),
        }
        for row in found
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="The design space of Zhang et al., FPGA 2015.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where design_space.png goes")
    parser.add_argument("--quick", action="store_true", help="whole maps only")
    arguments = parser.parse_args()
    tilings = 1 if arguments.quick else _TILINGS
    published = read("zhang_fpga15")["cycles_per_group"]
    for multipliers in (MULTIPLIERS, 560):
        found = optima(multipliers, tilings=tilings)
        show(f"Best designs of single layers, {multipliers} multipliers, one group", _rows(found))
        shared = together(multipliers)
        cycles, tm, tn = shared[0]
        ties = [f"<{row[1]}, {row[2]}>" for row in shared[1:] if row[0] == cycles]
        print(f"all five layers together: <{tm}, {tn}>, {cycles:,} cycles; published <64, 7>, {published:,}")
        print(f"as fast with more multipliers: {' '.join(ties) or 'none'}; next: <{shared[len(ties) + 1][1]}, ", end="")
        print(f"{shared[len(ties) + 1][2]}>, {shared[len(ties) + 1][0]:,}")
        print()
    limits = limits_of_the_published()
    print(f"The optima are the same for limits of {limits[0]} to {limits[-1]} multipliers.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    save(figure(space(groups()["conv5"], tilings=tilings), (64, 7)), arguments.out / "design_space.png")
    print(f"saved {arguments.out / 'design_space.png'}")


if __name__ == "__main__":
    start(main)
