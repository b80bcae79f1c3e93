"""Bit Fusion against its authors' simulator, and its speed-up over Eyeriss: theirs, ours, error.

With `--reference DIR`, DIR holds what the authors' simulator printed: `bitfusion_sim_perlayer.csv` (columns N, M,
dram_bits_per_cycle, wbuf_size, ibuf_size, obuf_size, batch, network, layer, C, K, kh, kw, stride, OH, OW, act_bits,
weight_bits, cycles, dram_read_bits, dram_write_bits) and `bitfusion_vs_eyeriss.csv` (network, eyeriss_ms, bitfusion_ms,
speedup). Without, our cycles are compared with the closed form of its arithmetic, and the speed-ups with the mean the
paper prints.

Ours is the preset `bit_fusion` with their array, buffers and link, on batches of 16, sums of 32 bits stored as their
simulator does, DRAM that is never slower than the link, and the mapping found for least latency. Nothing is fitted.
Behind the published link it is also played on the mapping that their compiler takes (`bit_fusion_compiler`), as our
machine would move it and with the sums that theirs fetches before there are any. The wide link is left out there: tiles
of a few words in turn, which their DRAM without latency feeds for nothing, would be all there is to see.

Eyeriss runs 16 bits, and networks of regular width. It is `eyeriss_16x16` (`bit_fusion_machines` says why), and two of
168 PEs: the measured chip at 500 MHz behind the same link, whose buses bind, and one that never waits, all PEs busy in
every cycle or the link carrying every word once. No Eyeriss of 168 PEs on that link is faster than the last; seven of
the authors' eight times are.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Any

from accel.mapper import explore
from accel.spec import Accelerator
from experiments.bit_fusion_compiler import compile_layer, played_cycles
from experiments.bit_fusion_machines import (
    CLOCK_MHZ,
    PUBLISHED,
    chip_of,
    eyeriss,
    eyeriss_16x16,
    folded_cycles,
    layer_of,
    least_cycles,
)
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from experiments.start import start
from workloads import Layer

PER_LAYER, SPEEDUPS = "bitfusion_sim_perlayer.csv", "bitfusion_vs_eyeriss.csv"
AGAINST = "Bit Fusion (authors' simulator)"
MEAN_PERCENT = 10.0
SPEEDUP_PERCENT = 15.0
_COMPARED = (
    ("measured chip", "our mapping"),
    ("168 PEs that never wait", "our mapping"),
    ("16 x 16 PEs", "our mapping"),
    ("theirs", "our mapping"),
    ("theirs", "their mapping, sums fetched"),
)
"""Mean speed-ups to judge. Like is compared with like in the third, both ours, and in the last, both theirs."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """Cycles of a layer; theirs, ours, the array's alone; ours on their mapping, with and without fetched sums."""

    array: str
    network: str
    layer: str
    theirs: int
    ours: int
    compute_cycles: int
    played: int = 0
    fetched: int = 0
    compiled: bool = True
    """Whether the compiler's rule comes to their cycles, DRAM reads and writes, to the bit."""

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours, self.theirs)


@dataclass(frozen=True, slots=True)
class SpeedupRow:
    """A network's milliseconds an image; theirs are 0 without a reference."""

    network: str
    chip_ms: float
    """Of the measured Eyeriss."""
    never_waits_ms: float
    wide_ms: float
    """Of an Eyeriss of 16 x 16 PEs."""
    folded_ms: float
    """Of the same in closed form."""
    bit_fusion_ms: float
    played_ms: float
    """Of Bit Fusion on its compiler's mapping."""
    fetched_ms: float
    """Of the same with sums fetched before there are any."""
    their_eyeriss_ms: float = 0.0
    their_bit_fusion_ms: float = 0.0


@cache
def _simulated(layer: Layer, chip: Accelerator) -> tuple[int, int]:
    report = explore(layer, chip, objective="latency").report
    return report.latency_cycles, report.compute_cycles


@cache
def _played(layer: Layer, chip: Accelerator, fetch_sums: bool) -> int:
    return played_cycles(compile_layer(layer, chip), chip, fetch_sums=fetch_sums)


def run_layers(reference: Path) -> list[LayerRow]:
    """Every row of the reference."""
    found = []
    for line in _lines(reference / PER_LAYER):
        value = {name: int(line[name]) for name in line if line[name].isdigit()}
        shape = (value[name] for name in ("K", "C", "OH", "kh", "stride", "act_bits", "weight_bits"))
        buffers_kib = (value["ibuf_size"] / 1024, value["wbuf_size"] / 1024, value["obuf_size"] / 1024)
        machine = (value["N"], value["M"], value["dram_bits_per_cycle"])
        layer, chip = layer_of(shape, batch=value["batch"]), chip_of(*machine, buffers_kib)
        theirs = tuple(value[name] for name in ("cycles", "dram_read_bits", "dram_write_bits"))
        rule, (ours, compute) = compile_layer(layer, chip), _simulated(layer, chip)
        played, fetched = (_played(layer, chip, fetch) if machine == PUBLISHED else 0 for fetch in (False, True))
        name, array = line["layer"].split("/")[0], "{} x {}, {} bits".format(*machine)
        equal = (rule.cycles, rule.dram_read_bits, rule.dram_write_bits) == theirs
        found.append(LayerRow(array, line["network"], name, value["cycles"], ours, compute, played, fetched, equal))
    return found


def run_speedups(reference: Path | None = None, names: tuple[str, ...] = ()) -> list[SpeedupRow]:
    """Every network of the paper, or those named."""
    published = {line["network"]: line for line in _lines(reference / SPEEDUPS)} if reference else {}
    fused, chip, wide = chip_of(*PUBLISHED, (32, 64, 16)), eyeriss(), eyeriss_16x16()
    found = []
    for name, network in read("bit_fusion").items():
        if not isinstance(network, dict) or (names and name not in names):
            continue
        layers = network["layers"]
        regular = network.get("regular", [[*layer[:5], 16, 16, layer[7]] for layer in layers])
        theirs = published.get(name, {"eyeriss_ms": "0", "bitfusion_ms": "0"})
        found.append(
            SpeedupRow(
                name,
                _image_ms(regular, lambda layer: _simulated(layer, chip)[0]),
                _image_ms(regular, least_cycles),
                _image_ms(regular, lambda layer: _simulated(layer, wide)[0]),
                _image_ms(regular, folded_cycles),
                _image_ms(layers, lambda layer: _simulated(layer, fused)[0]),
                _image_ms(layers, lambda layer: _played(layer, fused, False)),
                _image_ms(layers, lambda layer: _played(layer, fused, True)),
                float(theirs["eyeriss_ms"]),
                float(theirs["bitfusion_ms"]),
            )
        )
    return found


def _image_ms(layers: list[list[int]], cycles: Callable[[Layer], float]) -> float:
    batch: int = read("bit_fusion")["batch"]
    total: float = sum(cycles(layer_of(numbers, batch=batch)) * count for *numbers, count in layers)
    return total / CLOCK_MHZ / 1e3 / batch


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))


def mean_speedups(rows: list[SpeedupRow]) -> dict[tuple[str, str], float]:
    """Geometric means over the networks, by Eyeriss and by how Bit Fusion is mapped; theirs with a reference only."""
    slow = {
        "measured chip": [row.chip_ms for row in rows],
        "168 PEs that never wait": [row.never_waits_ms for row in rows],
        "16 x 16 PEs": [row.wide_ms for row in rows],
    }
    if all(row.their_eyeriss_ms for row in rows):
        slow["theirs"] = [row.their_eyeriss_ms for row in rows]
    fast = {
        "our mapping": [row.bit_fusion_ms for row in rows],
        "their mapping": [row.played_ms for row in rows],
        "their mapping, sums fetched": [row.fetched_ms for row in rows],
    }
    return {
        (eyeriss_name, mapping): geometric_mean(long / short for long, short in zip(slow_ms, fast_ms, strict=True))
        for eyeriss_name, slow_ms in slow.items()
        for mapping, fast_ms in fast.items()
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [line for line in csv.DictReader(line for line in file if not line.startswith("#")) if line["network"]]


def verdicts(rows: list[LayerRow], speedups: list[SpeedupRow]) -> list[Verdict]:
    """Cycles by array and on their mapping, their times of Eyeriss, and the mean speed-ups."""
    found = []
    for array in dict.fromkeys(row.array for row in rows):
        cases = tuple((f"{row.network} {row.layer}", row.error_percent) for row in rows if row.array == array)
        found.append(Verdict(AGAINST, f"cycles, {array} a cycle", cases))
    if rows:
        cases = tuple((f"{row.network} {row.layer}, {row.array}", row.error_percent) for row in rows)
        found.append(Verdict(AGAINST, "cycles, all", cases, None, MEAN_PERCENT))
    played = [row for row in rows if row.played]
    if played:
        for what, ours in (
            ("", [row.played for row in played]),
            (", sums fetched", [row.fetched for row in played]),
        ):
            named = zip(played, ours, strict=True)
            cases = tuple((f"{row.network} {row.layer}", error_percent(cycles, row.theirs)) for row, cycles in named)
            found.append(Verdict(AGAINST, f"cycles on their mapping{what}, {played[0].array} a cycle", cases))
    cases = tuple(
        (row.network, error_percent(row.folded_ms, row.their_eyeriss_ms)) for row in speedups if row.their_eyeriss_ms
    )
    if cases:
        found.append(Verdict(AGAINST, "Eyeriss, folded sets on 16 x 16 PEs in closed form", cases))
    published = read("bit_fusion")["speedup"]
    means = mean_speedups(speedups)
    for eyeriss_name, mapping in _COMPARED:
        if (eyeriss_name, mapping) in means:
            error = (("geometric mean", error_percent(means[eyeriss_name, mapping], published)),)
            found.append(Verdict(AGAINST, f"speed-up over Eyeriss, {eyeriss_name}; {mapping}", error, SPEEDUP_PERCENT))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Bit Fusion: cycles by layer, and its speed-up over Eyeriss.")
    parser.add_argument("--reference", type=Path, metavar="DIR", help="folder with what the authors' simulator printed")
    reference = parser.parse_args().reference
    missing = [name for name in (PER_LAYER, SPEEDUPS) if reference and not (reference / name).is_file()]
    if missing:
        parser.error(f"{reference} has no {' and no '.join(missing)}")
    rows = run_layers(reference) if reference else []
    if rows:
        show("Cycles of a batch", [_cells(row) for row in rows])
        equal = sum(row.compiled for row in rows)
        print(f"The compiler's rule comes to their cycles, DRAM reads and writes in {equal} of {len(rows)} rows\n")
    else:
        print(f"Cycles by layer: not compared, --reference DIR needs {PER_LAYER}\n")
    speedups = run_speedups(reference)
    show("Milliseconds an image", [_speedup_cells(row) for row in speedups])
    means = mean_speedups(speedups)
    mappings = list(dict.fromkeys(mapping for _, mapping in means))
    table = [
        {"Eyeriss": name} | {mapping: means[name, mapping] for mapping in mappings}
        for name in dict.fromkeys(name for name, _ in means)
    ]
    show(f"Speed-up of Bit Fusion, geometric means; the paper's: {read('bit_fusion')['speedup']}", table)
    show_verdicts(verdicts(rows, speedups))


def _cells(row: LayerRow) -> dict[str, object]:
    return {
        "array, link": row.array, "network": row.network, "layer": row.layer, "theirs": row.theirs, "ours": row.ours,
        "error": row.error_percent, "array alone": row.compute_cycles, "their mapping": row.played or "-",
        "sums fetched": row.fetched or "-",
    }  # fmt: skip


def _speedup_cells(row: SpeedupRow) -> dict[str, object]:
    cells: dict[str, object] = {
        "network": row.network, "Eyeriss, chip": row.chip_ms, "never waits": row.never_waits_ms,
        "16 x 16": row.wide_ms, "in closed form": row.folded_ms, "Bit Fusion": row.bit_fusion_ms,
        "their mapping": row.played_ms, "sums fetched": row.fetched_ms,
    }  # fmt: skip
    if row.their_eyeriss_ms:
        cells |= {"Eyeriss, theirs": row.their_eyeriss_ms, "Bit Fusion, theirs": row.their_bit_fusion_ms}
    return cells


if __name__ == "__main__":
    start(main)
