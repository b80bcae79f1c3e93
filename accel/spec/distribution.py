"""How the indices of unrolled dimensions are dealt to PEs."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from accel.spec.base import Count, Part

Dealing = Literal["interleaved", "blocked", "balanced", "bricks"]
"""How the indices of an unrolled dimension are dealt to PEs: index mod PEs, in even runs of neighbours, by their
nonzero weights, dense ones beside sparse ones, or in bricks of neighbouring channels, one brick after another."""


class Distribution(Part):
    """How each dimension is dealt to the PEs it is unrolled over; a flattened axis follows its first dimension.

    It decides which PE has which zeros, and how far the windows of a PE overlap.
    """

    G: Dealing = "interleaved"
    N: Dealing = "interleaved"
    K: Dealing = "interleaved"
    C: Dealing = "interleaved"
    P: Dealing = "interleaved"
    Q: Dealing = "interleaved"
    R: Dealing = "interleaved"
    S: Dealing = "interleaved"
    brick: Count = 16
    """"bricks": neighbouring channels of a filter tap that stay together."""

    @model_validator(mode="after")
    def _only_filters_have_weights(self) -> Distribution:
        for dim in "GNCPQRS":
            if getattr(self, dim) == "balanced":
                raise ValueError(f'{dim} = "balanced": only K can be balanced, by the nonzero weights of its filters')
        for dim in "GNKPQRS":
            if getattr(self, dim) == "bricks":
                raise ValueError(f'{dim} = "bricks": only C can be dealt so, bricks are neighbouring channels')
        return self
