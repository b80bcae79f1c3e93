"""How a PE that skips zeros finds the operands that meet."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from accel.spec.base import Count, Part, WholeNumber


class Matching(Part):
    """How a PE of an array that skips finds the operands that meet, and how fast. Fields of other styles keep defaults.

    inner: an output's inputs against its weights, in chunks of its reduction; lanes work apart, or on one output
    together when `width` is their number. column: an input at a time with the stored weights of its column, `width` of
    them a cycle. plane: `inputs` inputs with `weights` weights of a channel a cycle, every one with every other.
    structured: `n` multipliers serve `m` neighbouring channels, each picks its input among them; a layer with more than
    `n` nonzero weights in any of these groups, or channels that do not fill them, runs as on a dense array.
    """

    style: Literal["inner", "column", "plane", "structured"] = "inner"
    width: Count = 1
    """inner, column: useful positions a cycle; structured: multipliers that work on one output."""
    least: WholeNumber = 0
    """inner, column: cycles a chunk, or a column, takes at least."""
    chunk: WholeNumber = 0
    """inner: channels of a filter tap that are matched before the next are looked at; 0: all taps of a pass at once."""
    scan: WholeNumber = 0
    """inner: positions looked through in a cycle; 0: any number."""
    run_bits: WholeNumber = 0
    """column: bits of the zero run of a stored weight; bridges of longer runs cost what weights do. 0: no bridges."""
    inputs: Count = 1
    """plane: inputs a cycle."""
    weights: Count = 1
    """plane: weights a cycle."""
    banks: WholeNumber = 0
    """plane: accumulator banks, a product a cycle each; 0: as many as products."""
    bank_queue: WholeNumber = 0
    """plane: products that can wait before a bank; 0: the multipliers wait until the busiest bank has taken its own."""
    halo_words_per_cycle: WholeNumber = 0
    """plane: partial sums for its neighbours' outputs on each of a PE's four links, after a pass; 0: any number."""
    n: Count = 2
    """structured: weights that are kept..."""
    m: Count = 4
    """structured: ...of so many neighbours along the input channels."""

    @model_validator(mode="after")
    def _fields_of_the_style(self) -> Matching:
        own = {
            "inner": ("width", "least", "chunk", "scan"),
            "column": ("width", "least", "run_bits"),
            "structured": ("width", "n", "m"),
        }
        mine = own.get(self.style, ("inputs", "weights", "banks", "bank_queue", "halo_words_per_cycle"))
        for name, info in type(self).model_fields.items():
            if name not in ("style", *mine) and getattr(self, name) != info.default:
                raise ValueError(
                    f'{name} = {getattr(self, name)}: style = "{self.style}" has no such field, only {", ".join(mine)}'
                )
        if self.bank_queue and not self.banks:
            raise ValueError(f"bank_queue = {self.bank_queue}: needs banks, without them no product waits")
        if self.n > self.m:
            raise ValueError(f"n = {self.n}: needs at most m = {self.m}")
        if self.style == "structured" and self.width * self.m % self.n:
            raise ValueError(f"width x m / n = {self.width} x {self.m} / {self.n}: needs whole positions a cycle")
        return self
