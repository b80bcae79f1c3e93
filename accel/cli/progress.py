"""A progress bar on stderr, for work longer than a second; none without a terminal."""

from __future__ import annotations

import sys
from threading import RLock, Timer
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PATIENCE_SECONDS = 1.0


class ProgressBar:
    """Use as a context; call as (done, total, what). The bar comes up when the work has taken a second, called or not.

    at_first: what takes the time until something is done, if that is not the work itself.
    """

    def __init__(self, title: str, at_first: str = "") -> None:
        self._title, self._at_first = title, at_first
        self._told: tuple[int, int | None, str] = (0, None, "")
        self._bar: Progress | None = None
        self._over = False
        self._lock = RLock()  # the timer is a thread of its own
        self._timer = Timer(PATIENCE_SECONDS, self._come_up)
        self._timer.daemon = True

    def __enter__(self) -> ProgressBar:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()

    def __call__(self, done: int, total: int, what: str) -> None:
        with self._lock:
            self._told = (done, total, what)
            self._update()

    def _come_up(self) -> None:
        with self._lock:
            if self._over:
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
            self._bar.add_task(self._title, what="")
            self._update()
            self._bar.start()

    def _update(self) -> None:
        if self._bar is not None:
            done, total, what = self._told
            shown = self._at_first if self._at_first and not done else what
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, what=shown)
