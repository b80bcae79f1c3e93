"""Access counts of a three-level machine by brute force: sets of points, one step of the loops at a time.

Semantics of A. Parashar et al., "Timeloop", ISPASS 2019: a level holds the points of the current iteration and no
others; what it takes from its parent are the points that the iteration before did not hold (the delta), counted at the
parent once for all PEs that need the same. A window that moves along both sides is taken whole. So is one that moves
by another step than in the iteration before, or has rested (`steady`); in versions before, one that turns back: that
moves another way than in the iteration before, and still overlaps. Outputs that leave are updates of the parent, PEs
that share them being reduced first; they are read back when they come again, but not the first time. Extrapolated, a
loop has its first two iterations only, of which the second counts for all later ones: inputs alone are right then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod

from mappings import Loop, Mapping
from workloads import Layer, Operand
from workloads.layer import DIMS

Point = tuple[int, ...]
Points = frozenset[Point]
Block = dict[str, tuple[int, ...]]
"""Indices along each dimension."""


@dataclass
class Child:
    """What one level holds below another: the tile of each operand, and how the window moved last."""

    held: dict[Operand, tuple[Points, Block]] = field(default_factory=dict)
    way: tuple[int, bool] | None = None
    step: Point | None = None


@dataclass
class Traffic:
    """Between a level and the one below it; `fills` of the first child alone."""

    linked: bool
    reads: dict[Operand, int] = field(default_factory=lambda: dict.fromkeys(Operand, 0))
    fills: dict[Operand, int] = field(default_factory=lambda: dict.fromkeys(Operand, 0))
    updates: int = 0
    seen: set[Point] = field(default_factory=set)
    earlier: dict[tuple[Operand, int, int], Points] = field(default_factory=dict)

    def step(
        self, layer: Layer, children: dict[tuple[int, int], tuple[Child, Block]], steady: bool, times: int
    ) -> None:
        """All children, by row and column, go on to their next block, which counts as so many."""
        for operand in Operand:
            taken, left = [], []
            for child, block in children.values():
                now = points(layer, operand, block)
                then, before = child.held.get(operand, (frozenset(), block))
                delta = now
                if now == then:
                    delta = frozenset()
                if operand is Operand.INPUT and steady:
                    rests = bool(then) and all(block[dim] == before[dim] for dim in "GNCPQRS")
                    delta = frozenset() if rests else now
                    if rests:
                        child.step = (0,) * 5
                    elif then:
                        moved = tuple(a - b for a, b in zip(min(now), min(then), strict=True))
                        if child.step in (None, moved):
                            delta = now - then if slides(layer, block, before) else now
                            child.step = moved
                        else:
                            child.step = None
                elif operand is Operand.INPUT:
                    way = slides(layer, block, before) if then else None
                    overlaps = 0 < len(now - then) < len(now)
                    if way and (not overlaps or child.way in (None, way)):
                        delta = now - then
                        child.way = way if overlaps else None
                    else:
                        child.way = None
                taken.append(delta)
                if operand is Operand.OUTPUT and then and now != then:
                    left.append(then)
                child.held[operand] = now, block
            if operand is Operand.OUTPUT:
                self._leave(left)
                for some in set(taken):
                    self.reads[operand] += len(some & self.seen)
            else:
                self.reads[operand] += times * sum(
                    len(some) for some in self._fetched(operand, dict(zip(children, taken, strict=True)))
                )
            self.fills[operand] += times * len(taken[0])

    def _fetched(self, operand: Operand, taken: dict[tuple[int, int], Points]) -> set[Points]:
        """What the children take from the parent, each once; the others take theirs from beside them."""
        beside = ((1, 0), (-1, 0), (0, 1), (0, -1))
        fetched = {
            some for (row, column), some in taken.items()
            if not self.linked or all(self.earlier.get((operand, row + r, column + c)) != some for r, c in beside)
        }  # fmt: skip
        self.earlier = {place: some for place, some in self.earlier.items() if place[0] is not operand}
        self.earlier |= {(operand, *place): some for place, some in taken.items()}
        return fetched

    def finish(self, children: list[Child]) -> None:
        """Outputs that are still held leave."""
        self._leave([child.held[Operand.OUTPUT][0] for child in children])

    def _leave(self, left: list[Points]) -> None:
        for some in set(left):
            self.updates += len(some)
            self.seen |= some


@dataclass
class Walk:
    """Traffic of DRAM and buffer, and cycles of the slowest PE."""

    dram: Traffic
    buffer: Traffic
    cycles: int = 0


def walk(layer: Layer, mapping: Mapping, *, steady: bool, linked: bool, extrapolated: bool = False) -> Walk:
    """Run the loops. No flattened axes, no lanes, no hold depths."""
    result = Walk(Traffic(linked=False), Traffic(linked))
    columns = prod(loop.factor for loop in mapping.columns)
    buffer, pes = [Child()], [Child() for _ in spread(mapping)]
    for outer in iterations(mapping.off_chip, extrapolated):
        times = counts_for(mapping.off_chip, outer) if extrapolated else 1
        tile = block(layer, mapping, outer, None, None)
        if not all(tile.values()):
            continue
        result.dram.step(layer, {(0, 0): (buffer[0], tile)}, steady, times)
        for inner in iterations(mapping.on_chip, extrapolated):
            every = [block(layer, mapping, outer, inner, place) for place in spread(mapping)]
            busy = [number for number, mine in enumerate(every) if all(mine.values())]
            if not busy:
                continue
            working = {divmod(number, columns): (pes[number], every[number]) for number in busy}
            more = counts_for(mapping.on_chip, inner) if extrapolated else 1
            result.buffer.step(layer, working, steady, times * more)
            result.cycles += max(prod(len(at) for at in every[number].values()) for number in busy)
    result.dram.finish(buffer)
    result.buffer.finish([pe for pe in pes if pe.held])
    return result


def iterations(loops: tuple[Loop, ...], extrapolated: bool = False) -> Iterator[tuple[int, ...]]:
    """Digits of the loops, the last one fastest."""
    return product(*(range(min(loop.factor, 2) if extrapolated else loop.factor) for loop in loops))


def counts_for(loops: tuple[Loop, ...], digits: tuple[int, ...]) -> int:
    """Iterations that these stand for."""
    return prod(loop.factor - 1 for loop, digit in zip(loops, digits, strict=True) if digit == 1)


def spread(mapping: Mapping) -> list[tuple[int, ...]]:
    """Digits of the unrolled loops, one entry a PE."""
    return list(iterations((*mapping.rows, *mapping.columns)))


def block(
    layer: Layer, mapping: Mapping, outer: tuple[int, ...], inner: tuple[int, ...] | None, place: tuple[int, ...] | None
) -> Block:
    """Indices along each dimension at fixed digits; None: all of them."""
    spatial, own = ((*mapping.rows, *mapping.columns), place), (mapping.registers, None)
    found: Block = {}
    for dim in DIMS:
        indices = [0]
        # Neighbouring pixels and taps lie on one PE, of filters and channels every PE has one in turn.
        within = (spatial, own) if dim in "PQRS" else (own, spatial)
        for loops, digits in ((mapping.off_chip, outer), (mapping.on_chip, inner), *within):
            for position, loop in enumerate(loops):
                if loop.axis == dim:
                    choices = range(loop.factor) if digits is None else (digits[position],)
                    indices = [index * loop.factor + choice for index in indices for choice in choices]
        found[dim] = tuple(sorted(index for index in indices if index < getattr(layer, dim)))
    return found


def points(layer: Layer, operand: Operand, at: Block) -> Points:
    """Points of an operand's tensor that a block of the loop nest needs."""
    if operand is not Operand.INPUT:
        return frozenset(product(*(at[dim] for dim in ("GKCRS" if operand is Operand.WEIGHT else "GNKPQ"))))
    return frozenset(product(at["G"], at["N"], at["C"], side(layer, at, 0), side(layer, at, 1)))


def side(layer: Layer, at: Block, number: int) -> tuple[int, ...]:
    """Input rows (0) or columns (1) under the windows of a block."""
    outputs, taps = ("PR", "QS")[number]
    return tuple(sorted({o * layer.stride[number] + t * layer.dilation[number] for o in at[outputs] for t in at[taps]}))


def slides(layer: Layer, now: Block, then: Block) -> tuple[int, bool] | None:
    """Side of the input along which alone windows moved, and whether forwards; None if anything else changed."""
    if any(now[dim] != then[dim] for dim in "GNC"):
        return None
    for moving in (0, 1):
        if side(layer, now, 1 - moving) == side(layer, then, 1 - moving):
            return moving, side(layer, now, moving)[0] >= side(layer, then, moving)[0]
    return None
