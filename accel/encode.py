"""Layer, mapping and PE array as the integer arrays the kernels take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.kernels import array_fields
from accel.spec import Accelerator, PEArray
from mappings import Loop, Mapping, axis_relevant
from mappings.mapping import registers_used
from workloads.errors import InputError
from workloads.layer import OPERAND_NAMES, REDUCED, Bits, Layer, Operand

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Widths:
    """Bits of each kind of word of a layer on a machine."""

    input: int
    weight: int
    output: int
    psum: int

    @property
    def of(self) -> tuple[int, int, int]:
        """By operand, finished outputs for OUTPUT."""
        return (self.input, self.weight, self.output)


def widths(bits: Bits, spec: Accelerator) -> Widths:
    """The layer's own widths where it states them, the array's native ones elsewhere."""
    native = spec.pe_array.bits
    output = bits.output or native.output
    return Widths(bits.input or native.input, bits.weight or native.weight, output, max(native.psum, output))


def require_precision(layer: Layer, spec: Accelerator) -> None:
    """Raise InputError when the multipliers cannot take operands as wide as the layer's."""
    width, array = widths(layer.bits, spec), spec.pe_array
    problem = array.precision.problem((width.input, width.weight), array.native)
    if problem:
        raise InputError(problem, source=f"layer {layer.name} on {spec.name}")


def machine_vector(spec: Accelerator, width: Widths, mapping: Mapping | None = None) -> Ints:
    """The PE array and its ports as `kernels.passes` reads them.

    Operands travel through all rows and columns, or with bypasses through those that the mapping uses: through one of
    each where that is for others to say (None). A mapping may make use of fewer registers than there are.
    """
    array = spec.pe_array
    machine = np.zeros(array_fields.MACHINE_FIELDS, dtype=np.int64)
    for place, level in ((array_fields.ROWS, "rows"), (array_fields.COLUMNS, "columns")):
        used = mapping.used(level) if mapping else 1
        machine[place] = used if array.bypass else getattr(array, level)
    machine[array_fields.SYSTOLIC] = array.arrangement == "systolic"
    machine[array_fields.OVERLAP_PASSES] = array.overlap_passes
    machine[array_fields.KEEP_REGISTERS] = array.keep_registers
    machine[array_fields.STEADY_WINDOWS] = spec.controller.steady_windows
    machine[array_fields.LINKS] = array.neighbour_links
    if array.multicast == "tile":
        machine[array_fields.TILE_MULTICAST] = True
        for offset, dim in enumerate("PQRS"):
            machine[array_fields.BLOCKED + offset] = getattr(array.distribution, dim) == "blocked"
    machine[array_fields.ACCUMULATION_LATENCY] = array.accumulation_latency_cycles
    machine[array_fields.REGISTERS : array_fields.REGISTERS + 3] = array.registers.words
    for offset, operand in enumerate(OPERAND_NAMES):
        machine[array_fields.DOUBLE_BUFFERED + offset] = getattr(array.register_double_buffered, operand)
    for offset, port in enumerate(("input", "weight", "psum", "output")):
        machine[array_fields.PORT_BITS + offset] = getattr(array.ports, port)
    machine[array_fields.WORD_BITS : array_fields.WORD_BITS + 4] = (width.input, width.weight, width.psum, width.output)
    machine[array_fields.MAC_CYCLES] = array.mac_cycles_at(width.input, width.weight)
    return with_registers(machine, mapping.register_words) if mapping else machine


def with_registers(machine: Ints, words: tuple[int | None, ...]) -> Ints:
    """The same array, of whose registers each operand makes use of so many at most."""
    first = array_fields.REGISTERS
    used = machine.copy()
    for place, most in enumerate(words, start=first):
        used[place] = registers_used(most, used[place])
    return used


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """What the kernels must know of a layer along the axes of a mapping."""

    axes: tuple[str, ...]
    relevant: NDArray[np.bool_]
    reduced: NDArray[np.bool_]
    window: Ints
    strides: Ints

    @classmethod
    def of(cls, layer: Layer, axes: tuple[str, ...], window_reuse: bool) -> Geometry:
        relevant = np.array([[axis_relevant(axis, operand) for operand in Operand] for axis in axes])
        reduced = np.array([bool(set(axis) & REDUCED) for axis in axes])
        shares = window_reuse and all(dim in axes for dim in "PQRS")
        window = np.array([axes.index(dim) if shares else -1 for dim in "PQRS"], dtype=np.int64)
        return cls(axes, relevant, reduced, window, np.array([*layer.stride, *layer.dilation], dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Nest:
    """The loops of a mapping inside a tile, as columns over loops or over axes."""

    loop_axis: Ints
    loop_factor: Ints
    loop_block: Ints
    register_axis: Ints
    pass_extent: Ints
    unroll: Ints
    lanes: Ints

    @classmethod
    def of(cls, mapping: Mapping, axes: tuple[str, ...]) -> Nest:
        def place(loops: tuple[Loop, ...]) -> Ints:
            return np.array([axes.index(loop.axis) for loop in loops], dtype=np.int64)

        lanes = np.ones(len(axes), dtype=np.int64)
        for loop in mapping.lanes:
            lanes[axes.index(loop.axis)] *= loop.factor
        return cls(
            place(mapping.on_chip),
            np.array([loop.factor for loop in mapping.on_chip], dtype=np.int64),
            np.array(mapping.blocks("on_chip"), dtype=np.int64),
            place(mapping.registers),
            np.array([mapping.pass_extent(axis) for axis in axes], dtype=np.int64),
            np.array([mapping.unrolled(axis) for axis in axes], dtype=np.int64),
            lanes,
        )


def pe_places(mapping: Mapping, axes: tuple[str, ...], array: PEArray) -> Ints:
    """(rows, columns, axes): the index of each PE along each axis, as far as unrolled loops decide it.

    Of none unless PEs pass words on: nobody else asks.
    """
    if not array.neighbour_links:
        return np.zeros((0, 0, len(axes)), dtype=np.int64)
    rows, columns = mapping.used("rows"), mapping.used("columns")
    places = np.zeros((rows, columns, len(axes)), dtype=np.int64)
    for loops, place in ((mapping.rows, np.arange(rows)[:, None]), (mapping.columns, np.arange(columns)[None])):
        inside = place.size
        for loop in loops:
            inside //= loop.factor
            column = axes.index(loop.axis)
            places[..., column] = places[..., column] * loop.factor + place // inside % loop.factor
    return places
