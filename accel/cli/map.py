"""`accel map`: a search for the best loop nest of every layer."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from accel.cli.fronts import points_folder
from accel.cli.mapped import note_errors
from accel.cli.operands import Operands
from accel.cli.outcomes import Outcomes
from accel.cli.values import whole
from accel.cli.wishes import Wishes, anonymous
from accel.cli.workers import searchers
from accel.output import require_folder, require_writable
from accel.spec import Accelerator, load
from workloads import Layer
from workloads import load as load_network
from workloads.errors import InputError

if TYPE_CHECKING:
    from accel.mapper import MappedLayer

_MAPPINGS_PER_SECOND = 100_000
_WORTH_PROCESSES_SECONDS = 8.0
"""A process takes a second or two of a core before it searches."""


def map_network(name: str, chip: str, batch: str, operands: Operands, wishes: Wishes, out: Path | None) -> Outcomes:
    """Search every distinct layer; `out` is a file for the mappings, which must be one that can be written.

    Ctrl-C ends it with the best so far. Raises KeyboardInterrupt when no layer has a mapping then.
    """
    from accel.cli.compiling import compiling_beside
    from accel.exploring import explore_layers

    if out is not None:
        require_writable(out)
        folder = points_folder(out) if wishes.pareto else None
        if folder is not None:
            require_folder(folder)
    spec = load(chip)
    network = operands.given_to(load_network(name, whole("--batch", batch, 1)))
    found: dict[Layer, MappedLayer] = {}
    failed: dict[Layer, InputError] = {}
    distinct = list(dict.fromkeys(anonymous(layer) for layer in network.layers))
    names = {anonymous(layer): layer.name for layer in reversed(network.layers)}
    named = [replace(layer, name=names[layer]) for layer in distinct]
    if not named:
        raise InputError("has no layer to map, only operations without weights", source=network.name)
    offers = wishes.offers(network)
    title = f"mapping {network.name} for {spec.name}"
    # Ctrl-C while processes end, or between two layers, is told by what is left, as it is during a search.
    with (
        suppress(KeyboardInterrupt),
        compiling_beside(title, spec) as progress,
        searchers(_workers(named, spec, wishes)) as side,
    ):
        progress(0, len(named), named[0].name)
        for layer, outcome in explore_layers(
            named,
            spec,
            cache=wishes.cache,
            recall=not (wishes.why or wishes.pareto),
            offered=offers,
            side=side,
            **wishes.options,
        ):
            if isinstance(outcome, InputError):
                failed[anonymous(layer)] = outcome
            else:
                found[anonymous(layer)] = outcome
            done = len(found) + len(failed)
            progress(done, len(named), named[min(done, len(named) - 1)].name)
    left = len(named) - len(found) - len(failed)
    if left and not found:
        note_errors(failed.values())
        raise KeyboardInterrupt
    return Outcomes(network, spec, found, failed, offers, left)


def _workers(layers: list[Layer], spec: Accelerator, wishes: Wishes) -> int:
    """As many processes as there are cores, where the search takes longer than they take to start."""
    from accel.task import Task

    families, budget = len(Task(layers[0], spec, **wishes.options).families), wishes.budget
    seconds = budget.mappings * families / _MAPPINGS_PER_SECOND if budget.seconds is None else budget.seconds
    return min(os.cpu_count() or 1, len(layers)) if seconds * len(layers) > _WORTH_PROCESSES_SECONDS else 1
