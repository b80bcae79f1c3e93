"""The benchmark's tasks run and count what they say; how long they take is not tested."""

from __future__ import annotations

import json

import numpy as np
import pytest

from accel.machine import play
from experiments import bench


def test_quick_tasks_all_have_times() -> None:
    timings = bench.run(quick=True)
    assert len(timings) == 5
    assert all(timing.cpu_s >= 0 and timing.wall_s > 0 and timing.row()["task"] == timing.task for timing in timings)


def test_nothing_repeats_in_the_machines_program() -> None:
    program = bench.program(500)
    assert len(np.unique(program.rows(), axis=0)) == program.steps
    assert play(program).steps_played == 500


def test_json_names_the_machine(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--json"])
    bench.main()
    printed = json.loads(capsys.readouterr().out)
    assert printed["cores"] >= 1
    assert len(printed["timings"]) == 5
    assert printed["peers"]
