"""The off-chip DMA: serves transfers in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

import simpy

from accel.machine.clockwork import Clockwork, Signal
from accel.program import OUTPUT


class Dma:
    """One queue; a transfer holds the bus for its cycles, and its last word arrives a latency later."""

    def __init__(self, clock: Clockwork) -> None:
        self._clock = clock
        self._queue: deque[tuple[int, int]] = deque()
        self._asked = Signal(clock.env)
        self._writing = False

    def request(self, step: int, kind: int) -> None:
        """Ask for the transfer of one kind at one step; never blocks."""
        self._queue.append((step, kind))
        self._asked.raise_()

    def process(self) -> Generator[simpy.Event, None, None]:
        clock = self._clock
        program = clock.program
        left = sum(sum(moves) for moves in clock.moves)
        while left:
            while not self._queue:
                clock.waiting["dma"] = "a transfer to do"
                yield self._asked.wait()
            step, kind = self._queue.popleft()
            turn = 0
            if (kind == OUTPUT) != self._writing:
                self._writing = kind == OUTPUT
                turn = program.turnaround_cycles
                clock.turned[step] += turn
            clock.begun[step][kind] = clock.now + turn
            yield clock.env.timeout(turn + clock.cycles[step][kind])
            left -= 1
            if kind == OUTPUT:
                clock.ready[step][kind] = clock.now
                clock.stored.raise_()
            else:
                clock.ready[step][kind] = clock.now + program.latency_cycles
                clock.arrived.raise_()
        clock.waiting.pop("dma", None)
