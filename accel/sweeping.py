"""A grid of networks, accelerators and changed fields, simulated on any executor; one row a point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

from accel.answers import ask, at_hand
from accel.named import AcceleratorSource, NetworkSource
from accel.objective import Objective
from accel.sharing import share
from accel.spec import Accelerator
from accel.spec.errors import field_paths, shown, unknown_field
from accel.sweep_point import TOTALS, Outcome, Point, failed, run_point
from accel.task import QUICK, require_wishes
from mappings import Budget
from workloads import InputError
from workloads.fields import whole
from workloads.plain import plain

if TYPE_CHECKING:
    import pandas as pd

    from accel.planning import Progress
    from mappings.file import MappingBook

MAX_POINTS = 100_000
"""A larger grid is refused: it is likely a slip of the pen."""

NOT_RUN = "not run: interrupted"


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C in a sweep. `frame`: what it came to until then; the `error` of points not reached is NOT_RUN."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__()
        self.frame = frame


def sweep(
    networks: Sequence[NetworkSource],
    specs: Sequence[AcceleratorSource],
    *,
    set: Mapping[str, Sequence[Any]] | None = None,
    mapping: str | MappingBook = "auto",
    objective: Objective = "edp",
    budget: Budget = QUICK,
    seed: int = 0,
    batch: int = 1,
    fuse: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Simulate every combination of network, accelerator and values of the fields in `set`.

    set: values by the path of a field, `{"pe_array.rows": [8, 16]}`. mapping, objective, budget, fuse: as `evaluate`
    takes them. executor: where the points run, this process unless given; unless the budget is in seconds, the frame is
    the same on any. Columns: network, accelerator, the swept fields, TOTALS, `mapped_at` and `error`, empty where all
    went well: a point that fails is a row that says why. `frame.attrs["swept"]` names the swept fields.
    A point whose neighbours along a swept field found mappings that do better there takes these: `mapped_at` then names
    the fields of the point that found them. So more buffer, bandwidth or PEs are never worse because a search missed
    something, and with more registers a mapping uses as many as where it was found. Not so with a file of mappings,
    or with fused pairs, which each point plans alone.
    Raises InputError for an empty grid, one of more than MAX_POINTS points, a field that no accelerator has, or an
    objective, a budget or a seed that there is not; SweepInterrupted at Ctrl-C, with the frame of what was done.
    """
    fields = {} if set is None else set
    if not isinstance(fields, Mapping):
        raise InputError(f'set = {shown(fields)}: needs lists of values by field, like {{"pe_array.rows": [8, 16]}}')
    changes = {path: _listed(path, values) for path, values in fields.items()}
    points = grid(networks, specs, changes, mapping, seed, batch, fuse, objective, budget)
    total, tell = len(points), progress or (lambda done, total, what: None)
    outcomes = [failed(point, InputError(NOT_RUN)) for point in points]
    try:
        _alone(points, outcomes, executor, tell)
        if isinstance(mapping, str) and not fuse:
            share(points, outcomes, list(changes.values()), executor, tell)
        tell(total, total, "done")
        return _frame(outcomes, list(changes))
    except KeyboardInterrupt:
        raise SweepInterrupted(_frame(outcomes, list(changes))) from None


def _frame(outcomes: Sequence[Outcome], swept: list[str]) -> pd.DataFrame:
    import pandas as pd

    rows = [outcome.row for outcome in outcomes]
    frame = pd.DataFrame(rows, columns=["network", "accelerator", *swept, *TOTALS, "mapped_at", "error"])
    # Counts stay whole numbers although rows with an error have none.
    whole = [name for name in TOTALS if name.endswith(("_cycles", "_bits", "macs"))]
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    frame.attrs["swept"] = swept
    return frame


def grid(
    networks: Sequence[NetworkSource],
    specs: Sequence[AcceleratorSource],
    changes: Mapping[str, Sequence[Any]],
    mapping: str | MappingBook,
    seed: int,
    batch: int,
    fuse: bool = False,
    objective: Objective = "edp",
    budget: Budget = QUICK,
) -> list[Point]:
    """The points in order: networks, then accelerators, then the swept fields, the last one fastest."""
    networks, specs = _listed("network", networks), _listed("accelerator", specs)
    batch, seed = whole(batch, "batch"), plain(seed)
    require_wishes(objective, budget, seed)
    _require_fields(changes)
    sizes = [len(values) for values in (networks, specs, *changes.values())]
    total = 1
    for size in sizes:
        total *= size
    if total > MAX_POINTS:
        raise InputError(f"{total} points: a sweep has at most {MAX_POINTS}, leave values out")
    return [
        Point(network, spec, tuple(zip(changes, values, strict=True)), mapping, seed, batch, fuse, objective, budget)
        for network, spec, *values in product(networks, specs, *changes.values())
    ]


def _listed(what: str, values: Any) -> list[Any]:
    """The values of an axis, NumPy's as Python's. Raises InputError for a bare value, and for none."""
    given = plain(values)  # an array without axes is a bare value too
    bare = isinstance(given, str | Mapping | Accelerator) or not isinstance(given, Iterable)
    listed = [] if bare else [plain(value) for value in given]
    if not listed:
        raise InputError(f"{what} = {shown(given)}: a sweep needs a list of one value at least")
    return listed


def _require_fields(changes: Iterable[str]) -> None:
    """A misspelt field would fail at every point: it is refused at once. Values are each point's own affair."""
    known = frozenset(field_paths(Accelerator))
    for path in changes:
        if path not in known:
            raise InputError(unknown_field(path, Accelerator))
        fields = sorted(other for other in known if other.startswith(f"{path}."))
        if fields:
            raise InputError(f'"{path}" is a table: name one of its fields, {", ".join(fields)}')


def _alone(points: Sequence[Point], outcomes: list[Outcome], executor: Executor | None, tell: Progress) -> None:
    """Put in what comes out of every point by itself; a worker that died (out of memory, say) is its error too.

    Ctrl-C ends it with what is there by then.
    """
    answers = [ask(executor, run_point, point) for point in points]
    place = 0
    try:
        for place, point in enumerate(points):
            tell(place, len(points), f"{point.network_name} on {point.accelerator_name}")
            try:
                outcomes[place] = answers[place]()
            except Exception as error:
                outcomes[place] = failed(point, error)
    except KeyboardInterrupt:
        for later in range(place, len(points)):
            if at_hand(answers[later]):
                with suppress(Exception):  # those that died of Ctrl-C did not run
                    outcomes[later] = answers[later]()
        raise
