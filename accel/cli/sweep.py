"""`accel sweep`: a grid of simulations on local processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.console import note, show, write
from accel.cli.operands import OperandGrid
from accel.cli.values import budget_of, changes_of, mapping_of, names, objective_of, whole
from accel.cli.wide_table import Column, WideTable
from accel.cli.workers import processes
from accel.output import require_folder, write_text
from accel.spec import load
from accel.units import DATA, ENERGY, TIME, human, percent
from workloads import InputError, Network
from workloads import load as load_network

if TYPE_CHECKING:
    import pandas as pd

TABLE, PICTURE = "sweep.csv", "pareto.png"
_SHOWN = 20
"""Points of the front in the printed table, at most."""


def sweep(
    networks: str,
    chips: str,
    changes: Sequence[str],
    *,
    out: Path,
    operands: OperandGrid,
    mapping: str,
    objective: str,
    budget: str,
    batch: str,
    seed: str,
    jobs: str | None,
    fuse: bool,
) -> None:
    """Simulate the grid, print its front, save all of it; a failing point is only a row.

    Ctrl-C ends it with what was simulated until then. Raises InputError, also when no point can be simulated, or
    KeyboardInterrupt at the end of what Ctrl-C ended; nothing is saved when no point was simulated.
    """
    inputs_at_once, seed_value = whole("--batch", batch, 1), whole("--seed", seed, 0)
    aim, share = objective_of(objective), budget_of(budget)
    most = os.cpu_count() or 1 if jobs is None else whole("--jobs", jobs, 1)
    require_folder(out, (TABLE, PICTURE))
    swept, chosen = changes_of(changes), mapping_of(mapping)
    network_names, chip_names = names("--net", networks), names("--on", chips)
    variants: list[str | Network] = []
    for name in network_names:  # what is wrong with a name is wrong with all its points
        network = load_network(name, inputs_at_once)
        variants += operands.given_to(network, name) if operands.given else [name]
    first, *_ = [load(name) for name in chip_names]

    from accel import plots
    from accel.cli.compiling import compiling_beside
    from accel.sweeping import NOT_RUN, SweepInterrupted, grid
    from accel.sweeping import sweep as run_sweep

    points = len(grid(variants, chip_names, swept, chosen, seed_value, inputs_at_once, fuse, aim, share))
    workers = min(most, points)
    frame, interrupted = None, False
    try:
        with compiling_beside("sweep", first) as progress, processes(workers) as executor:
            frame = run_sweep(
                variants, chip_names, set=swept, mapping=chosen, objective=aim, budget=share, seed=seed_value,
                batch=inputs_at_once, fuse=fuse, executor=executor, progress=progress,
            )  # fmt: skip
    except KeyboardInterrupt as stopped:
        if isinstance(stopped, SweepInterrupted):
            frame = stopped.frame
        if frame is None:
            raise
        interrupted = True
    missing = frame["error"] == NOT_RUN
    failed = frame[(frame["error"] != "") & ~missing]
    fine = frame[frame["error"] == ""]
    if interrupted and fine.empty:
        note(f"interrupted before a point of {len(frame)} was simulated: nothing is saved")
        raise KeyboardInterrupt
    if fine.empty:
        raise InputError(f"no point of {len(frame)} can be simulated, the first: {failed['error'].iloc[0]}")
    # First: Ctrl-C during what follows must not lose it.
    write_text(out / TABLE, frame.to_csv(index=False, lineterminator="\n"))
    _show_front(fine, list(swept))
    plots.save(plots.energy_latency_scatter(frame), out / PICTURE)
    write(f"saved:    {out / TABLE}\n          {out / PICTURE}")
    taken = int((fine["mapped_at"] != "").sum())
    if taken:
        note(f"{taken} of {len(frame)} points run the mappings of another point, which do better: mapped_at in {TABLE}")
    if len(failed):
        note(f"{len(failed)} of {len(frame)} points failed, the first: {failed['error'].iloc[0]}")
    if interrupted:
        left = f"{missing.sum()} of {len(frame)} points did not run" if missing.any() else "every point ran"
        note(f"interrupted: {left}")
        raise KeyboardInterrupt


def _show_front(fine: pd.DataFrame, swept: Sequence[str]) -> None:
    from accel.plots import pareto_front

    fronts = [
        group[pareto_front(group["latency_ms"], group["energy_pj"])].sort_values("latency_ms")
        for _, group in fine.groupby("network", sort=False)
    ]
    rows = [row for front in fronts for _, row in front.iterrows()][:_SHOWN]
    if not rows:
        return
    columns = [
        Column("network", [row["network"] for row in rows]),
        Column("accelerator", [row["accelerator"] for row in rows]),
        *(Column(">" + path.replace(".", "\n"), [str(row[path]) for row in rows]) for path in swept),
        Column(">latency", [human(row["latency_ms"], TIME) for row in rows]),
        Column(">energy", [human(row["energy_pj"], ENERGY) for row in rows]),
        Column(">DRAM", [human(row["dram_bits"], DATA) for row in rows]),
        Column(">util %", [percent(row["utilization"]) for row in rows]),
        Column("bottleneck", [row["bottleneck"] for row in rows]),
    ]
    show("Pareto front of latency and energy", WideTable(columns))
