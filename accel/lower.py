"""From a tile schedule to a tile program: words become bits and cycles on one accelerator."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from accel.codecs import StoredBits
from accel.encode import Widths, widths
from accel.fit import require_fit, tiles_kept
from accel.kernels import passes
from accel.occupancy import Occupancy
from accel.program import INPUT, OUTPUT, PSUM, TRANSFERS, WEIGHT, TileProgram
from accel.residency import NOWHERE, Residency
from accel.skipping import index_match_cycles, port_shares, skipped_work
from accel.sparse_work import Work
from accel.spec import Accelerator
from accel.storage import Storage
from accel.tile_counts import Tiles
from accel.transfer import TransferTiming
from mappings import Mapping, TileSchedule
from workloads import Operand
from workloads.layer import OPERAND_NAMES

Ints = NDArray[np.int64]


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
    tiles = Tiles.of(schedule, spec, width, turns)
    counts = tiles.counts()
    dense_cycles, imbalance, matching_cycles = int(counts[:, passes.MAC].sum()), 0.0, 0
    if occupancy.operands is not None:
        if work is None:
            work = skipped_work(schedule.layer, occupancy.operands, schedule.mapping, spec)
        shares = port_shares(occupancy.operands, held_bits, width, spec.pe_array)
        counts = tiles.skipping_counts(work, shares, spec.pe_array)
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
        rate = spec.dma.codec_rate(OPERAND_NAMES[operand])
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
