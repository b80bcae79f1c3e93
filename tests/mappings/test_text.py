"""Does the loop nest read well, and back into the same mapping?"""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import Loop, Mapping
from mappings.file import MappingBook, dump_mappings
from mappings.text import from_text, to_text
from tests.strategies import layers_and_mappings
from workloads import InputError, Layer

CONV2 = Layer("conv2", G=2, N=4, K=128, C=48, P=27, Q=27, R=5, S=5, padding=(2, 2, 2, 2))
ROW_STATIONARY = Mapping(
    "row_stationary",
    off_chip=(Loop("G", 2), Loop("N", 4), Loop("P", 4), Loop("C", 24), Loop("K", 2)),
    on_chip=(),
    registers=(Loop("Q", 27), Loop("C", 2), Loop("S", 5), Loop("K", 16)),
    rows=(Loop("R", 5), Loop("K", 2)),
    columns=(Loop("P", 7), Loop("K", 2)),
    hold=(None, None, 3),
)
NEST = """\
mapping row_stationary  # layer conv2: G 2, N 4, K 128, C 48, P 27, Q 27, R 5, S 5
off_chip  # an iteration is a tile step
  for G in 2 blocks of 1
    for N in 4 blocks of 1
      for P in 4 blocks of 7  # the last of 6
        hold output
        for C in 24 blocks of 2
          for K in 2 blocks of 64
on_chip  # an iteration is a pass
registers  # an iteration is a cycle
            for Q in 27 blocks of 1
              for C in 2 blocks of 1
                for S in 5 blocks of 1
                  for K in 16 blocks of 4
                    unroll R x 5 over rows
                    unroll K x 2 over rows
                    unroll P x 7 over columns
                    unroll K x 2 over columns
"""


def test_a_nest_as_people_read_it() -> None:
    assert to_text(ROW_STATIONARY, CONV2) == NEST
    assert from_text(NEST) == ROW_STATIONARY


def test_without_a_layer_only_the_remarks_are_gone() -> None:
    plain = NEST.replace("  # layer conv2: G 2, N 4, K 128, C 48, P 27, Q 27, R 5, S 5", "").replace(
        "  # the last of 6", ""
    )
    assert to_text(ROW_STATIONARY) == plain


@given(layers_and_mappings(), st.booleans())
def test_every_mapping_reads_back(case: tuple[Layer, Mapping], named: bool) -> None:
    layer, mapping = case
    assert from_text(to_text(mapping, layer if named else None)) == mapping


@given(layers_and_mappings(), st.tuples(*[st.none() | st.integers(0, 300)] * 3))
def test_registers_to_use_read_back(
    case: tuple[Layer, Mapping], words: tuple[int | None, int | None, int | None]
) -> None:
    mapping = replace(case[1], register_words=words)
    assert from_text(to_text(mapping)) == mapping
    book = MappingBook({"a": mapping})
    assert tomllib.loads(dump_mappings(book))["mapping"][0].get("register_words", {}) == {
        name: most for name, most in zip(("input", "weight", "output"), words, strict=True) if most is not None
    }


@given(st.text())
def test_every_name_reads_back(name: str) -> None:
    mapping = Mapping(name, off_chip=(Loop("K", 2),), hold=(0, 1, None))
    assert from_text(to_text(mapping, Layer(name, K=2))) == mapping


def test_indentation_block_sizes_and_remarks_may_be_left_out() -> None:
    text = "mapping by_hand\n\noff_chip\nfor K in 3  # outputs\n# a line\nregisters\nfor C in 5\nunroll K x 4 over rows"
    assert from_text(text) == Mapping("by_hand", (Loop("K", 3),), (), (Loop("C", 5),), (Loop("K", 4),))


HEAD = "mapping m\noff_chip\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'the text holds no mapping: needs "mapping NAME" and its loops'),
        ("off_chip", 'line 1 (off_chip): needs "mapping NAME" first'),
        ("mapping m\nmapping n", "line 2 (mapping n): a second mapping"),
        ('mapping "m\\q"', 'line 1 (mapping "m\\q"): name "m\\q": needs a JSON string or a plain word'),
        ("mapping m\nfor K in 2", "line 2 (for K in 2): a loop before any level: needs off_chip, on_chip"),
        ("mapping m\non_chip\noff_chip", "line 3 (off_chip): off_chip after on_chip: needs each level once, in order"),
        (HEAD + "off_chip", "line 3 (off_chip): off_chip after off_chip"),
        (HEAD + "for K in two", 'line 3 (for K in two): needs "mapping NAME", a level'),
        (HEAD + "for K in 2 blocks of 1 over rows", "line 3 (for K in 2 blocks of 1 over rows): needs"),
        (HEAD + "for K in 0", "line 3 (for K in 0): off_chip K = 0: needs a whole number from 1 up"),
        (HEAD + "for X in 2", 'line 3 (for X in 2): axis "X": needs dimensions out of G N K C P Q R S'),
        (HEAD + "for KC in 2", 'line 3 (for KC in 2): axis "KC": only dimensions within GK, NPQ, CRS'),
        (HEAD + "for K in " + "9" * 5000, "factor of 5000 digits: needs at most 18"),
        (HEAD + "for K in 2 blocks of 3", "line 3 (for K in 2 blocks of 3): blocks of 3: the loops inside cover 1"),
        (HEAD + "hold outputs", 'line 3 (hold outputs): hold "outputs": needs one of input, weight, output'),
        (HEAD + "hold output\nhold output", "line 4 (hold output): output is held twice: needs one place"),
        ("mapping m\non_chip\nhold input", "line 3 (hold input): hold outside off_chip"),
        (HEAD + "unroll K x 2 over banks", '(unroll K x 2 over banks): over "banks": needs one of rows, columns'),
        (HEAD + "for NPQ in 2\nfor P in 2", 'line 4 (for P in 2): axis "NPQ" shares a dimension with another axis'),
        (HEAD + "use 2 registers for output", "line 3 (use 2 registers for output): use outside registers"),
        ("mapping m\nregisters\nuse 2 registers for it", '(use 2 registers for it): registers for "it": needs one of'),
        ("mapping m\nregisters\nuse 1 register for input\nuse 2 registers for input", "line 4 (use 2 registers for"),
        ("mapping m\nregisters\nfor P in 2\nfor P in 2", "line 4 (for P in 2): registers name an axis twice"),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_what_would_do(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        from_text(text)


pieces = ["mapping m", "off_chip", "registers", "for K in ", "hold ", "output", "unroll K x ", " over rows", "#", '"']


@given(st.lists(st.sampled_from([*pieces, "\n", "2", "\x00", " blocks of "]) | st.text(max_size=3)))
def test_no_text_makes_anything_but_an_input_error(parts: list[str]) -> None:
    with suppress(InputError):
        from_text("".join(parts))
