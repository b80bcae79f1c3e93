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

    Only for PEs that match an output's inputs and weights; others are ranked as on dense operands. Structured weights
    are taken to have their structure: a mapping that lets them is as good for others.
    """
    styles = ("inner", "structured")
    if not spec.pe_array.skips or spec.pe_array.matching.style not in styles or name in ("energy", "dram"):
        return found.objective(name)
    dense, skipped = _mac_cycles(layer, column, spec)
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

    def product(levels: str, reduced: bool | None = None, dims: str = "") -> Floats:
        places = [
            position
            for position, (level, axis) in enumerate(column.shape.loops)
            if level in levels.split()
            and (reduced is None or (axis[0] in "CRS") == reduced)
            and (not dims or axis[0] in dims)
        ]
        result: Floats = column.factors[:, places].astype(np.float64).prod(axis=1)
        return result

    passes = product("off_chip on_chip")
    outputs, filters = product("registers", reduced=False), product("registers", dims="GK")
    together = matching.width > 1
    shared = product("rows columns" if together else "rows columns lanes", reduced=True)
    volume = float(np.prod([axis_extent(layer, dim) for dim in "CRS"]))
    within = product("registers rows columns lanes", reduced=True)
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
    dense = passes * product("registers")
    return dense, passes * number * np.minimum(slowest, each * length)
