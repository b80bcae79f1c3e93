"""Operations beside the PE array: pooling, additions, activations on the vector unit."""

from __future__ import annotations

from math import prod

import numpy as np

from accel.bottleneck import bottleneck
from accel.cost import Work, energy
from accel.report import LayerReport
from accel.residency import Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from workloads import Node


def operations(node: Node, input_words: int) -> int:
    """Elementary operations (a comparison, an addition, a table look-up) of a vector node.

    A pool touches each word of each window, a sum adds its inputs, a local response normalisation its neighbourhood;
    all else is one operation for each output.
    """
    if node.op in ("max_pool", "average_pool"):
        return node.words * int(prod(node.attributes["kernel"]))
    if node.op == "lrn":
        return node.words * int(node.attributes.get("size", 1))
    if node.op in ("global_average_pool", "mean", "softmax"):
        return max(input_words, node.words)
    return node.words * max(1, len(node.inputs) - 1)


def vector_layer(
    node: Node, input_words: int, spec: Accelerator, residency: Residency, read_words: int | None = None
) -> LayerReport:
    """The row of a vector operation: words stream from the data buffer through the unit and back.

    `input_words` are those of all operands, `read_words` those of them that come from DRAM (all, unless given).
    """
    bits = spec.pe_array.bits.output
    timing = TransferTiming.of(spec)
    ops = operations(node, input_words)
    busy = -(-ops // spec.vector_unit.lanes)
    from_dram = 0 if residency.input else (input_words if read_words is None else read_words) * bits
    to_dram = 0 if residency.output else node.words * bits
    moved = np.array([from_dram, to_dram], dtype=np.int64)
    cycles_each, opened = timing.columns(moved, np.ones_like(moved), moved, np.zeros_like(moved))
    reading, writing = int(cycles_each[0]), int(cycles_each[1])
    latency = timing.to_cycles(timing.device.latency_ps) if from_dram else 0
    if spec.data_buffer.double_buffered:
        wait = max(0, reading + writing + latency - busy)
    else:
        wait = reading + writing + latency
    setup = spec.controller.layer_setup_cycles
    cycles = busy + wait + setup
    stall_output = min(wait, writing)
    waits = {"DRAM: data": wait - stall_output, "DRAM: output": stall_output}
    work = Work(
        data_buffer_read_bits=ops * bits + to_dram,
        data_buffer_write_bits=node.words * bits + from_dram,
        vector_operations=ops,
        dram_read_bits=from_dram,
        dram_write_bits=to_dram,
        rows_opened=int(opened.sum()),
        cycles=cycles,
    )
    cost = energy(work, spec, (bits, bits, bits))
    return LayerReport(
        layer=node.name,
        op=node.op,
        macs=0,
        effectual_macs=0,
        latency_cycles=cycles,
        compute_cycles=busy,
        stall_data_cycles=wait - stall_output,
        stall_weight_cycles=0,
        stall_output_cycles=stall_output,
        stall_controller_cycles=setup,
        utilization=0.0,
        dram_read_input_bits=from_dram,
        dram_read_weight_bits=0,
        dram_read_psum_bits=0,
        dram_write_output_bits=to_dram,
        dram_write_psum_bits=0,
        data_buffer_read_bits=work.data_buffer_read_bits,
        data_buffer_write_bits=work.data_buffer_write_bits,
        weight_buffer_read_bits=0,
        weight_buffer_write_bits=0,
        **cost.columns(),
        bottleneck=bottleneck({"vector unit": busy}, waits, setup, reading + writing),
        latency_ms=cycles / spec.clock_mhz / 1e3,
        port_bound_cycles=0,
        mac_cycles=0,
        gated_macs=0,
        passes=0,
        tile_steps=0,
        array_read_input_bits=0,
        array_read_weight_bits=0,
        array_read_psum_bits=0,
        array_write_psum_bits=0,
        array_write_output_bits=0,
        dma_busy_cycles=reading + writing,
        controller_busy_cycles=setup,
        operands="",
        mapping="",
    )
