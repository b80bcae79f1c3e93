"""What came of `accel map`: told layer by layer, saved, and ended with the right status."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from accel.cli.console import note, write
from accel.cli.front import print_front
from accel.cli.fronts import points_folder
from accel.cli.mapped_layer import print_layer, print_summary
from accel.cli.outcomes import Outcomes
from accel.cli.widths import note_wide_operands
from accel.cli.wishes import Wishes, anonymous
from workloads.errors import InputError


def tell(outcomes: Outcomes, wishes: Wishes, out: Path | None) -> None:
    """Print every layer's mapping and front, and save them; no fronts when Ctrl-C ended the search before them.

    Raises InputError naming a layer without a mapping, KeyboardInterrupt at the end of what Ctrl-C ended.
    """
    if out is not None and outcomes.found:  # first: Ctrl-C during what follows must not lose them
        outcomes.save(out)
    if wishes.pareto and not outcomes.interruption:
        outcomes = outcomes.with_fronts(wishes)
    saved = _saved(outcomes, wishes, out) if out is not None and outcomes.found else []
    for layer, mapped in outcomes.found.items():
        alike = sum(anonymous(other) == layer for other in outcomes.network.layers)
        print_layer(mapped, alike, wishes)
        if outcomes.fronts and layer in outcomes.fronts:
            print_front(outcomes.fronts[layer])
    if outcomes.interruption:
        note(f"interrupted: {outcomes.interruption}")
    note_wide_operands(outcomes.network, outcomes.spec)
    passed_over = [reason for mapped in outcomes.found.values() for reason in mapped.passed_over]
    if passed_over:
        note(f"offered mappings passed over: {len(passed_over)}, the first because {passed_over[0]}")
    if outcomes.found:
        print_summary(list(outcomes.found.values()), wishes)
    if saved:
        write("saved:    " + "\n          ".join(saved))
    errors = list(outcomes.failed.values())
    if outcomes.interruption:
        note_errors(errors)
        raise KeyboardInterrupt
    note_errors(errors[1:])
    if errors:
        raise errors[0]


def _saved(outcomes: Outcomes, wishes: Wishes, out: Path) -> list[str]:
    """Save what the searches for fronts found better, and the fronts' points; what is told of the files."""
    if outcomes.fronts:
        outcomes.save(out)
    folder = points_folder(out) if wishes.pareto else None
    if folder is None:
        return [str(out)]
    first, *more = outcomes.save_points(folder)
    return [str(out), f"{first} to {more[-1].name}" if more else str(first)]


def note_errors(errors: Iterable[InputError]) -> None:
    """Why layers have no mapping, a line each."""
    for error in errors:
        note(f"error: {error}")
