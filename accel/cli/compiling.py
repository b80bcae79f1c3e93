"""The first run of all: kernels of the search and of the simulation are compiled side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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
def compiling_beside(spec: Accelerator) -> Iterator[None]:
    """Another process compiles what simulates a layer, while this one is at what searches for its mapping.

    Both keep it on disk, where the other finds it. Not on a single core, nor when it is there already.
    """
    if is_cached(tile_cost) or (os.cpu_count() or 1) == 1:
        yield
        return
    with begun(compile_simulation, spec):
        yield


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
