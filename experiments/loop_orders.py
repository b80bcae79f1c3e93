"""Interchange, tiling and unrolling, one at a time: the classic curves of DRAM traffic, utilisation and buffer traffic.

Off chip, three loops over tiles (filters K, channels C, pixels P) can stand in six orders; the innermost one decides
which tile stays: outputs over C, inputs over K, weights over P. For each order and buffer size, the best of many tile
sizes is taken, by our closed form. On chip, the same six orders decide what crosses the ports of the buffers. Unrolled
over the array, a dimension fills it as far as its extent goes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import prod
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from accel import Accelerator, load
from accel.bounds import bounds
from accel.closed_form import costs
from accel.kernels import estimate_layout as columns
from accel.plots import save
from accel.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    TEXT_POINTS,
    VERMILION,
    label_axes,
    new_axes,
)  # fmt: skip
from accel.plots.ticks import label_log_ticks
from experiments.compare import show
from experiments.start import start
from mappings import Mapping
from mappings.column import MappingColumn, Shape
from mappings.mapping import axis_extent
from workloads import Layer

ORDERS = tuple("".join(order) for order in permutations("KCP"))
"""Outermost loop first."""
SPREAD = "KCPQRS"
WORD_BITS = 16
_SIDE = 16
_LINES = dict(zip(ORDERS, (BLUE, ORANGE, SKY, VERMILION, GREEN, PURPLE), strict=True))
_STYLES = dict(zip(ORDERS, ("-", "--", "-", "--", "-", "--"), strict=True))
_MARKERS = dict(zip(ORDERS, ("o", "s", "^", "D", "v", "P"), strict=True))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """One order: the least DRAM bytes for each buffer size in bytes (infinite where nothing fits), and its mapping."""

    order: str
    buffer_bytes: tuple[int, ...]
    dram_bytes: tuple[float, ...]
    mappings: tuple[Mapping | None, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """Two dimensions unrolled over the rows and columns of a 16 x 16 array: cycles of the MACs, share of it busy."""

    rows: str
    columns: str
    cycles: int
    utilization: float


@dataclass(frozen=True, slots=True)
class Interchange:
    """One order on chip: words between the buffers and the array."""

    order: str
    inputs: int
    weights: int
    sums: int
    """Partial sums read and written, finished outputs included."""


@cache
def machine() -> Accelerator:
    """16 x 16 PEs, all words of 16 bits, memories that hold whatever is asked for."""
    bits = {f"pe_array.bits.{name}": WORD_BITS for name in ("input", "weight", "output", "psum")}
    return load("systolic_32x32").with_values(
        {
            "name": "16x16",
            "data_buffer.kib": 1 << 20,
            "weight_buffer.kib": 1 << 20,
            "pe_array.rows": _SIDE,
            "pe_array.columns": _SIDE,
            "pe_array.arrangement": "multicast",
            "pe_array.window_reuse": True,
            **bits,
        }
    )


def layers() -> dict[str, Layer]:
    """A 3 x 3 convolution of ResNet's third stage, and a matrix product of as many MACs."""
    convolution = Layer("3x3 convolution", K=128, C=128, P=28, Q=28, R=3, S=3, padding=(1, 1, 1, 1))
    return {layer.name: layer for layer in (convolution, Layer("matrix product", P=512, K=448, C=504))}


def curve(layer: Layer, order: str, sizes: Sequence[int], *, tilings: int = 24) -> Curve:
    """The best tile sizes of one off-chip order for each buffer size; sides cut into up to `tilings` numbers of parts.

    The buffer holds a tile of each operand. Pixels are cut along P first, along Q where rows are split already.
    """
    pixels = ("P", "Q")
    outer = tuple(axis for name in order for axis in (pixels if name == "P" else name))
    shape = Shape("tiles", off_chip=outer, on_chip=tuple("KCPQ"), registers=("R", "S"))
    sides = [_sides(axis_extent(layer, axis), tilings) for axis in "KCPQ"]
    tiles = dict(zip("KCPQ", np.stack(np.meshgrid(*sides, indexing="ij")).reshape(4, -1), strict=True))
    rows = (tiles["Q"] == layer.Q) | (tiles["P"] == 1)
    tiles = {axis: side[rows] for axis, side in tiles.items()}
    whole = [np.full(int(rows.sum()), getattr(layer, axis)) for axis in "RS"]
    parts = [-(-getattr(layer, axis) // tiles[axis]) for axis in outer]
    factors = [*parts, *(tiles[axis] for axis in "KCPQ"), *whole]
    column = MappingColumn(shape, np.stack(factors, axis=-1))
    found = costs(layer, column, machine()).columns
    need = found[:, columns.HELD_INPUT : columns.HELD_OUTPUT + 1].sum(axis=1) * WORD_BITS / 8
    traffic = found[:, columns.DRAM_BITS] / 8
    least, best = [], []
    for size in sizes:
        fitting = np.where(need <= size, traffic, np.inf)
        row = int(np.argmin(fitting))
        least.append(float(fitting[row]))
        best.append(column[row] if np.isfinite(fitting[row]) else None)
    return Curve(order, tuple(sizes), tuple(least), tuple(best))


def spreads(layer: Layer) -> list[Spread]:
    """Every pair of dimensions over rows and columns; one alone may take both sides."""
    found = []
    for pair in ((a, b) for a in SPREAD for b in SPREAD):
        sides = [min(_SIDE, getattr(layer, dim)) for dim in pair]
        if pair[0] == pair[1]:
            sides[1] = min(_SIDE, -(-getattr(layer, pair[0]) // sides[0]))
        shape = Shape("spread", registers=tuple("KCPQRSNG"), rows=(pair[0],), columns=(pair[1],))
        spread = {dim: prod(side for at, side in zip(pair, sides, strict=True) if at == dim) for dim in "KCPQRSNG"}
        temporal = [-(-getattr(layer, dim) // spread[dim]) for dim in "KCPQRSNG"]
        column = MappingColumn(shape, np.array([[*temporal, *sides]]))
        cycles = round(float(costs(layer, column, machine()).columns[0, columns.MAC]))
        found.append(Spread(*pair, cycles, layer.macs / (cycles * _SIDE * _SIDE)))
    return found


def interchanges(layer: Layer) -> list[Interchange]:
    """Every order of the loops on chip around the same passes: 16 filters x 16 channels, one row of pixels."""
    found = []
    for order in ORDERS:
        shape = Shape("order", on_chip=tuple(order), registers=("R", "S", "Q"), rows=("K",), columns=("C",))
        size = {"K": -(-layer.K // _SIDE), "C": -(-layer.C // _SIDE), "P": layer.P}
        factors = [*(size[axis] for axis in order), layer.R, layer.S, layer.Q, _SIDE, _SIDE]
        roomy = {f"pe_array.registers.{name}": 4096 for name in ("input", "weight", "output")}
        row = costs(layer, MappingColumn(shape, np.array([factors])), machine().with_values(roomy)).columns[0]
        sums = row[columns.READ_PSUM] + row[columns.WRITE_PSUM] + row[columns.WRITE_OUTPUT]
        words = (row[columns.READ_INPUT], row[columns.READ_WEIGHT], sums)
        found.append(Interchange(order, *(round(float(count)) for count in words)))
    return found


def _sides(extent: int, tilings: int) -> NDArray[np.int64]:
    """Sizes that cut an extent into nearly equal parts: few parts exactly, many in steps that grow."""
    parts = np.unique(np.round(np.geomspace(1, extent, tilings)).astype(np.int64))
    return np.unique(-(-extent // parts))


def traffic_figure(layer: Layer, curves: Sequence[Curve]) -> Figure:
    """DRAM bytes over buffer size, a line for each order, above what no mapping can avoid."""
    picture, axes = new_axes(6.0, 3.6)
    for one in curves:
        kib = np.array(one.buffer_bytes) / 1024
        axes.plot(
            kib, np.array(one.dram_bytes) / 1e6, color=_LINES[one.order], linestyle=_STYLES[one.order],
            marker=_MARKERS[one.order], markersize=8 - ORDERS.index(one.order), linewidth=1.1, label=_name(one.order),
        )  # fmt: skip
    least = bounds(layer, machine()).dram_bits / 8e6
    axes.axhline(least, color=BLACK, linewidth=0.9, linestyle=":", label="each tensor once")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    label_log_ticks(axes)
    axes.grid(visible=True, which="major", linewidth=0.4, color="#DDDDDD")
    axes.legend(
        fontsize=TEXT_POINTS, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), title="off-chip loops",
        title_fontsize=TEXT_POINTS,
    )  # fmt: skip
    label_axes(axes, f"{layer.name}: best tiles for each order", "buffer (KiB)", "DRAM traffic (MB)")
    return picture


def spread_figure(layer: Layer, found: Sequence[Spread]) -> Figure:
    """Share of the array that is busy, by the dimensions over its rows and its columns."""
    picture, axes = new_axes(4.2, 3.6)
    shares = np.array([one.utilization for one in found]).reshape(len(SPREAD), len(SPREAD))
    axes.imshow(100 * shares, cmap="cividis", vmin=0, vmax=100)
    for row, column in np.ndindex(shares.shape):
        colour = BLACK if shares[row, column] > 0.5 else "white"
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=TEXT_POINTS, color=colour)
    axes.set_xticks(range(len(SPREAD)), list(SPREAD))
    axes.set_yticks(range(len(SPREAD)), list(SPREAD))
    label_axes(axes, f"{layer.name}: PEs at work (%)", "dimension over 16 columns", "dimension over 16 rows")
    return picture


def _name(order: str) -> str:
    stays = {"C": "outputs", "K": "inputs", "P": "weights"}[order[-1]]
    return f"{' '.join(order)} ({stays} stay)"


def run(sizes: Sequence[int], *, tilings: int = 24) -> dict[str, list[Curve]]:
    """The curves of each layer."""
    return {name: [curve(layer, order, sizes, tilings=tilings) for order in ORDERS] for name, layer in layers().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Loop interchange, tiling and unrolling.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where the figures go")
    parser.add_argument("--quick", action="store_true", help="fewer buffer and tile sizes")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    sizes = [1 << power for power in range(12, 21, 4 if arguments.quick else 1)]
    curves = run(sizes, tilings=8 if arguments.quick else 24)
    for name, layer in layers().items():
        rows = [
            {"off-chip loops": _name(one.order)}
            | {f"{size // 1024} KiB": traffic / 1e6 for size, traffic in zip(sizes, one.dram_bytes, strict=True)}
            for one in curves[name]
        ]
        least = bounds(layer, machine()).dram_bits / 8e6
        show(f"{name}: DRAM traffic in MB by buffer size; each tensor once {least:.2f}", rows)
        show(
            f"{name}: words between buffers and 16 x 16 PEs by the order on chip",
            [{"on-chip loops": _name(x.order), "inputs": x.inputs, "weights": x.weights, "sums": x.sums}
             for x in interchanges(layer)],
        )  # fmt: skip
        best = sorted(spreads(layer), key=lambda one: one.cycles)
        show(
            f"{name}: dimensions over rows and columns, best and worst",
            [{"rows": one.rows, "columns": one.columns, "cycles": one.cycles, "busy %": 100 * one.utilization}
             for one in (*best[:4], *best[-4:])],
        )  # fmt: skip
        stem = name.replace(" ", "_")
        save(traffic_figure(layer, curves[name]), arguments.out / f"loop_orders_{stem}.png")
        save(spread_figure(layer, spreads(layer)), arguments.out / f"unrolling_{stem}.png")
    print(f"saved loop_orders_*.png and unrolling_*.png in {arguments.out}")


if __name__ == "__main__":
    start(main)
