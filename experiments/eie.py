"""EIE on the fully connected layers of its paper: theirs, ours, error.

Ours is the array's time (`compute_cycles`) of the preset `eie`: weights lie in its buffer before a layer starts, as the
paper has it. Operands are drawn with the densities of Table III, which prints those of weights as whole percents: the
band is what half a percent more or less of weights (and half of the last digit of activations) makes of the time.
Of Alex-8 the printed densities do not reproduce the paper's own theoretical time (8.0 us instead of 8.9), so its bound
is wider. Nothing is fitted.

The power of a PE is the mean over the same layers, once their weights are on chip, and compared as shares of its total.
Memory is accesses to both buffers and their leakage; register are accesses to a PE's registers; combinational are the
multipliers, the wires and the decoding of entries: the adder of the zero runs, and the look-up of shared values, in
whose table nothing but multiplexers switches while a layer runs. The clock of the 45 nm table, alone of these, is
fitted to another chip with its whole tree, and takes too much here: 3.0 fJ a flip-flop and cycle, where a PE of
Table II has about 1 (1.874 mW at 800 MHz, and 9465 um2 of registers, some 2000 bits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from accel import load
from accel.encode import widths
from accel.energy import EnergyTable
from accel.occupancy import occupancy
from accel.report import LayerReport
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from accel.task import array_shape
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from experiments.start import start
from mappings.dataflows import candidates
from workloads import Density, Layer, Operand

AGAINST = "EIE, 64 PEs (authors' simulator), Table IV"
EACH_PERCENT = 12.0
WIDER = {"Alex-8": 20.0}
POWER_PERCENT = 25.0
HALF_DIGIT = (0.005, 0.0005)
"""Of the densities of weights and of activations."""


Power = Mapping[str, float]
"""Milliwatts of one PE by kind of cell, as Table II names them."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer: microseconds, those at the ends of the band, and what the simulation says of their cause.

    `imbalance`: busiest PE over the average one. `padding_percent`: entries that only bridge runs over 15 zeros.
    """

    layer: str
    theirs_us: float
    ours_us: float
    least_us: float
    most_us: float
    imbalance: float
    padding_percent: float
    power_mw: Power

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours_us, self.theirs_us)


def run(names: tuple[str, ...] = ()) -> list[LayerRow]:
    """The layers of Table IV, or those named."""
    chip = load("eie")
    rows = []
    for name, published in read("eie").items():
        if "actual_us" not in published or (names and name not in names):
            continue
        layer = Layer(name, op="matmul", C=published["inputs"], K=published["outputs"])
        mapping = candidates("input_broadcast", layer, array_shape(chip))[0][0]

        shares = published["weight_percent"] / 100, published["activation_percent"] / 100
        drawn, fewest, densest = (
            replace(
                layer, density=Density(min(1.0, shares[1] + sign * HALF_DIGIT[1]), shares[0] + sign * HALF_DIGIT[0])
            )
            for sign in (0, -1, 1)
        )
        report, *ends = (simulate_layer(one, mapping, chip).report for one in (drawn, fewest, densest))
        ours, least, most = (row.compute_cycles / chip.clock_mhz for row in (report, *ends))
        stored = occupancy(drawn, widths(drawn.bits, chip), chip, 0).storage[Operand.WEIGHT].off_chip
        entries = 0 if stored is None else stored.values + stored.index + stored.padding
        padding = 100 * stored.padding / entries if stored is not None else 0.0
        power = power_mw(report, chip)
        rows.append(LayerRow(name, published["actual_us"], ours, least, most, report.pe_imbalance, padding, power))
    return rows


def power_mw(report: LayerReport, chip: Accelerator) -> Power:
    """Of one PE while the array is at work; loading the weights before is left out."""
    table = EnergyTable.load(chip.energy.table)
    buffers = (
        (report.weight_buffer_read_bits, chip.weight_buffer),
        (report.data_buffer_read_bits + report.data_buffer_write_bits, chip.data_buffer),
    )
    pes = chip.pe_array.rows * chip.pe_array.columns
    mw = 1e-3 * chip.clock_mhz / report.compute_cycles / pes  # pJ while the array is at work to mW of a PE
    reads = sum(
        bits * table.sram_read_pj_per_bit(buffer.kib / buffer.slices, buffer.width_bits) for bits, buffer in buffers
    )
    leakage = sum(table.leakage_mw(buffer.kib / pes, 0) for _, buffer in buffers)
    at_work = report.compute_cycles / report.latency_cycles
    return {
        "memory": reads * mw + leakage,
        "clock network": report.energy_clock_pj * at_work * mw,
        "register": report.energy_register_pj * mw,
        "combinational": (report.energy_mac_pj + report.energy_wire_pj + report.energy_decode_pj) * mw,
    }


def power_shares(rows: list[LayerRow]) -> list[tuple[str, float, float]]:
    """(kind of cell, theirs, ours): percents of a PE's power, ours the mean of the layers."""
    theirs = read("eie")["power_mw"]
    ours = {kind: sum(row.power_mw[kind] for row in rows) for kind in theirs}
    return [(kind, 100 * theirs[kind] / sum(theirs.values()), 100 * ours[kind] / sum(ours.values())) for kind in theirs]


def verdicts(rows: list[LayerRow]) -> list[Verdict]:
    """The layers with the common bound, and those with a wider one."""
    common = tuple((row.layer, row.error_percent) for row in rows if row.layer not in WIDER)
    found = [Verdict(AGAINST, "time", common, EACH_PERCENT)]
    for row in rows:
        if row.layer in WIDER:
            quantity = f"time, {row.layer} (densities contradict the paper's own time)"
            found.append(Verdict(AGAINST, quantity, ((row.layer, row.error_percent),), WIDER[row.layer]))
    shares = tuple((kind, error_percent(ours, theirs)) for kind, theirs, ours in power_shares(rows))
    return [*found, Verdict("EIE, one PE (placed and routed), Table II", "share of power", shares, POWER_PERCENT)]


def main() -> None:
    rows = run()
    show(
        "Time, us",
        [
            {
                "layer": row.layer,
                "theirs": row.theirs_us,
                "ours": row.ours_us,
                "error": row.error_percent,
                "band": f"{row.least_us:.2f} to {row.most_us:.2f}",
                "busiest PE / mean": row.imbalance,
                "padding entries, %": row.padding_percent,
            }
            for row in rows
        ],
    )
    theirs = read("eie")["power_mw"]
    mean = {kind: sum(row.power_mw[kind] for row in rows) / len(rows) for kind in theirs}
    show(
        "Power of one PE",
        [
            {
                "kind of cell": kind,
                "theirs, mW": theirs[kind],
                "ours, mW": mean[kind],
                "theirs, %": share,
                "ours, %": our_share,
                "error": error_percent(our_share, share),
            }
            for kind, share, our_share in power_shares(rows)
        ],
    )
    show_verdicts(verdicts(rows))


if __name__ == "__main__":
    start(main)
