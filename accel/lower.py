"""From a tile schedule to a tile program: words become bits and cycles on one accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.accumulators import require_room
from accel.codecs import StoredBits
from accel.encode import Geometry, Nest, Widths, machine_vector, require_precision, widths
from accel.kernels import passes
from accel.occupancy import Occupancy
from accel.program import INPUT, OUTPUT, PSUM, TRANSFERS, WEIGHT, TileProgram
from accel.registers import still_held
from accel.skipping import exchange, finish_times, skipped_work
from accel.spec import Accelerator
from accel.storage import Storage
from accel.transfer import TransferTiming
from mappings import Mapping, TileSchedule
from workloads import InputError, Layer, Operand, Tensors
from workloads.operands import NAMES

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Residency:
    """What of a layer stays on chip: maps that skip the DRAM, and bits of the data buffer other maps take up."""

    input: bool = False
    output: bool = False
    reserved_bits: int = 0


NOWHERE = Residency()
"""Nothing of the layer stays on chip before or after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """The program, and what its steps add up to: `counts` as in `kernels.passes`; `rows_opened` by kind of transfer.

    `dense_mac_cycles`: what the MACs would take with no zero skipped. `imbalance`: cycles of the busiest PE over those
    of the average one, on an array that skips; else 0. `moved_bits`: by kind of transfer, what crosses the
    buffers' side of the DMA. `codec_cycles`: of the DMA's codec. `held_bits`: by operand, of the whole tensor as the
    buffers hold it coded.
    """

    program: TileProgram
    width: Widths
    counts: Ints
    rows_opened: Ints
    dense_mac_cycles: int
    imbalance: float
    moved_bits: Ints
    codec_cycles: int
    held_bits: tuple[int | None, ...]


def held_operands(mapping: Mapping, layer: Layer, spec: Accelerator) -> tuple[bool, bool, bool]:
    """Which operands a full pass keeps in registers from its first cycle to its last."""
    axes = mapping.axes()
    nest = Nest.of(mapping, axes)
    geometry = Geometry.of(layer, axes, spec.pe_array.window_reuse)
    extent = np.array([min(mapping.pass_extent(axis), mapping.tile_extent(axis)) for axis in axes], dtype=np.int64)
    held = passes.tile_cost(
        extent, nest.loop_axis, np.ones_like(nest.loop_factor), nest.loop_block, nest.pass_extent,
        nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced, geometry.window,
        geometry.strides, machine_vector(spec, widths(layer.bits, spec)), False, True, 0, 0, False,
        np.zeros(passes.COUNTS, dtype=np.int64),
    )  # fmt: skip
    return bool(held & 1), bool(held & 2), bool(held & 4)


def require_fit(
    schedule: TileSchedule,
    spec: Accelerator,
    residency: Residency,
    coded_weight_bits: int | None = None,
    coded_input_bits: int | None = None,
) -> None:
    """Raise InputError naming the buffer, the operand and the least size that would do, when the tiles do not fit."""
    layer, mapping = schedule.layer, schedule.mapping
    require_array(mapping, layer, spec)
    where = f"layer {layer.name} on {spec.name}, mapping {mapping.name}"
    need = buffer_bits(schedule, spec, residency, coded_weight_bits, coded_input_bits)
    for name, bits, kib in (
        ("data_buffer.kib", need[0], spec.data_buffer.kib),
        ("weight_buffer.kib", need[1], spec.weight_buffer.kib),
        ("data_buffer.accumulator_kib", need[2], spec.data_buffer.accumulator_kib),
    ):
        if bits > kib * 8192:
            least = -(-bits // 8192)
            raise InputError(f"{name} = {kib:g} is too small for a tile of {bits} bits: needs {least}", source=where)


def require_array(mapping: Mapping, layer: Layer, spec: Accelerator) -> None:
    """Raise InputError when a mapping asks for more PEs or accumulators than there are, or operands are too wide."""
    require_precision(layer, spec)
    array, width = spec.pe_array, widths(layer.bits, spec)
    lanes = array.lanes_at(width.input, width.weight)
    for level, there in (("rows", array.rows), ("columns", array.columns), ("lanes", lanes)):
        used = prod(loop.factor for loop in getattr(mapping, level))
        if used > there:
            where = f"layer {layer.name} on {spec.name}, mapping {mapping.name}"
            raise InputError(f"{level} unrolled {used} times over {there} {level}: use smaller factors", source=where)
    require_room(mapping, layer, spec)


def buffer_bits(
    schedule: TileSchedule,
    spec: Accelerator,
    residency: Residency,
    coded_weight_bits: int | None = None,
    coded_input_bits: int | None = None,
) -> tuple[int, int, int]:
    """Bits the tiles need at once in the data buffer, the weight buffer and the accumulator memory.

    `coded_weight_bits`, `coded_input_bits`: of the whole tensor, where its buffer holds it coded; a tile takes its
    share of them.
    """
    width = widths(schedule.layer.bits, spec)
    data_tiles, weight_tiles = tiles_kept(schedule.mapping, schedule.layer, spec)
    held = schedule.held_words
    inputs = int(held[Operand.INPUT]) * width.input
    if coded_input_bits is not None:
        inputs = -(-int(held[Operand.INPUT]) * coded_input_bits // schedule.layer.words(Operand.INPUT))
    inputs *= 0 if residency.input else data_tiles
    reduced_again = bool(schedule.accumulates.any()) or _returns(schedule.mapping)
    output_bits = width.psum if reduced_again else width.output
    outputs = int(held[Operand.OUTPUT]) * output_bits * data_tiles
    weights = int(held[Operand.WEIGHT]) * width.weight
    if coded_weight_bits is not None:
        weights = -(-int(held[Operand.WEIGHT]) * coded_weight_bits // schedule.layer.words(Operand.WEIGHT))
    weights *= weight_tiles
    if spec.data_buffer.accumulator_kib:
        return inputs + residency.reserved_bits, weights, outputs
    outputs = 0 if residency.output and not reduced_again else outputs
    return inputs + outputs + residency.reserved_bits, weights, 0


def tiles_kept(mapping: Mapping, layer: Layer, spec: Accelerator) -> tuple[int, int]:
    """Tiles the data and the weight buffer hold at once: two when double-buffered.

    Weights that one pass takes whole into registers leave their place at once: the registers are the second buffer.
    """
    data = 2 if spec.data_buffer.double_buffered else 1
    one_pass = all(loop.axis[0] not in "GKCRS" or loop.factor == 1 for loop in mapping.on_chip)
    taken = one_pass and held_operands(mapping, layer, spec)[Operand.WEIGHT]
    weight = 2 if spec.weight_buffer.double_buffered and not taken else 1
    return data, weight


def lower(schedule: TileSchedule, occupancy: Occupancy, spec: Accelerator, residency: Residency = NOWHERE) -> Lowered:
    """Cost every distinct tile once with the kernels, every transfer by the DMA.

    Raises InputError if tiles do not fit.
    """
    held_bits = occupancy.held_bits
    require_fit(schedule, spec, residency, held_bits[Operand.WEIGHT], held_bits[Operand.INPUT])
    width = widths(schedule.layer.bits, spec)
    timing = TransferTiming.of(spec)
    counts = _tile_counts(schedule, spec, width)
    dense_mac_cycles, imbalance = int(counts[:, passes.MAC].sum()), 0.0
    if occupancy.operands is not None:
        counts, imbalance = _skipping_counts(schedule, occupancy.operands, spec, width, held_bits)
    steps = schedule.steps
    words = np.column_stack([schedule.load_words, schedule.store_words])
    if residency.input:
        words[:, INPUT] = 0
    if residency.output:
        words[:, OUTPUT] = np.where(schedule.store_final, 0, words[:, OUTPUT])
    runs = np.column_stack([schedule.load_runs, schedule.store_runs])
    spans = np.column_stack([schedule.load_spans, schedule.store_spans])
    final = schedule.store_final
    plain = (width.input, width.weight, width.psum, width.output)
    bits = np.zeros((steps, TRANSFERS), dtype=np.int64)
    cycles = np.zeros((steps, TRANSFERS), dtype=np.int64)
    rows, at_buffers = np.zeros(TRANSFERS, dtype=np.int64), np.zeros(TRANSFERS, dtype=np.int64)
    codec_cycles = 0
    for kind in range(TRANSFERS):
        moved = words[:, kind]
        plain_bits = moved * np.where(final | (kind != OUTPUT), plain[kind], width.psum)
        operand = (Operand.INPUT, Operand.WEIGHT, Operand.OUTPUT, Operand.OUTPUT)[kind]
        storage = Storage() if kind == PSUM else occupancy.storage[operand]
        # Only finished outputs are ever coded.
        values = np.where(final | (kind != OUTPUT), moved, 0)
        whole = schedule.layer.words(operand)
        bits[:, kind] = _moved(plain_bits, values, storage.off_chip, whole)
        at_buffers[kind] = _moved(plain_bits, values, storage.held, whole).sum()
        stream = values if storage.off_chip else np.zeros_like(values)
        through = values if storage.recoded else np.zeros_like(values)
        stretches = np.where(stream > 0, 1, runs[:, kind])
        span_bits = np.where(stream > 0, bits[:, kind], spans[:, kind] * plain[kind])
        rate = spec.dma.codec_rate(NAMES[operand])
        taken, opened = timing.columns(bits[:, kind], stretches, span_bits, through, rate)
        cycles[:, kind], rows[kind] = taken, opened.sum()
        codec_cycles += int((-(-through // rate)).sum())
    tiles = tiles_kept(schedule.mapping, schedule.layer, spec)
    program = TileProgram(
        bits=bits,
        transfer_cycles=cycles,
        compute_cycles=counts[:, passes.COMPUTE].copy(),
        waits=_waits(schedule, tiles, bits),
        weights_taken=spec.weight_buffer.double_buffered and tiles[1] == 1,
        resident_bits=_resident(schedule, width, held_bits),
        setup_cycles=spec.controller.tile_setup_cycles,
        layer_setup_cycles=spec.controller.layer_setup_cycles,
        latency_cycles=timing.to_cycles(timing.device.latency_ps),
        turnaround_cycles=timing.to_cycles(timing.device.turnaround_ps),
        issue_ahead=2,
        periods=_periods(schedule.mapping),
    )
    return Lowered(
        program, width, counts.sum(axis=0), rows, dense_mac_cycles, imbalance, at_buffers, codec_cycles, held_bits
    )


def _returns(mapping: Mapping) -> bool:
    """Whether outputs come back to the buffer: a reduced dimension is left unfinished by a pass."""
    return any(loop.factor > 1 and loop.axis[0] in "CRS" for loop in (*mapping.off_chip, *mapping.on_chip))


def _tile_counts(schedule: TileSchedule, spec: Accelerator, width: Widths) -> Ints:
    """(steps, COUNTS) from one kernel call per distinct tile."""
    tiles = _Tiles.of(schedule, spec, width)
    distinct, inverse = np.unique(tiles.keys, axis=0, return_inverse=True)
    found = np.zeros((len(distinct), passes.COUNTS), dtype=np.int64)
    for index, key in enumerate(distinct):
        passes.tile_cost(*tiles.arguments(key, found[index]))
    counts: Ints = found[inverse.reshape(-1)]
    return counts


def _skipping_counts(
    schedule: TileSchedule, operands: Tensors, spec: Accelerator, width: Widths, held_bits: tuple[int | None, ...]
) -> tuple[Ints, float]:
    """((steps, COUNTS), imbalance) of an array that skips zeros: every step has cycles of its own.

    Words of an operand that skips cross its port in the share of nonzeros of the whole tensor, or, from a buffer that
    holds them coded, in the share of coded bits.
    """
    work = skipped_work(schedule.layer, operands, schedule.mapping, spec)
    tiles = _Tiles.of(schedule, spec, width)
    handling = spec.pe_array.zero_handling
    kept = np.ones((2, 2), dtype=np.int64)
    for row, (words, how) in enumerate(((operands.input, handling.input), (operands.weight, handling.weight))):
        if how == "skip":
            kept[row] = np.count_nonzero(words), words.size
    for row, words in enumerate((operands.input, operands.weight)):
        if (held := held_bits[row]) is not None:
            kept[row] = held, words.size * width.of[row]
    counts = np.zeros((schedule.steps, passes.COUNTS), dtype=np.int64)
    log = np.zeros((len(work.issued), passes.LOGGED), dtype=np.int64)
    bounds = np.zeros(schedule.steps + 1, dtype=np.int64)
    for step, key in enumerate(tiles.keys):
        first = bounds[step]
        passes.walk_passes(*tiles.arguments(key, counts[step], kept, work.issued[first:], log[first:]))
        bounds[step + 1] = first + counts[step, passes.PASSES]
    if work.halo is not None:
        exchange(log, work.halo, spec.pe_array)
    finished, alone = finish_times(work, log[:, passes.PORT_PACE], spec.pe_array.slack)
    logged = np.concatenate([np.zeros((1, passes.LOGGED), dtype=np.int64), np.cumsum(log, axis=0)])
    extra, waiting, _ = np.diff(logged[bounds], axis=0).T
    pace, macs = (np.diff(np.r_[0, times][bounds]) for times in (finished, alone))
    counts[:, passes.COMPUTE] = extra + pace
    counts[:, passes.MAC] = macs
    counts[:, passes.PORT] = extra + pace - macs - waiting
    return counts, work.imbalance


@dataclass(frozen=True, slots=True, eq=False)
class _Tiles:
    """What the kernels take: `keys` (steps, axes + flags) tell tiles apart, the rest is the same for all."""

    nest: Nest
    geometry: Geometry
    machine: Ints
    returns: bool
    keys: Ints

    @classmethod
    def of(cls, schedule: TileSchedule, spec: Accelerator, width: Widths) -> _Tiles:
        mapping, axes = schedule.mapping, schedule.axes
        geometry = Geometry.of(schedule.layer, axes, spec.pe_array.window_reuse)
        limits = schedule.starts.max(axis=0) + schedule.extents[-1]
        finishes = (schedule.starts + schedule.extents == limits)[:, geometry.reduced].all(axis=1)
        held = held_operands(mapping, schedule.layer, spec)
        continued = still_held(schedule, held, spec.pe_array.keep_registers)
        continues = np.r_[continued[1:], 0]
        keys = np.column_stack([schedule.extents, schedule.accumulates, finishes, continued, continues])
        return cls(Nest.of(mapping, axes), geometry, machine_vector(spec, width), _returns(mapping), keys)

    def arguments(self, key: Ints, *results: NDArray[Any]) -> tuple[Any, ...]:
        """Of `tile_cost` and `walk_passes`, the `results` last."""
        nest, geometry = self.nest, self.geometry
        accumulates, finishes = (bool(flag) for flag in key[-4:-2])
        before, after = (int(mask) for mask in key[-2:])
        return (
            np.ascontiguousarray(key[:-4]), nest.loop_axis, nest.loop_factor, nest.loop_block, nest.pass_extent,
            nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced, geometry.window,
            geometry.strides, self.machine, accumulates, finishes, before, after, self.returns, *results,
        )  # fmt: skip


def _moved(plain_bits: Ints, values: Ints, coded: StoredBits | None, whole: int) -> Ints:
    """Bits of each transfer: of its `values` their share of the coded tensor, where there is one."""
    return plain_bits if coded is None else np.where(values > 0, _share(values, coded.total, whole), plain_bits)


def _share(words: Ints, coded: int, whole: int) -> Ints:
    """Coded bits of each transfer in proportion to its words, rounded so that sums stay exact."""
    total = np.cumsum(words)
    upto = total // whole * coded + total % whole * coded // whole
    return np.diff(upto, prepend=0)


def _waits(schedule: TileSchedule, tiles: tuple[int, int], bits: Ints) -> Ints:
    """How many steps back the stay in the buffer ended whose place a transfer, or a step's outputs, will take.

    `tiles` are kept at once in the data and the weight buffer.
    """
    waits = np.zeros((schedule.steps, TRANSFERS), dtype=np.int64)
    data, weight = tiles
    for operand, kinds, kept in (
        (Operand.INPUT, (INPUT,), data),
        (Operand.WEIGHT, (WEIGHT,), weight),
        (Operand.OUTPUT, (PSUM, OUTPUT), data),
    ):
        stay = schedule.stays[:, operand]
        ends = np.flatnonzero(np.r_[stay[1:] != stay[:-1], True])
        steps = np.arange(schedule.steps)
        earlier = stay - kept
        distance = np.where(earlier >= 0, steps - ends[np.maximum(earlier, 0)], 0)
        for kind in kinds:
            waits[:, kind] = np.where((bits[:, kind] > 0) | (kind == OUTPUT), distance, 0)
    return waits


def _resident(schedule: TileSchedule, width: Widths, held_bits: tuple[int | None, ...]) -> Ints:
    """(steps, 2): bits of the tile at work in the data and the weight buffer, as the trace shows them."""
    sizes = schedule.tile_words * np.array([width.input, width.weight, width.psum])
    for operand in (Operand.INPUT, Operand.WEIGHT):
        if (held := held_bits[operand]) is not None:
            sizes[:, operand] = -(-sizes[:, operand] * held // (schedule.layer.words(operand) * width.of[operand]))
    return np.column_stack([sizes[:, Operand.INPUT] + sizes[:, Operand.OUTPUT], sizes[:, Operand.WEIGHT]])


def _periods(mapping: Mapping) -> tuple[int, ...]:
    factors = [loop.factor for loop in mapping.off_chip]
    return tuple(int(np.prod(factors[depth:], dtype=np.int64)) for depth in range(len(factors)))
