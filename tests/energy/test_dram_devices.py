"""Do the DRAM devices have the bandwidth, times and energies their standards and papers say?"""

from __future__ import annotations

from pathlib import Path

import pytest

import accel.tables
from accel.energy import DramDevice
from accel.tables import dram_names
from workloads.errors import InputError

PEAK_GB_PER_S = {  # JEDEC data rate x width of a channel
    "DDR3-1600": 12.8,
    "DDR3-2133": 17.064,
    "DDR4-2400": 19.2,
    "DDR4-3200": 25.6,
    "LPDDR3-1600": 6.4,
    "LPDDR4-3200": 6.4,
    "HBM2-2000": 16.0,
}


def test_every_device_is_listed_here() -> None:
    assert set(dram_names()) == set(PEAK_GB_PER_S)


@pytest.mark.parametrize("name", dram_names())
def test_peak_bandwidth_and_units(name: str) -> None:
    device = DramDevice.load(name)
    assert device.peak_bits_per_s / 8e9 == pytest.approx(PEAK_GB_PER_S[name])
    assert device.burst_bits * 1e12 / device.burst_ps == pytest.approx(device.peak_bits_per_s, rel=1e-3)
    assert device.burst_bits in (256, 512) and device.page_bits % device.burst_bits == 0
    assert 20_000 < device.row_miss_ps < 45_000 and 20_000 < device.latency_ps < 45_000
    assert 5_000 < device.turnaround_ps < 20_000 and 0.03 < device.refresh_fraction < 0.1
    for value in (device.burst_ps, device.row_miss_ps, device.latency_ps, device.turnaround_ps, device.page_bits):
        assert type(value) is int
    assert all(len(source) > 20 for source in device.sources.values())


def test_ddr3_1600k_is_11_11_11() -> None:
    device = DramDevice.load("DDR3-1600")
    assert device.latency_ps == device.row_miss_ps == 22 * 1250
    assert device.refresh_fraction == pytest.approx(350 / 7800)
    assert device.turnaround_ps == (2 * 1250 + 7500 + 13750) // 2


def test_energy_adds_up() -> None:
    device = DramDevice.load("DDR3-1600")
    assert device.access_energy_pj(1000, 0, 0) == pytest.approx(17_200)
    assert device.access_energy_pj(0, 1000, 0) == pytest.approx(13_500)
    assert device.access_energy_pj(0, 0, 3) == pytest.approx(31_950)
    assert device.access_energy_pj(0, 0, 0) == 0


def test_a_64_bit_access_against_horowitz_isscc_2014() -> None:
    """1.3 to 2.6 nJ for 64 bits: with standby and refresh, DDR3 at full rate lies in it or just below."""
    device = DramDevice.load("DDR3-1600")
    seconds = 64 / device.peak_bits_per_s
    standing_pj = (device.background_mw + device.refresh_mw) * 1e9 * seconds
    total_pj = device.access_energy_pj(64, 0, 0) + 64 / device.page_bits * device.energy.act_pre_pj + standing_pj
    assert 1100 < total_pj < 2600


def test_hbm2_against_oconnor_micro_2017() -> None:
    """3.92 to 3.97 pJ/bit over the paper's workloads; whole rows, with the fewest activations, cost less."""
    device = DramDevice.load("HBM2-2000")
    streaming = device.access_energy_pj(8192, 0, 1) / 8192
    assert 3.4 < streaming < 4.0


def test_newer_and_closer_memories_cost_less_per_bit() -> None:
    cost = {name: DramDevice.load(name).access_energy_pj(10**6, 10**6, 20) for name in dram_names()}
    assert cost["HBM2-2000"] < cost["LPDDR4-3200"] < cost["DDR4-3200"] < cost["DDR3-1600"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("bus_bits = 64", "bus_bits = 64.5", r"bus_bits = 64\.5: needs a whole number"),
        ("tRFC_ns = 350.0", "tRFC_ns = 9000.0", r"timing\.tRFC_ns = 9000: needs to be below tREFI_ns = 7800"),
        ("refresh_mw = 94.0", "refresh_mw = -1.0", r"energy\.refresh_mw = -1\.0: needs a number from 0 up"),
        ("tCL_ns", "tCLL_ns", r'unknown field "timing\.tCLL_ns": did you mean "timing\.tCL_ns"'),
    ],
)
def test_a_bad_device_of_ones_own_is_one_line(old: str, new: str, line: str, tmp_path: Path) -> None:
    text = (Path(accel.tables.__file__).parent / "dram" / "DDR3-1600.toml").read_text()
    assert old in text
    path = tmp_path / "bad.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=line) as caught:
        DramDevice.load(str(path))
    assert "\n" not in str(caught.value) and "bad.toml" in str(caught.value)


def test_unknown_devices_list_what_there_is() -> None:
    with pytest.raises(InputError, match=r'unknown DRAM device "DDR4": did you mean "DDR4-2400"\? there are'):
        DramDevice.load("DDR4")
