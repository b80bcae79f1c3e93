"""`accel run`: one network on one accelerator."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accel.cli.console import note, show, write
from accel.cli.operands import Operands
from accel.cli.values import budget_of, mapping_of, objective_of, whole
from accel.cli.widths import note_wide_operands
from accel.cli.zeros import FLAGS
from accel.output import require_folder, require_writable, write_bytes, write_text
from accel.spec import Accelerator, load
from workloads import load as load_network
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.evaluation import Evaluation

PICTURES = ("energy.png", "cycles.png", "roofline.png")


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files to write; `folders` get the pictures."""

    json: tuple[Path, ...] = ()
    csv: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    trace: tuple[Path, ...] = ()
    tensors: tuple[Path, ...] = ()
    """Where the network's outputs go when it ran on a real input."""

    @classmethod
    def of(
        cls, *, json: Path | None, csv: Path | None, plots: Path | None, trace: Path | None, out: Path | None
    ) -> Outputs:
        """The files the flags ask for."""
        within = () if out is None else (out,)
        return cls(
            (*_given(json), *(folder / "report.json" for folder in within)),
            (*_given(csv), *(folder / "report.csv" for folder in within)),
            (*_given(plots), *within),
            _given(trace),
            tuple(folder / "outputs.npz" for folder in within),
        )

    def check(self) -> None:
        """Raise InputError for a place that cannot be written: before the simulation, not after it."""
        for folder in self.folders:
            require_folder(folder, (*PICTURES, "report.json", "report.csv", "outputs.npz"))
        for path in (*self.json, *self.csv, *self.trace):
            if path.parent not in self.folders:
                require_writable(path)
        files = [path.resolve() for path in (*self.json, *self.csv, *self.trace)]
        twice = next((path for path in files if files.count(path) > 1 and (path.is_file() or not path.exists())), None)
        if twice is not None:
            raise InputError("two outputs would go to this file: give each its own", source=twice)

    def save(self, evaluation: Evaluation, spec: Accelerator) -> list[Path]:
        """Write everything; the files written, in order."""
        report = evaluation.report
        for path in self.csv:
            write_text(path, report.to_csv())
        for path in self.json:
            write_text(path, report.to_json())
        pictures = [path for folder in self.folders for path in _save_pictures(evaluation, folder)]
        for path in self.trace:
            from accel.trace import trace_json

            write_text(path, trace_json(report, evaluation.results, spec))
        tensors = self.tensors if evaluation.outputs is not None else ()
        for path in tensors:
            write_bytes(path, _archive(dict(evaluation.outputs or {})))
        return [*self.csv, *self.json, *pictures, *self.trace, *tensors]


def run(
    network_name: str,
    chip: str,
    *,
    mapping: str,
    objective: str,
    budget: str,
    batch: str,
    operands: Operands,
    seed: str,
    real_input: Path | None,
    outputs: Outputs,
    cached: bool,
    fuse: bool,
) -> None:
    """Simulate, print the table, save what was asked for. Layers without a mapping are named at the end: InputError."""
    inputs_at_once, seed_value = whole("--batch", batch, 1), whole("--seed", seed, 0)
    aim, share = objective_of(objective), budget_of(budget)
    outputs.check()
    chosen = mapping_of(mapping)
    spec = load(chip)
    network = operands.given_to(load_network(network_name, inputs_at_once))
    inputs = None
    if real_input is not None:
        if operands.state_zeros:
            raise InputError(f"{FLAGS} with --input: zeros are those of the run on an input, leave them or it out")
        from workloads.inputs import read_input

        inputs = read_input(real_input, network)

    # Numba, pandas and simpy come with it: not before all input is known to be good.
    from accel.cli.compiling import compiling_beside
    from accel.evaluation import evaluate
    from accel.mapping_cache import MappingCache, default_folder
    from accel.table import report_table

    with compiling_beside(f"{network.name} on {spec.name}", spec) as progress:
        evaluation = evaluate(
            network, spec, mapping=chosen, objective=aim, budget=share, seed=seed_value, inputs=inputs,
            progress=progress, cache=MappingCache(default_folder()) if cached else None,
            every_step=bool(outputs.trace), fuse=fuse, partial=True,
        )  # fmt: skip
    show(report_table(evaluation.report))
    for name, values in (evaluation.outputs or {}).items():
        write(f"output:   {name} {values.shape}{_largest(values)}")
    saved = outputs.save(evaluation, spec)
    if saved:
        write("saved:    " + "\n          ".join(str(path) for path in saved))
    note_wide_operands(network, spec)
    reasons = list(evaluation.report.unmapped.values())
    for reason in reasons[:-1]:
        note(f"error: {reason}")
    if reasons:
        raise InputError(reasons[-1])


def _given(path: Path | None) -> tuple[Path, ...]:
    return () if path is None else (path,)


def _save_pictures(evaluation: Evaluation, folder: Path) -> list[Path]:
    from accel import plots

    drawn = (plots.energy_by_layer, plots.cycles_by_layer, plots.roofline)
    paths = [folder / name for name in PICTURES]
    for path, draw in zip(paths, drawn, strict=True):
        plots.save(draw(evaluation.report), path)
    return paths


def _largest(values: np.ndarray[Any, Any]) -> str:
    """Which class wins, for outputs that are one row of scores an image."""
    if values.ndim != 2 or not values.size:
        return ""
    return ", largest at " + ", ".join(str(place) for place in np.argmax(values, axis=1)[:8])


def _archive(arrays: dict[str, np.ndarray[Any, Any]]) -> bytes:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return content.getvalue()
