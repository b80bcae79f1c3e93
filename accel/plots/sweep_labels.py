"""What the points of a sweep are called in its picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from accel.plots.labels import wrapped
from accel.spec import Accelerator
from accel.spec.errors import field_paths


def point_labels(points: pd.DataFrame, swept: Sequence[str], *, name_accelerators: bool) -> list[str]:
    """A label for each point of a sweep: its accelerator, if these are to be named, and the swept fields with values.

    Empty labels where there is nothing to tell.
    """
    names = {path: short_name(path, field_paths(Accelerator)) for path in swept}
    labels = []
    for _, row in points.iterrows():
        fields = [f"{names[path]} {row[path]}" for path in swept]
        labels.append(wrapped([row["accelerator"], *fields] if name_accelerators else fields))
    return labels


def short_name(path: str, paths: Iterable[str]) -> str:
    """The shortest end of a dotted path that is no end of another among the paths: `data_buffer.kib`, but `rows`."""
    parts = path.split(".")
    others = [other.split(".") for other in paths if other != path]
    length = next((n for n in range(1, len(parts)) if all(other[-n:] != parts[-n:] for other in others)), len(parts))
    return ".".join(parts[-length:])
