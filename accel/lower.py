"""From a tile schedule to a tile program: words become bits and cycles on one accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accel.codecs import StoredBits
from accel.encode import Geometry, Nest, Widths, machine_vector, widths
from accel.fit import buffer_bits as buffer_bits
from accel.fit import held_operands, outputs_return, tiles_kept
from accel.fit import require_fit as require_fit
from accel.kernels import passes
from accel.kernels.reuse import turns_back
from accel.occupancy import Occupancy
from accel.program import INPUT, OUTPUT, PSUM, TRANSFERS, WEIGHT, TileProgram
from accel.registers import slides, still_held
from accel.residency import NOWHERE as NOWHERE
from accel.residency import Residency as Residency
from accel.skipping import exchange, finish_times, index_match_cycles, port_shares, skipped_work
from accel.sparse_work import Work
from accel.spec import Accelerator
from accel.storage import Storage
from accel.transfer import TransferTiming
from mappings import Mapping, TileSchedule
from mappings.distinct import distinct_rows
from workloads import Operand
from workloads.operands import NAMES

Ints = NDArray[np.int64]

_FLAGS, _FRESH, _WAY, _BEFORE = 7, slice(-5, -3), -3, -2
"""Behind the extents of a tile: whether it adds to sums and finishes them, what `slides` tells, what registers hold
before it and after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """The program, and what its steps add up to: `counts` as in `kernels.passes`; `rows_opened` by kind of transfer.

    `dense_mac_cycles`: what the MACs would take with no zero skipped. `imbalance`: cycles of the busiest PE over those
    of the average one, on an array that skips; else 0. `index_match_cycles`: what MACs took longer for its front end.
    `moved_bits`: by kind of transfer, what crosses the buffers' side of the DMA. `codec_cycles`: of the DMA's codec,
    `codec_words` what passes it.
    `held_bits`: by operand, of the whole tensor as the buffers hold it coded.
    """

    program: TileProgram
    width: Widths
    counts: Ints
    rows_opened: Ints
    dense_mac_cycles: int
    imbalance: float
    index_match_cycles: int
    moved_bits: Ints
    codec_cycles: int
    codec_words: Ints
    held_bits: tuple[int | None, ...]


def lower(
    schedule: TileSchedule, occupancy: Occupancy, spec: Accelerator, residency: Residency = NOWHERE,
    work: Work | None = None,
) -> Lowered:  # fmt: skip
    """Cost every distinct tile once with the kernels, every transfer by the DMA.

    `work`: what `skipped_work` found, on an array that skips, where these operands were walked before.
    Raises InputError if tiles do not fit.
    """
    held_bits = occupancy.storage.held_bits
    require_fit(schedule, spec, residency, held_bits[Operand.WEIGHT], held_bits[Operand.INPUT])
    width = widths(schedule.layer.bits, spec)
    timing = TransferTiming.of(spec)
    turns = turn_starts(schedule, residency.turn_loops)
    tiles = _Tiles.of(schedule, spec, width, turns)
    counts = _tile_counts(tiles)
    dense_cycles, imbalance, matching_cycles = int(counts[:, passes.MAC].sum()), 0.0, 0
    if occupancy.operands is not None:
        if work is None:
            work = skipped_work(schedule.layer, occupancy.operands, schedule.mapping, spec)
        shares = port_shares(occupancy.operands, held_bits, width, spec.pe_array)
        counts = _skipping_counts(schedule, work, shares, spec, tiles)
        imbalance, matching_cycles = work.imbalance, index_match_cycles(work, spec.pe_array.slack)
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
    codec_cycles, codec_words = 0, np.zeros(len(Operand), dtype=np.int64)
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
        codec_words[operand] += through.sum()
    kept = tiles_kept(schedule.mapping, schedule.layer, spec)
    program = TileProgram(
        bits=bits,
        transfer_cycles=cycles,
        compute_cycles=counts[:, passes.COMPUTE].copy(),
        waits=_apart(_waits(schedule, kept, bits), bits, turns),
        weights_taken=spec.weight_buffer.double_buffered and kept[1] == 1,
        resident_bits=_resident(schedule, width, held_bits),
        setup_cycles=spec.controller.tile_setup_cycles,
        layer_setup_cycles=spec.controller.layer_setup_cycles * len(turns),
        latency_cycles=timing.to_cycles(timing.device.latency_ps),
        turnaround_cycles=timing.to_cycles(timing.device.turnaround_ps),
        issue_ahead=2,
        periods=_periods(schedule.mapping),
    )
    return Lowered(
        program, width, counts.sum(axis=0), rows, dense_cycles, imbalance, matching_cycles, at_buffers, codec_cycles,
        codec_words, held_bits,
    )  # fmt: skip


def turn_starts(schedule: TileSchedule, loops: int) -> Ints:
    """First step of each turn, an iteration of the `loops` outermost off-chip loops."""
    mapping = schedule.mapping
    starts = np.zeros(schedule.steps, dtype=bool)
    starts[0] = True
    for loop, block in list(zip(mapping.off_chip, mapping.blocks("off_chip"), strict=True))[:loops]:
        turn = schedule.starts[:, schedule.axes.index(loop.axis)] // block
        starts[1:] |= turn[1:] != turn[:-1]
    return np.flatnonzero(starts)


def _apart(waits: Ints, bits: Ints, turns: Ints) -> Ints:
    """The waits when the first load of each kind in a turn comes after the last computation of the turn before."""
    for first, after in pairwise([*turns[1:].tolist(), len(waits)]):
        for kind in (INPUT, WEIGHT):
            loads = np.flatnonzero(bits[first:after, kind])
            if len(loads):
                step, back = first + loads[0], loads[0] + 1
                waits[step, kind] = min(waits[step, kind] or back, back)
    return waits


def _tile_counts(tiles: _Tiles) -> Ints:
    """(steps, COUNTS) from one kernel call per distinct tile."""
    if tiles.keys[:, _WAY].any():
        return _counts_in_turn(tiles)
    distinct, inverse = distinct_rows(tiles.keys)
    found = np.zeros((len(distinct), passes.COUNTS), dtype=np.int64)
    for index, key in enumerate(distinct):
        passes.tile_cost(*tiles.arguments(key, found[index]))
    counts: Ints = found[inverse]
    return counts


def _counts_in_turn(tiles: _Tiles) -> Ints:
    """As `_tile_counts`, where windows slide from tile to tile: whether they turn back shows only step by step."""
    known: dict[bytes, tuple[Ints, int]] = {}
    counts = np.zeros((len(tiles.keys), passes.COUNTS), dtype=np.int64)
    way = 0
    for step, key in enumerate(tiles.keys.copy()):
        if turns_back(key[_WAY], way):
            key[_FRESH] = -1, -1
            key[_WAY] = 0
        named = key.tobytes()
        if named not in known:
            result = np.zeros(passes.COUNTS, dtype=np.int64)
            known[named] = result, passes.tile_cost(*tiles.arguments(key, result)) // passes.WAYS
        counts[step], way = known[named]
    return counts


def _skipping_counts(schedule: TileSchedule, work: Work, shares: Ints, spec: Accelerator, tiles: _Tiles) -> Ints:
    """(steps, COUNTS) of an array that skips: every step has cycles of its own.

    Words cross the ports in the shares of the whole tensors that `shares` tells, as `port_shares` finds them.
    """
    counts = np.zeros((schedule.steps, passes.COUNTS), dtype=np.int64)
    log = np.zeros((len(work.issued), passes.LOGGED), dtype=np.int64)
    bounds = np.zeros(schedule.steps + 1, dtype=np.int64)
    inputs = 1 << Operand.INPUT | 1 << Operand.WEIGHT
    loaded = 0  # of them, those that a pass with work has brought and no tile has changed since
    for step, key in enumerate(tiles.keys.copy()):
        first = bounds[step]
        loaded &= key[_BEFORE]
        key[_BEFORE] &= loaded | ~inputs
        passes.walk_passes(*tiles.arguments(key, counts[step], shares, work.issued[first:], log[first:]))
        bounds[step + 1] = first + counts[step, passes.PASSES]
        if work.issued[first : bounds[step + 1]].any():
            loaded = inputs
    if work.halo is not None:
        exchange(log, work.halo, spec.pe_array)
    finished, alone = finish_times(work, log[:, passes.PORT_PACE], spec.pe_array.slack)
    logged = np.concatenate([np.zeros((1, passes.LOGGED), dtype=np.int64), np.cumsum(log, axis=0)])
    extra, waiting, _ = np.diff(logged[bounds], axis=0).T
    pace, macs = (np.diff(np.r_[0, times][bounds]) for times in (finished, alone))
    counts[:, passes.COMPUTE] = extra + pace
    counts[:, passes.MAC] = macs
    counts[:, passes.PORT] = extra + pace - macs - waiting
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class _Tiles:
    """What the kernels take: `keys` (steps, axes + _FLAGS) tell tiles apart, the rest is the same for all."""

    nest: Nest
    geometry: Geometry
    machine: Ints
    returns: bool
    keys: Ints

    @classmethod
    def of(cls, schedule: TileSchedule, spec: Accelerator, width: Widths, turns: Ints) -> _Tiles:
        mapping, axes = schedule.mapping, schedule.axes
        geometry = Geometry.of(schedule.layer, axes, spec.pe_array.window_reuse)
        limits = schedule.starts.max(axis=0) + schedule.extents[-1]
        finishes = (schedule.starts + schedule.extents == limits)[:, geometry.reduced].all(axis=1)
        held = held_operands(mapping, schedule.layer, spec)
        nest, machine = Nest.of(mapping, axes), machine_vector(spec, width, mapping)
        slid = slides(schedule, nest, geometry, machine, spec.pe_array, held[Operand.INPUT])
        continued = still_held(schedule, held, slid, spec.pe_array)
        slid[turns], continued[turns] = (-1, -1, 0), 0  # another layer has used the registers
        continues = np.r_[continued[1:], 0]
        keys = np.column_stack([schedule.extents, schedule.accumulates, finishes, slid, continued, continues])
        return cls(nest, geometry, machine, outputs_return(mapping), keys)

    def arguments(self, key: Ints, *results: NDArray[Any]) -> tuple[Any, ...]:
        """Of `tile_cost` and `walk_passes`, the `results` last."""
        nest, geometry = self.nest, self.geometry
        accumulates, finishes, *flags = key[-_FLAGS:].tolist()
        return (
            np.ascontiguousarray(key[:-_FLAGS]), nest.loop_axis, nest.loop_factor, nest.loop_block, nest.pass_extent,
            nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced, geometry.window,
            geometry.strides, self.machine, bool(accumulates), bool(finishes), *flags, self.returns, *results,
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
