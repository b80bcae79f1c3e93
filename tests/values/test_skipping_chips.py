"""A network run on an input by arrays that skip zeros: the numbers of a dense run, and the zeros of that very run."""

from __future__ import annotations

import numpy as np
import pytest

import accel
from accel.storage import weight_codebook_bits
from mappings import Budget
from workloads.builder import NetworkBuilder
from workloads.execute import convolve_integers, execute
from workloads.network import Network

SHORT = Budget(50)


def network() -> Network:
    builder = NetworkBuilder("three layers", (1, 3, 12, 12))
    x = builder.conv("conv1", builder.input, 16, 3, 1, 1, activation="relu")
    x = builder.conv("conv2", x, 32, 3, 2, 1, activation="relu")
    builder.linear("fc", builder.flatten("flat", x), 10)
    return builder.build()


@pytest.mark.parametrize(
    "chip", ["scnn", "sparten", "cnvlutin", "cambricon_x", "eie", "eyeriss_v2", "eyeriss_v2_pe", "sparse_tensor_core"]
)
def test_skipping_changes_no_number(chip: str) -> None:
    net, spec = network(), accel.load(chip)
    picture = np.random.default_rng(0).standard_normal((1, 3, 12, 12))
    evaluation = accel.evaluate(net, spec, inputs={net.nodes[0].inputs[0]: picture}, budget=SHORT)
    bits = spec.pe_array.bits
    codebook_bits = weight_codebook_bits(spec)  # an array of shared values runs on weights that share them
    dense = execute(net, picture, bits.input, bits.weight, run_layer=convolve_integers, codebook_bits=codebook_bits)
    assert evaluation.execution is not None
    assert np.array_equal(evaluation.execution.result, dense.result)
    for name, found in evaluation.execution.runs.items():
        assert found.accumulator_max == dense.runs[name].accumulator_max
    rows = {row.layer: row for row in evaluation.report.layers}
    for layer in net.layers:
        row = rows[layer.name]
        assert row.operands == "tensors"
        assert row.effectual_macs < row.macs == layer.macs
    handling = spec.pe_array.zero_handling
    if handling.input == "skip":
        assert rows["fc"].skipped_macs > 0
