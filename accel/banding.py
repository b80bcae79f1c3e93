"""One layer in bands: the search for a mapping whose outermost loops run over bands of its output map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accel.closed_form import costs
from accel.fit import buffer_bits, within_buffers
from accel.lower import turn_starts
from accel.objective import Objective, objective_value
from accel.residency import Residency
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from accel.tally import Tally
from accel.task import map_space
from mappings import Budget, Mapping, schedule, search
from mappings.bands import Bands, band_layer, bands_of, column_band_pixels, column_in_bands, in_bands
from mappings.column import MappingColumn
from workloads import InputError, Layer, Operand

Allowed = Callable[[Bands], bool]
"""Whether bands may be as large as these."""

_STEP_WEIGHT = 1e-7
_LOOKED_AT, _SIMULATED = 8, 2
"""Mappings of a search whose exact tiles are looked at, and those of them that are simulated."""


@dataclass(frozen=True, slots=True)
class BandedMapping:
    """A mapping whose `turn_loops` outermost off-chip loops run over `bands`.

    `standing_weight_bits` stay in the weight buffer from turn to turn.
    """

    layer: Layer
    mapping: Mapping
    turn_loops: int
    bands: Bands
    standing_weight_bits: int


@dataclass(frozen=True, slots=True)
class BandSearch:
    """What it takes to search: where, for what, and how long."""

    spec: Accelerator
    dataflow: str | None
    objective: Objective
    budget: Budget
    seed: int = 0

    def loose_rows(self, layer: Layer) -> int:
        """Rows by which a band may come out taller than asked for: one where pixels are flattened, or none."""
        columns = map_space(band_layer(layer, 1), self.spec, self.dataflow).seeds()
        return int(any("Q" in axis and "P" in axis for column in columns for _, axis in column.shape.loops))

    def estimate(self, layer: Layer, rows: int, residency: Residency, allowed: Allowed) -> Tally | None:
        """The best of the dataflows' own mappings of bands of about so many rows; None when none fits."""
        seeds = map_space(band_layer(layer, rows), self.spec, self.dataflow).seeds()
        best: tuple[float, Tally] | None = None
        for column in (_allowed_only(seed, layer, allowed) for seed in seeds):
            for hold in (False, True):
                found = costs(layer, column_in_bands(column, layer, hold), self.spec, residency)
                values = found.objective(self.objective)
                least = int(np.argmin(values)) if len(values) else 0
                if len(values) and values[least] < (np.inf if best is None else best[0]):
                    sums = (found.latency_cycles[least], found.energy_pj[least], found.dram_bits[least])
                    best = float(values[least]), Tally(*map(float, sums))
        return None if best is None else best[1]

    def find(
        self, layer: Layer, rows: int, residency: Residency, allowed: Allowed, in_turns: bool
    ) -> BandedMapping | None:
        """The best mapping found, of the best few by estimate the best simulated. `in_turns`: the array is shared."""
        layer = replace(layer, tensors=None)
        space = map_space(band_layer(layer, rows), self.spec, self.dataflow)

        def cost(column: MappingColumn) -> NDArray[np.float64]:
            values = np.full(len(column), np.inf)
            fine = _is_allowed(column, layer, allowed)
            if fine.any():
                kept = column.take(fine)
                values[fine] = np.minimum(
                    *(self._value(layer, column_in_bands(kept, layer, hold), residency) for hold in (False, True))
                )
            return values

        found = search(space, cost, budget=self.budget, seed=self.seed, keep=_LOOKED_AT)
        best: tuple[float, BandedMapping] | None = None
        simulated = 0
        for _, inner in found.ranked:
            for hold in (True, False):
                banded = self._banded(layer, inner, hold, residency, in_turns)
                if banded is None or simulated == _SIMULATED:
                    continue
                turns = replace(residency, turn_loops=banded.turn_loops if in_turns else 0)
                try:
                    result = simulate_layer(layer, banded.mapping, self.spec, seed=self.seed, residency=turns)
                except InputError:  # operands that are held coded may take more room than plain ones
                    continue
                simulated += 1
                value = objective_value(result.report, self.objective)
                if best is None or value < best[0]:
                    best = value, banded
        return None if best is None else best[1]

    def _value(self, layer: Layer, column: MappingColumn, residency: Residency) -> NDArray[np.float64]:
        """The objective; where maps on chip leave tiles of any size equal, fewer steps count as better."""
        found = costs(layer, column, self.spec, residency)
        return found.objective(self.objective) * (1 + _STEP_WEIGHT * found.steps)

    def _banded(
        self, layer: Layer, inner: Mapping, hold: bool, residency: Residency, in_turns: bool
    ) -> BandedMapping | None:
        """The mapping with loops over bands around it; None when its tiles do not fit."""
        mapping, loops = in_bands(inner, layer, hold)
        try:
            tiles = schedule(layer, mapping)
        except InputError:  # too many steps
            return None
        need = buffer_bits(tiles, self.spec, residency)
        if not within_buffers(need, self.spec):
            return None
        starts = turn_starts(tiles, loops)[1:]
        stays = tiles.stays[:, Operand.WEIGHT]
        stands = in_turns and bool((stays[starts] == stays[starts - 1]).any())
        standing = need[1] - residency.reserved_weight_bits if stands else 0
        return BandedMapping(layer, mapping, loops, bands_of(mapping, layer, loops), standing)


def _is_allowed(column: MappingColumn, layer: Layer, allowed: Allowed) -> NDArray[np.bool_]:
    pixels, by_image = column_band_pixels(column, layer)
    distinct, inverse = np.unique(pixels, return_inverse=True)
    fine = [allowed(Bands(layer.N, layer.P, layer.Q, int(size), by_image)) for size in distinct]
    found: NDArray[np.bool_] = np.array(fine, dtype=bool)[inverse.reshape(-1)]
    return found


def _allowed_only(column: MappingColumn, layer: Layer, allowed: Allowed) -> MappingColumn:
    return column.take(_is_allowed(column, layer, allowed))
