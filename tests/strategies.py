"""Random layers, mappings, accelerators and tile programs for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from accel.program import TRANSFERS, TileProgram
from accel.spec import Accelerator, load
from mappings import Loop, Mapping, axis_extent
from workloads import Density, Layer

Draw = Callable[[st.SearchStrategy[Any]], Any]

GROUPS = ("GK", "NPQ", "CRS")
"""Dimensions that may be flattened together."""


@st.composite
def layers(draw: Draw, *, most_macs: int = 1500, dense: bool = True, name: str = "layer") -> Layer:
    """Small layers of every kind: groups, batches, strides, dilation, padding on each side, down to a single MAC."""
    extents: dict[str, int] = {}
    for dim, most in draw(st.permutations([*zip("GNKCPQRS", (2, 2, 5, 4, 6, 5, 3, 3), strict=True)])):
        extents[dim] = draw(st.integers(1, max(1, min(most, most_macs // prod(extents.values())))))
    layer = Layer(
        name,
        **extents,
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        dilation=(draw(st.integers(1, 2)), draw(st.integers(1, 2))),
    )
    padding = [0, 0, 0, 0]
    for side in draw(st.permutations(range(4))):
        left = (layer.H, layer.W)[side % 2] - padding[side] - padding[(side + 2) % 4] - 1
        padding[side] = draw(st.integers(0, min(3, max(0, left))))
    layer = replace(layer, padding=tuple(padding))
    if dense:
        return layer
    shares = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])
    return replace(layer, density=Density(draw(shares), draw(shares), draw(shares)))


@st.composite
def axes(draw: Draw, *, flat: bool = True) -> tuple[str, ...]:
    """The eight dimensions as axes, some flattened together in any order."""
    found: list[str] = []
    for group in GROUPS:
        dims = draw(st.permutations(group)) if flat else list(group)
        axis = ""
        for dim in dims:
            if axis and not (flat and draw(st.integers(0, 3)) == 0):
                found.append(axis)
                axis = ""
            axis += dim
        found.append(axis)
    return tuple(found)


@st.composite
def mappings(draw: Draw, layer: Layer, *, flat: bool = True, lanes: bool = True) -> Mapping:
    """Legal mappings: ragged factors, axes that return within a level, flattened axes, any hold depth."""
    names = draw(axes(flat=flat))
    block = dict.fromkeys(names, 1)
    levels: dict[str, list[Loop]] = {}
    for level in ("rows", "columns", "lanes")[: 3 if lanes else 2]:
        chosen = draw(st.lists(st.sampled_from(names), max_size=2))
        levels[level] = [Loop(axis, draw(st.integers(1, 3))) for axis in chosen]
        for loop in levels[level]:
            block[loop.axis] *= loop.factor

    def loops(order: list[str]) -> list[Loop]:
        made = []
        for axis in reversed(order):
            most = -(-axis_extent(layer, axis) // block[axis])
            made.append(Loop(axis, draw(st.integers(1, most))))
            block[axis] *= made[-1].factor
        return made[::-1]

    levels["registers"] = loops(draw(st.lists(st.sampled_from(names), max_size=4, unique=True)))
    levels["on_chip"] = loops(draw(st.lists(st.sampled_from(names), max_size=3)))
    inner = loops(draw(st.lists(st.sampled_from(names), max_size=2)))
    left = [axis for axis in draw(st.permutations(names)) if block[axis] < axis_extent(layer, axis)]
    outer = [Loop(axis, -(-axis_extent(layer, axis) // block[axis])) for axis in left]
    levels["off_chip"] = outer + inner
    depths = st.none() | st.integers(0, len(levels["off_chip"]))
    return Mapping(
        "random",
        **{level: tuple(found) for level, found in levels.items()},
        hold=(draw(depths), draw(depths), draw(depths)),
    )


@st.composite
def layers_and_mappings(draw: Draw, **options: Any) -> tuple[Layer, Mapping]:
    """A layer and a mapping that is legal for it."""
    layer = draw(layers(**{key: options[key] for key in ("most_macs", "dense") if key in options}))
    return layer, draw(mappings(layer, **{key: options[key] for key in ("flat", "lanes") if key in options}))


@st.composite
def accelerators(draw: Draw, mapping: Mapping | None = None, *, arrangement: str = "") -> Accelerator:
    """Accelerators that differ in every way that costs cycles, large enough for a mapping of a small layer."""
    used = {level: mapping.used(level) if mapping else 1 for level in ("rows", "columns", "lanes")}
    systolic = draw(st.booleans()) if not arrangement else arrangement == "systolic"
    values: dict[str, Any] = {
        "name": "random",
        "clock_mhz": float(draw(st.sampled_from([100, 333, 1000]))),
        "data_buffer.double_buffered": draw(st.booleans()),
        "data_buffer.accumulator_kib": float(draw(st.sampled_from([0, 256]))),
        "weight_buffer.double_buffered": draw(st.booleans()),
        "pe_array.arrangement": "systolic" if systolic else "multicast",
        "pe_array.overlap_passes": systolic and draw(st.booleans()),
        "pe_array.bypass": systolic and draw(st.booleans()),
        "pe_array.window_reuse": draw(st.booleans()),
        "pe_array.keep_registers": draw(st.booleans()),
        "data_buffer.halo_reuse": draw(st.booleans()),
        "controller.steady_windows": draw(st.booleans()),
        "pe_array.accumulation_latency_cycles": draw(st.integers(0, 3)),
        "controller.layer_setup_cycles": draw(st.integers(0, 9)),
        "controller.tile_setup_cycles": draw(st.integers(0, 5)),
        "dma.dram": draw(st.sampled_from(["DDR3-1600", "LPDDR3-1600", "HBM2-2000"])),
        "dma.channels": draw(st.integers(1, 2)),
    }
    for level, count in used.items():
        values[f"pe_array.{level}"] = count + draw(st.integers(0, 3))
    if not systolic and used["lanes"] == 1 and draw(st.booleans()):
        values |= {"pe_array.multicast": "tile", "pe_array.lanes": 1}
        for dim in "PQRS":
            values[f"pe_array.distribution.{dim}"] = draw(st.sampled_from(["interleaved", "blocked"]))
        values["pe_array.neighbour_links"] = values["pe_array.keep_registers"] and draw(st.booleans())
    for operand in ("input", "weight", "output"):
        values[f"pe_array.registers.{operand}"] = draw(st.sampled_from([0, 1, 2, 5, 20]))
        values[f"pe_array.register_double_buffered.{operand}"] = draw(st.booleans())
    for port in ("input", "weight", "psum", "output"):
        values[f"pe_array.ports.{port}"] = draw(st.sampled_from([8, 24, 64, 512]))
    return load("systolic_32x32").with_values(values)


@st.composite
def tile_programs(draw: Draw, *, most_steps: int = 60) -> TileProgram:
    """Programs with a part that repeats between a beginning and an end that do not."""
    row = st.tuples(
        st.lists(st.integers(0, 9), min_size=TRANSFERS, max_size=TRANSFERS),  # cycles of the transfers
        st.lists(st.booleans(), min_size=TRANSFERS, max_size=TRANSFERS),  # whether they move anything
        st.integers(1, 12),  # cycles of the computation
        st.lists(st.integers(0, 3), min_size=TRANSFERS, max_size=TRANSFERS),  # waits
    )
    period = draw(st.integers(1, 4))
    start = draw(st.lists(row, max_size=6))
    body = draw(st.lists(row, min_size=period, max_size=period))
    end = draw(st.lists(row, max_size=6))
    times = draw(st.integers(1, max(1, (most_steps - len(start) - len(end)) // period)))
    rows = [*start, *(body * times), *end]
    steps = np.arange(len(rows))[:, None]
    waits = np.array([row[3] for row in rows], dtype=np.int64)
    bits = np.array([row[1] for row in rows], dtype=np.int64) * 64
    return TileProgram(
        bits=bits,
        transfer_cycles=np.array([row[0] for row in rows], dtype=np.int64),
        compute_cycles=np.array([row[2] for row in rows], dtype=np.int64),
        waits=np.where(waits <= steps, waits, 0),
        resident_bits=np.zeros((len(rows), 2), dtype=np.int64),
        setup_cycles=draw(st.integers(0, 4)),
        layer_setup_cycles=draw(st.integers(0, 9)),
        latency_cycles=draw(st.integers(0, 12)),
        turnaround_cycles=draw(st.integers(0, 4)),
        issue_ahead=draw(st.integers(1, 4)),
        periods=(period,),
    )
