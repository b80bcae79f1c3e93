"""Settings of the property tests: few examples by default, many with HYPOTHESIS_PROFILE=thorough."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from accel import load, map_layer
from accel.cli.compiling import compile_simulation
from mappings import Budget
from workloads import Layer

# Timing is nobody's business here: the first example of a test may compile a kernel, and runners differ.
_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}

settings.register_profile("default", max_examples=40, **_SHARED)
settings.register_profile("thorough", max_examples=1000, **_SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def _kernels_compiled_side_by_side() -> None:
    """Of two processes that run tests one begins with kernels of the search, the other with those of the simulation."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    if int(worker.removeprefix("gw")) % 2:
        for chip in ("eyeriss_v1", "sparten", "eie", "scnn", "cnvlutin", "eyeriss_v2"):
            compile_simulation(load(chip))
    else:
        map_layer(Layer("one", K=8, C=8), "eyeriss_v1", budget=Budget(1))


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mappings found by the command line are kept apart from those of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder
