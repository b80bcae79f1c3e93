"""2:4 weights on the tensor cores of an A100: half the compute cycles always, half the time never when memory-bound.

Matrix products of BERT-base's and ViT-L's MLPs over a range of tokens, dense and pruned 2:4, on the preset
`sparse_tensor_core`. `compute` is the ratio of the MACs' cycles, `end to end` that of the latencies of one product,
whose weights come from DRAM. Weights take 9 bits of 16 (two values of four and their 2-bit indices), so a product bound
by them gains at most 16 / 9. Measured speed-ups on the real GPU are context, not a target: they hold other kernels,
launches and, of the ViT layer, pruning and the backward pass.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from accel import Accelerator, load
from accel.mapper import map_layer
from accel.plots import save
from accel.plots.style import BLUE, GREY, TEXT_POINTS, VERMILION, label_axes, new_axes
from accel.plots.ticks import label_log_ticks
from accel.simulation import simulate_layer
from accel.task import QUICK
from accel.transfer import TransferTiming
from experiments.compare import show
from experiments.start import start
from mappings import Budget
from workloads import Layer, Tensors
from workloads.operands import draw

SHAPES = {"BERT-base MLP, 768 x 3072": (768, 3072), "ViT-L MLP, 1024 x 4096": (1024, 4096)}
TOKENS = (1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
MEASURED = (
    ("BERT-base on SQuAD, whole network, batch 16", 1.18),
    ("BERT-base on SQuAD, whole network, batch 256", 1.12),
    ("ViT-L MLP linear 1, training step, 13,008 tokens", 1.24),
)
"""A100 80 GB, FP16: PyTorch tutorial "(beta) Accelerating BERT with semi-structured sparsity", compiled; torchao,
sparsity/training README."""


@dataclass(frozen=True, slots=True)
class Point:
    """One product; `intensity`: MACs per byte of its three matrices when dense."""

    shape: str
    tokens: int
    intensity: float
    dense_cycles: int
    compute: float
    end_to_end: float
    bottleneck: str


def pruned(weight: NDArray[np.integer], n: int, m: int) -> NDArray[np.integer]:
    """The `n` largest of every `m` neighbouring input channels, the first among equals; m divides the channels."""
    groups = np.abs(weight.astype(np.int64)).reshape(len(weight), -1, m)
    rank = np.argsort(np.argsort(-groups, axis=2, kind="stable"), axis=2)
    return (weight.reshape(groups.shape) * (rank < n)).reshape(weight.shape).astype(weight.dtype)


def run(shapes: Sequence[str] = tuple(SHAPES), tokens: Sequence[int] = TOKENS, budget: Budget = QUICK) -> list[Point]:
    """Every product, dense and 2:4, each with the fastest of the mappings found for either.

    A mapping whose dense MACs just hide its loads is bound by them when the MACs halve. `compute` is of the MACs alone,
    with the mapping that gains most. Some are found for a DRAM that nothing waits for: those of a product bound by
    memory may leave no four neighbours to a multiplier.
    """
    chip = load("sparse_tensor_core")
    unbound = chip.with_values({"dma.channels": 100 * chip.dma.channels})
    found = []
    for shape in shapes:
        inputs, outputs = SHAPES[shape]
        for number in tokens:
            layer = Layer("product", op="matmul", N=number, C=inputs, K=outputs)
            words = draw(layer)
            both = [layer.with_tensors(Tensors(words.input, it)) for it in (words.weight, pruned(words.weight, 2, 4))]
            mappings = [
                map_layer(one, on, objective="latency", budget=budget) for on in (chip, unbound) for one in both
            ]
            dense, sparse = ([simulate_layer(one, it, chip).report for it in mappings] for one in both)
            fastest, fastest_sparse = (min(rows, key=lambda row: row.latency_cycles) for rows in (dense, sparse))
            found.append(
                Point(
                    shape,
                    number,
                    layer.macs / (2 * (number * inputs + inputs * outputs + number * outputs)),
                    fastest.latency_cycles,
                    max(row.mac_cycles / other.mac_cycles for row, other in zip(dense, sparse, strict=True)),
                    fastest.latency_cycles / fastest_sparse.latency_cycles,
                    fastest_sparse.bottleneck,
                )
            )
    return found


def balance(chip: Accelerator) -> float:
    """MACs per byte at which dense compute and DRAM take equally long."""
    return chip.pe_array.multipliers / (TransferTiming.of(chip).peak_bits_per_cycle / 8)


def figure(points: Sequence[Point]) -> Figure:
    """Speed-ups over arithmetic intensity, and where the machine turns from memory- to compute-bound."""
    picture, axes = new_axes(5.2, 3.2)
    for shape, marker in zip(dict.fromkeys(point.shape for point in points), "os", strict=False):
        mine = [point for point in points if point.shape == shape]
        at = [point.intensity for point in mine]
        axes.plot(at, [point.compute for point in mine], marker, ls="--", ms=3.5, lw=1, color=BLUE)
        axes.plot(at, [point.end_to_end for point in mine], marker, ls="-", ms=3.5, lw=1, color=VERMILION, label=shape)
    ridge = balance(load("sparse_tensor_core"))
    axes.axvline(ridge, color=GREY, lw=0.8)
    axes.text(ridge, 2.08, "dense compute = DRAM ", fontsize=TEXT_POINTS - 1, color=GREY, ha="right")
    axes.text(min(point.intensity for point in points), 2.03, "compute", fontsize=TEXT_POINTS, color=BLUE)
    axes.text(min(point.intensity for point in points), 1.66, "end to end", fontsize=TEXT_POINTS, color=VERMILION)
    axes.set_xscale("log")
    axes.set_ylim(1.0, 2.15)
    label_log_ticks(axes)
    axes.legend(fontsize=TEXT_POINTS, frameon=False, loc="lower left")
    label_axes(axes, "2:4 weights on an A100's tensor cores", "MACs per byte, dense", "speed-up over dense weights")
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description="2:4 weights: compute and end to end, over arithmetic intensity.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="where two_of_four.png goes")
    directory: Path = parser.parse_args().out
    points = run()
    for shape in SHAPES:
        rows = [
            {
                "tokens": point.tokens,
                "MACs/byte": point.intensity,
                "dense, us": point.dense_cycles / load("sparse_tensor_core").clock_mhz,
                "compute": point.compute,
                "end to end": point.end_to_end,
                "bound by": point.bottleneck,
            }
            for point in points
            if point.shape == shape
        ]
        show(f"{shape}: speed-up of 2:4", rows)
    show("Measured on the GPU (context)", [{"workload": name, "speed-up": value} for name, value in MEASURED])
    directory.mkdir(parents=True, exist_ok=True)
    save(figure(points), directory / "two_of_four.png")
    print(f"saved {directory / 'two_of_four.png'}")


if __name__ == "__main__":
    start(main)
