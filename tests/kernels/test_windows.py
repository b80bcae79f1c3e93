"""Do the closed forms of overlapping windows count positions?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accel.kernels import windows
from tests.kernels import reference

counts, steps = st.integers(1, 9), st.integers(1, 7)


@given(counts, steps, counts, steps)
def test_distinct_positions(outputs: int, stride: int, taps: int, dilation: int) -> None:
    expected = reference.distinct_positions(outputs, stride, taps, dilation)
    assert windows.distinct_positions(outputs, stride, taps, dilation) == expected


@given(st.integers(0, 9), counts, steps, st.integers(0, 5), counts, steps, st.integers(0, 9), st.integers(1, 40))
def test_touched_positions(
    first: int, outputs: int, stride: int, tap: int, taps: int, dilation: int, padding: int, size: int
) -> None:
    given_case = (first, outputs, stride, tap, taps, dilation, padding, size)
    assert windows.touched_positions(*given_case) == reference.touched_positions(*given_case)


def test_by_hand() -> None:
    # 3 windows of 3 taps at stride 2: 0 1 2 . 2 3 4 . 4 5 6
    assert windows.distinct_positions(3, 2, 3, 1) == 7
    # 2 windows of 2 taps, stride 2, dilation 3: 0 3 . 2 5; a third at stride 3 shares one: 0 3 . 3 6 . 6 9
    assert windows.distinct_positions(2, 2, 2, 3) == 4
    assert windows.distinct_positions(3, 3, 2, 3) == 4
    # The same with one word of padding before an input of 5: -1 .. 5 loses both ends.
    assert windows.touched_positions(0, 3, 2, 0, 3, 1, 1, 5) == 5
