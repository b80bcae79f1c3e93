"""Is the command quick to answer, quiet in pipes, and well behaved at its edges?"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from accel import simulate
from accel.cli import INTERRUPTED, run
from accel.cli.progress import ProgressBar
from accel.sweep_point import Outcome, Point, run_point
from accel.task import QUICK
from mappings import Budget
from tests.cli.conftest import Command
from workloads import load

HEAVY = ("numpy", "numba", "pandas", "matplotlib", "simpy", "onnx", "rich", "accel.spec", "workloads")
PROGRAM = [sys.executable, "-m", "accel"]


@pytest.mark.parametrize("line", [["--help"], ["run", "--help"], ["sweep", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(line: list[str]) -> None:
    """That is what keeps it under 0.3 s; the clock of a busy machine would say less."""
    code = (
        "import sys; from accel.cli import run; status = run(sys.argv[1:]);"
        f"heavy = [name for name in {HEAVY} if name in sys.modules];"
        "sys.exit(f'imported {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, *line], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "accel" in done.stdout


def test_the_program_exits_with_two_and_one_line() -> None:
    line = [*PROGRAM, "run", "alexne", "--on", "eyeriss_v1"]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith('accel: error: unknown network "alexne"')
    assert done.stderr.count("\n") == 1


def test_a_reader_that_stops_early_is_no_error() -> None:
    line = [*PROGRAM, "show", "resnet50", "--toml"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0


def test_an_encoding_without_lines_still_prints(tmp_path: Path) -> None:
    line = [*PROGRAM, "list", "dataflows"]
    done = subprocess.run(
        line, check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, cwd=tmp_path.cwd()
    )
    assert done.returncode == 0
    assert b"row_stationary" in done.stdout


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("accel.cli.listing.list_all", interrupt)
    assert run(["list", "networks"]) == INTERRUPTED
    assert "Traceback" not in capfd.readouterr().err


def test_our_own_mistakes_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accel.cli.listing.list_all", broken)
    with pytest.raises(ZeroDivisionError):
        run(["list", "networks"])


@pytest.mark.parametrize("ran", [0, 1])
def test_ctrl_c_in_a_sweep_saves_what_ran(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ran: int
) -> None:
    done = []

    def until_interrupted(point: Point) -> Outcome:
        if len(done) == ran:
            raise KeyboardInterrupt
        done.append(point)
        return run_point(point)

    monkeypatch.setattr("accel.sweeping.run_point", until_interrupted)
    line = ("--net", tiny, "--on", "systolic_32x32", "--set", "data_buffer.kib=16,32,64", "--jobs", 1)
    outcome = command("sweep", *line, "--out", tmp_path)
    assert outcome.status == INTERRUPTED
    if ran:
        assert outcome.err == "accel: interrupted: 2 of 3 points did not run\n"
        assert list(pd.read_csv(tmp_path / "sweep.csv")["error"].fillna("")) == ["", *["not run: interrupted"] * 2]
    else:
        assert outcome.err == "accel: interrupted before a point of 3 was simulated: nothing is saved\n"
        assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("moment", ["accel.cli.sweep._show_front", "accel.cli.progress.ProgressBar.__exit__"])
def test_ctrl_c_after_the_last_point_loses_nothing(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moment, interrupted)
    line = ("--net", tiny, "--on", "systolic_32x32", "--set", "data_buffer.kib=16,32", "--jobs", 1)
    assert command("sweep", *line, "--out", tmp_path).status == INTERRUPTED
    assert len(pd.read_csv(tmp_path / "sweep.csv")) == 2


def test_a_sweep_saves_its_table_and_picture(command: Command, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    changes = ("--set", "pe_array.rows=8,16", "--set", "data_buffer.kib=0.001,32")
    outcome = command("sweep", "--net", tiny, "--on", "systolic_32x32", *changes, "--out", out, "--jobs", 1)
    assert outcome.status == 0
    assert {path.name for path in out.iterdir()} == {"sweep.csv", "pareto.png"}
    assert len((out / "sweep.csv").read_text().splitlines()) == 5
    assert outcome.err.startswith("accel: 2 of 4 points failed, the first: ")
    assert "Pareto front" in outcome.out


def test_a_sweep_minimises_the_objective(command: Command, tiny: Path, tmp_path: Path) -> None:
    cycles = []
    for objective in ("latency", "energy"):
        flags = ("--objective", objective, "--out", tmp_path / objective, "--jobs", 1)
        assert command("sweep", "--net", tiny, "--on", "zhang_fpga15", *flags).status == 0
        (row,) = csv.DictReader((tmp_path / objective / "sweep.csv").read_text().splitlines())
        cycles.append(int(row["latency_cycles"]))
    assert cycles[0] < cycles[1]


def test_a_run_and_a_sweep_search_as_long_as_they_are_told(command: Command, tiny: Path, tmp_path: Path) -> None:
    """Unless told, as long as Python does."""
    energy: dict[str, float] = {}
    for budget in (1, 3000):
        flags = ("--on", "eyeriss_v1", "--budget", budget, "--out", tmp_path / str(budget))
        assert command("run", tiny, *flags, "--no-cache").status == command("sweep", "--net", tiny, *flags).status == 0
        report = simulate(load(tiny), "eyeriss_v1", budget=Budget(budget))
        assert (tmp_path / str(budget) / "report.csv").read_text() == report.to_csv()
        (row,) = csv.DictReader((tmp_path / str(budget) / "sweep.csv").read_text().splitlines())
        energy[str(budget)] = report.energy_pj
        assert float(row["energy_pj"]) == report.energy_pj
    assert energy["1"] != energy["3000"]
    for word in ("run", "sweep"):
        assert f"[default: {QUICK.mappings}]" in command(word, "--help").out


def test_a_sweep_of_which_nothing_works_is_bad_input(command: Command, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    changes = ("--set", "pe_array.slack=4,8", "--out", out, "--jobs", 1)
    outcome = command("sweep", "--net", tiny, "--on", "systolic_32x32", *changes)
    assert outcome.status == 2
    assert outcome.err.startswith("accel: error: no point of 2 can be simulated, the first: systolic_32x32: pe_array.")
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.rglob("sweep.csv"))


def test_processes_sweep_like_one(command: Command, tiny: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        flags = ("--set", "pe_array.rows=8,16", "--out", tmp_path / str(jobs), "--jobs", jobs)
        assert command("sweep", "--net", tiny, "--on", "systolic_32x32", *flags).status == 0
    one, two = ((tmp_path / jobs / "sweep.csv").read_text() for jobs in ("1", "2"))
    # Names of files differ in nothing, for both read the same one.
    assert one == two


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What bars do when a second is over, which the test says; stderr says that it is a terminal."""
    waiting: list[Callable[[], None]] = []

    class Second:
        def __init__(self, seconds: float, then: Callable[[], None]) -> None:
            assert seconds == 1.0
            self.start, self.cancel = lambda: waiting.append(then), waiting.clear

    monkeypatch.setattr("accel.cli.progress.Timer", Second)
    monkeypatch.setattr("accel.cli.progress.sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    return waiting


def test_a_bar_comes_up_after_a_second_and_not_before(
    seconds: list[Callable[[], None]], capfd: pytest.CaptureFixture[str]
) -> None:
    with ProgressBar("work", "getting ready") as bar:
        bar(0, 10, "early")
        assert capfd.readouterr().err == ""
        seconds[0]()
        seen = capfd.readouterr().err
        assert "work" in seen and "0/10" in seen and "getting ready" in seen
        bar(2, 10, "late")
    seen = capfd.readouterr().err
    assert "2/10" in seen and "late" in seen and "getting ready" not in seen


def test_a_bar_comes_up_when_nothing_is_told_and_not_when_all_is_over(
    seconds: list[Callable[[], None]], capfd: pytest.CaptureFixture[str]
) -> None:
    with ProgressBar("work"):
        (over,) = seconds
        over()
        assert "work" in capfd.readouterr().err
    capfd.readouterr()
    with ProgressBar("work"):
        (over,) = seconds
    over()
    assert seconds == [] and capfd.readouterr().err == ""


def test_no_bar_without_a_terminal(seconds: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accel.cli.progress.sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: False)))
    with ProgressBar("work") as bar:
        bar(2, 10, "late")
        assert not seconds
