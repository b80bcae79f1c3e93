"""What holds of every program: no cycle is lost or told twice, nothing starts early, and nothing late."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given

from accel.machine import play, run
from accel.machine.machine import dma_busy_by_step
from accel.program import INPUT, OUTPUT, PSUM, TRANSFERS, WEIGHT, TileProgram
from tests.machine.programs import Step, program
from tests.strategies import tile_programs


@given(tile_programs())
def test_every_cycle_is_attributed_once(program: TileProgram) -> None:
    activity = play(program)
    assert activity.compute_cycles == int(program.compute_cycles.sum())
    assert min(activity.stall_cycles) >= 0
    assert activity.compute_cycles + sum(activity.stall_cycles) == activity.latency_cycles


@given(tile_programs())
def test_no_part_is_busy_longer_than_the_machine_runs(program: TileProgram) -> None:
    activity = play(program)
    assert activity.latency_cycles >= activity.compute_cycles
    assert activity.latency_cycles >= activity.dma_busy_cycles
    assert activity.latency_cycles >= activity.controller_busy_cycles
    assert activity.dma_busy_cycles == int(dma_busy_by_step(program, activity.timeline).sum())
    assert 0 <= activity.lead_cycles <= activity.latency_cycles
    assert 0 <= activity.idle_tail_cycles <= activity.latency_cycles


@given(tile_programs())
def test_a_step_starts_when_all_it_needs_is_there_and_not_a_cycle_later(program: TileProgram) -> None:
    timeline = play(program).timeline
    for step in range(program.steps):
        needed = [timeline.issued[step], *timeline.ready[step, :OUTPUT]]
        if step:
            needed.append(timeline.finished[step - 1])
        if back := program.waits[step, OUTPUT]:
            needed += [timeline.finished[step - back], timeline.ready[step - back, OUTPUT]]
        assert timeline.started[step] == max(0, *needed)
        assert timeline.finished[step] == timeline.started[step] + program.compute_cycles[step]


@given(tile_programs())
def test_the_dma_does_one_thing_at_a_time_and_nothing_before_it_may(program: TileProgram) -> None:
    timeline = play(program).timeline
    busy = []
    for step in range(program.steps):
        for kind in range(TRANSFERS):
            begun, cycles = timeline.begun[step, kind], program.transfer_cycles[step, kind]
            if not program.bits[step, kind]:
                assert begun == timeline.ready[step, kind] == -1
                continue
            busy.append((begun, begun + cycles))
            latency = 0 if kind == OUTPUT else program.latency_cycles
            assert timeline.ready[step, kind] == begun + cycles + latency
            back = program.waits[step, kind]
            if kind == OUTPUT:
                assert begun >= timeline.finished[step]
                continue
            assert begun >= timeline.issued[step]
            if back and kind in (INPUT, WEIGHT):
                assert begun >= timeline.finished[step - back]
            if back and kind == PSUM:
                assert begun >= max(timeline.finished[step - back], timeline.ready[step - back, OUTPUT])
    busy.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(busy))


@given(tile_programs(most_steps=200))
def test_fast_forward_equals_the_full_run(program: TileProgram) -> None:
    assert run(program).differs(play(program)) == []


def test_fast_forward_plays_few_steps_of_many() -> None:
    first = Step(compute=6, input=7, weight=3, output=4)
    later = Step(compute=6, input=7, weight=3, output=4, wait_input=2, wait_weight=2, wait_output=2)
    long = program(first, first, *[later] * 5000, setup=1, latency=9, turnaround=2)
    fast, full = run(long), play(long)
    assert fast.differs(full) == []
    assert fast.steps == full.steps_played == 5002
    assert fast.steps_played < 100


def test_the_dma_idles_through_repetitions_without_loads() -> None:
    """Sixteen tiles are loaded, the rest works on what is there: stores of 4 cycles in steps of 6."""
    loading, working = Step(compute=6, input=7, output=4), Step(compute=6, output=4)
    mixed = program(*[loading] * 16, *[working] * 900)
    fast, full = run(mixed), play(mixed)
    assert fast.differs(full) == []
    assert full.idle_tail_cycles >= 900 * 2
    assert fast.steps_played < 100


def test_a_program_that_never_repeats_is_played_whole() -> None:
    steps = [Step(compute=number % 97 + number // 97 + 1, input=3) for number in range(300)]
    activity = run(program(*steps))
    assert activity.steps_played == 300
    assert np.all(activity.timeline.finished > 0)
