"""Colours, sizes and the way to a file, the same for all pictures."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from accel.output import write_bytes
from workloads.errors import InputError

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
"""M. Okabe, K. Ito, "Color Universal Design", 2008: eight colours that stay apart for colour-blind readers."""
GREY = "#999999"

CLASS_COLOURS = {
    "PE array": BLUE,
    "data buffer": SKY,
    "weight buffer": GREEN,
    "controller": YELLOW,
    "DMA and DRAM": VERMILION,
    "leakage": GREY,
    "MACs": BLUE,
    "buffer ports": SKY,
    "array fill": GREEN,
    "vector unit": BLACK,
    "wait: data": ORANGE,
    "wait: weights": VERMILION,
    "wait: output": PURPLE,
    "wait: controller": YELLOW,
    "DRAM: data": ORANGE,
    "DRAM: weights": VERMILION,
    "DRAM: output": PURPLE,
}
"""One colour for each class of energy, cycles and bottleneck, in every picture."""

TEXT_POINTS = 8.0
SMALL_POINTS = 6.5

SUFFIXES = (".png", ".pdf", ".svg")


def new_axes(width_inches: float, height_inches: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, its margins fitted to the labels."""
    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TEXT_POINTS, width=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def label_axes(axes: Axes, title: str, x: str, y: str) -> None:
    """Title at the left, and both axes named with their units."""
    axes.set_title(title, fontsize=TEXT_POINTS + 1, loc="left")
    axes.set_xlabel(x, fontsize=TEXT_POINTS)
    axes.set_ylabel(y, fontsize=TEXT_POINTS)


def save(figure: Figure, path: str | Path) -> None:
    """Write the picture whole or not at all, in the format of its suffix; the same figure gives the same bytes.

    Raises InputError for another suffix or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"is no kind of picture: needs a name ending in {', '.join(SUFFIXES)}", source=path)
    # Dates, versions and random names inside would make equal pictures differ.
    dated = {".png": "Software", ".pdf": "CreationDate", ".svg": "Date"}
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": "accel"}), warnings.catch_warnings():
        # A name in a script the font lacks, or too long to lay out, still makes a picture.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(content, format=suffix[1:], dpi=200, metadata={dated[suffix]: None})
    write_bytes(path, content.getvalue())
