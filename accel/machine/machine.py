"""Puts the five parts together, lets them play a program, and reads off what happened."""

from __future__ import annotations

import numpy as np

from accel.machine.activity import Activity, Ints, Stall, Timeline
from accel.machine.buffers import data_buffer, drain, weight_buffer
from accel.machine.clockwork import Clockwork
from accel.machine.controller import controller
from accel.machine.dma import Dma
from accel.machine.pe_array import pe_array
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT, TileProgram


class DeadlockError(RuntimeError):
    """The machine stopped before its program was over; the message says which part waits for what."""


def play(program: TileProgram) -> Activity:
    """Every step of the program, event by event. Raises DeadlockError when the parts wait for each other."""
    clock = Clockwork(program)
    dma = Dma(clock)
    for process in (
        controller(clock),
        weight_buffer(clock, dma),
        data_buffer(clock, dma),
        drain(clock, dma),
        dma.process(),
        pe_array(clock),
    ):
        clock.env.process(process)
    clock.env.run()
    if clock.waiting:
        waits = "; ".join(f"the {part} waits for {what}" for part, what in clock.waiting.items())
        raise DeadlockError(f"the machine stopped at cycle {clock.now}: {waits}")
    return _summarise(program, clock.timeline())


def dma_busy_by_step(program: TileProgram, timeline: Timeline) -> Ints:
    """(steps,): cycles the DMA spent on the transfers of each step, turn-arounds included."""
    busy: Ints = (program.transfer_cycles * (program.bits > 0)).sum(axis=1) + timeline.turned
    return busy


def _summarise(program: TileProgram, timeline: Timeline) -> Activity:
    stalls = stalls_by_step(program, timeline)
    totals = [int(stalls[:, cause].sum()) for cause in Stall]
    end = int(max(timeline.finished[-1], timeline.ready[:, OUTPUT].max()))
    totals[Stall.OUTPUT] += end - int(timeline.finished[-1])
    loads = timeline.ready[:, :OUTPUT].max() - program.latency_cycles if (program.bits[:, :OUTPUT] > 0).any() else 0
    later = (timeline.begun[:, OUTPUT] >= loads) * program.transfer_cycles[:, OUTPUT]
    return Activity(
        latency_cycles=end,
        compute_cycles=int(program.compute_cycles.sum()),
        stall_cycles=(totals[0], totals[1], totals[2], totals[3]),
        dma_busy_cycles=int(dma_busy_by_step(program, timeline).sum()),
        controller_busy_cycles=program.layer_setup_cycles + program.steps * program.setup_cycles,
        lead_cycles=max(0, int(timeline.ready[0, WEIGHT] - max(*timeline.ready[0, (INPUT, PSUM)], timeline.issued[0]))),
        idle_tail_cycles=max(0, end - int(loads) - int(later.sum())),
        steps=program.steps,
        steps_played=program.steps,
        timeline=timeline,
    )


def stalls_by_step(program: TileProgram, timeline: Timeline) -> Ints:
    """(steps, 4): cycles the array stood still before each step.

    Until the controller released the step they are its own; what is left is charged to what arrived last.
    """
    free = np.r_[0, timeline.finished[:-1]]
    gap = timeline.started - free
    psum_or_input = np.maximum(timeline.ready[:, INPUT], timeline.ready[:, PSUM])
    room = np.zeros(program.steps, dtype=np.int64)
    back = program.waits[:, OUTPUT]
    held = np.flatnonzero(back)
    freed = held - back[held]
    room[held] = np.maximum(timeline.ready[freed, OUTPUT], timeline.finished[freed])
    moments = np.stack([psum_or_input, timeline.ready[:, WEIGHT], room], axis=1)
    # Of equal moments the later kind in this order is named: data, weight, output.
    cause = moments.shape[1] - 1 - np.argmax(moments[:, ::-1], axis=1)
    released = np.clip(timeline.issued - free, 0, gap)
    stalls = np.zeros((program.steps, len(Stall)), dtype=np.int64)
    stalls[np.arange(program.steps), cause] = gap - released
    stalls[:, Stall.CONTROLLER] = released
    return stalls
