"""Does a TOML file become the accelerator it says, and back?"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.spec import Accelerator, dump, load, preset_names
from workloads.errors import InputError


def test_fifteen_lines_are_an_accelerator(small: Path) -> None:
    spec = load(small)
    assert spec.clock_mhz == 500.0 and spec.pe_array.multipliers == 32
    assert spec.energy.table == "45nm" and spec.pe_array.ports.input == 64
    assert load(str(small)) == spec


@pytest.mark.parametrize("name", preset_names())
def test_dump_of_a_preset_loads_equal(name: str, tmp_path: Path) -> None:
    path = tmp_path / "copy.toml"
    path.write_text(dump(load(name)))
    assert load(path) == load(name)
    assert dump(load(path)) == dump(load(name))


texts = st.text(st.characters(codec="utf-8"), max_size=20)
sizes = st.integers(1, 4096)


@settings(max_examples=60, deadline=None)
@given(
    name=texts,
    clock=st.floats(1e-3, 1e5),
    kib=st.floats(0.5, 1e6),
    rows=sizes,
    systolic=st.booleans(),
    psum=st.integers(8, 64),
    link=st.none() | st.tuples(st.integers(1, 512), st.floats(1.0, 1e4)),
)
def test_dump_round_trips(
    name: str, clock: float, kib: float, rows: int, systolic: bool, psum: int, link: tuple[int, float] | None
) -> None:
    array: dict[str, Any] = {"rows": rows, "columns": 3, "bits": {"psum": psum}}
    array |= {"arrangement": "systolic", "overlap_passes": True, "bypass": True} if systolic else {}
    dma: dict[str, Any] = {"dram": "HBM2-2000"} | ({} if link is None else {"link_bits": link[0], "link_mhz": link[1]})
    spec = Accelerator.from_values(
        {
            "name": name,
            "clock_mhz": clock,
            "data_buffer": {"kib": kib},
            "weight_buffer": {"kib": 1},
            "pe_array": array,
            "dma": dma,
        }
    )
    assert Accelerator.from_values(tomllib.loads(dump(spec))) == spec


def test_with_values_changes_only_what_it_names() -> None:
    chip = load("eyeriss_v1")
    other = chip.with_values({"pe_array.rows": 16, "data_buffer.kib": 64, "controller.tile_setup_cycles": 3})
    assert (other.pe_array.rows, other.data_buffer.kib, other.controller.tile_setup_cycles) == (16, 64.0, 3)
    back = other.with_values(
        {"pe_array.rows": 12, "data_buffer.kib": 100, "controller.tile_setup_cycles": 0},
    )
    assert back == chip and chip.pe_array.rows == 12


def test_with_values_reaches_into_tables_left_to_their_defaults(small: Path) -> None:
    spec = load(small)
    assert spec.with_values({"dma.codec.input": "rlc"}).dma.codec.model_dump() == {
        "input": "rlc",
        "weight": "none",
        "output": "none",
    }
    ports = spec.with_values({"pe_array.ports.input": 16}).pe_array.ports
    assert (ports.input, ports.weight) == (16, spec.pe_array.ports.weight)
    assert spec.with_values({"mapping.dataflows": ["row_stationary"]}).mapping.dataflows == ("row_stationary",)


def test_a_table_beside_the_file_is_found_from_anywhere(small: Path, small_text: str, tmp_path: Path) -> None:
    (tmp_path / "slow.toml").write_text("")
    small.write_text(small_text.replace("LPDDR4-3200", "slow.toml"))
    assert load(small).dma.dram == str(tmp_path / "slow.toml")


def test_the_specification_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load("eyeriss_v1").pe_array.rows = 3


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(
        InputError, match=r'did you mean "eyeriss_v1"\? give a preset \(.*eyeriss_v1, .*\) or a .toml file'
    ):
        load("eyeris_v1")
