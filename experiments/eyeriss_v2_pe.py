"""One PE of Eyeriss v2 (one multiplier) on sparse pointwise layers of MobileNet: theirs, ours, error.

Theirs are the cycles of the Eyeriss v2 baseline that Y. N. Wu et al., "Sparseloop", MICRO 2022, validate against (their
Fig. 12). With `--reference DIR`, DIR holds `eyeriss_v2_pe_mobilenet_cycles.csv` (columns layer, C, M, E,
cycles_ground_truth) and `eyeriss_v2_pe_masks/LAYER_{iacts,weights}.txt`, the real masks as text of 0 and 1 (index of an
input: pixel*C + c, of a weight: m*C + c). Without, a drawn layer of L09's size is compared with the closed form:
nonzero inputs times nonzero weights, channel by channel. Ours is `mac_cycles` of the preset with the mapping found for
it; `compute_cycles`, shown beside it, adds what the ports cost.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accel import load
from accel.mapper import map_layer
from accel.simulation import simulate_layer
from experiments.compare import error_percent, show
from experiments.start import start
from workloads import Density, Layer, Tensors
from workloads.operands import draw

MASKS = "eyeriss_v2_pe_masks"
CYCLES = "eyeriss_v2_pe_mobilenet_cycles.csv"
DRAWN = Layer("drawn", K=128, C=64, P=16, Q=16, density=Density(0.86, 0.82))


@dataclass(frozen=True, slots=True)
class PeRow:
    """One layer: theirs, the cycles of our MACs, and those with what ports cost."""

    layer: str
    theirs: int
    mac_cycles: int
    compute_cycles: int

    @property
    def error_percent(self) -> float:
        return error_percent(self.mac_cycles, self.theirs)


def run(reference: Path | None = None) -> list[PeRow]:
    """The layers of the reference folder that have masks, or the drawn one."""
    if reference is None:
        layer = DRAWN.with_tensors(draw(DRAWN))
        return [_simulated(layer, _closed_form(layer))]
    with (reference / CYCLES).open(encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(line for line in file if not line.startswith("#")) if line["C"]]
    found = []
    for line in lines:
        name, c, m, e = line["layer"], int(line["C"]), int(line["M"]), int(line["E"])
        inputs = _mask(reference, f"{name}_iacts").reshape(e, e, c).transpose(2, 0, 1)[None]
        weights = _mask(reference, f"{name}_weights").reshape(m, c, 1, 1)
        layer = Layer(name, K=m, C=c, P=e, Q=e).with_tensors(Tensors(np.ascontiguousarray(inputs), weights))
        found.append(_simulated(layer, int(line["cycles_ground_truth"])))
    return found


def _mask(reference: Path, name: str) -> NDArray[np.int8]:
    text = (reference / MASKS / f"{name}.txt").read_text(encoding="ascii").strip()
    return (np.frombuffer(text.encode(), dtype=np.uint8) - ord("0")).astype(np.int8)


def _simulated(layer: Layer, theirs: int) -> PeRow:
    chip = load("eyeriss_v2_pe")
    report = simulate_layer(layer, map_layer(layer, chip), chip).report
    return PeRow(layer.name, theirs, report.mac_cycles, report.compute_cycles)


def _closed_form(layer: Layer) -> int:
    """Products of a pointwise layer whose operands are both nonzero."""
    assert layer.tensors is not None
    inputs = np.count_nonzero(layer.tensors.input, axis=(0, 2, 3))
    return int((inputs * np.count_nonzero(layer.tensors.weight, axis=(0, 2, 3))).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description="One PE of Eyeriss v2 on sparse pointwise layers.")
    parser.add_argument("--reference", type=Path, metavar="DIR", help="folder with published cycles and masks")
    rows = run(parser.parse_args().reference)
    show(
        "Cycles",
        [
            {
                "layer": row.layer,
                "theirs": row.theirs,
                "ours": row.mac_cycles,
                "error": row.error_percent,
                "with ports": row.compute_cycles,
            }
            for row in rows
        ],
    )


if __name__ == "__main__":
    start(main)
