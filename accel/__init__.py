"""A cycle-approximate, event-driven simulator of DNN accelerators.

    net = workloads.load("alexnet")
    chip = accel.load("eyeriss_v1")
    report = accel.simulate(net, chip)
    report.to_frame()

Reading order: spec (the five parts), report (what comes out), evaluation (a network), simulation (a layer), lower (tile
schedule to tile program), machine (the five parts in motion), cost (energy), estimation and mapper (choosing mappings).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accel.estimation import estimate
    from accel.evaluation import Evaluation, evaluate, simulate
    from accel.mapper import map_layer
    from accel.report import LayerReport, Report
    from accel.spec import Accelerator, load
    from accel.sweeping import sweep

_PLACES = {
    "Accelerator": "accel.spec",
    "Evaluation": "accel.evaluation",
    "LayerReport": "accel.report",
    "Report": "accel.report",
    "estimate": "accel.estimation",
    "evaluate": "accel.evaluation",
    "load": "accel.spec",
    "map_layer": "accel.mapper",
    "simulate": "accel.evaluation",
    "sweep": "accel.sweeping",
}

__all__ = [
    "Accelerator",
    "Evaluation",
    "LayerReport",
    "Report",
    "estimate",
    "evaluate",
    "load",
    "map_layer",
    "simulate",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line answers without numba, pandas and simpy."""
    if name not in _PLACES:
        raise AttributeError(f"module 'accel' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
