"""Does a first run have its simulation compiled beside, and only then?"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from accel import load
from accel.cli import compiling
from accel.kernels.options import is_cached, kernel
from accel.simulation import simulate_layer
from accel.spec import preset_names


def total(values: np.ndarray) -> int:
    count = 0
    for value in values:
        count += value
    return count


def test_a_kernel_is_on_disk_once_it_was_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    compiled = kernel(total)
    assert not is_cached(compiled)
    assert compiled(np.arange(4)) == 6
    assert is_cached(compiled)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_runs_one_of_the_layers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ran = []
    monkeypatch.setattr(
        compiling, "simulate_layer", lambda layer, mapping, spec: ran.append(simulate_layer(layer, mapping, spec))
    )
    compiling.compile_simulation(load(name))
    assert [result.report.macs > 0 for result in ran] == [True]


@pytest.mark.parametrize(("cached", "cores", "processes"), [(False, 2, 1), (False, 1, 0), (True, 2, 0)])
def test_a_process_is_begun_where_it_helps_and_ended(
    monkeypatch: pytest.MonkeyPatch, cached: bool, cores: int, processes: int
) -> None:
    monkeypatch.setattr(compiling, "is_cached", lambda _: cached)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    before = set(multiprocessing.active_children())
    begun = []

    def interrupted() -> None:
        with compiling.compiling_beside("work", load("eyeriss_v1")):
            begun.extend(set(multiprocessing.active_children()) - before)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(begun) == processes
    assert set(multiprocessing.active_children()) <= before
