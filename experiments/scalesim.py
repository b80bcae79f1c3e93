"""Systolic arrays without stalls against SCALE-Sim's closed forms: cycles and words, layer by layer, exactly.

A. Samajdar et al., "A Systematic Methodology for Characterizing Scalability of DNN Accelerators using SCALE-Sim",
ISPASS 2020. A convolution is a product of M output pixels, K filter volume and N filters. Two of the three are folded
over rows and columns of the array and the third, T long, streams past:

    cycles = folds * per_fold,  per_fold = T + rows + columns - 2 (OS) or T + 2*rows + columns - 2 (WS, IS)

Ragged folds are charged whole and folds do not overlap. SCALE-Sim v3 prints one cycle less, the index of the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from accel import load
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from experiments.compare import Verdict, error_percent, show, show_verdicts
from experiments.start import start
from mappings import Loop, Mapping, axis_extent
from mappings.dataflows.stationary import FILTERS, PIXELS, VOLUME
from workloads import Layer
from workloads import load as load_network

AGAINST = "SCALE-Sim v3, stall-free systolic arrays"
ARRAYS = ((32, 32), (16, 64))
NETWORKS = ("alexnet", "resnet18", "resnet50")
AXES = {
    "OS": ("output_stationary", PIXELS, FILTERS, VOLUME),
    "WS": ("weight_stationary", VOLUME, FILTERS, PIXELS),
    "IS": ("input_stationary", VOLUME, PIXELS, FILTERS),
}
"""Name of the dataflow; axes over rows, over columns, and streaming."""
QUANTITIES = ("cycles", "input_words", "weight_words", "output_words")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One count of one layer, by the closed form and by the simulation."""

    network: str
    layer: str
    dataflow: str
    array: str
    quantity: str
    theirs: int
    ours: int


def closed_form(layer: Layer, dataflow: str, rows: int, columns: int) -> dict[str, int]:
    """SCALE-Sim's figures; groups run one after the other."""
    m, k, n = layer.N * layer.P * layer.Q, layer.C * layer.R * layer.S, layer.K
    over_rows, over_columns, stream = {"OS": (m, n, k), "WS": (k, n, m), "IS": (k, m, n)}[dataflow]
    fold_rows, fold_columns = -(-over_rows // rows), -(-over_columns // columns)
    load_cycles = rows if dataflow != "OS" else 0
    inputs, weights, outputs = {
        "OS": (fold_columns * m * k, fold_rows * k * n, m * n),
        "WS": (fold_columns * m * k, k * n, fold_rows * m * n),
        "IS": (m * k, fold_columns * k * n, fold_rows * m * n),
    }[dataflow]
    cycles = fold_rows * fold_columns * (stream + load_cycles + rows + columns - 2)
    return dict(zip(QUANTITIES, (layer.G * count for count in (cycles, inputs, weights, outputs)), strict=True))


def simulated(layer: Layer, dataflow: str, spec: Accelerator) -> dict[str, int]:
    """The same figures from the general machine: a group a tile step, a fold a pass."""
    name, over_rows, over_columns, stream = AXES[dataflow]
    rows, columns = spec.pe_array.rows, spec.pe_array.columns
    mapping = Mapping(
        name,
        off_chip=(Loop("G", layer.G),),
        on_chip=(
            Loop(over_columns, -(-axis_extent(layer, over_columns) // columns)),
            Loop(over_rows, -(-axis_extent(layer, over_rows) // rows)),
        ),
        registers=(Loop(stream, axis_extent(layer, stream)),),
        rows=(Loop(over_rows, rows),),
        columns=(Loop(over_columns, columns),),
    )
    result = simulate_layer(layer, mapping, spec)
    report, width = result.report, result.lowered.width
    outputs = report.array_write_psum_bits // width.psum + report.array_write_output_bits // width.output
    words = (report.array_read_input_bits // width.input, report.array_read_weight_bits // width.weight, outputs)
    return dict(zip(QUANTITIES, (report.compute_cycles, *words), strict=True))


def run(networks: Sequence[str] = NETWORKS, arrays: Sequence[tuple[int, int]] = ARRAYS) -> list[Comparison]:
    """Every quantity of every distinct layer, dataflow and array."""
    found = []
    for height, width in arrays:
        # Buffers large enough for whole layers: what is compared is the array alone.
        buffers = ("data_buffer", "weight_buffer")
        changes = {"pe_array.rows": height, "pe_array.columns": width}
        changes |= {f"{buffer}.kib": 1 << 20 for buffer in buffers} | {f"{buffer}.banks": 1 << 10 for buffer in buffers}
        spec = load("systolic_32x32").with_values(changes)
        for network in networks:
            distinct = {(layer.extents, layer.stride): layer for layer in reversed(load_network(network).layers)}
            for layer in reversed(distinct.values()):
                for dataflow in AXES:
                    theirs = closed_form(layer, dataflow, height, width)
                    ours = simulated(layer, dataflow, spec)
                    case = (network, layer.name, dataflow, f"{height}x{width}")
                    found += [Comparison(*case, name, theirs[name], ours[name]) for name in QUANTITIES]
    return found


def verdicts(comparisons: list[Comparison]) -> list[Verdict]:
    """Every quantity has to be equal in every case."""
    found = []
    for quantity in QUANTITIES:
        errors = tuple(
            (f"{one.network} {one.layer} {one.dataflow} {one.array}", error_percent(one.ours, one.theirs))
            for one in comparisons
            if one.quantity == quantity
        )
        found.append(Verdict(AGAINST, quantity.replace("_", " "), errors, 0.0, 0.0))
    return found


def main() -> None:
    comparisons = run()
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}
    for one in comparisons:
        if one.quantity == "cycles":
            key = (one.network, one.array, one.dataflow)
            theirs, ours = sums.get(key, (0, 0))
            sums[key] = (theirs + one.theirs, ours + one.ours)
    names = ("network", "array", "dataflow", "theirs", "ours")
    show("Cycles, summed over the distinct layers", [dict(zip(names, (*key, *sums[key]), strict=True)) for key in sums])
    wrong = [one for one in comparisons if one.theirs != one.ours]
    if wrong:
        show("Mismatches", [asdict(one) for one in wrong])
    print(f"{len(comparisons)} comparisons, {len(wrong)} mismatches")
    print()
    show_verdicts(verdicts(comparisons))


if __name__ == "__main__":
    start(main)
