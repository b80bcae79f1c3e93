"""A mapping with less in its registers: what they hold comes and goes between passes, what streams does so beside MACs.

So more registers than a pass gains from can make it slower, unless the mapping leaves some of them alone.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from mappings.dataflows import ArrayShape
from mappings.mapping import Mapping, axis_relevant, registers_used, with_operand
from workloads.layer import Operand


def sparing(mapping: Mapping, array: ArrayShape) -> list[Mapping]:
    """The mapping with fewer registers for one operand, too few for some loops of a full pass, in each way there is.

    How many inputs a loop needs windows decide: of theirs half are left, a quarter and so on.
    """
    found = []
    for operand, there in zip(Operand, array.registers, strict=True):
        most = registers_used(mapping.register_words[operand], there)
        if operand == Operand.INPUT:
            needed = {most >> halved for halved in range(most.bit_length())}
        else:
            inside = [mapping.registers[first:] for first in range(len(mapping.registers))]
            # Lanes that work on the same words have registers each.
            same = prod(loop.factor for loop in mapping.lanes if not axis_relevant(loop.axis, operand))
            words = (prod(loop.factor for loop in loops if axis_relevant(loop.axis, operand)) for loops in inside)
            needed = {-(-each // same) for each in words}
        for fewer in sorted(need - 1 for need in needed if 0 < need <= most):
            found.append(replace(mapping, register_words=with_operand(mapping.register_words, operand, fewer)))
    return found
