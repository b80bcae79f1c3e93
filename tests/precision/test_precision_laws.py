"""Do narrow operands gain what their style of multiplier promises, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.bounds import bounds
from accel.closed_form import costs
from accel.energy import EnergyTable
from accel.energy.styles import mac_pj
from accel.fit import require_array
from accel.kernels import estimate_layout as kernel
from accel.mapper import map_layer
from accel.simulation import simulate_layer
from accel.spec import Accelerator, load
from accel.tables import energy_names
from accel.task import array_shape
from mappings import Loop, Mapping
from mappings.column import MappingColumn, Shape
from mappings.dataflows import candidates
from mappings.mapping import LEVELS
from tests.strategies import accelerators, layers_and_mappings
from workloads import Bits, InputError, Layer

WIDE_PORTS = {f"pe_array.ports.{port}": 1_000_000 for port in ("input", "weight", "psum", "output")}
ROOM = {f"{part}.{field}": 10**6 for part in ("data_buffer", "weight_buffer") for field in ("width_bits", "kib")}
BASE = load("systolic_32x32").with_values(
    {"pe_array.arrangement": "multicast", "pe_array.rows": 4, "pe_array.columns": 4} | ROOM | WIDE_PORTS
)
"""Ports and buffers that never bind: cycles are those of the MACs."""
STYLES: dict[str, dict[str, Any]] = {
    "fixed": {},
    "composable": {"pe_array.precision.style": "composable"},
    "input": {"pe_array.precision.style": "bit_serial"},
    "weight": {"pe_array.precision.style": "bit_serial", "pe_array.precision.serial": "weight"},
    "both": {"pe_array.precision.style": "bit_serial", "pe_array.precision.serial": "both"},
    "binary": {"pe_array.precision.style": "binary", "pe_array.bits.input": 1, "pe_array.bits.weight": 1},
    "ternary": {"pe_array.precision.style": "ternary", "pe_array.bits.weight": 2},
}
LAYER = Layer("one", N=2, K=8, C=64, P=5, Q=3, R=3, S=1, padding=(1, 0, 1, 0))
NEST = Mapping(
    "by_hand",
    off_chip=(Loop("N", 2),),
    registers=(Loop("P", 5), Loop("Q", 3), Loop("R", 3), Loop("K", 2), Loop("C", 16)),
    rows=(Loop("C", 4),),
    columns=(Loop("K", 4),),
)


def chip(style: str) -> Accelerator:
    return BASE.with_values(STYLES[style])


def widths(style: str, most: int = 8) -> list[tuple[int, int]]:
    """Every pair of widths the style takes."""
    return [(a, w) for a in range(1, most + 1) for w in range(1, (2 if style == "ternary" else most) + 1)]


def mac_cycles(layer: Layer, mapping: Mapping, spec: Accelerator) -> int:
    report = simulate_layer(layer, mapping, spec).report
    assert report.compute_cycles == report.mac_cycles
    return report.mac_cycles


EXPECTED = {
    "fixed": lambda a, w: 1,
    "input": lambda a, w: a,
    "weight": lambda a, w: w,
    "both": lambda a, w: a * w,
    "binary": lambda a, w: a * w,
    "ternary": lambda a, w: 1,
}


@pytest.mark.parametrize("style", EXPECTED)
def test_cycles_of_macs_are_those_of_their_bits(style: str) -> None:
    spec = chip(style)
    once = mac_cycles(replace(LAYER, bits=Bits(1, 1)), NEST, spec)
    assert once == LAYER.macs // 16
    for a, w in widths(style, 4):
        assert mac_cycles(replace(LAYER, bits=Bits(a, w)), NEST, spec) == EXPECTED[style](a, w) * once


@pytest.mark.parametrize("per_cycle", [1, 2, 3])
def test_several_bits_a_cycle(per_cycle: int) -> None:
    spec = chip("input").with_values({"pe_array.precision.bits_per_cycle": per_cycle})
    for bits in range(1, 9):
        layer = replace(LAYER, bits=Bits(bits, 8))
        assert mac_cycles(layer, NEST, spec) == ceil(bits / per_cycle) * LAYER.macs // 16


def factor(bits: int) -> int:
    """Products an operand's halvings gain: 1 from 5 to 8 bits, 2 for 3 and 4, 4 for 2 and 1."""
    return 1 if bits > 4 else 2 if bits > 2 else 4


@pytest.mark.parametrize(("a", "w"), widths("composable"))
def test_a_halving_doubles_the_lanes_down_to_two_bits(a: int, w: int) -> None:
    spec = chip("composable")
    lanes = factor(a) * factor(w)
    assert array_shape(spec, Bits(a, w)).lanes == lanes
    nest = replace(
        NEST, registers=(*NEST.registers[:-1], Loop("C", 16 // lanes)), lanes=(Loop("C", lanes),)
    )  # fmt: skip
    assert mac_cycles(replace(LAYER, bits=Bits(a, w)), nest, spec) * lanes == LAYER.macs // 16


@pytest.mark.parametrize(("a", "w", "cycles", "lanes"), [(16, 16, 4, 1), (16, 8, 2, 1), (12, 8, 2, 1), (16, 2, 2, 4)])
def test_operands_wider_than_native_take_time(a: int, w: int, cycles: int, lanes: int) -> None:
    array = chip("composable").pe_array
    assert (array.mac_cycles_at(a, w), array.lanes_at(a, w)) == (cycles, lanes)


def test_a_mapping_for_narrow_operands_does_not_fit_wide_ones() -> None:
    nest = replace(NEST, lanes=(Loop("C", 4),), registers=(*NEST.registers[:-1], Loop("C", 4)))
    spec = chip("composable")
    require_array(nest, replace(LAYER, bits=Bits(4, 4)), spec)
    with pytest.raises(InputError, match="lanes unrolled 4 times over 1 lanes"):
        require_array(nest, replace(LAYER, bits=Bits(8, 8)), spec)


@pytest.mark.parametrize("bits", [Bits(8, 8), Bits(4, 8), Bits(4, 4), Bits(2, 2), Bits(16, 16)])
def test_the_automatic_mapping_fills_the_lanes(bits: Bits) -> None:
    """A layer whose channels and filters divide: every multiplier is busy in every cycle of a pass."""
    layer = Layer("even", N=8, K=64, C=256, P=8, Q=8, R=3, S=3, padding=(1, 1, 1, 1), bits=bits)
    spec = load("bit_fusion")
    report = simulate_layer(layer, map_layer(layer, spec, objective="latency"), spec).report
    assert report.mac_cycles == bounds(layer, spec).mac_cycles


@given(layers_and_mappings(), st.data(), st.sampled_from(sorted(STYLES)))
def test_estimate_and_simulation_slow_down_alike(pair: tuple[Layer, Mapping], data: st.DataObject, style: str) -> None:
    """Of the MACs alone: by the cycles of one, whatever the mapping. Bounds stay below, utilisation stays a share."""
    layer, mapping = pair
    fixed = data.draw(accelerators(mapping))
    spec = fixed.with_values(STYLES[style])
    a, w = data.draw(st.sampled_from(widths(style)))
    layer = replace(layer, bits=Bits(a, w))
    cycles = spec.pe_array.mac_cycles_at(a, w)
    report = simulate_layer(layer, mapping, spec).report
    assert report.mac_cycles == cycles * simulate_layer(layer, mapping, fixed).report.mac_cycles
    assert bounds(layer, spec).mac_cycles <= report.mac_cycles <= report.compute_cycles
    assert bounds(layer, spec).latency_cycles <= report.latency_cycles
    assert 0 < report.utilization <= 1
    column = column_of(mapping)
    if any(level not in ("off_chip", "on_chip") for level, _ in column.shape.loops):
        ours, plain = (costs(layer, column, chip).columns[0, kernel.MAC] for chip in (spec, fixed))
        assert ours == pytest.approx(cycles * plain)


def column_of(mapping: Mapping) -> MappingColumn:
    """A column of one mapping."""
    loops = [getattr(mapping, level) for level in LEVELS]
    shape = Shape("column", *(tuple(loop.axis for loop in level) for level in loops), hold=mapping.hold)
    return MappingColumn(shape, np.array([[loop.factor for level in loops for loop in level]], dtype=np.int64))


@pytest.mark.parametrize("table", energy_names())
@pytest.mark.parametrize("style", STYLES)
def test_energy_of_a_mac_never_falls_with_bits(style: str, table: str) -> None:
    spec, energies = chip(style), EnergyTable.load(table)
    cost = {pair: mac_pj(energies, spec.pe_array, *pair, 32) for pair in widths(style)}
    for (a, w), pj in cost.items():
        for wider in ((a + 1, w), (a, w + 1)):
            assert pj <= cost.get(wider, pj) * (1 + 1e-12)


def test_energy_of_a_mac_is_put_together_from_the_table() -> None:
    table = EnergyTable.load("45nm")
    brick, add = table.multiplier.energy_pj(2, 2), table.add_pj
    joined = (15 * add(4) + add(32)) / 16
    assert mac_pj(table, chip("composable").pe_array, 2, 2, 32) == pytest.approx(brick + joined)
    fused = 4 * brick + 2 * add(6) + add(8)
    assert mac_pj(table, chip("composable").pe_array, 4, 4, 32) == pytest.approx(fused + (3 * add(8) + add(32)) / 4)
    row = table.multiplier.energy_pj(8, 1)
    assert mac_pj(table, chip("input").pe_array, 6, 8, 32) == pytest.approx(6 * (row + add(32)))
    assert mac_pj(table, chip("ternary").pe_array, 8, 2, 32) == pytest.approx(row + add(32))
    assert mac_pj(table, chip("fixed").pe_array, 8, 8, 32) == pytest.approx(table.mac_pj(8, 8, 32))


def test_a_binary_mac_costs_a_thirtieth_to_a_hundredth_of_eight_bits() -> None:
    table = EnergyTable.load("65nm")
    ratio = table.mac_pj(8, 8, 32) / mac_pj(table, load("xnor").pe_array, 1, 1, 16)
    assert 30 < ratio < 100


def test_multiplier_free_operations_are_counted() -> None:
    for style in STYLES:
        report = simulate_layer(replace(LAYER, bits=Bits(1, 1)), NEST, chip(style)).report
        assert report.multiplier_free_ops == (0 if style in ("fixed", "composable") else LAYER.macs)


def test_stripes_and_dadiannao_closed_form() -> None:
    """`ceil(windows/16) * taps * ceil(C/16) * ceil(K/256) * bits`; DaDianNao does 16 bits of a window at once."""
    spec = load("stripes").with_values(WIDE_PORTS | {"data_buffer.banks": 10**5, "weight_buffer.banks": 10**5})
    for shape in (
        {"K": 300, "C": 40, "P": 9, "Q": 7, "R": 3, "S": 3},
        {"K": 256, "C": 3, "P": 11, "Q": 11, "R": 5, "S": 5},
    ):
        for bits in (16, 9, 1):
            layer = Layer("one", **shape, bits=Bits(bits, 16))
            best = min(
                simulate_layer(layer, column[row], spec).report.mac_cycles
                for column in candidates("window_parallel", layer, array_shape(spec, layer.bits))
                for row in range(0, len(column), max(1, len(column) // 8))
            )
            windows, taps = layer.P * layer.Q, layer.R * layer.S
            assert best == ceil(windows / 16) * taps * ceil(layer.C / 16) * ceil(layer.K / 256) * bits


@pytest.mark.parametrize(("act", "weight"), [(8, 8), (4, 4), (8, 1), (2, 2)])
@pytest.mark.parametrize("channels", [3, 96, 128])
def test_bit_fusion_closed_form(act: int, weight: int, channels: int) -> None:
    """`B * ceil(K/32) * P * Q * R * S * ceil(C/(16 f))`; with channels for fewer than the rows, of unrolled windows."""
    layer = Layer("one", N=2, K=70, C=channels, P=6, Q=5, R=3, S=3, bits=Bits(act, weight))
    lanes = 16 * (8 // max(2, act)) * (8 // max(2, weight))
    steps = 9 * ceil(channels / lanes) if channels >= 16 else ceil(9 * channels / lanes)
    # So many channels that the array binds: where the DRAM does, another mapping may wait less for it.
    spec = load("bit_fusion").with_values({"dma.channels": 64, "dma.link_bits": None, "dma.link_mhz": None})
    report = simulate_layer(layer, map_layer(layer, spec, objective="latency"), spec).report
    assert report.mac_cycles == prod((2, ceil(70 / 32), 6, 5, steps))
