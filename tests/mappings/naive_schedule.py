"""The tile schedule by brute force: sets of coordinates instead of formulas, one dictionary for each buffer.

Every index along an axis is spelled out as the digits of the loops over it, outermost first. A tile step is one choice
of the off-chip digits; its tiles are sets of coordinates, and partial sums are counted one output at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod

from mappings.mapping import LEVELS, Loop, Mapping
from workloads.layer import DIMS, RELEVANT, Layer, Operand

Word = tuple[int, ...]
DIMS_OF = {Operand.INPUT: "NGCHW", Operand.WEIGHT: "GKCRS", Operand.OUTPUT: "NGKPQ"}
"""Dimensions of each operand as it lies in memory, last one fastest."""


@dataclass(frozen=True)
class Step:
    """One tile step: the indices it covers along each axis and the words of each operand."""

    digits: tuple[int, ...]
    indices: dict[str, frozenset[int]]
    words: dict[Operand, frozenset[Word]]

    def tile(self, operand: Operand) -> tuple[frozenset[int], ...]:
        """What tells this tile of an operand from its others."""
        return tuple(found for axis, found in self.indices.items() if set(axis) & RELEVANT[operand])


@dataclass
class Moves:
    """What crosses the DMA at each step; outputs come as `loads[OUTPUT]` (partial sums) and `stores`."""

    loads: dict[Operand, list[frozenset[Word]]] = field(default_factory=lambda: {operand: [] for operand in Operand})
    stores: list[frozenset[Word]] = field(default_factory=list)
    final: list[bool] = field(default_factory=list)
    accumulates: list[bool] = field(default_factory=list)
    stays: dict[Operand, list[int]] = field(default_factory=dict)
    held: dict[Operand, int] = field(default_factory=dict)


def steps(layer: Layer, mapping: Mapping) -> list[Step]:
    """Every tile step that has work, in order."""
    found = []
    extents = {axis: prod(getattr(layer, dim) for dim in axis) for axis in mapping.axes()}
    for digits in product(*(range(loop.factor) for loop in mapping.off_chip)):
        indices = {axis: _indices(mapping, digits, axis, extent) for axis, extent in extents.items()}
        if all(indices.values()):
            found.append(Step(digits, indices, _words(layer, indices)))
    return found


REST = (0, 0, 0, 0, 0)


def moves(layer: Layer, mapping: Mapping, *, halo_reuse: bool = False, steady_windows: bool = False) -> Moves:
    """Keep each operand's tiles for as long as the loops outside its hold depth stand still."""
    result = Moves()
    walked = steps(layer, mapping)
    sums: dict[Word, int] = {}
    whole = layer.C * layer.R * layer.S
    last_touch: dict[Operand, list[bool]] = {}
    for operand in Operand:
        result.stays[operand] = _stays(mapping, walked, operand)
        seen: dict[tuple[object, ...], int] = {}
        for position, (step, stay) in enumerate(zip(walked, result.stays[operand], strict=True)):
            seen[stay, step.tile(operand)] = position
        last_touch[operand] = [position in seen.values() for position in range(len(walked))]
        result.held[operand] = 0
    buffers: dict[Operand, dict[tuple[frozenset[int], ...], frozenset[Word]]] = {operand: {} for operand in Operand}
    latest: Step | None = None
    way, last = 0, None
    for position, step in enumerate(walked):
        outputs = step.words[Operand.OUTPUT]
        partial = {sums.get(word, 0) > 0 for word in outputs}
        assert len(partial) == 1, "a tile's outputs are begun together"
        result.accumulates.append(partial.pop())
        for operand in Operand:
            stay = result.stays[operand]
            if position and stay[position] != stay[position - 1]:
                buffers[operand].clear()
            absent = step.tile(operand) not in buffers[operand]
            wanted = absent and (operand is not Operand.OUTPUT or result.accumulates[-1])
            fetched = step.words[operand] if wanted else frozenset()
            if halo_reuse and operand is Operand.INPUT:
                slid = slides(layer, step, latest) if wanted and latest else None
                if steady_windows and latest:
                    moved = translation(layer, step, latest) if wanted else REST
                    stays = last in (None, moved) or not wanted
                    last = moved if stays else None
                    slid = slid if stays else None
                elif slid and way and slid != way:
                    slid = None  # back again: everything is fetched
                if slid is not None and latest:
                    fetched -= latest.words[operand]
                way, latest = slid or 0, step if wanted else latest
            result.loads[operand].append(fetched)
            buffers[operand][step.tile(operand)] = step.words[operand]
            result.held[operand] = max(result.held[operand], sum(len(words) for words in buffers[operand].values()))
        reduced = prod(len(found) for axis, found in step.indices.items() if set(axis) <= set("CRS"))
        for word in outputs:
            sums[word] = sums.get(word, 0) + reduced
        leaves = last_touch[Operand.OUTPUT][position]
        result.stores.append(outputs if leaves else frozenset())
        result.final.append(leaves and all(sums[word] == whole for word in outputs))
    return result


def addresses(layer: Layer, operand: Operand, words: frozenset[Word]) -> list[int]:
    """Where words lie in memory, sorted."""
    sizes = [getattr(layer, dim) for dim in DIMS_OF[operand]]
    found = []
    for word in words:
        address = 0
        for index, size in zip(word, sizes, strict=True):
            address = address * size + index
        found.append(address)
    return sorted(found)


def covering_box(operand: Operand, words: frozenset[Word]) -> frozenset[Word]:
    """All words between the least and the greatest index of each dimension."""
    sides = [range(min(column), max(column) + 1) for column in zip(*words, strict=True)]
    return frozenset(product(*sides))


def _indices(mapping: Mapping, digits: tuple[int, ...], axis: str, extent: int) -> frozenset[int]:
    """Indices along an axis at fixed off-chip digits: those of all digits of the loops inside."""
    choices: list[range] = []
    for level in LEVELS:
        for position, loop in enumerate(_loops(mapping, level)):
            if loop.axis == axis:
                digit = digits[position] if level == "off_chip" else None
                choices.append(range(loop.factor) if digit is None else range(digit, digit + 1))
    factors = [loop.factor for level in LEVELS for loop in _loops(mapping, level) if loop.axis == axis]
    found = set()
    for combination in product(*choices):
        index = 0
        for digit, factor in zip(combination, factors, strict=True):
            index = index * factor + digit
        found.add(index)
    return frozenset(index for index in found if index < extent)


def _loops(mapping: Mapping, level: str) -> tuple[Loop, ...]:
    loops: tuple[Loop, ...] = getattr(mapping, level)
    return loops


def coordinates(layer: Layer, indices: dict[str, frozenset[int]]) -> list[dict[str, int]]:
    """Every point of the tile in the eight dimensions."""
    per_axis = [[_unflatten(layer, axis, index) for index in sorted(found)] for axis, found in indices.items()]
    return [{dim: at for part in parts for dim, at in part.items()} for parts in product(*per_axis)]


def _unflatten(layer: Layer, axis: str, index: int) -> dict[str, int]:
    found = {}
    for dim in reversed(axis):
        index, found[dim] = divmod(index, getattr(layer, dim))
    return found


def _words(layer: Layer, indices: dict[str, frozenset[int]]) -> dict[Operand, frozenset[Word]]:
    found: dict[Operand, frozenset[Word]] = {}
    for operand in (Operand.WEIGHT, Operand.OUTPUT):
        dims = DIMS_OF[operand]
        needed = {axis: at for axis, at in indices.items() if set(axis) & set(dims)}
        found[operand] = frozenset(tuple(point[dim] for dim in dims) for point in coordinates(layer, needed))
    # Inputs are fetched as whole boxes, also where a flattened axis needs but parts of them.
    box = _covering(layer, indices)
    words = set()
    rows = {p * layer.stride[0] + r * layer.dilation[0] - layer.padding[0] for p, r in product(box["P"], box["R"])}
    columns = {q * layer.stride[1] + s * layer.dilation[1] - layer.padding[1] for q, s in product(box["Q"], box["S"])}
    for n, g, c, h, w in product(box["N"], box["G"], box["C"], rows, columns):
        if 0 <= h < layer.H and 0 <= w < layer.W:
            words.add((n, g, c, h, w))
    found[Operand.INPUT] = frozenset(words)
    return found


def _covering(layer: Layer, indices: dict[str, frozenset[int]]) -> dict[str, range]:
    """Per dimension, the range that covers the indices along its axis."""
    box: dict[str, range] = {}
    for axis, at in indices.items():
        points = [_unflatten(layer, axis, index) for index in at]
        for dim in axis:
            values = [point[dim] for point in points]
            box[dim] = range(min(values), max(values) + 1)
    return box


def slides(layer: Layer, now: Step, then: Step) -> int | None:
    """Which way the input tile moved along one side, with nothing else of it changed; 0: all or nothing of it is new.

    1 down, 2 across, negative backwards.
    """
    boxes = [_covering(layer, step.indices) for step in (now, then)]
    if any(boxes[0][dim] != boxes[1][dim] for dim in "GNC"):
        return None

    def touched(box: dict[str, range], side: int) -> set[int]:
        output, tap = ("PR", "QS")[side]
        places = {
            at * layer.stride[side] + by * layer.dilation[side] - layer.padding[side]
            for at, by in product(box[output], box[tap])
        }
        return {place for place in places if 0 <= place < (layer.H, layer.W)[side]}

    for side in (0, 1):
        if touched(boxes[0], 1 - side) == touched(boxes[1], 1 - side):
            places, earlier = (touched(box, side) for box in boxes)
            if not 0 < len(places - earlier) < len(places):
                return 0
            return (side + 1) * (1 if min(places) >= min(earlier) else -1)
    return None


def translation(layer: Layer, now: Step, then: Step) -> tuple[int, ...]:
    """How far the input tile moved: images, groups, channels, rows and columns."""
    boxes = [_covering(layer, step.indices) for step in (now, then)]

    def corner(box: dict[str, range]) -> tuple[int, ...]:
        rows, columns = (
            min(box[output]) * layer.stride[side] + min(box[tap]) * layer.dilation[side]
            for side, (output, tap) in enumerate(("PR", "QS"))
        )
        return (*(min(box[dim]) for dim in "NGC"), rows, columns)

    return tuple(here - there for here, there in zip(*map(corner, boxes), strict=True))


def _stays(mapping: Mapping, walked: list[Step], operand: Operand) -> list[int]:
    """Number of the stay each step falls into: it changes with any relevant loop outside the hold depth."""
    depth = mapping.hold[operand]
    outside = mapping.off_chip if depth is None else mapping.off_chip[:depth]
    relevant = [position for position, loop in enumerate(outside) if set(loop.axis) & RELEVANT[operand]]
    stays, current, before = [], -1, None
    for step in walked:
        key = tuple(step.digits[position] for position in relevant)
        current += key != before
        before = key
        stays.append(current)
    return stays


def macs(layer: Layer, walked: list[Step]) -> list[tuple[int, ...]]:
    """Every MAC of every step, as its eight coordinates."""
    return [tuple(point[dim] for dim in DIMS) for step in walked for point in coordinates(layer, step.indices)]
