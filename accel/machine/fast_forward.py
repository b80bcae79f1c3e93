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
from accel.program import TileProgram

_MARGIN = 2
"""Repetitions played after the cut, so that what follows the repetition meets the same look-ahead."""


def run(program: TileProgram) -> Activity:
    """The activity of `play(program)`, from as few simulated steps as its repetition allows."""
    found = _longest_repetition(program)
    if found is None:
        return play(program)
    start, period, count = found
    reach = max(int(program.waits.max()), program.issue_ahead) + 1
    compared = -(-reach // period)
    kept = compared + 2 + _MARGIN
    while kept < count - 1:
        removed = count - kept
        cut = start + (kept - _MARGIN) * period
        activity = play(program.without(cut, cut + removed * period))
        shift = _steady(activity.timeline, cut, period, compared * period)
        if shift is not None:
            return _extend(program, activity, cut, period, removed, shift)
        kept *= 2
    return play(program)


def _longest_repetition(program: TileProgram) -> tuple[int, int, int] | None:
    """(start, period, count) of the stretch of equal rows that saves most steps."""
    _, kinds = np.unique(program.rows(), axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    best: tuple[int, int, int] | None = None
    saved = 0
    for period in sorted({1, *program.periods}):
        if not 0 < period < program.steps // 4:
            continue
        same = np.r_[False, kinds[period:] == kinds[:-period], False]
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
    data, weight, output, controller = (int(activity.stall_cycles[cause] + removed * stalls[cause]) for cause in Stall)
    return replace(
        activity,
        latency_cycles=activity.latency_cycles + removed * shift,
        compute_cycles=int(program.compute_cycles.sum()),
        stall_cycles=(data, weight, output, controller),
        dma_busy_cycles=activity.dma_busy_cycles + removed * busy,
        controller_busy_cycles=program.layer_setup_cycles + program.steps * program.setup_cycles,
        steps=program.steps,
    )
