"""Slow, obvious namesakes of the work on nonzeros: one point of the loop nest at a time, in lists and dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from mappings import Loop, Mapping
from workloads.layer import DIMS, Layer

Totals = dict[tuple[int, int], int]


@dataclass(frozen=True)
class Point:
    """One multiply-accumulate, and where it is done; `epoch` counts the passes that have work."""

    epoch: int
    pe: int
    lane: int
    at: dict[str, int]


def points(layer: Layer, mapping: Mapping, blocked: tuple[str, ...] = ()) -> Iterator[Point]:
    """Every MAC of the layer, pass after pass; axes in `blocked` give each PE a run of neighbours."""
    axes = mapping.axes()
    loops = [*mapping.off_chip, *mapping.on_chip]
    blocks = [*mapping.blocks("off_chip"), *mapping.blocks("on_chip")]
    extents = {axis: prod(getattr(layer, dim) for dim in axis) for axis in axes}
    epoch = 0
    for digits in product(*(range(loop.factor) for loop in loops)):
        starts = dict.fromkeys(axes, 0)
        for digit, loop, block in zip(digits, loops, blocks, strict=True):
            starts[loop.axis] += digit * block
        sizes = {axis: min(mapping.pass_extent(axis), extents[axis] - starts[axis]) for axis in axes}
        if min(sizes.values()) <= 0:
            continue
        for offsets in product(*(range(sizes[axis]) for axis in axes)):
            units = {}
            for axis, offset in zip(axes, offsets, strict=True):
                parts = mapping.unrolled(axis)
                if axis in blocked:
                    units[axis] = offset * parts // sizes[axis] if sizes[axis] > parts else offset
                else:
                    units[axis] = offset % parts
            pe = number((*mapping.rows, *mapping.columns), mapping.lanes, units)
            lane = number(mapping.lanes, (), units)
            at: dict[str, int] = {}
            for axis, offset in zip(axes, offsets, strict=True):
                flat = starts[axis] + offset
                for dim in reversed(axis):
                    at[dim] = flat % getattr(layer, dim)
                    flat //= getattr(layer, dim)
            yield Point(epoch, pe, lane, at)
        epoch += 1


def number(loops: tuple[Loop, ...], inner: tuple[Loop, ...], units: dict[str, int]) -> int:
    """Mixed-radix number of a unit at one level; loops of an axis outside `inner` ones move slower."""
    found = 0
    for place, loop in enumerate(loops):
        faster = prod(other.factor for other in (*loops[place + 1 :], *inner) if other.axis == loop.axis)
        found = found * loop.factor + units[loop.axis] // faster % loop.factor
    return found


def nonzero(layer: Layer, at: dict[str, int]) -> tuple[bool, bool]:
    """Whether the input and the weight of a MAC are nonzero; padding is zero."""
    assert layer.tensors is not None
    h = at["P"] * layer.stride[0] + at["R"] * layer.dilation[0] - layer.padding[0]
    w = at["Q"] * layer.stride[1] + at["S"] * layer.dilation[1] - layer.padding[1]
    inside = 0 <= h < layer.H and 0 <= w < layer.W
    a = inside and layer.tensors.input[at["N"], at["G"] * layer.C + at["C"], h, w] != 0
    return bool(a), bool(layer.tensors.weight[at["G"] * layer.K + at["K"], at["C"], at["R"], at["S"]] != 0)


def outputs(layer: Layer) -> np.ndarray:
    """Accumulators, product by product."""
    assert layer.tensors is not None
    found = np.zeros(layer.output_shape, dtype=np.int64)
    for index in np.ndindex(*layer.extents):
        at = dict(zip(DIMS, index, strict=True))
        if all(nonzero(layer, at)):
            h = at["P"] * layer.stride[0] + at["R"] * layer.dilation[0] - layer.padding[0]
            w = at["Q"] * layer.stride[1] + at["S"] * layer.dilation[1] - layer.padding[1]
            a = layer.tensors.input[at["N"], at["G"] * layer.C + at["C"], h, w]
            b = layer.tensors.weight[at["G"] * layer.K + at["K"], at["C"], at["R"], at["S"]]
            found[at["N"], at["G"] * layer.K + at["K"], at["P"], at["Q"]] += int(a) * int(b)
    return found


def useful(skip: str, a: bool, b: bool) -> bool:
    return (a or skip not in ("input", "both")) and (b or skip not in ("weight", "both"))


def match_work(
    layer: Layer, found: list[Point], skip: str, width: int, chunk: int, least: int, scan: int
) -> tuple[Totals, Totals]:
    """(cycles, effectual MACs) by (epoch, PE)."""
    lists: dict[tuple[Any, ...], list[tuple[tuple[int, ...], bool, bool]]] = defaultdict(list)
    for point in found:
        output = tuple(point.at[dim] for dim in "GNKPQ")
        tap = tuple(point.at[dim] for dim in "RSC")
        lists[point.epoch, point.pe, point.lane, output].append((tap, *nonzero(layer, point.at)))
    by_lane: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    effectual: Totals = defaultdict(int)
    for (epoch, pe, lane, _), taps in lists.items():
        taps.sort()
        for mine in chunks(taps, chunk):
            count = sum(useful(skip, a, b) for _, a, b in mine)
            looked = -(-len(mine) // scan) if scan else 0
            by_lane[epoch, pe][lane] += max(-(-count // width), least, looked)
            effectual[epoch, pe] += sum(a and b for _, a, b in mine)
    return {key: max(lanes.values()) for key, lanes in by_lane.items()}, effectual


def chunks(
    taps: list[tuple[tuple[int, ...], bool, bool]], chunk: int
) -> list[list[tuple[tuple[int, ...], bool, bool]]]:
    """Runs of `chunk` channels of one tap (R, S); all in one when `chunk` is 0."""
    if chunk == 0:
        return [taps]
    by_tap: dict[tuple[int, ...], list[tuple[tuple[int, ...], bool, bool]]] = defaultdict(list)
    for entry in taps:
        by_tap[entry[0][:2]].append(entry)
    return [mine[start : start + chunk] for mine in by_tap.values() for start in range(0, len(mine), chunk)]


def column_work(
    layer: Layer, found: list[Point], skip: str, width: int, least: int, run_bits: int | None
) -> tuple[Totals, Totals]:
    """Every (useful) input with the entries of its column that the PE holds."""
    columns: dict[tuple[Any, ...], dict[tuple[int, ...], list[tuple[int, bool]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    inputs: dict[tuple[Any, ...], bool] = {}
    cycles: Totals = defaultdict(int)
    effectual: Totals = defaultdict(int)
    for point in found:
        a, b = nonzero(layer, point.at)
        given = tuple(point.at[dim] for dim in "GNPQCRS")
        columns[point.epoch, point.pe][given].append((point.at["K"], b))
        inputs[given] = a
        effectual[point.epoch, point.pe] += a and b
    for key, mine in columns.items():
        for given, weights in mine.items():
            if useful(skip, inputs[given], True):
                cycles[key] += max(
                    least, -(-entries([useful(skip, True, b) for _, b in sorted(weights)], run_bits) // width)
                )
    return cycles, effectual


def entries(column: list[bool], run_bits: int | None) -> int:
    """Nonzeros of a column and the zeros needed to bridge runs longer than the index can say."""
    count = run = 0
    for there in column:
        if there:
            count += 1 + (run // 2**run_bits if run_bits is not None else 0)
            run = 0
        else:
            run += 1
    return count


def plane_work(
    layer: Layer, found: list[Point], skip: str, inputs: int, weights: int, banks: int = 0, queue: int = 0
) -> tuple[Totals, Totals]:
    """Vectors of the inputs beneath a PE's outputs times vectors of its weights, by channel and phase.

    Products that a bank cannot take in a cycle stay in its queue, until all are stored at the end of an epoch.
    """
    assert layer.tensors is not None
    owner: dict[tuple[int, int, int], list[tuple[int, int]]] = defaultdict(list)
    for n, h, w in product(range(layer.N), range(layer.H), range(layer.W)):
        owner[n, h * layer.P // layer.H, w * layer.Q // layer.W].append((h, w))
    # What a PE holds in an epoch, by group, channel and phase.
    given: dict[tuple[Any, ...], set[tuple[int, int, int]]] = defaultdict(set)
    taken: dict[tuple[Any, ...], set[tuple[int, int, int]]] = defaultdict(set)
    for point in found:
        at = point.at
        key = (point.epoch, point.pe, at["G"], at["C"])
        for h, w in owner[at["N"], at["P"], at["Q"]]:
            phase = ((h + layer.padding[0]) % layer.stride[0], (w + layer.padding[1]) % layer.stride[1])
            given[*key, *phase].add((at["N"], h, w))
        phase = (at["R"] * layer.dilation[0] % layer.stride[0], at["S"] * layer.dilation[1] % layer.stride[1])
        taken[*key, *phase].add((at["K"], at["R"], at["S"]))
    cycles: Totals = defaultdict(int)
    products: Totals = defaultdict(int)
    waiting: dict[tuple[Any, ...], Counter[int]] = defaultdict(Counter)
    for key, some in sorted(given.items()):
        g, c = key[2:4]
        words = [layer.tensors.input[n, g * layer.C + c, h, w] != 0 for n, h, w in some]
        filters = [layer.tensors.weight[g * layer.K + k, c, r, s] != 0 for k, r, s in taken[key]]
        rows = sum(useful(skip, bool(word), True) for word in words)
        columns = sum(useful(skip, True, bool(word)) for word in filters)
        if banks:
            mine = [
                place
                for place in sorted(some)
                if useful(skip, bool(layer.tensors.input[place[0], g * layer.C + c, place[1], place[2]]), True)
            ]
            taps = [
                (k, r, s)
                for k, r, s in sorted(taken[key])
                if useful(skip, True, bool(layer.tensors.weight[g * layer.K + k, c, r, s]))
            ]
            where = accumulators(
                layer,
                [other for at, held in given.items() if at[1:3] == key[1:3] and at[0] == key[0] for other in held],
                {k for at, held in taken.items() if at[:3] == key[:3] for k, _, _ in held},
            )
            for i in range(0, len(mine), inputs):
                for f in range(0, len(taps), weights):
                    used = Counter(
                        where[spot] % banks
                        for place, tap in product(mine[i : i + inputs], taps[f : f + weights])
                        if (spot := target(layer, place, tap)) is not None
                    )
                    left = waiting[key[:3]]
                    left.update(used)
                    spent = max(1, max(left.values(), default=0) - queue)
                    left.subtract(dict.fromkeys(left, spent))
                    waiting[key[:3]] = +left
                    cycles[key[:2]] += spent
        else:
            cycles[key[:2]] += -(-rows // inputs) * -(-columns // weights)
        products[key[:2]] += sum(words) * sum(filters)
    for key, left in waiting.items():
        cycles[key[:2]] += max(left.values(), default=0)
    return cycles, products


def target(layer: Layer, place: tuple[int, int, int], tap: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """Output (k, n, p, q) that the product of an input (n, h, w) and a weight (k, r, s) belongs to, if any."""
    row = place[1] + layer.padding[0] - tap[1] * layer.dilation[0]
    column = place[2] + layer.padding[1] - tap[2] * layer.dilation[1]
    p, q = row // layer.stride[0], column // layer.stride[1]
    if row % layer.stride[0] or column % layer.stride[1] or not (0 <= p < layer.P and 0 <= q < layer.Q):
        return None
    return tap[0], place[0], p, q


def link_words(layer: Layer, rows: list[range], columns: list[range]) -> int:
    """Sums of one filter on the busiest link of a grid of PEs that own such rows and columns of outputs.

    Every sum for another PE's output goes up or down first, then to a side, and is added to what goes the same way.
    """
    links: dict[tuple[Any, ...], set[tuple[int, int]]] = defaultdict(set)
    grid = [*product(range(len(rows)), range(len(columns)))]
    for i, j in grid:
        held = [
            (0, h, w)
            for h, w in product(range(layer.H), range(layer.W))
            if h * layer.P // layer.H in rows[i] and w * layer.Q // layer.W in columns[j]
        ]
        for place, r, s in product(held, range(layer.R), range(layer.S)):
            spot = target(layer, place, (0, r, s))
            if spot is None:
                continue
            *_, p, q = spot
            home = (
                next(k for k, own in enumerate(rows) if p in own),
                next(k for k, own in enumerate(columns) if q in own),
            )
            at = [i, j]
            for side in (0, 1):
                while at[side] != home[side]:
                    step = 1 if home[side] > at[side] else -1
                    links[at[0], at[1], side, step].add((p, q))
                    at[side] += step
    return max((len(sums) for sums in links.values()), default=0)


def accumulators(
    layer: Layer, held: list[tuple[int, int, int]], filters: set[int]
) -> dict[tuple[int, int, int, int], int]:
    """Number of the accumulator of each output that a tile of inputs can reach: a box of them, filter by filter."""
    sides = []
    for side, (taps, outputs) in enumerate(((layer.R, layer.P), (layer.S, layer.Q))):
        low = min(place[1 + side] for place in held) + layer.padding[side] - (taps - 1) * layer.dilation[side]
        high = max(place[1 + side] for place in held) + layer.padding[side]
        sides.append([at for at in range(outputs) if low <= at * layer.stride[side] <= high])
    every = product(range(min(filters), max(filters) + 1), range(layer.N), *sides)
    return {at: index for index, at in enumerate(every)}


def finish_times(work: list[list[int]], issued: list[bool], slack: int, issue_cycles: int) -> list[int]:
    """The recurrence as it is written: an entry is broadcast when the entry `slack` before it is through everywhere."""
    finished, ends, started, now = [], [], [], 0
    busy = [0] * len(work[0])
    for row, real in zip(work, issued, strict=True):
        if real and slack == 0:
            now += max(issue_cycles, *row)
        elif real:
            start = started[-1] + issue_cycles if started else 0
            if len(ends) >= slack:
                start = max(start, ends[len(ends) - slack])
            busy = [max(was, start) + amount if amount else was for was, amount in zip(busy, row, strict=True)]
            started.append(start)
            now = max(now, *busy)
            ends.append(now)
        finished.append(now)
    return finished
