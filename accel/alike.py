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
    _, tap_kinds, tap_copies = _kinds(place.taps, np.zeros(len(place.taps), np.int64), True)
    place = replace(
        place,
        pixels=_numbered(place.pixels, pixel_kinds * len(filter_copies) * len(tap_copies)),
        filters=_numbered(place.filters, filter_kinds * len(tap_copies)),
        taps=_numbered(place.taps, tap_kinds),
        pes=len(pixel_copies) * len(filter_copies) * len(tap_copies),
    )
    copies = (pixel_copies[:, None, None] * filter_copies[:, None] * tap_copies).reshape(-1)
    return Alike(place, pixels, filters, copies)


def _kinds(labels: Ints, extra: Ints, differ: bool) -> tuple[Ints, Ints, Ints]:
    """(indices of the first PE of each kind, kind of every index or -1 without a PE, PEs of each kind)."""
    walked = np.flatnonzero(labels[:, PE] >= 0)
    kind_of = np.full(len(labels), -1)
    numbers, pe = np.unique(labels[walked, PE], return_inverse=True)
    if differ:
        kind_of[walked] = pe
        return walked, kind_of, np.ones(len(numbers), dtype=np.int64)
    marks = np.column_stack([labels[walked, EPOCH], labels[walked, LANE], extra[walked]])
    order = np.lexsort((*marks.T, pe))
    bounds = np.searchsorted(pe[order], np.arange(len(numbers) + 1))
    known: dict[bytes, int] = {}
    kind = np.array(
        [known.setdefault(marks[order[bounds[i] : bounds[i + 1]]].tobytes(), len(known)) for i in range(len(numbers))]
    )
    _, first, copies = np.unique(kind, return_index=True, return_counts=True)
    kind_of[walked] = kind[pe]
    return walked[np.isin(pe, first)], kind_of, copies


def _numbered(labels: Ints, pe: Ints) -> Ints:
    labels = labels.copy()
    labels[:, PE] = pe
    return labels
