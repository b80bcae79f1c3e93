"""Bands: does the map between two layers wait in as few rows as it must, and is every band finished in its turn?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mappings import Loop, Mapping, schedule
from mappings.bands import Bands, Window, band_layer, bands_of, column_in_bands, held_pixels, in_bands
from mappings.dataflows import ArrayShape, candidates
from workloads import Layer, Operand


@st.composite
def readings(draw: st.DrawFn) -> tuple[Bands, Bands, Window]:
    """A map and a windowed reader of it, each in bands of its own."""
    images, rows, columns = draw(st.integers(1, 2)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    taps, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, taps - 1))
    outputs = max(1, (rows + padding - taps) // stride + 1)
    made = Bands(images, rows, columns, draw(st.integers(1, rows * columns)), draw(st.booleans()))
    read = Bands(images, outputs, columns, draw(st.integers(1, outputs * columns)), draw(st.booleans()))
    return made, read, Window(taps, stride, padding)


def waiting(made: Bands, read: Bands, window: Window) -> int:
    """Pixel by pixel: all that is made and that some later turn of the reader still needs, or lies before such."""
    image = made.P * made.Q
    turns = []
    begin = 0
    for end in read.ends.tolist():
        needed = set()
        for pixel in range(begin, end):
            n, row = divmod(pixel // read.Q, read.P)
            for tap in range(window.rows):
                source = row * window.stride - window.padding + tap
                if 0 <= source < made.P:
                    needed |= {n * image + source * made.Q + column for column in range(made.Q)}
        turns.append(needed)
        begin = end
    most = 0
    for end in made.ends.tolist():
        first = min((min(needed) for needed in turns if needed), default=None)
        if first is not None:
            most = max(most, end - first)
        while turns and max(turns[0], default=-1) < end:
            turns.pop(0)
    return most


@given(readings())
def test_held_pixels_are_those_of_a_walk(case: tuple[Bands, Bands, Window]) -> None:
    assert held_pixels(*case) == waiting(*case)


def test_a_pooling_of_three_by_two_keeps_one_row_of_the_band_before() -> None:
    """Bands of two rows: of five rows made, a window of three reads the first; its last row waits for the next."""
    rows = Bands(1, 13, 1, 2)
    assert held_pixels(rows, Bands(1, 6, 1, 1), Window(3, 2)) == 4
    assert held_pixels(Bands(1, 12, 1, 2), Bands(1, 6, 1, 1), Window(2, 2)) == 2
    assert held_pixels(Bands(1, 12, 7, 7), Bands(1, 12, 7, 7), Window()) == 7


LAYER = Layer("conv", N=2, K=6, C=4, P=10, Q=9, R=3, S=3, padding=(1, 1, 1, 1))


@given(st.integers(1, 10), st.sampled_from(["row_stationary", "weight_stationary", "output_stationary"]), st.data())
def test_mappings_in_bands_cover_the_layer_band_after_band(rows: int, dataflow: str, data: st.DataObject) -> None:
    inner_columns = candidates(dataflow, band_layer(LAYER, rows), ArrayShape(6, 7, 1, 12, 64, 8))
    column = data.draw(st.sampled_from(inner_columns))
    inner = column[data.draw(st.integers(0, len(column) - 1))]
    hold = data.draw(st.booleans())
    mapping, loops = in_bands(inner, LAYER, hold)
    tiles = schedule(LAYER, mapping)
    bands = bands_of(mapping, LAYER, loops)
    assert int(tiles.store_words[tiles.store_final].sum()) == LAYER.words(Operand.OUTPUT)
    assert int(tiles.store_words[~tiles.store_final].sum()) == int(tiles.load_words[:, Operand.OUTPUT].sum())
    made = np.cumsum(np.where(tiles.store_final, tiles.store_words, 0))
    assert set((bands.ends * LAYER.K).tolist()) <= set(made.tolist())
    if hold:
        assert int(tiles.load_words[:, Operand.WEIGHT].sum()) == LAYER.words(Operand.WEIGHT)


@given(st.integers(1, 10), st.booleans())
def test_a_column_in_bands_holds_the_mappings_in_bands(rows: int, hold: bool) -> None:
    for column in candidates("output_stationary", band_layer(LAYER, rows), ArrayShape(6, 7))[:2]:
        lifted = column_in_bands(column, LAYER, hold)
        for row in range(0, len(column), 17):
            assert lifted[row] == in_bands(column[row], LAYER, hold)[0]


def test_weights_held_for_all_bands_are_fetched_once() -> None:
    inner = Mapping("m", off_chip=(Loop("K", 3),), registers=(Loop("K", 2), Loop("P", 5), Loop("Q", 9), Loop("C", 4)),
                    on_chip=(Loop("R", 3), Loop("S", 3)))  # fmt: skip
    for hold, times in ((True, 1), (False, 4)):
        mapping, loops = in_bands(inner, LAYER, hold)
        assert loops == 2
        fetched = int(schedule(LAYER, mapping).load_words[:, Operand.WEIGHT].sum())
        assert fetched == times * LAYER.words(Operand.WEIGHT)
