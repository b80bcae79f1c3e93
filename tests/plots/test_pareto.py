"""Is the front exactly the points that nothing beats?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accel.plots import pareto_front

# Few values, so that ties and equal points are frequent.
costs = st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e12), st.just(float("nan")))


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and one != other


@given(st.lists(st.tuples(costs, costs), max_size=40))
def test_the_front_is_what_nothing_beats(points: list[tuple[float, float]]) -> None:
    finite = [point for point in points if np.isfinite(point).all()]
    expected = [bool(np.isfinite(point).all()) and not any(beats(other, point) for other in finite) for point in points]
    found = pareto_front([x for x, _ in points], [y for _, y in points])
    assert found.tolist() == expected
