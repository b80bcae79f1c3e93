"""Local processes that share the cores between them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from accel.cli import tell_warnings

if TYPE_CHECKING:
    from accel.exploring import Flag, Side

# Spawned, not forked: a fork of a process with threads may hang.
_CONTEXT = get_context("spawn")


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """So many processes; None for a single one, which is this process. Leaving by an error drops what waits."""
    if workers == 1:
        yield None
        return
    with _pool(workers, _work) as executor:
        _begin(executor, workers)
        yield executor


@contextmanager
def searchers(workers: int) -> Iterator[Side | None]:
    """So many processes that map layers, and leave Ctrl-C to this one; None for a single one, which is this process."""
    from accel.exploring import Side

    if workers == 1:
        yield None
        return
    stop = _CONTEXT.Event()
    with _pool(workers, _search, stop) as executor:
        _begin(executor, workers)
        try:
            yield Side(executor, stop)
        finally:
            stop.set()
            with _ctrl_c_later():  # processes that were not told to end would keep this one from exiting
                executor.shutdown(cancel_futures=True)


@contextmanager
def begun(work: Callable[..., None], *given: Any) -> Iterator[None]:
    """A process that is at some work meanwhile; it ends with what it was begun for, and leaves Ctrl-C to this one."""
    process = _CONTEXT.Process(target=work, args=given, daemon=True)
    with _ctrl_c_later():
        process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _begin(executor: Executor, workers: int) -> None:
    """Begin so many processes, none of which hears of Ctrl-C before it is set up."""
    with _ctrl_c_later():
        for _ in range(workers):
            executor.submit(int)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Ctrl-C waits until this is left; processes that begin meanwhile never hear of it, not even while they import."""
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _pool(workers: int, start: Callable[..., None], *more: Any) -> Iterator[Executor]:
    """Processes that begin with `start(threads, *more)`."""
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers, _CONTEXT, initializer=start, initargs=(threads, *more)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def limit_threads(threads: int) -> None:
    """Keep a worker's kernels to its share of the cores; they are compiled after this."""
    os.environ.setdefault("NUMBA_NUM_THREADS", str(threads))


def _work(threads: int) -> None:
    """Ctrl-C ends the process at once: nobody waits for what it is at."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    limit_threads(threads)


def _search(threads: int, stop: Flag) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads(threads)
    tell_warnings()
    from accel.exploring import heed

    heed(stop)
