"""Tile programs written by hand for the machine tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accel.program import INPUT, OUTPUT, PSUM, WEIGHT, TileProgram


@dataclass(frozen=True)
class Step:
    """Cycles of each transfer (None: there is none) and of the computation, and how far back each waits for room."""

    compute: int
    input: int | None = None
    weight: int | None = None
    psum: int | None = None
    output: int | None = None
    wait_input: int = 0
    wait_weight: int = 0
    wait_psum: int = 0
    wait_output: int = 0


def program(
    *steps: Step, setup: int = 0, layer_setup: int = 0, latency: int = 0, turnaround: int = 0, issue_ahead: int = 2
) -> TileProgram:
    """The steps as columns."""
    transfers = np.zeros((len(steps), 4), dtype=np.int64)
    bits = np.zeros((len(steps), 4), dtype=np.int64)
    waits = np.zeros((len(steps), 4), dtype=np.int64)
    for row, step in enumerate(steps):
        for kind, name in ((INPUT, "input"), (WEIGHT, "weight"), (PSUM, "psum"), (OUTPUT, "output")):
            cycles = getattr(step, name)
            bits[row, kind] = 0 if cycles is None else 64
            transfers[row, kind] = cycles or 0
            waits[row, kind] = getattr(step, f"wait_{name}")
    return TileProgram(
        bits=bits,
        transfer_cycles=transfers,
        compute_cycles=np.array([step.compute for step in steps], dtype=np.int64),
        waits=waits,
        resident_bits=np.zeros((len(steps), 2), dtype=np.int64),
        setup_cycles=setup,
        layer_setup_cycles=layer_setup,
        latency_cycles=latency,
        turnaround_cycles=turnaround,
        issue_ahead=issue_ahead,
        periods=(1,),
    )
