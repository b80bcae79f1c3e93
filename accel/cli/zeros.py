"""How many zeros the flags say drawn operands have, and where. Every error is an InputError naming the flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, isnan
from pathlib import Path

from workloads.errors import InputError
from workloads.layer import Density, Layer
from workloads.network import Network
from workloads.pattern import AXES, Pattern, Patterns
from workloads.pruning import PRUNINGS, pruned, with_density_file

FLAGS = "--density, --pattern and --skew"


def with_zeros(network: Network, density: str | None, pattern: str | None, skew: str | None) -> Network:
    """The network with the zeros that `--density`, `--pattern` and `--skew` state; None leaves what a layer has."""
    if density is None and pattern is None and skew is None:
        return network
    owner = next((layer.name for layer in network.layers if layer.tensors is not None), None)
    if owner is not None:
        raise InputError(f"{FLAGS}: layer {owner} has tensors of its own, whose zeros are those that count")
    kinds = {} if pattern is None else _kinds(pattern)
    skews = {} if skew is None else _skews(skew)
    if density is not None:
        network = _with_density(network, density, kinds)
    network = network.map_layers(lambda layer: _patterned(layer, kinds, skews))
    scarce = [name for name in AXES if any(getattr(layer.density, name) < 1.0 for layer in network.layers)]
    wanted = "give --density too" if density is None else f'--density = "{density}" leaves none, give less'
    for operand, kind in kinds.items():
        if operand not in scarce and kind.kind not in ("unstructured", "n_of_m"):
            raise InputError(f'--pattern = "{pattern}": says where zeros of the {operand}s lie, {wanted}')
    if skew is not None and not scarce:
        raise InputError(f'--skew = "{skew}": no operand has zeros to cluster, {wanted}')
    return network


def _with_density(network: Network, given: str, kinds: Mapping[str, Pattern]) -> Network:
    """A published name, a file, or shares of nonzero inputs and weights; outputs are like inputs unless stated.

    One number is for all operands but those with an N:M pattern, which have the density of that.
    """
    if given in PRUNINGS:
        return pruned(network, given)
    if given.endswith(".toml") or Path(given).is_file():
        return with_density_file(network, given)
    if given and Path(given).is_dir():
        raise InputError(f'--density = "{given}": is a folder, needs a .toml file')
    shares = [_number(part) for part in given.split(",")]
    if beyond := next((share for share in shares if share < 0.0 or share > 1.0), None):
        raise InputError(f'--density = "{given}": {beyond:.12g} is not within bounds, needs shares from 0 to 1')
    if not 1 <= len(shares) <= 3 or any(isnan(share) for share in shares):
        raise InputError(
            f'--density = "{given}": needs {", ".join(PRUNINGS)}, a .toml file, or shares from 0 to 1 of nonzero '
            "inputs, weights and outputs, like 0.4 or 0.4,0.3"
        )

    def change(layer: Layer) -> Layer:
        each = dict.fromkeys(AXES, shares[0])
        if len(shares) > 1 and not layer.weight_is_activation:
            each["weight"] = shares[1]
        if len(shares) > 2:
            each["output"] = shares[2]
        for name in AXES:
            if len(shares) == 1 and _kind(layer, name, kinds).kind == "n_of_m":
                each[name] = 1.0
        return replace(layer, density=Density(**each))

    return network.map_layers(change)


def _patterned(layer: Layer, kinds: Mapping[str, Pattern], skews: Mapping[str, float]) -> Layer:
    found: dict[str, Pattern] = {}
    for operand in AXES:
        kind = _kind(layer, operand, kinds)
        asked = skews.get(operand, skews.get("", 0.0) if kind.takes_skew else 0.0)
        found[operand] = replace(kind, skew=asked or kind.skew)
    return replace(layer, patterns=Patterns(**found, codebook_bits=layer.patterns.codebook_bits))


def _kind(layer: Layer, operand: str, kinds: Mapping[str, Pattern]) -> Pattern:
    """The pattern asked for; that of weights is none of a product's second activation."""
    own: Pattern = getattr(layer.patterns, operand)
    return own if operand == "weight" and layer.weight_is_activation else kinds.get(operand, own)


def _kinds(given: str) -> dict[str, Pattern]:
    """`PATTERN` of the weights, or `OPERAND=PATTERN,...`."""
    found: dict[str, Pattern] = {}
    for part in given.split(","):
        operand, equals, text = part.strip().rpartition("=")
        operand = operand if equals else "weight"
        if operand not in AXES or operand in found:
            raise InputError(f'--pattern = "{given}": needs PATTERN for weights, or input=PATTERN,weight=PATTERN')
        try:
            found[operand] = Pattern.parse(text)
            found[operand].check(operand)
        except InputError as error:
            raise InputError(str(error), source=f'--pattern = "{given}"') from None
    return found


def _skews(given: str) -> dict[str, float]:
    """One number for all operands whose patterns take it (under ""), or one for maps and one for weights."""
    skews = [_number(part) for part in given.split(",")]
    if not 1 <= len(skews) <= 2 or any(not 0.0 <= skew <= 1.0 for skew in skews):
        raise InputError(f'--skew = "{given}": needs a number from 0 to 1, or one for maps and one for weights')
    return {"": skews[0]} if len(skews) == 1 else {"input": skews[0], "weight": skews[1], "output": skews[0]}


def _number(text: str) -> float:
    """NaN for what is none."""
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value if isfinite(value) else float("nan")
