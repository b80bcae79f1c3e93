"""A table of many columns, in parts below each other where it is wider than the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from accel.cli.listing import plain_table

_GAP = 2
"""Blanks between columns, and at both ends together."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, as `plain_table` takes it, and a cell a row. Words stay whole, numbers with their units."""

    heading: str
    cells: Sequence[str]

    @property
    def number(self) -> bool:
        """Whether it is of numbers."""
        return self.heading.startswith(">")

    @property
    def natural_width(self) -> int:
        """Characters of the widest line."""
        lines = chain(self.heading.removeprefix(">").splitlines(), self.cells)
        return max(map(cell_len, lines), default=0)

    @property
    def least_width(self) -> int:
        """Characters of what is not to be broken: the longest word."""
        if self.number:
            return self.natural_width
        words = chain.from_iterable(text.split() for text in (self.heading, *self.cells))
        return max(map(cell_len, words), default=0)


@dataclass(frozen=True, slots=True)
class WideTable:
    """Its columns in one table; in several where they do not fit, whose rows are numbered. Nothing is cut off."""

    columns: Sequence[Column]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for columns in self._parts(options.max_width):
            yield _table(columns, options.max_width)

    def _parts(self, width: int) -> Iterator[list[Column]]:
        if _room(self.columns, width) >= 0:
            yield list(self.columns)
            return
        rows = len(self.columns[0].cells)
        key = Column(">point", [str(number) for number in range(1, rows + 1)])
        part = [key]
        for column in self.columns:
            if len(part) > 1 and _room([*part, column], width) < 0:
                yield part
                part = [key]
            part.append(column)
        yield part


def _room(columns: Sequence[Column], width: int) -> int:
    """What is left of the width beside columns as narrow as they can be."""
    return width - sum(column.least_width + _GAP for column in columns)


def _table(columns: Sequence[Column], width: int) -> Table:
    """The words of a cell stand side by side as far as there is room, in the first columns first."""
    table = plain_table(*(column.heading for column in columns))
    room = _room(columns, width)
    spare = max(0, room)
    for column, shown in zip(columns, table.columns, strict=True):
        more = min(spare, column.natural_width - column.least_width)
        spare -= more
        shown.width = column.least_width + more
        shown.no_wrap, shown.overflow = False, "fold"
    if room < 0:  # a word wider than the terminal stands alone beside its number
        table.columns[-1].width = max(1, columns[-1].least_width + room)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
