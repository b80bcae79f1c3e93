"""Is a mapping found again only when it is the one a search would find?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import accel
from accel.mapping_cache import MappingCache, cache_key
from accel.residency import NOWHERE, Residency
from accel.task import QUICK
from mappings import Budget, Loop, Mapping
from workloads import Bits, Density, Layer, load

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


def test_a_folder_that_cannot_be_written_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = MappingCache(tmp_path / "file")
    cache.store("k", MAPPING)
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("name", "density", "seed"), [("eyeriss_v1", Density(), 0), ("cnvlutin", Density(0.5, 0.6), 3)]
)
def test_a_run_from_the_cache_gives_the_same_bytes(name: str, density: Density, seed: int, tmp_path: Path) -> None:
    """A search hands on its simulation of what it chose; a mapping from the cache is simulated anew."""
    network = load("lenet5").map_layers(lambda layer: replace(layer, density=density))
    chip, cache = accel.load(name), MappingCache(tmp_path)
    afresh = accel.simulate(network, chip, seed=seed).to_json()
    assert accel.simulate(network, chip, cache=cache, seed=seed).to_json() == afresh
    stored = sorted(tmp_path.iterdir())
    assert len(stored) == 4
    assert accel.simulate(network, chip, cache=cache, seed=seed).to_json() == afresh
    assert sorted(tmp_path.iterdir()) == stored
