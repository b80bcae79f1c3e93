"""Costs of whole columns of mappings without walking their loops, for the search; the simulation has the last word."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.bounds import bounds
from accel.cost import Work, energy
from accel.encode import Geometry, machine_vector, widths, with_registers
from accel.kernels import estimate_layout as kernel
from accel.kernels.estimate import estimate_rows
from accel.kernels.grouping import equal_rows
from accel.known_zeros import KnownZeros
from accel.objective import objective_value
from accel.residency import NOWHERE, Residency
from accel.skipping_vector import skipping_vector
from accel.spec import Accelerator
from accel.storage import Decoded
from accel.transfer import TransferTiming
from mappings import axis_extent
from mappings.column import MappingColumn, Shape
from mappings.mapping import LEVELS
from workloads import Layer, Operand
from workloads.layer import DIMS, OPERAND_NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS_PER_THREAD = 2048
"""Fewer rows than this are not worth a second thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """One row of `columns` per mapping; what they are says `accel.kernels.estimate_layout`."""

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
    def need_bits(self) -> Floats:
        """(mappings, 3): bits kept at once in the data buffer, the weight buffer and the accumulator memory."""
        return self.columns[:, kernel.NEED_DATA : kernel.NEED_SUMS + 1]

    def objective(self, name: str) -> Floats:
        """What to minimise: "latency", "energy", "edp" (their product) or "dram"; infinite where tiles do not fit."""
        return np.where(self.fits, objective_value(self, name), np.inf)


def costs(
    layer: Layer,
    column: MappingColumn,
    spec: Accelerator,
    residency: Residency = NOWHERE,
    zeros: KnownZeros | None = None,
    *,
    threads: int | None = None,
    fitting_only: bool = False,
) -> Costs:
    """Cost every legal mapping of a column, on all cores unless `threads` says otherwise; dense unless zeros are known.

    Words and bits equal those of the simulation, but for rounding where zeros are skipped; cycles are estimates.
    `fitting_only`: of mappings whose tiles do not fit, only that and the bits they need are found.
    """
    axes, starts, loop_axes, hold = _loops(column.shape)
    # Mappings of equal passes one after another: the kernel then finds what the passes cost only once.
    factors = np.ascontiguousarray(column.factors)
    order, group = equal_rows(factors, int(starts[2]))
    loops = kernel.Column(factors, order, group, starts, loop_axes, hold)
    chip = _chip(layer, spec, residency, zeros or KnownZeros.dense(layer))
    chip = chip._replace(machine=with_registers(chip.machine, column.shape.register_words))
    inputs = (loops, _nest(layer, axes, spec), chip, fitting_only)
    result = np.zeros((len(column), kernel.ESTIMATES))
    parts = threads or min(_cores(), 1 + len(column) // _ROWS_PER_THREAD)
    bounds = pairwise(np.linspace(0, len(column), parts + 1).astype(int).tolist())
    if parts == 1:
        estimate_rows(*inputs, result, 0, len(column))
    else:
        # Threads instead of a parallel kernel, which would take as long again to compile.
        list(_pool().map(lambda part: estimate_rows(*inputs, result, *part), bounds))
    return Costs(result)


@cache
def _cores() -> int:
    return min(8, os.cpu_count() or 1)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), thread_name_prefix="estimate")


@lru_cache(maxsize=1024)
def _loops(shape: Shape) -> tuple[tuple[str, ...], Ints, Ints, Ints]:
    """The axes, those of a shape's loops first; where each level's loops begin; the axis of each; depths of holds."""
    starts = np.cumsum([0, *(len(getattr(shape, level)) for level in LEVELS)], dtype=np.int64)
    named = tuple(dict.fromkeys(axis for _, axis in shape.loops))
    axes = named + tuple(dim for dim in DIMS if not any(dim in axis for axis in named))
    hold = [len(shape.off_chip) if depth is None else depth for depth in shape.hold]
    loop_axes = [axes.index(axis) for _, axis in shape.loops]
    return axes, starts, np.array(loop_axes, dtype=np.int64), np.array(hold, dtype=np.int64)


@lru_cache(maxsize=256)
def _nest(layer: Layer, axes: tuple[str, ...], spec: Accelerator) -> kernel.Nest:
    geometry = Geometry.of(layer, axes, spec.pe_array.window_reuse)
    axis_of = {dim: next(axis for axis in axes if dim in axis) for dim in DIMS}
    spans = [prod(getattr(layer, d) for d in axis_of[dim][axis_of[dim].index(dim) + 1 :]) for dim in DIMS]
    # Rows and columns of the input are counted apart unless an axis decides both.
    together = axis_of["P"] == axis_of["Q"] or axis_of["R"] == axis_of["S"]
    parts: list[list[int]] = []
    places: list[list[int]] = []
    for outputs, taps in (("PQ", "RS"),) if together else (("P", "R"), ("Q", "S")):
        four: list[str | None] = []
        for dims in (outputs, taps):
            found = list(dict.fromkeys(axis_of[dim] for dim in dims))
            four += [*found, None] if len(found) == 1 else found
        parts.append([-1 if axis is None else axes.index(axis) for axis in four])
        places.append([four.index(axis_of[dim]) if axis_of[dim] in four else -1 for dim in DIMS])
    alone = []
    for dim in "GNC":
        counted = any(place[DIMS.index(dim)] >= 0 for place in places)
        alone.append(0 if counted else 1 if getattr(layer, dim) == axis_extent(layer, axis_of[dim]) else 2)
    return kernel.Nest(
        extent=np.array([axis_extent(layer, axis) for axis in axes], dtype=np.int64),
        dims=np.array([axes.index(axis_of[dim]) for dim in DIMS], dtype=np.int64),
        sizes=np.array(layer.extents, dtype=np.int64),
        spans=np.array(spans, dtype=np.int64),
        alone=np.array(alone, dtype=np.int64),
        parts=np.array(parts, dtype=np.int64),
        places=np.array(places, dtype=np.int64),
        sides=np.array([[1, 1]] if together else [[1, 0], [0, 1]], dtype=np.int64),
        strides=geometry.strides,
        padding=np.array(layer.padding, dtype=np.int64),
        height=layer.H,
        width=layer.W,
        relevant=geometry.relevant,
        reduced=geometry.reduced,
        window=geometry.window,
    )


@lru_cache(maxsize=64)
def _chip(layer: Layer, spec: Accelerator, residency: Residency, zeros: KnownZeros) -> kernel.Chip:
    width = widths(layer.bits, spec)
    timing = TransferTiming.of(spec)
    prices = _prices(spec, (width.input, width.weight, width.psum)).copy()
    prices += _coding_prices(layer, spec, residency, zeros)
    work = Work(macs=zeros.spent_macs, gated_macs=zeros.issued_macs - zeros.spent_macs)
    prices[kernel.PJ_LAYER] += energy(work, spec, (width.input, width.weight, width.psum)).total_pj
    return kernel.Chip(
        machine_vector(spec, width),
        timing.vector,
        skipping_vector(layer, spec, zeros),
        _limits(layer, spec, residency, timing, zeros),
        prices,
    )


def _limits(layer: Layer, spec: Accelerator, residency: Residency, timing: TransferTiming, zeros: KnownZeros) -> Ints:
    """The buffers, what of the layer stays on chip, set-up cycles, and sizes of coded tensors."""
    limits = np.zeros(kernel.LIMITS, dtype=np.int64)
    limits[kernel.DATA_TILES] = 2 if spec.data_buffer.double_buffered else 1
    limits[kernel.WEIGHT_TILES] = 2 if spec.weight_buffer.double_buffered else 1
    limits[kernel.DATA_BITS] = int(spec.data_buffer.kib * 8192)
    limits[kernel.WEIGHT_CAPACITY] = int(spec.weight_buffer.kib * 8192) - residency.reserved_weight_bits
    limits[kernel.ACCUMULATOR_BITS] = int(spec.data_buffer.accumulator_kib * 8192)
    limits[kernel.RESERVED_BITS] = residency.reserved_bits
    limits[kernel.INPUT_STAYS] = residency.input
    limits[kernel.OUTPUT_STAYS] = residency.output
    limits[kernel.LAYER_SETUP] = spec.controller.layer_setup_cycles
    limits[kernel.TILE_SETUP] = spec.controller.tile_setup_cycles
    limits[kernel.DRAM_LATENCY] = timing.to_cycles(timing.device.latency_ps)
    limits[kernel.TURNAROUND] = timing.to_cycles(timing.device.turnaround_ps)
    # What the PEs are busy with, in cycles of a lane.
    width = widths(layer.bits, spec)
    limits[kernel.MACS] = layer.macs * spec.pe_array.mac_cycles_at(width.input, width.weight)
    for field, operand in ((kernel.CODED_HERE_INPUT, 0), (kernel.CODED_HERE_WEIGHT, 1)):
        here = zeros.storage.held_bits[operand]
        limits[field] = -1 if here is None else here
    for operand in Operand:
        coded = zeros.storage.coded_bits[operand]
        limits[kernel.CODED_INPUT + operand] = -1 if coded is None else coded
        limits[kernel.STORED_INPUT + operand] = layer.words(operand)
        limits[kernel.CODEC_RATE + operand] = spec.dma.codec_rate(OPERAND_NAMES[operand])
    least = bounds(layer, spec, residency, zeros)
    limits[kernel.LEAST_MAC] = least.mac_cycles
    limits[kernel.LEAST_COMPUTE] = max(least.mac_cycles, least.port_cycles)
    return limits


@lru_cache(maxsize=64)
def _prices(spec: Accelerator, bits: tuple[int, int, int]) -> Floats:
    """Energy is linear in the counts, so it is found once per kind of event."""
    many = 1_000_000

    def price(**events: int) -> float:
        counts: dict[str, Any] = {name: count * many for name, count in events.items()}
        return energy(Work(**counts), spec, bits).total_pj / many

    apart = spec.data_buffer.accumulator_kib > 0
    prices = np.zeros(kernel.PRICES)
    for offset, operand in enumerate(OPERAND_NAMES):
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
    prices[kernel.PJ_HOP] = price(reduction_hops=1)
    prices[kernel.PJ_ROW] = price(rows_opened=1)
    return prices


def _coding_prices(layer: Layer, spec: Accelerator, residency: Residency, zeros: KnownZeros) -> Floats:
    """What the layer's formats add to the prices: of words that the DMA loads, of bits that cross the array's ports.

    The codec sees finished outputs once, so that theirs belong to the layer's constant.
    """
    width, storage = widths(layer.bits, spec), zeros.storage
    words = [layer.words(operand) for operand in Operand]

    def price(*, recoded: Decoded = (), decoded: Decoded = ()) -> float:
        work = Work(recoded=recoded, decoded=decoded)
        return energy(work, spec, (width.input, width.weight, width.psum)).total_pj

    prices = np.zeros(kernel.PRICES)
    prices[kernel.PJ_LAYER] = 0.0 if residency.output else price(recoded=storage.recoded(0, 0, 1))
    prices[kernel.PJ_RECODE] = 0.0 if residency.input else price(recoded=storage.recoded(1 / words[0], 0, 0))
    prices[kernel.PJ_RECODE + 1] = price(recoded=storage.recoded(0, 1 / words[1], 0))
    prices[kernel.PJ_DECODE] = price(decoded=storage.decoded(1, 0, 0))
    prices[kernel.PJ_DECODE + 1] = price(decoded=storage.decoded(0, 1, 0))
    prices[kernel.PJ_DECODE + 2] = price(decoded=storage.decoded(0, 0, 1 / (words[2] * width.output)))
    return prices
