"""Does every event happen in the cycle it should? Whole timelines of programs worked by hand."""

from __future__ import annotations

import pytest

from accel.machine import Activity, play
from accel.machine.machine import DeadlockError
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT
from tests.machine.programs import Step, program


def computed(activity: Activity) -> list[tuple[int, int]]:
    """(start, end) of each step's computation."""
    return [*zip(activity.timeline.started.tolist(), activity.timeline.finished.tolist(), strict=True)]


def moved(activity: Activity, kind: int) -> list[tuple[int, int]]:
    """(first bus cycle, arrival) of one transfer of each step."""
    timeline = activity.timeline
    return [*zip(timeline.begun[:, kind].tolist(), timeline.ready[:, kind].tolist(), strict=True)]


def test_one_step_from_set_up_to_store() -> None:
    step = Step(compute=10, weight=4, input=3, output=5)
    activity = play(program(step, layer_setup=3, setup=2, latency=2, turnaround=1))
    assert activity.timeline.issued.tolist() == [5]
    assert moved(activity, WEIGHT) == [(5, 11)]  # the bus until 9, the last word two cycles later
    assert moved(activity, INPUT) == [(9, 14)]
    assert moved(activity, PSUM) == [(-1, -1)]
    assert computed(activity) == [(14, 24)]
    assert moved(activity, OUTPUT) == [(25, 30)]  # the bus turns around first
    assert activity.timeline.turned.tolist() == [1]
    assert (activity.latency_cycles, activity.compute_cycles) == (30, 10)
    assert activity.stall_cycles == (9, 0, 6, 5)  # released, then inputs came last; nothing to do while outputs leave
    assert (activity.dma_busy_cycles, activity.controller_busy_cycles) == (4 + 3 + 1 + 5, 5)


def test_double_buffering_loads_the_next_tile_during_this_one() -> None:
    first, later = Step(compute=6, input=4), Step(compute=6, input=4, wait_input=2)
    activity = play(program(first, first, later, later))
    assert moved(activity, INPUT) == [(0, 4), (4, 8), (10, 14), (16, 20)]
    assert computed(activity) == [(4, 10), (10, 16), (16, 22), (22, 28)]
    assert activity.stall_cycles == (4, 0, 0, 0)


def test_a_single_buffer_loads_when_the_tile_is_done() -> None:
    first, later = Step(compute=6, input=4), Step(compute=6, input=4, wait_input=1)
    activity = play(program(first, later, later, later))
    assert moved(activity, INPUT) == [(0, 4), (10, 14), (20, 24), (30, 34)]
    assert computed(activity) == [(4, 10), (14, 20), (24, 30), (34, 40)]
    assert activity.stall_cycles == (16, 0, 0, 0)


@pytest.mark.parametrize(("transfer", "stalls"), [(5, 5), (6, 6), (7, 7 + 9), (8, 8 + 18)])
def test_a_transfer_that_just_fits_costs_nothing_and_a_cycle_more_costs_a_cycle_a_step(
    transfer: int, stalls: int
) -> None:
    steps = [Step(compute=6, input=transfer, wait_input=2 if number > 1 else 0) for number in range(10)]
    activity = play(program(*steps))
    assert activity.latency_cycles == 60 + stalls
    assert activity.stall_cycles == (stalls, 0, 0, 0)


@pytest.mark.parametrize("latency", [0, 1, 7])
def test_a_step_starts_with_the_arrival_of_its_last_word(latency: int) -> None:
    activity = play(program(Step(compute=1, input=5), latency=latency))
    assert activity.timeline.started.tolist() == [5 + latency]


def test_a_step_waits_until_an_earlier_tile_of_outputs_has_left() -> None:
    first, later = Step(compute=4, output=8), Step(compute=4, output=8, wait_output=2)
    activity = play(program(first, first, later, later))
    assert computed(activity) == [(0, 4), (4, 8), (12, 16), (20, 24)]
    assert moved(activity, OUTPUT) == [(4, 12), (12, 20), (20, 28), (28, 36)]
    assert activity.latency_cycles == 36
    assert activity.stall_cycles == (0, 0, 4 + 4 + 12, 0)


def test_partial_sums_come_back_after_they_have_left() -> None:
    steps = Step(compute=4, output=3), Step(compute=4, psum=3, output=3, wait_psum=1)
    activity = play(program(*steps, latency=1, turnaround=2))
    assert computed(activity) == [(0, 4), (15, 19)]
    assert moved(activity, OUTPUT) == [(6, 9), (21, 24)]
    assert moved(activity, PSUM) == [(-1, -1), (11, 15)]
    assert activity.timeline.turned.tolist() == [2, 4]
    assert activity.stall_cycles == (11, 0, 5, 0)
    assert activity.dma_busy_cycles == 9 + 6


def test_weights_that_come_last_are_what_the_array_waited_for() -> None:
    steps = Step(compute=3, weight=5), Step(compute=3, weight=5, input=2, wait_input=1)
    activity = play(program(*steps, issue_ahead=1))
    assert moved(activity, WEIGHT) == [(0, 5), (8, 13)]
    assert moved(activity, INPUT) == [(-1, -1), (13, 15)]
    assert activity.stall_cycles == (7, 5, 0, 0)
    assert activity.lead_cycles == 5


def test_a_slow_controller_is_what_the_array_waited_for() -> None:
    activity = play(program(*[Step(compute=2)] * 3, setup=3))
    assert activity.timeline.issued.tolist() == [3, 6, 9]
    assert computed(activity) == [(3, 5), (6, 8), (9, 11)]
    assert activity.stall_cycles == (0, 0, 0, 5)


@pytest.mark.parametrize(("ahead", "issued"), [(1, [0, 5, 10, 15]), (2, [0, 0, 5, 10]), (3, [0, 0, 0, 5])])
def test_the_controller_runs_so_many_steps_ahead(ahead: int, issued: list[int]) -> None:
    activity = play(program(*[Step(compute=5)] * 4, issue_ahead=ahead))
    assert activity.timeline.issued.tolist() == issued


def test_a_machine_that_cannot_go_on_says_who_waits_for_what() -> None:
    with pytest.raises(DeadlockError) as found:
        play(program(Step(compute=1, weight=2, input=2), layer_setup=7, issue_ahead=0))
    message = str(found.value)
    assert message.startswith("the machine stopped at cycle 7: ")
    assert "the controller waits for the computation of step 0" in message
    assert "the weight buffer waits for the controller to release step 0" in message
    assert "the PE array waits for the controller to release step 0" in message


def test_a_tile_that_waits_for_a_later_step_is_named() -> None:
    with pytest.raises(DeadlockError, match=r"data buffer waits for the computation of step 1.*the inputs of step 0"):
        play(program(Step(compute=1, input=2, wait_input=-1), Step(compute=1)))
