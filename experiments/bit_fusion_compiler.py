"""Bit Fusion's own compiler: the tiles and the loop order it takes for a layer, played on our machine.

The rule is that of the authors' simulator (github.com/hsharma35/bitfusion): its cycles, DRAM reads and DRAM writes come
out equal to the bit for all 100 layers it printed. Tiles are powers of two of images, channels and squares of outputs,
and whole columns of filters; a ragged layer is padded up to whole tiles (its count, not our layer, also pads weights up
to whole rows). An operand stays in its half of a double buffer through inner loops for as long as all that it meets
there fits. Sums are stored as words of 32 bits, and fetched as such before the first addition too, when there is
nothing to fetch yet. Array and link work at the same time, but for the first tiles and the last. The least cycles win,
then the fewest bits, then the fewest of them read and, a choice of ours, the fewest tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product
from math import ceil, prod

import numpy as np

from accel.encode import widths
from accel.lower import lower
from accel.machine import run
from accel.occupancy import occupancy
from accel.spec import Accelerator
from mappings import Loop, Mapping, TileSchedule, schedule
from workloads import Layer, Operand
from workloads.layer import RELEVANT

_LEAST_BITS, _SUM_BITS = 2, 32


@dataclass(frozen=True, slots=True)
class Compiled:
    """A layer as the compiler takes it: padded, with its mapping, and what the authors' simulator makes of it."""

    layer: Layer
    mapping: Mapping
    cycles: int
    compute_cycles: int
    dram_read_bits: int
    dram_write_bits: int


@dataclass(frozen=True, slots=True)
class _Tile:
    """Extents of a tile, and tiles along each dimension where there are several."""

    extents: dict[str, int]
    tiles: dict[str, int]
    bits: tuple[int, int, int]
    compute_cycles: int


@cache
def compile_layer(layer: Layer, chip: Accelerator) -> Compiled:
    """The compiler's choice. Layers of fewer channels than rows become products of their unrolled windows."""
    taps = 1
    if chip.pe_array.rows > layer.C:
        taps = layer.R * layer.S
        layer = replace(layer, C=layer.C * taps, R=1, S=1, stride=(1, 1))
    best: tuple[tuple[int, int, int, int], _Tile, tuple[str, ...]] | None = None
    for tile in _tiles(layer, chip, taps):
        if best and tile.compute_cycles > best[0][0]:
            continue
        for order in permutations(tile.tiles):
            cycles, moved = _cost(tile, order, chip)
            reads, writes = sum(moved), moved[Operand.OUTPUT]
            rank = (cycles, reads + writes, reads, prod(tile.tiles.values()))
            if best is None or rank < best[0]:
                best = rank, tile, order
    assert best is not None, f"no tile of layer {layer.name} fits {chip.name}"
    (cycles, bits, reads, _), tile, order = best
    n, c, k, p, q = (extent * tile.tiles.get(dim, 1) for dim, extent in tile.extents.items())
    padded = replace(layer, N=n, C=c, K=k, P=p, Q=q)
    return Compiled(padded, _mapping(tile, order, layer, chip), cycles, tile.compute_cycles, reads, bits - reads)


def played_cycles(compiled: Compiled, chip: Accelerator, *, fetch_sums: bool) -> int:
    """Cycles of our machine on the compiler's mapping; `fetch_sums`: before the first addition too, as theirs does."""
    tiles = schedule(compiled.layer, compiled.mapping)
    if fetch_sums:
        tiles = with_sums_fetched(tiles)
    zeros = occupancy(compiled.layer, widths(compiled.layer.bits, chip), chip, 0)
    return run(lower(tiles, zeros, chip).program).latency_cycles


def with_sums_fetched(tiles: TileSchedule) -> TileSchedule:
    """The schedule if every tile of outputs were fetched when its stay in the buffer begins, even when it is new."""
    output = Operand.OUTPUT
    visits = tiles.stays[:, output] * (int(tiles.tiles[:, output].max()) + 1) + tiles.tiles[:, output]
    first = np.zeros(tiles.steps, dtype=bool)
    first[np.unique(visits, return_index=True)[1]] = True
    columns = {}
    for name, kept in (
        ("load_words", tiles.tile_words),
        ("load_spans", tiles.tile_words),
        ("load_runs", first[:, None]),
    ):
        columns[name] = getattr(tiles, name).copy()
        columns[name][first, output] = kept[first, -1]
    return replace(tiles, **columns)


def _tiles(layer: Layer, chip: Accelerator, taps: int) -> Iterator[_Tile]:
    """Tiles that fit half of each buffer. `taps`: channels that come together in a layer of unrolled windows."""
    rows, columns = chip.pe_array.rows, chip.pe_array.columns
    width = widths(layer.bits, chip)
    fused = prod(8 // max(_LEAST_BITS, bits) for bits in (width.input, width.weight))
    filters = _powers(layer.K) if taps > 1 else [min(columns * n, layer.K) for n in _powers(ceil(layer.K / columns))]
    for n, side, c, k in product(_powers(layer.N), _powers(layer.P), _powers(layer.C // taps), filters):
        c *= taps
        whole = ceil(k / columns) * columns
        pixels = n * side * side
        inputs = n * c * prod((side - 1) * stride + layer.R for stride in layer.stride)
        steps = layer.R * layer.S * ceil(c / (rows * fused))
        weights = ceil(layer.R * layer.S * c / (rows * fused)) * rows * fused * k
        bits = inputs * width.input, weights * width.weight, pixels * whole * _SUM_BITS
        if all(size <= room for size, room in zip(bits, _rooms(chip), strict=True)):
            extents = {"N": n, "C": c, "K": whole, "P": side, "Q": side}
            counts = {dim: ceil(getattr(layer, dim) / (k if dim == "K" else extents[dim])) for dim in extents}
            compute = prod(counts.values()) * pixels * whole // columns * steps
            yield _Tile(extents, {dim: count for dim, count in counts.items() if count > 1}, bits, compute)


def _powers(extent: int) -> list[int]:
    """Powers of two below an extent, and the extent."""
    return [*(1 << n for n in range((extent - 1).bit_length())), extent]


def _rooms(chip: Accelerator) -> tuple[float, float, float]:
    """Bits of half of the input, the weight and the output buffer."""
    data, weight = chip.data_buffer, chip.weight_buffer
    return data.kib * 4096, weight.kib * 4096, data.accumulator_kib * 4096


def _stay(tile: _Tile, order: tuple[str, ...], operand: Operand, room: float) -> tuple[int, int, int]:
    """Bits of an operand that come, bits that stay at once, and the loops outside its stay in the buffer."""
    moved = kept = tile.bits[operand]
    outside = len(order)
    leaves = False
    for dim in reversed(order):
        if leaves or dim in RELEVANT[operand]:
            moved *= tile.tiles[dim]
        leaves = leaves or moved > room
        if not leaves:
            kept, outside = moved, outside - 1
    return moved, kept, outside


def _cost(tile: _Tile, order: tuple[str, ...], chip: Accelerator) -> tuple[int, tuple[int, ...]]:
    """(cycles, bits that come of each operand); as many bits of outputs leave."""
    stays = [_stay(tile, order, operand, room) for operand, room in zip(Operand, _rooms(chip), strict=True)]
    moved, kept = tuple(stay[0] for stay in stays), [stay[1] for stay in stays]
    first, last = sum(kept), kept[Operand.OUTPUT]
    link = chip.dma.link_bits
    assert link
    between = ceil((sum(moved) + moved[Operand.OUTPUT] - first - last) / link)
    return max(tile.compute_cycles, between) + ceil(first / link) + ceil(last / link), moved


def _mapping(tile: _Tile, order: tuple[str, ...], layer: Layer, chip: Accelerator) -> Mapping:
    """The loops on our machine: channels over rows and fused products, filters over columns, sums stay in a pass."""
    rows, columns = chip.pe_array.rows, chip.pe_array.columns
    width = widths(layer.bits, chip)
    channels, filters = tile.extents["C"], tile.extents["K"]
    lanes = min(chip.pe_array.lanes_at(width.input, width.weight), channels)
    taken = min(rows, ceil(channels / lanes))
    inside = {dim: tile.extents[dim] for dim in "NPQ"} | {"R": layer.R, "S": layer.S}
    depths = (_stay(tile, order, operand, room)[2] for operand, room in zip(Operand, _rooms(chip), strict=True))
    of_inputs, of_weights, of_outputs = depths
    return Mapping(
        "compiled",
        off_chip=tuple(Loop(dim, tile.tiles[dim]) for dim in order),
        on_chip=(Loop("K", filters // columns),),
        registers=(*(Loop(dim, factor) for dim, factor in inside.items()), Loop("C", ceil(channels / (taken * lanes)))),
        rows=(Loop("C", taken),),
        columns=(Loop("K", columns),),
        lanes=(Loop("C", lanes),),
        hold=(of_inputs, of_weights, of_outputs),
    )
