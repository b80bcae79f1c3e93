"""Closed-form estimates of whole columns of mappings, for the search; the simulation has the last word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.cost import Work, energy
from accel.encode import Geometry, machine_vector, widths
from accel.kernels import estimate as columns
from accel.kernels import passes
from accel.lower import Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from mappings import axis_extent
from mappings.column import MappingColumn
from mappings.mapping import LEVELS
from workloads import Layer
from workloads.layer import DIMS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One element per mapping. `fits`: its tiles fit the buffers; `counts`: see `accel.kernels.estimate`."""

    fits: NDArray[np.bool_]
    latency_cycles: Floats
    energy_pj: Floats
    dram_bits: Floats
    counts: Ints

    def objective(self, name: str) -> Floats:
        """What to minimise: "latency", "energy", "edp" (their product) or "dram"; infinite where tiles do not fit."""
        values = {
            "latency": self.latency_cycles,
            "energy": self.energy_pj,
            "edp": self.latency_cycles * self.energy_pj,
            "dram": self.dram_bits,
        }[name]
        return np.where(self.fits, values, np.inf)


def estimate(layer: Layer, column: MappingColumn, spec: Accelerator, residency: Residency = Residency()) -> Estimates:
    """Cost every mapping of a column on dense operands."""
    counts = _counts(layer, column, spec)
    width = widths(layer.bits, spec)
    data_tiles = 2 if spec.data_buffer.double_buffered else 1
    weight_tiles = np.where(counts[:, columns.WEIGHT_TAKEN] > 0, 1, 2 if spec.weight_buffer.double_buffered else 1)
    returns = counts[:, passes.WRITE_PSUM] > 0
    output_bits = np.where(returns, width.psum, width.output)
    inputs = counts[:, columns.HELD_INPUT] * width.input * data_tiles * (not residency.input)
    outputs = counts[:, columns.HELD_OUTPUT] * output_bits * data_tiles
    if spec.data_buffer.accumulator_kib:
        fits = outputs <= spec.data_buffer.accumulator_kib * 8192
        outputs = np.zeros_like(outputs)
    else:
        fits = np.ones(len(counts), dtype=bool)
        outputs = np.where(returns | (not residency.output), outputs, 0)
    fits &= inputs + outputs + residency.reserved_bits <= spec.data_buffer.kib * 8192
    fits &= counts[:, columns.HELD_WEIGHT] * width.weight * weight_tiles <= spec.weight_buffer.kib * 8192
    moved = {
        "input": counts[:, columns.LOAD_INPUT] * width.input * (not residency.input),
        "weight": counts[:, columns.LOAD_WEIGHT] * width.weight,
        "psum": counts[:, columns.LOAD_PSUM] * width.psum,
        "psum_out": counts[:, columns.STORE_PSUM] * width.psum,
        "output": counts[:, columns.STORE_OUTPUT] * width.output * (not residency.output),
    }
    latency = _latency(counts, moved, spec)
    dram_bits = np.sum(list(moved.values()), axis=0).astype(np.float64)
    return Estimates(fits, latency, _energy(layer, counts, moved, latency, spec), dram_bits, counts)


def _counts(layer: Layer, column: MappingColumn, spec: Accelerator) -> Ints:
    shape = column.shape
    loops = shape.loops
    named = tuple(dict.fromkeys(axis for _, axis in loops))
    axes = named + tuple(dim for dim in DIMS if not any(dim in axis for axis in named))
    geometry = Geometry.of(layer, axes, spec.pe_array.window_reuse)
    starts = np.cumsum([0, *(len(getattr(shape, level)) for level in LEVELS)])
    hold = [len(shape.off_chip) if depth is None else depth for depth in shape.hold]
    result = np.zeros((len(column), columns.ESTIMATES), dtype=np.int64)
    columns.estimate_columns(
        column.factors,
        starts.astype(np.int64),
        np.array([axes.index(axis) for _, axis in loops], dtype=np.int64),
        np.array(hold, dtype=np.int64),
        np.array([axis_extent(layer, axis) for axis in axes], dtype=np.int64),
        np.array([next(i for i, axis in enumerate(axes) if dim in axis) for dim in DIMS], dtype=np.int64),
        np.array(layer.extents, dtype=np.int64),
        geometry.strides,
        np.array(layer.padding, dtype=np.int64),
        layer.H,
        layer.W,
        geometry.relevant,
        geometry.reduced,
        geometry.window,
        machine_vector(spec, widths(layer.bits, spec)),
        result,
    )
    return result


def _latency(counts: Ints, moved: dict[str, Ints], spec: Accelerator) -> Floats:
    """Transfers and passes overlap as far as the buffers are double; the slower of the two sets the pace."""
    timing = TransferTiming.of(spec)
    none = np.zeros(len(counts), dtype=np.int64)

    def busy(bits: Ints, transfers: int, runs: int) -> Floats:
        # Bursts and rows are those of a mean transfer; the simulation knows each one.
        number = counts[:, transfers]
        mean = -(-bits // np.maximum(number, 1))
        cycles: Floats = (timing.cycles(mean, counts[:, runs], mean, none) * number).astype(np.float64)
        return cycles

    inputs = busy(moved["input"], columns.LOADS_INPUT, columns.RUNS_INPUT)
    weights = busy(moved["weight"], columns.LOADS_WEIGHT, columns.RUNS_WEIGHT)
    outputs = busy(moved["output"] + moved["psum_out"], columns.STORES, columns.RUNS_OUTPUT)
    outputs = outputs + busy(moved["psum"], columns.STORES, columns.RUNS_OUTPUT)
    compute = counts[:, passes.COMPUTE].astype(np.float64)
    steps = np.maximum(counts[:, columns.STEPS], 1)
    lead = (inputs + weights) / steps + timing.to_cycles(timing.device.latency_ps)
    tail = outputs / steps
    setup = spec.controller.layer_setup_cycles + steps * spec.controller.tile_setup_cycles
    bus = inputs + weights + outputs
    if spec.data_buffer.double_buffered and spec.weight_buffer.double_buffered:
        return setup + lead + np.maximum(compute, bus) + tail
    alone = compute + (0 if spec.data_buffer.double_buffered else inputs + outputs)
    alone = alone + (0 if spec.weight_buffer.double_buffered else weights)
    waits = (counts[:, columns.LOADS_INPUT] + counts[:, columns.STORES]) * timing.to_cycles(timing.device.latency_ps)
    return setup + np.maximum(alone, bus) + (0 if spec.data_buffer.double_buffered else waits)


def _energy(layer: Layer, counts: Ints, moved: dict[str, Ints], latency: Floats, spec: Accelerator) -> Floats:
    """Energy is linear in the counts, so it is found once per kind of event and multiplied."""
    width = widths(layer.bits, spec)
    bits = (width.input, width.weight, width.psum)

    def unit(**events: int) -> float:
        scale = 1_000_000
        work = Work(**{name: count * scale for name, count in events.items()})
        return energy(work, spec, bits).total_pj / scale

    reads_input = counts[:, passes.READ_INPUT] * width.input
    reads_weight = counts[:, passes.READ_WEIGHT] * width.weight
    psums = counts[:, passes.READ_PSUM] * width.psum
    written = counts[:, passes.WRITE_PSUM] * width.psum + counts[:, passes.WRITE_OUTPUT] * width.output
    apart = spec.data_buffer.accumulator_kib > 0
    busy_pes = layer.macs / np.maximum(counts[:, passes.MAC], 1) / spec.pe_array.lanes
    loads = moved["input"] + moved["psum"]
    stores = moved["output"] + moved["psum_out"]
    psum_read, psum_write = (
        ("accumulator_read_bits", "accumulator_write_bits") if apart else ("data_buffer_read_bits", "data_buffer_write_bits")
    )
    total: Floats = (
        layer.macs * unit(macs=1)
        + counts[:, passes.FILL_INPUT] * busy_pes * unit(input_fills=1)
        + counts[:, passes.FILL_WEIGHT] * busy_pes * unit(weight_fills=1)
        + counts[:, passes.FILL_OUTPUT] * busy_pes * unit(output_fills=1)
        + (reads_input + reads_weight + psums + written) * unit(bus_bits=1)
        + (reads_input + stores) * unit(data_buffer_read_bits=1)
        + psums * unit(**{psum_read: 1})
        + loads * unit(data_buffer_write_bits=1)
        + written * unit(**{psum_write: 1})
        + reads_weight * unit(weight_buffer_read_bits=1)
        + moved["weight"] * unit(weight_buffer_write_bits=1)
        + (loads + moved["weight"]) * unit(dram_read_bits=1)
        + stores * unit(dram_write_bits=1)
        + latency * unit(cycles=1)
    )
    return total
