"""PEs that do the same in every pass: one of them is walked for all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accel.assignment import EPOCH, LANE, PE, Assignment

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """`place` numbers kinds of PEs instead of PEs; only these `pixels` and `filters` are walked.

    `copies`: (kinds,) PEs of each kind that have work.
    """

    place: Assignment
    pixels: Ints
    filters: Ints
    copies: Ints


def alike(place: Assignment, pixels_differ: bool, filters_differ: bool, groups: int) -> Alike:
    """Find the kinds: if an operand is not skipped, PEs that only have other indices of it are alike.

    Filters of different groups meet different inputs, so PEs are only alike with as many of each group.
    """
    group = np.arange(len(place.filters)) // (len(place.filters) // groups)
    pixels, pixel_kinds, pixel_copies = _kinds(place.pixels, np.zeros(len(place.pixels), np.int64), pixels_differ)
    filters, filter_kinds, filter_copies = _kinds(place.filters, group, filters_differ)
    numbers, tap_kinds = np.unique(place.taps[:, PE], return_inverse=True)
    place = replace(
        place,
        pixels=_numbered(place.pixels, pixel_kinds * len(filter_copies) * len(numbers)),
        filters=_numbered(place.filters, filter_kinds * len(numbers)),
        taps=_numbered(place.taps, tap_kinds),
        pes=len(pixel_copies) * len(filter_copies) * len(numbers),
    )
    copies = (pixel_copies[:, None, None] * filter_copies[:, None] * np.ones_like(numbers)).reshape(-1)
    return Alike(place, pixels, filters, copies)


def _kinds(labels: Ints, extra: Ints, differ: bool) -> tuple[Ints, Ints, Ints]:
    """(indices of the first PE of each kind, kind of every index, PEs of each kind)."""
    numbers, pe = np.unique(labels[:, PE], return_inverse=True)
    if differ:
        return np.arange(len(labels)), pe, np.ones(len(numbers), dtype=np.int64)
    marks = np.column_stack([labels[:, EPOCH], labels[:, LANE], extra])
    order = np.lexsort((*marks.T, pe))
    bounds = np.searchsorted(pe[order], np.arange(len(numbers) + 1))
    known: dict[bytes, int] = {}
    kind = np.array(
        [known.setdefault(marks[order[bounds[i] : bounds[i + 1]]].tobytes(), len(known)) for i in range(len(numbers))]
    )
    _, first, copies = np.unique(kind, return_index=True, return_counts=True)
    return np.flatnonzero(np.isin(pe, first)), kind[pe], copies


def _numbered(labels: Ints, pe: Ints) -> Ints:
    labels = labels.copy()
    labels[:, PE] = pe
    return labels
