"""The FPGA accelerator of Zhang et al., FPGA 2015, on AlexNet's five convolutions: engine cycles and board times.

The paper's model of a layer is `ceil(M/Tm) * ceil(N/Tn) * (R*C*K*K + fill)` cycles. Here the same cycles come out of
the general machine, given a mapping in which a pass runs whole maps through <64, 7> channels: 20 cycles of pipeline are
exposed at the end of a pass when sums return to the buffer over several passes, because the next pass reads them. In
conv1 all three input channels fit into one pass, nothing returns, and no fill is paid. That the fill is 20, and that
conv1 has none, is inferred: the paper prints the total of five layers, which comes out no other way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from accel import load
from accel.mapper import map_layer
from accel.simulation import simulate_layer
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from experiments.start import start
from mappings import Loop, Mapping
from workloads import Layer
from workloads import load as load_network

AGAINST = "Zhang et al. FPGA 2015, AlexNet"
TM, TN = 64, 7


@dataclass(frozen=True, slots=True)
class EngineRow:
    """Cycles of one of AlexNet's two groups, by the paper's mapping; of both, by the automatic one; times of both."""

    layer: str
    cycles_per_group: int
    automatic_cycles: int
    board_ms: float
    ours_ms: float


def one_group(layer: Layer) -> Layer:
    """One of AlexNet's two groups; the paper halves conv1 and conv3 too."""
    return replace(layer, G=1) if layer.G == 2 else replace(layer, K=layer.K // 2)


def whole_maps(layer: Layer) -> Mapping:
    """The paper's loops: channels in tiles of <64, 7>, the window outside the pixels, whole maps in a pass."""
    return Mapping(
        "whole_maps",
        off_chip=(Loop("K", -(-layer.K // TM)), Loop("C", -(-layer.C // TN))),
        registers=(Loop("R", layer.R), Loop("S", layer.S), Loop("P", layer.P), Loop("Q", layer.Q)),
        rows=(Loop("K", TM),),
        columns=(Loop("C", TN),),
    )


def run() -> list[EngineRow]:
    """The five layers. Buffers are those of the preset for the automatic mapping, and larger for whole maps."""
    chip = load("zhang_fpga15")
    roomy = chip.with_values({"data_buffer.kib": 4096, "data_buffer.accumulator_kib": 4096})
    layers = {layer.name: layer for layer in load_network("alexnet").layers}
    rows = []
    for name, board_ms in read("zhang_fpga15")["board_ms"].items():
        layer = layers[name]
        group = one_group(layer)
        engine = simulate_layer(group, whole_maps(group), roomy).report
        ours = simulate_layer(layer, map_layer(layer, chip), chip).report
        rows.append(EngineRow(name, engine.compute_cycles, ours.compute_cycles, float(board_ms), ours.latency_ms))
    return rows


def verdicts(rows: list[EngineRow]) -> list[Verdict]:
    """Cycles exactly; board times without a bound, for the board adds what the paper does not describe."""
    published = read("zhang_fpga15")["cycles_per_group"]
    engine = error_percent(sum(row.cycles_per_group for row in rows), published)
    automatic = error_percent(sum(row.automatic_cycles for row in rows), 2 * published)
    board = tuple((row.layer, error_percent(row.ours_ms, row.board_ms)) for row in rows)
    return [
        Verdict(AGAINST, "engine cycles, published model", (("five layers", engine),), 0.0, 0.0),
        Verdict(AGAINST, "engine cycles, automatic mapping", (("five layers", automatic),), 0.0, 0.0),
        Verdict(AGAINST, "time measured on the board", board),
    ]


def main() -> None:
    rows = run()
    lines = [
        {
            "layer": row.layer,
            "cycles a group": row.cycles_per_group,
            "automatic, both groups": row.automatic_cycles,
            "board ms": row.board_ms,
            "ours ms": row.ours_ms,
            "error": error_percent(row.ours_ms, row.board_ms),
        }
        for row in rows
    ]
    show("AlexNet on <64, 7>, 100 MHz", lines)
    print(f"cycles a group: published {read('zhang_fpga15')['cycles_per_group']:,}, ours", end=" ")
    print(f"{sum(row.cycles_per_group for row in rows):,}")
    print(f"board {sum(row.board_ms for row in rows):.2f} ms, ours {sum(row.ours_ms for row in rows):.2f} ms:", end=" ")
    print("our engine waits for the first tiles and the last store alone.")
    print("The 20 cycles of pipeline fill, and none in conv1, are inferred from the published total.")
    print()
    show_verdicts(verdicts(rows))


if __name__ == "__main__":
    start(main)
