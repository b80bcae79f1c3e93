"""Do messages tell a folder, a missing file, an empty one, a missing table and a number too large apart, everywhere?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accel.spec import Accelerator, load, preset_text
from tests.cli.conftest import Command
from workloads.errors import InputError
from workloads.toml_file import parse_toml

CHIP = preset_text("tpu_v1")
HUGE = ("9" * 25, "9" * 5000, "0x" + "f" * 5000, f"-{2**63 + 1}")
READERS = (
    "run {} --on tpu_v1",
    "run lenet5 --on {}",
    "run lenet5 --on tpu_v1 --mapping {}",
    "run lenet5 --on tpu_v1 --bits {}",
    "run lenet5 --on tpu_v1 --density {}",
    "map lenet5 --on tpu_v1 --offer {}",
    "show {}",
)


def told(command: Command, line: str) -> str:
    """What a line of the shell is refused with."""
    outcome = command(*line.split())
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("accel: error: ")
    assert outcome.err.count("\n") == 1
    return outcome.err.removeprefix("accel: error: ").rstrip("\n")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("line", READERS)
def test_every_reader_of_toml_tells_what_is_wrong_with_the_file(command: Command, line: str) -> None:
    Path("folder.toml").mkdir()
    Path("empty.toml").write_text("# nothing but words\n")
    assert "folder.toml: is a folder: needs" in told(command, line.format("folder.toml"))
    assert "none.toml: no such file: needs" in told(command, line.format("none.toml"))
    assert told(command, line.format("empty.toml")) == "empty.toml: is empty: needs one table or field at least"
    for number in HUGE:
        Path("huge.toml").write_text(f"a = 1\nb.c = [1, {number}]\n")
        assert re.match(r"huge.toml: .*too large", told(command, line.format("huge.toml")))


@pytest.mark.parametrize("path", ["energy.table", "dma.dram"])
def test_tables_in_files_of_their_own_are_told_apart_too(command: Command, path: str) -> None:
    Path("folder.toml").mkdir()
    Path("empty.toml").write_text("")
    for name, wrong in (("folder", "is a folder"), ("none", "no such file"), ("empty", "is empty")):
        line = told(command, f"sweep --net lenet5 --on tpu_v1 --set {path}={name}.toml --out o --jobs 1")
        assert re.search(f'{name}.toml"?: {wrong}: needs', line)


@pytest.mark.parametrize("suffix", ["", ".onnx", ".csv"])
def test_a_folder_is_no_network(command: Command, suffix: str) -> None:
    Path(f"net{suffix}").mkdir()
    for line in ("run {} --on tpu_v1", "show {}"):
        assert f"net{suffix}: is a folder: needs" in told(command, line.format(f"net{suffix}"))


def test_an_accelerators_file_needs_its_suffix(command: Command) -> None:
    Path("chip").write_text(CHIP)
    Path("folder").mkdir()
    assert told(command, "run lenet5 --on chip").startswith('"chip" has no name that ends in .toml: give a preset')
    assert told(command, "run lenet5 --on folder").startswith('"folder" is a folder: give a preset')
    for name in ("", "nowhere"):
        with pytest.raises(InputError, match=f'unknown accelerator "{name}"'):
            load(name)


@pytest.mark.parametrize(("field", "wanted"), [("dma", "add a [dma] table"), ("name", "add it")])
def test_a_missing_table_is_asked_for_as_one(field: str, wanted: str) -> None:
    values = parse_toml(CHIP, "preset")
    del values[field]
    with pytest.raises(InputError) as caught:
        Accelerator.from_values(values)
    assert str(caught.value) == f"{field} is missing: {wanted}"


def test_numbers_too_large_for_python_to_print_are_told_in_a_line() -> None:
    chip = load("tpu_v1")
    for field, line in (
        ("pe_array.rows", "a number of 16610 bits: needs a number up to 1000000"),
        ("clock_mhz", "a number of 16610 bits: is too large, needs a smaller number"),
    ):
        with pytest.raises(InputError) as caught:
            chip.with_values({field: 10**5000})
        assert str(caught.value) == f"tpu_v1: {field} = {line}"


@pytest.mark.parametrize("text", [str(2**63), "9" * 5000, "007"])
def test_numbers_that_toml_has_not_are_no_texts(command: Command, text: str) -> None:
    line = told(command, f"sweep --net lenet5 --on tpu_v1 --out o --set pe_array.rows={text}")
    assert line.startswith("--set: pe_array.rows has ") and "too large or begins with 0" in line
    assert len(line) < 200


def test_flags_tell_numbers_that_are_too_large(command: Command) -> None:
    for flag in ("--batch", "--seed"):
        line = told(command, f"run lenet5 --on tpu_v1 {flag} 1234567890123")
        assert line.endswith("is too large, needs at most 12 digits")
    assert "batch is above 2147483647" in told(command, "run lenet5 --on tpu_v1 --batch 99999999999")


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ("--density 1.5", '--density = "1.5": 1.5 is not within bounds, needs shares from 0 to 1'),
        ("--density 0.5,-0.1", '--density = "0.5,-0.1": -0.1 is not within bounds, needs shares from 0 to 1'),
        ("--density some", '--density = "some": needs han2015'),
        ("--density 1 --pattern kernel", 'zeros of the weights lie, --density = "1" leaves none, give less'),
        ("--density 1 --skew 0.5", 'no operand has zeros to cluster, --density = "1" leaves none, give less'),
        ("--skew 0.5", "no operand has zeros to cluster, give --density too"),
    ],
)
def test_a_density_of_one_is_told_from_none_and_from_one_out_of_range(command: Command, flags: str, line: str) -> None:
    assert line in told(command, f"run lenet5 --on tpu_v1 {flags}")
