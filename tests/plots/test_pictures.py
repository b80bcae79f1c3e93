"""Do the pictures show what the report says, legibly?"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from accel import plots
from accel.report import Report
from tests.plots.reports import large, layer, report, small, vector
from workloads import InputError


def heights(figure: Figure) -> dict[int, float]:
    """Sum of the stacked bars at each place."""
    found: dict[int, float] = defaultdict(float)
    for patch in figure.axes[0].patches:
        assert isinstance(patch, Rectangle)
        found[round(patch.get_x() + patch.get_width() / 2)] += patch.get_height()
    return found


@pytest.mark.parametrize("shown", [small(), large()], ids=["small", "large"])
def test_energy_bars_add_up_to_the_energy_of_each_layer(shown: Report) -> None:
    figure = plots.energy_by_layer(shown)
    assert "mJ" in figure.axes[0].get_ylabel()
    expected = {place: pytest.approx(row.energy_pj * 1e-9) for place, row in enumerate(shown.layers)}
    assert heights(figure) == expected


@pytest.mark.parametrize("shown", [small(), large()], ids=["small", "large"])
def test_cycle_bars_add_up_to_the_latency_of_each_layer(shown: Report) -> None:
    figure = plots.cycles_by_layer(shown)
    assert "thousand cycles" in figure.axes[0].get_ylabel()
    expected = {place: pytest.approx(row.latency_cycles / 1e3) for place, row in enumerate(shown.layers)}
    assert heights(figure) == expected


def test_cycles_name_every_stall_and_the_vector_unit() -> None:
    legend = plots.cycles_by_layer(small()).axes[0].get_legend()
    assert legend is not None
    names = {text.get_text() for text in legend.get_texts()}
    waits = {"wait: data", "wait: weights", "wait: output", "wait: controller"}
    assert names == waits | {"MACs", "buffer ports", "array fill", "vector unit"}


@pytest.mark.parametrize("draw", [plots.energy_by_layer, plots.cycles_by_layer])
def test_names_of_seventy_layers_do_not_overlap(draw: object) -> None:
    assert callable(draw)
    figure = draw(large())
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert len(boxes) == 70
    for left, right in pairwise(boxes):
        assert left.x1 <= right.x0
    assert all(box.y0 >= 0 for box in boxes)


def test_the_roofline_places_layers_where_their_counts_say() -> None:
    figure = plots.roofline(small())
    axes = figure.axes[0]
    points = sorted(point for dots in axes.collections for point in np.asarray(dots.get_offsets()).tolist())
    expected = sorted(
        [row.macs * 8 / row.dram_bits, row.macs / row.latency_cycles] for row in small().layers if row.macs
    )
    # Points that would stand closer than a hundredth of a decade are one.
    for point, place in zip(points, expected, strict=True):
        assert point == pytest.approx(place, rel=0.02)


def test_the_roof_is_the_peak_and_the_dram() -> None:
    (line,) = plots.roofline(small()).axes[0].get_lines()
    (x0, y0), (ridge, peak), (_, end) = np.asarray(line.get_xydata()).tolist()
    assert peak == end == 168
    assert ridge == pytest.approx(168 / 2.4)
    assert y0 / x0 == pytest.approx(2.4)


def _labels(figure: Figure) -> list[Annotation]:
    return [text for text in figure.axes[0].texts if isinstance(text, Annotation)]


def test_every_layer_is_named_on_the_roofline() -> None:
    few = " ".join(label.get_text() for label in _labels(plots.roofline(small())))
    assert "conv1" in few
    assert "conv2" in few
    many = plots.roofline(large())
    key = "\n".join(label.get_text() for label in _labels(many))
    for row in large().layers:
        assert re.search(rf"^\s?\d+  {re.escape(row.layer)}$", key, re.MULTILINE)


def test_labels_of_the_roofline_stand_apart() -> None:
    rows = [layer(f"conv{n}", macs=1_000_000 + 40_000 * n) for n in range(8)]
    figure = plots.roofline(report(*rows))
    figure.draw_without_rendering()
    # Of the text alone: an annotation's own extent includes its line to the point.
    boxes = [Text.get_window_extent(label) for label in _labels(figure) if "conv" in label.get_text()]
    assert len(boxes) == 8
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


def test_a_layer_without_dram_traffic_is_shown_too() -> None:
    inside = layer("resident", dram_read_input_bits=0, dram_write_output_bits=0)
    text = " ".join(label.get_text() for label in _labels(plots.roofline(report(layer("conv1"), inside))))
    assert "resident" in text


NOTE = "layers above the roof count MACs that were skipped"


@pytest.mark.parametrize("times", [3, 30])
def test_layers_above_the_roof_are_whole_and_explained(times: int) -> None:
    """Skipped MACs take no cycles: a layer can do more of them in a cycle than there are multipliers."""
    above = layer("sparse", macs=times * 168 * 17_600, skipped_macs=times * 168 * 17_000)
    figure = plots.roofline(report(layer("conv1"), above))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    spots = [spot for dots in axes.collections for spot in axes.transData.transform(dots.get_offsets()).tolist()]
    box = axes.get_window_extent()
    assert len(spots) == 2
    for x, y in spots:
        assert box.x0 < x < box.x1 and box.y0 < y < box.y1
    notes = [text for text in axes.texts if text.get_text().startswith(NOTE)]
    assert len(notes) == 1
    extent = notes[0].get_window_extent()
    assert not extent.overlaps(box)
    (title,) = (text for text in axes.findobj(Text) if text.get_text() == axes.get_title(loc="left"))
    assert not extent.overlaps(title.get_window_extent())


@pytest.mark.parametrize("given", [{}, {"skipped_macs": 900_000}])
def test_layers_under_the_roof_need_no_note(given: dict[str, int]) -> None:
    assert not any(label.get_text().startswith(NOTE) for label in _labels(plots.roofline(report(layer("a", **given)))))


@pytest.mark.parametrize("shown", [report(), report(vector("pool"))], ids=["no layer", "no MACs"])
def test_a_roofline_without_layers_says_so(shown: Report) -> None:
    texts = plots.roofline(shown).axes[0].texts
    assert [text for text in texts if text.get_text() == "no layer has MACs"]
    assert not [text for text in plots.roofline(small()).axes[0].texts if "no layer" in text.get_text()]


@pytest.mark.parametrize("draw", [plots.energy_by_layer, plots.cycles_by_layer, plots.roofline])
@pytest.mark.parametrize("shown", [report(), report(vector("pool"))], ids=["no layer", "no MACs"])
def test_a_report_without_macs_has_pictures(draw: object, shown: Report, tmp_path: Path) -> None:
    assert callable(draw)
    plots.save(draw(shown), tmp_path / "picture.png")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_saving_twice_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        plots.save(plots.energy_by_layer(small()), tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs a name ending in \.png"):
        plots.save(plots.energy_by_layer(small()), tmp_path / "picture.bmp")
    assert list(tmp_path.iterdir()) == []


def test_pyplot_is_never_imported() -> None:
    code = (
        "import sys; from accel import plots; from tests.plots.reports import small; plots.roofline(small());"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
