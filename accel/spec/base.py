"""What every part of the specification shares: frozen, closed, strict models and a few number types."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
"""A whole number from 1 up."""
WholeNumber = Annotated[int, Field(ge=0)]
"""A whole number from 0 up."""
Positive = Annotated[float, Field(gt=0)]
"""A finite number above 0."""
NotNegative = Annotated[float, Field(ge=0)]
"""A finite number from 0 up."""
WordBits = Annotated[int, Field(ge=1, le=64)]
"""Width of a word."""


class Part(BaseModel):
    """A frozen, hashable table of the specification: unknown fields, other types, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
