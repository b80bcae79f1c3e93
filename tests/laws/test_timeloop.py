"""Do access counts and cycles equal Timeloop's on the same mapping? By hand, and against a walk over sets of points.

Shapes like those of its tutorial exercises; every figure is worked out in the comment beside it.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.timeloop import Counts, counts, example, machine
from mappings import Loop, Mapping
from tests.laws.naive_timeloop import walk
from tests.strategies import layers
from workloads import Bits, Layer, Operand


def loops(text: str) -> tuple[Loop, ...]:
    """ "K4 P2" as loops, outermost first."""
    return tuple(Loop(word[0], int(word[1:])) for word in text.split())


def nest(off_chip: str = "", on_chip: str = "", registers: str = "", rows: str = "", columns: str = "") -> Mapping:
    return Mapping("hand", loops(off_chip), loops(on_chip), loops(registers), loops(rows), loops(columns))


def of(
    layer: Layer, mapping: Mapping, *, register_words: int | tuple[int, int, int] = 1_000_000, steady: bool = True,
    linked: bool = True, extrapolated: bool = True,
) -> Counts:  # fmt: skip
    used = [prod(loop.factor for loop in level) for level in (mapping.rows, mapping.columns)]
    chip = machine(used[0], used[1], register_words, steady_windows=steady, neighbour_links=linked)
    return counts(layer, mapping, chip, extrapolated=extrapolated)


def dram(found: Counts) -> tuple[int, int, int, int]:
    return found.dram_reads_inputs, found.dram_reads_weights, found.dram_reads_outputs, found.dram_updates_outputs


def buffer(found: Counts) -> tuple[int, int, int, int]:
    return (
        found.buffer_reads_inputs, found.buffer_reads_weights, found.buffer_reads_outputs, found.buffer_updates_outputs,
    )  # fmt: skip


FILTER = Layer("filter", P=16, R=3)
"""A one-dimensional filter: 16 outputs of 3 taps over 18 inputs, 48 MACs."""


@pytest.mark.parametrize(("off_chip", "on_chip"), [("R3", "P16"), ("P16", "R3")])
def test_one_dimension_weight_and_output_stationary(off_chip: str, on_chip: str) -> None:
    found = of(FILTER, nest(off_chip, on_chip), register_words=0)
    # The window slides by one input a step, over the taps (16 + 1 + 1) or over the outputs (3 + 15 x 1): 18. Weights
    # come once. Outputs leave once, none comes back: the buffer holds them over the taps.
    assert dram(found) == (18, 3, 0, 16)
    # MACs read the buffer: 48 inputs, 48 weights, 48 updates; the first update of each of the 16 outputs reads nothing.
    assert buffer(found) == (48, 48, 48 - 16, 48)
    assert (found.cycles, found.utilization) == (48, 1.0)


def test_three_levels() -> None:
    layer = Layer("filters", K=32, P=16, R=3)
    found = of(layer, nest(on_chip="K16 P16", registers="K2 R3"))
    # Everything fits the buffer: 18 inputs, 32 x 3 weights, 32 x 16 outputs.
    assert dram(found) == (18, 96, 0, 512)
    # Each of the 16 pairs of filters slides over the inputs anew: 16 x (3 + 15). Weights of a pair stay for all
    # pixels. A window is finished in the registers: every output leaves once.
    assert buffer(found) == (16 * 18, 96, 0, 512)
    assert (found.register_fills_inputs, found.register_fills_weights) == (288, 96)
    assert found.cycles == 32 * 16 * 3


def test_only_outputs_have_registers() -> None:
    layer = Layer("filters", K=32, P=16, R=3)
    found = of(layer, nest(on_chip="K16 P16", registers="K2 R3"), register_words=(0, 0, 1_000_000))
    # Every MAC reads its operands from the buffer; sums of two filters are finished in the registers.
    assert buffer(found) == (1536, 1536, 0, 512)
    assert dram(found) == (18, 96, 0, 512)


CHANNELS = Layer("channels", K=32, C=32, P=16, R=3)


def test_filters_over_pes_are_fed_by_multicast() -> None:
    found = of(CHANNELS, nest(on_chip="C32 K2 R3", registers="P16", rows="K16"))
    assert dram(found) == (32 * 18, 32 * 32 * 3, 0, 512)
    # Inputs, once for all 16 PEs: in each of 32 x 2 rounds a row of 16, then one more for each further tap: 18; going
    # back to the first tap takes the whole row again. Weights: one for each PE and iteration. Outputs: 16 PEs put down
    # 16 sums in each of 32 x 2 rounds (the taps are summed in the registers), and all but the first of each come back.
    assert buffer(found) == (64 * 18, 16 * 192, 16384 - 512, 16 * 16 * 64)
    assert (found.register_fills_inputs, found.register_fills_weights) == (1152, 192)
    assert found.cycles == 32 * 2 * 3 * 16


def test_channels_over_pes_are_summed_on_the_way() -> None:
    found = of(CHANNELS, nest(on_chip="C2 K32 R3", registers="P16", rows="C16"))
    assert dram(found) == (576, 3072, 0, 512)
    # Inputs differ from PE to PE: 16 times 64 rounds of 18. The sums of the PEs become one: 64 rounds of 16 updates.
    assert buffer(found) == (16 * 64 * 18, 16 * 192, 1024 - 512, 64 * 16)
    assert (found.register_fills_inputs, found.register_fills_weights) == (1152, 192)
    assert found.cycles == 3072


def test_filters_and_channels_over_pes() -> None:
    layer = Layer("both", K=8, C=8, P=4, Q=4)
    found = of(layer, nest(off_chip="K2", on_chip="C2", registers="P4 Q4", rows="K4", columns="C4"))
    # The whole input stays in the buffer for both halves of the filters.
    assert dram(found) == (8 * 16, 64, 0, 128)
    # Each of four passes: 4 maps of 16 inputs, each for 4 rows of PEs; 16 weights. Sums stay in the registers for both
    # halves of the channels: 4 maps of 16, of 4 PEs each, leave twice.
    assert buffer(found) == (4 * 64, 4 * 16, 0, 2 * 64)
    assert (found.register_fills_inputs, found.register_fills_weights) == (4 * 16, 4)
    assert (found.cycles, found.utilization) == (4 * 16, 1.0)


MATMUL = Layer("matmul", N=8, K=8, C=8)
"""8 x 8 times 8 x 8 in tiles of 4 x 4: 8 steps, each matrix 64 words in 4 tiles of 16."""


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # Channels innermost: outputs wait for their sums; both operands change at each of 8 steps.
        ("N2 K2 C2", (8 * 16, 8 * 16, 0, 64)),
        ("K2 N2 C2", (8 * 16, 8 * 16, 0, 64)),
        # Filters innermost: inputs (N, C) stay for both halves; outputs leave at each step, the second time after
        # having come back.
        ("C2 N2 K2", (4 * 16, 8 * 16, 64, 8 * 16)),
        ("N2 C2 K2", (4 * 16, 8 * 16, 64, 8 * 16)),
        # Batch innermost: weights (K, C) stay.
        ("C2 K2 N2", (8 * 16, 4 * 16, 64, 8 * 16)),
        ("K2 C2 N2", (8 * 16, 4 * 16, 64, 8 * 16)),
        # One loop left out: what does not depend on the others stays throughout.
        ("K2 C2", (2 * 2 * 32, 64, 0, 64)),
        ("C2 K2", (2 * 32, 64, 64, 4 * 32)),
        ("N2 K2", (64, 4 * 32, 0, 64)),
        ("K2", (64, 64, 0, 64)),
    ],
)
def test_orders_of_a_matmul(order: str, expected: tuple[int, ...]) -> None:
    sizes = {loop.axis: loop.factor for loop in loops(order)}
    inside = " ".join(f"{dim}{8 // sizes.get(dim, 1)}" for dim in "NKC")
    found = of(MATMUL, nest(order, registers=inside))
    assert dram(found) == expected
    assert found.cycles == 512


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # The 4 weights of a half stay over the rows; 2 rows of sums leave after each of the channels' halves.
        ("K2 C2 N4", (2 * 64, 64, 64, 128)),
        # Sums stay while the channels pass.
        ("K2 N4 C2", (2 * 64, 4 * 64, 0, 64)),
        # Inputs stay for both halves of the filters.
        ("N4 C2 K2", (64, 4 * 64, 64, 128)),
    ],
)
def test_orders_between_buffer_and_registers(order: str, expected: tuple[int, ...]) -> None:
    found = of(MATMUL, nest(on_chip=order, registers="N2 K4 C4"))
    assert dram(found) == (64, 64, 0, 64)
    assert buffer(found) == expected


@pytest.mark.parametrize(
    ("stride", "side", "words"),
    [
        # Strips of 2 of 8 output rows, 3 taps: 4 input rows, then 2 new ones for each strip: all 10 once.
        (1, 10, 4 + 3 * 2),
        # Stride 2: 5 rows, of the next strip the first is there already: 5 + 3 x 4 = 17.
        (2, 17, 5 + 3 * 4),
        # Stride 3: no overlap, 6 rows a strip.
        (3, 24, 4 * 6),
    ],
)
@pytest.mark.parametrize("filters", [1, 2])
@pytest.mark.parametrize("along", ["P", "Q"])
def test_strips_of_a_convolution(stride: int, side: int, words: int, filters: int, along: str) -> None:
    across = "Q" if along == "P" else "P"
    layer = Layer("strips", K=4, C=2, P=8, Q=8, R=3, S=3, stride=(stride, stride))
    assert layer.H == layer.W == side
    inside = f"K{4 // filters} C2 {along}2 {across}8 R3 S3"
    found = of(layer, nest(off_chip=f"K{filters} {along}4", registers=inside))
    # Two channels of strips as wide as the map, again for each part of the filters: back at the top all is new.
    assert dram(found) == (filters * 2 * words * side, 72, 0, 256)


def test_a_word_under_the_last_window_of_a_tile_stays_for_the_first_of_the_next() -> None:
    layer = Layer("row", Q=2, S=2)
    found = of(layer, nest(off_chip="S2", on_chip="Q2"))
    # Pass by pass a single input: 0 and 1 under the first tap, 1 and 2 under the second. The buffer gets 2 + 1 words;
    # the registers 3 too if the 1 is still there as the second tile begins. Steady windows move on by one, rest, and
    # so take the 1 again.
    assert dram(found) == (3, 2, 0, 2)
    assert buffer(found) == (4, 2, 2, 4)
    assert buffer(of(layer, nest(off_chip="S2", on_chip="Q2"), steady=False)) == (3, 2, 2, 4)
    # Strides of the tap that step over a word leave nothing in common: 0 and 2, then 1 and 3.
    apart = of(replace(layer, stride=(1, 2)), nest(off_chip="S2", on_chip="Q2"))
    assert buffer(apart) == (4, 2, 2, 4)


@pytest.mark.parametrize(
    ("off_chip", "on_chip", "registers", "steadily"),
    [
        *(("P4", "", "P4 R3", 18), ("P4", "P2", "P2 R3", 18), ("R3", "", "P16", 18), ("P4", "P4", "R3", 18)),
        # 0 to 7, 8 and 9; 8 to 15 is another step: whole, and then 16 and 17.
        ("P2", "R3", "P8", 8 + 2 + 8 + 2),
    ],
)
def test_windows_slide_on_in_registers_as_they_do_in_the_buffer(
    off_chip: str, on_chip: str, registers: str, steadily: int
) -> None:
    for steady, words in ((True, steadily), (False, 18)):
        found = of(FILTER, nest(off_chip, on_chip, registers), steady=steady, extrapolated=False)
        # The last: 0 to 9 for the first half, from which 8 and 9 are there for the second.
        assert (found.dram_reads_inputs, found.buffer_reads_inputs, found.register_fills_inputs) == (18, words, words)


@pytest.mark.parametrize(
    ("layer", "off_chip", "on_chip", "registers", "buffer_words", "steadily"),
    [
        # 16 filters at each pixel: the window rests between its steps, so all 3 taps are fetched for every pixel.
        (Layer("rests", K=32, P=16, R=3), "P16 K32", "", "R3", 18, 16 * 3),
        (Layer("rests", K=2, P=4, R=3), "P2 K2", "", "P2 R3", 6, 2 * 4),
        (Layer("rests", K=16, C=2, P=8, Q=8, R=3, S=3), "P4 K4", "", "K4 C2 P2 Q8 R3 S3", 200, 4 * 2 * 4 * 10),
    ],
)
def test_windows_that_rest_between_their_steps(
    layer: Layer, off_chip: str, on_chip: str, registers: str, buffer_words: int, steadily: int
) -> None:
    for steady, words in ((True, steadily), (False, buffer_words)):
        assert of(layer, nest(off_chip, on_chip, registers), steady=steady).dram_reads_inputs == words
        assert of(layer, nest(on_chip, off_chip, registers), steady=steady).buffer_reads_inputs == words


FIRST = Layer("first", K=32, C=3, P=112, Q=112, R=3, S=3, stride=(2, 2))
"""3 channels of 225 x 225, 32 filters of 3 x 3, stride 2."""


@pytest.mark.parametrize(
    ("off_chip", "inside", "words"),
    [
        # Strips of 8 columns that share one with the next; strips of 16 rows.
        ("Q14", "K32 C3 P112 Q8 R3 S3", 3 * 225 * 225),
        ("P7", "K32 C3 P16 Q112 R3 S3", 3 * 225 * 225),
        # Halves of the filters inside: 16 tiles of 113 rows and 29 columns, none has a neighbour's column still.
        ("P2 Q8 K2", "K16 C3 P56 Q14 R3 S3", 16 * 3 * 113 * 29),
        # The same in strips of 14 rows and halves of the columns.
        ("P8 Q2 K4", "K8 C3 P14 Q56 R3 S3", 16 * 3 * 29 * 113),
    ],
)
def test_tiles_of_a_first_layer(off_chip: str, inside: str, words: int) -> None:
    assert of(FIRST, nest(off_chip, registers=inside)).dram_reads_inputs == words


@pytest.mark.parametrize(("off_chip", "on_chip", "words", "steadily"), [("R3 P2", "", 10, 12), ("", "R3 P2", 6, 6)])
def test_windows_that_turn_back_are_taken_whole_unless_they_had_left_everything(
    off_chip: str, on_chip: str, words: int, steadily: int
) -> None:
    layer = Layer("back", P=4, R=3)
    found = of(layer, nest(off_chip, on_chip, "P2"))
    # By another step than before, back, everything is taken each time.
    assert (found.dram_reads_inputs, found.buffer_reads_inputs) == (steadily, 6 * 2)
    found = of(layer, nest(off_chip, on_chip, "P2"), steady=False)
    # 0 1, then 2 3, all new; back for the second tap 1 2, of which 2 is there, then 3 4, all new; 2 3, and 4 5.
    assert (found.dram_reads_inputs, found.buffer_reads_inputs) == (words, 2 + 2 + 1 + 2 + 1 + 2)
    # With 3 taps at once: 0 to 3, on to 2 to 5 with 4 and 5, and back to the first for the other filter, all of it.
    turned = of(replace(layer, K=2), nest("K2 P2", registers="P2 R3"))
    assert turned.dram_reads_inputs == turned.buffer_reads_inputs == 2 * (4 + 2)


def test_windows_of_dilated_taps_slide_on_too() -> None:
    layer = Layer("holes", P=4, R=3, dilation=(2, 1))
    found = of(layer, nest("P2", registers="P2 R3"))
    # 2 pixels touch 0, 1, 2, 3, 4, 5; the next two 2 to 7.
    assert (found.dram_reads_inputs, found.buffer_reads_inputs) == (8, 8)


def test_tiles_of_a_convolution_along_both_sides() -> None:
    layer = Layer("tiles", P=8, Q=8, R=3, S=3)
    found = of(layer, nest(off_chip="P2 Q2", registers="P4 Q4 R3 S3"))
    # 6 x 6 inputs; to the right 4 new columns; one row of tiles further on and back at the left, all of them.
    assert found.dram_reads_inputs == 2 * (36 + 6 * 4)


def test_channels_of_a_convolution_outside_and_inside() -> None:
    layer = Layer("psums", K=4, C=4, P=4, Q=4, R=3, S=3)
    inside = "K4 C2 P2 Q4 R3 S3"
    # Channels outside: every strip of 2 x 4 x 4 sums leaves twice and comes back once; rows slide within a half.
    outer = of(layer, nest(off_chip="C2 P2", registers=inside))
    assert dram(outer) == (2 * 2 * (4 + 2) * 6, 144, 64, 128)
    # Channels inside: sums stay; but the other channels lie between a strip and the next: 4 whole tiles of 2 x 4 x 6.
    inner = of(layer, nest(off_chip="P2 C2", registers=inside))
    assert dram(inner) == (4 * 48, 2 * 144, 0, 64)


def test_pixels_over_pes_are_fed_one_by_one() -> None:
    found = of(FILTER, nest(on_chip="P2", registers="P2 R3", rows="P4"))
    # Of 8 pixels a pass, every PE has 2 side by side and needs their 4 inputs, no two PEs the same 4; 8 pixels on, all
    # are new. The weights are the same for all and stay.
    assert buffer(found) == (2 * 4 * 4, 3, 0, 16)
    assert (found.register_fills_inputs, found.register_fills_weights) == (2 * 4, 3)
    assert found.cycles == 2 * 2 * 3
    # One pixel a PE: 3 inputs for each of 8, twice.
    single = of(FILTER, nest(on_chip="P2", registers="R3", rows="P8"))
    assert buffer(single) == (2 * 8 * 3, 3, 0, 16)


def test_pixels_and_taps_over_pes_share_inputs_along_diagonals() -> None:
    found = of(FILTER, nest(on_chip="P4", rows="P4", columns="R3"))
    # 12 PEs need 6 inputs a pass, each for the PEs of a diagonal; 4 pixels on, no PE has what it needs. 3 PEs a sum.
    assert buffer(found) == (4 * 6, 3, 0, 16)
    assert found.cycles == 4
    layer = replace(FILTER, stride=(3, 1))
    assert buffer(of(layer, nest(on_chip="P4", rows="P4", columns="R3"))) == (4 * 12, 3, 0, 16)


def test_rows_over_pes_slide_along_the_columns() -> None:
    """4 x 6 outputs of 3 x 3 taps, a row of them in each of 4 PEs, pixel by pixel."""
    layer = Layer("rows", C=2, P=4, Q=6, R=3, S=3)
    found = of(layer, nest(on_chip="C2 Q6", registers="R3 S3", rows="P4"))
    # Each channel: windows of 3 x 3, then five times a column of 3, for each of 4 PEs. Sums come back for channel 2.
    assert dram(found) == (2 * 6 * 8, 18, 0, 24)
    assert buffer(found) == (2 * 4 * 3 * (3 + 5), 18, 24, 48)
    assert (found.register_fills_inputs, found.cycles) == (2 * 3 * 8, 2 * 6 * 9)


@pytest.mark.parametrize(
    ("layer", "on_chip", "linked", "apart"),
    [
        # A pixel a PE, tap after tap: all but the last PE have the next input from beside them: 16 + 1 + 1 of 3 x 16.
        (FILTER, "R3", 18, 48),
        # Backwards to the first tap for the other filter: nothing beside is two inputs before.
        (Layer("filters", K=2, P=16, R=3), "K2 R3", 2 * 18, 2 * 48),
        # At rest for the second filter, which a link does not outlast: every step takes 16.
        (Layer("filters", K=2, P=16, R=3), "R3 K2", 48, 48),
        # Another channel is nobody's input of before.
        (Layer("channels", C=2, P=16, R=3), "R3 C2", 2 * 48, 2 * 48),
        # A stride of 2: the next tap is beside no PE, the one after it is: 16, 16 and 1.
        (replace(FILTER, stride=(2, 1)), "R3", 48, 48),
    ],
)
def test_pes_take_inputs_from_beside_them(layer: Layer, on_chip: str, linked: int, apart: int) -> None:
    for spread in ({"rows": "P16"}, {"columns": "P16"}):
        mapping = nest(on_chip=on_chip, **spread)
        found = of(layer, mapping, extrapolated=False)
        alone = of(layer, mapping, linked=False, extrapolated=False)
        assert (found.buffer_reads_inputs, alone.buffer_reads_inputs) == (linked, apart)
        # However they come, registers take as many.
        assert found.register_fills_inputs == alone.register_fills_inputs


def test_lanes_of_narrow_operands_take_their_pixels_from_the_buffer() -> None:
    """A PE has neighbouring pixels in two lanes: it takes two inputs, then one, and none that one beside it took."""
    layer = replace(FILTER, bits=Bits(input=4))
    mapping = replace(nest(on_chip="R3", rows="P8"), lanes=(Loop("P", 2),))
    chips = [
        machine(8, neighbour_links=links).with_values({"pe_array.precision.style": "composable"})
        for links in (True, False)
    ]
    assert counts(layer, mapping, chips[0]) == counts(layer, mapping, chips[1])


@pytest.mark.parametrize(
    ("off_chip", "on_chip", "registers", "words"),
    [
        # Four windows, one input further on each: 3 and 3 x 1. The next four follow the second of them: 3 on, all 3
        # new, and 3 x 1 again: 3 + 3 + 3 x (3 + 3), where 18 are moved.
        ("P4", "P4", "R3", 24),
        # 8 inputs, and 1 more for each further tap. The other half lies 7 beyond the second tap, another step than 1:
        # 8, and 2 x 1 again, as if all taps had run.
        ("P2", "R3", "P8", 20),
        # Three of 9 taps: 2 inputs and 2 x 1. The next three begin 2 on from the second, nothing is left: 2 x (2 + 2).
        ("R3", "R3", "P2", 12),
        # A single loop is as it is: 4 inputs and 3 x 2.
        ("P4", "", "P2 R3", 10),
    ],
)
def test_the_second_iteration_stands_for_all_later_ones(
    off_chip: str, on_chip: str, registers: str, words: int
) -> None:
    taps = 9 if on_chip == "R3" == off_chip else 3
    pixels = {"P2": 2, "P2 R3": 8}.get(registers, 16)
    found = of(Layer("filter", P=pixels, R=taps), nest(off_chip, on_chip, registers))
    level = found.buffer_reads_inputs if on_chip else found.dram_reads_inputs
    assert level == words
    assert found.register_fills_inputs == words


def test_a_plane_of_pixels_takes_one_row_or_column_a_tap() -> None:
    """An output plane over 4 x 4 PEs and 3 x 3 taps in time, as in Z. Du et al., "ShiDianNao", ISCA 2015."""
    layer = Layer("plane", P=4, Q=4, R=3, S=3)
    mapping = nest(on_chip="R3 S3", rows="P4", columns="Q4")
    # Each row of taps: 16 inputs, then twice a column of 4. Down to the next row and back to the left, all anew: what
    # lies one row below has been on, but two columns to the right of where it is wanted.
    assert buffer(of(layer, mapping)) == (3 * (16 + 4 + 4), 9, 0, 16)
    assert buffer(of(layer, mapping, linked=False)) == (9 * 16, 9, 0, 16)
    # Two filters at each tap, then: windows rest, and no PE has just taken what another wants.
    both = of(replace(layer, K=2), nest(on_chip="R3 S3 K2", rows="P4", columns="Q4"))
    assert both.buffer_reads_inputs == 9 * 16


def test_a_strided_layer_weight_stationary() -> None:
    """4 x 3 PEs with single registers."""
    found = of(FIRST, nest("Q14", "S3 P2 K8 R3 Q2", "P56 Q4", "K4", "C3"), register_words=1)
    macs = 32 * 3 * 112 * 112 * 9
    assert found.cycles == macs // 12
    # Strips of 8 output columns share a column with the next: all inputs once. Weights stay.
    assert dram(found) == (3 * 225 * 225, 32 * 27, 0, 32 * 112 * 112)
    # Every cycle 3 new inputs, each for 4 PEs, and 4 sums of 3 PEs each. 12 weights for each of 14 x 3 x 2 x 8 x 3
    # rounds, in which two halves of columns share them.
    sums = 4 * macs // 12
    assert buffer(found) == (3 * macs // 12, 12 * 2016, sums - 32 * 112 * 112, sums)
    assert (found.register_fills_inputs, found.register_fills_weights) == (macs // 12, 2016)


def test_the_example_of_the_experiment() -> None:
    found = of(*example())
    # Strips of 2 output rows, 4 input rows of 10: 4 + 3 x 2 rows of 8 channels, for both halves of the filters.
    assert dram(found) == (2 * 10 * 10 * 8, 16 * 8 * 9, 0, 16 * 64)
    # Of 8 steps, in 2 x 2 rounds a window of 4 rows and 3 columns slides along: 4 x 10 words for 4 columns of PEs.
    # Weights stay along a row: 4 x 4 x 9 a round. 4 x 2 x 8 sums a round, back for the second half of the channels.
    assert buffer(found) == (8 * 4 * 160, 8 * 4 * 144, 1024, 8 * 4 * 64)
    assert found.cycles == 2 * 4 * 2 * 2 * 8 * 18


@st.composite
def cases(draw: st.DrawFn, *, ragged: bool = True) -> tuple[Layer, Mapping]:
    """Layers without padding or gaps, nests of any order, factors ragged in time, any dimension over the PEs."""
    layer = replace(draw(layers(most_macs=700)), padding=(0, 0, 0, 0), dilation=(1, 1))
    whole = layer.stride != (1, 1)  # taps stay together: a window of fewer than the stride would leave gaps
    if whole:
        layer = replace(layer, stride=(min(layer.stride[0], layer.R), min(layer.stride[1], layer.S)))
    size = dict.fromkeys("GNKCPQRS", 1)
    found: dict[str, tuple[Loop, ...]] = {}
    for level in ("rows", "columns", "registers", "on_chip"):
        dims = "GNKCPQ" if level in ("rows", "columns") and whole else "GNKCPQRS"
        order = draw(st.permutations(dims))[: 2 if level in ("rows", "columns") else 8]
        made = []
        for dim in reversed(order):
            most = -(-getattr(layer, dim) // size[dim])
            least = most if whole and dim in "RS" else 1
            factor = draw(st.integers(least, most))
            spread = level in ("rows", "columns") or (level == "registers" and dim in "PQRS" and size[dim] > 1)
            if (spread or not ragged) and getattr(layer, dim) % (size[dim] * factor):
                factor = 1  # no PE idles: Timeloop lets one keep what it had
            size[dim] *= factor
            made.append(Loop(dim, factor))
        found[level] = tuple(reversed(made))
    left = [(dim, -(-getattr(layer, dim) // size[dim])) for dim in draw(st.permutations("GNKCPQRS"))]
    return layer, Mapping("random", tuple(Loop(*loop) for loop in left), **found)


@given(cases(), st.booleans(), st.booleans())
def test_any_mapping_against_a_walk_over_points(case: tuple[Layer, Mapping], steady: bool, linked: bool) -> None:
    layer, mapping = case
    found = of(layer, mapping, steady=steady, linked=linked, extrapolated=False)
    expected = walk(layer, mapping, steady=steady, linked=linked)
    for level, result in ((expected.dram, dram(found)), (expected.buffer, buffer(found))):
        assert result == (*(level.reads[operand] for operand in Operand), level.updates)
    fills = expected.buffer.fills
    assert (found.register_fills_inputs, found.register_fills_weights) == (fills[Operand.INPUT], fills[Operand.WEIGHT])
    assert found.cycles == expected.cycles


@given(cases(ragged=False), st.booleans(), st.booleans())
def test_inputs_are_extrapolated_as_in_a_walk_of_two_iterations(
    case: tuple[Layer, Mapping], steady: bool, linked: bool
) -> None:
    layer, mapping = case
    found = of(layer, mapping, steady=steady, linked=linked)
    expected = walk(layer, mapping, steady=steady, linked=linked, extrapolated=True)
    words = {
        "dram_reads_inputs": expected.dram.reads[Operand.INPUT],
        "buffer_reads_inputs": expected.buffer.reads[Operand.INPUT],
        "register_fills_inputs": expected.buffer.fills[Operand.INPUT],
    }
    assert found == replace(of(layer, mapping, steady=steady, linked=linked, extrapolated=False), **words)


def test_nothing_is_extrapolated_from_factors_that_do_not_divide() -> None:
    mapping = nest("P4", "P2", "P3 R3")
    layer = replace(FILTER, P=20)
    assert of(layer, mapping) == of(layer, mapping, extrapolated=False)


def test_boxes_hold_what_strides_leave_out() -> None:
    """1x1 filters of stride 2, as where a residual block halves its map: 4 x 4 of the 7 x 7 inputs are wanted."""
    layer = Layer("halves", P=4, Q=4, stride=(2, 2))
    mapping = nest("P2", registers="P2 Q4")
    # Two boxes of 3 rows of 7; the report has the inputs under windows.
    assert of(layer, mapping).dram_reads_inputs == 2 * 3 * 7
    assert of(layer, mapping, extrapolated=False).dram_reads_inputs == 16
