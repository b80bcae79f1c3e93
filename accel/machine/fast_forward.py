"""Skips what repeats: when the machine has become periodic, the rest of a repetition follows exactly.

The machine is deterministic, and a step's times depend on earlier steps only through differences, reaching back at most
`reach` steps. So once all times of `reach` consecutive steps equal those one period before, up to a constant, and the
program's rows keep repeating, every further repetition equals the last one, later by that constant.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from accel.machine.activity import Activity, Stall, Timeline
from accel.machine.machine import dma_busy_by_step, play, stalls_by_step
from accel.program import OUTPUT, TileProgram

_MARGIN = 2
"""Repetitions played after the cut, so that what follows the repetition meets the same look-ahead."""
_RHYTHMS = (1, 2, 3, 4)
"""The machine may need several repetitions of the program's rows for one of its own."""
_WHOLE = 12
"""Repetitions are cut out in multiples of this, whole numbers of every rhythm."""


def run(program: TileProgram) -> Activity:
    """The activity of `play(program)`, from as few simulated steps as its repetition allows."""
    found = _longest_repetition(program)
    if found is None:
        return play(program)
    start, period, count = found
    reach = max(int(program.waits.max()), program.issue_ahead) + 1
    kept = -(-reach // period) + 2 + _MARGIN
    while True:
        removed = (count - kept) // _WHOLE * _WHOLE
        if removed <= 0:
            return play(program)
        cut = start + (count - removed - _MARGIN) * period
        activity = play(program.without(cut, cut + removed * period))
        for rhythm in _RHYTHMS:
            beat = rhythm * period
            compared = -(-reach // beat) * beat
            if cut - start < compared + beat:
                continue
            shift = _steady(activity.timeline, cut, beat, compared)
            if shift is not None:
                return _extend(program, activity, cut, beat, removed // rhythm, shift)
        kept *= 2


def _longest_repetition(program: TileProgram) -> tuple[int, int, int] | None:
    """(start, period, count) of the stretch of equal rows that saves most steps."""
    rows = program.rows()
    best: tuple[int, int, int] | None = None
    saved = 0
    for period in sorted({1, *program.periods}):
        if not 0 < period < program.steps // 4:
            continue
        same = np.r_[False, (rows[period:] == rows[:-period]).all(axis=1), False]
        edges = np.flatnonzero(same[1:] != same[:-1])
        if not len(edges):
            continue
        lengths = edges[1::2] - edges[::2]
        longest = int(np.argmax(lengths))
        count = int(lengths[longest]) // period + 1
        if (count - 1) * period > saved:
            saved = (count - 1) * period
            best = (int(edges[::2][longest]), period, count)
    return best


def _steady(timeline: Timeline, end: int, period: int, steps: int) -> int | None:
    """The constant by which the `steps` before `end` follow those one period earlier, or None when there is none."""
    shift = int(timeline.finished[end - 1] - timeline.finished[end - 1 - period])
    late, early = slice(end - steps, end), slice(end - steps - period, end - period)
    for column in (timeline.issued, timeline.begun, timeline.ready, timeline.started, timeline.finished):
        if not np.array_equal(column[late], np.where(column[early] < 0, -1, column[early] + shift)):
            return None
    return shift if np.array_equal(timeline.turned[late], timeline.turned[early]) else None


def _extend(program: TileProgram, activity: Activity, cut: int, period: int, removed: int, shift: int) -> Activity:
    """Add `removed` repetitions of the period before `cut` to the activity of the shortened program."""
    short = program.without(cut, cut + removed * period)
    last = slice(cut - period, cut)
    stalls = stalls_by_step(short, activity.timeline)[last].sum(axis=0)
    busy = int(dma_busy_by_step(short, activity.timeline)[last].sum())
    # Once nothing is loaded any more, the DMA idles through every repetition but for its stores.
    loads = short.bits[:, :OUTPUT] > 0
    stores = int((short.transfer_cycles * (short.bits > 0))[last, OUTPUT].sum())
    idle = 0 if loads[cut - period :].any() else shift - stores
    data, weight, output, controller = (int(activity.stall_cycles[cause] + removed * stalls[cause]) for cause in Stall)
    return replace(
        activity,
        latency_cycles=activity.latency_cycles + removed * shift,
        compute_cycles=int(program.compute_cycles.sum()),
        stall_cycles=(data, weight, output, controller),
        dma_busy_cycles=activity.dma_busy_cycles + removed * busy,
        controller_busy_cycles=program.layer_setup_cycles + program.steps * program.setup_cycles,
        idle_tail_cycles=activity.idle_tail_cycles + removed * idle,
        steps=program.steps,
    )
