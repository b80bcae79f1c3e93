"""How long arrays that skip zeros are expected to take, from densities alone: for the search, not for the report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.closed_form import Costs
from accel.known_zeros import KnownZeros
from accel.spec import Accelerator
from accel.transfer import TransferTiming
from mappings import axis_extent
from mappings.column import MappingColumn
from workloads import Layer

Floats = NDArray[np.float64]


def skipping_objective(
    name: str, found: Costs, layer: Layer, column: MappingColumn, spec: Accelerator, zeros: KnownZeros
) -> NDArray[np.float64]:
    """`Costs.objective`, with the latency that independent zeros leave to be expected.

    Not for PEs that walk columns of weights: these are ranked as on dense operands. Structured weights are taken to
    have their structure: a mapping that lets them is as good for others.
    """
    styles = ("inner", "structured", "plane")
    if not spec.pe_array.skips or spec.pe_array.matching.style not in styles or name in ("energy", "dram"):
        return found.objective(name)
    plane = spec.pe_array.matching.style == "plane"
    dense, skipped = (_plane_cycles if plane else _mac_cycles)(layer, column, spec)
    least = found.dram_bits / TransferTiming.of(spec).peak_bits_per_cycle
    issued = zeros.issued_macs / layer.macs
    latency = np.maximum(np.maximum(found.latency_cycles - dense * issued, 0.0) + skipped, least)
    return np.where(found.fits, latency * (found.energy_pj if name == "edp" else 1.0), np.inf)


def _mac_cycles(layer: Layer, column: MappingColumn, spec: Accelerator) -> tuple[Floats, Floats]:
    """(cycles without zeros, expected cycles): a chunk of `length` positions has a binomial number of useful ones.

    Units that wait for each other take what the slowest of so many normal variables is expected to take, about
    sqrt(2 log units) deviations above the mean.
    """
    array, matching, density = spec.pe_array, spec.pe_array.matching, layer.density
    handling = array.zero_handling
    structured = matching.style == "structured"
    useful = (density.input if handling.input == "skip" else 1.0) * (density.weight if handling.weight == "skip" else 1)

    passes = _product(column, "off_chip on_chip")
    outputs, filters = _product(column, "registers", reduced=False), _product(column, "registers", dims="GK")
    together = matching.width > 1
    shared = _product(column, "rows columns" if together else "rows columns lanes", reduced=True)
    volume = float(np.prod([axis_extent(layer, dim) for dim in "CRS"]))
    within = _product(column, "registers rows columns lanes", reduced=True)
    positions = np.maximum(1.0, np.minimum(within, volume) / shared)
    length = np.minimum(positions, min(matching.chunk, layer.C)) if matching.chunk else positions
    chunks = np.ceil(positions / length)
    mean = length * useful / matching.width + (0.5 if together else 0.0)
    mean = np.minimum(np.maximum(mean, matching.least), np.ceil(length / matching.width))
    if structured:
        useful, mean = 0.0, np.ceil(length * matching.n / (matching.width * matching.m))
    variance = length * useful * (1 - useful) / matching.width**2
    waits = {"pass": np.ones_like(outputs), "window": outputs / filters, "chunk": outputs / filters * chunks}
    number = waits[array.barrier]
    each = outputs * chunks / number
    units = max(1, (array.lockstep if array.slack else array.rows * array.columns) * (1 if together else array.lanes))
    slowest = each * mean + np.sqrt(2 * np.log(units) * each * variance)
    dense = passes * _product(column, "registers")
    return dense, passes * number * np.minimum(slowest, each * length)


def _plane_cycles(layer: Layer, column: MappingColumn, spec: Accelerator) -> tuple[Floats, Floats]:
    """(cycles without zeros, expected cycles) of PEs that multiply vectors of a channel's inputs and weights.

    Words of another phase of a stride are another channel. Lanes take indices of the plane or of filters: they are
    filled by vectors of what a PE has of both.
    """
    matching, handling, density = spec.pe_array.matching, spec.pe_array.zero_handling, layer.density
    phases = float(min(layer.stride[0], layer.R) * min(layer.stride[1], layer.S))
    pixels = _product(column, "registers lanes", dims="NPQ")
    weights = _product(column, "registers lanes", dims="GK") * layer.R * layer.S / phases
    channels = _product(column, "registers lanes", dims="C") * phases
    passes = _product(column, "off_chip on_chip")
    vectors = _vectors(pixels, density.input if handling.input == "skip" else 1.0, matching.inputs)
    vectors = vectors * _vectors(weights, density.weight if handling.weight == "skip" else 1.0, matching.weights)
    return passes * _product(column, "registers"), passes * channels * vectors


def _vectors(words: Floats, density: float, width: int) -> Floats:
    """Expected vectors of `width` nonzeros: the last of them is filled by half, where there is one."""
    if density == 1.0:
        return np.ceil(words / width)
    some = 1.0 - (1.0 - density) ** words
    return np.minimum(np.ceil(words / width), words * density / width + (width - 1) / (2 * width) * some)


def _product(column: MappingColumn, levels: str, reduced: bool | None = None, dims: str = "") -> Floats:
    """Of the factors at some levels: all, those of reduced axes or of others, or those of some dimensions."""
    places = [
        position
        for position, (level, axis) in enumerate(column.shape.loops)
        if level in levels.split()
        and (reduced is None or (axis[0] in "CRS") == reduced)
        and (not dims or axis[0] in dims)
    ]
    result: Floats = column.factors[:, places].astype(np.float64).prod(axis=1)
    return result
