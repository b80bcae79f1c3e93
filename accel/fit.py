"""Whether the tiles of a mapping fit the array and the buffers of an accelerator, and what they need there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from accel.encode import Geometry, Nest, machine_vector, pe_places, require_precision, widths
from accel.kernels import passes
from accel.kernels.links import BEFORE
from accel.planes import require_planes
from accel.residency import Residency
from accel.spec import Accelerator
from mappings import Mapping, TileSchedule
from workloads import InputError, Layer, Operand


@dataclass(frozen=True, slots=True)
class TileRoom:
    """Bits that the tiles of each operand need on chip at once, and those that something else takes up beside them.

    `unfinished`: outputs are partial sums. `accumulators`: outputs have a memory of their own, beside the data buffer.
    """

    inputs: int
    weights: int
    outputs: int
    kept_maps: int
    kept_weights: int
    unfinished: bool
    accumulators: bool

    @property
    def by_buffer(self) -> dict[str, dict[str, int]]:
        """What takes up bits of each buffer, by the field of the spec that says how large it is."""
        outputs = {"partial sums" if self.unfinished else "outputs": self.outputs}
        return {
            "data_buffer.kib": {"inputs": self.inputs}
            | ({} if self.accumulators else outputs)
            | {"maps kept on chip": self.kept_maps},
            "weight_buffer.kib": {"weights": self.weights, "weights kept on chip": self.kept_weights},
            "data_buffer.accumulator_kib": outputs if self.accumulators else {},
        }


# Asked for several times of one mapping, one after another; a layer remembered keeps its tensors alive.
@lru_cache(maxsize=4)
def held_operands(mapping: Mapping, layer: Layer, spec: Accelerator) -> tuple[bool, bool, bool]:
    """Which operands a full pass keeps in registers from its first cycle to its last."""
    axes = mapping.axes()
    nest = Nest.of(mapping, axes)
    geometry = Geometry.of(layer, axes, spec.pe_array.window_reuse)
    extent = np.array([min(mapping.pass_extent(axis), mapping.tile_extent(axis)) for axis in axes], dtype=np.int64)
    held = passes.tile_cost(
        extent, nest.loop_axis, np.ones_like(nest.loop_factor), nest.loop_block, nest.pass_extent,
        nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced, geometry.window,
        geometry.strides, machine_vector(spec, widths(layer.bits, spec), mapping),
        pe_places(mapping, axes, spec.pe_array), False, True, np.zeros((BEFORE, len(axes)), dtype=np.int64),
        0, 0, 0, False, np.zeros(passes.COUNTS, dtype=np.int64),
    )  # fmt: skip
    return bool(held & 1), bool(held & 2), bool(held & 4)


def require_fit(
    schedule: TileSchedule,
    spec: Accelerator,
    residency: Residency,
    coded_weight_bits: int | None = None,
    coded_input_bits: int | None = None,
) -> None:
    """Raise InputError naming the buffer, the operands and the least size that would do, when the tiles do not fit."""
    layer, mapping = schedule.layer, schedule.mapping
    require_array(mapping, layer, spec)
    room = tile_room(schedule, spec, residency, coded_weight_bits, coded_input_bits)
    for kib, (field, needs) in zip(sizes_kib(spec), room.by_buffer.items(), strict=True):
        if (bits := sum(needs.values())) > kib * 8192:
            least = -(-bits * 1000 // 8192) / 1000
            raise InputError(
                f"{field} = {kib:g} is too small for {_listed(needs.items())}: needs {least:.12g}",
                source=f"layer {layer.name} on {spec.name}, mapping {mapping.name}",
            )


def _listed(needs: Iterable[tuple[str, int]]) -> str:
    """What needs room, the largest first."""
    return " and ".join(f"{bits} bits of {what}" for what, bits in sorted(needs, key=lambda need: -need[1]) if bits)


def require_array(mapping: Mapping, layer: Layer, spec: Accelerator) -> None:
    """Raise InputError when a mapping asks for more PEs or accumulators than there are, or operands are too wide."""
    require_precision(layer, spec)
    array, width = spec.pe_array, widths(layer.bits, spec)
    lanes = array.lanes_at(width.input, width.weight)
    for level, there in (("rows", array.rows), ("columns", array.columns), ("lanes", lanes)):
        used = mapping.used(level)
        if used > there:
            where = f"layer {layer.name} on {spec.name}, mapping {mapping.name}"
            raise InputError(f"{level} unrolled {used} times over {there} {level}: use smaller factors", source=where)
    require_planes(mapping, layer, spec)


def buffer_bits(
    schedule: TileSchedule,
    spec: Accelerator,
    residency: Residency,
    coded_weight_bits: int | None = None,
    coded_input_bits: int | None = None,
) -> tuple[int, int, int]:
    """Bits the tiles need at once in the data buffer, the weight buffer and the accumulator memory: `tile_room`'s."""
    room = tile_room(schedule, spec, residency, coded_weight_bits, coded_input_bits)
    data, weight, sums = (sum(needs.values()) for needs in room.by_buffer.values())
    return data, weight, sums


def within_buffers(need: tuple[int, int, int], spec: Accelerator) -> bool:
    """Whether the memories hold what `buffer_bits` says."""
    return all(bits <= kib * 8192 for bits, kib in zip(need, sizes_kib(spec), strict=True))


def sizes_kib(spec: Accelerator) -> tuple[float, float, float]:
    """Of the data buffer, the weight buffer and the accumulator memory."""
    return spec.data_buffer.kib, spec.weight_buffer.kib, spec.data_buffer.accumulator_kib


def tile_room(
    schedule: TileSchedule,
    spec: Accelerator,
    residency: Residency,
    coded_weight_bits: int | None = None,
    coded_input_bits: int | None = None,
) -> TileRoom:
    """What the tiles need at once, whole numbers of them as `tiles_kept` says.

    `coded_weight_bits`, `coded_input_bits`: of the whole tensor, where its buffer holds it coded; a tile takes its
    share of them.
    """
    layer = schedule.layer
    width, held = widths(layer.bits, spec), schedule.held_words
    data_tiles, weight_tiles = tiles_kept(schedule.mapping, layer, spec)

    def bits(operand: Operand, each: int, coded: int | None) -> int:
        words = int(held[operand])
        return words * each if coded is None else -(-words * coded // layer.words(operand))

    unfinished = bool(schedule.accumulates.any()) or outputs_return(schedule.mapping)
    accumulators = bool(spec.data_buffer.accumulator_kib)
    outputs = int(held[Operand.OUTPUT]) * (width.psum if unfinished else width.output) * data_tiles
    return TileRoom(
        inputs=0 if residency.input else bits(Operand.INPUT, width.input, coded_input_bits) * data_tiles,
        weights=bits(Operand.WEIGHT, width.weight, coded_weight_bits) * weight_tiles,
        outputs=0 if residency.output and not unfinished and not accumulators else outputs,
        kept_maps=residency.reserved_bits,
        kept_weights=residency.reserved_weight_bits,
        unfinished=unfinished,
        accumulators=accumulators,
    )


def tiles_kept(mapping: Mapping, layer: Layer, spec: Accelerator) -> tuple[int, int]:
    """Tiles the data and the weight buffer hold at once: two when double-buffered.

    Weights that one pass takes whole into registers leave their place at once: the registers are the second buffer.
    """
    data = 2 if spec.data_buffer.double_buffered else 1
    one_pass = all(loop.axis[0] not in "GKCRS" or loop.factor == 1 for loop in mapping.on_chip)
    taken = one_pass and held_operands(mapping, layer, spec)[Operand.WEIGHT]
    weight = 2 if spec.weight_buffer.double_buffered and not taken else 1
    return data, weight


def outputs_return(mapping: Mapping) -> bool:
    """Whether outputs come back to the buffer: a reduced dimension is left unfinished by a pass."""
    return any(loop.factor > 1 and loop.axis[0] in "CRS" for loop in (*mapping.off_chip, *mapping.on_chip))
