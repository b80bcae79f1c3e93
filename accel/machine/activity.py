"""What happened when a machine played a program: integer times of every step."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Stall(IntEnum):
    """The part the PE array waited for: first the controller, then whichever of the others kept it waiting last."""

    DATA = 0
    WEIGHT = 1
    OUTPUT = 2
    CONTROLLER = 3


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Cycle of each event, one element a step; -1 where a step has no such event.

    `issued`: the controller released the step. `begun`, `ready`: (steps, 4), first bus cycle and arrival of each
    transfer (of the store: first bus cycle and last). `started`, `finished`: of the computation. `turned`: turn-around
    cycles the DMA spent before the step's transfers.
    """

    issued: Ints
    begun: Ints
    ready: Ints
    started: Ints
    finished: Ints
    turned: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Cycles of one layer. `stall_cycles` by Stall; compute plus stalls is the latency, exactly.

    `dma_busy_cycles` counts transfers and turn-arounds; `controller_busy_cycles` set-ups. `lead_cycles`: the first
    weights come so much later than all else the first step needs; an earlier layer could have hidden it.
    `idle_tail_cycles`: the DMA's idle time after its last load.
    `steps_played` of `steps` were simulated, the rest followed from periodicity. `timeline` covers the steps played.
    """

    latency_cycles: int
    compute_cycles: int
    stall_cycles: tuple[int, int, int, int]
    dma_busy_cycles: int
    controller_busy_cycles: int
    lead_cycles: int
    idle_tail_cycles: int
    steps: int
    steps_played: int
    timeline: Timeline

    def differs(self, other: Activity) -> list[str]:
        """Names of the integer results in which two activities differ."""
        skip = {"timeline", "steps_played"}
        return [f.name for f in fields(self) if f.name not in skip and getattr(self, f.name) != getattr(other, f.name)]
