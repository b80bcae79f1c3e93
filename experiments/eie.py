"""EIE on the fully connected layers of its paper: theirs, ours, error.

Ours is the array's time (`compute_cycles`) of the preset `eie`: weights lie in its buffer before a layer starts, as the
paper has it. Operands are drawn with the densities of Table III, which prints those of weights as whole percents: the
band is what half a percent more or less of weights (and half of the last digit of activations) makes of the time.
Of Alex-8 the printed densities do not reproduce the paper's own theoretical time (8.0 us instead of 8.9), so its bound
is wider. Nothing is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from accel import load
from accel.encode import widths
from accel.mapper import array_shape
from accel.occupancy import occupancy
from accel.simulation import simulate_layer
from experiments.compare import Verdict, error_percent, read, show, show_verdicts
from mappings.dataflows import candidates
from workloads import Density, Layer, Operand

AGAINST = "EIE, 64 PEs (authors' simulator), Table IV"
EACH_PERCENT = 12.0
WIDER = {"Alex-8": 20.0}
HALF_DIGIT = (0.005, 0.0005)
"""Of the densities of weights and of activations."""


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

    @property
    def error_percent(self) -> float:
        return error_percent(self.ours_us, self.theirs_us)


def run(names: tuple[str, ...] = ()) -> list[LayerRow]:
    """The layers of Table IV, or those named."""
    chip = load("eie")
    rows = []
    for name, published in read("eie").items():
        if names and name not in names:
            continue
        layer = Layer(name, op="matmul", C=published["inputs"], K=published["outputs"])
        mapping = candidates("input_broadcast", layer, array_shape(chip))[0][0]
        weight, activation = published["weight_percent"] / 100, published["activation_percent"] / 100

        def time_us(weight: float, activation: float) -> tuple[float, float, Layer]:
            drawn = replace(layer, density=Density(min(1.0, activation), weight))  # noqa: B023 (used at once)
            report = simulate_layer(drawn, mapping, chip).report  # noqa: B023
            return report.compute_cycles / chip.clock_mhz, report.pe_imbalance, drawn

        ours, imbalance, drawn = time_us(weight, activation)
        least, most = (time_us(weight + sign * HALF_DIGIT[0], activation + sign * HALF_DIGIT[1])[0] for sign in (-1, 1))
        stored = occupancy(drawn, widths(drawn.bits, chip), chip, 0).stored[Operand.WEIGHT]
        entries = 0 if stored is None else stored.values + stored.index + stored.padding
        padding = 100 * stored.padding / entries if stored is not None else 0.0
        rows.append(LayerRow(name, published["actual_us"], ours, least, most, imbalance, padding))
    return rows


def verdicts(rows: list[LayerRow]) -> list[Verdict]:
    """The layers with the common bound, and those with a wider one."""
    common = tuple((row.layer, row.error_percent) for row in rows if row.layer not in WIDER)
    found = [Verdict(AGAINST, "time", common, EACH_PERCENT)]
    for row in rows:
        if row.layer in WIDER:
            quantity = f"time, {row.layer} (densities contradict the paper's own time)"
            found.append(Verdict(AGAINST, quantity, ((row.layer, row.error_percent),), WIDER[row.layer]))
    return found


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
    show_verdicts(verdicts(rows))


if __name__ == "__main__":
    main()
