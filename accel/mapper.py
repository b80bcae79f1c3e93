"""The automatic mapping: cost every candidate of the accelerator's dataflows, keep the best that fits."""

from __future__ import annotations

from typing import Literal

import numpy as np

from accel.estimate import estimate
from accel.lower import NOWHERE, Residency, buffer_bits, require_fit
from accel.spec import Accelerator
from mappings import Mapping, schedule
from mappings.column import MappingColumn
from mappings.dataflows import ArrayShape, candidates
from workloads import InputError, Layer

Objective = Literal["latency", "energy", "edp", "dram"]

_CONFIRMED = 8
"""Best candidates whose tiles are checked exactly: the estimate's footprints may be a little too large or small."""


def array_shape(spec: Accelerator) -> ArrayShape:
    """What the dataflows may know of an accelerator."""
    array = spec.pe_array
    registers = array.registers
    return ArrayShape(array.rows, array.columns, array.lanes, registers.input, registers.weight, registers.output)


def map_layer(
    layer: Layer,
    spec: Accelerator,
    *,
    dataflow: str | None = None,
    objective: Objective = "edp",
    residency: Residency = NOWHERE,
) -> Mapping:
    """The best mapping of a layer over the accelerator's dataflows, or over one of them.

    Raises InputError naming the buffer and the least size that would do when no candidate fits.
    """
    ranked: list[tuple[float, int, MappingColumn, int]] = []
    smallest: tuple[int, MappingColumn, int] | None = None
    for name in (dataflow,) if dataflow else spec.mapping.dataflows:
        for column in candidates(name, layer, array_shape(spec)):
            found = estimate(layer, column, spec, residency)
            values = found.objective(objective)
            for row in np.argsort(values, kind="stable")[:_CONFIRMED]:
                if np.isfinite(values[row]):
                    ranked.append((float(values[row]), len(ranked), column, int(row)))
            least = int(np.argmin(found.held_words))
            size = int(found.held_words[least])
            if smallest is None or size < smallest[0]:
                smallest = (size, column, least)
    for _, _, column, row in sorted(ranked, key=lambda entry: entry[:2])[: 4 * _CONFIRMED]:
        mapping = column[row]
        tiles = schedule(layer, mapping)
        need = buffer_bits(tiles, spec, residency)
        have = (spec.data_buffer.kib, spec.weight_buffer.kib, spec.data_buffer.accumulator_kib)
        if all(bits <= kib * 8192 for bits, kib in zip(need, have, strict=True)):
            return mapping
    if smallest is None:
        tried = dataflow or ", ".join(spec.mapping.dataflows)
        raise InputError(f"no mapping of {tried} covers layer {layer.name}", source=spec.name)
    mapping = smallest[1][smallest[2]]
    require_fit(schedule(layer, mapping), spec, residency)
    return mapping
