"""Where the zeros of a drawn operand lie: anywhere, or in a pattern that hardware can use; and where they cluster."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from workloads.errors import InputError

AXES = {"input": "NCHW", "weight": "KCRS", "output": "NKPQ"}
"""Axes of the stored tensors; C of weights is counted within a group."""

Kind = Literal["unstructured", "n_of_m", "vector", "patch", "kernel", "group", "filter"]

KINDS = "unstructured, N:M, vector:N, vector:N:DIM, patch:N, kernel, group, group:N, filter"
_OF_WEIGHTS = ("kernel", "group", "filter")
_WITHOUT_SKEW = ("n_of_m", "group", "filter")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What zeros share, and how unevenly they are spread.

    `unstructured`: nothing. `n_of_m`: of every `m` neighbours along the second axis (C of weights: the reduction),
    `n` are nonzero; a short last group keeps up to `n`. Zero or drawn together are: `vector`, `size` neighbours along
    `dim`; `patch`, `size` x `size` neighbours of a map; `kernel`, the R x S weights of a filter's channel; `group`, the
    same weight of `size` neighbouring filters (0: of all, Lebedev and Lempitsky, CVPR 2016); `filter`, a whole filter.

    `skew`, from 0 to 1: nonzeros differ in density between channels, those of weights between filters. The densities
    are Beta-distributed around the stated one, d, with a variance of skew * d * (1 - d): 0 gives all channels the same,
    1 makes each all zero or all nonzero.
    """

    kind: Kind = "unstructured"
    n: int = 0
    m: int = 0
    size: int = 0
    dim: str = ""
    skew: float = 0.0

    def __post_init__(self) -> None:
        if not isfinite(self.skew) or not 0.0 <= self.skew <= 1.0:
            raise InputError(f"skew = {self.skew:g}: needs a number between 0 and 1")
        if self.kind == "n_of_m" and not 1 <= self.n <= self.m:
            raise InputError(f'pattern "{self}": needs N:M with N from 1 to M')
        if self.kind in ("vector", "patch") and self.size < 1:
            raise InputError(f'pattern "{self}": needs a length from 1 up')
        if self.skew and not self.takes_skew:
            raise InputError(f'skew = {self.skew:g}: pattern "{self}" leaves the channels no densities of their own')

    @classmethod
    def parse(cls, text: str, skew: float = 0.0) -> Pattern:
        """The pattern of a word like "2:4", "vector:16" or "kernel". Raises InputError naming those there are."""
        head, *rest = text.strip().split(":")
        sizes = [int(part) for part in rest if part.isascii() and part.isdecimal() and len(part) < 10]
        if head in ("unstructured", "kernel", "filter") and not rest:
            return cls(head, skew=skew)  # type: ignore[arg-type]
        if head == "group" and len(rest) == len(sizes) <= 1:
            return cls("group", size=sizes[0] if sizes else 0, skew=skew)
        if head == "patch" and len(rest) == len(sizes) == 1:
            return cls("patch", size=sizes[0], skew=skew)
        if head == "vector" and 1 <= len(rest) <= 2 and sizes and rest[0].isdecimal():
            return cls("vector", size=sizes[0], dim=rest[1] if rest[1:] else "C", skew=skew)
        if head.isascii() and head.isdecimal() and len(head) < 10 and len(rest) == len(sizes) == 1:
            return cls("n_of_m", int(head), sizes[0], skew=skew)
        raise InputError(f'unknown pattern "{text}": needs one of {KINDS}')

    def __str__(self) -> str:
        """The word `parse` reads."""
        if self.kind == "n_of_m":
            return f"{self.n}:{self.m}"
        if self.kind == "vector" and self.dim not in ("", "C"):
            return f"vector:{self.size}:{self.dim}"
        return f"{self.kind}:{self.size}" if self.size else self.kind

    @property
    def takes_skew(self) -> bool:
        """Whether it leaves the channels densities of their own."""
        return self.kind not in _WITHOUT_SKEW

    def check(self, operand: str) -> None:
        """Raises InputError when the pattern is none of "input", "weight" or "output"."""
        axes = AXES[operand]
        if self.kind in _OF_WEIGHTS and operand != "weight":
            raise InputError(f'pattern.{operand} = "{self}": is a pattern of weights, use vector:N or patch:N')
        if self.kind == "patch" and operand == "weight":
            raise InputError(f'pattern.{operand} = "{self}": is a pattern of maps, use kernel')
        if self.kind == "vector" and self.axis(operand) < 0:
            raise InputError(f'pattern.{operand} = "{self}": needs a dimension of {", ".join(axes)}')

    def axis(self, operand: str) -> int:
        """The axis a vector runs along, -1 if there is none; channels unless it says otherwise."""
        return 1 if self.dim in ("", "C") else AXES[operand].find(self.dim)

    def block(self, operand: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Extents of what is zero together along each axis; None where words are drawn one by one or as N of M."""
        if self.kind == "vector":
            along = self.axis(operand)
            return tuple(self.size if axis == along else 1 for axis in range(4))
        return {
            "patch": (1, 1, self.size, self.size),
            "kernel": (1, 1, *shape[2:]),
            "group": (self.size or shape[0], 1, 1, 1),
            "filter": (1, *shape[1:]),
        }.get(self.kind)

    def share(self, channels: int) -> float | None:
        """The density an N:M pattern has over so many channels; None for other kinds."""
        if self.kind != "n_of_m":
            return None
        whole, rest = divmod(channels, self.m)
        return (whole * self.n + min(self.n, rest)) / channels


@dataclass(frozen=True, slots=True)
class Patterns:
    """The pattern of each operand. `codebook_bits`: weights are drawn from 2**codebook_bits values with 0; 0: any."""

    input: Pattern = Pattern()
    weight: Pattern = Pattern()
    output: Pattern = Pattern()
    codebook_bits: int = 0

    def __post_init__(self) -> None:
        for operand in AXES:
            getattr(self, operand).check(operand)
        if not 0 <= self.codebook_bits <= 16:
            raise InputError(f"codebook_bits = {self.codebook_bits}: needs 1 to 16, or 0 for no codebook")

    def __str__(self) -> str:
        """As a report says it: "uniform" zeros, or what differs from that."""
        found = [] if self.weight.kind == "unstructured" else [str(self.weight)]
        found += [
            f"{operand} {pattern}"
            for operand, pattern in (("input", self.input), ("output", self.output))
            if pattern.kind != "unstructured"
        ]
        skews = {operand: getattr(self, operand).skew for operand in AXES if getattr(self, operand).skew}
        if len(set(skews.values())) == 1:
            found.append(f"skew {next(iter(skews.values())):g}")
        else:
            found += [f"{operand} skew {skew:g}" for operand, skew in skews.items()]
        found = found or ["uniform"]
        return ", ".join([*found, f"codebook of {self.codebook_bits} bits"] if self.codebook_bits else found)


UNIFORM = Patterns()
"""Independent zeros in every operand."""
