"""What the five parts share: the program, the clock, and the times at which things have happened."""

from __future__ import annotations

import numpy as np
import simpy

from accel.machine.activity import Timeline
from accel.program import TRANSFERS, TileProgram


class Signal:
    """A condition several processes may wait for, raised again and again."""

    __slots__ = ("_env", "_event")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._event: simpy.Event | None = None

    def wait(self) -> simpy.Event:
        """The event of the next raise."""
        if self._event is None:
            self._event = self._env.event()
        return self._event

    def raise_(self) -> None:
        if self._event is not None:
            event, self._event = self._event, None
            event.succeed()


class Clockwork:
    """Times by step, as Python lists for speed, and one signal per kind of progress.

    `waiting` says in words what each part waits for, for the message when nothing moves any more.
    """

    def __init__(self, program: TileProgram) -> None:
        steps = program.steps
        self.env = simpy.Environment()
        self.program = program
        self.steps = steps
        self.cycles: list[list[int]] = program.transfer_cycles.tolist()
        self.moves: list[list[bool]] = (program.bits > 0).tolist()
        self.compute: list[int] = program.compute_cycles.tolist()
        self.waits: list[list[int]] = program.waits.tolist()
        self.issued = [-1] * steps
        self.begun = [[-1] * TRANSFERS for _ in range(steps)]
        self.ready = [[-1] * TRANSFERS for _ in range(steps)]
        self.started = [-1] * steps
        self.finished = [-1] * steps
        self.turned = [0] * steps
        self.step_issued = Signal(self.env)
        self.step_started = Signal(self.env)
        self.step_finished = Signal(self.env)
        self.arrived = Signal(self.env)
        self.stored = Signal(self.env)
        self.waiting: dict[str, str] = {}

    @property
    def now(self) -> int:
        return int(self.env.now)

    def timeline(self) -> Timeline:
        columns = (self.issued, self.begun, self.ready, self.started, self.finished, self.turned)
        return Timeline(*(np.array(column, dtype=np.int64) for column in columns))
