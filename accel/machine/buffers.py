"""The data buffer and the weight buffer: ask the DMA for each tile as soon as there is room for it."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from accel.machine.clockwork import Clockwork
from accel.machine.dma import Dma
from accel.program import INPUT, OUTPUT, PSUM, WEIGHT


def weight_buffer(clock: Clockwork, dma: Dma) -> Generator[simpy.Event, None, None]:
    """Loads weight tiles in order, each when the tile whose place it takes has been computed with."""
    yield from _loads(clock, dma, "weight buffer", (WEIGHT,))


def data_buffer(clock: Clockwork, dma: Dma) -> Generator[simpy.Event, None, None]:
    """Loads input tiles, and partial sums that come back, in order; each when there is room."""
    yield from _loads(clock, dma, "data buffer", (INPUT, PSUM))


def drain(clock: Clockwork, dma: Dma) -> Generator[simpy.Event, None, None]:
    """The data buffer's way out: hands every finished output tile to the DMA."""
    for step in range(clock.steps):
        if not clock.moves[step][OUTPUT]:
            continue
        while clock.finished[step] < 0:
            yield clock.step_finished.wait()
        dma.request(step, OUTPUT)


def _loads(clock: Clockwork, dma: Dma, part: str, kinds: tuple[int, ...]) -> Generator[simpy.Event, None, None]:
    for step in range(clock.steps):
        moves, waits = clock.moves[step], clock.waits[step]
        for kind in kinds:
            if not moves[kind]:
                continue
            while clock.issued[step] < 0:
                clock.waiting[part] = f"the controller to release step {step}"
                yield clock.step_issued.wait()
            freed = step - waits[kind]
            if waits[kind] and kind == PSUM:
                while not stored(clock, freed):
                    clock.waiting[part] = f"the store of step {freed}"
                    yield clock.stored.wait()
            elif waits[kind] and kind == WEIGHT and clock.program.weights_taken:
                while clock.started[freed] < 0:
                    clock.waiting[part] = f"the start of step {freed}"
                    yield clock.step_started.wait()
            elif waits[kind]:
                while clock.finished[freed] < 0:
                    clock.waiting[part] = f"the computation of step {freed}"
                    yield clock.step_finished.wait()
            dma.request(step, kind)
    clock.waiting.pop(part, None)


def stored(clock: Clockwork, step: int) -> bool:
    """Whether a step is computed and its outputs, if any leave, have left."""
    if clock.moves[step][OUTPUT]:
        return clock.ready[step][OUTPUT] >= 0
    return clock.finished[step] >= 0
