"""The first run of all: kernels of the search and of the simulation are compiled side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from accel.cli.progress import ProgressBar
from accel.cli.workers import begun
from accel.kernels.options import is_cached
from accel.kernels.passes import tile_cost
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from accel.task import map_space
from workloads import Density, InputError, Layer

_SMALL = (
    Layer("conv", K=8, C=4, P=6, Q=6, R=3, S=3, density=Density(0.5, 0.5)),
    Layer("product", op="matmul", K=8, C=16, density=Density(0.5, 0.5)),
)


@contextmanager
def compiling_beside(title: str, spec: Accelerator) -> Iterator[ProgressBar]:
    """A progress bar; on a first run another process compiles what simulates a layer, and the bar says what takes long.

    This one is at what searches for mappings meanwhile. Both keep what they compile on disk, where the other finds it.
    """
    first = not is_cached(tile_cost)
    beside = begun(compile_simulation, spec) if first and (os.cpu_count() or 1) > 1 else nullcontext()
    with ProgressBar(title, "compiling kernels, this once" if first else "") as progress, beside:
        yield progress


def compile_simulation(spec: Accelerator) -> None:
    """Simulate the first of small layers that an accelerator runs at all, which compiles what that takes."""
    for layer in _SMALL:
        for column in map_space(layer, spec).candidates:
            for row in range(len(column)):
                try:
                    simulate_layer(layer, column[row], spec)
                except InputError:
                    continue
                return
