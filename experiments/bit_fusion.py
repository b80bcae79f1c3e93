"""Bit Fusion against its authors' simulator, and its speed-up over Eyeriss: theirs, ours, error.

With `--reference DIR`, DIR holds what the authors' simulator printed: `bitfusion_sim_perlayer.csv` (columns N, M,
dram_bits_per_cycle, wbuf_size, ibuf_size, obuf_size, batch, network, layer, C, K, kh, kw, stride, OH, OW, act_bits,
weight_bits, cycles) and `bitfusion_vs_eyeriss.csv` (network, eyeriss_ms, bitfusion_ms, speedup). Without, our cycles
are compared with the closed form of its arithmetic, and the speed-ups with the mean the paper prints.

Ours is the preset `bit_fusion` with their array, buffers and link, on batches of 16, sums of 32 bits stored as their
simulator does, DRAM that is never slower than the link, and the mapping found for least latency. Nothing is fitted.
Eyeriss is the preset `eyeriss_v1` at 500 MHz behind the same link, on 16 bits and networks of regular width. It is the
measured chip, whose buses bind; theirs is not: their times mean up to 256.0 MACs a cycle (RNN), where the chip has 168
PEs. So our Bit Fusion is also compared with their Eyeriss, and with one that never waits: the array the paper states,
168 PEs all busy in every cycle, or its link carrying every word once if that takes longer. No Eyeriss of 168 PEs on
that link is faster, whatever its mapping, buses and buffers; seven of their eight times are.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import ceil, exp, log
from pathlib import Path
from typing import Any

from accel import load
from accel.mapper import explore
from accel.spec import Accelerator
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from workloads import Bits, Layer, Operand

PER_LAYER, SPEEDUPS = "bitfusion_sim_perlayer.csv", "bitfusion_vs_eyeriss.csv"
AGAINST = "Bit Fusion (authors' simulator)"
MEAN_PERCENT = 10.0
SPEEDUP_PERCENT = 15.0
CLOCK_MHZ = 500
PUBLISHED = (16, 32, 192)
"""Rows, columns and bits a cycle of the link in the comparison the paper prints."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """Cycles of a layer; theirs, ours, and the array's alone."""

    array: str
    network: str
    layer: str
    theirs: int
    ours: int
    compute_cycles: int

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours, self.theirs)


@dataclass(frozen=True, slots=True)
class SpeedupRow:
    """A network's milliseconds an image; theirs are 0 without a reference."""

    network: str
    eyeriss_ms: float
    bit_fusion_ms: float
    their_eyeriss_ms: float = 0.0
    their_bit_fusion_ms: float = 0.0
    least_eyeriss_ms: float = 0.0
    """Of an Eyeriss that never waits."""

    @property
    def speedup(self) -> float:
        return self.eyeriss_ms / self.bit_fusion_ms

    @property
    def their_speedup(self) -> float:
        return self.their_eyeriss_ms / self.their_bit_fusion_ms if self.their_bit_fusion_ms else 0.0


def layer_of(numbers: Iterable[int], name: str = "layer", batch: int = 16) -> Layer:
    """A layer of the data file: filters, channels, output side, filter side, stride, bits of inputs and weights.

    Padding counts as input, as in the authors' simulator.
    """
    k, c, side, taps, stride, act, weight = numbers
    return Layer(
        name, N=batch, K=k, C=c, P=side, Q=side, R=taps, S=taps, stride=(stride, stride), bits=Bits(act, weight, None)
    )  # fmt: skip


def closed_form_cycles(layer: Layer, rows: int = 16, columns: int = 32) -> int:
    """The authors' arithmetic: filters over columns, channels over rows and fused products, taps in turn.

    The first layer, of 1 or 3 channels, is a matrix product of its unrolled windows.
    """
    assert layer.bits.input and layer.bits.weight
    fused = (8 // max(2, layer.bits.input)) * (8 // max(2, layer.bits.weight))
    taps, channels = layer.R * layer.S, layer.C
    if channels < rows:
        taps, channels = 1, channels * taps
    return layer.N * layer.P * layer.Q * ceil(layer.K / columns) * taps * ceil(channels / (rows * fused))


def least_cycles(layer: Layer, multipliers: int = 168, link_bits: int = PUBLISHED[2]) -> float:
    """No array of so many multipliers, behind a link of so many bits a cycle, takes less: each word crosses it once."""
    assert layer.bits.input and layer.bits.weight
    bits = layer.words(Operand.INPUT) * layer.bits.input + layer.words(Operand.WEIGHT) * layer.bits.weight
    bits += layer.words(Operand.OUTPUT) * layer.bits.input
    return max(layer.macs / multipliers, bits / link_bits)


def chip_of(rows: int, columns: int, link_bits: int, buffers_kib: tuple[float, float, float]) -> Accelerator:
    """The preset with another array, its ports, buffers (input, weight, output) and link; DRAM never binds."""
    return load("bit_fusion").with_values(
        {
            "pe_array.rows": rows,
            "pe_array.columns": columns,
            "pe_array.bits.output": 32,
            "pe_array.ports.input": 32 * rows,
            "pe_array.ports.weight": 32 * rows * columns,
            "pe_array.ports.psum": 32 * columns,
            "pe_array.ports.output": 32 * columns,
            "weight_buffer.kib": buffers_kib[1],
            "weight_buffer.banks": rows * columns,
            "data_buffer.kib": buffers_kib[0],
            "data_buffer.banks": rows,
            "data_buffer.accumulator_kib": buffers_kib[2],
            "dma.dram": "HBM2-2000",
            "dma.channels": 32,
            "dma.link_bits": link_bits,
        }
    )  # fmt: skip


def eyeriss() -> Accelerator:
    """The measured chip at the clock, and behind the link, of the paper's comparison."""
    return load("eyeriss_v1").with_values(
        {
            "clock_mhz": CLOCK_MHZ,
            "dma.dram": "HBM2-2000",
            "dma.channels": 32,
            "dma.link_bits": PUBLISHED[2],
            "dma.link_mhz": CLOCK_MHZ,
        }
    )


@cache
def _simulated(layer: Layer, chip: Accelerator) -> tuple[int, int]:
    report = explore(layer, chip, objective="latency").report
    return report.latency_cycles, report.compute_cycles


def run_layers(reference: Path) -> list[LayerRow]:
    """Every row of the reference."""
    found = []
    for line in _lines(reference / PER_LAYER):
        value = {name: int(line[name]) for name in line if line[name].isdigit()}
        shape = (value[name] for name in ("K", "C", "OH", "kh", "stride", "act_bits", "weight_bits"))
        buffers_kib = (value["ibuf_size"] / 1024, value["wbuf_size"] / 1024, value["obuf_size"] / 1024)
        chip = chip_of(value["N"], value["M"], value["dram_bits_per_cycle"], buffers_kib)
        ours, compute = _simulated(layer_of(shape, batch=value["batch"]), chip)
        array = f"{value['N']} x {value['M']}, {value['dram_bits_per_cycle']} bits"
        found.append(LayerRow(array, line["network"], line["layer"].split("/")[0], value["cycles"], ours, compute))
    return found


def run_speedups(reference: Path | None = None, names: tuple[str, ...] = ()) -> list[SpeedupRow]:
    """Every network of the paper, or those named."""
    published = {line["network"]: line for line in _lines(reference / SPEEDUPS)} if reference else {}
    data = read("bit_fusion")
    batch, found = data["batch"], []
    fused = chip_of(*PUBLISHED, (32, 64, 16))
    for name, network in data.items():
        if not isinstance(network, dict) or (names and name not in names):
            continue
        regular = network.get("regular", [[*layer[:5], 16, 16, layer[7]] for layer in network["layers"]])
        slow, fast = _milliseconds(regular, eyeriss(), batch), _milliseconds(network["layers"], fused, batch)
        theirs = published.get(name, {"eyeriss_ms": "0", "bitfusion_ms": "0"})
        least = sum(least_cycles(layer_of(numbers, batch=batch)) * count for *numbers, count in regular)
        their_slow, their_fast = float(theirs["eyeriss_ms"]), float(theirs["bitfusion_ms"])
        found.append(SpeedupRow(name, slow, fast, their_slow, their_fast, _image_ms(least, batch)))
    return found


def _milliseconds(layers: list[list[int]], chip: Accelerator, batch: int) -> float:
    cycles = sum(_simulated(layer_of(numbers, batch=batch), chip)[0] * count for *numbers, count in layers)
    return _image_ms(cycles, batch)


def _image_ms(cycles: float, batch: int) -> float:
    return cycles / CLOCK_MHZ / 1e3 / batch


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [line for line in csv.DictReader(line for line in file if not line.startswith("#")) if line["network"]]


def verdicts(rows: list[LayerRow], speedups: list[SpeedupRow]) -> list[Verdict]:
    """Cycles by array, and the mean speed-up."""
    found = []
    for array in dict.fromkeys(row.array for row in rows):
        cases = tuple((f"{row.network} {row.layer}", row.error_percent) for row in rows if row.array == array)
        found.append(Verdict(AGAINST, f"cycles, {array} a cycle", cases))
    if rows:
        cases = tuple((f"{row.network} {row.layer}, {row.array}", row.error_percent) for row in rows)
        found.append(Verdict(AGAINST, "cycles, all", cases, None, MEAN_PERCENT))
    published = read("bit_fusion")["speedup"]
    found.append(_mean("speed-up over Eyeriss", (row.speedup for row in speedups), published))
    if all(row.least_eyeriss_ms for row in speedups):
        never = (row.least_eyeriss_ms / row.bit_fusion_ms for row in speedups)
        found.append(_mean("speed-up over an Eyeriss that never waits", never, published))
    if all(row.their_eyeriss_ms for row in speedups):
        mixed = (row.their_eyeriss_ms / row.bit_fusion_ms for row in speedups)
        found.append(_mean("speed-up over the Eyeriss of their simulator", mixed, published))
    return found


def _mean(quantity: str, speedups: Iterable[float], published: float) -> Verdict:
    mean = error_percent(geometric_mean(speedups), published)
    return Verdict(AGAINST, quantity, (("geometric mean", mean),), SPEEDUP_PERCENT)


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
    else:
        print(f"Cycles by layer: not compared, --reference DIR needs {PER_LAYER}\n")
    speedups = run_speedups(reference)
    show("Milliseconds an image, and speed-up", [_speedup_cells(row) for row in speedups])
    mean = geometric_mean(row.speedup for row in speedups)
    least = geometric_mean(row.least_eyeriss_ms / row.bit_fusion_ms for row in speedups)
    print(f"Geometric mean of our speed-ups: {mean:.2f}, the paper's: {read('bit_fusion')['speedup']}")
    print(f"Over 168 PEs that never wait: {least:.2f}\n")
    show_verdicts(verdicts(rows, speedups))


def _cells(row: LayerRow) -> dict[str, object]:
    return {
        "array, link": row.array, "network": row.network, "layer": row.layer, "theirs": row.theirs, "ours": row.ours,
        "error": row.error_percent, "array alone": row.compute_cycles,
    }  # fmt: skip


def _speedup_cells(row: SpeedupRow) -> dict[str, object]:
    cells: dict[str, object] = {
        "network": row.network, "Eyeriss, ours": row.eyeriss_ms, "Bit Fusion, ours": row.bit_fusion_ms,
        "speed-up, ours": row.speedup, "Eyeriss, never waits": row.least_eyeriss_ms,
    }  # fmt: skip
    if row.their_speedup:
        cells |= {
            "Eyeriss, theirs": row.their_eyeriss_ms, "Bit Fusion, theirs": row.their_bit_fusion_ms,
            "speed-up, theirs": row.their_speedup, "error": error_percent(row.speedup, row.their_speedup),
        }  # fmt: skip
    return cells


if __name__ == "__main__":
    main()
