"""Do the sums of an array that skips come from the walk that its cycles come from, and show what it leaves out?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import accel
from accel import evaluation, lower, skipping
from accel.assignment import Assignment, assign
from accel.compute import compute
from accel.mapper import map_layer
from accel.outer_work import column_work, plane_work
from accel.simulation import simulate_layer
from accel.skipping import skipped_work
from accel.sparse_work import Work, match_work
from accel.structure import kept_weights
from mappings import Budget, Loop, Mapping
from tests.strategies import layers, mappings
from workloads import InputError, Layer, Tensors
from workloads.builder import NetworkBuilder
from workloads.execute import convolve_integers
from workloads.network import Network
from workloads.operands import draw

SHORT = Budget(50)

CHIPS = ("eie", "scnn", "sparten", "cnvlutin", "cambricon_x", "eyeriss_v2", "sparse_tensor_core")
LAYER = Layer("one", G=2, N=2, K=12, C=8, P=7, Q=6, R=3, S=3, stride=(2, 1), padding=(1, 1, 0, 1))


def thinned(layer: Layer, seed: int) -> Layer:
    """Half of the operands zero; of the weights two channels of every four, as arrays of shared multipliers need.

    Weights have few values: arrays that decode them from a codebook take no others.
    """
    words = draw(layer, seed)
    kept = np.random.default_rng(seed).random(words.input.shape) < 0.5
    pairs = (np.arange(layer.C) % 4 < 2).reshape(1, -1, 1, 1)
    return layer.with_tensors(
        Tensors((words.input * kept).astype(np.int8), (words.weight // 16 * pairs).astype(np.int8))
    )


def network() -> Network:
    builder = NetworkBuilder("two layers", (1, 3, 12, 12))
    x = builder.conv("conv", builder.input, 16, 3, 1, 1, activation="relu")
    builder.linear("fc", builder.flatten("flat", x), 10)
    return builder.build()


def run(chip: str) -> evaluation.Evaluation:
    picture = np.random.default_rng(0).standard_normal((1, 3, 12, 12))
    return accel.evaluate(network(), accel.load(chip), inputs={"input": picture}, budget=SHORT)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_walk_gives_the_sums_of_a_dense_machine(chip: str, seed: int) -> None:
    layer, spec = thinned(LAYER, seed), accel.load(chip)
    mapping = map_layer(LAYER, spec, budget=SHORT)
    work = skipped_work(layer, layer.tensors, mapping, spec, values=True)
    assert np.array_equal(work.outputs, compute(layer, mapping))
    assert np.array_equal(work.outputs, convolve_integers(layer))


@pytest.mark.parametrize("chip", CHIPS)
def test_asking_for_values_changes_no_cycle(chip: str) -> None:
    """Nor does handing the walk on to the simulation."""
    layer, spec = thinned(LAYER, 2), accel.load(chip)
    mapping = map_layer(LAYER, spec, budget=SHORT)
    work = skipped_work(layer, layer.tensors, mapping, spec, values=True)
    plain = skipped_work(layer, layer.tensors, mapping, spec)
    assert plain.outputs is None
    assert np.array_equal(work.cycles, plain.cycles) and np.array_equal(work.issued, plain.issued)
    assert work.imbalance == plain.imbalance
    assert simulate_layer(layer, mapping, spec, work=work).report == simulate_layer(layer, mapping, spec).report


@pytest.mark.parametrize("chip", ["eie", "scnn", "sparten", "sparse_tensor_core"])
def test_a_network_is_walked_once(chip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []

    def walk(layer: Layer, *rest: Any, **options: Any) -> Work:
        walked.append((layer.name, layer.tensors is not None))
        return skipped_work(layer, *rest, **options)

    monkeypatch.setattr(evaluation, "skipped_work", walk)
    monkeypatch.setattr(lower, "skipped_work", walk)
    run(chip)
    assert [name for name, real in walked if real] == ["conv", "fc"]


@pytest.mark.parametrize(
    ("chip", "lost"), [("eie", "pixels"), ("scnn", "filters"), ("scnn", "taps"), ("sparten", "pixels")]
)
def test_what_pes_are_not_given_is_missing_in_a_networks_result(
    chip: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cycles are left as they are: there are as many passes as before."""
    right = run(chip).outputs

    def forgetful(layer: Layer, *rest: Any) -> Assignment:
        place = assign(layer, *rest)
        if layer.name != "conv":
            return place
        labels = getattr(place, lost).copy()
        # All taps of a channel are one PE's, where planes are multiplied.
        labels[: layer.R * layer.S if lost == "taps" else 1] = -1
        return replace(place, **{lost: labels})

    def walk(*given: Any, **options: Any) -> Work:
        with monkeypatch.context() as patch:
            patch.setattr(skipping, "assign", forgetful)
            sums = skipped_work(*given, **options).outputs
        return replace(skipped_work(*given), outputs=sums)

    monkeypatch.setattr(evaluation, "skipped_work", walk)
    wrong = run(chip).outputs
    assert any((right[name] != wrong[name]).any() for name in right)


@pytest.mark.parametrize("style", [match_work, column_work, plane_work])
@given(data=st.data())
def test_a_mapping_that_loses_work_gives_other_sums(style: Any, data: st.DataObject) -> None:
    """One iteration less of a loop that has several: of positive operands some products are missing."""
    layer = replace(data.draw(layers(most_macs=250)), padding=(0, 0, 0, 0))
    mapping = data.draw(mappings(layer, flat=False))
    whole = tuple(Loop(dim, getattr(layer, dim)) for dim in "RS")
    levels = {
        level: [loop for loop in getattr(mapping, level) if loop.axis not in "RS"]
        for level in ("off_chip", "on_chip", "registers", "rows", "columns", "lanes")
    }
    places = [(level, i) for level, loops in levels.items() for i, loop in enumerate(loops) if loop.factor > 1]
    assume(places)
    level, index = data.draw(st.sampled_from(places))
    loop = levels[level][index]
    levels[level][index] = Loop(loop.axis, loop.factor - 1)
    levels["registers"] += whole
    broken = Mapping("broken", **{name: tuple(loops) for name, loops in levels.items()})
    generator = np.random.default_rng(0)
    layer = layer.with_tensors(
        Tensors(generator.integers(1, 9, layer.input_shape), generator.integers(1, 9, layer.weight_shape))
    )
    right = convolve_integers(layer)
    try:
        broken.check(layer)
    except InputError as error:
        assume("cover only" in str(error))
        sums = style(layer, assign(layer, broken), values=True).outputs
        assert (sums != right).any()
        assert (sums <= right).all()
        if style is not plane_work:  # whose products belong to outputs that are nobody's too
            assert np.array_equal(sums, compute(layer, broken))


def test_weights_beyond_their_places_would_be_missing() -> None:
    """Three nonzeros of four, of which two have a place."""
    array = accel.load("sparse_tensor_core").pe_array
    weights = np.array([5, 0, 6, 7, 0, 0, 0, 8]).reshape(1, 8, 1, 1)
    assert kept_weights(weights, array).ravel().tolist() == [5, 0, 6, 0, 0, 0, 0, 8]


def test_sums_beyond_64_bits_are_refused() -> None:
    layer = Layer("wide", op="matmul", C=64)
    big = np.full((1, 64, 1, 1), 2**31 - 1)
    mapping = Mapping("whole", registers=(Loop("C", 64),))
    with pytest.raises(InputError, match="63 bits"):
        skipped_work(layer, Tensors(big, big), mapping, accel.load("eie"), values=True)


def test_wide_operands_are_multiplied_exactly() -> None:
    """Words of 40 bits times words of 20: kernels take operands beyond 32 bits too."""
    generator = np.random.default_rng(3)
    words = generator.integers(-(1 << 39), 1 << 39, LAYER.input_shape)
    weights = generator.integers(-(1 << 15), 1 << 15, LAYER.weight_shape)
    layer = LAYER.with_tensors(Tensors(words, weights))
    for chip in ("eie", "sparten"):
        spec = accel.load(chip)
        work = skipped_work(layer, layer.tensors, map_layer(LAYER, spec, budget=SHORT), spec, values=True)
        assert np.array_equal(work.outputs, convolve_integers(layer))
