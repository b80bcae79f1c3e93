"""Runs a whole network on real values, in integers or in float64.

Reading order: quantised (a tensor as integers and a scale), requantise (from one scale to another by an integer
multiplier and a shift), convolve (layers), windows (pools), functions (what has no integer form), movement (what only
moves elements), weights (trained or drawn), wiring (activations to operands and back), float_forward, vector (what is
no layer, in integers), execution (what comes out), integer_forward.
"""

from __future__ import annotations

from workloads.execute.convolve import convolve_integers
from workloads.execute.execution import Execution, LayerRun, signal_to_noise_db
from workloads.execute.float_forward import float_forward
from workloads.execute.integer_forward import RunLayer, execute

__all__ = [
    "Execution",
    "LayerRun",
    "RunLayer",
    "convolve_integers",
    "execute",
    "float_forward",
    "signal_to_noise_db",
]
