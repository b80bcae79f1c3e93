"""The pictures in docs/, drawn by the tool itself: `python -m experiments.pictures`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from accel import Report, load
from accel.evaluation import evaluate
from accel.plots import cycles_by_layer, energy_by_layer, roofline, save
from experiments.start import start
from workloads import load as load_network

DOCS = Path(__file__).parent.parent / "docs"
PICTURES: Mapping[str, Callable[[Report], Figure]] = {
    "energy.png": energy_by_layer,
    "cycles.png": cycles_by_layer,
    "roofline.png": roofline,
}


def draw(directory: Path) -> list[Path]:
    """AlexNet on Eyeriss v1, as `make demo` draws it; the files written."""
    report = evaluate(load_network("alexnet"), load("eyeriss_v1")).report
    directory.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        save(picture(report), directory / name)
    return [directory / name for name in PICTURES]


def main() -> None:
    for path in draw(DOCS):
        print(path)


if __name__ == "__main__":
    start(main)
