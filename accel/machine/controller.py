"""The global controller: sets the layer up, then releases tile steps in order."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from accel.machine.clockwork import Clockwork


def controller(clock: Clockwork) -> Generator[simpy.Event, None, None]:
    """Spends the set-up cycles of the layer and of each step; runs at most `issue_ahead` steps before the array."""
    program = clock.program
    if program.layer_setup_cycles:
        yield clock.env.timeout(program.layer_setup_cycles)
    for step in range(clock.steps):
        limit = step - program.issue_ahead
        while limit >= 0 and clock.finished[limit] < 0:
            clock.waiting["controller"] = f"the computation of step {limit}"
            yield clock.step_finished.wait()
        if program.setup_cycles:
            yield clock.env.timeout(program.setup_cycles)
        clock.issued[step] = clock.now
        clock.step_issued.raise_()
    clock.waiting.pop("controller", None)
