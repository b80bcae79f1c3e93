"""Does a mapping that leaves registers alone do as on a chip that never had them?"""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import accel
from accel.mapper import explore
from accel.simulation import simulate_layer
from accel.spec import Accelerator
from accel.sweeping import sweep
from accel.task import array_shape
from mappings import Budget, Mapping, axis_extent
from mappings.sparing import sparing
from tests.strategies import accelerators, layers_and_mappings
from workloads import InputError, Layer, load
from workloads.layer import Operand
from workloads.layer_set import independent_layers

OPERANDS = ("input", "weight", "output")
Case = tuple[Layer, Mapping, Accelerator]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    layer, mapping = draw(layers_and_mappings())
    return layer, mapping, draw(accelerators(mapping))


def with_registers(spec: Accelerator, *words: int) -> Accelerator:
    return spec.with_values({f"pe_array.registers.{name}": most for name, most in zip(OPERANDS, words, strict=True)})


def outcome(layer: Layer, mapping: Mapping, spec: Accelerator) -> dict[str, object] | str:
    """All of the report that is not energy: larger registers cost more of it."""
    try:
        report = simulate_layer(layer, mapping, spec).report
    except InputError as error:
        return str(error)
    return {name: value for name, value in asdict(report).items() if not name.endswith("_pj")}


@given(cases(), st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.none() | st.integers(0, 30)] * 3))
def test_registers_left_alone_might_as_well_not_be_there(
    case: Case, more: tuple[int, int, int], words: tuple[int | None, int | None, int | None]
) -> None:
    layer, mapping, spec = case
    registers = [getattr(spec.pe_array.registers, name) + extra for name, extra in zip(OPERANDS, more, strict=True)]
    used = [there if most is None else min(there, most) for there, most in zip(registers, words, strict=True)]
    sparing_some = replace(mapping, register_words=words)
    large, small = with_registers(spec, *registers), with_registers(spec, *used)
    assert outcome(layer, sparing_some, large) == outcome(layer, mapping, small)
    estimates = accel.estimate(layer, [sparing_some], large), accel.estimate(layer, [mapping], small)
    for name in ("latency_cycles", "array_read_input_bits", "array_read_psum_bits", "dram_read_weight_bits", "fits"):
        assert np.array_equal(estimates[0][name], estimates[1][name])


def test_accumulators_left_alone_are_not_there_either() -> None:
    """A planar array must keep all that a pass adds up."""
    layer, spec = Layer("conv", K=24, C=12, P=10, Q=10, R=3, S=3), accel.load("scnn")
    mapping = explore(layer, spec, budget=Budget(500)).mapping
    few = replace(mapping, register_words=(None, None, 2))
    with pytest.raises(InputError, match="in 32 accumulators"):
        simulate_layer(layer, few, spec)
    assert accel.estimate(layer, [mapping, few], spec)["fits"].tolist() == [True, False]


@given(cases(), st.sampled_from([Operand.WEIGHT, Operand.OUTPUT]), st.integers(1, 30))
def test_every_way_to_spare_weights_or_outputs_is_tried(case: Case, operand: Operand, words: int) -> None:
    """What fewer registers would do, one of the mappings tried does with those there are, where all passes are full."""
    layer, mapping, spec = case
    passes = {axis: mapping.pass_extent(axis) for axis in mapping.axes()}
    layer = replace(layer, **{dim: -(-getattr(layer, dim) // of) * of for dim, of in passes.items() if len(dim) == 1})
    assume(all(axis_extent(layer, axis) % of == 0 for axis, of in passes.items()))
    registers = [getattr(spec.pe_array.registers, name) for name in OPERANDS]
    words = min(words, registers[operand])
    fewer = [words if each == operand else there for each, there in enumerate(registers)]
    tried = [mapping, *sparing(mapping, array_shape(spec, layer.bits))]
    if words:
        wanted = outcome(layer, mapping, with_registers(spec, *fewer))
        assert any(outcome(layer, one, spec) == wanted for one in tried)


@pytest.mark.parametrize(
    ("network", "name", "field", "values"),
    [
        ("lenet5", "conv2", "pe_array.registers.output", [12, 96]),
        ("lenet5", "conv2", "pe_array.registers.input", [12, 48]),
        ("mobilenet_v2", "block12.dw", "pe_array.registers.output", [12, 15]),
    ],
)
def test_more_registers_are_never_slower_in_a_sweep(network: str, name: str, field: str, values: list[int]) -> None:
    """A mapping that holds all it can is, here, and what a search by itself finds is faster than that."""
    (layer,) = (layer for layer in load(network).layers if layer.name == name)
    few, many = (accel.load("eyeriss_v1").with_values({field: value}) for value in values)
    found = [explore(layer, chip, objective="latency") for chip in (few, many)]
    unchanged = simulate_layer(layer, found[0].mapping, many).report.latency_cycles
    assert unchanged > max(one.report.latency_cycles for one in found)
    net = independent_layers(name, [layer])
    cycles = sweep([net], ["eyeriss_v1"], set={field: values}, objective="latency")["latency_cycles"]
    assert cycles[1] <= cycles[0]
