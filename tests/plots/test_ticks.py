"""Are the ticks of logarithmic axes labelled, enough of them, and alike?"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.plots.style import TEXT_POINTS, new_axes
from accel.plots.ticks import label_log_ticks

PLAIN, POWER = r"\d+(\.\d+)?", r"\$(\d\\times )?10\^\{-?\d+\}\$"


def labels_of(low: float, high: float) -> list[str]:
    """Those within the limits, the minor ones too."""
    figure, axes = new_axes(4.0, 3.0)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    label_log_ticks(axes)
    figure.draw_without_rendering()
    axis = axes.yaxis
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    shown = [tick.label1 for tick in ticks if tick.label1.get_text() and low <= tick.get_loc() <= high]
    assert {text.get_fontsize() for text in shown} <= {TEXT_POINTS}
    return [text.get_text() for text in shown]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.5, 200.0, ["1", "10", "100"]),
        (26.0, 768.0, ["50", "100", "200", "500"]),
        (35.0, 64.0, ["40", "50", "60"]),
        (0.0009, 0.2, ["0.001", "0.01", "0.1"]),
    ],
)
def test_powers_of_ten_are_labelled_and_more_where_they_are_few(low: float, high: float, expected: list[str]) -> None:
    assert labels_of(low, high) == expected


def test_axes_to_another_base_and_linear_ones_are_left_alone() -> None:
    _, axes = new_axes(4.0, 3.0)
    axes.set_xscale("log", base=2)
    axes.set_xlim(1.0, 64.0)
    axes.set_ylim(0.0, 3.0)
    before = axes.xaxis.get_major_locator(), axes.yaxis.get_major_locator()
    label_log_ticks(axes)
    assert (axes.xaxis.get_major_locator(), axes.yaxis.get_major_locator()) == before


@settings(max_examples=40)
@given(st.floats(1e-12, 1e12), st.floats(2.0, 1e10))
def test_labels_are_all_plain_or_all_powers(low: float, times: float) -> None:
    found = labels_of(low, low * times)
    assert found
    assert len(set(found)) == len(found)
    assert any(all(re.fullmatch(form, label) for label in found) for form in (PLAIN, POWER))
