"""Closed-form estimates of whole columns of mappings, for the search; the simulation has the last word."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from accel.cost import Work, energy
from accel.encode import Geometry, machine_vector, widths
from accel.kernels import estimate as kernel
from accel.lower import NOWHERE, Residency
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from mappings import axis_extent
from mappings.column import MappingColumn
from mappings.mapping import LEVELS
from workloads import Layer
from workloads.layer import DIMS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS_PER_THREAD = 2048
"""Fewer rows than this are not worth a second thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One row of `columns` per mapping; what they are says `accel.kernels.estimate`."""

    columns: Floats

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether the tiles fit the buffers."""
        return self.columns[:, kernel.FITS] > 0

    @property
    def latency_cycles(self) -> Floats:
        return self.columns[:, kernel.LATENCY]

    @property
    def energy_pj(self) -> Floats:
        return self.columns[:, kernel.ENERGY]

    @property
    def dram_bits(self) -> Floats:
        return self.columns[:, kernel.DRAM_BITS]

    @property
    def steps(self) -> Floats:
        """Tile steps: as many as full tiles cover the layer in."""
        return self.columns[:, kernel.STEPS]

    @property
    def held_words(self) -> Floats:
        """Words of all operands kept in the buffers at once."""
        held: Floats = self.columns[:, kernel.HELD_INPUT : kernel.HELD_OUTPUT + 1].sum(axis=1)
        return held

    def objective(self, name: str) -> Floats:
        """What to minimise: "latency", "energy", "edp" (their product) or "dram"; infinite where tiles do not fit."""
        values = {
            "latency": self.latency_cycles,
            "energy": self.energy_pj,
            "edp": self.latency_cycles * self.energy_pj,
            "dram": self.dram_bits,
        }[name]
        return np.where(self.fits, values, np.inf)


def estimate(
    layer: Layer,
    column: MappingColumn,
    spec: Accelerator,
    residency: Residency = NOWHERE,
    threads: int | None = None,
    weight_share: float = 1.0,
) -> Estimates:
    """Cost every mapping of a column on dense operands, on all cores unless `threads` says otherwise.

    `weight_share`: bits of a weight in its buffer over those of a plain one.
    """
    shape = column.shape
    loops = shape.loops
    named = tuple(dict.fromkeys(axis for _, axis in loops))
    axes = named + tuple(dim for dim in DIMS if not any(dim in axis for axis in named))
    geometry = Geometry.of(layer, axes, spec.pe_array.window_reuse)
    starts = np.cumsum([0, *(len(getattr(shape, level)) for level in LEVELS)])
    hold = [len(shape.off_chip) if depth is None else depth for depth in shape.hold]
    # Mappings of equal passes one after another: the kernel then finds what the passes cost only once.
    order = np.lexsort(column.factors[:, starts[2] :].T)
    factors = np.ascontiguousarray(column.factors[order])
    result = np.zeros((len(column), kernel.ESTIMATES))
    timing = TransferTiming.of(spec)
    inputs = (
        factors,
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
        timing.vector,
        _limits(layer, spec, residency, timing, weight_share),
        _prices(layer, spec),
        result,
    )
    parts = threads or min(_cores(), 1 + len(column) // _ROWS_PER_THREAD)
    bounds = pairwise(np.linspace(0, len(column), parts + 1).astype(int).tolist())
    if parts == 1:
        kernel.estimate_rows(*inputs, 0, len(column))
    else:
        # Threads instead of a parallel kernel, which would take as long again to compile.
        list(_pool().map(lambda part: kernel.estimate_rows(*inputs, *part), bounds))
    columns = np.empty_like(result)
    columns[order] = result
    return Estimates(columns)


@cache
def _cores() -> int:
    return min(8, os.cpu_count() or 1)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), thread_name_prefix="estimate")


def _limits(layer: Layer, spec: Accelerator, residency: Residency, timing: TransferTiming, weight_share: float) -> Ints:
    """The buffers, what of the layer stays on chip, and the set-up cycles."""
    limits = np.zeros(kernel.LIMITS, dtype=np.int64)
    limits[kernel.DATA_TILES] = 2 if spec.data_buffer.double_buffered else 1
    limits[kernel.WEIGHT_TILES] = 2 if spec.weight_buffer.double_buffered else 1
    limits[kernel.DATA_BITS] = int(spec.data_buffer.kib * 8192)
    weight_bits = spec.weight_buffer.kib * 8192 - residency.reserved_weight_bits
    limits[kernel.WEIGHT_BITS] = int(weight_bits / weight_share)
    limits[kernel.ACCUMULATOR_BITS] = int(spec.data_buffer.accumulator_kib * 8192)
    limits[kernel.RESERVED_BITS] = residency.reserved_bits
    limits[kernel.INPUT_STAYS] = residency.input
    limits[kernel.OUTPUT_STAYS] = residency.output
    limits[kernel.LAYER_SETUP] = spec.controller.layer_setup_cycles
    limits[kernel.TILE_SETUP] = spec.controller.tile_setup_cycles
    limits[kernel.DRAM_LATENCY] = timing.to_cycles(timing.device.latency_ps)
    # What the PEs are busy with, in cycles of a lane.
    width = widths(layer.bits, spec)
    limits[kernel.MACS] = layer.macs * spec.pe_array.mac_cycles_at(width.input, width.weight)
    return limits


def _prices(layer: Layer, spec: Accelerator) -> Floats:
    """Energy is linear in the counts, so it is found once per kind of event."""
    width = widths(layer.bits, spec)
    prices = _unit_prices(spec, (width.input, width.weight, width.psum)).copy()
    prices[kernel.PJ_LAYER] *= layer.macs
    return prices


@lru_cache(maxsize=64)
def _unit_prices(spec: Accelerator, bits: tuple[int, int, int]) -> Floats:
    """The price vector, PJ_LAYER for a single MAC."""
    many = 1_000_000

    def price(**events: int) -> float:
        work = Work(**{name: count * many for name, count in events.items()})
        return energy(work, spec, bits).total_pj / many

    apart = spec.data_buffer.accumulator_kib > 0
    prices = np.zeros(kernel.PRICES)
    prices[kernel.PJ_LAYER] = price(macs=1)
    for offset, operand in enumerate(("input", "weight", "output")):
        prices[kernel.PJ_FILL + offset] = price(**{f"{operand}_fills": 1})
    prices[kernel.PJ_BUS] = price(bus_bits=1)
    prices[kernel.PJ_DATA_READ] = price(data_buffer_read_bits=1)
    prices[kernel.PJ_DATA_WRITE] = price(data_buffer_write_bits=1)
    prices[kernel.PJ_PSUM_READ] = price(**{"accumulator_read_bits" if apart else "data_buffer_read_bits": 1})
    prices[kernel.PJ_PSUM_WRITE] = price(**{"accumulator_write_bits" if apart else "data_buffer_write_bits": 1})
    # The kernel takes all words over the bus of the data buffer; those of weights may have a shorter one.
    prices[kernel.PJ_WEIGHT_READ] = price(weight_buffer_read_bits=1, weight_bus_bits=1) - price(bus_bits=1)
    prices[kernel.PJ_WEIGHT_WRITE] = price(weight_buffer_write_bits=1)
    prices[kernel.PJ_DRAM_READ] = price(dram_read_bits=1)
    prices[kernel.PJ_DRAM_WRITE] = price(dram_write_bits=1)
    prices[kernel.PJ_CYCLE] = price(cycles=1)
    return prices
