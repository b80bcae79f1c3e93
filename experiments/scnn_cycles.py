"""SCNN's products against cycles of a simulator by others, with zeros drawn alike.

`scnn_kaist_cyclesim.csv` (columns log, layer_index, input_NCHW, weight_KCSR, Kc, act_sparsity, weight_sparsity,
mult_cycles, total_cycles_sum_over_PEs) holds cycles added up over the 64 PEs, without a barrier; the total has a cycle
more for each channel, group of filters and PE.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from accel import load
from accel.skipping import skipped_work
from mappings import Loop
from mappings import Mapping as LoopMapping
from workloads import Density, Layer
from workloads.operands import draw

CYCLES = "scnn_kaist_cyclesim.csv"


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A row of the third-party simulator, cycles added up over the PEs: (theirs, ours) of products, and of all."""

    name: str
    products: tuple[int, int]
    total: tuple[int, int]


def rows(reference: Path) -> list[CycleRow]:
    """The rows of the third-party simulator; its tiles are even runs of the input plane, all channels at a time."""
    chip, found = load("scnn"), []
    with (reference / CYCLES).open(encoding="utf-8") as file:
        lines = list(csv.DictReader(data(file)))
    for line in lines:
        _, c, height, width = (int(part) for part in line["input_NCHW"].split("x"))
        k, _, r, s = (int(part) for part in line["weight_KCSR"].split("x"))
        group, sparse = int(line["Kc"]), (float(line["act_sparsity"]), float(line["weight_sparsity"]))
        layer = Layer(
            f"layer {line['layer_index']}, Kc {group}",
            K=k, C=c, P=height, Q=width, R=r, S=s, padding=(r // 2, s // 2, r // 2, s // 2),
            density=Density(1 - sparse[0], 1 - sparse[1]),
        )  # fmt: skip
        array = chip.pe_array
        mapping = LoopMapping(
            "even_runs",
            off_chip=(Loop("K", ceil(k / group)),),
            registers=(
                Loop("C", c), Loop("K", group), Loop("R", r), Loop("S", s),
                Loop("P", ceil(height / array.rows)), Loop("Q", ceil(width / array.columns)),
            ),
            rows=(Loop("P", array.rows),),
            columns=(Loop("Q", array.columns),),
        )  # fmt: skip
        ours = int(skipped_work(layer, draw(layer), mapping, chip).cycles.sum())
        switches = ceil(k / group) * c * array.rows * array.columns
        theirs = int(line["mult_cycles"]), int(line["total_cycles_sum_over_PEs"])
        found.append(CycleRow(layer.name, (theirs[0], ours), (theirs[1], ours + switches)))
    return found


def data(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a file that are no comments."""
    return (line for line in lines if not line.startswith("#"))
