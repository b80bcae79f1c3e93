"""Do DRAM speed, precision and density matter where they should, and the width of the bus not where it should not?"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import accel.tables
from accel.energy import DramDevice
from accel.report import LayerReport
from accel.simulation import simulate_layer
from accel.spec import Accelerator, load
from mappings import Loop, Mapping
from workloads import Bits, Density, Layer

MATRIX = Layer("matrix", K=512, C=512)
"""Each weight is used once: the DRAM sets the pace."""
MAPPING = Mapping(
    "tiles", off_chip=(Loop("K", 16),), on_chip=(Loop("C", 16),), rows=(Loop("K", 32),), columns=(Loop("C", 32),)
)
"""A tile is 32 filters, one stretch of memory."""


def chip(**changes: Any) -> Accelerator:
    values = {path.replace("__", "."): value for path, value in changes.items()}
    return load("systolic_32x32").with_values({"pe_array.arrangement": "multicast"} | values)


def run(spec: Accelerator, layer: Layer = MATRIX) -> LayerReport:
    return simulate_layer(layer, MAPPING, spec).report


def device(directory: Path, name: str, **changes: float | int) -> str:
    """The path of DDR3-1600 with some values changed."""
    values = tomllib.loads((Path(accel.tables.__file__).parent / "dram" / "DDR3-1600.toml").read_text())
    for table in (values, values["timing"]):
        table |= {key: value for key, value in changes.items() if key in table}
    lines = [f"{key} = {value}" for key, value in values.items() if not isinstance(value, dict)]
    for part in ("timing", "energy"):
        lines += [f"[{part}]", *(f"{key} = {value!r}" for key, value in values[part].items())]
    path = directory / f"{name}.toml"
    path.write_text("\n".join(lines))
    return str(path)


def test_the_layer_waits_for_the_dram() -> None:
    report = run(chip(dma__dram="DDR3-1600"))
    assert report.bottleneck == "DRAM: weights"
    assert report.stall_cycles > report.compute_cycles


@pytest.mark.parametrize(
    "slower",
    [
        {"data_rate_mtps": 800},
        {"tCL_ns": 27.5},
        {"tRCD_ns": 27.5},
        {"tRFC_ns": 700.0},
        {"bus_bits": 32},
    ],
)
def test_slower_dram_takes_longer(tmp_path: Path, slower: dict[str, float]) -> None:
    fast, slow = (run(chip(dma__dram=device(tmp_path, name, **new))) for name, new in (("a", {}), ("b", slower)))
    assert slow.latency_cycles > fast.latency_cycles
    assert slow.compute_cycles == fast.compute_cycles
    assert slow.dram_bits == fast.dram_bits


def test_access_latency_is_hidden_behind_earlier_tiles(tmp_path: Path) -> None:
    """27.5 ns more at 1 GHz: 28 cycles before the first MAC, and none before the tiles that are prefetched."""
    before, after = (
        run(chip(dma__dram=device(tmp_path, name, tRCD_ns=value))) for name, value in (("a", 13.75), ("b", 41.25))
    )
    assert 27 <= after.latency_cycles - before.latency_cycles <= 28


def test_a_second_channel_helps_a_layer_that_waits_for_the_dram() -> None:
    one, two = (run(chip(dma__dram="DDR3-1600", dma__channels=count)) for count in (1, 2))
    assert two.latency_cycles < 0.6 * one.latency_cycles


@pytest.mark.parametrize("operand", ["input", "weight", "output"])
def test_narrower_words_move_less_in_less_time_and_energy(operand: str) -> None:
    wide, narrow = (run(chip(dma__dram="DDR3-1600"), replace(MATRIX, bits=Bits(**{operand: bits}))) for bits in (8, 4))
    for name in ("dram_bits", "energy_dma_pj", "energy_pj"):
        assert getattr(narrow, name) < getattr(wide, name)
    assert narrow.latency_cycles <= wide.latency_cycles
    if operand == "weight":
        assert narrow.dram_read_weight_bits * 2 == wide.dram_read_weight_bits
        assert narrow.latency_cycles < 0.6 * wide.latency_cycles


@pytest.mark.parametrize("codec", ["rlc", "bitmask", "csc", "huffman"])
def test_fewer_nonzeros_move_less_where_they_are_coded(codec: str) -> None:
    coded = chip(dma__dram="DDR3-1600", dma__codec__weight=codec, dma__codec_words_per_cycle=64)
    reports = [run(coded, replace(MATRIX, density=Density(weight=share))) for share in (0.8, 0.4, 0.1)]
    plain = [run(chip(dma__dram="DDR3-1600"), replace(MATRIX, density=Density(weight=share))) for share in (0.8, 0.1)]
    for name in ("dram_read_weight_bits", "energy_dma_pj", "latency_cycles"):
        values = [getattr(report, name) for report in reports]
        assert values[0] > values[1] > values[2]
        assert getattr(plain[0], name) == getattr(plain[1], name)


def energy_pj_per_bit(report: LayerReport, spec: Accelerator) -> float:
    """Of the bits and the rows they open, without the standby power of the time it takes."""
    dram = DramDevice.load(spec.dma.dram)
    standby_mw = (dram.background_mw + dram.refresh_mw) * spec.dma.channels
    standby_pj = standby_mw * report.latency_cycles * 1e3 / spec.clock_mhz
    return (report.energy_dram_pj - standby_pj) / report.dram_bits


def test_energy_per_bit_does_not_depend_on_the_width_of_the_link() -> None:
    specs = [chip(dma__link_bits=bits, dma__link_mhz=200.0) for bits in (32, 64)]
    narrow, wide = (run(spec) for spec in specs)
    assert narrow.latency_cycles > wide.latency_cycles
    assert energy_pj_per_bit(narrow, specs[0]) == pytest.approx(energy_pj_per_bit(wide, specs[1]), rel=1e-9)


def test_a_link_half_as_wide_and_twice_as_fast_is_the_same() -> None:
    narrow, wide = (run(chip(dma__link_bits=bits, dma__link_mhz=mhz)) for bits, mhz in ((32, 400.0), (64, 200.0)))
    assert narrow == wide


def test_energy_per_bit_does_not_depend_on_the_width_of_the_dram_bus(tmp_path: Path) -> None:
    specs = [chip(dma__dram=device(tmp_path, f"wide{bits}", bus_bits=bits)) for bits in (32, 64)]
    assert len({DramDevice.load(spec.dma.dram).access_energy_pj(1000, 1000, 1) for spec in specs}) == 1
    narrow, wide = (energy_pj_per_bit(run(spec), spec) for spec in specs)
    assert narrow == pytest.approx(wide, rel=1e-9)
