"""The orders of loops that a search must try: those that can differ, and of those that can, the ones never beaten.

Between two levels an operand is fetched as often as the loops it does not depend on turn outside the innermost loop
that it does depend on. Only which operands a loop changes matters, so dimensions fall into four classes: pixels
(N, P, Q: inputs and outputs), filters (K: weights and outputs), volume (C, R, S: inputs and weights), groups (G: all).

- Neighbours of one class may change places: nothing is fetched more or less often. One order of each class is kept.
- A loop of a class may move inwards, past others, to the next loop of its class: the operands it changes have that loop
  outside their innermost one already, and the operand it repeats is repeated by it no more than before. So each class
  stands together.
- G goes outermost: it repeats nothing there, and further in it would make loops outside it repeat what they need not.

Six orders of three classes remain on chip. Off chip, outputs may wait in the buffer while a reduction runs: the loops
inside their hold are ordered apart from those outside it, six times six orders, and every dimension may be cut on
either side. In the registers what is kept depends on how many words the innermost loops need, and no order is the best
for all factors: every order of the dimensions that have more than one index is kept. Unrolled loops have no order.
Dimensions of a single index have no loops at all. Where a machine keeps the halo between neighbouring tiles, P, Q, R
and S differ off chip: those orders are only reached by `reordered`.

Inputs and weights may be held over loops as well (`mappings.holding`), which no order makes up for: a space tried whole
has each hold of every mapping, a search draws them for those it looks at. What is held cuts the off-chip loops once
more. That a class is cut there and outputs are held elsewhere, `reordered` reaches alone.

The argument is about what is moved: no operand crosses the pins or a port more often. Four things that orders differ
in are left aside: how many DRAM rows tiles open, a little of their energy; which tile's work a transfer hides behind, a
little of the latency; where both P and R (or Q and S) are cut off chip, that a window's first tap may need the very
rows that are there for the last tap of the window before; and, where a cut does not divide, that a loop turns only once
in the last, smaller part, which then stays while the loops outside it turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import numpy as np

from mappings.column import Shape
from mappings.holding import held_elsewhere
from workloads.layer import DIMS, Layer

_CLASSES = (("N", "P", "Q"), ("K",), ("C", "R", "S"))
_FLAT = (("NPQ",), ("K",), ("CRS",))

_HELD = 0.3
"""Chance that another order of off-chip loops is the same one with an operand held elsewhere."""


def general_shapes(layer: Layer) -> Iterator[Shape]:
    """Every shape of the reduced space, dimensions apart and then flattened."""
    for groups, classes in _families(layer):
        for outside, inside, on_chip in product(permutations(classes), repeat=3):
            for registers in permutations([*groups, *_flat(classes)]):
                yield _shape(groups, _flat(outside), _flat(inside), _flat(on_chip), registers)


def random_shape(layer: Layer, random: np.random.Generator) -> Shape:
    """One of `general_shapes`."""
    families = _families(layer)
    groups, classes = families[int(random.integers(len(families)))]

    def order() -> tuple[str, ...]:
        return _flat([classes[index] for index in random.permutation(len(classes))])

    registers = [*groups, *_flat(classes)]
    return _shape(groups, order(), order(), order(), [registers[index] for index in random.permutation(len(registers))])


def reordered(shape: Shape, random: np.random.Generator) -> Shape:
    """A shape of the same loops, two neighbours of a level in each other's place or an operand held elsewhere."""
    level = ("off_chip", "on_chip", "registers")[int(random.integers(3))]
    loops = list(getattr(shape, level))
    changes = {name: getattr(shape, name) for name in ("off_chip", "on_chip", "registers")}
    if len(loops) > 1:
        if level == "off_chip" and random.random() < _HELD:
            return held_elsewhere(replace(shape, name="any"), np.ones(len(loops), dtype=bool), random)
        first = int(random.integers(len(loops) - 1))
        loops[first], loops[first + 1] = loops[first + 1], loops[first]
        changes[level] = tuple(loops)
    return replace(shape, name="any", **changes)


def widened(shape: Shape, layer: Layer) -> Shape:
    """A shape of every loop of another one, in its order, and of those that it leaves out: to go anywhere from it."""
    used = list(dict.fromkeys(axis for _, axis in shape.loops))
    flat = any(len(axis) > 1 for axis in used)
    axes = used + [axis for axis in _axes(layer, flat) if not set(axis) & {dim for name in used for dim in name}]
    levels = {
        level: (*(axis for axis in axes if axis not in getattr(shape, level)), *getattr(shape, level))
        for level in ("off_chip", "on_chip", "registers")
    }
    spatial = {
        level: (*getattr(shape, level), *(axis for axis in axes if axis not in getattr(shape, level)))
        for level in ("rows", "columns", "lanes")
    }
    outside = levels["off_chip"]
    inputs, weights, outputs = (
        None if depth is None else depth + len(outside) - len(shape.off_chip) for depth in shape.hold
    )
    # A second loop of each, inside the outputs' hold.
    levels["off_chip"] += tuple(axis for axis in axes if outside.count(axis) == 1)
    outputs = len(outside) if outputs is None else outputs
    return replace(shape, name="any", **levels, **spatial, hold=(inputs, weights, outputs))


def _axes(layer: Layer, flat: bool) -> tuple[str, ...]:
    groups, classes = _families(layer)[-1 if flat else 0]
    return groups + _flat(classes)


def _families(layer: Layer) -> list[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
    """(groups, classes) of the dimensions with more than one index, apart and, where that differs, flattened."""
    groups = tuple(dim for dim in "G" if layer.G > 1)
    apart = tuple(kept for group in _CLASSES if (kept := tuple(dim for dim in group if getattr(layer, dim) > 1)))
    flattened = tuple(group for group in _FLAT if any(getattr(layer, dim) > 1 for dim in group[0]))
    together = any(len(group) > 1 for group in apart)
    return [(groups, apart)] + ([(groups, flattened)] if together else [])


def _shape(
    groups: tuple[str, ...], outside: tuple[str, ...], inside: tuple[str, ...], on_chip: tuple[str, ...],
    registers: tuple[str, ...] | list[str],
) -> Shape:  # fmt: skip
    spread = tuple(registers)
    spread = tuple(sorted(spread, key=lambda axis: DIMS.index(axis[0])))
    depth = len(groups) + len(outside)
    return Shape(
        "any",
        off_chip=groups + outside + inside,
        on_chip=groups + on_chip,
        registers=tuple(registers),
        rows=spread,
        columns=spread,
        lanes=spread,
        hold=(None, None, depth),
    )


def _flat(classes: object) -> tuple[str, ...]:
    return tuple(axis for group in classes for axis in group)  # type: ignore[attr-defined]
