"""Does `tile_cost` count what passes over sets of words count?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.encode import Geometry, Nest
from accel.kernels import passes
from mappings import Loop, Mapping, schedule
from tests.kernels import reference_passes
from tests.kernels.reference_passes import Indices, Machine
from tests.strategies import layers_and_mappings
from workloads import Layer

SMALL = 600
"""MACs of a layer: the reference looks at each of them several times."""

MASKS = (0, 1, 2, 4, 3, 5, 6, 7, 15)
"""Which operands stay in the registers from tile to tile, a bit each; 15: and nothing else changes."""

machines = st.builds(
    Machine,
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    systolic=st.booleans(),
    overlap_passes=st.booleans(),
    window_reuse=st.booleans(),
    accumulation_latency=st.integers(0, 3),
    keep_registers=st.booleans(),
    tile_multicast=st.booleans(),
    blocked=st.tuples(*[st.booleans()] * 4),
    registers=st.tuples(*[st.sampled_from([0, 1, 2, 3, 6, 12, 40])] * 3),
    double_buffered=st.tuples(*[st.booleans()] * 3),
    port_bits=st.tuples(*[st.sampled_from([4, 8, 20, 64, 1000])] * 4),
    word_bits=st.tuples(*[st.sampled_from([8, 16, 5])] * 2, st.just(24), st.sampled_from([8, 24])),
    mac_cycles=st.sampled_from([1, 1, 2, 7]),
    steady_windows=st.booleans(),
)


def kernel_counts(
    layer: Layer, mapping: Mapping, machine: Machine, extent: dict[str, int], flags: dict[str, Any]
) -> list[int]:
    """The kernel on the same question."""
    axes = tuple(extent)
    nest, geometry = Nest.of(mapping, axes), Geometry.of(layer, axes, machine.window_reuse)
    vector = np.array(
        [
            machine.rows, machine.columns, machine.systolic, machine.overlap_passes, machine.accumulation_latency,
            *machine.registers, *machine.double_buffered, *machine.port_bits,
            *machine.word_bits, machine.mac_cycles, machine.keep_registers, machine.tile_multicast,
            *(machine.tile_multicast and blocked for blocked in machine.blocked), machine.steady_windows,
            False,
        ],
        dtype=np.int64,
    )  # fmt: skip
    result = np.full(passes.COUNTS, -7, dtype=np.int64)
    ranges = [flags["before"][axis] if flags["before"] else range(0) for axis in axes]
    before = np.array([[at.start for at in ranges], [len(at) for at in ranges]], dtype=np.int64)
    found = passes.tile_cost(
        np.array([*extent.values()], dtype=np.int64), nest.loop_axis, nest.loop_factor, nest.loop_block,
        nest.pass_extent, nest.register_axis, nest.unroll, nest.lanes, geometry.relevant, geometry.reduced,
        geometry.window, geometry.strides, vector, np.zeros((0, 0, len(axes)), dtype=np.int64),
        flags["accumulates"], flags["finishes"], before,
        flags["way"], flags["continued"], flags["continues"], flags["returns"], result,
    )  # fmt: skip
    way = found // passes.WAYS
    steady = machine.steady_windows and geometry.window[0] >= 0
    return [*(int(count) for count in result), min(way, 2) if steady else way]  # a step's number is the kernel's own


def passes_near(mapping: Mapping, extent: dict[str, int]) -> st.SearchStrategy[Indices]:
    """Where the last pass before a tile may lie, seen from it: mostly where windows slide on."""

    def along(axis: str) -> st.SearchStrategy[range]:
        full = min(mapping.pass_extent(axis), extent[axis])
        near = st.builds(
            lambda place, size: range(place, place + size), st.integers(-full - 1, full + 1), st.integers(1, full)
        )
        return st.just(range(full)) | near if axis in "PQRS" else st.just(range(full))

    return st.fixed_dictionaries({axis: along(axis) for axis in extent})


@given(st.data(), machines)
def test_a_tile_costs_what_its_passes_cost(data: st.DataObject, machine: Machine) -> None:
    layer, mapping = data.draw(layers_and_mappings(most_macs=SMALL, lanes=not machine.window_reuse))
    tiles = schedule(layer, mapping)
    row = data.draw(st.integers(0, tiles.steps - 1))
    extent = dict(zip(tiles.axes, tiles.extents[row].tolist(), strict=True))
    names = ("accumulates", "finishes", "returns")
    flags: dict[str, Any] = {name: data.draw(st.booleans(), label=name) for name in names}
    flags |= {name: data.draw(st.sampled_from(MASKS), label=name) for name in ("continued", "continues")}
    flags["before"] = data.draw(st.none() | passes_near(mapping, extent), label="before")
    flags["way"] = data.draw(st.sampled_from([0, 1] if machine.steady_windows else [0, 0, 1, -1, 2, -2]), label="way")
    expected = reference_passes.tile_cost(layer, mapping, machine, extent, **flags)
    assert kernel_counts(layer, mapping, machine, extent, flags) == expected.as_list()


PLAIN: dict[str, Any] = {
    "accumulates": False, "finishes": True, "before": None, "way": 0, "continued": 0, "continues": 0, "returns": False,
}  # fmt: skip


def test_a_row_of_row_stationary_by_hand() -> None:
    """One PE slides three taps along nine inputs for two filters: seven outputs each, 42 MACs."""
    layer = Layer("row", K=2, Q=7, S=3)
    mapping = Mapping("slide", registers=(Loop("Q", 7), Loop("S", 3), Loop("K", 2)))
    machine = Machine(
        rows=1, columns=1, registers=(3, 6, 2), port_bits=(8, 16, 32, 32), word_bits=(8, 8, 16, 16),
    )  # fmt: skip
    extent = dict(zip(mapping.axes(), (7, 3, 2, 1, 1, 1, 1, 1), strict=True))
    compute, mac, port, count, *words = kernel_counts(layer, mapping, machine, extent, PLAIN)
    assert (mac, count) == (42, 1)
    # Weights: 6 words, two a cycle, before the first MAC: 3 cycles. Inputs: a window of 3 words takes 3 cycles, the
    # last of them with the first MAC: 2 more; the other 6 words come during the 42 cycles. Outputs leave two at a
    # time, the last two in the cycle of the last MAC.
    assert compute == 3 + 2 + 42
    assert port == 5
    assert words[:5] == [9, 6, 0, 0, 14]


@pytest.mark.parametrize(("tiles", "reads"), [((2, 2, 1), 5), ((2, 2, 2), 6)])
def test_a_last_tile_of_one_cycle_is_fed_too(tiles: tuple[int, ...], reads: int) -> None:
    """Weights stay from tile to tile; inputs never do, though a pass of one cycle has but one of them."""
    layer = Layer("stream", Q=6)
    mapping = Mapping("pieces", off_chip=(Loop("Q", 3),), registers=(Loop("Q", 2),))
    total = 0
    for number, size in enumerate(tiles):
        extent = dict.fromkeys(mapping.axes(), 1) | {"Q": size}
        flags = PLAIN | {"continued": 15 * (number > 0), "continues": 15 * (number < 2)}
        counts = kernel_counts(layer, mapping, Machine(), extent, flags)
        total += counts[passes.READ_INPUT]
        assert counts[passes.WRITE_OUTPUT] == size
        assert counts[passes.READ_WEIGHT] == (number == 0)
    assert total == reads


def test_lanes_have_registers_of_their_own() -> None:
    """Two lanes with a weight each keep both in a PE of one register a lane, while pixels stream."""
    layer = Layer("lanes", C=2, Q=10)
    mapping = Mapping("lanes", registers=(Loop("Q", 10),), lanes=(Loop("C", 2),))
    extent = dict.fromkeys(mapping.axes(), 1) | {"Q": 10, "C": 2}
    counts = kernel_counts(layer, mapping, Machine(), extent, PLAIN)
    assert counts[passes.READ_WEIGHT] == 2
    assert counts[passes.READ_INPUT] == 20
