"""A grid of networks, accelerators and changed fields, simulated on any executor; one row a point."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from accel.breakdown import overall_bottleneck
from accel.objective import Objective, require_objective
from accel.spec import Accelerator, load
from accel.spec.errors import field_paths, unknown_field
from workloads import InputError, Network
from workloads import load as load_network

if TYPE_CHECKING:
    import pandas as pd

    from accel.report import Report
    from mappings.file import MappingBook

Progress = Callable[[int, int, str], None]
"""Called as (done, total, what was done)."""

MAX_POINTS = 100_000
"""A larger grid is refused: it is likely a slip of the pen."""

TOTALS = (
    *("latency_ms", "latency_cycles", "energy_pj", "edp_js", "dram_bits", "utilization", "macs", "effectual_macs"),
    *("compute_cycles", "stall_data_cycles", "stall_weight_cycles", "stall_output_cycles", "stall_controller_cycles"),
    *("energy_pe_array_pj", "energy_data_buffer_pj", "energy_weight_buffer_pj", "energy_controller_pj"),
    *("energy_dma_pj", "energy_leakage_pj", "bottleneck"),
)
"""Columns of results; `edp_js` is the energy-delay product in joule seconds. Empty in a row with an error."""


def read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    """A read-only view, as another process rebuilds it."""
    return MappingProxyType(values)


# The attributes of a network's nodes are such views, which pickle cannot copy to another process by itself.
copyreg.pickle(MappingProxyType, lambda view: (read_only, (dict(view),)))


@dataclass(frozen=True, slots=True)
class Point:
    """One simulation of a sweep; plain data that any process can be given."""

    network: str | Network
    accelerator: str | Accelerator
    changes: tuple[tuple[str, Any], ...]
    mapping: str | MappingBook
    seed: int
    batch: int
    fuse: bool = False
    objective: Objective = "edp"

    @property
    def network_name(self) -> str:
        return self.network if isinstance(self.network, str) else self.network.name

    @property
    def accelerator_name(self) -> str:
        return self.accelerator if isinstance(self.accelerator, str) else self.accelerator.name


def sweep(
    networks: Sequence[str | Network],
    specs: Sequence[str | Accelerator],
    *,
    set: Mapping[str, Sequence[Any]] | None = None,
    mapping: str | MappingBook = "auto",
    objective: Objective = "edp",
    seed: int = 0,
    batch: int = 1,
    fuse: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Simulate every combination of network, accelerator and values of the fields in `set`.

    set: values by the path of a field, `{"pe_array.rows": [8, 16]}`. mapping, objective, fuse: as `evaluate` takes
    them. executor: where the points run, this process unless given; the frame is the same on any. Columns: network,
    accelerator, the swept fields, TOTALS, and `error`, empty where all went well: a point that fails is a row that says
    why. `frame.attrs["swept"]` names the swept fields.
    Raises InputError for an empty grid, one of more than MAX_POINTS points, a field that no accelerator has, or an
    objective that there is not.
    """
    import pandas as pd

    changes = {} if set is None else dict(set)
    points = grid(networks, specs, changes, mapping, seed, batch, fuse, objective)
    rows = list(_rows(points, executor, progress or (lambda done, total, what: None)))
    frame = pd.DataFrame(rows, columns=["network", "accelerator", *changes, *TOTALS, "error"])
    # Counts stay whole numbers although rows with an error have none.
    whole = [name for name in TOTALS if name.endswith(("_cycles", "_bits", "macs"))]
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    frame.attrs["swept"] = list(changes)
    return frame


def grid(
    networks: Sequence[str | Network],
    specs: Sequence[str | Accelerator],
    changes: Mapping[str, Sequence[Any]],
    mapping: str | MappingBook,
    seed: int,
    batch: int,
    fuse: bool = False,
    objective: Objective = "edp",
) -> list[Point]:
    """The points in order: networks, then accelerators, then the swept fields, the last one fastest."""
    for what, values in (("network", networks), ("accelerator", specs), *changes.items()):
        if isinstance(values, str) or not len(values):
            raise InputError(f"{what} = {values!r}: a sweep needs a list of one value at least")
    require_objective(objective)
    _require_fields(changes)
    sizes = [len(values) for values in (networks, specs, *changes.values())]
    total = 1
    for size in sizes:
        total *= size
    if total > MAX_POINTS:
        raise InputError(f"{total} points: a sweep has at most {MAX_POINTS}, leave values out")
    return [
        Point(network, spec, tuple(zip(changes, values, strict=True)), mapping, seed, batch, fuse, objective)
        for network, spec, *values in product(networks, specs, *changes.values())
    ]


def run_point(point: Point) -> dict[str, Any]:
    """The row of one point; what goes wrong becomes its `error`, one line."""
    row: dict[str, Any] = {"network": point.network_name, "accelerator": point.accelerator_name}
    row.update(point.changes)
    try:
        return row | _results(point) | {"error": ""}
    except InputError as error:
        return row | {"error": str(error)}
    except Exception as error:  # the other points must not suffer for it
        return row | {"error": " ".join(f"{type(error).__name__}: {error}".split())}


def _results(point: Point) -> dict[str, Any]:
    from accel.evaluation import simulate

    network = point.network
    if isinstance(network, str):
        network = load_network(network, point.batch)
    elif point.batch != 1:
        network = network.with_batch(point.batch)
    spec = load(point.accelerator) if isinstance(point.accelerator, str) else point.accelerator
    if point.changes:
        spec = spec.with_values(dict(point.changes))
    options = {"mapping": point.mapping, "objective": point.objective, "seed": point.seed, "fuse": point.fuse}
    return _totals(simulate(network, spec, **options))


def _totals(report: Report) -> dict[str, Any]:
    sums: dict[str, Any] = report.totals()
    sums["edp_js"] = report.energy_pj * 1e-12 * report.latency_ms * 1e-3
    sums["bottleneck"] = overall_bottleneck(report.layers)
    return {name: sums[name] for name in TOTALS}


def _require_fields(changes: Iterable[str]) -> None:
    """A misspelt field would fail at every point: it is refused at once. Values are each point's own affair."""
    known = frozenset(field_paths(Accelerator))
    for path in changes:
        if path not in known:
            raise InputError(unknown_field(path, Accelerator))
        fields = sorted(other for other in known if other.startswith(f"{path}."))
        if fields:
            raise InputError(f'"{path}" is a table: name one of its fields, {", ".join(fields)}')


def _rows(points: Sequence[Point], executor: Executor | None, progress: Progress) -> list[dict[str, Any]]:
    rows = []
    futures: list[Future[dict[str, Any]]] = []
    if executor is not None:
        futures = [executor.submit(run_point, point) for point in points]
    for done, point in enumerate(points):
        progress(done, len(points), f"{point.network_name} on {point.accelerator_name}")
        rows.append(_outcome(futures[done], point) if futures else run_point(point))
    progress(len(points), len(points), "done")
    return rows


def _outcome(future: Future[dict[str, Any]], point: Point) -> dict[str, Any]:
    """The point's row; a worker that died (out of memory, say) is the point's error too."""
    try:
        return future.result()
    except Exception as error:
        row: dict[str, Any] = {"network": point.network_name, "accelerator": point.accelerator_name}
        row.update(point.changes)
        return row | {"error": " ".join(f"{type(error).__name__}: {error}".split())}
