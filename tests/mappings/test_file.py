"""Do mapping files load to what they say, and does a bad one get a line that names file, table and field?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings import Loop, Mapping
from mappings.file import MappingBook, dump_mappings, load_mappings
from tests.strategies import layers, mappings
from workloads import InputError, Layer

TWO = """\
[[mapping]]
layer = "conv1"
name = "by_hand"
off_chip = ["N 4", "K 2"]
on_chip = ["C 3"]
registers = ["Q 27", "S 5"]
rows = ["K 16"]
columns = ["C 4"]
hold = { output = 1 }
register_words = { input = 12, output = 0 }

[[mapping]]
layer = "*"
name = "rest"
rows = ["NPQ 8"]
"""
BY_HAND = Mapping(
    "by_hand",
    off_chip=(Loop("N", 4), Loop("K", 2)),
    on_chip=(Loop("C", 3),),
    registers=(Loop("Q", 27), Loop("S", 5)),
    rows=(Loop("K", 16),),
    columns=(Loop("C", 4),),
    hold=(None, None, 1),
    register_words=(12, None, 0),
)
REST = Mapping("rest", rows=(Loop("NPQ", 8),))


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_a_layer_and_a_default(tmp_path: Path) -> None:
    book = load_mappings(written(tmp_path, TWO))
    assert book == MappingBook({"conv1": BY_HAND}, REST)
    assert book.mapping_for(Layer("conv1")) == BY_HAND
    assert book.mapping_for(Layer("conv2")) == REST
    assert dump_mappings(book) == TWO


def test_the_name_is_optional(tmp_path: Path) -> None:
    book = load_mappings(written(tmp_path, '[[mapping]]\nlayer = "conv1"\n[[mapping]]\nlayer = "*"\n'))
    assert book.by_layer["conv1"].name == "conv1"
    assert book.default == Mapping("default")


def test_a_layer_without_a_mapping_is_named(tmp_path: Path) -> None:
    book = load_mappings(written(tmp_path, '[[mapping]]\nlayer = "conv1"\n'))
    with pytest.raises(
        InputError, match=r'mine.toml: no mapping for layer "fc", only for conv1: add a \[\[mapping\]\]'
    ):
        book.mapping_for(Layer("fc"))


def test_a_book_is_frozen() -> None:
    given = {"conv1": REST}
    book = MappingBook(given)
    given.clear()
    assert book.mapping_for(Layer("conv1")) == REST
    with pytest.raises(TypeError):
        book.by_layer["conv2"] = REST  # type: ignore[index]


names = st.text(min_size=1).filter(lambda name: name.strip() and name != "*" and name.isprintable())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_book_reads_back(tmp_path: Path, data: st.DataObject) -> None:
    found = {name: data.draw(mappings(data.draw(layers()))) for name in data.draw(st.sets(names, max_size=3))}
    default = data.draw(mappings(data.draw(layers()))) if not found or data.draw(st.booleans()) else None
    book = MappingBook(found, default)
    assert load_mappings(written(tmp_path, dump_mappings(book))) == book


ONE = '[[mapping]]\nlayer = "a"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.toml: is empty: needs one table or field at least"),
        ("mapping = 3", "mine.toml: no mapping: needs one [[mapping]] table at least"),
        ("mapping = [3]", "mine.toml: mapping 1: 3: needs a [[mapping]] table"),
        ('[[maping]]\nlayer = "a"', 'mine.toml: unknown field "maping" (did you mean "mapping"?)'),
        ('[[mapping]]\nname = "a"', "mine.toml: mapping 1: layer is missing"),
        ('[[mapping]]\nlayr = "a"', 'mine.toml: mapping 1: unknown field "layr" (did you mean "layer"?)'),
        ('[[mapping]]\nlayer = 7', "mine.toml: mapping 1: layer = 7: needs a text in quotes"),
        (
            ONE + 'off_chips = []',
            'mine.toml: mapping 1 (layer a): unknown field "off_chips" (did you mean "off_chip"?)',
        ),
        (ONE + 'rows = "K 2"', "(layer a): rows = 'K 2': needs a list of \"AXIS FACTOR\""),
        (ONE + 'rows = [2]', "(layer a): rows has 2: needs \"AXIS FACTOR\""),
        (ONE + 'rows = ["K"]', "(layer a): rows has 'K': needs"),
        (ONE + 'rows = ["K 0"]', "(layer a): rows has 'K 0': needs \"AXIS FACTOR\" with a factor from 1"),
        (ONE + 'rows = ["K -2"]', "(layer a): rows has 'K -2': needs"),
        (ONE + 'rows = ["K 2.5"]', "(layer a): rows has 'K 2.5': needs"),
        (ONE + 'rows = ["K 9999999999"]', "(layer a): rows has 'K 9999999999': is too large, needs"),
        (ONE + 'rows = ["X 2"]', '(layer a): axis "X": needs dimensions out of G N K C P Q R S'),
        (ONE + 'rows = ["KC 2"]', '(layer a): axis "KC": only dimensions within GK, NPQ, CRS'),
        (ONE + 'hold = 3', "(layer a): hold = 3: needs a table with input, weight, output"),
        (ONE + 'hold = { outptu = 0 }', '(layer a), hold: unknown field "outptu" (did you mean "output"?)'),
        (ONE + 'hold = { output = -1 }', "(layer a): hold.output = -1: needs a whole number from 0 up"),
        (ONE + 'hold = { output = true }', "(layer a): hold.output = True: needs a whole number"),
        (ONE + 'hold = { output = 1 }', "(layer a): hold.output = 1: needs 0 to 0 off-chip loops"),
        (ONE + 'register_words = { weight = -1 }', "(layer a): register_words.weight = -1: needs a whole"),
        (ONE + '[[mapping]]\nlayer = "a"', 'mapping 2 (layer a): layer = "a" has a mapping already'),
        (TWO[:40], "mine.toml: not a TOML file: "),
    ],
)  # fmt: skip
def test_a_bad_file_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as found:
        load_mappings(written(tmp_path, text))
    assert str(found.value).startswith(str(tmp_path / "mine.toml"))
    assert "\n" not in str(found.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml: no such file: needs a \.toml file"):
        load_mappings(tmp_path / "none.toml")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(InputError, match=r"picture.toml: not a TOML file"):
        load_mappings(tmp_path / "picture.toml")
