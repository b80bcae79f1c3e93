"""One layer, end to end: schedule, lower, run, and the row of the report."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from accel.bottleneck import bottleneck
from accel.cost import Work, energy
from accel.encode import Widths, widths
from accel.kernels import passes
from accel.lower import Lowered, lower
from accel.machine import Activity, Stall, play, run
from accel.occupancy import Occupancy, occupancy
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT
from accel.report import LayerReport
from accel.residency import NOWHERE, Residency
from accel.skipping import issued_macs
from accel.sparse_work import Work as SkippedWork
from accel.spec import Accelerator
from mappings import Mapping, TileSchedule, schedule
from workloads import Layer, Operand
from workloads.layer import OPERAND_NAMES


@dataclass(frozen=True, slots=True, eq=False)
class LayerResult:
    """The report row, and what it was made from."""

    report: LayerReport
    schedule: TileSchedule
    lowered: Lowered
    activity: Activity


def simulate_layer(
    layer: Layer,
    mapping: Mapping,
    spec: Accelerator,
    *,
    seed: int = 0,
    residency: Residency = NOWHERE,
    output: NDArray[np.integer] | None = None,
    work: SkippedWork | None = None,
    every_step: bool = False,
) -> LayerResult:
    """Simulate one layer. `every_step` plays each tile step even where the machine repeats itself (for a trace).

    `output` holds the layer's finished outputs where they are known: what a codec makes of them is then exact; `work`
    what an array that skips does on the layer's tensors where they were walked before.
    Raises InputError when the mapping does not fit the layer or the accelerator.
    """
    # What a layer that takes turns fetched last has been overwritten when its next turn comes.
    halo_reuse = spec.data_buffer.halo_reuse and not residency.turn_loops
    tiles = schedule(layer, mapping, halo_reuse=halo_reuse, steady_windows=spec.controller.steady_windows)
    zeros = occupancy(layer, widths(layer.bits, spec), spec, seed, output)
    lowered = lower(tiles, zeros, spec, residency, work)
    activity = play(lowered.program) if every_step else run(lowered.program)
    return LayerResult(_report(tiles, zeros, lowered, activity, spec), tiles, lowered, activity)


def _report(
    tiles: TileSchedule, zeros: Occupancy, lowered: Lowered, activity: Activity, spec: Accelerator
) -> LayerReport:
    layer, counts, width = tiles.layer, lowered.counts, lowered.width
    bits = lowered.program.bits
    final = tiles.store_final
    moved = {
        "dram_read_input_bits": int(bits[:, INPUT].sum()),
        "dram_read_weight_bits": int(bits[:, WEIGHT].sum()),
        "dram_read_psum_bits": int(bits[:, PSUM].sum()),
        "dram_write_output_bits": int(bits[final, OUTPUT].sum()),
        "dram_write_psum_bits": int(bits[~final, OUTPUT].sum()),
    }
    array = {
        "array_read_input_bits": int(counts[passes.READ_INPUT]) * width.input,
        "array_read_weight_bits": int(counts[passes.READ_WEIGHT]) * width.weight,
        "array_read_psum_bits": int(counts[passes.READ_PSUM]) * width.psum,
        "array_write_psum_bits": int(counts[passes.WRITE_PSUM]) * width.psum,
        "array_write_output_bits": int(counts[passes.WRITE_OUTPUT]) * width.output,
    }
    work = _work(tiles, zeros, lowered, activity, spec, moved, array)
    cost = energy(work, spec, (width.input, width.weight, width.psum))
    stalls = activity.stall_cycles
    peak = spec.pe_array.macs_per_cycle_at(width.input, width.weight)
    return LayerReport(
        layer=layer.name,
        op=layer.op,
        macs=layer.macs,
        effectual_macs=zeros.effectual_macs,
        latency_cycles=activity.latency_cycles,
        compute_cycles=activity.compute_cycles,
        stall_data_cycles=stalls[Stall.DATA],
        stall_weight_cycles=stalls[Stall.WEIGHT],
        stall_output_cycles=stalls[Stall.OUTPUT],
        stall_controller_cycles=stalls[Stall.CONTROLLER],
        utilization=layer.macs / (activity.latency_cycles * peak),
        **moved,
        data_buffer_read_bits=work.data_buffer_read_bits + work.accumulator_read_bits,
        data_buffer_write_bits=work.data_buffer_write_bits + work.accumulator_write_bits,
        weight_buffer_read_bits=work.weight_buffer_read_bits,
        weight_buffer_write_bits=work.weight_buffer_write_bits,
        **cost.columns(),
        bottleneck=_bottleneck(int(counts[passes.MAC]), int(counts[passes.PORT]), activity),
        latency_ms=activity.latency_cycles / spec.clock_mhz / 1e3,
        port_bound_cycles=int(counts[passes.PORT]),
        mac_cycles=int(counts[passes.MAC]),
        gated_macs=work.gated_macs,
        passes=int(counts[passes.PASSES]),
        tile_steps=tiles.steps,
        **array,
        dma_busy_cycles=activity.dma_busy_cycles,
        controller_busy_cycles=activity.controller_busy_cycles,
        operands=zeros.source,
        mapping=tiles.mapping.name,
        fused_with="",
        skipped_macs=layer.macs - work.macs - work.gated_macs,
        pe_imbalance=lowered.imbalance,
        dram_index_bits=sum(
            round(moved[name] * parts.overhead / parts.total)
            for name, kept in zip(
                ("dram_read_input_bits", "dram_read_weight_bits", "dram_write_output_bits"), zeros.storage, strict=True
            )
            if (parts := kept.off_chip) is not None
        ),
        multiplier_free_ops=work.macs if spec.pe_array.precision.multiplier_free else 0,
        **_stored(layer, zeros, width),
        codec_cycles=lowered.codec_cycles,
        index_match_cycles=lowered.index_match_cycles,
    )


def _stored(layer: Layer, zeros: Occupancy, width: Widths) -> dict[str, int]:
    """What the whole tensors take off chip, and how much of that is not values."""
    found = {
        f"stored_{OPERAND_NAMES[operand]}_bits": layer.words(operand) * width.of[operand] if coded is None else coded
        for operand, coded in zip(Operand, zeros.storage.coded_bits, strict=True)
    }
    overhead = sum(kept.off_chip.overhead for kept in zeros.storage if kept.off_chip is not None)
    return found | {"stored_index_bits": overhead}


def _bottleneck(mac_cycles: int, port_cycles: int, activity: Activity) -> str:
    own, stalls = activity.compute_cycles, activity.stall_cycles
    return bottleneck(
        {"MACs": mac_cycles, "buffer ports": port_cycles, "array fill": own - mac_cycles - port_cycles},
        {
            "DRAM: data": stalls[Stall.DATA],
            "DRAM: weights": stalls[Stall.WEIGHT],
            "DRAM: output": stalls[Stall.OUTPUT],
        },
        stalls[Stall.CONTROLLER],
        activity.dma_busy_cycles,
    )


def _work(
    tiles: TileSchedule,
    zeros: Occupancy,
    lowered: Lowered,
    activity: Activity,
    spec: Accelerator,
    moved: dict[str, int],
    array: dict[str, int],
) -> Work:
    """Everything that costs energy. Gating or skipping an operand saves the MACs in which that operand is zero."""
    layer, counts, mapping = tiles.layer, lowered.counts, tiles.mapping
    issued, spent = issued_macs(layer, zeros, spec.pe_array)
    mac_cycles = spec.pe_array.mac_cycles_at(lowered.width.input, lowered.width.weight)
    busy_pes = layer.macs * mac_cycles / lowered.dense_mac_cycles / mapping.used("lanes")
    reduced = prod(loop.factor for level in (mapping.rows, mapping.columns) for loop in level if loop.axis[0] in "CRS")
    leaving = int(counts[passes.WRITE_PSUM] + counts[passes.WRITE_OUTPUT])
    loads = moved["dram_read_input_bits"] + moved["dram_read_psum_bits"]
    stores = moved["dram_write_output_bits"] + moved["dram_write_psum_bits"]
    psum_read, psum_written = array["array_read_psum_bits"], array["array_write_psum_bits"]
    at_dma = lowered.moved_bits
    words = [layer.words(operand) for operand in Operand]
    outputs, coded = array["array_write_output_bits"], lowered.held_bits[Operand.OUTPUT]
    if coded is not None:  # an encoder between the array's port and the buffer
        outputs = -(-outputs * coded // (words[Operand.OUTPUT] * lowered.width.output))
    apart = spec.data_buffer.accumulator_kib > 0
    return Work(
        macs=spent,
        gated_macs=issued - spent,
        input_fills=round(int(counts[passes.FILL_INPUT]) * busy_pes),
        weight_fills=round(int(counts[passes.FILL_WEIGHT]) * busy_pes),
        output_fills=round(int(counts[passes.FILL_OUTPUT]) * busy_pes),
        reduction_hops=leaving * (reduced - 1),
        bus_bits=sum(array.values()) - array["array_read_weight_bits"],
        weight_bus_bits=array["array_read_weight_bits"],
        data_buffer_read_bits=array["array_read_input_bits"] + int(at_dma[OUTPUT]) + (0 if apart else psum_read),
        data_buffer_write_bits=int(at_dma[INPUT] + at_dma[PSUM]) + outputs + (0 if apart else psum_written),
        accumulator_read_bits=psum_read if apart else 0,
        accumulator_write_bits=psum_written if apart else 0,
        weight_buffer_read_bits=array["array_read_weight_bits"],
        weight_buffer_write_bits=int(at_dma[WEIGHT]),
        dram_read_bits=loads + moved["dram_read_weight_bits"],
        dram_write_bits=stores,
        rows_opened=int(lowered.rows_opened.sum()),
        cycles=activity.latency_cycles,
        recoded=zeros.storage.recoded(*(int(lowered.codec_words[operand]) / words[operand] for operand in Operand)),
        decoded=zeros.storage.decoded(
            array["array_read_input_bits"],
            array["array_read_weight_bits"],
            int(counts[passes.WRITE_OUTPUT]) / words[Operand.OUTPUT],
        ),
    )
