"""Does a unit get as many indices as the assignment deals it?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accel.assignment import PE, axis_labels
from accel.kernels.unit_share import dealt_to_units
from mappings import Loop, Mapping


@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_the_fullest_pe_and_how_many_are_as_full(
    indices: int, rows: int, columns: int, lanes: int, in_runs: bool
) -> None:
    spread = (Loop("K", rows),), (Loop("K", columns),), (Loop("K", lanes),)
    rounds = -(-indices // (rows * columns * lanes))
    mapping = Mapping("dealt", registers=(Loop("K", rounds),), rows=spread[0], columns=spread[1], lanes=spread[2])
    labels = axis_labels(mapping, "K", indices, "blocked" if in_runs else "interleaved")
    shares = np.bincount(labels[:, PE], minlength=rows * columns)
    most, units = dealt_to_units(indices, rows * columns, lanes, in_runs)
    assert most == shares.max()
    # Where lanes do not divide what is left, a PE with a part of them has less.
    assert units == np.count_nonzero(shares == most)
