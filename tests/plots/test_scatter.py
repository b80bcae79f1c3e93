"""Does the picture of a sweep show and name its points, and its front?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from accel import plots
from accel.plots.sweep_labels import short_name
from accel.spec import Accelerator
from accel.spec.errors import field_paths


def test_a_sweep_shows_its_front_and_leaves_failures_out() -> None:
    frame = pd.DataFrame(
        {
            "network": ["a"] * 4,
            "accelerator": ["chip"] * 4,
            "pe_array.rows": [8, 16, 32, 64],
            "latency_ms": [4.0, 2.0, 3.0, float("nan")],
            "energy_pj": [1e9, 2e9, 3e9, float("nan")],
            "error": ["", "", "", "too small"],
        }
    )
    frame.attrs["swept"] = ["pe_array.rows"]
    axes = plots.energy_latency_scatter(frame).axes[0]
    assert sorted(point for dots in axes.collections for point in np.asarray(dots.get_offsets()).tolist()) == [
        [2.0, 2.0],
        [3.0, 3.0],
        [4.0, 1.0],
    ]
    (front,) = axes.get_lines()
    assert sorted(np.asarray(front.get_xydata()).tolist()) == [[2.0, 2.0], [4.0, 1.0]]
    assert {text.get_text() for text in axes.texts} == {"rows 16", "rows 8"}


def two_by_two() -> pd.DataFrame:
    """Two networks on two accelerators with two fields that end alike; the second accelerator is better in all."""
    rows = [
        (network, chip, data, weight, place * times + weight / 100, place * times - weight / 100, "")
        for network, times in (("a", 2.0), ("b", 4.0))
        for chip, place in (("slow", 3.0), ("fast", 1.0))
        for data, weight in ((64, 32), (64, 64))
    ]
    columns = ["network", "accelerator", "data_buffer.kib", "weight_buffer.kib", "latency_ms", "energy_pj", "error"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["energy_pj"] *= 1e9
    frame.attrs["swept"] = ["data_buffer.kib", "weight_buffer.kib"]
    return frame


def test_a_sweep_of_several_accelerators_names_them_and_tells_fields_apart() -> None:
    axes = plots.energy_latency_scatter(two_by_two()).axes[0]
    found = [text.get_text().replace(",\n", ", ") for text in axes.texts]
    expected = [f"fast, data_buffer.kib 64, weight_buffer.kib {kib}" for kib in (32, 64)]
    assert sorted(found) == sorted(expected * 2)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "slow", "fast", "Pareto front"]


def test_colours_tell_networks_and_markers_accelerators() -> None:
    axes = plots.energy_latency_scatter(two_by_two()).axes[0]
    looks = {
        (
            tuple(np.asarray(dots.get_facecolor())[0].tolist()),
            np.asarray(dots.get_paths()[0].vertices).tobytes(),
        ): np.asarray(dots.get_offsets())[:, 0].max()
        for dots in axes.collections
    }
    assert sorted(looks.values()) == [2.64, 4.64, 6.64, 12.64]
    colours, shapes = ({look[part] for look in looks} for part in (0, 1))
    assert len(colours) == len(shapes) == 2


def test_labels_of_a_sweep_keep_off_its_front_and_its_rings() -> None:
    count = 9
    frame = pd.DataFrame(
        {
            "network": "a",
            "accelerator": ["one", "two", "three"] * 3,
            "latency_ms": [10.0 / (n + 1) for n in range(count)],
            "energy_pj": [1e9 * (2 + n) for n in range(count)],
            "error": "",
        }
    )
    figure = plots.energy_latency_scatter(frame)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (front,) = axes.get_lines()
    assert len(axes.texts) == count
    steps = axes.transData.transform(front.get_path().interpolated(1).vertices)
    corners = [(steps[0])]
    for one, other in pairwise(steps):
        corners += [np.array([other[0], one[1]]), other]
    line = np.vstack([np.linspace(one, other, 300) for one, other in pairwise(corners)])
    ring = front.get_markersize() / 2 * figure.dpi / 72
    for text in axes.texts:
        box = Text.get_window_extent(text)
        assert not any(box.contains(*place) for place in line)
        nearest = np.clip(steps, [box.x0, box.y0], [box.x1, box.y1])
        assert np.hypot(*(nearest - steps).T).min() >= ring


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data_buffer.kib", "data_buffer.kib"),
        ("dma.codec.input", "codec.input"),
        ("pe_array.rows", "rows"),
        ("clock_mhz", "clock_mhz"),
    ],
)
def test_fields_have_the_shortest_name_that_no_other_has(path: str, name: str) -> None:
    paths = ["data_buffer", "data_buffer.kib", "weight_buffer.kib", "dma.codec.input", "dma.rates.input"]
    assert short_name(path, [*paths, "pe_array.rows", "clock_mhz", "arrows"]) == name


def test_every_field_of_an_accelerator_has_a_name_of_its_own() -> None:
    paths = list(field_paths(Accelerator))
    names = [short_name(path, paths) for path in paths]
    assert len(set(names)) == len(paths)
    assert all(path == name or path.endswith(f".{name}") for path, name in zip(paths, names, strict=True))


@pytest.mark.parametrize("times", [1.01, 15.0, 40.0])
def test_all_markers_of_a_sweep_are_whole(times: float) -> None:
    """Alike or not, from zero or not: no point lies within a marker of the end of an axis."""
    latency, energy = [1.0, times], [times * 1e9, 1e9]
    frame = pd.DataFrame(
        {"network": "a", "accelerator": "chip", "latency_ms": latency, "energy_pj": energy, "error": ["", ""]}
    )
    figure = plots.energy_latency_scatter(frame)
    axes = figure.axes[0]
    (front,) = axes.get_lines()
    half = front.get_markersize() / 2 * figure.dpi / 72
    box = axes.get_window_extent()
    for x, y in axes.transData.transform(np.asarray(front.get_xydata())).tolist():
        assert box.x0 + half < x < box.x1 - half
        assert box.y0 + half < y < box.y1 - half


def test_a_sweep_in_which_all_failed_says_so() -> None:
    frame = pd.DataFrame({"network": ["a"], "accelerator": ["c"], "error": ["too small"]})
    (text,) = plots.energy_latency_scatter(frame).axes[0].texts
    assert "no point" in text.get_text()
