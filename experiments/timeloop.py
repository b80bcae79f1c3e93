"""Access counts as Timeloop prints them, from our report: how to write one of its mappings here, and what equals what.

A. Parashar et al., "Timeloop: A Systematic Approach to DNN Accelerator Evaluation", ISPASS 2019; semantics as in its
documentation. Levels are DRAM, a shared buffer, and PEs with a register file each: loops of its DRAM level are
`off_chip` loops here, those of the buffer `on_chip`, those of the register file `registers`, spatial ones `rows` and
`columns`, all outermost first. `machine`, in data/timeloop_machine.toml, is what it counts on: nothing but the MACs
takes time. Its `register_words` matter where a register file holds less than the loops inside it touch; of a tensor
that bypasses the register files, or where they hold a single word that every loop changes, they are 0 or 1.

Equal: reads, fills and updates of each tensor at DRAM and buffer, fills of the register files, cycles, utilisation.
Words that windows share with those before stay only while these move by the same step: so since Timeloop resets on a
change of stride. Versions before kept them while windows went on along one side, rests included:
`steady_windows=False`. Where P, Q, R or S is spatial and a buffer's loop slides along the same side, a PE takes from a
neighbour what that had in the step before, and the buffer is not read: `neighbour_links=False` counts as with
TIMELOOP_DISABLE_LINK_TRANSFERS=1 in Timeloop's environment. Words that stream past the registers (0 or 1 of them) come
over no link here: loops that change them belong on chip.

Inputs are counted twice over, since Timeloop approximates them where factors divide: it takes the second iteration of
each loop for all later ones, and moves the whole box around a tile, with padding and with what strides leave out.
`counts` does so too (timeloop_windows.py). `extrapolated=False` has what our report says, which is what Timeloop prints
with TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION=1 for tensors without padding and windows without gaps (stride at most the
taps of a tile). Different:

- factors that do not divide: here every tile has its own size, Timeloop has one for the last iteration of all loops;
- one fan-out: where spatial loops belong to two levels, such as columns of PEs in a row of columns, Timeloop shares
  words between the columns first and within each of them then;
- Timeloop counts no reads of the buffer for outputs on their way to DRAM; `data_buffer_read_bits` has them, `counts`
  not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from accel import Accelerator, load
from accel.kernels import passes
from accel.simulation import simulate_layer
from experiments.compare import DATA, show
from experiments.start import start
from experiments.timeloop_windows import input_words
from mappings import Loop, Mapping
from mappings.mapping import LEVELS
from workloads import Layer
from workloads.layer import DIMS

WORD_BITS = 8


@dataclass(frozen=True, slots=True)
class Counts:
    """Scalar accesses by level and tensor, in Timeloop's words; totals, but register fills of one PE."""

    cycles: int
    utilization: float
    dram_reads_inputs: int
    dram_reads_weights: int
    dram_reads_outputs: int
    dram_updates_outputs: int
    buffer_reads_inputs: int
    buffer_reads_weights: int
    buffer_reads_outputs: int
    buffer_updates_outputs: int
    register_fills_inputs: int
    register_fills_weights: int


def machine(
    rows: int = 1, columns: int = 1, register_words: int | tuple[int, int, int] = 1_000_000, *,
    steady_windows: bool = True, neighbour_links: bool = True,
) -> Accelerator:  # fmt: skip
    """PEs whose ports, buffers and registers never bind.

    `register_words`: of inputs, weights and outputs, or of each; 0: MACs read the buffer directly.
    """
    each = (register_words,) * 3 if isinstance(register_words, int) else register_words
    registers = {
        f"pe_array.registers.{name}": words for name, words in zip(("input", "weight", "output"), each, strict=True)
    }
    array = {"pe_array.rows": rows, "pe_array.columns": columns, "pe_array.neighbour_links": neighbour_links}
    windows = {"controller.steady_windows": steady_windows}
    return load(DATA / "timeloop_machine.toml").with_values(registers | array | windows)


def counts(layer: Layer, mapping: Mapping, chip: Accelerator, *, extrapolated: bool = True) -> Counts:
    """What Timeloop would print for the mapping. Cycles are those of the array: DRAM bandwidth is left out.

    `extrapolated`: inputs from two iterations of each loop, as it does unless told not to; else from all of them.
    """
    found = _counted(layer, mapping, chip)
    if not extrapolated or not _divides(layer, mapping):
        return found
    steady, linked = chip.controller.steady_windows, chip.pe_array.neighbour_links
    inputs = input_words(layer, mapping, steady=steady, linked=linked)
    found = replace(found, dram_reads_inputs=inputs.dram_reads)
    if inputs.register_words > chip.pe_array.registers.input:
        return found  # they stream past the registers, MAC by MAC
    return replace(found, buffer_reads_inputs=inputs.buffer_reads, register_fills_inputs=inputs.register_fills)


def _divides(layer: Layer, mapping: Mapping) -> bool:
    loops = [loop for level in LEVELS for loop in getattr(mapping, level)]
    return (
        not mapping.lanes
        and all(loop.axis in DIMS for loop in loops)
        and all(prod(loop.factor for loop in loops if loop.axis == dim) == getattr(layer, dim) for dim in DIMS)
    )


def _counted(layer: Layer, mapping: Mapping, chip: Accelerator) -> Counts:
    result = simulate_layer(layer, mapping, chip)
    report, events = result.report, result.lowered.counts

    def words(*names: str) -> int:
        bits: int = sum(getattr(report, f"{name}_bits") for name in names)
        return bits // WORD_BITS

    return Counts(
        cycles=report.compute_cycles,
        utilization=layer.macs / (report.compute_cycles * chip.pe_array.multipliers),
        dram_reads_inputs=words("dram_read_input"),
        dram_reads_weights=words("dram_read_weight"),
        dram_reads_outputs=words("dram_read_psum"),
        dram_updates_outputs=words("dram_write_psum", "dram_write_output"),
        buffer_reads_inputs=words("array_read_input"),
        buffer_reads_weights=words("array_read_weight"),
        buffer_reads_outputs=words("array_read_psum"),
        buffer_updates_outputs=words("array_write_psum", "array_write_output"),
        register_fills_inputs=int(events[passes.FILL_INPUT]),
        register_fills_weights=int(events[passes.FILL_WEIGHT]),
    )


def example() -> tuple[Layer, Mapping]:
    """A convolution in strips, its partial sums at rest while the channels pass, 4 x 4 PEs."""
    layer = Layer("conv", K=16, C=8, P=8, Q=8, R=3, S=3)
    mapping = Mapping(
        "strips",
        off_chip=(Loop("K", 2), Loop("P", 4)),
        on_chip=(Loop("K", 2), Loop("C", 2), Loop("Q", 8)),
        registers=(Loop("P", 2), Loop("R", 3), Loop("S", 3)),
        rows=(Loop("K", 4),),
        columns=(Loop("C", 4),),
    )
    return layer, mapping


def main() -> None:
    layer, mapping = example()
    found = counts(layer, mapping, machine(4, 4))
    rows = [
        {"level": level, "tensor": tensor}
        | {kind: getattr(found, f"{level}_{kind}_{tensor}", "") for kind in ("reads", "fills", "updates")}
        for level in ("dram", "buffer", "register")
        for tensor in ("inputs", "weights", "outputs")
    ]
    show(f"{layer.name}, mapping {mapping.name}, in Timeloop's words", rows)
    print(f"cycles {found.cycles:,}, utilisation {found.utilization:.1%}")


if __name__ == "__main__":
    start(main)
