"""The off-chip DMA: of the transfers it was asked for, it serves those of the earliest step first."""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush

import simpy

from accel.machine.clockwork import Clockwork, Signal
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT

_RANK = {WEIGHT: 0, INPUT: 1, PSUM: 2, OUTPUT: 3}
"""Order of the transfers of one step."""


class Dma:
    """A transfer holds the bus for its cycles, and its last word arrives a latency later."""

    def __init__(self, clock: Clockwork) -> None:
        self._clock = clock
        self._queue: list[tuple[int, int, int]] = []  # a heap of (step, rank, kind)
        self._asked = Signal(clock.env)
        self._writing = False

    def request(self, step: int, kind: int) -> None:
        """Ask for the transfer of one kind at one step; never blocks."""
        heappush(self._queue, (step, _RANK[kind], kind))
        self._asked.raise_()

    def process(self) -> Generator[simpy.Event, None, None]:
        clock = self._clock
        program = clock.program
        left = sum(sum(moves) for moves in clock.moves)
        while left:
            while not self._queue:
                clock.waiting["dma"] = "a transfer to do"
                yield self._asked.wait()
            step, _, kind = heappop(self._queue)
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
