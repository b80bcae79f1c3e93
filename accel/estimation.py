"""The closed form as a table: a row per mapping, columns as in the report of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accel.closed_form import costs
from accel.cost import Work, energy
from accel.encode import require_precision, widths
from accel.kernels import estimate_layout as kernel
from accel.known_zeros import KnownZeros
from accel.named import AcceleratorSource, LayerSource, accelerator_of, layer_of
from accel.occupancy import occupancy
from accel.planes import planes_fit
from accel.report import COLUMNS
from accel.residency import NOWHERE, Residency
from accel.spec import Accelerator
from mappings import Mapping
from mappings.column import MappingColumn, Shape
from workloads import Layer, Operand

Floats = NDArray[np.float64]


def estimate(
    layer: LayerSource,
    mappings: MappingColumn | Sequence[Mapping],
    spec: AcceleratorSource,
    *,
    seed: int = 0,
    residency: Residency = NOWHERE,
) -> pd.DataFrame:
    """One row per mapping, in their order; columns mean what they mean in `LayerReport`, and `fits` comes last.

    The layer may be given as "NET:LAYER", the accelerator by name or file.

    `fits`: whether the tiles fit the buffers, sums the accumulators and unrolled loops the array. Zeros are those the
    simulation with this seed finds. Words, bits and buffer accesses are the simulation's. They are upper bounds where
    `data_buffer.halo_reuse` or `pe_array.keep_registers` keep words that the next tile or pass needs too, or
    `pe_array.neighbour_links` pass them on: the closed form fetches them again. On an array that skips zeros, what
    crosses between buffers and PEs is an estimate: a share of every operand, close where every pass finds work. Cycles
    are estimates, and so is the energy that depends on them. Left out is what only an event can tell: stalls, the
    bottleneck. Raises InputError for a mapping of a list that is not legal for the layer, and for operands too wide for
    the array.
    """
    layer, spec = layer_of(layer), accelerator_of(spec)
    require_precision(layer, spec)
    zeros = KnownZeros.of(layer, occupancy(layer, widths(layer.bits, spec), spec, seed), spec)
    if isinstance(mappings, MappingColumn):
        return _table(layer, mappings, spec, residency, zeros)
    rows: dict[Shape, list[int]] = {}
    for number, mapping in enumerate(mappings):
        mapping.check(layer)
        rows.setdefault(Shape.of(mapping), []).append(number)
    frames = []
    for numbers in rows.values():
        column = MappingColumn.of([mappings[number] for number in numbers])
        frames.append(_table(layer, column, spec, residency, zeros).set_index(np.array(numbers)))
    return pd.concat(frames).sort_index() if frames else _table(layer, _NONE, spec, residency, zeros)


_NONE = MappingColumn(Shape("none"), np.zeros((0, 0), dtype=np.int64))


def _table(
    layer: Layer, column: MappingColumn, spec: Accelerator, residency: Residency, zeros: KnownZeros
) -> pd.DataFrame:
    found = costs(layer, column, spec, residency, zeros).columns

    def whole(field: int) -> NDArray[np.int64]:
        return np.rint(found[:, field]).astype(np.int64)

    width = widths(layer.bits, spec)
    array = {
        "array_read_input_bits": whole(kernel.READ_INPUT) * width.input,
        "array_read_weight_bits": whole(kernel.READ_WEIGHT) * width.weight,
        "array_read_psum_bits": whole(kernel.READ_PSUM) * width.psum,
        "array_write_psum_bits": whole(kernel.WRITE_PSUM) * width.psum,
        "array_write_output_bits": whole(kernel.WRITE_OUTPUT) * width.output,
    }
    back = whole(kernel.PSUM_BITS)
    moved = {
        "dram_read_input_bits": whole(kernel.INPUT_BITS),
        "dram_read_weight_bits": whole(kernel.WEIGHT_BITS),
        "dram_read_psum_bits": back,
        "dram_write_output_bits": whole(kernel.OUTPUT_BITS),
        "dram_write_psum_bits": back,
    }
    loads, stores = moved["dram_read_input_bits"] + back, moved["dram_write_output_bits"] + back
    outputs = array["array_write_output_bits"]
    words = [layer.words(operand) for operand in Operand]
    final = np.full(len(found), 0 if residency.output else words[Operand.OUTPUT] * width.output)
    if (coded := zeros.storage.held_bits[Operand.OUTPUT]) is not None:
        outputs = -(-outputs * coded // (words[Operand.OUTPUT] * width.output))
        final = np.full(len(found), 0 if residency.output else coded)
    reads = array["array_read_input_bits"] + final + back
    writes = back + outputs
    if not residency.input:
        writes = writes + _held(whole(kernel.LOADED_INPUT), layer, Operand.INPUT, width.input, zeros)
    sums_read, sums_written = array["array_read_psum_bits"], array["array_write_psum_bits"]
    apart = spec.data_buffer.accumulator_kib > 0
    # The counts are columns here, and the formulas take those as well.
    storage: Any = zeros.storage
    work: dict[str, Any] = {
        "macs": np.full(len(found), zeros.spent_macs),
        "gated_macs": np.full(len(found), zeros.issued_macs - zeros.spent_macs),
        "input_fills": whole(kernel.FILL_INPUT),
        "weight_fills": whole(kernel.FILL_WEIGHT),
        "output_fills": whole(kernel.FILL_OUTPUT),
        "reduction_hops": whole(kernel.HOPS),
        "bus_bits": sum(array.values()) - array["array_read_weight_bits"],
        "weight_bus_bits": array["array_read_weight_bits"],
        "data_buffer_read_bits": reads + (0 if apart else sums_read),
        "data_buffer_write_bits": writes + (0 if apart else sums_written),
        "accumulator_read_bits": sums_read * apart,
        "accumulator_write_bits": sums_written * apart,
        "weight_buffer_read_bits": array["array_read_weight_bits"],
        "weight_buffer_write_bits": _held(whole(kernel.LOADED_WEIGHT), layer, Operand.WEIGHT, width.weight, zeros),
        "dram_read_bits": loads + moved["dram_read_weight_bits"],
        "dram_write_bits": stores,
        "rows_opened": whole(kernel.OPENED),
        "cycles": whole(kernel.LATENCY),
        "recoded": storage.recoded(
            found[:, kernel.LOADED_INPUT] * (not residency.input) / words[Operand.INPUT],
            found[:, kernel.LOADED_WEIGHT] / words[Operand.WEIGHT],
            float(not residency.output),
        ),
        "decoded": storage.decoded(
            array["array_read_input_bits"],
            array["array_read_weight_bits"],
            found[:, kernel.WRITE_OUTPUT] / words[Operand.OUTPUT],
        ),
    }
    cost = energy(Work(**work), spec, (width.input, width.weight, width.psum))
    latency = whole(kernel.LATENCY)
    values = {
        "layer": layer.name,
        "op": layer.op,
        "macs": layer.macs,
        "effectual_macs": zeros.effectual_macs,
        "latency_cycles": latency,
        "compute_cycles": whole(kernel.COMPUTE),
        "utilization": layer.macs / (latency * spec.pe_array.macs_per_cycle_at(width.input, width.weight)),
        **moved,
        "data_buffer_read_bits": reads + sums_read,
        "data_buffer_write_bits": writes + sums_written,
        "weight_buffer_read_bits": work["weight_buffer_read_bits"],
        "weight_buffer_write_bits": work["weight_buffer_write_bits"],
        **cost.columns(),
        "latency_ms": latency / spec.clock_mhz / 1e3,
        "mac_cycles": whole(kernel.MAC),
        "gated_macs": work["gated_macs"],
        "passes": whole(kernel.PASSES),
        "tile_steps": whole(kernel.STEPS),
        **array,
        "dma_busy_cycles": whole(kernel.BUS),
        "mapping": column.shape.name,
        "skipped_macs": layer.macs - zeros.issued_macs,
        "multiplier_free_ops": zeros.spent_macs if spec.pe_array.precision.multiplier_free else 0,
    }
    ordered = {name: values[name] for name in COLUMNS if name in values}
    return pd.DataFrame({**ordered, "fits": _fits(found, layer, column, spec)}, index=range(len(found)))


def _held(words: NDArray[np.int64], layer: Layer, operand: Operand, bits: int, zeros: KnownZeros) -> NDArray[np.int64]:
    """Bits of words on their way into a buffer: plain, or their share of the tensor as the buffer holds it."""
    coded, whole = zeros.storage.held_bits[operand], layer.words(operand)
    return words * bits if coded is None else words // whole * coded + words % whole * coded // whole


def _fits(found: Floats, layer: Layer, column: MappingColumn, spec: Accelerator) -> NDArray[np.bool_]:
    fits = (found[:, kernel.FITS] > 0) & planes_fit(layer, column, spec)
    array, width = spec.pe_array, widths(layer.bits, spec)
    lanes = array.lanes_at(width.input, width.weight)
    for level, there in (("rows", array.rows), ("columns", array.columns), ("lanes", lanes)):
        places = [place for place, (own, _) in enumerate(column.shape.loops) if own == level]
        fits = fits & (column.factors[:, places].astype(np.float64).prod(axis=1) <= there)
    return fits
