"""What every part of the specification shares: frozen, closed, strict models and a few number types."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workloads.plain import plain

MOST = 10**6
"""Far beyond any machine, and near enough for products of such numbers to stay within 64 bits."""

Count = Annotated[int, Field(ge=1, le=MOST)]
"""A whole number from 1 up."""
WholeNumber = Annotated[int, Field(ge=0, le=10**9)]
"""A whole number from 0 up."""
Positive = Annotated[float, Field(gt=0, le=1e9)]
"""A finite number above 0."""
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
"""A finite number from 0 up."""
Megahertz = Annotated[float, Field(ge=1e-3, le=MOST)]
"""A clock rate; with 1 kHz to 1 THz a cycle is a whole number of femtoseconds that fits 64 bits."""
WordBits = Annotated[int, Field(ge=1, le=64)]
"""Width of a word."""


class Part(BaseModel):
    """A frozen, hashable table of the specification: unknown fields, other types, NaN and infinity are refused.

    NumPy's numbers are taken as Python's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_numpy(cls, values: Any) -> Any:
        return plain(values)
