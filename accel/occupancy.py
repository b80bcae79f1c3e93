"""Zeros in a layer's operands: how many MACs they make useless, and how far they shrink the stored tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from accel.encode import Widths
from accel.kernels.nonzeros import inputs_met
from accel.spec import Accelerator
from accel.storage import Storage, Storages, needs_values, weight_codebook_bits
from accel.structure import structured
from workloads.errors import InputError
from workloads.layer import Layer, Operand, Tensors
from workloads.operands import draw_operand

Ints = NDArray[np.int64]

_MOST, _MOST_BYTES = 64, 128 << 20
"""Drawn layers that are kept, and bytes of their operands; a single larger one is."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Exact counts over real or drawn operands.

    `effectual_macs`: both factors nonzero. `input_macs`, `weight_macs`: that factor nonzero. Padding is zero.
    `storage`: by operand, what the whole tensor takes off chip and on.
    `source`: "tensors", "dense", or "drawn" and how. `operands`: what an array that skips zeros walks, else None.
    """

    effectual_macs: int
    input_macs: int
    weight_macs: int
    storage: Storages
    source: str
    operands: Tensors | None = None

    def macs(self, without_zero_inputs: bool, without_zero_weights: bool, all_macs: int) -> int:
        """MACs left when those with a zero in an operand are left out."""
        if without_zero_inputs and without_zero_weights:
            return self.effectual_macs
        if without_zero_inputs:
            return self.input_macs
        return self.weight_macs if without_zero_weights else all_macs


def occupancy(
    layer: Layer, width: Widths, spec: Accelerator, seed: int, output: NDArray[np.integer] | None = None
) -> Occupancy:
    """Count on the layer's tensors; without tensors, on operands drawn from densities below 1; else in closed form.

    `output` holds the finished outputs where they are known. Raises InputError for tensors wider than their words.
    """
    if layer.tensors is None and output is None:
        return _RECENT.get(layer, width, spec, seed)
    return _counted(layer, width, spec, seed, output)


class _Recent:
    """Drawn occupancies by what they were drawn from; the oldest go when they are many or take much memory."""

    def __init__(self) -> None:
        self._found: dict[object, Occupancy] = {}
        self._lock = Lock()

    def get(self, layer: Layer, width: Widths, spec: Accelerator, seed: int) -> Occupancy:
        """All mappings of a layer meet the same zeros; a network's layers come back when their neighbours change."""
        key = (layer, width, spec, seed)
        with self._lock:
            found = self._found.pop(key, None)
        if found is None:
            found = _counted(layer, width, spec, seed, None)
        with self._lock:
            self._found[key] = found
            while len(self._found) > 1 and (len(self._found) > _MOST or self._bytes() > _MOST_BYTES):
                del self._found[next(iter(self._found))]
        return found

    def _bytes(self) -> int:
        kept = [each.operands for each in self._found.values() if each.operands is not None]
        return sum(operands.input.nbytes + operands.weight.nbytes for operands in kept)


_RECENT = _Recent()


def _counted(
    layer: Layer, width: Widths, spec: Accelerator, seed: int, output: NDArray[np.integer] | None
) -> Occupancy:
    tensors, codec = layer.tensors, spec.dma.codec
    formats = [*zip((codec.input, codec.weight, codec.output), spec.held_formats, strict=True)]
    if tensors:
        _require_width(layer, "input", tensors.input, width.input)
        _require_width(layer, "weight", tensors.weight, width.weight)
        if spec.pe_array.precision.style == "ternary" and np.abs(tensors.weight).max(initial=0) > 1:
            raise InputError(
                f"tensor weight holds {tensors.weight.min()} to {tensors.weight.max()}: a ternary array needs -1, 0, 1",
                source=f"layer {layer.name}",
            )
    array, skips = spec.pe_array, spec.pe_array.skips

    def drawn(operand: Operand, density: float, needed: bool) -> NDArray[np.integer] | None:
        if density == 1.0 and not (needed or any(needs_values(name) for name in formats[operand])):
            return None
        return draw_operand(layer, operand, seed, width.of[operand], codebook_bits)

    density = layer.density
    codebook_bits = 0 if layer.weight_is_activation else weight_codebook_bits(spec)
    given = tensors.input if tensors else drawn(Operand.INPUT, density.input, skips)
    weight = tensors.weight if tensors else drawn(Operand.WEIGHT, density.weight, skips)
    output = output if output is not None else drawn(Operand.OUTPUT, density.output, False)
    met = _dense_met(layer) if given is None else _met(layer, given)
    met = met.reshape(layer.G, layer.C, layer.R, layer.S)
    filters = np.full((layer.G, layer.C, layer.R, layer.S), layer.K, dtype=np.int64)
    if weight is not None:
        filters = np.count_nonzero(weight.reshape(layer.G, layer.K, layer.C, layer.R, layer.S), axis=1).astype(np.int64)
    pixels = layer.N * layer.P * layer.Q
    # Weights that an array of shared multipliers runs as dense ones are stored as dense ones.
    plain = weight is not None and array.matching.style == "structured" and not structured(weight, array)
    try:
        storage = Storages(
            Storage.of(given, *formats[0], width.input, spec.dma, 0),
            Storage() if plain else Storage.of(weight, *formats[1], width.weight, spec.dma, codebook_bits),
            Storage.of(output, *formats[2], width.output, spec.dma, 0),
        )
    except InputError as error:
        raise InputError(str(error), source=f"layer {layer.name}") from None
    return Occupancy(
        effectual_macs=int((met * filters).sum()),
        input_macs=int(met.sum()) * layer.K,
        weight_macs=int(filters.sum()) * pixels,
        storage=storage,
        source=_source(layer, seed, codebook_bits, dense=given is weight is output is None),
        operands=Tensors(given, weight) if skips and given is not None and weight is not None else None,
    )


def _source(layer: Layer, seed: int, codebook_bits: int, *, dense: bool) -> str:
    if layer.tensors or dense:
        return "tensors" if layer.tensors else "dense"
    patterns = replace(layer.patterns, codebook_bits=layer.patterns.codebook_bits or codebook_bits)
    return f"drawn, {patterns}, seed {seed}"


def _require_width(layer: Layer, name: str, words: NDArray[np.integer], bits: int) -> None:
    """Values must be signed or unsigned integers of the width; a single bit may also stand for -1 and 1."""
    low, high = (int(words.min()), int(words.max())) if words.size else (0, 0)
    if bits == 1 and low == -1 and high == 1 and words.all():
        return
    if low < -(1 << (bits - 1)) or high >= 1 << bits or (low < 0 and high >= 1 << (bits - 1)):
        raise InputError(
            f"tensor {name} holds {low} to {high}, beyond {bits} bits: set bits.{name} of the layer, or narrow it",
            source=f"layer {layer.name}",
        )


def _met(layer: Layer, words: NDArray[np.integer]) -> Ints:
    met: Ints = inputs_met(
        words, layer.G, (layer.P, layer.Q), (layer.R, layer.S), layer.stride, layer.dilation, layer.padding[:2]
    )
    return met


def _dense_met(layer: Layer) -> Ints:
    """As `_met` for an input without zeros: the windows' taps that fall inside it."""

    def inside(outputs: int, taps: int, side: int, size: int) -> Ints:
        reach = np.arange(outputs) * layer.stride[side] - layer.padding[side]
        touched = reach[None, :] + np.arange(taps)[:, None] * layer.dilation[side]
        counts: Ints = ((touched >= 0) & (touched < size)).sum(axis=1)
        return counts

    rows = inside(layer.P, layer.R, 0, layer.H)
    columns = inside(layer.Q, layer.S, 1, layer.W)
    met = layer.N * rows[:, None] * columns[None, :]
    return np.broadcast_to(met, (layer.G * layer.C, layer.R, layer.S))
