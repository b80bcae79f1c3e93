"""The PE array: computes steps in order, each when all it needs is there."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from accel.machine.buffers import stored
from accel.machine.clockwork import Clockwork
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT


def pe_array(clock: Clockwork) -> Generator[simpy.Event, None, None]:
    """A step starts when it is released, its tiles have arrived and its outputs have room."""
    for step in range(clock.steps):
        moves, ready = clock.moves[step], clock.ready[step]
        while clock.issued[step] < 0:
            clock.waiting["PE array"] = f"the controller to release step {step}"
            yield clock.step_issued.wait()
        for kind, name in ((WEIGHT, "weights"), (INPUT, "inputs"), (PSUM, "partial sums")):
            while moves[kind] and ready[kind] < 0:
                clock.waiting["PE array"] = f"the {name} of step {step}"
                yield clock.arrived.wait()
        back = clock.waits[step][OUTPUT]
        while back and not stored(clock, step - back):
            clock.waiting["PE array"] = f"the store of step {step - back}"
            yield clock.stored.wait()
        start = max(clock.now, ready[WEIGHT], ready[INPUT], ready[PSUM])
        if start > clock.now:
            yield clock.env.timeout(start - clock.now)
        clock.started[step] = start
        clock.step_started.raise_()
        yield clock.env.timeout(clock.compute[step])
        clock.finished[step] = clock.now
        clock.step_finished.raise_()
        if not moves[OUTPUT]:
            clock.stored.raise_()
    clock.waiting.pop("PE array", None)
