"""A layer to map on an accelerator: what is wished for, the mappings there are, and which of them can fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accel.encode import widths
from accel.known_zeros import KnownZeros
from accel.mapping_cache import MappingCache, cache_key
from accel.objective import OBJECTIVES, WHOLE, Objective
from accel.occupancy import occupancy
from accel.residency import NOWHERE, Residency
from accel.spec import Accelerator
from accel.spec.errors import shown
from mappings import ArrayShape, Budget, Footprint, Mapping, MapSpace
from mappings.dataflows import DATAFLOWS
from mappings.footprint import Fits, anything_fits
from workloads import Bits, InputError, Layer
from workloads.plain import plain

QUICK = Budget(mappings=10_000)
"""What a run of a whole network spends on each layer beyond the candidates of the dataflows."""
_NATIVE = Bits()


def array_shape(spec: Accelerator, bits: Bits = _NATIVE) -> ArrayShape:
    """What the dataflows may know of an accelerator at operands of so many bits, its native ones unless stated."""
    array, width = spec.pe_array, widths(bits, spec)
    lanes = array.lanes_at(width.input, width.weight)
    return ArrayShape(array.rows, array.columns, lanes, *array.registers.words, bypass=array.bypass)


def map_space(layer: Layer, spec: Accelerator, dataflow: str | None = None, fits: Fits = anything_fits) -> MapSpace:
    """The space of a dataflow, of all dataflows of the accelerator (None), or of everything ("any")."""
    named = (dataflow,) if dataflow else spec.mapping.dataflows
    return MapSpace(layer, array_shape(spec, layer.bits), fits, None if dataflow == "any" else named)


def fits_buffers(layer: Layer, spec: Accelerator, residency: Residency, weight_share: float = 1.0) -> Fits:
    """Whether tiles can fit the buffers, for weights that take `weight_share` of their plain bits there.

    Tiles that it refuses fit on no account; a few of the others do not fit either, when weights of a single pass stay
    in the buffer because the registers cannot take them.
    """
    width = widths(layer.bits, spec)
    data, weight = spec.data_buffer, spec.weight_buffer
    data_tiles, weight_tiles = (2 if buffer.double_buffered else 1 for buffer in (data, weight))

    def fits(footprint: Footprint) -> NDArray[np.bool_]:
        inputs, weights, outputs = footprint.words.T
        need = np.full(len(inputs), residency.reserved_bits)
        if not residency.input:
            need += inputs * (width.input * data_tiles)
        sums = outputs * np.where(footprint.unfinished, width.psum, width.output) * data_tiles
        kept = weights * np.where(footprint.one_weight_pass, 1, weight_tiles) * width.weight
        fitting: NDArray[np.bool_] = kept * weight_share + residency.reserved_weight_bits <= weight.kib * 8192
        if data.accumulator_kib:
            fitting &= sums <= data.accumulator_kib * 8192
        else:
            need += np.where(footprint.unfinished | (not residency.output), sums, 0)
        return fitting & (need <= data.kib * 8192)

    return fits


def require_wishes(objective: object, budget: object, seed: object) -> None:
    """Raise InputError for an objective that there is not, what is no `Budget`, or a seed that is no whole number."""
    if objective not in OBJECTIVES:
        raise InputError(f"objective = {shown(objective)}: needs one of {', '.join(OBJECTIVES)}")
    if not isinstance(budget, Budget):
        raise InputError(f"budget = {shown(budget)}: needs a Budget, like Budget(mappings=1000) or Budget(seconds=2)")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"seed = {shown(seed)}: needs a whole number from 0 up")


@dataclass(frozen=True, slots=True)
class Task:
    """A layer to map on an accelerator.

    dataflow: a name, all of the accelerator (None), or everything ("any"). budget: how long to search the space of each
    dataflow; seconds are shared among them.
    """

    layer: Layer
    spec: Accelerator
    dataflow: str | None = None
    objective: Objective = "edp"
    residency: Residency = NOWHERE
    budget: Budget = QUICK
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", plain(self.seed))
        require_wishes(self.objective, self.budget, self.seed)

    @property
    def families(self) -> tuple[str, ...]:
        """The spaces to search one by one: what any of them finds, the whole finds too."""
        if self.dataflow == "any":
            return (*DATAFLOWS, "any")
        return (self.dataflow,) if self.dataflow else self.spec.mapping.dataflows

    @property
    def share(self) -> Budget:
        """What of the budget each of the spaces has: all mappings, but its part of the seconds."""
        seconds = self.budget.seconds
        return self.budget if seconds is None else replace(self.budget, seconds=seconds / len(self.families))

    @property
    def whole_costs(self) -> bool:
        """Whether the search counts whole cycles or bits; cycles that are expected where zeros are skipped are not."""
        return self.objective in WHOLE and not (self.objective == "latency" and self.spec.pe_array.skips)

    def require_dataflow(self, mapping: Mapping) -> None:
        """Raise InputError when a mapping is of a dataflow that is not searched; "any" has them all."""
        if self.dataflow != "any" and mapping.name not in self.families:
            raise InputError(
                f'not of {", ".join(self.families)}: needs such a name, or the dataflow "any"',
                source=f"layer {self.layer.name} on {self.spec.name}, mapping {mapping.name}",
            )

    def known_zeros(self) -> KnownZeros:
        """What the layer's zeros save, as the accelerator makes use of them."""
        found = occupancy(self.layer, widths(self.layer.bits, self.spec), self.spec, self.seed)
        return KnownZeros.of(self.layer, found, self.spec)

    def recall(self, cache: MappingCache | None) -> Mapping | None:
        """The mapping that an equal task has stored."""
        return cache.find(self._key(), self.layer) if cache else None

    def keep(self, cache: MappingCache | None, mapping: Mapping) -> None:
        """Store the mapping for equal tasks."""
        if cache:
            cache.store(self._key(), mapping)

    def _key(self) -> str:
        wishes = (self.dataflow, self.objective, self.residency, self.budget, self.seed)
        return cache_key(self.layer, self.spec, *wishes)
