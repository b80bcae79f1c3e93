"""A progress bar on stderr, for work longer than a second; none without a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PATIENCE_SECONDS = 1.0


class ProgressBar:
    """Use as a context; call as (done, total, what). The bar comes up when the work has taken a second."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def shown(self) -> bool:
        """Whether the bar has come up."""
        return self._bar is not None

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._bar is None:
            if not sys.stderr.isatty() or time.monotonic() - self._began < PATIENCE_SECONDS:
                return
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[what]}", style="dim"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._bar.add_task(self._title, total=total, what=what)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, what=what)
