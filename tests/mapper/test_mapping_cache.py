"""Is a mapping found again only when it is the one a search would find?"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import accel
from accel.mapper import explore
from accel.mapping_cache import MappingCache, cache_key
from accel.residency import NOWHERE, Residency
from accel.simulation import simulate_layer
from accel.task import QUICK
from mappings import Budget, Loop, Mapping
from workloads import Bits, Density, Layer, load

SHORT = Budget(50)

LAYER = Layer("one", K=4, C=3, P=5, Q=5)
MAPPING = Mapping("by hand", off_chip=(Loop("K", 4), Loop("C", 3)), registers=(Loop("P", 5), Loop("Q", 5)))


def key(layer: Layer = LAYER, **changes: object) -> str:
    arguments = {
        "spec": accel.load("eyeriss_v1"), "dataflow": None, "objective": "edp", "residency": NOWHERE,
        "budget": QUICK, "seed": 0,
    }  # fmt: skip
    return cache_key(layer, **(arguments | changes))


def test_a_stored_mapping_comes_back(tmp_path: Path) -> None:
    cache = MappingCache(tmp_path / "new" / "folder")
    assert cache.find("k", LAYER) is None
    cache.store("k", MAPPING)
    assert cache.find("k", LAYER) == MAPPING
    assert [path.name for path in cache.folder.iterdir()] == ["k.txt"]


def test_all_that_decides_a_search_is_in_the_key_and_nothing_else() -> None:
    chip = accel.load("eyeriss_v1")
    different = {
        key(),
        key(replace(LAYER, K=5)),
        key(replace(LAYER, stride=(2, 1))),
        key(replace(LAYER, bits=Bits(4, 4, 4))),
        key(spec=chip.with_values({"pe_array.rows": 11})),
        key(dataflow="any"),
        key(objective="latency"),
        key(residency=Residency(input=True)),
        key(budget=Budget(7)),
        key(seed=1),
    }
    sparse = replace(LAYER, density=Density(input=0.5))
    different |= {key(sparse), key(replace(sparse, name="two"))}
    assert len(different) == 12
    assert key(replace(LAYER, name="two")) == key()
    assert key(spec=chip.with_values({"name": "other"})) == key()


@pytest.mark.parametrize(
    ("field", "table", "line"),
    [
        ("dma.dram", "dram/DDR4-2400.toml", "data_rate_mtps = 2400"),
        ("energy.table", "45nm.toml", "node_nm = 45"),
    ],
)
def test_tables_of_ones_own_are_what_they_hold_not_what_they_are_called(
    tmp_path: Path, field: str, table: str, line: str
) -> None:
    text, path = (Path(accel.__file__).parent / "tables" / table).read_text(encoding="utf-8"), tmp_path / "mine.toml"

    def chip(content: str) -> accel.Accelerator:
        path.write_text(content, encoding="utf-8")
        return accel.load("systolic_32x32").with_values({field: str(path)})

    assert line in text
    before, after = chip(text), chip(text.replace(line, line + "0"))
    assert before != after
    assert key(spec=before) != key(spec=after)
    assert chip(text) == before
    assert key(spec=chip(text)) == key(spec=before)


def test_a_table_that_changes_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (Path(accel.__file__).parent / "tables" / "dram" / "DDR4-2400.toml").read_text(encoding="utf-8")
    cycles = []
    for rate in (2400, 240):
        path.write_text(text.replace("data_rate_mtps = 2400", f"data_rate_mtps = {rate}"), encoding="utf-8")
        chip = accel.load("systolic_32x32").with_values({"dma.dram": str(path)})
        found = explore(LAYER, chip, budget=Budget(50))
        cycles.append(found.report.latency_cycles)
        assert found.report == simulate_layer(LAYER, found.mapping, chip).report
        assert found.report.latency_cycles >= found.bounds.latency_cycles
    assert cycles[0] < cycles[1]


@pytest.mark.parametrize(
    "content", [b"", b"mapping x\nfor K in two\n", b"\xff\xfe\x00", b"mapping x\noff_chip\n for K in 2\n"]
)
def test_a_corrupt_file_is_ignored_with_a_warning_and_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k.txt").write_bytes(content)
    cache = MappingCache(tmp_path)
    with pytest.warns(UserWarning, match=r"k\.txt: ignored"):
        assert cache.find("k", LAYER) is None
    cache.store("k", MAPPING)
    assert cache.find("k", LAYER) == MAPPING


def test_a_mapping_changed_by_other_hands_is_not_believed(tmp_path: Path) -> None:
    cache = MappingCache(tmp_path)
    cache.store("k", MAPPING)
    stored = (tmp_path / "k.txt").read_bytes()
    lines = stored.splitlines(keepends=True)
    for number, line in enumerate(lines):
        for changed in (b"", line.replace(b"2", b"4"), line.replace(b"1", b"3"), line + line):
            if changed == line:
                continue
            (tmp_path / "k.txt").write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
            with pytest.warns(UserWarning, match=r"k\.txt: ignored, not the mapping of layer .* that was stored"):
                assert cache.find("k", LAYER) is None


def test_nor_is_one_stored_under_another_key(tmp_path: Path) -> None:
    cache = MappingCache(tmp_path)
    cache.store("k", MAPPING)
    (tmp_path / "k.txt").rename(tmp_path / "other.txt")
    with pytest.warns(UserWarning, match=r"other\.txt: ignored"):
        assert cache.find("other", LAYER) is None


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, link_to_itself, link_to_a_device])
def test_what_is_no_file_is_ignored_with_a_warning_and_replaced(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Opening a pipe would take as long as nobody writes to it, reading the device as long as there is memory."""
    path, cache = tmp_path / "k.txt", MappingCache(tmp_path)
    make(path)
    with pytest.warns(UserWarning, match=r"k\.txt: ignored"):
        assert cache.find("k", LAYER) is None
    cache.store("k", MAPPING)
    assert path.is_file() and not path.is_symlink()
    assert cache.find("k", LAYER) == MAPPING


def test_a_link_that_leads_nowhere_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "k.txt").symlink_to(tmp_path / "gone" / "k.txt")
    cache = MappingCache(tmp_path)
    assert cache.find("k", LAYER) is None
    cache.store("k", MAPPING)
    assert cache.find("k", LAYER) == MAPPING
    assert not (tmp_path / "gone").exists()


def a_file(path: Path) -> None:
    path.write_text("in the way")


@pytest.mark.parametrize("make", [a_file, pipe, link_to_itself])
@pytest.mark.parametrize("below", ["", "dnn-accel-sim/mappings"])
def test_a_folder_that_is_none_is_an_empty_cache_and_told_once(
    tmp_path: Path, make: Callable[[Path], None], below: str
) -> None:
    make(tmp_path / "other")
    assert MappingCache(tmp_path / "other" / below).find("k", LAYER) is None
    with pytest.warns(UserWarning, match=f"^mappings found are not kept: .*{tmp_path / 'other'}"):
        MappingCache(tmp_path / "other" / below).store("k", MAPPING)
    # A second warning would be an error.
    again = MappingCache(tmp_path / "other" / below)
    again.store("l", MAPPING)
    assert again.find("l", LAYER) is None
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_folder_that_takes_nothing_is_told_once_and_what_it_has_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = MappingCache(tmp_path)
    cache.store("k", MAPPING)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("accel.output.tempfile.TemporaryFile", refuse)
    with pytest.warns(UserWarning, match=r"not kept: .*Read-only file system"):
        cache.store("l", MAPPING)
    cache.store("m", MAPPING)  # a second warning would be an error
    assert cache.find("l", LAYER) is None
    assert cache.find("k", LAYER) == MAPPING


@pytest.mark.parametrize(
    ("name", "density", "seed"), [("eyeriss_v1", Density(), 0), ("cnvlutin", Density(0.5, 0.6), 3)]
)
def test_a_run_from_the_cache_gives_the_same_bytes(name: str, density: Density, seed: int, tmp_path: Path) -> None:
    """A search hands on its simulation of what it chose; a mapping from the cache is simulated anew."""
    network = load("lenet5").map_layers(lambda layer: replace(layer, density=density))
    chip, cache = accel.load(name), MappingCache(tmp_path)
    afresh = accel.simulate(network, chip, seed=seed, budget=SHORT).to_json()
    assert accel.simulate(network, chip, cache=cache, seed=seed, budget=SHORT).to_json() == afresh
    stored = sorted(tmp_path.iterdir())
    assert len(stored) == 4
    assert accel.simulate(network, chip, cache=cache, seed=seed, budget=SHORT).to_json() == afresh
    assert sorted(tmp_path.iterdir()) == stored
