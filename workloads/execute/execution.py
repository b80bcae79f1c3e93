"""What a run of a network on real values leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workloads.execute.quantised import Quantised
from workloads.layer import Layer


@dataclass(frozen=True, slots=True, eq=False)
class LayerRun:
    """One layer as it was computed: `layer` carries the integer operands of this very run.

    `weight_scales` is one scale an output channel (a product of two activations has one for all). The accumulators'
    range is that of the layer's sums with the bias, before activation and requantisation.
    """

    layer: Layer
    input_scale: float
    weight_scales: NDArray[np.float64]
    output_scale: float
    accumulator_min: int
    accumulator_max: int
    macs_on_zero: int
    macs_on_padding: int

    @property
    def accumulator_bits(self) -> int:
        """Width of a signed register that holds every final sum of this run."""
        return max(self.accumulator_max, -self.accumulator_min - 1, 0).bit_length() + 1

    @property
    def zero_share(self) -> float:
        """Share of the MACs whose activation is zero; see `Execution.zero_share`."""
        return _share(self.macs_on_zero, self.layer.macs)


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """Results of the network's last node and of every node nobody reads, and one run a layer.

    `activations` holds every node's quantised output, and the inputs, when they were asked for.
    """

    outputs: Mapping[str, NDArray[np.float64]]
    runs: Mapping[str, LayerRun]
    activations: Mapping[str, Quantised] = field(default_factory=dict)

    @property
    def result(self) -> NDArray[np.float64]:
        """The last node's output as real values."""
        return list(self.outputs.values())[-1]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order, each with its real operands."""
        return tuple(run.layer for run in self.runs.values())

    @property
    def zero_share(self) -> float:
        """Share of all MACs (those on padding among them) whose activation is an element of the input that is zero.

        Every element of a layer's input counts as often as it is used. Padding is not a zero activation here.
        """
        return _share(self.macs_on_zero, sum(run.layer.macs for run in self.runs.values()))

    @property
    def zero_share_inside(self) -> float:
        """The same share of those MACs that read no padding: neither an activation nor work."""
        inside = sum(run.layer.macs - run.macs_on_padding for run in self.runs.values())
        return _share(self.macs_on_zero, inside)

    @property
    def macs_on_zero(self) -> int:
        """MACs of all layers whose activation is a zero of the input."""
        return sum(run.macs_on_zero for run in self.runs.values())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def signal_to_noise_db(reference: NDArray[np.floating], value: NDArray[np.floating]) -> float:
    """10 log10 of the reference's power over the power of the difference; infinite when there is none."""
    noise = float(np.sum((np.asarray(reference, np.float64) - value) ** 2))
    signal = float(np.sum(np.asarray(reference, np.float64) ** 2))
    if noise == 0.0:
        return float("inf")
    return float(10.0 * np.log10(signal / noise)) if signal > 0.0 else float("-inf")
