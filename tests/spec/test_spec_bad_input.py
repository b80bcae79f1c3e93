"""Does every kind of bad file get one line that names file, field, value and what would do?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accel.spec import Accelerator, load
from workloads.errors import InputError

REPLACED = [
    ("rows = 8\n", "", r"pe_array\.rows is missing: add it"),
    ('dram = "LPDDR4-3200"', "", r"dma\.dram is missing: add it"),
    ("clock_mhz = 500\n", "", r"clock_mhz is missing: add it"),
    ("rows = 8", "rosw = 8", r'unknown field "pe_array\.rosw": did you mean "pe_array\.rows"\? \(and 1 more\)'),
    ("[weight_buffer]", "[wieght_buffer]", r'unknown field "wieght_buffer": did you mean "weight_buffer"\?'),
    ('name = "mine"', 'name = "mine"\nrows = 3', r'unknown field "rows": did you mean "pe_array\.rows"\?'),
    ('name = "mine"', 'name = "mine"\nzzz = 3', r'unknown field "zzz": fields there: name, citation'),
    (
        "rows = 8",
        "rows = 8\nregisters.weight = 0\nregister_macros.weight = true",
        r"register_macros\.weight = true: needs registers\.weight, without words there is no memory",
    ),
    ("rows = 8", "rows = -8", r"pe_array\.rows = -8: needs a number from 1 up"),
    ("rows = 8", "rows = 0", r"pe_array\.rows = 0: needs a number from 1 up"),
    ("rows = 8", "rows = 8.5", r"pe_array\.rows = 8\.5: needs a whole number"),
    ("rows = 8", 'rows = "8"', r'pe_array\.rows = "8": needs a whole number'),
    ("rows = 8", "rows = true", r"pe_array\.rows = true: needs a whole number"),
    ("rows = 8", 'rows = 8\narrangement = "systolyc"', r'did you mean "systolic"\?'),
    ("rows = 8", "rows = 8\nbits = 8", r"pe_array\.bits = 8: needs a table"),
    ("rows = 8", "rows = 8\nbits = { psum = 4 }", r"pe_array\.bits\.psum = 4: needs at least the 8 bits"),
    ("rows = 8", "rows = 8\nbits = { input = 65 }", r"pe_array\.bits\.input = 65: needs a number up to 64"),
    ("rows = 8", "rows = 8\noverlap_passes = true", r"pe_array\.overlap_passes = true: needs arrangement"),
    ("rows = 8", "rows = 8\nbypass = true", r"pe_array\.bypass = true: needs arrangement"),
    (
        "rows = 8",
        'rows = 8\nmulticast = "tile"\nneighbour_links = true',
        r"pe_array\.neighbour_links = true: needs keep_registers = true",
    ),
    (
        "rows = 8",
        "rows = 8\nkeep_registers = true\nneighbour_links = true",
        r'pe_array\.neighbour_links = true: needs multicast = "tile"',
    ),
    ("rows = 8", 'rows = 8\nlanes = 2\nmulticast = "tile"', r'pe_array\.multicast = "tile": needs lanes = 1'),
    (
        "rows = 8",
        'rows = 8\narrangement = "systolic"\nmulticast = "tile"',
        r'pe_array\.multicast = "tile": needs arrangement = "multicast"',
    ),
    (
        "rows = 8",
        "rows = 8\nports = { input = 4096, weight = 8, psum = 8, output = 8 }",
        r"pe_array\.ports\.input = 4096: at most 2048, data_buffer\.banks x data_buffer\.width_bits = 32 x 64",
    ),
    ("kib = 64", "kib = nan", r"data_buffer\.kib = nan: needs a finite number"),
    ("kib = 64", "kib = inf", r"data_buffer\.kib = inf: needs a finite number"),
    ("kib = 64", "kib = 0", r"data_buffer\.kib = 0: needs a number above 0"),
    ("kib = 64", 'kib = "64"', r'data_buffer\.kib = "64": needs a number'),
    ("kib = 64", "kib = 64\ndouble_buffered = 1", r"data_buffer\.double_buffered = 1: needs true or false"),
    ("500", "500\ntechnology_nm = 5", r"technology_nm = 5: no table of that node, give energy\.table"),
    ("LPDDR4-3200", "LPDDR4", r'dma\.dram = "LPDDR4": unknown DRAM device "LPDDR4": did you mean "LPDDR4-3200"\?'),
    ("LPDDR4-3200", "gone.toml", r"gone\.toml\": no such file: needs a \.toml file, or one of DDR3-1600"),
    ("[dma]", "[dma]\nlink_bits = 64", r"dma\.link_bits = 64: needs link_mhz too"),
    ("[dma]", '[energy]\ntable = "45"\n[dma]', r'unknown energy table "45": did you mean "45nm"\?'),
    ("[dma]", '[mapping]\ndataflows = ["row"]\n[dma]', r'mapping\.dataflows\.0 = "row": needs "row_stationary"'),
    (
        "[dma]",
        "[mapping]\ndataflows = []\n[dma]",
        r"mapping\.dataflows = \(\): needs at least one entry|\[\]: needs at least one",
    ),
    ("[dma]\n", "[dma\n", r"not a TOML file"),
]


@pytest.mark.parametrize(("old", "new", "line"), REPLACED)
def test_one_line_names_the_problem(old: str, new: str, line: str, tmp_path: Path, small_text: str) -> None:
    assert old in small_text
    path = tmp_path / "bad.toml"
    path.write_text(small_text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert re.search(line, message), message
    assert "\n" not in message and str(path) in message


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    with pytest.raises(InputError, match=r"bad\.toml: no such file: needs a \.toml file"):
        load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bad\.toml: not a TOML file: it is not text in UTF-8"):
        load(path)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match=r"folder\.toml: is a folder: needs a \.toml file"):
        load(tmp_path / "folder.toml")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("pe_array.row", 16, r'unknown field "pe_array\.row": did you mean "pe_array\.rows"\?'),
        ("pe_aray.rows", 16, r'unknown field "pe_aray\.rows": did you mean "pe_array\.rows"\?'),
        ("pe_array.rows.x", 16, r'unknown field "pe_array\.rows\.x"'),
        ("pe_array", 16, r'"pe_array" is a table: name one of its fields, pe_array\.rows'),
        ("pe_array.rows", "many", r'eyeriss_v1: pe_array\.rows = "many": needs a whole number'),
        ("", 1, r'unknown field ""'),
    ],
)
def test_with_values_names_the_problem(path: str, value: object, line: str) -> None:
    with pytest.raises(InputError, match=line):
        load("eyeriss_v1").with_values({path: value})


def test_an_accelerator_of_nothing() -> None:
    with pytest.raises(InputError, match="name is missing: add it"):
        Accelerator.from_values({})
