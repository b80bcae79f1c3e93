"""Does the closed form say what the simulation says? Words and bits exactly, fitting exactly, cycles closely."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accel
from accel.report import COLUMNS, LayerReport
from accel.simulation import simulate_layer
from accel.task import map_space
from mappings import Loop, Mapping
from mappings.column import MappingColumn
from tests.strategies import accelerators, layers_and_mappings
from workloads import Density, InputError, Layer, load

_TRAFFIC = ("dram_read", "dram_write", "data_buffer", "weight_buffer", "array_")
COUNTED = (
    *(name for name in COLUMNS if name.startswith(_TRAFFIC)),
    *("macs", "gated_macs", "skipped_macs", "effectual_macs", "passes", "tile_steps"),
)

Case = tuple[Layer, Mapping]


def roomy(spec: accel.Accelerator, **changes: object) -> accel.Accelerator:
    """Buffers that hold any tile; what neighbouring tiles share is fetched again unless `changes` say otherwise."""
    plain = dict.fromkeys(("data_buffer.halo_reuse", "pe_array.keep_registers", "pe_array.neighbour_links"), False)
    return spec.with_values({"data_buffer.kib": 4096.0, "weight_buffer.kib": 4096.0} | plain | changes)


def differences(
    layer: Layer, mapping: Mapping, spec: accel.Accelerator, names: tuple[str, ...]
) -> dict[str, tuple[int, int]]:
    """Columns in which the closed form and the simulation differ."""
    report = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    pairs = {name: (int(row[name]), getattr(report, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@settings(max_examples=100)
@given(layers_and_mappings(), st.data())
def test_words_and_bits_are_those_of_the_simulation(case: Case, data: st.DataObject) -> None:
    """Any mapping: ragged, flattened, returning axes, hold depths; any array: registers, ports, systolic or not."""
    layer, mapping = case
    spec = roomy(data.draw(accelerators(mapping)))
    assert differences(layer, mapping, spec, (*COUNTED, "mac_cycles")) == {}


@given(layers_and_mappings(dense=False), st.data())
def test_so_are_coded_bits_and_gated_macs(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    spec = roomy(data.draw(accelerators(mapping))).with_values(
        {
            **{
                f"dma.codec.{operand}": data.draw(st.sampled_from(["none", "rlc", "bitmask", "csc"]))
                for operand in ("input", "weight", "output")
            },
            "pe_array.zero_handling.input": "gate",
            "pe_array.zero_handling.weight": data.draw(st.sampled_from(["none", "gate"])),
        }
    )
    assert differences(layer, mapping, spec, COUNTED) == {}


@given(layers_and_mappings(), st.data())
def test_what_fits_is_what_can_be_simulated(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    sizes = st.sampled_from([0.005, 0.01, 0.02, 0.04, 0.1])
    accumulators = st.sampled_from([0.0, 0.02, 0.1])
    spec = data.draw(accelerators(mapping)).with_values(
        {
            "data_buffer.kib": data.draw(sizes),
            "weight_buffer.kib": data.draw(sizes),
            "data_buffer.accumulator_kib": data.draw(accumulators),
        }
    )
    fits = accel.estimate(layer, [mapping], spec)["fits"].iloc[0]
    try:
        simulate_layer(layer, mapping, spec)
    except InputError:
        assert not fits
    else:
        assert fits


@given(layers_and_mappings(), st.data())
def test_traffic_is_an_upper_bound_where_neighbours_keep_what_they_share(case: Case, data: st.DataObject) -> None:
    layer, mapping = case
    drawn = data.draw(accelerators(mapping))
    spec = roomy(drawn, **{"data_buffer.halo_reuse": True, "pe_array.keep_registers": True})
    assert all(ours >= theirs for ours, theirs in differences(layer, mapping, spec, COUNTED).values())


def ratios(chip: str, seed: int) -> list[float]:
    """Estimated over simulated latency: mappings of the preset's dataflows and of all shapes, drawn at random."""
    spec, random = accel.load(chip), np.random.default_rng(seed)
    found = []
    for network in ("resnet18", "mobilenet_v2", "alexnet", "vgg16"):
        layers = load(network).layers
        for layer in (layers[index] for index in random.choice(len(layers), 2, replace=False)):
            space = map_space(layer, spec, "any")
            seeds = map_space(layer, spec).seeds()
            shapes = [space.shape(random) for _ in range(2)]
            drawn = [space.sample(shape, 32, random) for shape in shapes if shape is not None]
            for column in (seeds[random.integers(len(seeds))], *drawn):
                table = accel.estimate(layer, column, spec)
                usable = np.flatnonzero(table["fits"] & (table["tile_steps"] < 400))
                for row in random.permutation(usable)[:2].tolist():
                    report = simulate_layer(layer, column[row], spec).report
                    found.append(table["latency_cycles"][row] / report.latency_cycles)
    return found


@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32", "tpu_v1", "zhang_fpga15"])
def test_latency_is_within_five_percent_of_the_simulation_on_the_median(chip: str) -> None:
    found = np.array(ratios(chip, seed=0))
    assert len(found) >= 15
    assert np.median(np.abs(found - 1)) <= 0.05


SMALL = (
    Layer("square", K=32, C=16, P=14, Q=14, R=3, S=3, padding=(1, 1, 1, 1)),
    Layer("deep", K=64, C=64, P=14, Q=14, R=3, S=3, padding=(1, 1, 1, 1)),
    Layer("strided", K=48, C=24, P=13, Q=13, R=3, S=3, stride=(2, 2), padding=(1, 1, 1, 1)),
    Layer("pointwise", K=64, C=32, P=7, Q=7),
    Layer("connected", op="matmul", N=2, K=64, C=128),
)


@pytest.mark.parametrize("density", [Density(), Density(0.4, 0.4)])
@pytest.mark.parametrize(
    "chip",
    ["cambricon_x", "cnvlutin", "eie", "eyeriss_v2", "eyeriss_v2_pe", "scnn", "sparse_tensor_core", "sparten"],
)
def test_so_it_is_where_the_array_skips_zeros_that_lie_anywhere(chip: str, density: Density) -> None:
    spec, random = accel.load(chip), np.random.default_rng(0)
    found = []
    for most, plain in enumerate(SMALL, 1):
        layer = replace(plain, density=density)
        columns = [column for column in map_space(layer, spec).candidates if len(column)]
        for number in random.permutation(len(columns)).tolist():
            table = accel.estimate(layer, columns[number], spec)
            usable = np.flatnonzero(table["fits"] & (table["tile_steps"] < 400))
            for row in random.permutation(usable)[:4].tolist():
                report = simulate_layer(layer, columns[number][row], spec).report
                found.append(table["latency_cycles"][row] / report.latency_cycles)
            if len(found) >= 20 * most:
                break
    assert len(found) >= 10
    assert np.median(np.abs(np.array(found) - 1)) <= 0.05


LAYER = Layer("conv", K=12, C=6, P=7, Q=7, R=3, S=3, padding=(1, 1, 1, 1))
BY_HAND = Mapping(
    "by_hand",
    off_chip=(Loop("K", 3),),
    registers=(Loop("C", 6), Loop("P", 7), Loop("Q", 7), Loop("R", 3), Loop("S", 3)),
    rows=(Loop("K", 4),),
)
OTHER = Mapping(
    "other", off_chip=(Loop("C", 3), Loop("K", 3)), registers=(Loop("P", 7), Loop("Q", 7), Loop("R", 3), Loop("S", 3)),
    rows=(Loop("K", 4),), columns=(Loop("C", 2),),
)  # fmt: skip


def test_the_table_has_the_columns_of_the_report_and_a_row_for_each_mapping_in_order() -> None:
    spec = accel.load("eyeriss_v1")
    table = accel.estimate(LAYER, [BY_HAND, OTHER, BY_HAND], spec)
    assert table["mapping"].tolist() == ["by_hand", "other", "by_hand"]
    *known, last = table.columns
    assert last == "fits"
    assert known == [name for name in COLUMNS if name in known]
    for mapping, (_, row) in zip((BY_HAND, OTHER, BY_HAND), table.iterrows(), strict=True):
        report: LayerReport = simulate_layer(LAYER, mapping, spec).report
        assert row["energy_pj"] == pytest.approx(report.energy_pj, rel=0.02)
        assert row["latency_cycles"] == pytest.approx(report.latency_cycles, rel=0.05)
        assert row["utilization"] == pytest.approx(report.utilization, rel=0.05)
    assert (table.iloc[0] == table.iloc[2]).all()


def test_what_the_accumulators_cannot_hold_does_not_fit() -> None:
    spec, layer = accel.load("scnn"), Layer("planes", K=26, C=2, P=9, Q=12)
    tile = (Loop("C", 2), Loop("P", 9), Loop("Q", 12))
    for filters, fits in ((4, True), (16, False)):  # 108 sums of each, in 1024 accumulators
        mapping = Mapping("planar_tiled", registers=tile, rows=(Loop("K", 7),), lanes=(Loop("K", filters),))
        assert accel.estimate(layer, [mapping], spec)["fits"].tolist() == [fits]


def test_a_column_and_a_list_of_its_mappings_cost_the_same() -> None:
    spec = accel.load("eyeriss_v1")
    column: MappingColumn = map_space(LAYER, spec).seeds()[0]
    rows = np.arange(0, len(column), max(1, len(column) // 20))
    table = accel.estimate(LAYER, column.take(rows), spec)
    one_by_one = accel.estimate(LAYER, [column[int(row)] for row in rows], spec)
    for name in table.columns:
        assert table[name].tolist() == pytest.approx(one_by_one[name].tolist()) if name != "mapping" else True


def test_no_mappings_make_an_empty_table_with_the_same_columns() -> None:
    spec = accel.load("eyeriss_v1")
    assert list(accel.estimate(LAYER, [], spec).columns) == list(accel.estimate(LAYER, [BY_HAND], spec).columns)


def test_a_mapping_that_does_not_cover_is_refused_and_one_too_wide_does_not_fit() -> None:
    spec = accel.load("eyeriss_v1")
    with pytest.raises(InputError, match="mapping short: K of layer conv has extent 12"):
        accel.estimate(LAYER, [Mapping("short", rows=(Loop("K", 4),))], spec)
    wide = Mapping("wide", registers=BY_HAND.registers, rows=(Loop("K", 13),))
    assert not accel.estimate(LAYER, [wide], spec)["fits"].any()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_skipped_zeros_shorten_the_estimate_as_they_shorten_the_simulation(share: float) -> None:
    spec = accel.load("eyeriss_v1").with_values(
        {
            "pe_array.zero_handling.input": "skip",
            "pe_array.zero_handling.weight": "skip",
            "pe_array.ports.input": 512,
            "pe_array.ports.weight": 128,
            "pe_array.ports.psum": 512,
            "pe_array.ports.output": 512,
        }
    )
    layer = Layer("sparse", K=16, C=16, P=8, Q=8, R=3, S=3, density=Density(share, share, 1.0))
    mapping = Mapping(
        "skips", off_chip=(Loop("C", 2),), on_chip=(Loop("P", 2),), rows=(Loop("K", 8),), columns=(Loop("Q", 8),),
        registers=(Loop("K", 2), Loop("C", 8), Loop("P", 4), Loop("R", 3), Loop("S", 3)),
    )  # fmt: skip
    report = simulate_layer(layer, mapping, spec).report
    row = accel.estimate(layer, [mapping], spec).iloc[0]
    assert row["skipped_macs"] == report.skipped_macs
    assert row["mac_cycles"] == pytest.approx(report.mac_cycles, rel=0.1)
