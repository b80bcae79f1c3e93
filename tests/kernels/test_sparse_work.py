"""Is the work of PEs that skip zeros what counting point by point gives, and does skipping obey its laws?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.assignment import assign
from accel.outer_work import column_work, plane_work
from accel.sparse_work import Work, match_work, schedule_epochs
from mappings import Loop, Mapping
from tests.kernels import reference, reference_sparse
from tests.strategies import layers, layers_and_mappings, mappings
from workloads import InputError, Layer, Tensors

SHARES = st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0])
SKIPS = ("none", "input", "weight", "both")


def filled(layer: Layer, seed: int, input_share: float, weight_share: float) -> Layer:
    generator = np.random.default_rng(seed)

    def words(shape: tuple[int, ...], share: float) -> np.ndarray:
        values = generator.integers(1, 100, shape) * generator.choice([-1, 1], shape)
        return (values * (generator.random(shape) < share)).astype(np.int8)

    return layer.with_tensors(Tensors(words(layer.input_shape, input_share), words(layer.weight_shape, weight_share)))


def assert_same(work: Work, expected: tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]) -> None:
    for found, wanted in zip((work.cycles, work.effectual), expected, strict=True):
        dense = np.zeros_like(found)
        for key, count in wanted.items():
            dense[key] = count
        assert np.array_equal(found, dense)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Layer, Mapping, tuple[str, ...]]:
    layer, mapping = draw(layers_and_mappings(most_macs=250))
    blocked = tuple(axis for axis in mapping.axes() if draw(st.booleans()))
    return filled(layer, draw(st.integers(0, 99)), draw(SHARES), draw(SHARES)), mapping, blocked


@given(cases(), st.sampled_from(SKIPS), st.integers(1, 3), st.integers(0, 5), st.integers(0, 1), st.integers(0, 4))
def test_matching_counts_point_by_point(
    case: tuple[Layer, Mapping, tuple[str, ...]], skip: str, width: int, chunk: int, least: int, scan: int
) -> None:
    layer, mapping, blocked = case
    place = assign(layer, mapping, dict.fromkeys(blocked, "blocked"))
    work = match_work(layer, place, skip, width=width, chunk=chunk, least=least, scan=scan, values=True)
    points = [*reference_sparse.points(layer, mapping, blocked)]
    assert_same(work, reference_sparse.match_work(layer, points, skip, width, chunk, least, scan))
    assert np.array_equal(work.outputs, reference_sparse.outputs(layer))
    assert work.effectual.sum() == reference.effectual_macs(layer, layer.tensors.input, layer.tensors.weight)[0]


@given(cases(), st.sampled_from(SKIPS), st.integers(1, 3), st.integers(0, 1), st.none() | st.integers(1, 2))
def test_columns_count_point_by_point(
    case: tuple[Layer, Mapping, tuple[str, ...]], skip: str, width: int, least: int, run_bits: int | None
) -> None:
    layer, mapping, blocked = case
    place = assign(layer, mapping, dict.fromkeys(blocked, "blocked"))
    work = column_work(layer, place, skip, width=width, least=least, run_bits=run_bits, values=True)
    points = [*reference_sparse.points(layer, mapping, blocked)]
    assert_same(work, reference_sparse.column_work(layer, points, skip, width, least, run_bits))
    assert np.array_equal(work.outputs, reference_sparse.outputs(layer))


@st.composite
def plane_cases(draw: st.DrawFn) -> tuple[Layer, Mapping, tuple[str, ...]]:
    """Mappings that leave the taps of a channel together."""
    layer = draw(layers(most_macs=250))
    mapping = draw(mappings(layer, flat=False))
    whole = tuple(Loop(dim, getattr(layer, dim)) for dim in "RS")
    levels = {
        level: tuple(loop for loop in getattr(mapping, level) if loop.axis not in "RS")
        for level in ("off_chip", "on_chip", "registers", "rows", "columns", "lanes")
    }
    levels["registers"] += whole
    blocked = tuple(axis for axis in "GNKCPQ" if draw(st.booleans()))
    return filled(layer, draw(st.integers(0, 99)), draw(SHARES), draw(SHARES)), Mapping("plane", **levels), blocked


@given(plane_cases(), st.sampled_from(SKIPS), st.integers(1, 4), st.integers(1, 4))
def test_planes_count_point_by_point(
    case: tuple[Layer, Mapping, tuple[str, ...]], skip: str, inputs: int, weights: int
) -> None:
    layer, mapping, blocked = case
    place = assign(layer, mapping, dict.fromkeys(blocked, "blocked"))
    work = plane_work(layer, place, skip, inputs=inputs, weights=weights, values=True)
    points = [*reference_sparse.points(layer, mapping, blocked)]
    assert_same(work, reference_sparse.plane_work(layer, points, skip, inputs, weights))
    assert np.array_equal(work.outputs, reference_sparse.outputs(layer))


@given(plane_cases(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), st.integers(0, 5))
def test_banks_take_one_product_a_cycle(
    case: tuple[Layer, Mapping, tuple[str, ...]], inputs: int, weights: int, banks: int, queue: int
) -> None:
    layer, mapping, blocked = case
    place = assign(layer, mapping, dict.fromkeys(blocked, "blocked"))
    work = plane_work(layer, place, inputs=inputs, weights=weights, banks=banks, bank_queue=queue)
    points = [*reference_sparse.points(layer, mapping, blocked)]
    assert_same(work, reference_sparse.plane_work(layer, points, "both", inputs, weights, banks, queue))
    assert (work.cycles >= plane_work(layer, place, inputs=inputs, weights=weights).cycles).all()
    deeper = plane_work(layer, place, inputs=inputs, weights=weights, banks=banks, bank_queue=queue + 1)
    assert (deeper.cycles <= work.cycles).all()


@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9),
    st.integers(1, 5), st.integers(1, 5), st.integers(1, 3),
)  # fmt: skip
def test_halos_go_up_and_down_and_then_to_the_sides(
    rows: int, columns: int, tile_rows: int, tile_columns: int, more_rows: int, more_columns: int, taps_down: int,
    taps_across: int, stride: int,
) -> None:  # fmt: skip
    """Even tiles of a plane of any size, filters wider than tiles among them; a link carries each sum once."""
    p, q = min(rows * tile_rows, rows + more_rows), min(columns * tile_columns, columns + more_columns)
    down, across = (taps_down - 1) // 2, (taps_across - 1) // 2
    layer = Layer(
        "halo", K=3, P=p, Q=q, R=taps_down, S=taps_across, stride=(stride, stride), padding=(down, across, down, across)
    )
    layer = filled(layer, 0, 1.0, 1.0)
    registers = (Loop("K", 3), Loop("R", layer.R), Loop("S", layer.S), Loop("P", tile_rows), Loop("Q", tile_columns))
    mapping = Mapping("halo", registers=registers, rows=(Loop("P", rows),), columns=(Loop("Q", columns),))
    work = plane_work(layer, assign(layer, mapping, {"P": "blocked", "Q": "blocked"}), halo=True)
    runs = [
        [range(-(-size * unit // units), -(-size * (unit + 1) // units)) for unit in range(units)]
        for size, units in ((p, rows), (q, columns))
    ]
    assert work.halo is not None
    assert work.halo.tolist() == [3 * reference_sparse.link_words(layer, *runs)]


def test_planes_need_the_taps_of_a_channel_together() -> None:
    layer = filled(Layer("split", P=4, Q=4, R=3), 0, 1.0, 1.0)
    mapping = Mapping("split", on_chip=(Loop("R", 3),), registers=(Loop("P", 4), Loop("Q", 4)))
    with pytest.raises(InputError, match="R or S is split"):
        plane_work(layer, assign(layer, mapping))


def test_work_needs_tensors() -> None:
    layer, mapping = Layer("empty", C=4), Mapping("flat", registers=(Loop("C", 4),))
    for model in (match_work, column_work, plane_work):
        with pytest.raises(InputError, match="no tensors to count zeros in"):
            model(layer, assign(layer, mapping))


@given(cases())
def test_skipping_everything_leaves_the_effectual_macs(case: tuple[Layer, Mapping, tuple[str, ...]]) -> None:
    layer, mapping, _ = case
    place = assign(layer, mapping)
    columns = column_work(layer, place)
    assert np.array_equal(columns.cycles, columns.effectual)
    matched = match_work(layer, place)
    assert np.array_equal(matched.effectual, columns.effectual)
    if place.lanes == 1:
        assert np.array_equal(matched.cycles, matched.effectual)


@given(cases(), st.integers(1, 3), st.integers(0, 1))
def test_skipping_more_is_never_slower(case: tuple[Layer, Mapping, tuple[str, ...]], width: int, least: int) -> None:
    layer, mapping, _ = case
    place = assign(layer, mapping)
    for model in (match_work, column_work):
        none, one, other, both = (model(layer, place, skip, width=width, least=least).cycles for skip in SKIPS)
        assert (none >= one).all()
        assert (none >= other).all()
        assert (np.minimum(one, other) >= both).all()
    dense = filled(layer, 0, 1.0, 1.0)
    if not any(layer.padding):
        assert np.array_equal(match_work(dense, place).cycles, match_work(dense, place, "none").cycles)


@given(
    st.integers(1, 4).flatmap(
        lambda pes: st.lists(st.lists(st.integers(0, 6), min_size=pes, max_size=pes), min_size=1)
    ),
    st.data(),
    st.integers(0, 4),
    st.integers(1, 3),
)
def test_epochs_finish_as_the_recurrence_says(
    work: list[list[int]], data: st.DataObject, slack: int, issue_cycles: int
) -> None:
    issued = [any(row) or data.draw(st.booleans()) for row in work]
    given_work = Work(np.array(work), np.array(work), np.array(issued))
    found = schedule_epochs(given_work, slack, issue_cycles)
    assert found.tolist() == reference_sparse.finish_times(work, issued, slack, issue_cycles)


@given(
    st.integers(1, 4).flatmap(lambda pes: st.lists(st.lists(st.integers(0, 6), min_size=pes, max_size=pes), min_size=1))
)
def test_more_slack_is_never_slower(work: list[list[int]]) -> None:
    cycles = np.array(work)
    given_work = Work(cycles, cycles, cycles.any(axis=1))
    totals = [int(schedule_epochs(given_work, slack)[-1]) for slack in (0, 1, 2, 3, 8, 1000)]
    assert sorted(totals, reverse=True) == totals
    assert totals[0] == cycles.max(axis=1).sum()
    assert totals[-1] >= cycles.sum(axis=0).max()


def test_imbalance_is_that_of_the_busiest_pe() -> None:
    cycles = np.array([[3, 1], [3, 1]])
    assert Work(cycles, cycles, np.ones(2, bool)).imbalance == 1.5
    assert Work(cycles * 0, cycles * 0, np.ones(2, bool)).imbalance == 0.0


def test_balanced_filters_put_dense_ones_with_sparse_ones() -> None:
    layer = Layer("skewed", K=16, C=64, P=4, Q=4)
    generator = np.random.default_rng(0)
    weight = (generator.random(layer.weight_shape) < np.linspace(0.05, 0.95, 16)[:, None, None, None]).astype(np.int8)
    layer = layer.with_tensors(Tensors(np.ones(layer.input_shape, np.int8), weight))
    mapping = Mapping(
        "filters",
        registers=(Loop("C", 64), Loop("P", 4), Loop("Q", 4), Loop("K", 2)),
        rows=(Loop("K", 8),),
    )
    loads = {"K": np.count_nonzero(weight, axis=(1, 2, 3))}
    found = {how: match_work(layer, assign(layer, mapping, {"K": how}, loads)) for how in ("blocked", "balanced")}
    assert found["balanced"].imbalance < 1.1 < 1.5 < found["blocked"].imbalance
    assert found["balanced"].cycles.sum() == found["blocked"].cycles.sum()
    with pytest.raises(InputError, match='distribution of K = "balanced": needs the work of each index'):
        assign(layer, mapping, {"K": "balanced"})


@pytest.mark.parametrize("bits", [2, 4])
def test_bridging_entries_cost_cycles(bits: int) -> None:
    """One nonzero at the end of a column of 100 on one PE: an entry for every 2**bits zeros before it."""
    weight = np.zeros((100, 1, 1, 1), np.int8)
    weight[99] = 7
    layer = Layer("column", K=100).with_tensors(Tensors(np.ones((1, 1, 1, 1), np.int8), weight))
    place = assign(layer, Mapping("one", registers=(Loop("K", 100),)))
    assert column_work(layer, place, run_bits=bits).cycles.tolist() == [[1 + 99 // 2**bits]]
    assert column_work(layer, place).cycles.tolist() == [[1]]
