"""What the parts of a table share: a frozen model with a source, and interpolation between its points."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Annotated

from pydantic import Field, Strict, model_validator

from accel.spec.base import Part, Positive

Points = Annotated[tuple[Positive, ...], Strict(False), Field(min_length=2)]
"""At least two positive numbers."""


class Sourced(Part):
    """A table of figures that says where they come from."""

    source: str = Field(min_length=1)


def require_curve(name: str, x: tuple[float, ...], y: tuple[float, ...]) -> None:
    """Raises ValueError unless x rises, y never falls and both are of one length."""
    if len(x) != len(y):
        raise ValueError(f"{name}: {len(x)} points need as many values, there are {len(y)}")
    if any(b <= a for a, b in pairwise(x)) or any(b < a for a, b in pairwise(y)):
        raise ValueError(f"{name}: points must rise and their values must not fall")


def power_law_between(at: float, x: tuple[float, ...], y: tuple[float, ...], *, below: float, above: float) -> float:
    """y at `at`: straight lines between the points in log-log, powers `below` and `above` outside them."""
    if at <= x[0]:
        return y[0] * exp(below * log(at / x[0]))
    if at >= x[-1]:
        return y[-1] * exp(above * log(at / x[-1]))
    for (x0, x1), (y0, y1) in zip(pairwise(x), pairwise(y), strict=True):
        if at <= x1:
            return exp(log(y0) + (log(y1) - log(y0)) * log(at / x0) / log(x1 / x0))
    raise AssertionError("unreachable: the points cover every value between them")


class Curve(Sourced):
    """Base of tables that are one rising curve; a subclass names its two columns in `_columns`."""

    @classmethod
    def _columns(cls) -> tuple[str, str]:
        raise NotImplementedError

    @model_validator(mode="after")
    def _rises(self) -> Curve:
        x, y = self._columns()
        require_curve(x, getattr(self, x), getattr(self, y))
        return self
