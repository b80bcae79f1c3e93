"""Do drawn zeros lie as their pattern says, as many as stated, spread as unevenly as the skew says?"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads import Density, InputError, Layer, Pattern, Patterns, load
from workloads.layer import OPERAND_NAMES, Bits, Operand
from workloads.layer_list import dump_layer_list
from workloads.layer_set import independent_layers
from workloads.operands import draw, draw_operand
from workloads.zeros import channel_densities

shares = st.sampled_from([0.0, 0.01, 0.2, 0.37, 0.5, 0.9, 1.0])
skews = st.sampled_from([0.0, 0.001, 0.1, 0.5, 0.95, 1.0])
WORDS = {
    "input": ("unstructured", "1:3", "vector:3", "vector:2:W", "vector:4:H", "patch:3"),
    "weight": ("unstructured", "2:4", "vector:5", "vector:3:K", "vector:2:S", "kernel", "group", "group:3", "filter"),
    "output": ("unstructured", "1:2", "vector:4", "vector:3:Q", "patch:2"),
}


@st.composite
def drawings(draw_: st.DrawFn) -> tuple[Layer, Operand, float]:
    """A layer with a pattern and a density of one operand, which is returned with them."""
    operand = draw_(st.sampled_from(Operand))
    name = OPERAND_NAMES[operand]
    pattern = Pattern.parse(draw_(st.sampled_from(WORDS[name])))
    skew = draw_(skews) if pattern.takes_skew else 0.0
    density = draw_(shares) if pattern.kind != "n_of_m" else 1.0
    extents = {dim: draw_(st.integers(1, most)) for dim, most in zip("GNKCPQRS", (2, 2, 9, 9, 7, 7, 3, 3), strict=True)}
    layer = Layer(
        "drawn", **extents, density=Density(**{name: density}), patterns=Patterns(**{name: replace(pattern, skew=skew)})
    )
    return layer, operand, density


def nonzeros(layer: Layer, operand: Operand, seed: int = 0) -> np.ndarray:
    return draw_operand(layer, operand, seed) != 0


def blocks(mask: np.ndarray, edges: tuple[int, ...]) -> list[np.ndarray]:
    """The mask cut into blocks of the edges, those at the end as they come, one by one."""
    starts = [range(0, size, edge) for size, edge in zip(mask.shape, edges, strict=True)]
    return [
        mask[tuple(slice(at, at + edge) for at, edge in zip((a, b, c, d), edges, strict=True))]
        for a in starts[0] for b in starts[1] for c in starts[2] for d in starts[3]
    ]  # fmt: skip


def edges_of(word: str, operand: Operand, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What is zero together, from the word alone."""
    kind, *rest = word.split(":")
    size = int(rest[0]) if rest else 0
    axes = {Operand.INPUT: "NCHW", Operand.WEIGHT: "KCRS", Operand.OUTPUT: "NKPQ"}[operand]
    if kind == "vector":
        along = axes.index(rest[1]) if rest[1:] else 1
        return tuple(size if axis == along else 1 for axis in range(4))
    return {
        "unstructured": (1, 1, 1, 1),
        "patch": (1, 1, size, size),
        "kernel": (1, 1, *shape[2:]),
        "group": (size or shape[0], 1, 1, 1),
        "filter": (1, *shape[1:]),
    }[kind]


@given(drawings(), st.integers(0, 50))
def test_blocks_are_zero_together_and_as_many_as_stated(case: tuple[Layer, Operand, float], seed: int) -> None:
    layer, operand, density = case
    pattern: Pattern = getattr(layer.patterns, OPERAND_NAMES[operand])
    mask = nonzeros(layer, operand, seed)
    if pattern.kind == "n_of_m":
        for line in np.moveaxis(mask, 1, -1).reshape(-1, mask.shape[1]):
            for start in range(0, len(line), pattern.m):
                group = line[start : start + pattern.m]
                assert group.sum() == min(pattern.n, len(group))
        assert mask.mean() == pytest.approx(getattr(layer.density, OPERAND_NAMES[operand]))
        return
    edges = edges_of(str(pattern), operand, mask.shape)
    parts = blocks(mask, edges)
    assert all(part.all() or not part.any() for part in parts)
    if max(edges) > 1 and max(part.size for part in parts) > 1:
        assert abs(mask.sum() - density * mask.size) <= max(part.size for part in parts) / 2 + 1e-6
    if density in (0.0, 1.0):
        assert mask.mean() == density


@given(drawings(), st.integers(0, 2**40))
def test_same_seed_same_bytes_and_zeros_do_not_depend_on_the_width(
    case: tuple[Layer, Operand, float], seed: int
) -> None:
    layer, operand, _ = case
    first = draw_operand(layer, operand, seed)
    assert first.tobytes() == draw_operand(layer, operand, seed).tobytes()
    for bits in (1, 4, 16):
        other = draw_operand(layer, operand, seed, bits)
        assert np.array_equal(other != 0, first != 0)
        assert other.max(initial=0) <= max(1, 2 ** (bits - 1) - 1)
        assert other.min(initial=0) >= -(2 ** (bits - 1))


@given(st.integers(1, 40), shares, skews, st.integers(0, 99))
def test_densities_of_channels_keep_the_mean(channels: int, density: float, skew: float, seed: int) -> None:
    if density in (0.0, 1.0) or skew == 0.0:
        return
    words = np.random.default_rng(seed).integers(1, 9, channels)
    found = channel_densities(np.random.default_rng(seed), words, density, skew)
    assert found.shape == (channels,)
    assert np.all((found >= 0) & (found <= 1 + 1e-12))
    assert np.average(found, weights=words) == pytest.approx(density)


@pytest.mark.parametrize("operand", [Operand.INPUT, Operand.WEIGHT])
@pytest.mark.parametrize("density", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("skew", [0.02, 0.2, 0.6, 1.0])
def test_skew_is_the_share_of_the_largest_variance(operand: Operand, density: float, skew: float) -> None:
    """Many channels of many words: the variance of their densities is the stated one, their mean stays."""
    name = OPERAND_NAMES[operand]
    patterns = Patterns(**{name: Pattern(skew=skew)})
    layer = Layer("skewed", K=400, C=400, P=50, Q=50, R=5, S=5, density=Density(density, density), patterns=patterns)
    mask = nonzeros(layer, operand)
    by_channel = mask.mean(axis=(0, 2, 3) if operand is Operand.INPUT else (1, 2, 3))
    words = mask.size / 400
    assert mask.mean() == pytest.approx(density, abs=5 * (density / mask.size) ** 0.5)
    # Drawing the words of a channel adds the variance of a mean of Bernoulli trials.
    assert by_channel.var() == pytest.approx(density * (1 - density) * (skew + (1 - skew) / words), rel=0.06)


def test_no_skew_is_uniform() -> None:
    layer = Layer("flat", K=400, C=400, density=Density(weight=0.5))
    assert nonzeros(layer, Operand.WEIGHT).mean(axis=1).ravel().var() == pytest.approx(0.25 / 400, rel=0.3)


def test_skew_spreads_kernels_over_filters() -> None:
    layer = Layer("kernels", K=64, C=256, R=3, S=3, density=Density(weight=0.4))
    found = {}
    for skew in (0.0, 0.5):
        mask = nonzeros(replace(layer, patterns=Patterns(weight=Pattern("kernel", skew=skew))), Operand.WEIGHT)
        assert mask.mean() == pytest.approx(0.4, abs=1e-4)
        found[skew] = mask.mean(axis=(1, 2, 3)).var()
    assert found[0.5] == pytest.approx(0.5 * 0.24, rel=0.1)
    assert found[0.0] < 0.01 * found[0.5]


def test_different_seeds_layers_and_operands_differ() -> None:
    layer = Layer("one", K=64, C=64, density=Density(0.5, 0.5), patterns=Patterns(weight=Pattern.parse("2:4")))
    masks = [nonzeros(layer, Operand.WEIGHT), nonzeros(layer, Operand.WEIGHT, 1)]
    masks.append(nonzeros(replace(layer, name="two"), Operand.WEIGHT))
    assert len({mask.tobytes() for mask in masks}) == 3


@pytest.mark.parametrize(("channels", "share"), [(8, 0.5), (6, 4 / 6), (5, 3 / 5), (3, 2 / 3), (1, 1.0)])
def test_an_n_of_m_layer_has_the_density_of_its_groups(channels: int, share: float) -> None:
    """A short last group keeps up to N, so that few channels are denser than N of M."""
    pattern = Patterns(weight=Pattern.parse("2:4"))
    assert ceil(share * channels) == min(2, channels % 4) + channels // 4 * 2
    for stated in (1.0, 0.5, share):
        layer = Layer("few", K=4, C=channels, density=Density(weight=stated), patterns=pattern)
        assert layer.density.weight == pytest.approx(share)
        assert nonzeros(layer, Operand.WEIGHT).mean() == pytest.approx(share)


@given(st.integers(1, 16), st.integers(1, 12), st.floats(0.1, 1.0), st.integers(0, 20))
def test_codebook_weights_come_from_so_many_values(bits: int, codebook_bits: int, density: float, seed: int) -> None:
    layer = Layer("coded", K=40, C=40, density=Density(weight=density), bits=Bits(weight=bits))
    free = draw(layer, seed).weight
    coded = draw(replace(layer, patterns=Patterns(codebook_bits=codebook_bits)), seed).weight
    assert len(set(np.unique(coded)) | {0}) <= 1 << max(codebook_bits, 2 if bits == 1 else 0)
    assert np.array_equal(coded != 0, free != 0)
    assert coded.min() >= -(1 << bits - 1) and coded.max() <= max(1, (1 << bits - 1) - 1)


WORDS_THAT_MEAN_NOTHING = (
    "", "2:", "4:2", "0:4", "2:4:8", "vector", "vector:0", "vector:x", "vector:4:K:S", "patch", "patch:0", "kernel:3",
    "filter:2", "group:x", "blocks", "-1:4", "²:4", "vector:²",
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS_THAT_MEAN_NOTHING)
def test_words_that_are_no_pattern(word: str) -> None:
    with pytest.raises(InputError, match="pattern"):
        Pattern.parse(word)


@pytest.mark.parametrize("word", sorted({word for words in WORDS.values() for word in words}))
def test_a_pattern_is_the_word_it_was_read_from(word: str) -> None:
    assert str(Pattern.parse(word)) == word


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ('pattern = { weight = "3:2" }', 'pattern "3:2": needs N:M with N from 1 to M'),
        ('pattern = { input = "kernel" }', 'pattern.input = "kernel": is a pattern of weights'),
        ('pattern = { weight = "patch:2" }', 'pattern.weight = "patch:2": is a pattern of maps'),
        ('pattern = { weight = "vector:4:P" }', "needs a dimension of K, C, R, S"),
        ('pattern = { weights = "2:4" }', 'unknown field "weights" (did you mean "weight"?)'),
        ('pattern = "2:4"', "needs a table with input, weight, output"),
        ("pattern = { weight = 24 }", "weight = 24: needs a text in quotes"),
        ("skew = { input = 1.5 }", "skew.input = 1.5: needs a number between 0 and 1"),
        ('pattern = { weight = "2:4" }\nskew = { weight = 0.5 }', "leaves the channels no densities of their own"),
        ('pattern = { weight = "2:4" }\ndensity = { weight = 0.3 }', 'density.weight = 0.3: pattern "2:4" has 0.5'),
        ("codebook_bits = 17", "codebook_bits = 17: needs 1 to 16"),
        ("codebook_bits = 0", "codebook_bits = 0: needs a whole number from 1 up"),
    ],
)
def test_bad_patterns_get_one_line(tmp_path: Path, fields: str, told: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(f'[[layer]]\nname = "conv"\nop = "conv"\nK = 8\nC = 8\n{fields}\n')
    with pytest.raises(InputError) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path)) and "conv" in line and told in line
    assert line.count(str(path)) == 1


@given(drawings(), st.integers(0, 16))
def test_a_layer_list_carries_the_patterns(case: tuple[Layer, Operand, float], codebook_bits: int) -> None:
    layer = replace(case[0], patterns=replace(case[0].patterns, codebook_bits=codebook_bits))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.toml"
        path.write_text(dump_layer_list(independent_layers("n", [layer])))
        (again,) = load(path).layers
    assert again == layer


def test_reports_say_how_zeros_were_drawn() -> None:
    assert str(Patterns()) == "uniform"
    parse = Pattern.parse
    assert str(Patterns(parse("unstructured", 0.5), parse("2:4"))) == "2:4, skew 0.5"
    assert str(Patterns(parse("vector:4", 0.5), parse("kernel", 0.25))) == (
        "kernel, input vector:4, input skew 0.5, weight skew 0.25"
    )
    assert str(Patterns(codebook_bits=4)) == "uniform, codebook of 4 bits"
