"""Are the outputs right? Kernels walk a mapping's passes; a plain loop over the definition says what is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.compute import compute
from accel.mapper import map_layer
from accel.spec import load
from mappings import Budget, Loop, Mapping
from tests.strategies import layers_and_mappings
from workloads import Bits, Density, InputError, Layer
from workloads.execute import convolve_integers
from workloads.operands import draw

SHORT = Budget(50)


def by_definition(layer: Layer) -> np.ndarray:
    """Every output from the formula in the docstring of Layer, in Python integers."""
    words, weights = layer.tensors.input.tolist(), layer.tensors.weight.tolist()
    outputs = np.zeros(layer.output_shape, dtype=object)
    for n, k, p, q in np.ndindex(*outputs.shape):
        group = k // layer.K
        for c, r, s in np.ndindex(layer.C, layer.R, layer.S):
            h = p * layer.stride[0] + r * layer.dilation[0] - layer.padding[0]
            w = q * layer.stride[1] + s * layer.dilation[1] - layer.padding[1]
            if 0 <= h < layer.H and 0 <= w < layer.W:
                outputs[n, k, p, q] += words[n][group * layer.C + c][h][w] * weights[k][c][r][s]
    return outputs


@given(layers_and_mappings(), st.integers(0, 9), st.sampled_from([(8, 8), (16, 16), (8, 16), (1, 4)]))
def test_every_mapping_computes_the_layer(pair, seed, bits):
    layer, mapping = pair
    layer = replace(layer, bits=Bits(*bits))
    layer = layer.with_tensors(draw(layer, seed))
    assert (compute(layer, mapping) == by_definition(layer)).all()


@given(layers_and_mappings(), st.data())
def test_a_mapping_that_loses_or_repeats_work_computes_something_else(pair, data):
    """Take one iteration from a loop that has several: some output must miss its products."""
    layer, mapping = pair
    places = [
        (level, index)
        for level in ("off_chip", "on_chip")
        for index, loop in enumerate(getattr(mapping, level))
        if loop.factor > 1
    ]
    if not places:
        return
    level, index = data.draw(st.sampled_from(places))
    loops = list(getattr(mapping, level))
    loops[index] = Loop(loops[index].axis, loops[index].factor - 1)
    broken = replace(mapping, **{level: tuple(loops)}, hold=(None, None, None))
    layer = replace(layer, padding=(0, 0, 0, 0), density=Density())
    ones = draw(layer, 0)
    positive = type(ones)(np.abs(ones.input.astype(np.int16)), np.abs(ones.weight.astype(np.int16)))
    layer = layer.with_tensors(positive)
    try:
        broken.check(layer)
    except InputError:
        assert (compute(layer, broken) != by_definition(layer)).any()


@pytest.mark.parametrize("chip", ["eyeriss_v1", "systolic_32x32", "zhang_fpga15", "tpu_v1"])
@pytest.mark.parametrize("groups", [1, 2])
@settings(deadline=None)
@given(seed=st.integers(0, 3))
def test_the_automatic_mapping_computes_the_layer(chip, groups, seed):
    layer = Layer("one", G=groups, N=2, K=20, C=6, P=9, Q=11, R=3, S=3, stride=(2, 1), padding=(1, 1, 0, 1))
    layer = layer.with_tensors(draw(layer, seed))
    mapping = map_layer(replace(layer, tensors=None), load(chip), budget=SHORT)
    assert (compute(layer, mapping) == convolve_integers(layer)).all()


def test_sums_beyond_64_bits_are_refused():
    layer = Layer("wide", op="matmul", C=64)
    big = np.full((1, 64, 1, 1), 2**31 - 1)
    layer = layer.with_tensors(type(draw(layer, 0))(big, big))
    with pytest.raises(InputError, match="63 bits"):
        compute(layer, Mapping("whole", registers=(Loop("C", 64),)))
